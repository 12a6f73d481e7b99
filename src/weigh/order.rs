//! The order in which findings are told.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Finding;
use crate::check::Outcome;

/// The order in which findings are told: what fails and gates first, by severity; of equals what explains most others, and
/// only then by what they are about. A driver that does not start comes before a right too many.
pub(super) struct Order {
    blocked: BTreeMap<String, usize>,
    place: BTreeMap<String, usize>,
}

impl Order {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let mut blocked = BTreeMap::new();
        let mut place = BTreeMap::new();
        for (index, finding) in findings.iter().enumerate() {
            place.entry(finding.check.clone()).or_insert(index);
            if let Some(cause) = &finding.blocked_by {
                *blocked.entry(cause.clone()).or_insert(0) += 1;
            }
        }
        Self { blocked, place }
    }

    pub(super) fn key(&self, finding: &Finding) -> impl Ord + use<> {
        let outcome = match (finding.outcome, finding.waived.is_some()) {
            (Outcome::Fails, false) => 0,
            (Outcome::Fails, true) => 1,
            (Outcome::Unknown, _) => 2,
            (Outcome::Blocked, _) => 3,
            (Outcome::Holds, _) => 4,
            (Outcome::NotApplicable, _) => 5,
        };
        let explains = self.blocked.get(&finding.check).copied().unwrap_or(0);
        let place = self.place.get(&finding.check).copied().unwrap_or(0);
        (outcome, finding.severity, Reverse(explains), finding.dimension, place)
    }
}
