//! What answers a report: of a recorded machine, as files.

use std::process::{Command, Output};

use crate::support::bless;

const MACHINE: &str = "tests/machines/open-jupyter-and-sshd-root/facts.json";

fn harden(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("harden").args(arguments).output();
    output.expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Every file in turn.
fn page(arguments: &[&str]) -> String {
    let output = harden(&[&["--from", MACHINE], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_files_that_answer_a_machine_are_current() {
    bless::compare("docs/harden.txt", &page(&["--", "python", "serve.py"]));
}

#[test]
fn a_file_by_itself_is_the_one_that_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().to_str().expect("UTF-8");
    assert_eq!(page(&["--into", into]), "", "nothing is printed");
    for file in gpu_preflight::harden::FILES {
        let written = std::fs::read_to_string(folder.path().join(file)).expect(file);
        assert_eq!(page(&["--file", file]), written, "{file}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), gpu_preflight::harden::FILES.len());
}

#[test]
fn the_folder_is_made_where_it_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("to/hardened");
    for _ in 0..2 {
        assert_eq!(page(&["--into", into.to_str().expect("UTF-8")]), "", "once more over what is there");
        assert_eq!(std::fs::read_dir(&into).expect("a folder").count(), gpu_preflight::harden::FILES.len());
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").expect("written");
    let output = harden(&["--from", MACHINE, "--into", file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(74), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("exists"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "mine");
}

#[test]
fn a_report_is_answered_as_its_recording() {
    let judge = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["judge", MACHINE, "--format=json"])
        .output();
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    std::fs::write(&report, judge.expect("the program runs").stdout).expect("a report");
    let output = harden(&["--from", report.to_str().expect("UTF-8")]);
    assert_eq!(text(&output.stdout), page(&[]), "{}", text(&output.stderr));
}

#[test]
fn what_no_finding_asks_for_is_in_no_file() {
    let page = page(&["--skip", "*"]);
    let asks = |line: &&str| !line.starts_with('#') && !line.trim().is_empty();
    let lines: Vec<&str> = page.lines().filter(asks).collect();
    let expected = [
        "ARG IMAGE",
        "FROM ${IMAGE}",
        "exec docker run \\",
        "    \"$@\"",
        "services:",
        "  app: {}",
        "spec:",
        "  template:",
        "    spec:",
        "      containers:",
        "        - name: \"app\"",
        "The other files answer everything that fails.",
    ];
    assert_eq!(lines, expected, "{page}");
}

#[test]
fn what_is_asked_wrongly_is_said() {
    for (arguments, code, words) in [
        (&["--from", "/nonexistent"][..], 78, "/nonexistent"),
        (&["--from", MACHINE, "--into", "/dev/null/folder"], 74, "/dev/null/folder"),
        (&["--from", MACHINE, "--uid", "0"], 64, "--uid"),
        (&["--from", MACHINE, "--file", "Dockerfile"], 64, "Dockerfile.hardened"),
    ] {
        let output = harden(arguments);
        let errors = text(&output.stderr);
        assert_eq!((output.status.code(), errors.contains(words)), (Some(code), true), "{arguments:?}: {errors}");
    }
}
