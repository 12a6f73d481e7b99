//! The numbers that every format says in the same words.

use super::Report;
use crate::check::Outcome;
use crate::text::count;

/// How much was looked at: `99 % looked at`. All of it is said of all of it alone.
pub fn looked(report: &Report) -> String {
    format!("{} % looked at", report.score.looked_percent())
}

/// What there is beside failures and gaps: `3 checks hold, 1 does not apply here`.
pub fn rest(report: &Report) -> String {
    let [holds, other] = [Outcome::Holds, Outcome::NotApplicable].map(|outcome| report.count(outcome));
    let verb = |number: usize, one, many| if number == 1 { one } else { many };
    let (hold, apply) = (verb(holds, "holds", "hold"), verb(other, "does not apply", "do not apply"));
    format!("{} {hold}, {other} {apply} here", count(holds, "check"))
}

/// What is said behind a check that only counts for the score.
pub fn waived(report: &Report, check: &str) -> &'static str {
    if report.is_waived(check) { ", waived" } else { "" }
}
