//! One wrong bit of one element of one product is caught every time, and a healthy GPU is never accused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gpu_preflight::facts::{Fact, Facts, Multiply, Precision, Proof};

use crate::support::bless;
use crate::support::failures::Scenario;
use crate::support::fake_machine::collect_on;
use crate::support::report::Report;

const RUNS: usize = 200;

/// Rows of a proof, and bytes of memory that leave room for no larger one, nor for a fingerprint.
const ROWS: usize = 256;
const FREE: u64 = 9_000_000;

/// Bytes of memory that leave room for a fingerprint of 512 rows, and for no large proof.
const FREE_FOR_BITS: u64 = 40_000_000;

/// Ways to spoil a product, as `tests/fakes/arithmetic.rs` plays them.
const PATTERNS: [(&str, &str); 16] = [
    ("one-bit-high", "a high bit of one element"),
    ("one-bit-low", "the lowest bit of one element"),
    ("several-bits-of-one", "four bits of one element"),
    ("sign", "the sign of one element"),
    ("nan", "one NaN"),
    ("infinity", "one infinity"),
    ("zero", "one element is zero"),
    ("warp-one-bit", "the same bit of a warp's 32 elements"),
    ("warp-several-bits", "another bit in each of a warp's elements"),
    ("warp-zero", "a warp's elements are zero"),
    ("every-32nd", "a bit of every 32nd element"),
    ("tile-of-16-by-8", "a bit of a whole tile of a tensor core"),
    ("two-that-cancel", "two elements of one row whose sum is right"),
    ("last-bit-of-rounded", "the last bit of sums that were rounded"),
    ("only-larger", "the same, only in products of more than 512 rows"),
    ("only-later", "a bit, only in products after the first eight"),
];

/// Compute capabilities and the precisions of such GPUs. What older ones lack makes their runs shorter.
const GENERATIONS: [(&str, &[Precision]); 3] = [
    ("5.0", &[Precision::Float32, Precision::Float64]),
    ("7.5", &[Precision::Float32, Precision::Float16, Precision::Float64, Precision::Int8]),
    ("9.0", Precision::ALL),
];

/// Two GPUs and the one bit that is wrong on one of them.
struct Flip {
    capability: &'static str,
    precisions: &'static [Precision],
    gpu: usize,
    precision: Precision,
    element: usize,
    bit: usize,
}

impl Flip {
    /// The same for the same number.
    fn of_run(run: usize) -> Self {
        let mut random = Random(run as u64);
        let (capability, precisions) = GENERATIONS[random.below(GENERATIONS.len())];
        let precision = precisions[random.below(precisions.len())];
        Self {
            capability,
            precisions,
            gpu: random.below(2),
            precision,
            element: random.below(ROWS * ROWS),
            bit: random.below(if precision == Precision::Float64 { 64 } else { 32 }),
        }
    }

    fn scenario(&self) -> Scenario {
        let Self { capability, gpu, precision, element, bit, .. } = self;
        let fake = format!("cc={capability};free={FREE};wrong_bit={gpu}:{precision}:{element}:{bit}:0");
        Scenario { gpus: Some(2), fake, ..Scenario::default() }
    }

    /// What is wrong with the verdict on it; nothing when this bit is found and nobody else accused.
    fn mistake(&self, facts: &Facts, report: &Report) -> Option<String> {
        let expected =
            BTreeSet::from([("compute.product-exact".to_owned(), format!("GPU {} {}", self.gpu, self.precision))]);
        let place = format!("element ({}, {})", self.element % ROWS, self.element / ROWS);
        let multiplies = facts.compute.multiplies.known().map_or(&[][..], Vec::as_slice);
        let exact = multiplies.iter().filter(|multiply| multiply.proof.known() == Some(&Proof::Exact)).count();
        let told = report.findings().any(|found| found["message"].as_str().is_some_and(|words| words.contains(&place)));
        let right = report.subjects("fails") == expected
            && told
            && exact == 2 * self.precisions.len() - 1
            && (report.verdict(), report.code) == ("not-ready", 1);
        (!right).then(|| format!("{}, {place}:\n{}", self.scenario().fake, report.troubles()))
    }
}

/// `SplitMix64`: fixed numbers that look like chance.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % limit as u64).expect("less than the limit")
    }
}

/// What came of all runs, in their order. As many at once as there are cores, and one test at a time.
fn in_every_run<T: Send>(look: impl Fn(usize) -> T + Sync) -> Vec<T> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let run @ 0..RUNS = next.fetch_add(1, Ordering::Relaxed) {
                    let came = look(run);
                    done.lock().expect("no run panics").insert(run, came);
                }
            });
        }
    });
    done.into_inner().expect("no run panics").into_values().collect()
}

#[test]
fn one_wrong_bit_is_caught_on_its_gpu_in_its_precision_in_every_run() {
    let missed: Vec<String> = in_every_run(|run| {
        let flip = Flip::of_run(run);
        let facts = collect_on(&flip.scenario()).facts;
        flip.mistake(&facts, &Report::of(&facts))
    })
    .into_iter()
    .flatten()
    .collect();
    let caught = format!("caught {} of {RUNS}", RUNS - missed.len());
    assert!(missed.is_empty(), "{caught}, missed:\n{}", missed.join("\n"));
}

#[test]
fn a_healthy_gpu_is_never_accused_whatever_it_multiplies() {
    let looks = in_every_run(|run| {
        let (capability, precisions) = GENERATIONS[run % GENERATIONS.len()];
        let fake = format!("cc={capability};free={FREE}");
        let collected = collect_on(&Scenario { fake, ..Scenario::default() });
        let report = Report::of(&collected.facts);
        let operands: Vec<String> = collected.calls.into_iter().filter(|call| call.starts_with("operands")).collect();
        assert_eq!(operands.len(), precisions.len(), "a proof each");
        let healthy = report.subjects("fails").is_empty() && (report.verdict(), report.code) == ("ready", 0);
        (operands, (!healthy).then(|| report.troubles()))
    });
    let (operands, accusations): (Vec<_>, Vec<_>) = looks.into_iter().unzip();
    let accusations: Vec<String> = accusations.into_iter().flatten().collect();
    let told = format!("accused {} of {RUNS}", accusations.len());
    assert!(accusations.is_empty(), "{told}:\n{}", accusations.join("\n"));

    let proofs: Vec<&String> = operands.iter().flatten().collect();
    let fresh: BTreeSet<&&String> = proofs.iter().collect();
    assert_eq!(fresh.len(), proofs.len(), "different operands of {} proofs in {RUNS} runs", proofs.len());
}

#[test]
fn a_bit_that_flips_only_later_is_caught_by_the_tier_that_repeats() {
    for precision in Precision::ALL {
        // There is room for one proof and no fingerprint, so that the second product is the first that is repeated.
        let fake = format!("free={FREE};wrong_bit=0:{precision}:777:3:1");
        let soak = Scenario { tier: Some("soak".to_owned()), soak: Some(1), ..Scenario::default() };
        let facts = collect_on(&Scenario { fake, ..soak }).facts;
        let report = Report::of(&facts);
        let expected = BTreeSet::from([("compute.product-exact".to_owned(), format!("GPU 0 {precision}"))]);
        assert_eq!(report.subjects("fails"), expected, "{precision}\n{}", report.troubles());
        assert!(report.troubles().contains("in repetition "), "{}", report.troubles());
    }
}

/// What is seen of a fault in each precision: whether the product is proven wrong, and the fingerprint.
fn seen(pattern: &str) -> Vec<(Precision, bool, Option<String>)> {
    let fake = format!("free={FREE_FOR_BITS};pattern={pattern}");
    let facts = collect_on(&Scenario { fake, ..Scenario::default() }).facts;
    let multiplies = facts.compute.multiplies.known().expect("multiplies");
    let one = |multiply: &Multiply| {
        (multiply.precision, multiply.proof == Fact::Known(Proof::Wrong), multiply.fingerprint.known().cloned())
    };
    multiplies.iter().map(one).collect()
}

/// Whether a precision can be wrong in this way: an integer has no NaN, and no sum of integers is rounded.
fn can_be(pattern: &str, precision: Precision) -> bool {
    match pattern {
        "nan" | "infinity" | "last-bit-of-rounded" | "only-larger" => precision != Precision::Int8,
        "two-that-cancel" => !matches!(precision, Precision::Int8 | Precision::Float64),
        _ => true,
    }
}

#[test]
fn which_patterns_are_caught_by_what_is_current() {
    let healthy = seen("none");
    assert!(healthy.iter().all(|(_, wrong, digest)| !wrong && digest.is_some()), "{healthy:?}");
    let mut text = String::from("| fault | proof | fingerprint | neither |\n|---|---|---|---|\n");
    let mut sums = [0_usize; 3];
    for (pattern, words) in PATTERNS {
        let mut caught: [Vec<&str>; 3] = Default::default();
        let pairs: Vec<_> = seen(pattern).into_iter().zip(&healthy).collect();
        let mut played = 0;
        for ((precision, wrong, digest), (_, _, known)) in pairs {
            if !can_be(pattern, precision) {
                continue;
            }
            played += 1;
            let differs = digest != *known;
            let by = [wrong, differs, !wrong && !differs];
            by.iter().zip(&mut caught).filter(|(is, _)| **is).for_each(|(_, list)| list.push(precision.as_str()));
        }
        let cell = |list: &Vec<&str>| match list.len() {
            all if all == played => "all".to_owned(),
            0 => "–".to_owned(),
            _ => list.join(", "),
        };
        let cells: Vec<String> = caught.iter().map(cell).collect();
        text += &["| ", words, " | ", &cells.join(" | "), " |\n"].concat();
        sums.iter_mut().zip(&caught).for_each(|(sum, list)| *sum += list.len());
        let is_out_of_reach = pattern.starts_with("only-");
        assert_eq!(caught[2].is_empty(), !is_out_of_reach, "{pattern}: {caught:?}");
    }
    let sums = sums.map(|sum| sum.to_string()).join(" | ");
    text += &["| **faults in one precision** | ", &sums, " |\n"].concat();
    bless::compare_section("docs/measurements.md", "patterns", &text);
}
