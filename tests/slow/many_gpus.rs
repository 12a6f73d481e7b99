//! Eight GPUs at once: five of them broken in five ways, and eight that start.

use std::collections::BTreeSet;

use gpu_preflight::facts::Precision;

use crate::support::failures::Scenario;
use crate::support::fake_machine::FakeMachine;
use crate::support::patience;
use crate::support::report::{Report, answerable, plan};

/// What a look at the five and the three must accuse: check and subject.
///
/// Who hangs or crashes is known by the first precision and not tried in the others. Nothing but NVML tells that GPU 5 is
/// lost: the fake CUDA goes on to multiply on it, as long as nobody touches what is gone. On a real one its multiplies
/// would fail as well, which is easier to see.
fn accusations() -> BTreeSet<(String, String)> {
    let in_each = |check: &'static str, gpu: u32| {
        Precision::ALL.iter().map(move |precision| (check, format!("GPU {gpu} {precision}")))
    };
    let mut expected = vec![
        ("compute.multiply-runs", "GPU 1 float32".to_owned()),
        ("compute.multiply-runs", "GPU 2 float32".to_owned()),
        ("gpu.none-lost", String::new()),
    ];
    expected.extend(in_each("compute.product-exact", 3));
    // No rate of 8-bit integers was published for this model, so none is expected.
    expected.extend(in_each("compute.rate-expected", 4).filter(|(_, subject)| !subject.ends_with("int8")));
    expected.into_iter().map(|(check, subject)| (check.to_owned(), subject)).collect()
}

#[test]
fn five_of_eight_gpus_broken_in_five_ways_are_told_apart_in_one_run() {
    // The one that hangs has the run wait until the deadline; the others need a small part of the time.
    let machine = FakeMachine::new(&Scenario {
        gpus: Some(8),
        deadline: Some(60.0),
        fake: "hang=cudaSetDevice 1;crash=cublasGemmEx 2;wrong=3;slow=4:0.33;lost=5".to_owned(),
        ..Scenario::default()
    });
    // What lies beside the GPUs is of an older recording, which did not ask all that is asked today.
    let facts = machine.collect().facts;
    let report = Report::under(&answerable(&plan(&[], "production"), &facts), &facts);
    patience::until("its children end", || !machine.is_looked_at());
    assert_eq!((report.verdict(), report.code), ("not-ready", 1), "{}", report.troubles());
    assert_eq!(report.subjects("fails"), accusations(), "{}", report.troubles());

    for (check, subject, words) in [
        ("compute.multiply-runs", "GPU 1 float32", "cudaSetDevice gives no answer within"),
        ("compute.multiply-runs", "GPU 2 float32", "cublasGemmEx gives SIGSEGV"),
        ("compute.product-exact", "GPU 3 bfloat16", "element (17, 3)"),
        ("compute.rate-expected", "GPU 4 bfloat16", "34 %"),
        ("gpu.none-lost", "", "5: 15 NVML_ERROR_GPU_IS_LOST"),
    ] {
        let told = report
            .findings()
            .find(|finding| finding["check"] == check && finding["subject"].as_str().unwrap_or_default() == subject);
        let message = told.and_then(|told| told["message"].as_str()).unwrap_or_default();
        assert!(message.contains(words), "{check} of {subject:?}: {message}");
    }

    // Of those that can be multiplied on, all is known; of the others nothing is guessed.
    for check in ["compute.multiply-runs", "compute.product-exact", "compute.rate-expected", "compute.siblings-equal"] {
        for gpu in [0, 5, 6, 7] {
            for precision in Precision::ALL {
                let held = (check.to_owned(), format!("GPU {gpu} {precision}"));
                assert!(report.subjects("holds").contains(&held), "{held:?}\n{}", report.troubles());
            }
        }
    }
    for (check, subject) in report.subjects("unknown").into_iter().chain(report.subjects("blocked")) {
        let broken = (1..=4).any(|gpu| subject.starts_with(&format!("GPU {gpu} ")));
        assert!(broken, "{check} of {subject:?} is open\n{}", report.troubles());
    }
}

/// As each context is made only when all eight have been begun, a run that made one after another would hang.
#[test]
fn eight_gpus_start_at_once() {
    let collected =
        FakeMachine::new(&Scenario { gpus: Some(8), fake: "together=8".to_owned(), ..Scenario::default() }).collect();
    let multiplies = collected.facts.compute.multiplies.known().expect("multiplies");
    assert_eq!(multiplies.len(), 8 * Precision::ALL.len());
    assert!(multiplies.iter().all(|multiply| multiply.failure.is_absent()), "{multiplies:?}");
}
