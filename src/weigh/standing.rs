//! How each check stands: now, and once what fails is mended.

use std::collections::BTreeMap;

use super::Finding;
use super::score::Entry;
use crate::check::Outcome;

/// A check with all its subjects, as the score counts it.
pub(super) struct Standing<'a> {
    /// Its id.
    pub check: &'a str,
    /// As it stands.
    pub now: Entry,
    /// Once what fails is mended. What it blocks stays unknown, for nobody has looked at it.
    pub mended: Entry,
}

/// One for each check, in the order of its first finding, which says how much it matters.
pub(super) fn standings(findings: &[Finding]) -> Vec<Standing<'_>> {
    let mut firsts: Vec<&Finding> = Vec::new();
    let mut outcomes: BTreeMap<&str, Vec<Outcome>> = BTreeMap::new();
    for finding in findings {
        let of_check = outcomes.entry(&finding.check).or_default();
        if of_check.is_empty() {
            firsts.push(finding);
        }
        of_check.push(finding.outcome);
    }
    let mended = |outcome: &Outcome| if *outcome == Outcome::Fails { Outcome::Holds } else { *outcome };
    firsts
        .into_iter()
        .map(|first| {
            let of_check = outcomes.get(first.check.as_str()).map_or(&[][..], Vec::as_slice);
            let entry = |outcomes: Vec<Outcome>| Entry::new(first.severity, first.dimension, outcomes);
            let (now, mended) = (entry(of_check.to_vec()), entry(of_check.iter().map(mended).collect()));
            Standing { check: &first.check, now, mended }
        })
        .collect()
}
