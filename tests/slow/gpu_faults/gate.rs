//! Multiplies begin before it is known whether they may, and use no GPU until then.

use gpu_preflight::facts::{Fact, FailedHow, GapKind};

use super::{HUNG, known};
use crate::support::failures::Scenario;
use crate::support::fake_machine::collect_on;

/// The driver takes as long as on a real machine, or it would have answered before anybody else has begun.
fn plays(fake: &str, deadline: Option<f64>) -> Scenario {
    Scenario { fake: format!("timed=1;{fake}"), deadline, ..Scenario::default() }
}

#[test]
fn no_context_is_made_before_nvml_has_looked_at_the_gpus() {
    for fake in ["", "count=8"] {
        let gpus = if fake.is_empty() { None } else { Some(8) };
        let calls = collect_on(&Scenario { gpus, ..plays(fake, None) }).calls;
        let place = |call: &str| calls.iter().position(|made| made == call).unwrap_or_else(|| panic!("{call}: never"));
        assert!(place("nvmlDeviceGetHandleByIndex_v2") < place("context"), "{calls:?}");
        let begun = calls.iter().filter(|call| *call == "cudaGetDeviceCount").count();
        assert_eq!(begun, usize::try_from(gpus.unwrap_or(1)).expect("few"), "each is begun once");
    }
}

#[test]
fn a_driver_that_does_not_answer_lets_nobody_through() {
    let collected = collect_on(&plays("hang=cuInit", Some(HUNG)));
    let Fact::Unknown(gap) = &collected.facts.compute.multiplies else { panic!("nobody was to multiply") };
    assert_eq!(gap.kind, GapKind::NotAsked);
    assert!(!collected.calls.iter().any(|call| call == "cudaSetDevice"), "{:?}", collected.calls);
    assert!(!collected.facts.probes.iter().any(|run| run.name == "compute"), "nobody is told of who was not wanted");
}

#[test]
fn who_ends_before_the_gate_is_begun_once_more_and_then_believed() {
    // So slow that whoever is to be early is.
    let fake = "timed=20;crash=cudaGetDeviceCount".to_owned();
    let collected = collect_on(&Scenario { fake, ..Scenario::default() });
    let failure = known(&known(&collected.facts.compute.multiplies)[0].failure);
    assert_eq!((failure.call.as_str(), failure.how), ("cudaGetDeviceCount", FailedHow::Crashed));
    let begun = collected.calls.iter().filter(|call| *call == "cudaGetDeviceCount").count();
    assert_eq!(begun, 2, "{:?}", collected.calls);
}

#[test]
fn a_gpu_that_was_not_ready_when_it_was_asked_too_early_is_asked_again() {
    // The driver's own child asks for a second; a runtime remembers what it was told first.
    let collected = collect_on(&plays("cu_init=802;cu_init_ready=2", None));
    let multiplies = known(&collected.facts.compute.multiplies);
    assert!(multiplies.iter().all(|multiply| multiply.failure == Fact::Absent), "{multiplies:?}");
}
