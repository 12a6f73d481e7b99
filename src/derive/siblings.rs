//! Rates of GPUs that should be alike, so that each can be held against the others.

use std::collections::HashMap;
use std::hash::Hash;

use super::rounded;
use crate::facts::Fact;

/// Other GPUs that it takes to tell which is slow.
const OTHERS_MIN: usize = 2;

/// Rates by what makes GPUs alike.
pub struct Siblings<K>(HashMap<K, Group>);

#[derive(Default)]
struct Group {
    /// The lowest first, each with its GPU.
    rates: Vec<(f64, u32)>,
    /// Where in `rates` those of a GPU stand, the lowest first.
    own: HashMap<u32, Vec<usize>>,
}

impl<K: Eq + Hash> Siblings<K> {
    /// From what makes alike, the GPU's number and its rate.
    pub fn new(rates: impl Iterator<Item = (K, u32, f64)>) -> Self {
        let mut groups: HashMap<K, Group> = HashMap::new();
        for (key, gpu, rate) in rates {
            groups.entry(key).or_default().rates.push((rate, gpu));
        }
        for group in groups.values_mut() {
            group.rates.sort_by(|one, other| one.0.total_cmp(&other.0));
            for (place, (_, gpu)) in group.rates.iter().enumerate() {
                group.own.entry(*gpu).or_default().push(place);
            }
        }
        Self(groups)
    }

    /// The rate over the median of the other GPUs; absent where they are too few.
    pub fn share(&self, key: &K, gpu: u32, rate: f64) -> Fact<f64> {
        share(rate, self.0.get(key).and_then(|group| group.median_without(gpu)))
    }

    /// The rate over the median of all that are alike, itself among them; absent where they are fewer than this.
    pub fn share_of_all(&self, key: &K, rate: f64, least: usize) -> Fact<f64> {
        share(rate, self.0.get(key).filter(|group| group.rates.len() >= least).and_then(|group| group.median_of(&[])))
    }
}

fn share(rate: f64, median: Option<f64>) -> Fact<f64> {
    Fact::present(median.filter(|median| *median > 0.0).map(|median| rounded(rate / median)))
}

impl Group {
    fn median_without(&self, gpu: u32) -> Option<f64> {
        let own = self.own.get(&gpu).map_or(&[][..], Vec::as_slice);
        (self.rates.len() - own.len() >= OTHERS_MIN).then(|| self.median_of(own))?
    }

    /// The median of all but those at the places `own`, the lowest first.
    fn median_of(&self, own: &[usize]) -> Option<f64> {
        let count = self.rates.len() - own.len();
        // The place among all of the one at this place among the others.
        let other =
            |place: usize| self.rates[own.iter().fold(place, |place, own| place + usize::from(*own <= place))].0;
        (count > 0).then(|| f64::midpoint(other((count - 1) / 2), other(count / 2)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_median_is_that_of_the_sorted_others(rates in prop::collection::vec((0_u32..5, 1_u32..9), 0..12), gpu in 0_u32..6) {
            let siblings = Siblings::new(rates.iter().map(|(gpu, rate)| ((), *gpu, f64::from(*rate))));
            let mut others: Vec<u32> = rates.iter().filter(|(other, _)| *other != gpu).map(|(_, rate)| *rate).collect();
            others.sort_unstable();
            let middle = others.len() / 2;
            let expected = match others.len() {
                0 | 1 => Fact::Absent,
                even if even % 2 == 0 => Fact::Known(rounded(2.0 / f64::from(others[middle - 1] + others[middle]))),
                _ => Fact::Known(rounded(1.0 / f64::from(others[middle]))),
            };
            prop_assert_eq!(siblings.share(&(), gpu, 1.0), expected);
        }
    }
}
