//! A library that stops processes: itself, its group, or us.

use std::time::{Duration, Instant};

use gpu_preflight::facts::{Fact, ProbeEnd};
use gpu_preflight::probe::cuda;
use rustix::process::{Pid, Signal, kill_process};

use crate::interrupted::Hanging;
use crate::support::fake_machine::FakeMachine;
use crate::support::patience::until;

/// What the kernel says of a process, with its state.
fn state(process: Pid) -> String {
    std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default()
}

#[test]
fn a_library_that_stops_itself_or_its_group_stops_nobody_else_and_is_named() {
    for key in ["raise", "raise_group"] {
        let machine = FakeMachine::plays(&format!("{key}=cuInit:19"));
        let (_, run) = cuda::collect(&machine.world, Instant::now() + Duration::from_secs(6));
        assert_eq!((run.end, run.at), (ProbeEnd::TimedOut, Fact::Known("cuInit".to_owned())), "{key}");
    }
}

#[test]
fn an_exec_that_a_library_stops_starts_the_workload_all_the_same() {
    for signal in [19, 20] {
        let exec = ["exec", "--mode=report", "--deadline=60", "--", "echo", "started"];
        let stopped = Hanging::start(&format!("raise_parent=cuInit:{signal}"), "", &exec);
        until("it ends", || state(stopped.pid()).contains(") Z "));
        let (output, _) = stopped.ended();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"started\n"[..]), "{signal}: {said}");
        assert!(said.contains("score"), "the report is whole: {said}");
    }
}

#[test]
fn an_exec_goes_on_whose_timer_has_lost_its_signal() {
    // What is blocked stays on its way: a stop takes it away, and the kernel does not set that timer again.
    let exec = ["exec", "--mode=report", "--deadline=10", "--", "echo", "started"];
    let stopped = Hanging::in_call("cuInit", "exec env --block-signal=CONT \"$@\";", &exec);
    let pending = || std::fs::read_to_string(format!("/proc/{}/status", stopped.pid().as_raw_nonzero()));
    until("a timer has sent its signal", || {
        let status = pending().unwrap_or_default();
        let bits = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).map_or("0", str::trim);
        u64::from_str_radix(bits, 16).expect("a mask") & 1 << (Signal::CONT.as_raw() - 1) != 0
    });
    stopped.signal(Signal::STOP);
    until("it ends", || state(stopped.pid()).contains(") Z "));
    let (output, _) = stopped.ended();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"started\n"[..]), "{said}");
}

#[test]
fn a_check_that_a_library_stops_goes_on_when_it_is_told_to_and_accuses_nobody() {
    let check = ["check", "--deadline=60", "--format=json", "--only=driver,compute", "--phase=live"];
    let stopped = Hanging::start("raise_parent=cuInit:19", "", &check);
    let process = stopped.pid();
    until("it stands still", || state(process).contains(") T "));
    // Long enough to be told from a busy machine.
    std::thread::sleep(Duration::from_secs(4));
    // Every child that calls stops it once more.
    let waker = std::thread::spawn(move || {
        until("it ends", || {
            let state = state(process);
            let _ = state.contains(") T ").then(|| kill_process(process, Signal::CONT));
            state.is_empty() || state.contains(") Z ")
        });
    });
    let (output, _) = stopped.ended();
    waker.join().expect("it ended");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let stood = report["facts"]["run"]["stood_still_seconds"].as_f64().unwrap_or_default();
    assert!(stood > 3.0, "{stood}");
    let failed = report["findings"].as_array().expect("findings").iter().filter(|one| one["outcome"] == "fails");
    assert_eq!(failed.map(|one| one["check"].to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}
