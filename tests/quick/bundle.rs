//! What is attached to a ticket: that all of it is there and the same each time, and that no secret is in it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

const MACHINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/open-jupyter-and-sshd-root/facts.json");
/// A check that fails there and may be waived.
const WAIVED: &str = "identity.not-root";
const NAME: &str = "gpu-preflight-bundle.tar.gz";

fn bundle(here: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.current_dir(here).arg("bundle").args(arguments).output().expect("the program runs")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One file of an archive: its mode, owners and age, and what is in it.
type Entry = (u32, u64, u64, u64, String);

fn files(archive: &[u8]) -> BTreeMap<String, Entry> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let read = |entry: std::io::Result<tar::Entry<_>>| {
        let mut entry: tar::Entry<flate2::read::GzDecoder<&[u8]>> = entry.expect("an entry");
        let (path, header) = (entry.path().expect("a path").display().to_string(), entry.header().clone());
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        let number = |number: std::io::Result<u64>| number.expect("a number");
        let mode = header.mode().expect("a mode");
        (path, (mode, number(header.uid()), number(header.gid()), number(header.mtime()), text))
    };
    archive.entries().expect("an archive").map(read).collect()
}

/// The bundle of a recording.
fn of_machine(arguments: &[&str]) -> BTreeMap<String, String> {
    let here = tempfile::tempdir().expect("a folder");
    let output = bundle(here.path(), &[&["--from", MACHINE], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let files = files(&std::fs::read(here.path().join(NAME)).expect("written"));
    let inside = |path: String| path.strip_prefix("gpu-preflight-bundle/").expect("in one folder").to_owned();
    files.into_iter().map(|(path, entry)| (inside(path), entry.4)).collect()
}

#[test]
fn a_bundle_holds_the_recording_and_the_reports_and_a_list_of_them() {
    let files = of_machine(&[]);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["MANIFEST.txt", "facts.json", "report.html", "report.json", "report.txt"]);
    let manifest = &files["MANIFEST.txt"];
    for (name, text) in files.iter().filter(|(name, _)| *name != "MANIFEST.txt") {
        let line = manifest.lines().find(|line| line.trim_start().starts_with(name.as_str()));
        let size = format!(" {} bytes ", text.len());
        assert!(line.is_some_and(|line| line.contains(&size)), "{name}:{size}\n{manifest}");
    }
    for said in [
        "NOT READY",
        "a recording has no log",
        "there is no contract",
        "the profile production is part of gpu-preflight",
    ] {
        assert!(manifest.contains(said), "{said}\n{manifest}");
    }
    // What is judged again says the same.
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join("facts.json"), &files["facts.json"]).expect("written");
    let mut judge = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    judge.current_dir(here.path()).args(["judge", "facts.json", "--format=json", "--verbose"]);
    let judged = judge.output().expect("the program runs");
    assert!(String::from_utf8_lossy(&judged.stdout) == files["report.json"], "{}", errors(&judged));
}

#[test]
fn the_same_look_gives_the_same_bytes_of_nobody() {
    let here = tempfile::tempdir().expect("a folder");
    let written = |name: &str| {
        let output = bundle(here.path(), &["--from", MACHINE, "--output", name]);
        assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
        std::fs::read(here.path().join(name)).expect("written")
    };
    let (one, other) = (written("a.tar.gz"), written("b.tar.gz"));
    assert!(one == other, "two runs differ");
    let piped = bundle(here.path(), &["--from", MACHINE, "--output", "-"]);
    assert!(piped.stdout == one, "standard output has another: {}", errors(&piped));
    let facts: serde_json::Value = serde_json::from_slice(&std::fs::read(MACHINE).expect("a recording")).expect("JSON");
    let taken = facts["run"]["taken_at_seconds"].as_u64().expect("seconds");
    for (path, (mode, uid, gid, seconds, _)) in files(&one) {
        assert_eq!((mode, uid, gid, seconds), (0o644, 0, 0, taken), "{path}");
    }
}

#[test]
fn no_secret_of_a_log_a_contract_or_a_profile_is_in_it() {
    let here = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = here.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let log = put("app.log", "http://0.0.0.0:8888/?token=hunter2\nloaded\nAuthorization: Bearer hunter2 \u{1b}[2J\n");
    // Secrets in comments, and in what a report tells: reason and owner of a waiver that excuses, the subject of an idle one.
    let waive = |check: &str, subject: &str| {
        format!(
            "[[waive]]\ncheck = '{check}'\n{subject}reason = 'until password=hunter2 goes'\nowner = 'token=hunter2'\nexpires = '2999-01-01'\n"
        )
    };
    let contract = put(
        "c.toml",
        &format!("# password=hunter2\n[needs]\nports = [5]\nvariables = ['PGPASSWORD=hunter2']\n{}", waive(WAIVED, "")),
    );
    let idle = waive("environment.no-secrets", "subject = 'password=hunter2'\n");
    let profile = put("p.toml", &format!("title = 'Ours'\n# https://me:hunter2@host\n{idle}"));
    let files = of_machine(&["--log", &log, "--contract", &contract, "--profile", &profile]);
    for (name, text) in &files {
        assert!(!text.contains("hunter2") && !text.contains('\u{1b}'), "{name}:\n{text}");
    }
    assert!(files["log.txt"].starts_with("http://0.0.0.0:8888/?token=[redacted]\nloaded\n"), "{}", files["log.txt"]);
    for report in ["report.html", "report.json", "report.txt"] {
        let words: Vec<&str> = files[report].split_whitespace().collect();
        let is_told = words.join(" ").contains("until password=[redacted] goes (token=[redacted], ");
        assert!(is_told, "{report}:\n{}", files[report]);
    }
    assert!(files["contract.toml"].starts_with("# password=[redacted]\n[needs]\nports = [5]\n"));
    assert!(files["profile.toml"].starts_with("title = 'Ours'\n# https://[redacted]@host\n"));
    let manifest = &files["MANIFEST.txt"];
    for (name, said) in [("log.txt", "2 secrets"), ("contract.toml", "4 secrets"), ("profile.toml", "4 secrets")] {
        let mut lines = manifest.lines().filter(|line| line.trim_start().starts_with(name));
        assert!(lines.any(|line| line.contains(said)), "{name}: {said}\n{manifest}");
    }
}

#[test]
fn what_a_document_of_others_says_is_told_without_its_secrets() {
    let here = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(MACHINE).expect("a recording");
    let mut facts: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    facts["packages"]["vex"] = serde_json::json!({ "statement_count": 1, "excused_count": 1, "idle_count": 0, "idle": [],
        "excused": [{ "id": "CVE-1", "package": "x", "installed": "1", "severity": "high", "statement": "v, statement 1",
            "reason": "see https://me:hunter2@wiki/" }] });
    let recording = here.path().join("facts.json");
    std::fs::write(&recording, facts.to_string()).expect("written");
    let output = bundle(here.path(), &["--from", recording.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    for (name, entry) in files(&std::fs::read(here.path().join(NAME)).expect("written")) {
        assert!(!entry.4.contains("hunter2"), "{name}");
        assert!(!name.ends_with("facts.json") || entry.4.contains("see https://[redacted]@wiki/"), "{name}");
    }
}

#[test]
fn what_is_there_is_not_replaced_unless_it_is_named() {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join(NAME), "mine").expect("written");
    let refused = bundle(here.path(), &["--from", MACHINE]);
    assert_eq!(refused.status.code(), Some(74), "{}", errors(&refused));
    assert!(errors(&refused).contains("is there already: --output"), "{}", errors(&refused));
    assert_eq!(std::fs::read(here.path().join(NAME)).expect("there"), b"mine");
    let named = bundle(here.path(), &["--from", MACHINE, "-o", NAME]);
    assert_eq!(named.status.code(), Some(0), "{}", errors(&named));
    assert_eq!(files(&std::fs::read(here.path().join(NAME)).expect("there")).len(), 5);
    for (arguments, code, words) in [
        (&["--from", MACHINE, "-o", "/nonexistent/x.tar.gz"][..], 74, "/nonexistent/x.tar.gz"),
        (&["--from", "/nonexistent"], 78, "/nonexistent"),
        (&["--from", MACHINE, "--only", "limts"], 64, "did you mean `limits`?"),
    ] {
        let output = bundle(tempfile::tempdir().expect("a folder").path(), arguments);
        let said = errors(&output);
        assert_eq!((output.status.code(), said.contains(words)), (Some(code), true), "{arguments:?}: {said}");
    }
}

#[test]
fn the_variable_of_a_report_names_no_archive() {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join("report.txt"), "a report").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.current_dir(here.path()).env("GPU_PREFLIGHT_OUTPUT", "report.txt").args(["bundle", "--from", MACHINE]);
    assert_eq!(command.output().expect("it runs").status.code(), Some(0));
    assert_eq!(std::fs::read(here.path().join("report.txt")).expect("there"), b"a report");
    assert!(here.path().join(NAME).exists());
    // What a recording has no use for is refused, not passed over.
    let output = bundle(here.path(), &["--from", MACHINE, "--osv", "/nothing"]);
    assert_eq!(output.status.code(), Some(64), "{}", errors(&output));
}

#[test]
fn a_look_at_this_machine_is_bundled_whatever_its_verdict() {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join("app.log"), "api_key=hunter2\n").expect("written");
    let output = bundle(here.path(), &["--tier=quick", "--no-gpu", "--fail-on=critical"]);
    assert_eq!(output.status.code(), Some(64), "it has no option for a gate");
    let output = bundle(here.path(), &["--tier=quick", "--no-gpu", "--log", "app.log"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let files = files(&std::fs::read(here.path().join(NAME)).expect("written"));
    assert_eq!(files["gpu-preflight-bundle/log.txt"].4, "api_key=[redacted]\n");
    let said = errors(&output);
    assert!(said.lines().count() == 1 && said.contains("read it before you send it"), "{said}");
}
