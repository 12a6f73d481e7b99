//! Each invariant can be broken: a sound run with one thing changed breaks that one.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::draw::{Command, Dice, Draw, Stream};
use super::fakes::Played;
use super::invariants;
use super::jupyter::SECRET;
use super::play::Seen;

const REPORT: &str = r#"{"schema": "gpu-preflight/report/1", "verdict": "not-ready", "findings": []}"#;
const TEXT: &str =
    "gpu-preflight 0.1.0\n\nREADY   score 99\n\n3 checks hold, 1 do not apply here; --verbose lists them\n";
const LINE: &str = "gpu-preflight: out of memory while it looked; the workload is started all the same\n";

fn sound(command: Command) -> Seen {
    let is_exec = matches!(command, Command::ExecReport | Command::ExecGate);
    let draw = Draw {
        command,
        json: true,
        options: Vec::new(),
        deadline: 2.0,
        fake: Played::default(),
        environment: Vec::new(),
        settings: Vec::new(),
        streams: [Stream::Read; 2],
        signals: Vec::new(),
        silent_home: None,
        code: 42,
        ..Draw::of(0, false)
    };
    let (stdout, stderr) = if is_exec { ("", REPORT) } else { (REPORT, "") };
    let started = command == Command::ExecReport;
    Seen {
        draw,
        status: Some(code(if started { 42 } else { 1 })),
        wall: Duration::from_secs(1),
        grace: Duration::from_millis(500),
        stdout: stdout.into(),
        stderr: stderr.into(),
        file: None,
        started: if started { vec!["0,1,2".to_owned()] } else { Vec::new() },
        usual: "0,1,2".to_owned(),
        files: [BTreeMap::new(), BTreeMap::new()],
        left: Vec::new(),
        sent: Vec::new(),
    }
}

/// Holds that a change breaks the invariant of this name.
#[track_caller]
fn breaks(invariant: &str, command: Command, change: impl Fn(&mut Seen)) {
    let mut seen = sound(command);
    assert_eq!(invariants::broken(&seen), Vec::<String>::new(), "it is sound before");
    change(&mut seen);
    let broken = invariants::broken(&seen);
    assert!(broken.iter().any(|line| line.starts_with(invariant)), "{invariant}: {broken:?}");
}

fn code(code: i32) -> ExitStatus {
    ExitStatus::from_raw(code << 8)
}

#[test]
fn a_late_end_breaks_the_deadline() {
    breaks("it ends in time", Command::Check, |seen| seen.wall = Duration::from_millis(2600));
    breaks("it ends in time", Command::Check, |seen| seen.status = None);
}

#[test]
fn half_a_report_two_lines_and_a_panic_break_what_is_said() {
    let name = "it says a whole report or one line";
    breaks(name, Command::Check, |seen| seen.stdout.truncate(40));
    breaks(name, Command::Check, |seen| seen.stdout.clear());
    breaks(name, Command::Check, |seen| seen.stderr = LINE.into());
    breaks(name, Command::Check, |seen| seen.stderr = b"thread 'main' panicked at src/run.rs".to_vec());
    breaks(name, Command::Check, |seen| (seen.draw.json, seen.stdout) = (false, TEXT.as_bytes()[..60].to_vec()));
    breaks(name, Command::Check, |seen| (seen.stdout, seen.stderr) = (Vec::new(), LINE.repeat(2).into()));
    breaks(name, Command::ExecReport, |seen| seen.stdout = b"loud".to_vec());
    breaks(name, Command::ExecReport, |seen| seen.stderr.extend(LINE.repeat(2).bytes()));
    breaks(name, Command::Check, |seen| {
        (seen.draw.streams[0], seen.stdout, seen.stderr) =
            (Stream::Full, Vec::new(), b"what the loader says\n".to_vec());
    });
}

#[test]
fn a_code_of_another_verdict_breaks_its_meaning() {
    let name = "its exit code means what docs say";
    breaks(name, Command::Check, |seen| seen.status = Some(code(0)));
    breaks(name, Command::Check, |seen| (seen.draw.json, seen.stdout) = (false, TEXT.into()));
    breaks(name, Command::Check, |seen| {
        (seen.stdout, seen.stderr, seen.status) = (Vec::new(), LINE.into(), Some(code(1)));
    });
    breaks(name, Command::ExecReport, |seen| seen.status = Some(code(43)));
}

#[test]
fn a_workload_that_starts_twice_or_never_or_past_the_gate_is_seen() {
    let name = "the workload starts once";
    breaks(name, Command::ExecReport, |seen| seen.started.clear());
    breaks(name, Command::ExecReport, |seen| seen.started.push("0,1,2".to_owned()));
    breaks(name, Command::ExecGate, |seen| seen.started.push("0,1,2".to_owned()));
    breaks(name, Command::ExecGate, |seen| seen.stderr = REPORT.replace("not-ready", "ready").into());
}

#[test]
fn an_end_by_a_signal_that_nobody_sent_is_seen() {
    let name = "only a signal that was sent";
    breaks(name, Command::Check, |seen| seen.status = Some(ExitStatus::from_raw(libc::SIGSEGV)));
    breaks(name, Command::Check, |seen| {
        (seen.sent, seen.status) = (vec![libc::SIGINT], Some(ExitStatus::from_raw(libc::SIGTERM)));
    });
}

#[test]
fn what_is_left_is_seen() {
    breaks("no process is left", Command::Check, |seen| seen.left = vec!["17 (sleep) S".to_owned()]);
    breaks("no file is left", Command::Check, |seen| _ = seen.files[1].insert("/tmp/x".into(), 1));
    breaks("no descriptor is left", Command::ExecReport, |seen| seen.started = vec!["0,1,2,5".to_owned()]);
}

#[test]
fn what_is_raw_secret_or_unjust_is_seen() {
    let name = "nothing raw and nothing secret";
    for word in ["\u{1b}[31m", "\r", "\u{9b}", "\u{202e}", "\nSPOOF", SECRET] {
        breaks(name, Command::Check, |seen| seen.stdout = REPORT.replace("[]", &format!("[\"{word}\"]")).into());
    }
    let unjust = r#"[{"check": "gpu.none-lost", "outcome": "fails", "owner": "hardware", "message": "lost"}]"#;
    breaks("no hardware is accused", Command::Check, |seen| seen.stdout = REPORT.replace("[]", unjust).into());
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..200 {
        assert_eq!(format!("{:?}", Draw::of(seed, true)), format!("{:?}", Draw::of(seed, true)));
    }
    let mut dice = Dice::of(1);
    assert!((0..1000).map(|_| dice.below(6)).collect::<std::collections::BTreeSet<_>>().len() == 6);
}
