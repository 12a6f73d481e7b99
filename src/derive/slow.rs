//! Which rates count as low: the one place that knows how low that is.
//!
//! The checks read what is derived here, and so does the second look: no rate is accused that was not measured twice.

use std::collections::HashMap;

use super::situation::any;
use crate::facts::{Fact, Facts, Gpu};

/// Below this share of what its model reaches, a GPU does less than it is bought for.
const REDUCED: f64 = 0.75;

/// Below this share, something is wrong with it.
const SLOW: f64 = 0.5;

/// The same where some GPU is split by MIG: how much of it a slice gets, its name does not always tell.
const SLOW_SLICE: f64 = 0.35;

/// Below this share of what its siblings reach, a GPU stands out.
const BEHIND: f64 = 0.85;

// What is measured once more is what is reduced or behind, so nothing is slow that is not reduced.
const _: () = assert!(SLOW_SLICE <= SLOW && SLOW <= REDUCED);

/// Fills the derived fields that say so.
pub fn derive(facts: &mut Facts) {
    let sliced = is_sliced(&facts.gpus);
    if let Fact::Known(multiplies) = &mut facts.compute.multiplies {
        for multiply in &mut *multiplies {
            multiply.reduced = multiply.share_of_expected.as_ref().map(|share| *share < REDUCED);
            multiply.slow = multiply.share_of_expected.as_ref().and_then(|share| slow(*share, &sliced));
            multiply.behind_siblings = multiply.share_of_siblings.as_ref().map(|share| *share < BEHIND);
        }
        let mut lowest: HashMap<u32, f64> = HashMap::new();
        for (gpu, share) in multiplies.iter().filter_map(|one| Some((one.gpu, *one.share_of_expected.known()?))) {
            lowest.entry(gpu).and_modify(|lowest| *lowest = lowest.min(share)).or_insert(share);
        }
        for multiply in multiplies {
            multiply.gpu_slow = Fact::present(lowest.get(&multiply.gpu).map(|lowest| *lowest < SLOW));
        }
    }
    if let Fact::Known(copies) = &mut facts.compute.copies {
        for copy in copies {
            copy.reduced = copy.share_of_expected.as_ref().map(|share| *share < REDUCED);
            copy.slow = copy.share_of_expected.as_ref().map(|share| *share < SLOW);
            copy.behind_siblings = copy.share_of_siblings.as_ref().map(|share| *share < BEHIND);
        }
    }
}

/// Between the two bounds it depends on whether GPUs are split.
fn slow(share: f64, sliced: &Fact<bool>) -> Fact<bool> {
    if (SLOW_SLICE..SLOW).contains(&share) {
        return sliced.clone().map(|sliced| !sliced);
    }
    Fact::Known(share < SLOW)
}

/// Whether some GPU is split by MIG. One that does not know MIG is not.
fn is_sliced(gpus: &Fact<Vec<Gpu>>) -> Fact<bool> {
    match gpus {
        Fact::Known(gpus) => any(gpus.iter().map(|gpu| gpu.mig_enabled.clone())),
        Fact::Absent => Fact::Known(false),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{GapKind, MemoryCopy, Multiply};

    fn with_mig(enabled: &[Fact<bool>]) -> Fact<Vec<Gpu>> {
        Fact::Known(enabled.iter().map(|mig| Gpu { mig_enabled: mig.clone(), ..Gpu::default() }).collect())
    }

    fn multiplied(share: Fact<f64>, gpus: Fact<Vec<Gpu>>) -> Multiply {
        let mut facts = Facts { gpus, ..Facts::default() };
        let multiply = Multiply { share_of_expected: share, ..Multiply::default() };
        facts.compute.multiplies = Fact::Known(vec![multiply]);
        derive(&mut facts);
        facts.compute.multiplies.known().expect("multiplies")[0].clone()
    }

    #[test]
    fn a_share_is_reduced_before_it_is_slow() {
        let of = |share| {
            let multiply = multiplied(Fact::Known(share), with_mig(&[Fact::Absent]));
            [multiply.reduced, multiply.slow, multiply.gpu_slow].map(|fact| fact == Fact::Known(true))
        };
        assert_eq!(of(0.75), [false, false, false]);
        assert_eq!(of(0.74), [true, false, false]);
        assert_eq!(of(0.5), [true, false, false]);
        assert_eq!(of(0.49), [true, true, true]);
        let nothing = multiplied(Fact::Absent, Fact::Absent);
        assert_eq!([nothing.reduced, nothing.slow, nothing.gpu_slow], [Fact::Absent, Fact::Absent, Fact::Absent]);
    }

    #[test]
    fn a_slice_is_slow_later_and_where_nobody_knows_of_slices_neither() {
        let slow = |share, gpus| multiplied(Fact::Known(share), gpus).slow;
        let split = || with_mig(&[Fact::Known(false), Fact::Known(true)]);
        assert_eq!((slow(0.4, split()), slow(0.34, split())), (Fact::Known(false), Fact::Known(true)));
        assert_eq!(slow(0.4, with_mig(&[])), Fact::Known(true));
        let hidden: Fact<bool> = Fact::unknown(GapKind::NotPermitted, "NVML");
        assert_eq!(slow(0.4, with_mig(&[Fact::Known(false), hidden.clone()])), hidden);
        assert!(slow(0.4, Fact::default()).is_unknown());
        assert_eq!(slow(0.34, Fact::default()), Fact::Known(true));
    }

    #[test]
    fn the_lowest_rate_of_a_gpu_speaks_for_all_of_its_precisions() {
        let multiply = |gpu, share| Multiply { gpu, share_of_expected: Fact::Known(share), ..Multiply::default() };
        let mut facts = Facts::default();
        facts.compute.multiplies = Fact::Known(vec![multiply(0, 0.9), multiply(0, 0.2), multiply(1, 0.9)]);
        derive(&mut facts);
        let slow: Vec<_> =
            facts.compute.multiplies.known().expect("multiplies").iter().map(|one| one.gpu_slow.clone()).collect();
        assert_eq!(slow, [Fact::Known(true), Fact::Known(true), Fact::Known(false)]);
    }

    #[test]
    fn a_copy_is_told_from_its_siblings() {
        let copy = |share| MemoryCopy { share_of_siblings: Fact::Known(share), ..MemoryCopy::default() };
        let mut facts = Facts::default();
        facts.compute.copies = Fact::Known(vec![copy(0.85), copy(0.84)]);
        derive(&mut facts);
        let behind: Vec<_> =
            facts.compute.copies.known().expect("copies").iter().map(|one| one.behind_siblings.clone()).collect();
        assert_eq!(behind, [Fact::Known(false), Fact::Known(true)]);
    }
}
