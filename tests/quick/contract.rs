//! The contract of a workload, by the command line: where it is found, what it changes, and how its mistakes are told.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use gpu_preflight::derive::derive;
use gpu_preflight::facts::recording;
use gpu_preflight::report::contract::sketch;
use serde_json::Value;

const FILE: &str = "gpu-preflight.toml";

fn judged(machine: &str, folder: &Path, options: &[&str]) -> (i32, String, String) {
    let recording = format!("{}/tests/machines/{machine}/facts.json", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.arg("judge").arg(recording).args(options).current_dir(folder);
    let output = command.env("COLUMNS", "100").stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// What came of a check, beside a contract in the working folder.
fn outcomes(machine: &str, contract: &str, check: &str) -> Vec<String> {
    let folder = with(contract);
    let (_, report, error) = judged(machine, folder.path(), &["--format=json", "--verbose"]);
    assert_eq!(error, "", "{contract}");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.filter(|one| one["check"] == check).map(|one| one["outcome"].as_str().expect("text").to_owned()).collect()
}

fn with(contract: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(FILE), contract).expect("written");
    folder
}

#[test]
fn every_need_is_held_against_a_real_h100() {
    for (need, check, met, unmet) in [
        ("gpus", "gpus-sufficient", "1", "2"),
        ("gpu_memory", "gpu-memory-sufficient", "'79GiB'", "'80GiB'"),
        ("gpu_memory", "gpu-memory-sufficient", "'80GB'", "'141GB'"),
        ("capability", "gpu-capability-sufficient", "'9.0'", "'10.0'"),
        ("cuda", "cuda-sufficient", "'12.4'", "'99.0'"),
        ("memory", "memory-sufficient", "'1GiB'", "'9000GiB'"),
        ("shm", "shm-sufficient", "'1MiB'", "'9000GiB'"),
        ("cpus", "cpu-sufficient", "1", "999"),
        ("open_files", "open-files-sufficient", "256", "999999999"),
        ("packages", "packages-installed", "{ torch = '1.0' }", "{ torch = '99.0' }"),
        ("tflops", "rates-reached", "{ bfloat16 = 300 }", "{ bfloat16 = 3000 }"),
    ] {
        let check = format!("contract.{check}");
        for (value, wanted) in [(met, "holds"), (unmet, "fails")] {
            let outcomes = outcomes("h100-healthy", &format!("[needs]\n{need} = {value}\n"), &check);
            assert_eq!(outcomes, [wanted], "{need} = {value}");
        }
        let nothing = outcomes("h100-healthy", "[needs]\n", &check);
        assert!(nothing.iter().all(|outcome| outcome == "not-applicable"), "{check}: {nothing:?}");
    }
}

#[test]
fn ports_are_those_that_are_open_and_no_others() {
    let machine = "fake-slow-gpu-3-of-8";
    assert_eq!(outcomes(machine, "[needs]\nports = [5]\n", "contract.ports-open"), ["fails"]);
    assert_eq!(outcomes(machine, "[needs]\n", "contract.ports-open"), ["not-applicable"]);
    assert_eq!(outcomes(machine, "[needs]\n", "contract.no-other-ports"), ["not-applicable"]);
}

#[test]
fn folders_and_variables_are_looked_for_where_it_starts() {
    let folder = with("[needs]\nfolders = ['/proc', '/no/such']\nvariables = ['A_NAME', 'NO_NAME']\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(["check", "--no-gpu", "--only=contract", "--format=json"]).current_dir(folder.path());
    let output = command.env("A_NAME", "hunter2hunter2").stdin(Stdio::null()).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!text.contains("hunter2"), "no value is told");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let all = report["findings"].as_array().expect("findings").iter();
    let failing: Vec<&str> =
        all.filter(|one| one["outcome"] == "fails").map(|one| one["message"].as_str().expect("text")).collect();
    assert_eq!(failing, ["the workload needs /no/such", "the workload needs NO_NAME in its environment"]);
    // A recording of another day did not ask.
    assert_eq!(
        outcomes("healthy-h200-fake", "[needs]\nfolders = ['/proc']\n", "contract.folders-present"),
        ["unknown"]
    );
}

#[test]
fn what_is_not_met_decides_the_verdict_and_the_report_says_whose_needs_they_are() {
    let none = tempfile::tempdir().expect("a folder");
    let (before, _, _) = judged("healthy-h200-fake", none.path(), &[]);
    assert_eq!(before, 0);
    let folder = with("[needs]\ngpus = 4\nshm = '1MiB'\n");
    let (code, report, _) = judged("healthy-h200-fake", folder.path(), &[]);
    assert_eq!(code, 1, "{report}");
    for words in ["the workload needs 4 GPUs and sees 1", "needs 4 GPUs · shm 1 MiB (", FILE] {
        assert!(report.contains(words), "{words}\nis not in\n{report}");
    }
    let (_, report, _) = judged("healthy-h200-fake", none.path(), &[]);
    assert!(!report.contains("contract"), "where there is none nothing is said of it: {report}");
}

#[test]
fn a_file_that_is_named_comes_before_the_one_that_lies_there() {
    let folder = with("[needs]\ngpus = 4\n");
    fs::write(folder.path().join("other.toml"), "[needs]\ngpus = 1\n").expect("written");
    assert_eq!(judged("healthy-h200-fake", folder.path(), &[]).0, 1);
    assert_eq!(judged("healthy-h200-fake", folder.path(), &["--contract", "other.toml"]).0, 0);
    let (code, _, error) = judged("healthy-h200-fake", folder.path(), &["--contract", "no.toml"]);
    assert_eq!((code, error.as_str()), (78, "gpu-preflight: no.toml: there is no such file\n"));
}

#[test]
fn it_names_the_profile_where_the_command_line_does_not() {
    let folder = with("profile = 'training'\n");
    let profile = |options: &[&str]| {
        let (_, report, error) =
            judged("h100-healthy", folder.path(), &[options, &["--format=json", "--verbose"]].concat());
        let report: Value = serde_json::from_str(&report).unwrap_or_else(|_| panic!("{error}"));
        report["profile"].as_str().expect("text").to_owned()
    };
    assert_eq!(profile(&[]), "training");
    assert_eq!(profile(&["--profile", "notebook"]), "notebook");
}

#[test]
fn its_waivers_excuse_as_those_of_a_profile_do_but_never_what_is_critical() {
    let waiver = |check: &str, expires: &str| {
        format!(
            "[needs]\nshm = '9000GiB'\ngpus = 4\n[[waive]]\ncheck = '{check}'\nreason = 'why'\nowner = 'me'\nexpires = '{expires}'\n"
        )
    };
    let gating = |contract: &str, check: &str| {
        let folder = with(contract);
        let (_, report, error) = judged("h100-healthy", folder.path(), &["--format=json", "--verbose"]);
        let report: Value = serde_json::from_str(&report).unwrap_or_else(|_| panic!("{error}"));
        let all = report["findings"].as_array().expect("findings").iter();
        all.clone().find(|one| one["check"] == check).map(|one| !one["waived"].is_string()).expect(check)
    };
    let shm = "contract.shm-sufficient";
    assert!(!gating(&waiver(shm, "2099-01-01"), shm), "it is excused");
    assert!(gating(&waiver(shm, "2020-01-01"), shm), "it was excused once");
    let gpus = "contract.gpus-sufficient";
    assert!(gating(&waiver(gpus, "2099-01-01"), gpus), "what is critical is for the profile to excuse");
}

#[test]
fn what_init_writes_asks_for_nothing_and_all_of_it_is_met_where_it_was_written() {
    for machine in ["h100-healthy", "healthy-8xh200-fake", "image-in-ci", "fake-driver-not-loaded"] {
        let recording = format!("{}/tests/machines/{machine}/facts.json", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(recording).expect("a recording");
        let mut facts = recording::read(&text).unwrap_or_else(|mistake| panic!("{machine}: {mistake:?}")).facts;
        derive(&mut facts);
        let page = sketch(&facts).to_string();
        let asked = |page: &str| {
            let folder = with(page);
            let (_, report, error) = judged(machine, folder.path(), &["--format=json", "--verbose"]);
            let report: Value = serde_json::from_str(&report).unwrap_or_else(|_| panic!("{machine}: {error}\n{page}"));
            let all = report["findings"].as_array().expect("findings").iter();
            let own = all.filter(|one| one["check"].as_str().is_some_and(|check| check.starts_with("contract.")));
            own.filter(|one| one["outcome"] != "not-applicable").cloned().collect::<Vec<Value>>()
        };
        assert_eq!(asked(&page), Vec::<Value>::new(), "{machine}: it asks for nothing");
        let is_need = |line: &&str| line.starts_with("# ") && line.contains(" = ") && line.matches('#').count() == 2;
        let needs: Vec<&str> = page.lines().filter(is_need).map(|line| line.trim_start_matches("# ")).collect();
        assert_eq!(needs.len(), 14, "{page}");
        // Where the machine has nothing to say, an example stands.
        let is_example = |need: &&str| {
            ["[8000]", "/models", "HF_HOME", "torch = \"2.5\"", "bfloat16 = 300"].iter().any(|one| need.contains(one))
        };
        let known: Vec<&str> = needs.into_iter().filter(|need| !is_example(need)).collect();
        if machine.contains("h100") || machine.contains("8xh200") {
            let failing = asked(&format!("[needs]\n{}\n", known.join("\n")));
            let failing: Vec<&Value> = failing.iter().filter(|one| one["outcome"] == "fails").collect();
            assert!(failing.is_empty(), "{machine}: {failing:?}");
        }
    }
}

#[test]
fn mistakes_end_with_78_each_with_its_place() {
    let folder = with("[needs]\ngpus = 'two'\n");
    let (code, _, error) = judged("h100-healthy", folder.path(), &[]);
    assert_eq!(code, 78, "{error}");
    assert!(error.contains("gpu-preflight.toml:2:8: the text \"two\" stands where a whole number"), "{error}");
    let folder = with("[needs]\nmemory = 'lots'\nshm = 'more'\n[[waive]]\ncheck = 'limits.memory-limitd'\n");
    let (code, _, error) = judged("h100-healthy", folder.path(), &[]);
    assert_eq!((code, error.lines().count()), (78, 3), "{error}");
    assert!(error.contains("did you mean `limits.memory-limited`"), "{error}");
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join(FILE)).expect("a folder of that name");
    let (code, _, error) = judged("h100-healthy", folder.path(), &[]);
    assert_eq!(code, 78, "a contract that cannot be read is none that can be left out: {error}");
}
