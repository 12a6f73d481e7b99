//! How deep a look goes: what each tier does to the GPU, by the call log of the fakes, and how long it takes.
#![allow(clippy::disallowed_methods)] // a test looks from outside, past the door

#[path = "support/failure.rs"]
#[allow(dead_code, reason = "only the scenarios are used here")]
mod failure;
#[path = "support/fakes.rs"]
mod fakes;
#[path = "support/played.rs"]
#[allow(dead_code, reason = "the deadline is not looked at here")]
mod played;
#[path = "support/verdict.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod verdict;

use failure::Scenario;
use gpu_preflight::facts::{Fact, Facts, Precision, Proof, Tier};
use played::{Played, play};
use verdict::Report;

/// Seconds that the tier quick may take.
const QUICK: f64 = 0.3;

/// A healthy machine with so many GPUs, looked at in a tier, and every call that its libraries heard.
fn looked(tier: &str, gpus: u64) -> (Played, Vec<String>) {
    let calm = Scenario { deadline: Some(60.0), ..Scenario::default() };
    looked_at(&Scenario { gpus: Some(gpus), tier: Some(tier.to_owned()), ..calm })
}

fn looked_at(scenario: &Scenario) -> (Played, Vec<String>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let log = folder.path().join("calls");
    let scenario = Scenario { fake: format!("{};log={}", scenario.fake, log.display()), ..scenario.clone() };
    let played = play(&scenario);
    let calls = std::fs::read_to_string(log).expect("the libraries were called");
    (played, calls.lines().map(str::to_owned).collect())
}

fn count(calls: &[String], name: &str) -> usize {
    calls.iter().filter(|call| *call == name).count()
}

#[test]
fn quick_makes_no_context_and_standard_makes_one_on_every_gpu() {
    let (quick, calls) = looked("quick", 2);
    for name in ["context", "cudaSetDevice", "cudaMemGetInfo", "cudaMalloc", "cublasCreate_v2", "cublasGemmEx"] {
        assert_eq!(count(&calls, name), 0, "{name} in {calls:?}");
    }
    assert!(count(&calls, "cuInit") > 0 && count(&calls, "nvmlInit_v2") > 0, "drivers are asked: {calls:?}");
    assert!(quick.facts.compute.multiplies.is_unknown() && quick.facts.compute.copies.is_unknown());
    assert_eq!(quick.facts.run.tier, Tier::Quick);
    assert!(quick.facts.probes.iter().all(|run| run.name != "compute"), "{:?}", quick.facts.probes);

    let (standard, calls) = looked("standard", 2);
    assert_eq!((count(&calls, "context"), count(&calls, "cudaSetDevice")), (2, 2), "{calls:?}");
    assert!(count(&calls, "cublasGemmEx") > 0);
    assert_eq!(standard.facts.compute.multiplies.known().map(Vec::len), Some(2 * Precision::ALL.len()));
}

#[test]
fn a_quick_look_at_a_healthy_machine_is_ready_and_says_that_it_did_not_multiply() {
    let (played, _) = looked("quick", 1);
    let report = Report::of(&played.facts);
    assert_eq!((report.json["verdict"].as_str(), report.code), (Some("ready"), Some(0)), "{}", report.troubles());
    let compute: Vec<_> = report
        .findings()
        .filter(|finding| finding["check"].as_str().is_some_and(|id| id.starts_with("compute.")))
        .collect();
    assert!(!compute.is_empty());
    assert!(compute.iter().all(|finding| finding["outcome"] == "not-applicable"), "{compute:?}");
    let text = text(&played.facts);
    let line = text.lines().find(|line| line.contains("multiply")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("the tier quick does not multiply"), "{line}");
    assert!(line.contains(" · "), "what was not looked at is neither well nor open: {line}");
}

#[test]
fn soak_repeats_its_multiplies_lets_memory_keep_patterns_and_looks_at_the_links() {
    let (played, calls) = looked_at(&Scenario {
        gpus: Some(2),
        tier: Some("soak".to_owned()),
        soak: Some(1),
        fake: "free=300000000".to_owned(),
        deadline: Some(90.0),
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
    assert_eq!((count(&calls, "ncclCommInitAll"), played.facts.run.soak_seconds.known()), (1, Some(&1.0)));
    let report = Report::of(&played.facts);
    assert_eq!((report.json["verdict"].as_str(), report.code), (Some("ready"), Some(0)), "{}", report.troubles());
}

#[test]
fn a_crash_in_a_repetition_is_told_of_the_precision_that_it_was_in() {
    let (played, _) = looked_at(&Scenario {
        tier: Some("soak".to_owned()),
        soak: Some(5),
        fake: "free=9000000;crash_nth=cublasLtMatmul:400".to_owned(),
        deadline: Some(60.0),
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
    assert_eq!(report.json["verdict"], "not-ready", "{}", report.troubles());
}

#[test]
fn standard_neither_repeats_nor_looks_at_links() {
    let (played, calls) = looked("standard", 2);
    assert_eq!((count(&calls, "cudaMemcpyPeer"), count(&calls, "ncclGetVersion")), (0, 0));
    assert_eq!((&played.facts.memory.patterns, played.facts.links.pairs.is_unknown()), (&Fact::Absent, true));
    let multiplies = played.facts.compute.multiplies.known().expect("multiplies");
    assert!(multiplies.iter().all(|multiply| multiply.repeated_count == Fact::Absent), "{multiplies:?}");
}

/// The report for people.
fn text(facts: &Facts) -> String {
    let file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a file");
    std::fs::write(file.path(), serde_json::to_vec(facts).expect("JSON")).expect("a file");
    let program = env!("CARGO_BIN_EXE_gpu-preflight");
    let output = std::process::Command::new(program).arg("judge").arg(file.path()).output().expect("it runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_recording_without_a_tier_is_a_standard_one() {
    let (played, _) = looked("standard", 1);
    let mut recording = serde_json::to_value(&played.facts).expect("JSON");
    recording["run"].as_object_mut().expect("a record").remove("tier").expect("it is recorded");
    let older: Facts = serde_json::from_value(recording).expect("facts");
    assert_eq!(older, played.facts);
}

#[test]
fn a_quick_look_is_quick() {
    // A machine that others use too may be late by itself; a program that is late always is.
    let walls: Vec<f64> = (0..3).map(|_| looked("quick", 1).0.wall).collect();
    assert!(walls.iter().any(|wall| *wall < QUICK), "{walls:?} seconds, each more than {QUICK}");
}
