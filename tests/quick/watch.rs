//! Looking again and again: a line for each change and none otherwise, and an end with the code of the last look.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const RECORDS: &str = "{\"level\": \"info\", \"time\": \"2026-11-27T10:00:00\"}\n";

/// A watch over one check, whose outcome is in a file.
struct Watching {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    asides: std::io::Lines<BufReader<ChildStderr>>,
    log: PathBuf,
    _here: tempfile::TempDir,
}

impl Watching {
    fn begin(arguments: &[&str]) -> Self {
        let here = tempfile::tempdir().expect("a folder");
        let log = here.path().join("app.log");
        std::fs::write(&log, RECORDS.repeat(9)).expect("written");
        // Whoever runs the tests in the background has them ignore SIGINT.
        let mut child = Command::new("env")
            .args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_gpu-preflight"), "--watch=0.1", "--no-gpu"])
            .args(["--only=observability.log-structured", "--fail-on=low", "--phase=live", "--deadline=120", "--log"])
            .arg(&log)
            .args(arguments)
            .current_dir(here.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let asides = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Self { child, lines, asides, log, _here: here }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it goes on").expect("UTF-8")
    }

    /// What is said on standard error.
    fn aside(&mut self) -> String {
        self.asides.next().expect("it goes on").expect("UTF-8")
    }

    /// Replaced whole, so that no look sees half of it.
    fn write(&self, text: &str) {
        let beside = self.log.with_extension("new");
        std::fs::write(&beside, text).expect("written");
        std::fs::rename(beside, &self.log).expect("replaced");
    }

    fn end(mut self, signal: Signal) -> (Option<i32>, Vec<String>) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
        let rest = self.lines.by_ref().map(|line| line.expect("UTF-8")).collect();
        (self.child.wait().expect("it ends").code(), rest)
    }
}

#[test]
fn each_change_is_a_line_with_how_it_stands_against_the_start() {
    let mut watching = Watching::begin(&["--format=line"]);
    let first = watching.line();
    assert!(first.starts_with("READY, of 1 of "), "{first}");
    watching.write(&"a line of prose\n".repeat(9));
    let broken = watching.line();
    assert!(broken.contains("Z  ✗  holds → fails  observability.log-structured: only 0 %"), "{broken}");
    let verdict = watching.line();
    assert!(verdict.contains("Z  READY → NOT READY, of 1 of "), "{verdict}");
    watching.write(&RECORDS.repeat(9));
    let mended = watching.line();
    assert!(mended.ends_with("✓  fails → holds (as at the start)  observability.log-structured"), "{mended}");
    assert!(watching.line().contains("NOT READY → READY"));
    // The same by other readings is no change: a look that sees it is made here after one that could not be.
    std::fs::remove_file(&watching.log).expect("moved away");
    assert!(watching.aside().contains("--watch cannot look: "), "a log that is gone for a moment ends no watch");
    watching.write(&RECORDS.repeat(99));
    assert!(watching.aside().contains("--watch looks again"));
    watching.write(&"a line of prose\n".repeat(9));
    assert!(watching.line().contains("holds → fails  "), "nothing was said in between");
    assert!(watching.line().contains("READY → NOT READY"));
    assert_eq!(watching.end(Signal::INT), (Some(1), vec![]), "the code of the last look");
}

#[test]
fn where_nobody_could_look_the_last_time_the_end_says_so() {
    let mut watching = Watching::begin(&["--format=line"]);
    assert!(watching.line().starts_with("READY, of 1 of "));
    std::fs::remove_file(&watching.log).expect("moved away");
    let aside = watching.aside();
    assert!(aside.contains("--watch cannot look: ") && aside.contains("app.log"), "{aside}");
    assert_eq!(watching.end(Signal::INT), (Some(2), vec![]));
}

#[test]
fn programs_get_one_object_a_line() {
    let mut watching = Watching::begin(&["--format=json"]);
    let mut object = || serde_json::from_str::<Value>(&watching.line()).expect("an object on a line");
    let first = object();
    assert_eq!((&first["schema"], &first["verdict"]), (&"gpu-preflight/watch/1".into(), &"ready".into()));
    assert!(first["change"].is_null() && first["reason"].is_string(), "{first}");
    watching.write(&"a line of prose\n".repeat(9));
    let mut object = || serde_json::from_str::<Value>(&watching.line()).expect("an object on a line");
    let broken = object();
    assert_eq!(broken["change"]["check"], "observability.log-structured");
    assert_eq!((&broken["change"]["before"], &broken["change"]["after"]), (&"holds".into(), &"fails".into()));
    assert_eq!((&broken["at_start"], &broken["verdict"]), (&"holds".into(), &"not-ready".into()));
    assert_eq!(object()["verdict_before"], "ready");
    assert_eq!(watching.end(Signal::TERM).0, Some(1));
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let Watching { mut child, lines, asides: _asides, log, _here } = Watching::begin(&["--format=line"]);
    drop(lines);
    let code = child.wait().expect("it ends").code();
    assert_eq!(code, Some(0), "{}", log.display());
}

#[test]
fn the_first_look_is_a_report_as_any_other() {
    let mut watching = Watching::begin(&[]);
    let first = watching.line();
    assert!(first.starts_with("gpu-preflight "), "{first}");
    let (code, rest) = watching.end(Signal::INT);
    // It may have been asked to end in the midst of the first look, which then could not tell.
    assert!(matches!(code, Some(0 | 2)) && !rest.is_empty(), "{code:?} {rest:?}");
}

#[test]
fn what_makes_no_sense_again_and_again_is_refused() {
    let run = |arguments: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).args(arguments).output().expect("the program runs")
    };
    for (arguments, words) in [
        (&["--watch", "--tier=standard"][..], "tier quick"),
        (&["check", "--watch=5", "--tier", "soak"], "tier quick"),
        (&["--watch", "--format=html"], "text, line or json"),
        (&["--watch", "--output=x"], "--output"),
        (&["--watch", "--report=html=x"], "--report"),
        (&["--watch", "--baseline=x"], "--baseline"),
        (&["--watch", "--root=/"], "--root"),
        (&["--watch", "--dockerfile=Dockerfile"], "--dockerfile"),
        (&["--watch=0"], "a time from 0.1s to 24h"),
        (&["--watch", "--for=1m"], "--for goes with --tier soak"),
        (&["facts", "--watch"], "--watch"),
    ] {
        let output = run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), errors.contains(words)), (Some(64), true), "{arguments:?}: {errors}");
    }
}
