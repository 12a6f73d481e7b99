//! Whether wrong products and low rates come from one library alone: then it is as likely as the GPU.
//!
//! cuBLAS multiplies floats, cuBLASLt 8-bit integers and floats. Where all of one library is wrong or slow on a GPU and
//! nothing of the other, and no sibling does better with the same library, the library is named before the GPU.

use super::load::gpu_of;
use crate::facts::{Fact, Facts, LibraryId, Multiply, Precision, Proof};

/// Precisions of one library that must all be in trouble before it is suspected.
const LEAST: usize = 2;

/// Fills in the suspicions. Which rates are low is derived before.
pub fn derive(facts: &mut Facts) {
    let derived = facts.compute.multiplies.as_ref().map(|all| {
        all.iter().map(|one| (suspect(facts, all, one, &WRONG), suspect(facts, all, one, &SLOW))).collect::<Vec<_>>()
    });
    let (Fact::Known(derived), Fact::Known(multiplies)) = (derived, &mut facts.compute.multiplies) else { return };
    for (multiply, (wrong, slow)) in multiplies.iter_mut().zip(derived) {
        multiply.wrong_with_library = wrong;
        multiply.slow_with_library = slow;
    }
}

/// Which library multiplies in a precision.
fn library_of(precision: Precision) -> LibraryId {
    match precision {
        Precision::Int8 | Precision::Float8 => LibraryId::CublasLt,
        _ => LibraryId::Cublas,
    }
}

/// A kind of trouble.
struct Trouble {
    /// Whether a multiply is in it, where that can be told.
    is_met: fn(&Facts, &Multiply) -> Option<bool>,
    /// Whether the multiply counts for its library.
    counts: fn(&Multiply) -> bool,
    words: &'static str,
}

const WRONG: Trouble = Trouble {
    is_met: |_, multiply| multiply.proof.known().map(|proof| *proof == Proof::Wrong),
    // Products into 64 bits go another way through the library.
    counts: |multiply| multiply.precision != Precision::Float64,
    words: "wrong",
};

const SLOW: Trouble = Trouble {
    is_met: |facts, multiply| Some(*multiply.reduced.known()? && !is_held(facts, multiply)),
    counts: |_| true,
    words: "slow",
};

/// Whether the clock was low while it multiplied: no library lowers it.
fn is_held(facts: &Facts, multiply: &Multiply) -> bool {
    let gpu = gpu_of(facts, multiply);
    let clock =
        gpu.known().and_then(|gpu| Some((*gpu.load.known()?.sm_clock_mhz.known()?, *gpu.sm_clock_max_mhz.known()?)));
    clock.is_some_and(|(clock, most)| clock * 4 < most * 3)
}

/// The words of the suspicion, where this multiply is a part of it.
fn suspect(facts: &Facts, all: &[Multiply], one: &Multiply, trouble: &Trouble) -> Fact<String> {
    let met = |multiply: &Multiply| (trouble.is_met)(facts, multiply);
    if met(one) != Some(true) {
        return Fact::Absent;
    }
    let library = library_of(one.precision);
    let is_of_it = |multiply: &&Multiply| library_of(multiply.precision) == library && (trouble.counts)(multiply);
    let here = || all.iter().filter(|other| other.gpu == one.gpu);
    let of_it: Vec<bool> = here().filter(is_of_it).filter_map(met).collect();
    let others: Vec<bool> = here().filter(|other| library_of(other.precision) != library).filter_map(met).collect();
    // Beside it, whatever of the same library does not count must not be in trouble alone either.
    let is_alone = of_it.len() >= LEAST
        && of_it.iter().all(|met| *met)
        && !others.is_empty()
        && !others.contains(&true)
        && is_of_it(&one);
    let sibling_is_well =
        all.iter().filter(|other| other.gpu != one.gpu && is_of_it(other)).any(|other| met(other) == Some(false));
    if !is_alone || sibling_is_well {
        return Fact::Absent;
    }
    let other = if library == LibraryId::Cublas { LibraryId::CublasLt } else { LibraryId::Cublas };
    Fact::Known(format!(
        "all that {} multiplies here is {}, and nothing that {other} multiplies",
        named(facts, library),
        trouble.words
    ))
}

/// The file that was loaded, or the name of the library.
fn named(facts: &Facts, id: LibraryId) -> String {
    let chosen = facts.libraries.known().and_then(|all| all.iter().find(|library| library.id == id && library.chosen));
    chosen.and_then(|library| library.winner.known().cloned()).unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multiply(gpu: u32, precision: Precision, exact: bool) -> Multiply {
        let proof = if exact { Proof::Exact } else { Proof::Wrong };
        let share = Fact::Known(!exact);
        Multiply { gpu, precision, proof: Fact::Known(proof), reduced: share, ..Multiply::default() }
    }

    /// Whether each multiply is suspected to be wrong, and to be slow, by its library.
    fn suspected(multiplies: Vec<Multiply>) -> Vec<(bool, bool)> {
        let mut facts = Facts::default();
        facts.compute.multiplies = Fact::Known(multiplies);
        derive(&mut facts);
        let said = |words: &Fact<String>| words.known().is_some();
        let multiplies = facts.compute.multiplies.known().expect("multiplies");
        multiplies.iter().map(|one| (said(&one.wrong_with_library), said(&one.slow_with_library))).collect()
    }

    #[test]
    fn a_library_is_suspected_where_all_of_it_and_nothing_else_is_in_trouble() {
        use Precision::{Float8, Float16, Float32, Float64, Int8};
        let cublas = |exact| vec![multiply(0, Float32, exact), multiply(0, Float16, exact)];
        let with = |mut all: Vec<Multiply>, more: Vec<Multiply>| {
            all.extend(more);
            suspected(all)
        };
        let lt = |exact| vec![multiply(0, Int8, exact), multiply(0, Float8, exact)];
        assert_eq!(with(cublas(false), lt(true))[..2], [(true, true); 2]);
        assert_eq!(with(cublas(true), lt(false))[2..], [(true, true); 2], "the other library is suspected alike");
        assert_eq!(with(cublas(false), lt(false)), [(false, false); 4], "all of both: the GPU");
        assert_eq!(suspected(cublas(false)), [(false, false); 2], "nothing to compare with");
        let one_of_two = vec![multiply(0, Float32, false), multiply(0, Float16, true)];
        assert_eq!(with(one_of_two, lt(true)), [(false, false); 4]);
        let exact_double = with(cublas(false), [lt(true), vec![multiply(0, Float64, true)]].concat());
        assert_eq!(exact_double[0], (true, false), "64 bits go another way, and at one speed");
        let sibling = vec![multiply(1, Float32, true), multiply(1, Int8, true)];
        assert_eq!(
            with(cublas(false), [lt(true), sibling].concat())[0],
            (false, false),
            "the sibling has the same library"
        );
    }
}
