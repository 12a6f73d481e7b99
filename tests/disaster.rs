//! Eight GPUs, five of them broken in five ways: one run, one deadline, a verdict on each. And eight that only start slowly.
#![allow(clippy::disallowed_methods)] // a test looks from outside, past the door
#![allow(clippy::print_stdout)] // `--nocapture` shows what was measured

#[path = "support/failure.rs"]
#[allow(dead_code, reason = "only the scenarios are used here")]
mod failure;
#[path = "support/fakes.rs"]
mod fakes;
#[path = "support/played.rs"]
mod played;
#[path = "support/verdict.rs"]
mod verdict;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use failure::Scenario;
use gpu_preflight::facts::Precision;
use played::{Played, play};
use verdict::Report;

/// Seconds beyond the deadline until everything must have been read.
const GRACE: f64 = 0.5;
/// How much longer eight GPUs may take than one.
const RATIO: f64 = 1.3;

/// One test at a time: one looks at the children of this process, the other measures.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays a scenario, and gives every call that its libraries heard, in order.
fn looked_at(gpus: u64, deadline: f64, fake: &str) -> (Played, Vec<String>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let log = folder.path().join("calls");
    let fake = format!("{fake};log={}", log.display());
    let played = play(&Scenario { gpus: Some(gpus), deadline: Some(deadline), fake, ..Scenario::default() });
    assert_eq!(left_over(&log), Vec::<String>::new(), "processes of ours are left");
    let calls = std::fs::read_to_string(&log).expect("the libraries were called");
    (played, calls.lines().map(str::to_owned).collect())
}

/// Children of this process, be they zombies, and whoever has this log in its environment, whoever its parent is.
fn left_over(log: &Path) -> Vec<String> {
    let (own, log) = (std::process::id().to_string(), log.to_str().expect("UTF-8").as_bytes());
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let is_left = |entry: &std::fs::DirEntry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        parent == Some(&own) || environment.windows(log.len()).any(|window| window == log)
    };
    processes.filter(is_left).map(|entry| entry.path().display().to_string()).collect()
}

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
    let _turn = alone();
    let fake = "hang=cudaSetDevice 1;crash=cublasGemmEx 2;wrong=3;slow=4:0.33;lost=5";
    let (played, _) = looked_at(8, 12.0, fake);
    println!("{:.2} s with a deadline of {} s", played.wall, played.deadline);
    assert!(played.wall < played.deadline + GRACE, "{} s", played.wall);
    let report = Report::of(&played.facts);
    assert_eq!((report.json["verdict"].as_str(), report.code), (Some("not-ready"), Some(1)), "{}", report.troubles());

    let of = |outcome: &str| report.outcomes().into_iter().filter(|found| found.2 == outcome).collect::<Vec<_>>();
    let accused: BTreeSet<_> = of("fails").into_iter().map(|(check, subject, _)| (check, subject)).collect();
    assert_eq!(accused, accusations(), "{}", report.troubles());

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
                let held = (check.to_owned(), format!("GPU {gpu} {precision}"), "holds".to_owned());
                assert!(report.outcomes().contains(&held), "{held:?}\n{}", report.troubles());
            }
        }
    }
    let undecided = of("unknown").into_iter().chain(of("blocked"));
    for (check, subject, outcome) in undecided {
        let broken = (1..=4).any(|gpu| subject.starts_with(&format!("GPU {gpu} ")));
        assert!(broken, "{check} of {subject:?} is {outcome}\n{}", report.troubles());
    }
}

/// The whole program takes as long for eight GPUs as for one, as far as it waits for them: here no handle of cuBLAS is to be
/// had, so that each child makes its context and then ends. What follows it in a healthy run is arithmetic on the CPU, by the
/// fakes and by the proofs; on fewer cores than GPUs it takes its turns, so the ratio of whole healthy runs is printed
/// and not judged. Of those, the order of calls shows that no context waited for another.
#[test]
fn eight_gpus_that_start_slowly_take_hardly_longer_than_one() {
    let _turn = alone();
    let best_of_three = |fake: &str| {
        let (mut best, mut at_once) = ([f64::INFINITY; 2], 0);
        for _ in 0..3 {
            for (gpus, best) in [1, 8].into_iter().zip(&mut best) {
                let (played, calls) = looked_at(gpus, 60.0, &format!("{fake};context_ms=300"));
                *best = best.min(played.wall);
                at_once = at_once.max(begun_before_one_was_made(&calls));
            }
        }
        assert_eq!(at_once, 8, "contexts that were begun before the first was made");
        best
    };
    let [one, eight] = best_of_three("cublas_create=1");
    let [one_whole, eight_whole] = best_of_three("");
    println!("contexts alone: {one:.3} s and {eight:.3} s, a ratio of {:.2}", eight / one);
    println!("with multiplies: {one_whole:.3} s and {eight_whole:.3} s, a ratio of {:.2}", eight_whole / one_whole);
    assert!(eight <= one * RATIO, "{one:.3} s for one GPU, {eight:.3} s for eight: {:.2} times", eight / one);
}

/// Contexts that were begun before the first of them was made and its handle asked for.
fn begun_before_one_was_made(calls: &[String]) -> usize {
    calls.iter().take_while(|call| *call != "cublasCreate_v2").filter(|call| *call == "context").count()
}
