//! The command line from outside: bad input, bad luck, and the hand-over.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use gpu_preflight::check::Catalogue;
use gpu_preflight::explain;
use gpu_preflight::weigh::Profile;

fn preflight(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(arguments).stdin(Stdio::null()).env_remove("GPU_PREFLIGHT_MODE");
    command
}

fn run(arguments: &[&str]) -> Output {
    preflight(arguments).output().expect("the program runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_wrong_flag_is_64_with_the_nearest_flag() {
    let output = run(&["check", "--fromat", "json"]);
    assert_eq!(code(&output), 64);
    assert!(errors(&output).contains("--format"), "{}", errors(&output));
    assert_eq!(code(&run(&["chekc"])), 64);
    assert_eq!(code(&run(&["check", "--deadline", "0"])), 64);
    assert_eq!(code(&run(&["check", "--only", "limts"])), 64);
    assert!(errors(&run(&["check", "--only", "limts"])).contains("did you mean `limits`?"));
}

#[test]
fn a_word_that_begins_with_a_dash_is_no_command() {
    for arguments in [&["exec", "--no-gpu", "--moed=report", "--", "true"][..], &["exec", "--bogus", "--", "true"]] {
        assert_eq!(code(&run(arguments)), 64, "{arguments:?}");
    }
    assert!(errors(&run(&["exec", "--moed=report", "--", "true"])).contains("--mode"));
    assert_eq!(code(&run(&["exec", "--no-gpu", "true"])), 64, "a command comes after --");
}

#[test]
fn who_may_stop_nothing_stops_nothing_for_a_slip_in_an_option() {
    let with = |mode: &str, ours: &[&str]| {
        let mut command =
            preflight(&[&["exec"], ours, &["--", "sh", "-c", "echo $0 $1; exit 42", "--", "--mode"]].concat());
        command.env("GPU_PREFLIGHT_MODE", mode).output().expect("runs")
    };
    for (mode, ours) in [
        ("off", &["--bogus"][..]),
        ("Report", &["--no-gpu", "--tier", "nonsense"]),
        ("", &["--bogus", "--mode=off"]),
        ("enforce", &["--mode", "report", "--bogus"]),
        ("report", &["--for", "10m"]),
        ("off", &["--for", "10m", "--log", "/nothing/there"]),
    ] {
        let output = with(mode, ours);
        assert_eq!(code(&output), 42, "{mode} {ours:?}: {}", errors(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "-- --mode\n", "what follows is the workload's");
        assert!(errors(&output).lines().count() <= 1, "{mode} {ours:?}: {}", errors(&output));
    }
    assert!(errors(&with("off", &["--bogus"])).contains("--bogus"), "what was wrong is said");
    for (mode, ours) in [("enforce", &["--bogus"][..]), ("", &["--bogus"]), ("off", &["--mode=enforce", "--bogus"])] {
        assert_eq!(code(&with(mode, ours)), 64, "{mode} {ours:?}");
    }
    let nothing = preflight(&["exec", "--bogus"]).env("GPU_PREFLIGHT_MODE", "off").output().expect("runs");
    assert_eq!(code(&nothing), 64, "there is nothing to start");
    let missing = preflight(&["exec", "--bogus", "--", "/nothing/there"]).env("GPU_PREFLIGHT_MODE", "off").output();
    assert_eq!(code(&missing.expect("runs")), 127);
}

#[test]
fn a_path_that_is_named_and_not_there_is_a_mistake() {
    let here = folder();
    let text = here.path().join("text.json");
    std::fs::write(&text, "{}").expect("written");
    let text = text.to_str().expect("UTF-8");
    let empty = here.path().to_str().expect("UTF-8").to_owned() + "/empty";
    std::fs::create_dir(&empty).expect("a folder");
    for (flag, path, words) in [
        ("--log", "/nothing/app.log", "/nothing/app.log: there is no such file"),
        ("--osv", "/nothing/all.zip", "/nothing/all.zip: there is no such file or folder"),
        ("--osv", text, "is no export of OSV"),
        ("--osv", &empty, "holds no advisory"),
        ("--vulnerabilities", "/nothing/report.json", "/nothing/report.json: there is no such file"),
        ("--vulnerabilities", text, "is no report of Trivy or Grype"),
    ] {
        for command in [&["check"][..], &["facts"], &["exec", "--mode=enforce"]] {
            let end: &[&str] = if command[0] == "exec" { &["--", "true"] } else { &[] };
            // Before the workload starts its log need not be there.
            if (flag, command[0]) == ("--log", "exec") {
                continue;
            }
            let output = run(&[command, &["--no-gpu", "--tier=quick", flag, path], end].concat());
            assert_eq!(code(&output), 78, "{command:?} {flag} {path}: {}", errors(&output));
            assert!(errors(&output).contains(words), "{command:?} {flag} {path}: {}", errors(&output));
        }
        let output =
            run(&["exec", "--mode=report", "--no-gpu", "--tier=quick", flag, path, "--", "sh", "-c", "exit 42"]);
        assert_eq!(code(&output), 42, "{}", errors(&output));
        assert!(flag == "--log" || errors(&output).contains(words), "{}", errors(&output));
    }
    let index = here.path().join("index");
    let head = r#"{"schema":"gpu-preflight/osv-index/1","count":0,"malformed_count":0,"newest":"","ecosystems":[]}"#;
    std::fs::write(&index, format!("{head}\n")).expect("written");
    let osv = format!("--osv={}", index.display());
    std::fs::write(here.path().join("cut.json"), "{\n  \"@context\": ").expect("written");
    let cut = here.path().join("cut.json").display().to_string();
    for (path, words) in
        [("/nothing/vex.json", "there is no such file"), (text, "text.json:1:2: "), (&*cut, "cut.json:2:14: ")]
    {
        let output = run(&["check", "--no-gpu", "--tier=quick", &osv, "--vex", path]);
        assert_eq!(code(&output), 78, "{path}: {}", errors(&output));
        assert!(errors(&output).contains(words), "{path}: {}", errors(&output));
    }
    assert_eq!(code(&run(&["check", &osv, "--vulnerabilities", text])), 64, "one of them tells");
    assert_eq!(code(&run(&["check", "--vex", text])), 64, "nobody looks for what it would excuse");
    let output = run(&["check", "--no-gpu", "--tier=quick", "--only", "observability", "--log", text]);
    assert!(code(&output) < 3, "what is there is read: {}", errors(&output));
}

#[test]
fn the_variable_of_the_mode_is_named_when_it_makes_no_sense() {
    let with = |value: &str| {
        let mut command = preflight(&["exec", "--no-gpu", "--only", "limits", "--", "sh", "-c", "exit 42"]);
        command.env("GPU_PREFLIGHT_MODE", value).output().expect("runs")
    };
    assert_eq!(code(&with("OFF ")), 42);
    assert!(errors(&with("OFF ")).is_empty(), "off steps aside");
    let empty = with("");
    assert!(errors(&empty).contains("limits"), "an empty one is none: {}", errors(&empty));
    let output = with("nonsense");
    assert_eq!(code(&output), 64);
    assert!(
        errors(&output).contains("GPU_PREFLIGHT_MODE is `nonsense`, none of enforce, report, off"),
        "{}",
        errors(&output)
    );
}

#[test]
fn who_only_reports_stops_no_workload_for_a_mistake_of_his_own() {
    let before = ["exec", "--no-gpu", "--profile", "prodution"];
    assert_eq!(code(&run(&[&before[..], &["--", "sh", "-c", "exit 42"]].concat())), 78);
    let output = run(&[&before[..], &["--mode", "report", "--", "sh", "-c", "exit 42"]].concat());
    assert_eq!(code(&output), 42);
    assert!(errors(&output).contains("did you mean `production`?"), "{}", errors(&output));
}

#[test]
fn help_and_version_are_no_mistake() {
    assert_eq!(code(&run(&["--help"])), 0);
    let version = run(&["--version"]);
    assert_eq!(code(&version), 0);
    let said = String::from_utf8_lossy(&version.stdout);
    let begins = concat!("gpu-preflight ", env!("CARGO_PKG_VERSION"), " (");
    assert!(said.starts_with(begins) && said.contains("reference data of 20"), "{said}");
}

#[test]
fn an_unknown_profile_is_78_with_the_nearest_name() {
    let output = run(&["check", "--profile", "prodution"]);
    assert_eq!(code(&output), 78);
    assert!(errors(&output).contains("did you mean `production`?"), "{}", errors(&output));
}

#[test]
fn a_profile_file_is_checked_against_the_catalogue() {
    let folder = folder();
    let file = folder.path().join("site.toml");
    for (text, part) in [
        ("title = 'x'\n[severity]\n\"limits.memory-limitd\" = 'low'\n", "did you mean `limits.memory-limited`?"),
        ("titel = 'x'\n", "site.toml:1:1: unknown field `titel`; did you mean `title`?"),
        ("[severity]\n\"limits.*\" = 'lwo'\n", "site.toml:2:"),
        (
            "[[waive]]\ncheck = 'limits.memory-limited'\nreason = 'r'\nowner = 'o'\nexpires = '2015/10/21'\n",
            "no date YYYY-MM-DD",
        ),
        ("[[waive]]\ncheck = 'limits.memory-limited'\nexpires = '2030-01-01'\n", "needs a reason and an owner"),
    ] {
        std::fs::write(&file, text).expect("written");
        let output = run(&["check", "--profile", file.to_str().expect("UTF-8")]);
        assert_eq!(code(&output), 78, "{text}");
        assert!(errors(&output).contains(part), "{text}: {}", errors(&output));
    }
}

fn site_check(expect: &str, rest: &str) -> String {
    let remedy = if rest.contains("remedy") { "" } else { "[remedy]\ndocker = 'Do it.'\n" };
    let examples = [("4242", "holds"), ("1", "fails"), ("{ unknown = 'not-asked' }", "unknown")]
        .map(|(uid, then)| format!("[[example]]\ngiven = {{ run = {{ gpu_expected = true }}, identity = {{ uid = {uid} }} }}\nthen = '{then}'\n"))
        .concat();
    format!(
        "title = 'Site rule'\nseverity = 'high'\ndimension = 'security'\nowner = 'pod'\nphases = ['live', 'start']\n\
         expect = \"{expect}\"\nmessage = 'uid {{identity.uid}}'\n{rest}{remedy}{examples}\n"
    )
    .replacen("title", "why = 'w'\ndetect = 'd'\ntitle", 1)
}

#[test]
fn a_site_check_is_judged_like_any_other() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("site")).expect("a folder");
    std::fs::write(folder.path().join("site/odd-uid.toml"), site_check("identity.uid == 4242", "")).expect("written");
    let output =
        run(&["--checks", folder.path().to_str().expect("UTF-8"), "--only", "site.odd-uid", "--format", "json"]);
    assert_eq!(code(&output), 1, "{}", errors(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["findings"][0]["check"], "site.odd-uid");
    assert_eq!(report["findings"][0]["evidence"][0]["path"], "identity.uid");
}

#[test]
fn a_room_of_site_checks_shares_what_its_room_file_says() {
    let folder = folder();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).expect("a folder");
    let bare = site_check("identity.uid == 4242", "").replace("dimension = 'security'\nowner = 'pod'\n", "");
    std::fs::write(site.join("odd-uid.toml"), &bare).expect("written");
    std::fs::write(site.join("always.toml"), site_check("identity.uid == 4242", "ignore_room = true\n"))
        .expect("written");
    let arguments = [
        "--checks",
        folder.path().to_str().expect("UTF-8"),
        "--only",
        "site",
        "--no-gpu",
        "--verbose",
        "--format",
        "json",
    ];
    let refused = run(&arguments);
    assert_eq!(code(&refused), 78);
    assert!(
        errors(&refused)
            .contains("odd-uid.toml: the check lacks `dimension`, here or in the `room.toml` beside it; `owner`"),
        "{}",
        errors(&refused)
    );

    let room = site.join("room.toml");
    std::fs::write(&room, "when = 'run.gpu_expected'\ndimension = 'startup'\nowner = 'pod'\n").expect("written");
    let output = run(&arguments);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let told: Vec<_> = ["check", "outcome", "dimension"]
        .map(|key| report["findings"].as_array().expect("findings").iter().map(|f| f[key].as_str()).collect())
        .into_iter()
        .collect::<Vec<Vec<_>>>();
    assert_eq!(told[0], [Some("site.always"), Some("site.odd-uid")]);
    assert_eq!(told[1], [Some("fails"), Some("not-applicable")]);
    assert_eq!(told[2], [Some("security"), Some("startup")]);

    for (text, part) in [
        ("when = 'run.gpu_expcted'\n", "site/room.toml:1:13: `run` has no fact `gpu_expcted`; did you mean"),
        ("\nrequires = ['gpu.grantd']\n", "site/room.toml:2:14: `requires` names no check `gpu.grantd`; did you mean"),
    ] {
        std::fs::write(&room, format!("{text}dimension = 'startup'\nowner = 'pod'\n")).expect("written");
        let refused = run(&arguments);
        assert_eq!(code(&refused), 78);
        assert!(errors(&refused).contains(part), "{}", errors(&refused));
    }
}

#[test]
fn a_site_check_with_a_typo_is_refused_with_its_place_and_the_nearest_name() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("site")).expect("a folder");
    let file = folder.path().join("site/rule.toml");
    for (text, part) in [
        (
            site_check("identity.uidd == 0", ""),
            "site/rule.toml:8:20: `identity` has no fact `uidd`; did you mean `uid`?",
        ),
        (site_check("container.kind == 'dokcer'", ""), "site/rule.toml:8:29: `dokcer` is none of"),
        (site_check("identity.uid", ""), "expected a condition, found a number"),
        (site_check("true", "whne = 'true'\n"), "site/rule.toml:10:1: unknown field `whne`; did you mean `when`?"),
        (site_check("true", "[remedy]\nkubernets = 'x.'\n"), "site/rule.toml:11:1: `kubernets` is no place"),
        (site_check("identity.uid == 4242", "requires = ['gpu.grantd']\n"), "did you mean `gpu.granted`?"),
        (
            site_check("true", "").replace("'high'", "'hihg'"),
            "site/rule.toml:4:12: unknown word `hihg`; did you mean `high`?",
        ),
        (site_check("true", "").replace("{identity.uid}", "{identity.uid|byte}"), "did you mean `bytes`?"),
        ("title = \n".to_owned(), "site/rule.toml:1:"),
        (site_check("true", "").replace("why = 'w'", ""), "the check lacks `why` (what happens otherwise)"),
        (site_check("true", "[remedy]\nnode = 'Do it.'\n"), "a `[remedy]` for its owner, pod: docker or kubernetes"),
        (
            site_check("true", "").replace("severity = 'high'\n", ""),
            "lacks `severity`: critical, high, medium, low, info",
        ),
        (
            site_check("identity.uid == 1", "").replace("'holds'", "'fails'"),
            "lacks an `[[example]]` with `then = \"holds\"`",
        ),
        (
            site_check("identity.uid == 0", "") + "[[example]]\ngiven = {}\nthen = 'holds'\n",
            "example 4: unknown (could not tell: identity.uid: not asked), not holds",
        ),
    ] {
        std::fs::write(&file, &text).expect("written");
        let output = run(&["--checks", folder.path().to_str().expect("UTF-8")]);
        assert_eq!(code(&output), 78, "{text}");
        assert!(errors(&output).contains(part), "{text}\n{}", errors(&output));
        assert!(output.stdout.is_empty(), "nothing half-done");
        assert!(errors(&output).lines().all(|line| line.starts_with("gpu-preflight: ")), "{}", errors(&output));
    }
}

#[test]
fn a_wrong_recording_is_78_with_its_place_and_the_nearest_name() {
    let folder = folder();
    let file = folder.path().join("facts.json");
    for (text, part) in [
        ("{\n  \"limts\": {}\n}", "facts.json:2:9: unknown field `limts`; did you mean `limits`?"),
        (
            "{\n  \"identity\": {\n \"uid\": \"root\" }\n}",
            "facts.json:3:14: the text \"root\" stands where a whole number, 0 or more is expected",
        ),
        ("{", "facts.json:1:1"),
        ("{}", "it has no `schema`"),
        ("[1]", "facts.json:1:"),
    ] {
        std::fs::write(&file, text).expect("written");
        let output = run(&["judge", file.to_str().expect("UTF-8")]);
        assert_eq!(code(&output), 78, "{text}");
        assert!(errors(&output).contains(part), "{text}: {}", errors(&output));
    }
    assert_eq!(code(&run(&["judge", "/nowhere/facts.json"])), 78);
}

#[test]
fn what_lies_beside_checks_is_passed_over() {
    let folder = folder();
    let site = folder.path().join("site");
    std::fs::create_dir_all(folder.path().join(".git/hooks")).expect("a folder");
    std::fs::create_dir(&site).expect("a folder");
    std::fs::write(site.join("odd-uid.toml"), site_check("identity.uid == 4242", "")).expect("written");
    for beside in ["README.md", ".hidden", "site/README.md", "site/._odd-uid.toml", "site/.#odd-uid.toml"] {
        std::fs::write(folder.path().join(beside), "Nothing of a check.").expect("written");
    }
    let output = run(&["list", "--checks", folder.path().to_str().expect("UTF-8"), "--only", "site"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("site.odd-uid "));
}

#[test]
fn files_may_begin_with_a_byte_order_mark_and_come_through_a_descriptor() {
    let folder = folder();
    let (profile, facts) = (folder.path().join("ours.toml"), folder.path().join("facts.json"));
    std::fs::write(&profile, "\u{feff}title = 'Ours'\n").expect("written");
    assert_eq!(code(&run(&["facts", "--no-gpu", "--output", facts.to_str().expect("UTF-8")])), 0);
    let recording = std::fs::read_to_string(&facts).expect("text");
    std::fs::write(&facts, format!("\u{feff}{recording}")).expect("written");
    let (profile, facts) = (profile.display(), facts.display());
    let program = env!("CARGO_BIN_EXE_gpu-preflight");
    let reports: Vec<Vec<u8>> = [
        format!("'{program}' judge --profile '{profile}' '{facts}'"),
        format!("'{program}' judge --profile '{profile}' /dev/stdin <'{facts}'"),
        format!("cat '{facts}' | '{program}' judge --profile '{profile}' /dev/stdin"),
        format!("cat '{facts}' | '{program}' judge --profile '{profile}' -"),
        format!("'{program}' judge --profile <(cat '{profile}') <(cat '{facts}')"),
    ]
    .iter()
    .map(|script| Command::new("bash").args(["-c", script]).output().expect("bash"))
    .inspect(|output| assert!([0, 1, 2].contains(&code(output)), "{}", errors(output)))
    .map(|output| output.stdout)
    .collect();
    assert!(reports[..4].iter().all(|report| *report == reports[0]), "one recording, one report");
    let findings = |report: &[u8]| {
        let text = String::from_utf8_lossy(report).into_owned();
        text.lines().skip(1).filter(|line| !line.contains("/dev/fd/")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(findings(&reports[4]), findings(&reports[0]), "the profile's path alone may differ");
}

#[test]
fn explain_gives_the_page_of_a_check_and_names_the_nearest_for_a_typo() {
    let output = run(&["explain", "limits.memory-limited"]);
    assert_eq!(code(&output), 0);
    let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
    let profiles = Profile::all(&catalogue).expect("valid profiles");
    let page = explain::page(catalogue.get("limits.memory-limited").expect("a check"), 1, &profiles);
    assert_eq!(String::from_utf8_lossy(&output.stdout), &*page);
    assert!(page.contains("\nSeverity high in every profile, dimension"), "{page}");
    let output = run(&["explain", "limits.memory-limted"]);
    assert_eq!(code(&output), 64);
    assert!(errors(&output).contains("did you mean `limits.memory-limited`?"), "{}", errors(&output));
}

#[test]
fn explain_says_how_severe_a_check_is_in_each_profile_and_why() {
    let output = run(&["explain", "storage.space-free"]);
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        "Severity medium, dimension",
        "- serving: low. A server keeps no checkpoints; what it writes are caches.",
        "- training: high. A checkpoint that cannot be written is hours of work that are lost.",
        "- image, notebook, production: as above.",
    ] {
        assert!(page.contains(&format!("\n{line}")), "{line}: {page}");
    }
    let output = run(&["explain", "startup.health-answered"]);
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        page.contains("\n- training: off. A job serves nobody") && page.contains("\n- serving: medium. "),
        "{page}"
    );
}

#[test]
fn a_reason_for_a_severity_that_a_profile_does_not_give_is_a_mistake() {
    let here = folder();
    let path = here.path().join("site.toml");
    let text = "title = \"x\"\n[severity]\n\"limits.*\" = \"low\"\n[why]\n\"limit.*\" = \"A slip.\"\n";
    std::fs::write(&path, text).expect("written");
    let output = run(&["list", "--profile", path.to_str().expect("UTF-8")]);
    assert_eq!(code(&output), 78);
    assert!(errors(&output).contains("`why` gives a reason for `limit.*`"), "{}", errors(&output));
}

#[test]
fn explain_leads_from_a_room_a_code_or_a_line_of_a_log_to_the_checks() {
    for (asked, parts) in [
        (&["limits"][..], &["limits.memory-limited ", "limits.cpu-limited "][..]),
        (
            &["803"],
            &[
                "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
                "most likely: stale /usr/local/cuda/compat",
                "driver.library-matches-kernel",
            ],
        ),
        (&["cudaErrorNoKernelImageForDevice"], &["209 ", "compute.kernels-present"]),
        (&["no kernel image"], &["209 ", "compute.kernels-present"]),
        (&["Xid", "79"], &["Xid 79: GPU fell off the bus", "what to do: power cycle"]),
        (&["NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus."], &["Xid 79: GPU fell off the bus"]),
        (&["xid 13"], &["Xid 13 is in no list of faults of the hardware"]),
        (&["out of memory"], &["2 CUDA_ERROR_OUT_OF_MEMORY", "compute.memory-available"]),
        (&["cublas 13"], &["CUBLAS_STATUS_EXECUTION_FAILED"]),
        (&["checkpoint"], &["Checks that speak of it", "recovery."]),
    ] {
        let output = run(&[&["explain"], asked].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(code(&output), 0, "{asked:?}: {}", errors(&output));
        let lacks = |part: &&&str| !text.contains(**part);
        assert_eq!(parts.iter().find(lacks), None, "{asked:?}: {text}");
    }
    assert_eq!(code(&run(&["explain", "nothing speaks of zebras"])), 64);
}

#[test]
fn two_gpus_cannot_be_assumed_at_once() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/h100-healthy/facts.json");
    let output = run(&["judge", recording, "--assume", "gpu=B200", "--assume", "gpu=H100 PCIe"]);
    assert_eq!(code(&output), 64);
    assert!(errors(&output).contains("cannot take `gpu="), "{}", errors(&output));
    assert_ne!(code(&run(&["judge", recording, "--assume", "gpu=B200,driver=580.65.06"])), 64);
}

#[test]
fn judging_a_recording_gives_the_findings_of_the_moment() {
    let folder = folder();
    let path = folder.path().join("facts.json");
    let path = path.to_str().expect("UTF-8");
    let report = |output: &Output| serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON");
    let now = run(&["check", "--no-gpu", "--format", "json"]);
    // The facts of the very same look: of two looks, processes may have come and gone between.
    let told = report(&now);
    std::fs::write(path, told["facts"].to_string()).expect("written");
    let later = run(&["judge", path, "--format", "json"]);
    let judged = report(&later);
    for part in ["verdict", "score", "findings", "fix_first"] {
        assert_eq!(told[part], judged[part], "{part}");
    }
    assert_eq!(code(&now), code(&later));
    let twice: Vec<Vec<u8>> = (0..2).map(|_| run(&["judge", path]).stdout).collect();
    assert_eq!(twice[0], twice[1], "the same recording gives the same report, byte for byte");
    // What `facts` writes is judged the same way.
    assert_eq!(code(&run(&["facts", "--no-gpu", "--output", path])), 0);
    assert!(report(&run(&["judge", path, "--format", "json"]))["findings"].is_array());
}

#[test]
fn a_report_replaces_a_file_whole_or_not_at_all() {
    let folder = folder();
    let file = folder.path().join("report.json");
    std::fs::write(&file, "old").expect("written");
    let path = file.to_str().expect("UTF-8");
    run(&["--no-gpu", "--format", "json", "--output", path]);
    let text = std::fs::read_to_string(&file).expect("text");
    serde_json::from_str::<serde_json::Value>(&text).expect("a whole report");
    assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 1, "nothing is left beside it");
}

#[test]
fn a_report_that_cannot_be_written_is_said_and_is_74() {
    let output = run(&["--no-gpu", "--output", "/nowhere/report.txt"]);
    assert_eq!(code(&output), 74);
    assert!(errors(&output).contains("/nowhere/report.txt"), "{}", errors(&output));
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let output = preflight(&["--no-gpu"]).stdout(full).output().expect("runs");
    assert_eq!(code(&output), 74);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut child = preflight(&["list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.signal(), None);
    assert!(!errors(&output).contains("panicked"), "{}", errors(&output));
}

#[test]
fn a_report_fits_the_terminal_it_is_read_on() {
    for width in [60, 80, 100, 140] {
        let output = preflight(&["--no-gpu", "--verbose"]).env("COLUMNS", width.to_string()).output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        for line in text.lines() {
            let shown = line.chars().count();
            assert!(shown <= width || !line.trim().contains(' '), "{width} columns, {shown} taken: {line}");
        }
        assert!(!text.contains('\u{1b}'), "no colour without a terminal");
    }
}

#[test]
fn colours_silence_and_a_dash_are_as_people_expect() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/h100-healthy/facts.json");
    let folder = folder();
    let file = folder.path().join("report.txt");
    let file = file.to_str().expect("UTF-8");
    let judged = |more: &[&str]| run(&[&["judge", recording], more].concat());
    let plain = judged(&[]);
    assert_eq!(judged(&["--output", "-"]).stdout, plain.stdout);
    assert_eq!(judged(&["--color", "never"]).stdout, plain.stdout);
    let coloured = judged(&["--color=always"]);
    assert!(coloured.stdout.contains(&0x1b) && !plain.stdout.contains(&0x1b));
    let quiet = judged(&["-q", "-o", file]);
    assert_eq!((code(&quiet), quiet.stdout.as_slice(), errors(&quiet).as_str()), (code(&plain), &b""[..], ""));
    assert!(std::fs::read_to_string(file).expect("a report").contains("READY"), "what goes to a file is written");
    assert_eq!(code(&judged(&["-q", "-v"])), 64);
    let facts = run(&["facts", "--no-gpu", "-o", "-"]);
    assert!(facts.stdout.starts_with(b"{"), "{}", errors(&facts));
}

#[test]
fn no_id_is_broken_however_long() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/h100-healthy/facts.json");
    let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
    let shown = |width: &str| {
        let output = preflight(&["judge", recording, "--verbose"]).env("COLUMNS", width).output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let words: std::collections::HashSet<&str> = text.split_whitespace().collect();
        catalogue
            .checks
            .iter()
            .map(|check| check.id.clone())
            .filter(|id| words.contains(id.as_str()))
            .collect::<Vec<_>>()
    };
    let all = shown("140");
    assert!(all.len() > 150 && all.iter().any(|id| id.len() > 37), "{}", all.len());
    for width in ["60", "80", "96", "100"] {
        assert_eq!(shown(width), all, "{width} columns");
    }
}

#[test]
fn the_eight_answers_always_appear() {
    for arguments in [&["--no-gpu"][..], &[], &["--phase", "build"], &["--only", "limits"]] {
        let text = String::from_utf8(run(arguments).stdout).expect("UTF-8");
        for name in ["port 8888", "port 22", "user", "limits", "driver", "CUDA", "libraries", "multiply"] {
            let lines = text.lines().filter(|line| line.starts_with(&format!("  {name:<11}"))).count();
            assert_eq!(lines, 1, "{name} in {arguments:?}:\n{text}");
        }
    }
}

const OFF: [&str; 4] = ["exec", "--mode", "off", "--"];
const LOOK: [&str; 5] = ["exec", "--mode", "report", "--no-gpu", "--"];

fn handed_over(before: &[&str], command: &[&str]) -> Output {
    run(&[before, command].concat())
}

#[test]
fn the_workload_gets_its_own_exit_code_output_and_signals() {
    for before in [&OFF[..], &LOOK[..]] {
        assert_eq!(code(&handed_over(before, &["sh", "-c", "exit 42"])), 42);
        let output = handed_over(before, &["sh", "-c", "echo out"]);
        assert_eq!(output.stdout, b"out\n", "standard output is the workload's alone");
        assert_eq!(handed_over(before, &["sh", "-c", "kill -TERM $$"]).status.signal(), Some(15));
        assert_eq!(code(&handed_over(before, &["/nowhere/program"])), 127);
        assert_eq!(code(&handed_over(before, &["/etc/passwd"])), 126);
    }
}

#[test]
fn the_workload_inherits_what_it_would_have_had_without_us() {
    // What a process is given: signals, limits, descriptors, and that it has no children. They are read without a child
    // of the shell's own, which may or may not be there yet when it looks.
    let script = "grep -E '^(Sig|Shd)(Blk|Ign|Cgt|Pnd)|^NoNewPrivs|^Cap' /proc/self/status; ulimit -Sa; ulimit -Ha; \
                  ls /proc/$$/fd; read children </proc/$$/task/$$/children; echo children $children; cat /proc/$$/oom_score_adj";
    let plain = |ignore: &str| {
        let text = format!("{ignore} exec sh -c '{}'", script.replace('\'', "'\\''"));
        Command::new("sh").args(["-c", &text]).stdin(Stdio::null()).output().expect("sh runs").stdout
    };
    let through = |ignore: &str, before: &[&str]| {
        let program = env!("CARGO_BIN_EXE_gpu-preflight");
        let text = format!("{ignore} exec {program} {} sh -c '{}'", before.join(" "), script.replace('\'', "'\\''"));
        Command::new("sh")
            .args(["-c", &text])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .expect("sh runs")
            .stdout
    };
    for ignore in ["", "trap '' PIPE;", "trap '' TERM INT;"] {
        for before in [&OFF[..], &LOOK[..]] {
            let (want, got) = (plain(ignore), through(ignore, before));
            assert!(!want.is_empty());
            assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(&want), "with {ignore:?} and {before:?}");
        }
    }
}

#[test]
fn closed_standard_streams_stay_closed_for_the_workload() {
    let program = env!("CARGO_BIN_EXE_gpu-preflight");
    let descriptors = |before: &str| {
        let text = format!("exec {before} ls -l /proc/self/fd 0<&-");
        let output = Command::new("sh").args(["-c", &text]).output().expect("sh runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter_map(|line| Some(line.split_whitespace().nth(8)?.to_owned())).collect::<Vec<_>>()
    };
    let without_us = descriptors("");
    assert!(without_us.contains(&"1".to_owned()), "{without_us:?}");
    assert_eq!(descriptors(&format!("{program} exec --mode off --")), without_us);
}

#[test]
fn the_children_that_were_there_before_are_left_alone() {
    let program = env!("CARGO_BIN_EXE_gpu-preflight");
    let text = format!(
        "sleep 30 & echo $!; exec {program} exec --mode report --no-gpu -- sh -c 'read first rest </proc/$$/task/$$/children; echo $first; kill $first'"
    );
    let output = Command::new("sh").args(["-c", &text]).stderr(Stdio::null()).output().expect("sh runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words.len(), 2, "{text}");
    assert_eq!(words[0], words[1], "the sleeping child came along");
}

#[test]
fn not_ready_stops_the_workload_only_when_enforced() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("site")).expect("a folder");
    std::fs::write(folder.path().join("site/never.toml"), site_check("identity.uid == 4242", "")).expect("written");
    let site = folder.path().to_str().expect("UTF-8");
    let with = |mode: &[&str]| {
        let before = ["exec", "--no-gpu", "--checks", site, "--only", "site.never"];
        run(&[&before, mode, &["--", "sh", "-c", "exit 42"]].concat())
    };
    assert_eq!(code(&with(&[])), 1);
    assert_eq!(code(&with(&["--mode", "enforce"])), 1);
    assert_eq!(code(&with(&["--mode", "report"])), 42);
    assert_eq!(code(&with(&["--mode", "off"])), 42);
    let by_name =
        preflight(&["exec", "--no-gpu", "--checks", site, "--only", "site.never", "--", "sh", "-c", "exit 42"])
            .env("GPU_PREFLIGHT_MODE", "report")
            .output()
            .expect("runs");
    assert_eq!(code(&by_name), 42);
}

#[test]
fn incomplete_stops_the_workload_only_when_asked_to() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("site")).expect("a folder");
    // Nobody asks NVML in a run without a GPU, so this cannot be told.
    let blind = site_check("nvml.gpu_count > 0", "")
        .replace("identity = { uid = 1 }", "nvml = { gpu_count = 0 }")
        .replace("identity = { uid", "nvml = { gpu_count");
    std::fs::write(folder.path().join("site/blind.toml"), blind).expect("written");
    let site = folder.path().to_str().expect("UTF-8");
    let before = ["exec", "--no-gpu", "--checks", site, "--only", "site.blind"];
    assert_eq!(code(&run(&[&before[..], &["--", "sh", "-c", "exit 42"]].concat())), 42);
    assert_eq!(code(&run(&[&before[..], &["--block-on-incomplete", "--", "sh", "-c", "exit 42"]].concat())), 2);
}

#[test]
fn hostile_environment_names_cannot_write_on_the_terminal() {
    let long = format!("{}_SECRET", "A".repeat(100_000));
    let mut child = preflight(&["--no-gpu", "--verbose"])
        .env("EVIL\u{1b}[2J\nNAME_PASSWORD", "hunter2-hunter2")
        .env(long, "hunter2-hunter2")
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("a pipe").write_all(b"").expect("written");
    let output = child.wait_with_output().expect("ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!text.contains('\u{1b}') && !text.contains("hunter2"), "{text}");
    assert!(text.len() < 100_000, "{} bytes", text.len());
    assert!(Path::new("/proc").exists());
}

#[test]
fn a_pipe_that_nobody_reads_is_not_waited_for() {
    let folder = folder();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let path = fifo.to_str().expect("UTF-8");
    let output = run(&["exec", "--mode", "report", "--no-gpu", "--output", path, "--", "sh", "-c", "exit 42"]);
    assert_eq!(code(&output), 42, "{}", errors(&output));
    assert!(errors(&output).contains(path), "{}", errors(&output));
}

#[test]
fn a_check_that_is_not_told_keeps_none_from_being_judged() {
    let facts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/fake-hang-cuInit/facts.json");
    let output = run(&["judge", facts, "--format", "json", "--only", "library"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for finding in report["findings"].as_array().expect("findings") {
        let cause = finding["blocked_by"].as_str().unwrap_or("library.");
        assert!(cause.starts_with("library."), "{finding}");
    }
}

#[test]
fn who_has_closed_standard_output_is_told_that_the_report_is_lost() {
    for command in ["check --no-gpu", "facts --no-gpu", "list"] {
        let output = Command::new("sh")
            .args(["-c", &format!("exec \"$0\" {command} >&-"), env!("CARGO_BIN_EXE_gpu-preflight")])
            .output()
            .expect("sh runs");
        assert_eq!(code(&output), 74, "{command}: {}", errors(&output));
        assert!(errors(&output).contains("standard output"), "{command}: {}", errors(&output));
    }
}

#[test]
fn a_file_that_may_not_grow_is_an_error_and_no_signal() {
    let folder = folder();
    let file = folder.path().join("facts");
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_gpu-preflight")]).arg(&file).current_dir(&folder);
        command.output().expect("sh runs")
    };
    for script in
        ["ulimit -f 1; exec \"$0\" facts --no-gpu --output \"$1\"", "ulimit -f 1; exec \"$0\" facts --no-gpu >out"]
    {
        let output = shell(script);
        assert_eq!(output.status.code(), Some(74), "{script}: {:?} {}", output.status, errors(&output));
        assert!(errors(&output).contains("File too large"), "{script}: {}", errors(&output));
    }
    assert!(!file.exists(), "nothing is left of it");
    // The workload gets the signal as it would without us.
    let output = shell("ulimit -f 1; exec \"$0\" exec --no-gpu --mode off -- dd if=/dev/zero of=big bs=64k count=1");
    assert_eq!(output.status.signal(), Some(25), "{:?}", output.status);
    let output = shell(
        "ulimit -f 1; exec \"$0\" exec --no-gpu --only limits --mode report -- dd if=/dev/zero of=big bs=64k count=1",
    );
    assert_eq!(output.status.signal(), Some(25), "{:?}", output.status);
}

#[test]
fn a_file_that_is_replaced_stays_as_closed_as_it_was_and_whose_it_was() {
    let folder = folder();
    let file = folder.path().join("report");
    std::fs::write(&file, "old").expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let owner = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(4321), Some(8765)).expect("its owner");
        (4321, 8765)
    } else {
        let meta = std::fs::metadata(&file).expect("a file");
        (meta.uid(), meta.gid())
    };
    assert_eq!(code(&run(&["facts", "--no-gpu", "--output", file.to_str().expect("UTF-8")])), 0);
    let meta = std::fs::metadata(&file).expect("a file");
    assert!(meta.len() > 3, "it is a new one");
    assert_eq!((meta.mode() & 0o7777, (meta.uid(), meta.gid())), (0o600, owner));
}

#[test]
fn a_recording_on_standard_input_that_is_too_long_is_said_to_be() {
    let mut child = preflight(&["judge", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..65 {
        // It need not read on when it has seen enough.
        let _ = stdin.write_all(&blanks);
    }
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 78);
    assert!(errors(&output).contains("-: is larger than 64"), "{}", errors(&output));
}

#[test]
fn a_workload_that_is_stopped_is_said_to_be_with_what_would_start_it() {
    let checks = folder();
    let room = checks.path().join("site");
    std::fs::create_dir(&room).expect("a folder");
    std::fs::write(room.join("never.toml"), NEVER).expect("a check");
    let arguments = [
        "exec",
        "--no-gpu",
        "--checks",
        checks.path().to_str().expect("UTF-8"),
        "--only",
        "site",
        "--",
        "echo",
        "started",
    ];
    let output = run(&arguments);
    assert_eq!(code(&output), 1, "{}", errors(&output));
    let last = errors(&output).lines().last().map(str::to_owned);
    let told = "gpu-preflight: NOT READY, so echo was not started; GPU_PREFLIGHT_MODE=report starts it all the same";
    assert_eq!(last.as_deref(), Some(told));
    let as_json = [&["exec", "--format=json"], &arguments[1..]].concat();
    let report = serde_json::from_slice::<serde_json::Value>(&run(&as_json).stderr).expect("JSON alone");
    assert_eq!(report["verdict"], "not-ready");
    let output = preflight(&arguments).env("GPU_PREFLIGHT_MODE", "report").output().expect("runs");
    assert_eq!((code(&output), &*output.stdout), (0, &b"started\n"[..]), "the remedy is a promise");
    assert!(!errors(&output).contains("was not started"), "{}", errors(&output));
}

/// A check that fails everywhere.
const NEVER: &str = r#"
title = "never"
severity = "critical"
dimension = "startup"
owner = "pod"
phases = ["start", "live"]
expect = "run.phase == 'build'"
message = "never"
why = "w"
detect = "d"
[remedy]
docker = "Do it."
[[example]]
given = { run = { phase = "build" } }
then = "holds"
[[example]]
given = { run = { phase = "start" } }
then = "fails"
"#;

#[test]
fn help_that_could_not_be_written_is_no_success() {
    for arguments in [&["--help"][..], &["--version"], &["check", "--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
        let output = preflight(arguments).stdout(full).output().expect("the program runs");
        assert_eq!((code(&output), errors(&output).lines().count()), (74, 1), "{arguments:?}: {}", errors(&output));
        assert_eq!(code(&run(arguments)), 0);
    }
}

#[test]
fn a_slip_in_the_command_is_told_to_who_reads_one_line_and_drains_no_node() {
    let said = |arguments: &[&str]| {
        let output = run(arguments);
        (code(&output), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for arguments in [&["nosuchcmd", "--exit-style", "nagios"][..], &["--exit-style", "nagios", "nosuchcmd"]] {
        let (code, line) = said(arguments);
        assert_eq!(
            (code, &*line),
            (3, "GPU-PREFLIGHT UNKNOWN: unrecognized subcommand 'nosuchcmd'\n"),
            "{arguments:?}"
        );
    }
    assert_eq!(said(&["nosuchcmd", "--exit-style=slurm"]), (0, String::new()));
    assert_eq!(said(&["nosuchcmd"]), (64, String::new()));
    let (code, line) = said(&["judge", "--exit-style", "npd"]);
    assert!(code == 64 && line.contains("<FACTS.json>"), "what is missing is named: {line}");
    let conflict = errors(&run(&["--tier", "quick", "check"]));
    assert!(conflict.contains("cannot be used with"), "a command that there is is not called unknown: {conflict}");
}

#[test]
fn standard_input_is_read_once() {
    for arguments in [
        &["diff", "-", "-"][..],
        &["diff", "-", "/dev/stdin"],
        &["judge", "-", "--baseline", "-"],
        &["check", "--dockerfile", "-", "--manifest", "-"],
        &["check", "--image-config", "-", "--baseline", "-"],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 64, "{arguments:?}: {}", errors(&output));
        assert!(errors(&output).contains("standard input"), "{}", errors(&output));
    }
    assert_eq!(code(&run(&["judge", "-"])), 78, "once it may be, though nothing comes");
}

#[test]
fn a_number_of_a_process_is_asked_for_in_words() {
    let error = errors(&run(&["check", "--as-process", "abc"]));
    assert!(error.contains("the number of a process"), "{error}");
}

#[test]
fn a_site_check_is_called_by_what_can_be_written_anywhere() {
    for (room, state, is_name) in [
        ("site", "odd-uid_2", true),
        ("si te", "odd-uid", false),
        ("site", "odd\nuid", false),
        ("site", "odd\u{1b}[2Juid", false),
        ("site", "odd.uid", false),
    ] {
        let folder = folder();
        std::fs::create_dir(folder.path().join(room)).expect("a folder");
        let text = site_check("identity.uid == 4242", "");
        std::fs::write(folder.path().join(room).join(format!("{state}.toml")), text).expect("written");
        let output = run(&["list", "--checks", folder.path().to_str().expect("UTF-8")]);
        let expected = if is_name { 0 } else { 78 };
        assert_eq!(code(&output), expected, "{room}.{state}: {}", errors(&output));
        assert!(!errors(&output).contains('\u{1b}') && errors(&output).lines().count() <= 1, "{}", errors(&output));
    }
}

#[test]
fn who_asks_about_some_checks_is_told_whether_they_differ() {
    let [one, other] = ["healthy-h200-fake", "healthy-8xh200-fake"]
        .map(|name| format!("{}/tests/machines/{name}/facts.json", env!("CARGO_MANIFEST_DIR")));
    assert_eq!(code(&run(&["diff", &one, &other])), 1, "the facts differ");
    assert_eq!(code(&run(&["diff", &one, &other, "--only", "identity"])), 0, "no finding of these does");
    let root = format!("{}/tests/machines/open-jupyter-and-sshd-root/facts.json", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(code(&run(&["diff", &one, &root, "--only", "identity"])), 1);
    assert_eq!(code(&run(&["diff", &one, &root, "--skip", "*"])), 0);
}
