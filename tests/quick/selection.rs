//! Whose verdict it is: `--only` and `--skip` speak of a part of the checks and say so, one over nothing says why, and
//! `--as-process` looks with the environment of another process, and a waiver that excuses nothing is said.

use std::process::{Command, Output};

use serde_json::Value;

const HEALTHY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/h100-healthy/facts.json");

fn judge(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(["judge", HEALTHY]).args(arguments).output().expect("the program runs")
}

fn text(arguments: &[&str]) -> String {
    String::from_utf8(judge(arguments).stdout).expect("UTF-8")
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_slice(&judge(&[arguments, &["--format", "json"]].concat()).stdout).expect("JSON")
}

#[test]
fn a_filter_is_said_in_the_verdict_and_in_json() {
    let report = json(&["--only", "limits,storage", "--skip", "limits.cpu*"]);
    let selection = &report["selection"];
    assert_eq!(selection["only"], serde_json::json!(["limits", "storage"]));
    assert_eq!(selection["skip"], serde_json::json!(["limits.cpu*"]));
    let (left, all) = (selection["check_count"].as_u64(), selection["profile_check_count"].as_u64());
    assert!(left.is_some() && left < all, "{selection}");
    let words = format!(", of {} of {} checks   ", left.unwrap_or_default(), all.unwrap_or_default());
    let report = text(&["--only", "limits,storage", "--skip", "limits.cpu*"]);
    assert!(report.contains(&words), "{words}: {report}");
}

#[test]
fn without_a_filter_nothing_is_said_of_one() {
    assert!(json(&[])["selection"].is_null());
    assert!(!text(&[]).contains(" checks   "), "{}", text(&[]));
}

#[test]
fn a_run_with_nothing_left_to_judge_says_why() {
    for (arguments, words) in [
        (&["--only", "gpu.nvlink*", "--phase", "build"][..], " are not asked in phase build"),
        (&["--only", "limits.memory-limited", "--phase", "build"], " is not asked in phase build"),
        (&["--only", "framework.target-*"], "--only framework.target-* leaves 3 of "),
        (&["--skip", "*"], "--skip * leaves 0 of "),
        (&["--only", "limits", "--skip", "limits"], "--only limits and --skip limits leave 0 of "),
    ] {
        let output = judge(arguments);
        let report = String::from_utf8_lossy(&output.stdout).replace("\n           ", " ");
        let skips = arguments.contains(&"--skip");
        assert!(!(skips && report.contains("has none of these checks")), "it has them: {report}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {report}");
        assert!(report.contains("nothing was judged: "), "{arguments:?}: {report}");
        assert!(report.contains(words), "{arguments:?}: {report}");
    }
}

#[test]
fn the_environment_of_another_process_is_looked_with_and_named() {
    let mut other = Command::new("sleep").arg("60").env("CUDA_LAUNCH_BLOCKING", "1").spawn().expect("sleep");
    let pid = other.id().to_string();
    let look = |pid: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
        command.args(arguments).args(["--as-process", pid]);
        command.env_remove("CUDA_LAUNCH_BLOCKING").output().expect("the program runs")
    };
    let check = |pid: &str| look(pid, &["check", "--no-gpu", "--only", "environment.no-hazard"]);
    // Until it has become the other program it has our environment.
    let mut told = String::new();
    for _ in 0..50 {
        told = String::from_utf8_lossy(&check(&pid).stdout).into_owned();
        if told.contains("CUDA_LAUNCH_BLOCKING=1") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let facts = look(&pid, &["facts", "--no-gpu"]);
    let (table, rows) = (look(&pid, &["gpus", "H100"]), look(&pid, &["gpus", "H100", "--format", "json"]));
    other.kill().and_then(|()| other.wait()).expect("it ends");
    let named = format!("environment: that of process {pid} (sleep)");
    assert!(told.contains(&named), "{told}");
    assert!(told.contains("CUDA_LAUNCH_BLOCKING=1"), "{told}");
    let facts: Value = serde_json::from_slice(&facts.stdout).expect("JSON");
    assert_eq!(facts["run"]["environment_of"], format!("{pid} (sleep)"));
    let settings = facts["environment"]["settings"].to_string();
    assert!(settings.contains("CUDA_LAUNCH_BLOCKING"), "{settings}");
    assert!(String::from_utf8_lossy(&table.stdout).starts_with(&named), "{table:?}");
    let rows: Value = serde_json::from_slice(&rows.stdout).expect("JSON");
    assert_eq!(rows["environment_of"], format!("{pid} (sleep)"));
    for command in [&["check", "--no-gpu"][..], &["facts", "--no-gpu"], &["gpus"]] {
        let output = look("4194305", command);
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("there is no process 4194305"), "{output:?}");
    }
}

/// What is noted of these waivers of one check, on a machine on which GPU 3 of eight is slow.
fn noted(check: &str, subjects: &[Option<&str>]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("site.toml");
    let waiver = |subject: Option<&str>| {
        let subject = subject.map_or(String::new(), |subject| format!("subject = '{subject}'\n"));
        format!("[[waive]]\ncheck = '{check}'\n{subject}reason = 'r'\nowner = 'o'\nexpires = '2999-01-01'\n")
    };
    std::fs::write(&profile, subjects.iter().copied().map(waiver).collect::<Vec<_>>().concat()).expect("written");
    let machine = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/fake-slow-gpu-3-of-8/facts.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    let output = command.args(["judge", machine, "--format", "json", "--profile"]).arg(profile).output().expect("runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let notes = report["notes"].as_array().expect("notes").iter().filter_map(Value::as_str);
    notes.filter(|note| note.contains("waiver")).map(str::to_owned).collect()
}

#[test]
fn a_waiver_that_excuses_nothing_is_said_and_one_that_matches_is_not() {
    let slow = "compute.rate-expected";
    let noted_once = |check: &str, subjects: &[Option<&str>], words: &str| {
        let notes = noted(check, subjects);
        assert!(notes.len() == 1 && notes[0].contains(words), "{check} {subjects:?}: {notes:?}");
    };
    assert_eq!(noted(slow, &[Some("GPU 3 tf32"), Some("GPU 3 float16")]), [""; 0]);
    assert_eq!(noted(slow, &[None]), [""; 0]);
    let missed = "`GPU 3 tf23` excuses nothing: that is none of its subjects, `GPU 3 ";
    noted_once(slow, &[Some("GPU 3 tf32"), Some("GPU 3 tf23")], missed);
    noted_once(slow, &[Some("GPU 3 tf32"), Some("GPU 3 tf23")], "did you mean `GPU 3 tf32`?");
    noted_once(slow, &[Some("GPU 2 tf32")], "for `GPU 2 tf32` excuses nothing: it does not fail");
    noted_once("driver.kernel-loaded", &[Some("GPU 3")], "it is judged as a whole and has no subjects");
    noted_once("driver.kernel-loaded", &[None], "excuses nothing: it does not fail");
}
