//! The verdict in at most 1 KiB, for a termination log.

use super::{Report, overview};
use crate::text::plain_long;

/// Bytes that a summary has at most.
pub const LIMIT: usize = 1024;

/// Verdict, score, and the failures as far as they fit, a line each.
pub fn render(report: &Report) -> String {
    let mut summary = format!("gpu-preflight: {} ({})\n", report.verdict_words(), overview::score_words(report));
    for finding in report.findings.iter().filter(|finding| finding.counts()) {
        let line = format!("{}: {}: {}\n", finding.owner, finding.check, plain_long(&finding.message));
        if summary.len() + line.len() > LIMIT {
            break;
        }
        summary.push_str(&line);
    }
    summary.truncate(summary.floor_char_boundary(LIMIT));
    summary
}
