//! Who is told of, and what that explains.

use super::*;
use crate::facts::{Compute, GpuLoad, GpuProcess};

const GIB: u64 = 1 << 30;

/// A GPU of 80 GiB of which so much is in use, beside the half GiB that the driver keeps.
fn gpu(used: u64) -> Gpu {
    Gpu {
        memory_bytes: Fact::Known(80 * GIB),
        memory_free_bytes: Fact::Known(80 * GIB - used - GIB / 2),
        memory_reserved_bytes: Fact::Known(GIB / 2),
        memory_used_share: Fact::Known((used + GIB / 2) as f64 / (80 * GIB) as f64),
        process_count: Fact::Known(0),
        processes: Fact::Known(Vec::new()),
        persistence: Fact::Known(true),
        utilization_percent: Fact::Known(0),
        ..Gpu::default()
    }
}

fn with_process(pid: u32, bytes: u64) -> Gpu {
    let processes = Fact::Known(vec![GpuProcess { pid, memory_bytes: Fact::Known(bytes) }]);
    Gpu { process_count: Fact::Known(1), processes, ..gpu(bytes) }
}

fn explained(gpu: Gpu, change: impl FnOnce(&mut Facts)) -> Fact<String> {
    let mut facts = Facts { gpus: Fact::Known(vec![gpu]), ..Facts::default() };
    facts.run.phase = Phase::Start;
    facts.nvml.asked_before_work = Fact::Known(true);
    facts.compute = Compute { multiplies: Fact::Known(vec![Multiply::default()]), ..Compute::default() };
    change(&mut facts);
    derive(&mut facts);
    facts.compute.multiplies.known().expect("multiplies")[0].explained.clone()
}

fn words(text: &str) -> Fact<String> {
    Fact::Known(text.to_owned())
}

#[test]
fn an_idle_gpu_explains_nothing() {
    assert_eq!(explained(gpu(0), |_| {}), Fact::Absent);
    assert_eq!(explained(gpu(100 << 20), |_| {}), Fact::Absent, "less than a context takes");
}

#[test]
fn a_process_and_memory_that_nobody_is_shown_for_explain_a_rate_in_every_phase() {
    let busy = Gpu { utilization_percent: Fact::Known(97), ..with_process(1253, GIB) };
    assert_eq!(explained(busy, |_| {}), words("process 1253 with 1.0 GiB, at work in 97 % of the time before on it"));
    assert_eq!(explained(gpu(GIB), |_| {}), words("1.0 GiB in use by nobody that NVML shows on it"));
    let live = |facts: &mut Facts| facts.run.phase = Phase::Live;
    assert_eq!(explained(with_process(7, GIB), live), words("process 7 with 1.0 GiB on it"));
}

#[test]
fn work_before_ours_explains_a_rate_unless_the_driver_was_loaded_for_us() {
    let busy = Gpu { utilization_percent: Fact::Known(60), ..gpu(0) };
    assert_eq!(explained(busy.clone(), |_| {}), words("at work in 60 % of the time before on it"));
    assert_eq!(explained(Gpu { persistence: Fact::Known(false), ..busy }, |_| {}), Fact::Absent);
}

#[test]
fn what_was_read_late_may_be_ourselves_but_a_second_process_is_not() {
    let late = |facts: &mut Facts| facts.nvml.asked_before_work = Fact::Known(false);
    assert!(explained(with_process(1253, GIB), late).is_unknown(), "nobody can tell whether it was there before");
    let with = |count| {
        let load = GpuLoad { process_count: Fact::Known(count), ..GpuLoad::default() };
        Gpu { load: Fact::Known(load), ..gpu(0) }
    };
    assert_eq!(explained(with(2), late), words("another process during the multiplies on it"));
    assert_eq!(explained(with(1), late), Fact::Absent, "that is ourselves");
    assert!(explained(with(0), late).is_unknown(), "process ids are hidden");
}

#[test]
fn where_the_driver_does_not_say_what_it_keeps_a_twentieth_is_free_to_it() {
    let silent = |used| Gpu { memory_reserved_bytes: Fact::Known(0), ..gpu(used) };
    assert_eq!(explained(silent(GIB), |_| {}), Fact::Absent);
    assert!(explained(silent(8 * GIB), |_| {}).known().is_some());
}

#[test]
fn slices_of_others_are_none_of_ours() {
    let sliced = |used| Gpu { mig_enabled: Fact::Known(true), ..gpu(used) };
    assert_eq!(explained(sliced(8 * GIB), |_| {}), Fact::Absent);
}

#[test]
fn a_preloaded_library_for_sharing_explains_whatever_it_leaves() {
    let layer = |path: &str| {
        let path = path.to_owned();
        explained(gpu(0), move |facts| facts.environment.preloaded = Fact::Known(vec![path]))
    };
    assert_eq!(layer("/usr/local/vgpu/libvgpu.so"), words("/usr/local/vgpu/libvgpu.so shares the GPU out"));
    assert_eq!(layer("/usr/lib/libjemalloc.so.2"), Fact::Absent);
}

#[test]
fn where_nobody_can_be_asked_it_stays_open_in_phase_live_alone() {
    let blind = |phase| {
        explained(gpu(0), move |facts| {
            facts.gpus = Fact::unknown(GapKind::NotPermitted, "NVML");
            facts.run.phase = phase;
        })
    };
    assert!(blind(Phase::Live).is_unknown());
    assert_eq!(blind(Phase::Start), Fact::Absent);
}
