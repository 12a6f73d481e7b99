//! What is new, as before or mended, against an earlier judgement of the same place.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Finding;
use crate::check::Outcome;
use crate::facts::shape::{record, words};

words! {
    /// How a trouble stands against an earlier report.
    pub enum Since {
        /// It was not there, or nobody could tell.
        New = "new",
        /// It was there.
        Unchanged = "unchanged",
    }
}

record! {
    /// How a report stands against an earlier one.
    pub struct Baseline {
        /// When the readings of the earlier one were taken, seconds since 1970-01-01 UTC.
        pub taken_at_seconds: u64,
        /// Whether only what is new gates.
        pub new_only: bool,
        /// Failures that are new.
        pub new_count: usize,
        /// Failures that were there before.
        pub unchanged_count: usize,
        /// What failed before and does not any more.
        pub fixed: Vec<Former>,
        /// What failed before and cannot be told now.
        pub untold: Vec<Former>,
    }

    /// A failure of an earlier report.
    pub struct Former {
        /// The check.
        pub check: String,
        /// The item it was about; not there for a check on the whole.
        pub subject: Option<String>,
    }
}

impl Baseline {
    /// `2 new, 5 as before, 1 fixed`.
    pub fn words(&self) -> String {
        let mut words =
            format!("{} new, {} as before, {} fixed", self.new_count, self.unchanged_count, self.fixed.len());
        if !self.untold.is_empty() {
            let _ = write!(words, ", {} that cannot be told any more", self.untold.len());
        }
        words
    }
}

/// What a finding is known by.
type Key<'a> = (&'a str, Option<&'a str>);

fn key(finding: &Finding) -> Key<'_> {
    (&finding.check, finding.subject.as_deref())
}

/// Marks the findings as new or unchanged against earlier ones. With `new_only` what is unchanged does not gate, and
/// neither does what could be told as little before.
pub(super) fn compare(
    findings: &mut [Finding],
    earlier: &[Finding],
    taken_at_seconds: u64,
    new_only: bool,
) -> Baseline {
    let before: BTreeMap<Key<'_>, Outcome> = earlier.iter().map(|finding| (key(finding), finding.outcome)).collect();
    for finding in findings.iter_mut() {
        let then = before.get(&key(finding)).copied();
        finding.since = match (finding.outcome, then) {
            (Outcome::Fails, Some(Outcome::Fails))
            | (Outcome::Unknown | Outcome::Blocked, Some(Outcome::Fails | Outcome::Unknown | Outcome::Blocked)) => {
                Some(Since::Unchanged)
            }
            (Outcome::Fails | Outcome::Unknown | Outcome::Blocked, _) => Some(Since::New),
            (Outcome::Holds | Outcome::NotApplicable, _) => None,
        };
        if new_only && finding.since == Some(Since::Unchanged) {
            finding.gating = false;
        }
    }
    let failing = |since| findings.iter().filter(|f| f.outcome == Outcome::Fails && f.since == Some(since)).count();
    let gone: Vec<&Finding> = earlier.iter().filter(|old| old.outcome == Outcome::Fails).collect();
    let formers = |wanted: Standing| {
        let these = gone.iter().filter(|old| standing(findings, old) == wanted);
        these.map(|old| Former { check: old.check.clone(), subject: old.subject.clone() }).collect()
    };
    Baseline {
        taken_at_seconds,
        new_only,
        new_count: failing(Since::New),
        unchanged_count: failing(Since::Unchanged),
        fixed: formers(Standing::Fixed),
        untold: formers(Standing::Untold),
    }
}

#[derive(PartialEq)]
enum Standing {
    Fails,
    Fixed,
    Untold,
}

/// What became of an earlier failure. An item that is gone is mended where its list can be read; a check that nobody asks
/// for any more says nothing.
fn standing(findings: &[Finding], old: &Finding) -> Standing {
    let own = || findings.iter().filter(|finding| finding.check == old.check);
    let outcome = match own().find(|finding| finding.subject == old.subject) {
        Some(finding) => finding.outcome,
        None if own().any(|finding| finding.outcome == Outcome::Unknown && finding.subject.is_none()) => {
            Outcome::Unknown
        }
        None if own().next().is_some() => Outcome::Holds,
        None => Outcome::Unknown,
    };
    match outcome {
        Outcome::Fails => Standing::Fails,
        Outcome::Holds | Outcome::NotApplicable => Standing::Fixed,
        Outcome::Unknown | Outcome::Blocked => Standing::Untold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(check: &str, subject: Option<&str>, outcome: Outcome) -> Finding {
        let (check, subject) = (check.to_owned(), subject.map(str::to_owned));
        Finding { check, subject, outcome, gating: true, ..Finding::default() }
    }

    #[test]
    fn each_finding_is_new_or_as_before_and_what_is_gone_is_fixed_or_cannot_be_told() {
        use Outcome::{Blocked, Fails, Holds, NotApplicable, Unknown};
        for (then, now, since, fixed, untold) in [
            (Fails, Fails, Some(Since::Unchanged), 0, 0),
            (Holds, Fails, Some(Since::New), 0, 0),
            (Unknown, Fails, Some(Since::New), 0, 0),
            (Blocked, Fails, Some(Since::New), 0, 0),
            (Fails, Holds, None, 1, 0),
            (Fails, NotApplicable, None, 1, 0),
            (Fails, Unknown, Some(Since::Unchanged), 0, 1),
            (Fails, Blocked, Some(Since::Unchanged), 0, 1),
            (Unknown, Unknown, Some(Since::Unchanged), 0, 0),
            (Holds, Unknown, Some(Since::New), 0, 0),
            (Holds, Holds, None, 0, 0),
        ] {
            for new_only in [false, true] {
                let mut findings = [finding("a.b", Some("x"), now)];
                let baseline = compare(&mut findings, &[finding("a.b", Some("x"), then)], 0, new_only);
                let counted = (findings[0].since, baseline.fixed.len(), baseline.untold.len());
                assert_eq!(counted, (since, fixed, untold), "{then} → {now}");
                assert_eq!(findings[0].gating, !new_only || since != Some(Since::Unchanged), "{then} → {now}");
            }
        }
    }

    #[test]
    fn an_item_that_is_gone_is_mended_unless_nobody_can_see_the_items() {
        let old = [finding("a.b", Some("GPU 1"), Outcome::Fails)];
        let of = |now: Finding| {
            let baseline = compare(&mut [now], &old, 0, false);
            (baseline.fixed.len(), baseline.untold.len())
        };
        assert_eq!(of(finding("a.b", Some("GPU 0"), Outcome::Holds)), (1, 0));
        assert_eq!(of(finding("a.b", None, Outcome::Unknown)), (0, 1));
        assert_eq!(of(finding("a.c", None, Outcome::Holds)), (0, 1), "nobody asked");
    }
}
