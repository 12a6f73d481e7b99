//! One line: what stands on a node's condition, in a monitoring system or in a log.

use super::{Report, words};
use crate::report::overview::score_words;
use crate::report::tally;
use crate::text::Shown;
use crate::weigh::Verdict;

/// Bytes that a line has at most, its line feed among them.
pub const LIMIT: usize = 80;

/// The verdict and what it comes from.
pub fn render(report: &Report) -> Shown {
    short(&whole(report))
}

/// The verdict with its scope, and what it comes from, however long.
pub fn whole(report: &Report) -> String {
    format!("{}: {}", report.verdict_words(), reason(report))
}

/// A line of ours in at most [`LIMIT`] bytes.
pub fn short(text: &str) -> Shown {
    let line = Shown::line(text);
    let line = if line.len() < LIMIT { line } else { line.cut(LIMIT - 1 - '…'.len_utf8()) + &Shown::line("…") };
    [line].into_iter().collect()
}

/// What a verdict comes from: the finding that decides it, else the score.
pub fn reason(report: &Report) -> String {
    let score = score_words(report);
    match report.cause() {
        Some(finding) if report.verdict != Verdict::Ready => {
            format!("{}: {}", finding.check, words(std::slice::from_ref(finding)))
        }
        Some(finding) => format!("{score}; {} fails, which does not gate", finding.check),
        None => format!("{score}, {}", tally::looked(report)),
    }
}
