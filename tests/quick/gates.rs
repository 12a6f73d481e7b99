//! What makes an exit code: thresholds, styles, baselines, and `diff`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn recording(machine: &str) -> String {
    format!("{}/tests/machines/{machine}/facts.json", env!("CARGO_MANIFEST_DIR"))
}

fn preflight(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(arguments).env_remove("GPU_PREFLIGHT_MODE").stdin(Stdio::null()).output().expect("it runs")
}

fn said(arguments: &[&str]) -> (i32, String, String) {
    let output = preflight(arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn judged(machine: &str, options: &[&str]) -> (i32, String, String) {
    said(&[&["judge", &recording(machine)], options].concat())
}

fn code(machine: &str, options: &[&str]) -> i32 {
    judged(machine, options).0
}

/// Machines that end in each way: READY with nothing, READY with warnings, NOT READY, INCOMPLETE.
const ENDS: [(&str, &[&str]); 4] = [
    ("healthy-h200-fake", &[]),
    ("h100-healthy", &["--profile", "image"]),
    ("fake-hang-cuInit", &[]),
    ("h200-cublas-hangs", &["--profile", "image"]),
];

#[test]
fn every_style_ends_every_run_in_its_own_words() {
    for (style, codes) in
        [("default", [0, 0, 1, 2]), ("npd", [0, 0, 1, 2]), ("nagios", [0, 1, 2, 3]), ("slurm", [0, 0, 1, 0])]
    {
        for ((machine, options), wanted) in ENDS.into_iter().zip(codes) {
            let (code, stdout, stderr) = judged(machine, &[options, &["--exit-style", style]].concat());
            assert_eq!((code, stderr.as_str()), (wanted, ""), "{machine} {style}");
            let one_line = stdout.lines().count() == 1;
            assert_eq!(one_line, ["npd", "nagios"].contains(&style), "{style}: {stdout}");
            if style == "npd" {
                assert!(stdout.len() <= 80, "{stdout}");
            }
            if style == "nagios" {
                let words = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][usize::try_from(code).expect("small")];
                assert!(stdout.starts_with(&format!("GPU-PREFLIGHT {words}: ")), "{stdout}");
                let (text, figures) = stdout.trim_end().split_once(" | ").expect("figures");
                assert!(text.len() <= 80 && figures.starts_with("score=") && !figures.contains('|'), "{stdout}");
            }
            let never = judged(machine, &[options, &["--exit-style", style, "--fail-on", "never"]].concat());
            assert_eq!(never.0, 0, "{machine} {style}: no verdict is a failure");
        }
    }
}

#[test]
fn mistakes_are_told_in_the_words_of_the_style_and_drain_no_node() {
    let usage: &[&str] = &["check", "--tier", "nonsense"];
    let config: &[&str] = &["check", "--no-gpu", "--profile", "prodution"];
    let missing = recording("no-such-machine");
    let recording: &[&str] = &["judge", &missing];
    let output: &[&str] = &["judge", &recording_of_ready(), "--report", "line=/nowhere/x"];
    for (arguments, code) in [(usage, 64), (config, 78), (recording, 78), (output, 74)] {
        for (style, wanted) in [("default", code), ("npd", code), ("nagios", 3), ("slurm", 0)] {
            for never in [&[][..], &["--fail-on", "never"]] {
                let (code, stdout, stderr) = said(&[arguments, &["--exit-style", style], never].concat());
                assert_eq!(code, wanted, "{arguments:?} {style}: {stderr}");
                assert!(!stderr.is_empty(), "{arguments:?} {style}");
                if ["npd", "nagios"].contains(&style) {
                    let last = stdout.lines().last().expect("a line");
                    assert!(last.contains("UNKNOWN: ") && last.len() < 80, "{arguments:?} {style}: {stdout}");
                }
            }
        }
    }
    assert_eq!(said(&["check", "--exit-style", "slrum"]).0, 64, "a style that is none is a mistake as any");
    assert_eq!(
        said(&["exec", "--exit-style", "slurm", "--", "true"]).0,
        64,
        "a workload that did not start is no success"
    );
}

fn recording_of_ready() -> String {
    recording("healthy-h200-fake")
}

#[test]
fn a_style_that_says_one_line_keeps_standard_output_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    let file = file.to_str().expect("UTF-8");
    for (style, usage) in [("npd", 64), ("nagios", 3)] {
        let style = ["--exit-style", style];
        let machine = "healthy-h200-fake";
        for both in [["--format", "json"], ["--report", "json=-"]] {
            let (code, _, stderr) = judged(machine, &[&style[..], &both].concat());
            assert!(code == usage && stderr.contains("has standard output to itself"), "{code} {stderr}");
        }
        let (code, stdout, _) = judged(machine, &[&style[..], &["--format", "json", "--output", file]].concat());
        assert_eq!((code, stdout.lines().count()), (0, 1), "{stdout}");
        assert!(std::fs::read_to_string(file).expect("written").starts_with('{'));
    }
}

#[test]
fn what_gates_is_a_matter_of_severity() {
    // A machine of which low checks fail and nothing else, and one of which high ones do.
    let low = |options: &[&str]| code("h100-healthy", &[&["--profile", "image"], options].concat());
    assert_eq!((low(&[]), low(&["--fail-on", "high"]), low(&["--fail-on", "medium"])), (0, 0, 0));
    assert_eq!(low(&["--fail-on", "low"]), 1);
    let high = |options: &[&str]| code("open-jupyter-and-sshd-root", &[&["--skip", "service"], options].concat());
    assert_eq!((high(&[]), high(&["--fail-on", "high"]), high(&["--fail-on", "critical"])), (1, 1, 0));
    assert_eq!(high(&["--fail-on", "never"]), 0);
    let (_, stdout, _) = judged("open-jupyter-and-sshd-root", &["--fail-on", "never"]);
    assert!(stdout.contains("NOT READY"), "the verdict is told all the same: {stdout}");
    // INCOMPLETE is no failure and no success, unless nothing is to be one.
    let open = |options: &[&str]| code("h200-cublas-hangs", &[&["--profile", "image"], options].concat());
    assert_eq!((open(&["--fail-on", "critical"]), open(&["--fail-on", "never"])), (2, 0));
    assert_eq!(code("h100-healthy", &["--fail-on", "info"]), 64);
}

#[test]
fn exec_stops_by_severity_too() {
    let exec = |options: &[&str]| {
        let fixed: &[&str] = &["exec", "--no-gpu", "--only", "isolation.root-read-only,limits.pids-limited"];
        said(&[fixed, options, &["--", "sh", "-c", "exit 42"]].concat()).0
    };
    assert_eq!(exec(&["--fail-on", "critical"]), 42);
    assert_eq!(exec(&["--fail-on", "never", "--block-on-incomplete"]), 42);
}

fn written(folder: &Path, name: &str, value: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, value.to_string()).expect("written");
    path
}

/// The facts of a machine with some changed.
fn changed(machine: &str, change: impl FnOnce(&mut Value)) -> Value {
    let text = std::fs::read_to_string(recording(machine)).expect("a recording");
    let mut facts = serde_json::from_str(&text).expect("JSON");
    change(&mut facts);
    facts
}

#[test]
fn findings_are_new_as_before_or_fixed_against_a_recording_and_against_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let machine = "open-jupyter-and-sshd-root";
    // Before there was a memory limit, and no seccomp filter.
    let before = changed(machine, |facts| {
        facts["limits"]["memory_bytes"] = json!(1_u64 << 30);
        facts["isolation"]["seccomp"] = json!("disabled");
    });
    let recorded = written(folder.path(), "facts.json", &before);
    let report = folder.path().join("report.json");
    let (recorded, report) = (recorded.to_str().expect("UTF-8"), report.to_str().expect("UTF-8"));
    assert_eq!(said(&["judge", recorded, "--format", "json", "--output", report]).0, 1);
    for baseline in [recorded, report] {
        let (code, stdout, stderr) = judged(machine, &["--baseline", baseline, "--verbose", "--format", "json"]);
        assert_eq!((code, stderr.as_str()), (1, ""));
        let json: Value = serde_json::from_str(&stdout).expect("JSON");
        assert_eq!(json["baseline"]["new_count"], 1, "{}", json["baseline"]);
        assert_eq!(json["baseline"]["fixed"], json!([{ "check": "isolation.seccomp-enabled", "subject": null }]));
        let since = |check: &str| {
            let mut findings = json["findings"].as_array().expect("findings").iter();
            findings.find(|finding| finding["check"] == check).expect("it is there")["since"].clone()
        };
        assert_eq!(since("limits.memory-limited"), "new");
        assert_eq!(since("identity.not-root"), "unchanged");
        assert_eq!(since("driver.kernel-loaded"), Value::Null);
        let (_, text, _) = judged(machine, &["--baseline", baseline]);
        let unchanged = json["baseline"]["unchanged_count"].as_u64().expect("a number");
        assert!(text.contains(&format!("since    1 new, {unchanged} as before, 1 fixed")), "{text}");
        assert!(text.contains("fixed    isolation.seccomp-enabled"), "{text}");
        assert!(text.contains(" new: no "), "{text}");
        let (_, sarif, _) = judged(machine, &["--baseline", baseline, "--format", "sarif"]);
        let sarif: Value = serde_json::from_str(&sarif).expect("JSON");
        let states: Vec<(&str, &str)> = sarif["runs"][0]["results"]
            .as_array()
            .expect("results")
            .iter()
            .map(|result| (result["ruleId"].as_str().expect("id"), result["baselineState"].as_str().expect("a state")))
            .collect();
        assert!(
            states.contains(&("limits.memory-limited", "new")) && states.contains(&("identity.not-root", "unchanged"))
        );
        // Only what is new gates.
        let (code, text, _) = judged(machine, &["--baseline", baseline, "--fail-on-new-only"]);
        assert!(code == 1 && text.contains("cause    no memory limit"), "{code} {text}");
    }
    let own = recording(machine);
    assert_eq!(code(machine, &["--baseline", &own, "--fail-on-new-only"]), 0, "nothing is new");
    assert_eq!(code(machine, &["--baseline", &own]), 1, "all that gates gates");
    // What could be told as little before keeps nothing open, and what could be told does.
    let open = ["--profile", "image", "--fail-on-new-only", "--baseline"];
    assert_eq!(code("h200-cublas-hangs", &[&open[..], &[&recording("h200-cublas-hangs")]].concat()), 0);
    assert_eq!(code("h200-cublas-hangs", &[&open[..], &[&recording("h200-healthy")]].concat()), 2);
}

#[test]
fn a_baseline_that_is_none_is_a_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{\n  \"schema\": 1,\n}").expect("written");
    let broken = broken.to_str().expect("UTF-8");
    let (code, _, stderr) = judged("h100-healthy", &["--baseline", broken]);
    assert!(code == 78 && stderr.contains("broken.json:3:1: "), "{stderr}");
    let (code, _, stderr) = judged("h100-healthy", &["--baseline", "/nowhere.json"]);
    assert!(code == 78 && stderr.contains("/nowhere.json: there is no such file"), "{stderr}");
    assert_eq!(judged("h100-healthy", &["--fail-on-new-only"]).0, 64, "new against what?");
}

#[test]
fn a_critical_failure_is_waived_where_the_profile_allows_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("site.toml");
    let check = "service.jupyter-authenticated";
    let waiver = |check: &str, expires: &str| {
        format!("[[waive]]\ncheck = '{check}'\nreason = 'r'\nowner = 'o'\nexpires = '{expires}'\n")
    };
    let notes = |head: &str, waivers: &str| {
        std::fs::write(&profile, format!("{head}\n{waivers}")).expect("written");
        let only = ["--only", "service.jupyter-authenticated,limits.memory-limited", "--format", "json", "--profile"];
        let profile = profile.to_str().expect("UTF-8");
        let (code, stdout, _) = judged("open-jupyter-and-sshd-root", &[&only[..], &[profile]].concat());
        let json: Value = serde_json::from_str(&stdout).expect("JSON");
        (code, json["notes"].to_string())
    };
    let both = waiver(check, "2999-01-01") + &waiver("limits.memory-limited", "2999-01-01");
    assert_eq!(notes("waive_critical = true", &both), (0, "[]".to_owned()));
    // The score counts it all the same, and says that it is excused.
    let alone = waiver(check, "2999-01-01");
    std::fs::write(&profile, format!("waive_critical = true\n{alone}")).expect("written");
    let (_, text, _) = judged("open-jupyter-and-sshd-root", &["--profile", profile.to_str().expect("UTF-8")]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("capped by {check}, waived")), "{text}");
    assert!(text.contains(&format!("{check}, waived (→ ")), "{text}");
    assert!(!text.contains("limits.memory-limited, waived"), "{text}");
    let (code, said) = notes("", &both);
    assert!(code == 1 && said.contains("excuses no critical failure"), "{code} {said}");
    let (code, said) = notes("waive_critical = true", &both.replace("2999", "2001"));
    assert!(code == 1 && said.contains("expired on 2001-01-01"), "{code} {said}");
}

#[test]
fn diff_says_what_changed_and_passes_over_what_always_does() {
    let diff = |a: &str, b: &str, options: &[&str]| said(&[&["diff", a, b], options].concat());
    let own = recording("h200-healthy");
    let (code, stdout, _) = diff(&own, &own, &[]);
    assert!(code == 0 && stdout.contains("nothing that matters changed"), "{stdout}");
    // The same machine a moment later.
    let folder = tempfile::tempdir().expect("a folder");
    let later = changed("h200-healthy", |facts| {
        facts["run"]["taken_at_seconds"] = json!(1_795_718_999);
        facts["host"]["uptime_seconds"] = json!(9000);
        facts["compute"]["multiplies"][0]["tflops"] = json!(50.1);
        facts["gpus"][0]["temperature_celsius"] = json!(61);
    });
    let later = written(folder.path(), "later.json", &later);
    let (code, stdout, _) = diff(&own, later.to_str().expect("UTF-8"), &[]);
    assert!(code == 0 && stdout.contains(" readings passed over that always differ"), "{stdout}");
    // One whose memory was limited meanwhile, and whose multiply became slow.
    let other = changed("h200-healthy", |facts| {
        facts["limits"]["memory_bytes"] = json!(1_u64 << 30);
        facts["compute"]["multiplies"][0]["tflops"] = json!(20.0);
    });
    let other = written(folder.path(), "other.json", &other);
    let other = other.to_str().expect("UTF-8");
    let (code, stdout, _) = diff(&own, other, &[]);
    assert_eq!(code, 1);
    for words in ["limits.memory_bytes", "1073741824", "compute.multiplies[0 float32].tflops", "fails → holds"] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(["diff", &own, &recording("fake-slow-gpu-3-of-8")]).env("COLUMNS", "80");
    let narrow = String::from_utf8(command.output().expect("runs").stdout).expect("UTF-8");
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    let (_, stdout, _) = diff(&own, other, &["--format", "json"]);
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(json["schema"], "gpu-preflight/diff/1");
    assert!(json["facts"].as_array().expect("facts").iter().any(|fact| fact["path"] == "limits.memory_bytes"));
    assert_eq!(diff(&own, "/nowhere.json", &[]).0, 78);
}

#[test]
fn a_report_that_is_lost_takes_no_verdict_from_whoever_drains_nodes() {
    let machine = "open-jupyter-and-sshd-root";
    for (style, lost, healthy) in [("slurm", 1, 0), ("npd", 1, 74), ("nagios", 2, 3), ("default", 74, 74)] {
        let to = ["--exit-style", style, "--report", "junit=/nowhere/report.xml"];
        let (found, stdout, stderr) = judged(machine, &to);
        assert_eq!(found, lost, "{style}: {stderr}");
        assert!(stderr.contains("/nowhere/report.xml"), "{style}: {stderr}");
        let lines = if ["npd", "nagios"].contains(&style) { 1 } else { usize::MAX };
        assert!(stdout.lines().count() <= lines, "{style}: {stdout}");
        assert_eq!(code("healthy-8xh200-fake", &to), healthy, "{style}: a healthy machine");
    }
}

#[test]
fn a_report_on_several_containers_is_not_judged_again_by_the_first_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("two.json");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/written/broken-no-gpu.compose.yaml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(["check", "--compose", file, "-q", "--format", "json", "--output"]).arg(&report);
    assert_eq!(command.output().expect("runs").status.code(), Some(1));
    let path = report.to_str().expect("UTF-8");
    for arguments in [&["judge", path][..], &["diff", path, path], &["harden", "--from", path]] {
        let output = Command::new(env!("CARGO_BIN_EXE_gpu-preflight")).args(arguments).output().expect("runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{arguments:?}: {told}");
        assert!(told.contains("judged 2 containers"), "{told}");
    }
}

#[test]
fn standard_output_has_the_report_by_any_of_its_names() {
    let machine = recording("open-jupyter-and-sshd-root");
    let script =
        "\"$1\" judge \"$2\" -q --report line=/dev/stdout | cat; \"$1\" judge \"$2\" --output /dev/stdout | head -n 1";
    let output = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_gpu-preflight"), &machine])
        .output()
        .expect("a shell");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.starts_with("NOT READY: ") && told.contains("\ngpu-preflight 0.1.0 "), "{told}");
    let twice = ["--report", "line=-", "--report", "sarif=/dev/stdout"];
    assert_eq!(code("healthy-8xh200-fake", &twice), 64, "one standard output, one report");
    assert_eq!(
        code("healthy-8xh200-fake", &["--report", "line=x", "--report", "junit=./x"]),
        64,
        "one file, one report"
    );
}
