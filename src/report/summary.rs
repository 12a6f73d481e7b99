//! The verdict in at most 1 KiB, for a termination log.

use super::{Report, overview};
use crate::text::{Shown, plain_long};

/// Bytes that a summary has at most.
pub const LIMIT: usize = 1024;

/// Verdict, score, and the failures as far as they fit, a line each.
pub fn render(report: &Report) -> Shown {
    let head = format!("gpu-preflight: {} ({})", report.verdict_words(), overview::score_words(report));
    let mut summary: Shown = [Shown::line(&head)].into_iter().collect();
    for finding in report.findings.iter().filter(|finding| finding.counts()) {
        let line = Shown::line(&format!("{}: {}: {}", finding.owner, finding.check, plain_long(&finding.message)));
        if summary.len() + line.len() >= LIMIT {
            break;
        }
        summary.push_line(&line);
    }
    summary.cut(LIMIT)
}
