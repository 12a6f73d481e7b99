//! What changed from one look to the next, and how that stands against the first: a line each.
//!
//! Readings that always differ, such as free memory and temperatures, are none of it: what is told is what comes out
//! differently, and the verdict.

use super::Report;
use super::diff::{self, FindingChange};
use super::formats::line;
use crate::check::Outcome;
use crate::facts::shape::record;
use crate::facts::timestamp;
use crate::text::{Shown, plain_long};
use crate::weigh::{Finding, Verdict};

/// The `schema` of a line that this version writes.
pub const SCHEMA: &str = "gpu-preflight/watch/1";

record! {
    /// A line of `check --watch --format json`. The first says the verdict of the first look and no change.
    pub struct Watched {
        /// Always `gpu-preflight/watch/1`.
        pub schema: String,
        /// When it was seen, seconds since 1970-01-01 UTC.
        pub seen_at_seconds: u64,
        /// The verdict of this look.
        pub verdict: Verdict,
        /// The verdict of the look before, where it was another.
        pub verdict_before: Option<Verdict>,
        /// What the verdict comes from, where it is another or the first.
        pub reason: Option<String>,
        /// What came out differently than in the look before; not there on a line about the verdict.
        pub change: Option<FindingChange>,
        /// What came of the same in the first look; not there where it had no such finding.
        pub at_start: Option<Outcome>,
    }
}

/// The line about the first look.
pub fn first(report: &Report) -> Watched {
    Watched { reason: Some(line::whole(report)), ..of(report) }
}

/// What changed between two looks, a line each: findings first, then the verdict.
pub fn changes(start: &[Finding], before: &Report, now: &Report) -> Vec<Watched> {
    let at_start = |change: &FindingChange| {
        let same = |finding: &&Finding| finding.check == change.check && finding.subject == change.subject;
        start.iter().find(same).map(|finding| finding.outcome)
    };
    let found = diff::findings(&before.findings, &now.findings).into_iter();
    let mut lines: Vec<Watched> =
        found.map(|change| Watched { at_start: at_start(&change), change: Some(change), ..of(now) }).collect();
    if before.verdict != now.verdict {
        lines.push(Watched { verdict_before: Some(before.verdict), reason: Some(line::whole(now)), ..of(now) });
    }
    lines
}

fn of(report: &Report) -> Watched {
    let seen_at_seconds = report.facts.run.taken_at_seconds;
    Watched { schema: SCHEMA.to_owned(), seen_at_seconds, verdict: report.verdict, ..Watched::default() }
}

/// A line for a person.
pub fn text(watched: &Watched) -> Shown {
    let when = timestamp(watched.seen_at_seconds).unwrap_or_default();
    let Some(change) = &watched.change else {
        let before = watched.verdict_before.map_or(String::new(), |before| format!("{} → ", before.title()));
        return Shown::line(&format!("{when}  {before}{}", plain_long(watched.reason.as_deref().unwrap_or_default())));
    };
    let start = match watched.at_start {
        start if start == change.before => String::new(),
        start if start == change.after => " (as at the start)".to_owned(),
        start => format!(" ({} at the start)", diff::word(start)),
    };
    Shown::line(&format!("{when}  {}  {}{start}  {}", diff::sign(change), diff::words(change), diff::said(change)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Severity;

    fn report(verdict: Verdict, outcomes: &[(&str, Outcome, Severity)]) -> Report {
        let finding = |(check, outcome, severity): &(&str, Outcome, Severity)| {
            let message = "why".to_owned();
            Finding {
                check: (*check).to_owned(),
                outcome: *outcome,
                severity: *severity,
                message,
                ..Finding::default()
            }
        };
        Report { verdict, findings: outcomes.iter().map(finding).collect(), ..Report::default() }
    }

    #[test]
    fn a_change_is_told_once_with_how_it_stands_against_the_start() {
        use Outcome::{Fails, Holds, NotApplicable, Unknown};
        use Severity::{High, Low};
        use Verdict::{NotReady, Ready};
        type Seen = (Option<Outcome>, Severity, Verdict);
        let of = |(outcome, severity, verdict): Seen| {
            let found: Vec<_> = outcome.map(|outcome| ("a.b", outcome, severity)).into_iter().collect();
            report(verdict, &found)
        };
        let high = |outcome| (Some(outcome), High, Ready);
        let start = of(high(Holds));
        let cases: [(Seen, Seen, &[&str]); 8] = [
            (high(Holds), high(Holds), &[]),
            (high(Holds), high(NotApplicable), &[]),
            (high(Holds), high(Unknown), &["?  holds → unknown  a.b: why"]),
            (high(Fails), high(Holds), &["✓  fails → holds (as at the start)  a.b"]),
            (high(Unknown), high(Fails), &["✗  unknown → fails (holds at the start)  a.b: why"]),
            (high(Holds), (Some(Fails), High, NotReady), &["✗  holds → fails  a.b: why", "READY → NOT READY: "]),
            ((Some(Fails), Low, Ready), high(Fails), &["✗  low → high (holds at the start)  a.b: why"]),
            (high(Fails), (None, High, Ready), &["·  fails → not there (holds at the start)  a.b"]),
        ];
        for (before, now, told) in cases {
            let lines: Vec<Shown> = changes(&start.findings, &of(before), &of(now)).iter().map(text).collect();
            assert_eq!(lines.len(), told.len(), "{lines:?}");
            for (line, told) in lines.iter().zip(told) {
                assert!(line.contains(told) && line.starts_with("1970-01-01T00:00:00Z  "), "{line} {told}");
            }
        }
    }

    #[test]
    fn nobody_elses_words_make_a_line_of_their_own() {
        let mut now = report(Verdict::NotReady, &[("a.b", Outcome::Fails, Severity::High)]);
        now.findings[0].message = "x\ny\u{1b}[2J\u{9b}".to_owned();
        let lines = changes(&[], &report(Verdict::Ready, &[]), &now);
        assert!(lines.iter().all(|line| !text(line).contains(['\n', '\u{1b}', '\u{9b}'])));
        let json = Shown::json_line(&lines[0]).expect("JSON");
        assert_eq!((json.matches('\n').count(), json.contains('\u{9b}')), (1, false));
        assert_eq!(serde_json::from_str::<Watched>(&json).expect("JSON"), lines[0]);
    }
}
