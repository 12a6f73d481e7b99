//! Recordings outlive the version that made them: `tests/recordings/` holds one of every release.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use gpu_preflight::facts::recording;
use serde_json::{Value, json};

use crate::support::report::{Report, answerable, plan};

/// The recording of each release, with what that release said of it under each profile: verdict, score, what caps it,
/// and what fails, is unknown or is blocked.
const SAID: [(&str, [(&str, &str); 4]); 1] = [(
    "0.1.0",
    [
        (
            "production",
            "not-ready 59–59 identity.capabilities-harmless; \
             fails: identity.capabilities-harmless identity.not-root image.compilers-absent image.cuda-headers-absent \
             image.debuggers-absent image.network-tools-absent isolation.no-new-privileges isolation.root-read-only \
             isolation.seccomp-enabled isolation.setuid-disarmed limits.cpu-limited limits.memory-limited \
             limits.open-files-sufficient limits.pids-limited startup.terminates; \
             unknown: observability.log-collected; \
             blocked: identity.bounding-baseline identity.capabilities-baseline service.listeners-not-root",
        ),
        (
            "training",
            "not-ready 59–59 identity.capabilities-harmless; \
             fails: identity.capabilities-harmless identity.not-root image.compilers-absent image.cuda-headers-absent \
             image.debuggers-absent image.network-tools-absent isolation.no-new-privileges isolation.root-read-only \
             isolation.seccomp-enabled isolation.setuid-disarmed limits.cpu-limited limits.memory-limited \
             limits.open-files-sufficient limits.pids-limited startup.terminates; \
             unknown: observability.log-collected; \
             blocked: identity.bounding-baseline identity.capabilities-baseline service.listeners-not-root",
        ),
        (
            "notebook",
            "not-ready 59–59 identity.capabilities-harmless; \
             fails: identity.capabilities-harmless identity.not-root isolation.no-new-privileges \
             isolation.seccomp-enabled isolation.setuid-disarmed limits.cpu-limited limits.memory-limited \
             limits.open-files-sufficient limits.pids-limited startup.terminates; \
             unknown: observability.log-collected; \
             blocked: identity.bounding-baseline identity.capabilities-baseline service.listeners-not-root",
        ),
        (
            "image",
            "ready 99–99 nothing; \
             fails: image.compilers-absent image.cuda-headers-absent image.debuggers-absent \
             image.network-tools-absent; unknown: ; blocked: ",
        ),
    ],
)];

fn file(release: &str) -> String {
    format!("{}/tests/recordings/{release}.json", env!("CARGO_MANIFEST_DIR"))
}

fn judged(file: &str, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.arg("judge").args(options).arg(file).stdin(Stdio::null()).output().expect("it runs")
}

fn report(file: &str, profile: &str) -> Value {
    let output = judged(file, &["--format", "json", "--profile", profile]);
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{file} under {profile}: {error}: {errors}"))
}

/// A report, as [`SAID`] has it.
fn said(report: &Value) -> String {
    let ids = |outcome: &str| {
        let findings = report["findings"].as_array().expect("findings").iter();
        let mut ids: Vec<&str> = findings
            .filter(|finding| finding["outcome"] == outcome)
            .filter_map(|finding| finding["check"].as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.join(" ")
    };
    let score = &report["score"];
    format!(
        "{} {}–{} {}; fails: {}; unknown: {}; blocked: {}",
        report["verdict"].as_str().unwrap_or_default(),
        score["low"],
        score["high"],
        score["capped_by"].as_str().unwrap_or("nothing"),
        ids("fails"),
        ids("unknown"),
        ids("blocked"),
    )
}

#[test]
fn what_a_release_recorded_is_judged_as_that_release_judged_it() {
    for (release, profiles) in SAID {
        for (profile, wanted) in profiles {
            let told = report(&file(release), profile);
            assert_eq!(told["notes"], json!([]), "{release} under {profile}");
            let text = std::fs::read_to_string(file(release)).expect("a recording");
            let facts = recording::read(&text).expect("a recording").facts;
            let report = Report::under(&answerable(&plan(&[], profile), &facts), &facts);
            assert_eq!(said(&report.json), wanted, "the recording of {release} under {profile}");
        }
    }
}

#[test]
fn every_release_has_its_recording() {
    let changelog = include_str!("../../CHANGELOG.md");
    let released: Vec<&str> = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## ")?.split_whitespace().next())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    assert!(!released.is_empty(), "the changelog names releases");
    for release in released {
        assert!(SAID.iter().any(|(said, _)| *said == release), "what {release} said of its recording is not in SAID");
        let path = file(release);
        assert!(Path::new(&path).is_file(), "record one machine with {release} and keep it as {path}");
    }
}

#[test]
fn a_recording_of_a_later_version_is_judged_as_far_as_it_is_known_and_the_rest_is_said() {
    let known = report(&file("0.1.0"), "production");
    let mut value = known["facts"].clone();
    value["schema"] = json!("gpu-preflight/facts/99");
    value["run"]["tool_version"] = json!("9.0.0");
    value["weather"] = json!({ "rain": true });
    value["gpus"][0]["aura"] = json!("blue");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("facts.json");
    let path = path.to_str().expect("UTF-8");
    std::fs::write(path, value.to_string()).expect("written");

    let later = report(path, "production");
    assert_eq!(said(&later), said(&known), "what it adds changes nothing");
    let notes: Vec<&str> = later["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).collect();
    let [newer, fields] = notes[..] else { panic!("{notes:?}") };
    assert!(newer.contains("`gpu-preflight/facts/99`, newer than"), "{newer}");
    assert_eq!(
        fields,
        "the recording has 2 fields that this version does not know: gpus[].aura, weather; recorded by 9.0.0"
    );
    let text = String::from_utf8(judged(path, &[]).stdout).expect("UTF-8");
    assert!(text.contains("note") && text.contains("gpus[].aura"), "{text}");

    value["isolation"]["privileged"] = json!("by-moonlight");
    value["isolation"].as_object_mut().expect("fields").remove("runtime_sockets");
    value["container"]["kind"] = json!("hyperbox");
    std::fs::write(path, value.to_string()).expect("written");
    let later = report(path, "production");
    let message = |check: &str| {
        let findings = later["findings"].as_array().expect("findings");
        let finding = findings.iter().find(|finding| finding["check"] == check).expect("a finding");
        assert_eq!(finding["outcome"], "unknown", "{check}");
        finding["message"].as_str().unwrap_or_default().to_owned()
    };
    let why = "could not tell: isolation.runtime_sockets: not asked: recorded by 9.0.0, which did not ask";
    assert_eq!(message("isolation.runtime-socket-closed"), why);
    let why = "could not tell: container.kind: malformed: `hyperbox`, which this version does not know";
    assert_eq!(message("limits.memory-limited"), why);
    let why = "could not tell: isolation.privileged: malformed: text instead of true or false, which this version does not know";
    assert_eq!(message("isolation.not-privileged"), why);

    let gpus = Command::new(env!("CARGO_BIN_EXE_gpu-preflight")).args(["gpus", "--from", path]).output().expect("runs");
    let errors = String::from_utf8_lossy(&gpus.stderr);
    assert!(gpus.status.success() && errors.contains("gpus[].aura"), "{errors}");
}
