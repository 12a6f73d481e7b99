//! Multiplies begin before it is known whether they may, and use no GPU until then.

use gpu_preflight::facts::{Fact, FailedHow, GapKind};

use super::{HUNG, known};
use crate::support::failures::Scenario;
use crate::support::fake_machine::{Collected, collect_on};

/// The driver's own child, which alone asks it for the number of devices, waits until the multiplies have begun.
const BEGUN: &str = "after=cuDeviceGetCount:cudaGetDeviceCount";

fn played(fake: &str, gpus: u64, deadline: Option<f64>) -> Collected {
    let fake = format!("count={gpus};{fake}");
    collect_on(&Scenario { fake, gpus: Some(gpus), deadline, ..Scenario::default() })
}

fn times(collected: &Collected, call: &str) -> usize {
    collected.calls.iter().filter(|made| *made == call).count()
}

#[test]
fn no_context_is_made_before_nvml_has_looked_at_the_gpus() {
    for gpus in [1, 8] {
        // NVML comes last: whoever did not wait for it would have his context by then.
        let collected = played("after=nvmlDeviceGetHandleByIndex_v2:cudaGetDeviceCount", gpus, None);
        let place = |call: &str| collected.calls.iter().position(|made| made == call).expect("it is made");
        // A machine so busy that NVML takes two seconds says so.
        let was_asked = collected.facts.nvml.asked_before_work != Fact::Known(false);
        let is_first = place("nvmlDeviceGetHandleByIndex_v2") < place("context");
        assert!(is_first || !was_asked, "{:?}", collected.calls);
    }
}

#[test]
fn a_driver_that_does_not_answer_lets_nobody_through() {
    let collected = played("hang=cuDeviceGetCount", 1, Some(HUNG));
    let Fact::Unknown(gap) = &collected.facts.compute.multiplies else { panic!("nobody was to multiply") };
    assert_eq!(gap.kind, GapKind::NotAsked);
    assert_eq!(times(&collected, "context"), 0, "{:?}", collected.calls);
    assert!(!collected.facts.probes.iter().any(|run| run.name == "compute"), "nobody is told of who was not wanted");
}

#[test]
fn who_ends_before_the_gate_is_begun_once_more_and_then_believed() {
    let collected = played(&format!("{BEGUN};crash=cudaGetDeviceCount"), 1, None);
    let failure = known(&known(&collected.facts.compute.multiplies)[0].failure);
    assert_eq!((failure.call.as_str(), failure.how), ("cudaGetDeviceCount", FailedHow::Crashed));
    assert_eq!(times(&collected, "cudaGetDeviceCount"), 2, "{:?}", collected.calls);
}

#[test]
fn a_gpu_that_was_not_ready_when_it_was_asked_too_early_is_asked_again() {
    // The driver's own child asks until the GPU is ready; the runtime asks once, and does not forget the answer.
    let collected = played(&format!("{BEGUN};cu_init=802;cu_init_ready=4"), 1, None);
    let multiplies = known(&collected.facts.compute.multiplies);
    assert!(multiplies.iter().all(|multiply| multiply.failure == Fact::Absent), "{multiplies:?}");
}
