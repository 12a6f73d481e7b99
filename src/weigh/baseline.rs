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

/// Marks the findings as new or unchanged against earlier ones. With `new_only` what is unchanged does not gate, and
/// neither does what could be told as little before.
pub(super) fn compare(
    findings: &mut [Finding],
    earlier: &[Finding],
    taken_at_seconds: u64,
    new_only: bool,
) -> Baseline {
    let mut before: BTreeMap<(String, Option<String>), Vec<&Finding>> = BTreeMap::new();
    for finding in earlier {
        before.entry((finding.check.clone(), finding.subject.clone())).or_default().push(finding);
    }
    for finding in findings.iter_mut() {
        // Of several with one name each is taken once.
        let same = before.get_mut(&(finding.check.clone(), finding.subject.clone()));
        let then = same.and_then(|same| (!same.is_empty()).then(|| same.remove(0)));
        finding.since = match (finding.outcome, then.map(|then| then.outcome)) {
            (Outcome::Fails, Some(Outcome::Fails)) => {
                let is_worse = then.is_some_and(|then| is_worse(finding, then));
                Some(if is_worse { Since::New } else { Since::Unchanged })
            }
            (Outcome::Unknown | Outcome::Blocked, Some(Outcome::Fails | Outcome::Unknown | Outcome::Blocked)) => {
                Some(Since::Unchanged)
            }
            (Outcome::Fails | Outcome::Unknown | Outcome::Blocked, _) => Some(Since::New),
            (Outcome::Holds | Outcome::NotApplicable, _) => None,
        };
        if new_only && finding.since == Some(Since::Unchanged) {
            finding.gating = false;
        }
    }
    // What is new, and gates, speaks for the others of its check.
    for own in findings.chunk_by_mut(|a, b| a.check == b.check && a.outcome == b.outcome) {
        own.sort_by_key(|finding| (finding.since != Some(Since::New), !finding.gating));
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

/// Whether a failure is more than it was: excused no longer, more severe, or with items in the facts that it rests on that
/// were not there.
fn is_worse(now: &Finding, then: &Finding) -> bool {
    let items = |finding: &Finding, path: &str| -> Vec<serde_json::Value> {
        let lists = finding.evidence.iter().filter(|item| item.path == path).filter_map(|item| item.value.as_array());
        lists.flatten().cloned().collect()
    };
    let has_grown = now.evidence.iter().any(|item| {
        let before = items(then, &item.path);
        item.value.as_array().is_some_and(|now| now.iter().any(|one| !before.contains(one)))
    });
    now.severity < then.severity || (then.waived.is_some() && now.waived.is_none()) || has_grown
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
    fn what_got_worse_is_new_and_gates() {
        use crate::check::Severity;
        use crate::weigh::EvidenceItem;
        let listing = |names: &[&str]| Finding {
            evidence: vec![EvidenceItem { path: "a.names".to_owned(), value: serde_json::json!(names) }],
            severity: Severity::High,
            ..finding("a.b", None, Outcome::Fails)
        };
        let waived = |finding: Finding| Finding { waived: Some("until today".to_owned()), ..finding };
        let severe = |finding: Finding| Finding { severity: Severity::Critical, ..finding };
        for (then, now, since) in [
            (listing(&["x"]), listing(&["x"]), Since::Unchanged),
            (listing(&["x", "y"]), listing(&["x"]), Since::Unchanged),
            (listing(&["x"]), listing(&["x", "y"]), Since::New),
            (waived(listing(&["x"])), listing(&["x"]), Since::New),
            (listing(&["x"]), waived(listing(&["x"])), Since::Unchanged),
            (listing(&["x"]), severe(listing(&["x"])), Since::New),
            (severe(listing(&["x"])), listing(&["x"]), Since::Unchanged),
        ] {
            let mut findings = [now];
            compare(&mut findings, &[then], 0, true);
            assert_eq!((findings[0].since, findings[0].gating), (Some(since), since == Since::New), "{findings:?}");
        }
    }

    #[test]
    fn of_several_with_one_name_each_is_taken_once() {
        let mut findings = [finding("a.b", Some("x"), Outcome::Fails), finding("a.b", Some("x"), Outcome::Fails)];
        let baseline = compare(&mut findings, &[finding("a.b", Some("x"), Outcome::Fails)], 0, true);
        assert_eq!((baseline.new_count, baseline.unchanged_count), (1, 1));
        assert!(findings[0].gating && findings[0].since == Some(Since::New), "what is new speaks first");
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
