//! Ctrl-C and SIGTERM while a library hangs: an end within a second, nothing left behind, and what is known is told.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::fake_machine::FakeMachine;
use crate::support::patience::{self, allowed};

/// A run of ours that waits for a library.
pub struct Hanging {
    child: Child,
    machine: FakeMachine,
}

impl Hanging {
    /// Starts a look and waits until the library hangs in `call`. `before` runs in the shell that becomes it.
    pub fn in_call(call: &str, before: &str, arguments: &[&str]) -> Self {
        let hanging = Self::start(&format!("hang={call}"), before, arguments);
        hanging.until_called(call);
        hanging
    }

    /// Starts a look at what is played.
    pub fn start(fake: &str, before: &str, arguments: &[&str]) -> Self {
        let machine = FakeMachine::plays(fake);
        // Whoever runs the tests in the background has them ignore SIGINT.
        let child = Command::new("env")
            .args(["--default-signal=INT,TERM", "sh", "-c", &format!("{before} exec \"$@\""), "sh"])
            .arg(env!("CARGO_BIN_EXE_gpu-preflight"))
            .args(arguments)
            .envs(machine.world.environment().iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh runs");
        Self { child, machine }
    }

    pub fn until_called(&self, call: &str) {
        patience::until(call, || self.machine.calls().iter().any(|made| made == call));
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Its output, how long it took from now on, and that none of its processes is left.
    pub fn ended(self) -> (Output, Duration) {
        let started = Instant::now();
        let output = self.child.wait_with_output().expect("it ends");
        let wall = started.elapsed();
        patience::until("its children end", || !self.machine.is_looked_at());
        (output, wall)
    }

    /// Its output, which must come within a second.
    fn ended_within_a_second(self) -> Output {
        let (output, wall) = self.ended();
        assert!(wall < allowed(1.0), "{wall:?}");
        output
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

const CHECK: [&str; 8] = [
    "check",
    "--deadline=120",
    "--format=json",
    "--verbose",
    "--only=driver.answers,driver.survives,compute.multiply-runs",
    "--phase=live",
    "--profile=production",
    "--tier=standard",
];

/// The outcome of a check with its message.
fn outcome<'a>(report: &'a Value, check: &str) -> (&'a str, &'a str) {
    let findings = report["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{report}"));
    (found["outcome"].as_str().expect("an outcome"), found["message"].as_str().expect("a message"))
}

#[test]
fn a_look_that_is_interrupted_while_the_driver_hangs_says_so_and_accuses_nobody() {
    for signal in [Signal::INT, Signal::TERM] {
        let hanging = Hanging::in_call("cuInit", "", &CHECK);
        hanging.signal(signal);
        let output = hanging.ended_within_a_second();
        assert_eq!(output.status.code(), Some(2), "{signal:?}: what was not seen is open");
        let report = json(&output);
        assert_eq!(report["verdict"], "incomplete");
        for check in ["driver.answers", "driver.survives", "compute.multiply-runs"] {
            let (outcome, message) = outcome(&report, check);
            assert_eq!(outcome, "unknown", "{check}: {message}");
            assert!(message.contains("interrupted: cuInit had not returned after"), "{check}: {message}");
        }
    }
}

#[test]
fn what_was_known_before_a_multiply_was_interrupted_is_told() {
    let hanging = Hanging::in_call("cublasCreate_v2", "", &CHECK);
    hanging.signal(Signal::INT);
    let output = hanging.ended_within_a_second();
    let report = json(&output);
    assert_eq!(outcome(&report, "driver.answers").0, "holds");
    let (outcome, message) = outcome(&report, "compute.multiply-runs");
    assert_eq!(outcome, "unknown", "{message}");
    assert!(message.contains("interrupted: cublasCreate_v2 had not returned"), "{message}");
    assert_eq!(report["facts"]["cuda"]["device_count"], 1);
    assert_eq!(report["facts"]["compute"]["multiplies"][0]["gpu"], 0, "it was on its way");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_soak_that_is_interrupted_tells_what_it_has_proven() {
    let arguments = ["facts", "--tier=soak", "--for=5m"];
    let soaking = Hanging::start("free=9000000", "", &arguments);
    // The last precisions are multiplied by cuBLASLt. Whoever calls cuBLAS after them has begun to repeat.
    patience::until("all are proven and the first is repeated", || {
        let calls = soaking.machine.calls();
        calls.iter().skip_while(|call| *call != "cublasLtMatmul").any(|call| call == "cublasGemmEx")
    });
    soaking.signal(Signal::INT);
    let output = soaking.ended_within_a_second();
    let facts = json(&output);
    let multiplies = facts["compute"]["multiplies"].as_array().expect("multiplies");
    assert_eq!(multiplies.len(), 7);
    assert!(multiplies.iter().all(|multiply| multiply["proof"] == "exact"), "{multiplies:?}");
    assert_eq!(facts["links"]["nccl"]["summed"]["unknown"], "interrupted", "{}", facts["links"]);
}

#[test]
fn links_that_are_interrupted_hide_nothing_that_went_before() {
    // There is time enough for the patterns of both GPUs, be the machine as slow as it may.
    let arguments = ["facts", "--tier=soak", "--for=1s", "--deadline=200"];
    let waiting = Hanging::start("count=2;free=70000000;hang=cudaMemcpyPeer 0-1", "", &arguments);
    waiting.until_called("cudaMemcpyPeer 0-1");
    waiting.signal(Signal::TERM);
    let output = waiting.ended_within_a_second();
    let facts = json(&output);
    assert_eq!(facts["memory"]["patterns"][1]["kept"], "exact", "{}", facts["memory"]);
    assert_eq!(facts["compute"]["multiplies"].as_array().map(Vec::len), Some(14));
    assert_eq!(facts["links"]["nccl"]["summed"]["unknown"], "interrupted", "{}", facts["links"]);
}

#[test]
fn a_recording_that_is_interrupted_holds_what_was_read_until_then() {
    let hanging = Hanging::in_call("nvmlInit_v2", "", &["facts", "--deadline=120"]);
    hanging.signal(Signal::TERM);
    let output = hanging.ended_within_a_second();
    let facts = json(&output);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(facts["nvml"]["hung"]["unknown"], "interrupted");
    assert_eq!(facts["gpus"]["unknown"], "interrupted");
    assert!(facts["nvml"]["library"].as_str().is_some_and(|path| path.ends_with("libnvidia-ml.so.580.65.06")));
    let probes = facts["probes"].as_array().expect("probes");
    let run = probes.iter().find(|run| run["name"] == "nvml").expect("NVML was asked");
    assert_eq!((&run["end"], &run["at"]), (&"interrupted".into(), &"nvmlInit_v2".into()));
}

#[test]
fn a_second_signal_ends_at_once() {
    let hanging = Hanging::in_call("cuInit", "", &CHECK);
    // While it stands still both wait for it, so that nothing comes between them.
    for signal in [Signal::STOP, Signal::INT, Signal::TERM, Signal::CONT] {
        hanging.signal(signal);
    }
    let (output, _) = hanging.ended();
    // The kernel calls the handler of the one inside that of the other.
    assert!(matches!(output.status.code(), Some(130 | 143)), "{:?}", output.status);
    assert!(output.stdout.is_empty(), "there was no time for a report");
}

#[test]
fn who_was_started_to_ignore_ctrl_c_ignores_it() {
    let arguments = ["facts", "--deadline=8"];
    let hanging = Hanging::in_call("cuInit", "trap '' INT;", &arguments);
    hanging.signal(Signal::INT);
    let (output, _) = hanging.ended();
    assert_eq!(json(&output)["cuda"]["init_code"]["unknown"], "timed-out");
}

#[test]
fn an_exec_that_is_ended_while_it_looks_says_in_one_line_that_the_workload_was_not_started() {
    let exec = ["exec", "--mode=report", "--deadline=120", "--", "echo", "started"];
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let hanging = Hanging::in_call("cuInit", "", &exec);
        hanging.signal(signal);
        let output = hanging.ended_within_a_second();
        assert_eq!(output.status.signal(), Some(signal.as_raw()), "{name}");
        let line = format!("gpu-preflight: ended by {name} while it looked; the workload was not started\n");
        assert_eq!((&*output.stdout, String::from_utf8_lossy(&output.stderr).as_ref()), (&b""[..], line.as_str()));
    }
    // Whoever starts it to ignore Ctrl-C gets a workload that does too.
    let exec = ["exec", "--mode=report", "--deadline=8", "--", "echo", "started"];
    let hanging = Hanging::in_call("cuInit", "trap '' INT;", &exec);
    hanging.signal(Signal::INT);
    assert_eq!(hanging.ended().0.stdout, b"started\n");
}
