//! Whether wrong products and low rates come from one library alone: then it is as likely as the GPU.
//!
//! cuBLAS multiplies floats, cuBLASLt 8-bit integers and floats. Where all of one library is wrong or slow on a GPU and
//! nothing of the other, and no sibling does better with the same library, the library is named before the GPU.

use std::collections::{HashMap, HashSet};

use super::boards::Boards;
use crate::facts::{Fact, Facts, LibraryId, Multiply, Precision, Proof};

/// Precisions of one library that must all be in trouble before it is suspected.
const LEAST: usize = 2;

/// Fills in the suspicions. Which rates are low is derived before.
pub fn derive(facts: &mut Facts) {
    let boards = Boards::of(facts);
    let derived = facts.compute.multiplies.as_ref().map(|all| {
        // Products into 64 bits go another way through the library.
        let wrong = Trouble::new(
            all,
            "wrong",
            |one| one.precision != Precision::Float64,
            |one| one.proof.known().map(|proof| *proof == Proof::Wrong),
        );
        let slow = Trouble::new(all, "slow", |_| true, |one| Some(*one.reduced.known()? && !is_held(&boards, one)));
        let suspect = |place| [&wrong, &slow].map(|trouble| trouble.suspect(facts, all, place));
        (0..all.len()).map(suspect).collect::<Vec<_>>()
    });
    let (Fact::Known(derived), Fact::Known(multiplies)) = (derived, &mut facts.compute.multiplies) else { return };
    for (multiply, [wrong, slow]) in multiplies.iter_mut().zip(derived) {
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

/// Whether the clock was low while it multiplied: no library lowers it.
fn is_held(boards: &Boards<'_>, multiply: &Multiply) -> bool {
    let gpu = boards.under(multiply);
    let clock =
        gpu.known().and_then(|gpu| Some((*gpu.load.known()?.sm_clock_mhz.known()?, *gpu.sm_clock_max_mhz.known()?)));
    clock.is_some_and(|(clock, most)| clock * 4 < most * 3)
}

/// A kind of trouble, and who is in it.
struct Trouble {
    words: &'static str,
    /// Of each multiply: whether it is in trouble, where that can be told, and whether it counts for its library.
    met: Vec<(Option<bool>, bool)>,
    /// Where the multiplies of each GPU stand.
    of_gpu: HashMap<u32, Vec<usize>>,
    /// GPUs on which something that counts for a library is in no trouble.
    well: HashSet<(LibraryId, u32)>,
    /// On how many GPUs that is so.
    well_count: HashMap<LibraryId, usize>,
}

impl Trouble {
    fn new(
        all: &[Multiply],
        words: &'static str,
        counts: impl Fn(&Multiply) -> bool,
        is_met: impl Fn(&Multiply) -> Option<bool>,
    ) -> Self {
        let met: Vec<_> = all.iter().map(|one| (is_met(one), counts(one))).collect();
        let mut of_gpu: HashMap<u32, Vec<usize>> = HashMap::new();
        let (mut well, mut well_count) = (HashSet::new(), HashMap::new());
        for (place, one) in all.iter().enumerate() {
            of_gpu.entry(one.gpu).or_default().push(place);
            let library = library_of(one.precision);
            if met[place] == (Some(false), true) && well.insert((library, one.gpu)) {
                *well_count.entry(library).or_default() += 1;
            }
        }
        Self { words, met, of_gpu, well, well_count }
    }

    /// The words of the suspicion, where the multiply at this place is a part of it.
    fn suspect(&self, facts: &Facts, all: &[Multiply], place: usize) -> Fact<String> {
        let (Some(true), counts) = self.met[place] else { return Fact::Absent };
        let (library, gpu) = (library_of(all[place].precision), all[place].gpu);
        let here = || self.of_gpu[&gpu].iter().copied();
        let is_of_it = |place: &usize| library_of(all[*place].precision) == library;
        let of_it: Vec<bool> = here()
            .filter(|place| is_of_it(place) && self.met[*place].1)
            .filter_map(|place| self.met[place].0)
            .collect();
        let others: Vec<bool> = here().filter(|place| !is_of_it(place)).filter_map(|place| self.met[place].0).collect();
        // Beside it, whatever of the same library does not count must not be in trouble alone either.
        let is_alone = of_it.len() >= LEAST
            && of_it.iter().all(|met| *met)
            && !others.is_empty()
            && !others.contains(&true)
            && counts;
        let well = self.well_count.get(&library).copied().unwrap_or(0);
        let sibling_is_well = well > usize::from(self.well.contains(&(library, gpu)));
        if !is_alone || sibling_is_well {
            return Fact::Absent;
        }
        let other = if library == LibraryId::Cublas { LibraryId::CublasLt } else { LibraryId::Cublas };
        Fact::Known(format!(
            "all that {} multiplies here is {}, and nothing that {other} multiplies",
            named(facts, library),
            self.words
        ))
    }
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
