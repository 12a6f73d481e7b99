//! Markdown as GitHub and `GitLab` read it: the verdict and one table, for a comment on a pull request or a summary.

use std::fmt::Write as _;

use super::spans::{Span, spans};
use super::{Finding, Report, told, words};
use crate::check::Outcome;
use crate::report::overview::{Mark, dimension_words, score_words};
use crate::report::tally;
use crate::text::{Shown, plain, plain_long};
use crate::weigh::remedy;

/// Bytes that a comment on GitHub may have are 65,536; the last row needs some.
const COMMENT: usize = 60_000;
/// The same of a step's summary, 1 MiB.
const SUMMARY: usize = 1_000_000;

/// For a comment: as many rows as fit.
pub fn comment(report: &Report) -> Shown {
    render(report, COMMENT)
}

/// For the summary of a step.
pub fn whole(report: &Report) -> Shown {
    render(report, SUMMARY)
}

fn render(report: &Report, limit: usize) -> Shown {
    let mut page = format!("### gpu-preflight: {}\n\n", report.verdict_words());
    let capped = report
        .score
        .capped_by
        .as_ref()
        .map_or(String::new(), |id| format!(", capped by {}{}", code(&plain(id)), tally::waived(report, id)));
    let _ = writeln!(
        page,
        "{}{capped} · {} · profile {}, phase {}",
        score_words(report),
        tally::looked(report),
        code(&plain(&report.profile)),
        report.phase
    );
    for note in &report.notes {
        let _ = writeln!(page, "\n{}", sentence(&plain_long(note)));
    }
    let groups = told(report);
    if !groups.is_empty() {
        page.push_str("\n| | severity | check | what is wrong | who fixes it, and how |\n|---|---|---|---|---|\n");
    }
    let mut left = groups.len();
    for group in groups {
        let row = row(group, report);
        if page.len() + row.len() > limit {
            break;
        }
        page.push_str(&row);
        left -= 1;
    }
    if left > 0 {
        let _ = writeln!(page, "\n… and {left} more");
    }
    let _ = writeln!(page, "\n{}", tally::rest(report));
    let scores = dimension_words(report);
    if !scores.is_empty() {
        let _ = writeln!(page, "\n{scores}");
    }
    Shown::lines(&page)
}

fn row(group: &[Finding], report: &Report) -> String {
    let Some(first) = group.first() else { return String::new() };
    let mark = match first.outcome {
        Outcome::Fails if first.gating && first.waived.is_none() => Mark::Bad,
        Outcome::Fails => Mark::Warning,
        _ => Mark::Unknown,
    };
    let cure = match (&first.waived, first.outcome) {
        (Some(waiver), _) => format!("waived: {}", sentence(&plain_long(waiver))),
        (None, Outcome::Fails) => {
            format!("{}: {}", first.owner, sentence(&Shown::line(&remedy(first, &report.facts))))
        }
        _ => String::new(),
    };
    let [sign, severity] = [mark.sign(), first.severity.as_str()];
    let check = code(&plain(&first.check));
    format!("| {sign} | {severity} | {check} | {} | {cure} |\n", sentence(&plain_long(&words(group))))
}

/// A sentence with its code as code.
fn sentence(text: &str) -> String {
    let pieces = spans(text).into_iter().map(|span| match span {
        Span::Words(words) => escaped(words),
        Span::Code(text) => code(text),
    });
    pieces.collect()
}

/// Text as code. A fence that is longer than any within keeps it together; only a pipe ends a cell even there.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let (fence, space) = ("`".repeat(longest + 1), if longest > 0 { " " } else { "" });
    // Table cells give a pipe back; a backslash before it would be a part of the code, so it is parted from it.
    format!("{fence}{space}{}{space}{fence}", text.replace("\\|", "\\ |").replace('|', "\\|"))
}

/// Words that mean nothing but themselves: no markup, no cell, no HTML, and nobody who is mentioned.
fn escaped(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // Who is named in code is not called.
            '@' => safe.push_str("`@`"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_themselves() {
        assert_eq!(sentence("a|b <i> `c|d` @me #1 ` [x](y)"), "a\\|b &lt;i&gt; `c\\|d` `@`me \\#1 \\` \\[x\\](y)");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
    }
}
