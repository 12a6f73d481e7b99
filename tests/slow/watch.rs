//! Fifty looks leave nothing behind, and disturb no GPU.

use std::io::Read;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::fake_machine::FakeMachine;
use crate::support::patience;

/// What a process holds when it holds least, between two looks: descriptors, and children with zombies among them.
fn least(pid: u32, looks: &dyn Fn() -> usize) -> (usize, usize) {
    let (begin, mut least) = (looks(), (usize::MAX, usize::MAX));
    while looks() < begin + 3 {
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it runs");
        least = (least.0.min(descriptors), least.1.min(children.split_whitespace().count()));
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    least
}

/// Memory that it has of its own, in KiB.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn fifty_looks_leave_nothing_behind_and_make_no_context() {
    let machine = FakeMachine::plays("");
    let mut child = Command::new("env")
        .args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_gpu-preflight"), "--watch=0.1", "--format=json"])
        .args(["--deadline=120", "--phase=live"])
        .envs(machine.world.environment().iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    // Every look asks once how many GPUs the driver has.
    let looks = || machine.calls().iter().filter(|call| *call == "cuDeviceGetCount").count();
    let until = |count: usize| patience::until("looks", || looks() >= count);
    until(5);
    let (held, memory_before) = (least(child.id(), &looks), memory(child.id()));
    until(50);
    assert_eq!(least(child.id(), &looks), held, "descriptors and children");
    let memory = memory(child.id());
    assert!(memory < memory_before + 8_192, "{memory_before} KiB, then {memory} KiB");
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    let mut said = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    child.wait().expect("it ends");
    patience::until("its children end", || !machine.is_looked_at());
    let calls = machine.calls();
    for name in ["context", "cudaSetDevice", "cudaMemGetInfo", "cudaMalloc", "cublasCreate_v2", "cublasGemmEx"] {
        assert!(!calls.iter().any(|call| call == name), "the tier quick works on no GPU: {name}");
    }
    assert!(said.ends_with('\n'), "whole lines: {said}");
}
