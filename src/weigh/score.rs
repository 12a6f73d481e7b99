//! The score. It only orders, and no crowd of small things can hide a large one.

use crate::check::judge::worst;
use crate::check::{Dimension, Outcome, Severity};
use crate::facts::shape::record;

record! {
    /// How far the container is from production, 0 to 100, as an interval: what could not be told counts as failing
    /// for `low` and as holding for `high`.
    pub struct Score {
        /// With everything unknown failing; not there when nothing applied.
        pub low: Option<u32>,
        /// With everything unknown holding; not there when nothing applied.
        pub high: Option<u32>,
        /// Share of the weight that could be told, 0 to 1.
        pub coverage: f64,
        /// The check whose failure keeps the score where it is.
        pub capped_by: Option<String>,
        /// The same by dimension.
        pub dimensions: Vec<DimensionScore>,
    }

    /// The score of one dimension; those with nothing in them are left out.
    pub struct DimensionScore {
        /// Which.
        pub dimension: Dimension,
        /// With everything unknown failing.
        pub low: u32,
        /// With everything unknown holding.
        pub high: u32,
        /// Share of the weight that could be told, 0 to 1.
        pub coverage: f64,
        /// Checks of it that hold or fail.
        pub decided_count: usize,
        /// Checks that it has under this profile, those included that do not apply here or could not be told.
        pub check_count: usize,
    }
}

impl Score {
    /// The coverage in whole percent, rounded down: what was not looked at is not hidden by a fraction.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
    pub fn looked_percent(&self) -> u32 {
        (self.coverage.clamp(0.0, 1.0) * 100.0).floor() as u32
    }
}

impl DimensionScore {
    /// The score as `39` or `61–88`; full marks that rest on less than half of the checks are none, so they are told as
    /// `1 of 4 judged`.
    pub fn words(&self) -> String {
        let Self { low, high, decided_count, check_count, .. } = self;
        match low == high {
            _ if !self.has_score() => format!("{decided_count} of {check_count} judged"),
            true => high.to_string(),
            false => format!("{low}–{high}"),
        }
    }

    /// Whether it is a score at all, and no full marks for a few checks.
    pub fn has_score(&self) -> bool {
        self.high < 100 || self.decided_count.saturating_mul(2) >= self.check_count
    }
}

/// What the score needs to know of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// How much it matters here.
    pub severity: Severity,
    /// Its axis.
    pub dimension: Dimension,
    /// The worst of what came of it.
    pub outcome: Outcome,
}

impl Entry {
    /// One check with all its subjects.
    pub fn new(severity: Severity, dimension: Dimension, outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        Self { severity, dimension, outcome: worst(outcomes) }
    }
}

/// The weight belongs to the severity and never to a check, so that no catalogue can be tuned to look good.
fn weight(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 40,
        Severity::High => 10,
        Severity::Medium => 3,
        Severity::Low => 1,
        Severity::Info => 0,
    }
}

/// The highest score that these failures leave.
fn cap(failing: impl Iterator<Item = Severity>) -> u32 {
    let (mut critical, mut high, mut medium) = (0, 0, 0);
    for severity in failing {
        match severity {
            Severity::Critical => critical += 1,
            Severity::High => high += 1,
            Severity::Medium => medium += 1,
            Severity::Low | Severity::Info => {}
        }
    }
    match (critical, high, medium) {
        (0, 0, 0) => 100,
        (0, 0, _) => 94,
        (0, 1 | 2, _) => 74,
        (0, ..) => 59,
        _ => 39,
    }
}

/// The share of the weight that holds, capped, in whole points rounded down; `None` when nothing weighs.
pub fn points(checks: &[Entry], unknown_fails: bool) -> Option<u32> {
    raw_and_cap(checks, unknown_fails).map(|(raw, cap)| raw.min(cap))
}

/// Whether a cap and not the sum keeps the upper end of the score where it is.
pub fn is_capped(checks: &[Entry]) -> bool {
    raw_and_cap(checks, false).is_some_and(|(raw, cap)| cap < raw)
}

fn raw_and_cap(checks: &[Entry], unknown_fails: bool) -> Option<(u32, u32)> {
    let fails = |check: &&Entry| match check.outcome {
        Outcome::Fails => true,
        Outcome::Unknown | Outcome::Blocked => unknown_fails,
        Outcome::Holds | Outcome::NotApplicable => false,
    };
    let applying = || checks.iter().filter(|check| check.outcome != Outcome::NotApplicable);
    let total: u32 = applying().map(|check| weight(check.severity)).sum();
    let failed: u32 = applying().filter(fails).map(|check| weight(check.severity)).sum();
    let limit = cap(applying().filter(fails).map(|check| check.severity));
    (total > 0).then(|| (100 * (total - failed) / total, limit))
}

fn coverage(checks: &[Entry]) -> f64 {
    let sum = |known_only: bool| -> u32 {
        let counts = |outcome| match outcome {
            Outcome::Holds | Outcome::Fails => true,
            Outcome::Unknown | Outcome::Blocked => !known_only,
            Outcome::NotApplicable => false,
        };
        checks.iter().filter(|check| counts(check.outcome)).map(|check| weight(check.severity)).sum()
    };
    match sum(false) {
        0 => 0.0,
        total => f64::from(sum(true)) / f64::from(total),
    }
}

/// The score of these checks; what caps it is for the caller to name.
pub fn score(checks: &[Entry]) -> Score {
    let dimensions = Dimension::ALL.iter().filter_map(|dimension| {
        let own: Vec<Entry> = checks.iter().filter(|check| check.dimension == *dimension).copied().collect();
        Some(DimensionScore {
            dimension: *dimension,
            low: points(&own, true)?,
            high: points(&own, false)?,
            coverage: coverage(&own),
            decided_count: own.iter().filter(|check| matches!(check.outcome, Outcome::Holds | Outcome::Fails)).count(),
            check_count: own.len(),
        })
    });
    Score {
        low: points(checks, true),
        high: points(checks, false),
        coverage: coverage(checks),
        capped_by: None,
        dimensions: dimensions.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(severity: Severity, outcome: Outcome) -> Entry {
        Entry { severity, dimension: Dimension::Security, outcome }
    }

    #[test]
    fn one_open_door_is_not_outvoted_by_a_hundred_clean_windows() {
        let mut checks = vec![check(Severity::Critical, Outcome::Fails)];
        checks.extend([check(Severity::Low, Outcome::Holds); 100]);
        assert_eq!(score(&checks).high, Some(39));
    }

    #[test]
    fn seeing_nothing_is_not_full_marks() {
        let score = score(&[check(Severity::High, Outcome::Unknown); 3]);
        assert_eq!((score.low, score.high, score.coverage), (Some(0), Some(100), 0.0));
    }

    #[test]
    fn nothing_to_judge_is_no_score() {
        assert_eq!(score(&[check(Severity::High, Outcome::NotApplicable)]).high, None);
        assert_eq!(score(&[]).low, None);
    }

    #[test]
    fn full_marks_for_one_check_of_four_are_told_as_that() {
        let words = |outcomes: &[Outcome]| {
            let checks: Vec<Entry> = outcomes.iter().map(|outcome| check(Severity::Low, *outcome)).collect();
            let scores = score(&checks).dimensions;
            (scores[0].words(), scores[0].decided_count, scores[0].check_count)
        };
        let (holds, fails, unknown, other) = (Outcome::Holds, Outcome::Fails, Outcome::Unknown, Outcome::NotApplicable);
        assert_eq!(words(&[holds, other, other, other]), ("1 of 4 judged".to_owned(), 1, 4));
        assert_eq!(words(&[holds, unknown, other, other]), ("1 of 4 judged".to_owned(), 1, 4));
        assert_eq!(words(&[holds, holds, other, other]), ("100".to_owned(), 2, 4));
        assert_eq!(words(&[fails, other, other, other]), ("0".to_owned(), 1, 4));
        assert_eq!(words(&[holds, holds, unknown]).0, "66–100");
    }

    #[test]
    fn what_was_not_looked_at_is_hidden_by_no_fraction() {
        let percent = |coverage| Score { coverage, ..score(&[]) }.looked_percent();
        assert_eq!([0.0, 0.004, 0.5, 0.9969, 0.999_999, 1.0].map(percent), [0, 0, 50, 99, 99, 100]);
    }

    fn any_check() -> impl Strategy<Value = Entry> {
        let severity = prop::sample::select(Severity::ALL);
        let outcome = prop::sample::select(Outcome::ALL);
        (severity, outcome, prop::sample::select(Dimension::ALL)).prop_map(|(severity, outcome, dimension)| Entry {
            severity,
            dimension,
            outcome,
        })
    }

    proptest! {
        #[test]
        fn fixing_never_lowers_and_failing_never_raises(mut checks in prop::collection::vec(any_check(), 1..40), at: prop::sample::Index) {
            let at = at.index(checks.len());
            prop_assume!(checks[at].outcome != Outcome::NotApplicable);
            checks[at].outcome = Outcome::Fails;
            let failing = score(&checks);
            checks[at].outcome = Outcome::Holds;
            let fixed = score(&checks);
            prop_assert!(fixed.low >= failing.low && fixed.high >= failing.high);
        }

        #[test]
        fn learning_narrows_the_interval(mut checks in prop::collection::vec(any_check(), 1..40), at: prop::sample::Index, holds: bool) {
            let at = at.index(checks.len());
            checks[at].outcome = Outcome::Unknown;
            let before = score(&checks);
            checks[at].outcome = if holds { Outcome::Holds } else { Outcome::Fails };
            let after = score(&checks);
            prop_assert!(before.low <= after.low && after.high <= before.high && after.low <= after.high);
        }

        #[test]
        fn adding_a_failing_check_never_raises(checks in prop::collection::vec(any_check(), 1..40), mut more in any_check()) {
            more.outcome = Outcome::Fails;
            let before = score(&checks);
            let after = score(&[checks, vec![more]].concat());
            prop_assert!(before.high.is_none() || after.high <= before.high);
        }

        #[test]
        fn trivial_checks_never_lift_the_cap(checks in prop::collection::vec(any_check(), 1..40), count in 0_usize..200) {
            let failing: Vec<Severity> = checks.iter().filter(|c| c.outcome == Outcome::Fails).map(|c| c.severity).collect();
            let easy = vec![check(Severity::Low, Outcome::Holds); count];
            prop_assert!(score(&[checks, easy].concat()).high.unwrap_or(0) <= cap(failing.into_iter()));
        }
    }
}
