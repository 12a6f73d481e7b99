//! How deep a look goes: what each tier does to the GPU, by the call log of the fakes, and how long it takes.

use gpu_preflight::facts::{Fact, Facts, Precision, Proof, Tier};

use crate::support::failures::Scenario;
use crate::support::fake_machine::{Collected, collect_on};
use crate::support::outcome;
use crate::support::patience::allowed;
use crate::support::report::{Report, plan};

/// Seconds that the tier quick may take.
const QUICK: f64 = 0.3;

/// What is learnt of a healthy machine with so many GPUs in a tier.
fn looked(tier: &str, gpus: u64) -> Collected {
    collect_on(&Scenario { gpus: Some(gpus), tier: Some(tier.to_owned()), ..Scenario::default() })
}

fn count(calls: &[String], name: &str) -> usize {
    calls.iter().filter(|call| *call == name).count()
}

#[test]
fn quick_makes_no_context_and_standard_makes_one_on_every_gpu() {
    let quick = looked("quick", 2);
    let calls = &quick.calls;
    for name in ["context", "cudaSetDevice", "cudaMemGetInfo", "cudaMalloc", "cublasCreate_v2", "cublasGemmEx"] {
        assert_eq!(count(calls, name), 0, "{name} in {calls:?}");
    }
    assert!(count(calls, "cuInit") > 0 && count(calls, "nvmlInit_v2") > 0, "drivers are asked: {calls:?}");
    assert!(quick.facts.compute.multiplies.is_unknown() && quick.facts.compute.copies.is_unknown());
    assert_eq!(quick.facts.run.tier, Tier::Quick);
    assert!(quick.facts.probes.iter().all(|run| run.name != "compute"), "{:?}", quick.facts.probes);

    let standard = looked("standard", 2);
    let calls = &standard.calls;
    assert_eq!((count(calls, "context"), count(calls, "cudaSetDevice")), (2, 2), "{calls:?}");
    assert!(count(calls, "cublasGemmEx") > 0);
    assert_eq!(standard.facts.compute.multiplies.known().map(Vec::len), Some(2 * Precision::ALL.len()));
}

#[test]
fn a_quick_look_at_a_healthy_machine_is_ready_and_says_that_it_did_not_multiply() {
    let played = looked("quick", 1);
    let report = Report::of(&played.facts);
    assert_eq!((report.verdict(), report.code), ("ready", 0), "{}", report.troubles());
    let compute: Vec<_> = report
        .findings()
        .filter(|finding| finding["check"].as_str().is_some_and(|id| id.starts_with("compute.")))
        // Drivers and libraries can be killed for lack of memory, too.
        .filter(|finding| finding["check"] != "compute.host-memory-sufficient")
        .collect();
    assert!(!compute.is_empty());
    assert!(compute.iter().all(|finding| finding["outcome"] == "not-applicable"), "{compute:?}");
    let text = outcome::text(&plan(&[], "production"), &played.facts);
    let line = text.lines().find(|line| line.contains("multiply")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("the tier quick does not multiply"), "{line}");
    assert!(line.contains(" · "), "what was not looked at is neither well nor open: {line}");
}

#[test]
fn soak_repeats_its_multiplies_lets_memory_keep_patterns_and_looks_at_the_links() {
    let played = collect_on(&Scenario {
        gpus: Some(2),
        tier: Some("soak".to_owned()),
        soak: Some(1),
        fake: "free=300000000".to_owned(),
        ..Scenario::default()
    });
    for multiply in played.facts.compute.multiplies.known().expect("multiplies") {
        assert!(multiply.repeated_count.known().is_some_and(|count| *count > 0), "{multiply:?}");
        assert_eq!((&multiply.proof, &multiply.proof_detail), (&Fact::Known(Proof::Exact), &Fact::Absent));
        let rates = multiply.slowest_tflops.known().zip(multiply.tflops.known());
        assert!(rates.is_some_and(|(slowest, median)| slowest <= median), "{multiply:?}");
    }
    let patterns = played.facts.memory.patterns.known().expect("patterns");
    assert!(patterns.len() == 2 && patterns.iter().all(|gpu| gpu.kept == Fact::Known(Proof::Exact)), "{patterns:?}");
    assert_eq!(played.facts.links.pairs.known().map(Vec::len), Some(2));
    assert_eq!(played.facts.links.nccl.summed, Fact::Known(Proof::Exact));
    assert_eq!((count(&played.calls, "ncclCommInitAll"), played.facts.run.soak_seconds.known()), (1, Some(&1.0)));
    let report = Report::of(&played.facts);
    assert_eq!((report.verdict(), report.code), ("ready", 0), "{}", report.troubles());
}

#[test]
fn a_crash_in_a_repetition_is_told_of_the_precision_that_it_was_in() {
    let played = collect_on(&Scenario {
        tier: Some("soak".to_owned()),
        soak: Some(5),
        fake: "free=9000000;crash_nth=cublasLtMatmul:400".to_owned(),
        ..Scenario::default()
    });
    let multiplies = played.facts.compute.multiplies.known().expect("multiplies");
    assert_eq!(multiplies.len(), Precision::ALL.len());
    assert!(multiplies.iter().all(|multiply| multiply.proof == Fact::Known(Proof::Exact)), "{multiplies:?}");
    let lost: Vec<_> = multiplies.iter().filter(|multiply| multiply.failure.known().is_some()).collect();
    assert_eq!(lost.len(), 1, "{multiplies:?}");
    assert!(matches!(lost[0].precision, Precision::Int8 | Precision::Float8), "{lost:?}");
    assert_eq!(lost[0].failure.clone().map(|failure| failure.words()), Fact::Known("SIGSEGV".to_owned()));
    let report = Report::of(&played.facts);
    assert_eq!(report.verdict(), "not-ready", "{}", report.troubles());
}

#[test]
fn standard_neither_repeats_nor_looks_at_links() {
    let played = looked("standard", 2);
    assert_eq!((count(&played.calls, "cudaMemcpyPeer"), count(&played.calls, "ncclGetVersion")), (0, 0));
    assert_eq!((&played.facts.memory.patterns, played.facts.links.pairs.is_unknown()), (&Fact::Absent, true));
    let multiplies = played.facts.compute.multiplies.known().expect("multiplies");
    assert!(multiplies.iter().all(|multiply| multiply.repeated_count == Fact::Absent), "{multiplies:?}");
}

#[test]
fn a_recording_without_a_tier_is_a_standard_one() {
    let played = looked("standard", 1);
    let mut recording = serde_json::to_value(&played.facts).expect("JSON");
    recording["run"].as_object_mut().expect("a record").remove("tier").expect("it is recorded");
    let older: Facts = serde_json::from_value(recording).expect("facts");
    assert_eq!(older, played.facts);
}

#[test]
fn a_quick_look_is_quick() {
    let wall = looked("quick", 1).wall;
    assert!(wall < allowed(QUICK).as_secs_f64(), "{wall} s");
}
