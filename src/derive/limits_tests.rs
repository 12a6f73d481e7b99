//! Limits as the real ones answered: code 2 at 8 GB of address space, 46 at 32 open files.

use super::*;
use crate::facts::{Gpu, Multiply, ProbeRun};

fn known<T>(value: T) -> Fact<T> {
    Fact::Known(value)
}

fn unknown<T>() -> Fact<T> {
    Fact::unknown(GapKind::NotAsked, "")
}

/// A machine without any limit, on which all went well.
fn machine() -> Facts {
    let mut facts = Facts { probes: vec![ProbeRun::default()], ..Facts::default() };
    facts.identity.uid = known(1000);
    facts.gpus = known(vec![Gpu { compute_mode: known(ComputeMode::Default), ..Gpu::default() }]);
    facts.cuda.init_code = known(0);
    facts.cuda.device_count = known(1);
    let limits = &mut facts.limits;
    for limit in
        [&mut limits.address_space_bytes, &mut limits.memory_bytes, &mut limits.pids, &mut limits.user_processes]
    {
        *limit = Fact::Absent;
    }
    (limits.open_files_soft, limits.cpu_allowed_count) = (known(1024), known(16));
    facts
}

fn failing(call: &str, code: i64) -> Facts {
    let mut facts = machine();
    if call == "cuInit" {
        facts.cuda.init_code = known(code);
    } else {
        let failure = Failure { code: known(code), ..Failure::new(call, FailedHow::Returned) };
        facts.compute.multiplies = known(vec![Multiply { failure: known(failure), ..Multiply::default() }]);
    }
    facts
}

fn short(facts: &Facts) -> Fact<String> {
    let mut facts = facts.clone();
    derive(&mut facts);
    facts.limits.short_call
}

/// Makes one limit small.
type Change = fn(&mut Facts);
const LIMITS: [(Change, &str); 5] = [
    (|facts| facts.limits.address_space_bytes = known(8_192_000_000), "7.6 GiB (RLIMIT_AS)"),
    (|facts| facts.limits.open_files_soft = known(32), "only 32 files may be open (RLIMIT_NOFILE)"),
    (|facts| facts.limits.user_processes = known(20), "only 20 processes and threads (RLIMIT_NPROC)"),
    (|facts| facts.limits.pids = known(12), "only 12 processes and threads may be here (pids.max)"),
    (|facts| facts.limits.memory_bytes = known(250 << 20), "the memory limit is 0.2 GiB"),
];

#[test]
fn every_limit_explains_a_code_that_names_no_reason_and_no_other() {
    for (change, words) in LIMITS {
        for (call, code) in [
            ("cuInit", 2),
            ("cuInit", 304),
            ("cuInit", 999),
            ("cudaSetDevice", 46),
            ("cudaMalloc", 2),
            ("cublasCreate_v2", 1),
        ] {
            let mut facts = failing(call, code);
            assert_eq!(short(&facts), Fact::Absent, "{call} {code}: no limit is small");
            change(&mut facts);
            let Fact::Known(told) = short(&facts) else { panic!("{call} {code}: {words}") };
            assert!(told.starts_with(&format!("{call} gives {code}")) && told.contains(words), "{told}");
        }
        for (call, code) in
            [("cuInit", 100), ("cuInit", 803), ("cudaMemcpy", 214), ("cudaMemcpy", 700), ("cublasGemmEx", 13)]
        {
            let mut facts = failing(call, code);
            change(&mut facts);
            assert_eq!(short(&facts), Fact::Absent, "{call} {code} has a reason of its own");
        }
        let mut facts = machine();
        change(&mut facts);
        assert_eq!(short(&facts), Fact::Absent, "nothing failed");
    }
}

#[test]
fn what_the_real_ones_bore_explains_nothing() {
    for change in [
        |facts: &mut Facts| facts.limits.address_space_bytes = known(16_384_000_000),
        |facts: &mut Facts| facts.limits.memory_bytes = known(600 << 20),
        |facts: &mut Facts| facts.limits.locked_memory_bytes = known(0),
    ] {
        let mut facts = failing("cudaSetDevice", 46);
        change(&mut facts);
        assert_eq!(short(&facts), Fact::Absent);
    }
    let mut facts = failing("cudaSetDevice", 46);
    facts.limits.user_processes = known(8);
    facts.identity.uid = known(0);
    assert_eq!(short(&facts), Fact::Absent, "it does not hold for user 0");
}

#[test]
fn an_exclusive_mode_explains_46_better_than_a_limit() {
    let mut facts = failing("cudaSetDevice", 46);
    facts.limits.open_files_soft = known(32);
    facts.gpus = known(vec![Gpu { compute_mode: known(ComputeMode::ExclusiveProcess), ..Gpu::default() }]);
    assert_eq!(short(&facts), Fact::Absent);
}

#[test]
fn an_address_space_that_is_not_known_is_named_among_the_causes_of_code_2() {
    let mut facts = failing("cuInit", 2);
    facts.limits.address_space_bytes = unknown();
    let Fact::Known(told) = short(&facts) else { panic!("a cause") };
    assert!(told.contains("most often a limited address space (RLIMIT_AS), which is not known here"), "{told}");
    let mut facts = failing("cuInit", 999);
    facts.limits.address_space_bytes = unknown();
    assert_eq!(short(&facts), Fact::Absent);
}

#[test]
fn processes_are_wanted_for_every_gpu_and_cpu() {
    let wanted = |gpus: u64, cpus: u64| {
        let mut facts = machine();
        (facts.cuda.device_count, facts.limits.cpu_allowed_count) = (known(gpus), known(cpus));
        derive(&mut facts);
        facts.limits.processes_wanted
    };
    assert_eq!(wanted(0, 4), known(100));
    assert_eq!(wanted(1, 16), known(112));
    assert_eq!(wanted(8, 192), known(1856));
}

#[test]
fn the_smaller_of_two_limits_holds_and_user_0_has_but_one() {
    let allowed = |uid: Fact<u32>, pids: Fact<u64>, user: Fact<u64>| {
        let mut facts = machine();
        (facts.identity.uid, facts.limits.pids, facts.limits.user_processes) = (uid, pids, user);
        derive(&mut facts);
        facts.limits.processes_allowed
    };
    assert_eq!(allowed(known(1), known(100), known(8)), known(8));
    assert_eq!(allowed(known(0), known(100), known(8)), known(100));
    assert_eq!(allowed(known(1), Fact::Absent, Fact::Absent), Fact::Absent);
    assert!(allowed(unknown(), Fact::Absent, known(8)).is_unknown());
    assert_eq!(allowed(unknown(), known(100), Fact::Absent), known(100));
}

#[test]
fn the_ends_of_probes_tell_what_could_not_start_and_what_was_killed() {
    let mut facts = machine();
    derive(&mut facts);
    assert_eq!((facts.process.start_errno.clone(), facts.process.killed_call.clone()), (Fact::Absent, Fact::Absent));
    facts.probes.push(ProbeRun { end: ProbeEnd::NotStarted, errno: known("EAGAIN".to_owned()), ..ProbeRun::default() });
    facts.probes.push(ProbeRun {
        end: ProbeEnd::Crashed,
        at: known("cudaMemcpy".to_owned()),
        gpu: known(3),
        signal: known("SIGKILL".to_owned()),
        ..ProbeRun::default()
    });
    derive(&mut facts);
    assert_eq!(facts.process.start_errno, known("EAGAIN".to_owned()));
    assert_eq!(facts.process.killed_call, known("cudaMemcpy on GPU 3".to_owned()));
}

#[test]
fn a_code_that_a_device_node_explains_is_not_laid_to_a_limit_beside_it() {
    let told = |code: i64, change: Change| {
        let mut facts = failing("cuInit", code);
        facts.limits.pids = known(12);
        change(&mut facts);
        short(&facts).known().is_some()
    };
    let changes: [Change; 3] = [
        |facts| facts.driver.uvm_node_present = known(false),
        |facts| facts.driver.uvm_node_openable = known(false),
        |facts| facts.driver.uvm_major_current = known(false),
    ];
    for change in changes {
        assert!(!told(999, change), "the UVM node explains it");
        assert!(told(2, change), "no node gives this code");
    }
    assert!(!told(304, |facts| facts.driver.control_node_openable = known(false)));
    assert!(told(999, |facts| facts.driver.uvm_node_openable = known(true)), "nothing else explains it");
}

#[test]
fn a_limit_that_bounds_nothing_is_called_that() {
    let words = |change: fn(&mut Limits)| {
        let mut facts = machine();
        change(&mut facts.limits);
        unbounded(&mut facts);
        let words = |fact: Fact<String>| fact.known().cloned();
        (words(facts.limits.memory_unbounded), words(facts.limits.cpu_unbounded))
    };
    let said = |memory: &str, cpu: &str| (Some(memory.to_owned()), Some(cpu.to_owned()));
    let none = said("no memory limit", "no CPU limit");
    assert_eq!(words(|limits| limits.cpu_limited = known(false)), none, "as older recordings have it");
    let beyond = |limits: &mut Limits| {
        (limits.memory_beyond_host_bytes, limits.cpu_limited) = (known(32 << 30), known(false));
        limits.cpu_quota_cores = known(64.0);
    };
    let expected = said("the memory limit of 32.0 GiB bounds nothing", "the CPU limit of 64 cores bounds nothing");
    assert_eq!(words(beyond), expected);
    let bounded = |limits: &mut Limits| (limits.memory_bytes, limits.cpu_limited) = (known(1 << 30), known(true));
    assert_eq!(words(bounded), (None, None));
    assert_eq!(words(|limits| limits.memory_bytes = unknown()), (None, None), "nothing is known");
}
