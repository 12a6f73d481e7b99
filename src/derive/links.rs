//! Pairs of GPUs against each other. Which rate a link should have no table tells, for it depends on the machine; but most
//! pairs of one machine are alike.

use super::siblings::Siblings;
use crate::facts::{Fact, Facts, Pair};

/// Pairs of one kind that it takes to tell which of them is slow.
const PAIRS_MIN: usize = 4;

/// Fills the derived fields of every pair.
pub fn derive(facts: &mut Facts) {
    let Fact::Known(pairs) = &mut facts.links.pairs else { return };
    let shares = shares_of_pairs(pairs);
    pairs.iter_mut().zip(shares).for_each(|(pair, share)| pair.share_of_pairs = share);
}

/// Each rate over the median of all pairs of the same kind of access.
fn shares_of_pairs(pairs: &[Pair]) -> Vec<Fact<f64>> {
    let alike = |pair: &Pair| pair.peer_access.known().copied();
    let rated = |pair: &Pair| Some((alike(pair), pair.from, *pair.gb_per_second.known()?));
    let siblings = Siblings::new(pairs.iter().filter_map(rated));
    let share = |pair: &Pair| {
        pair.gb_per_second.as_ref().and_then(|rate| siblings.share_of_all(&alike(pair), *rate, PAIRS_MIN))
    };
    pairs.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_held_against_pairs_of_its_kind_alone() {
        let pair = |to, direct, rate| Pair {
            to,
            peer_access: Fact::Known(direct),
            gb_per_second: Fact::Known(rate),
            ..Pair::default()
        };
        let mut facts = Facts::default();
        let mut pairs: Vec<Pair> = (1..5).map(|to| pair(to, true, 380.0)).collect();
        pairs.extend([pair(5, true, 19.0), pair(6, false, 19.0)]);
        facts.links.pairs = Fact::Known(pairs);
        derive(&mut facts);
        let shares: Vec<_> =
            facts.links.pairs.known().expect("pairs").iter().map(|p| p.share_of_pairs.clone()).collect();
        assert_eq!(shares[3..], [Fact::Known(1.0), Fact::Known(0.05), Fact::Absent]);
    }
}
