//! Findings as rows of a table.

use std::fmt::Write as _;

use super::overview::Mark;
use super::table::Line;
use super::{Finding, Report};
use crate::check::Outcome;
use crate::text::plain;
use crate::weigh::baseline::Since;
use crate::weigh::remedy;

/// A message with the item it is about in front, unless it names it itself.
pub fn with_subject(finding: &Finding, message: &str) -> String {
    let Some(subject) = finding.subject.as_deref().filter(|subject| !message.contains(subject)) else {
        return message.to_owned();
    };
    // Of an item in one of several containers the message names the item.
    match subject.split_once(": ").filter(|(_, item)| message.contains(item)) {
        Some((container, _)) => format!("{container}: {message}"),
        None => format!("{subject}: {message}"),
    }
}

/// Where a finding stands, as the end of a sentence: `, at Dockerfile:3`.
pub fn at(finding: &Finding) -> String {
    let places: Vec<String> =
        finding.places.iter().take(4).map(|place| format!("{}:{}", plain(&place.file), place.line)).collect();
    if places.is_empty() { String::new() } else { format!(", at {}", places.join(", ")) }
}

/// What is wrong with the first of these findings of one check, and which others there are.
pub fn group_words(group: &[&Finding]) -> String {
    let Some((finding, others)) = group.split_first() else { return String::new() };
    let mut text = with_subject(finding, &finding.message) + &at(finding);
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().filter_map(|other| other.subject.as_deref()).take(4).collect();
        let dots = if others.len() > names.len() { " …" } else { "" };
        let _ = write!(text, " (and {} more: {}{dots})", others.len(), names.join(", "));
    }
    if group.iter().any(|finding| finding.since == Some(Since::New)) { format!("new: {text}") } else { text }
}

/// What findings that are told in one row have in common, beside that they fail: against a baseline also what is new.
pub fn group_of(finding: &Finding) -> (&str, Option<(Since, bool)>) {
    (&finding.check, finding.since.map(|since| (since, finding.gating)))
}

/// One row for all items that fail one check: what is wrong with the first, and which others.
pub fn failure_line(group: &[&Finding], report: &Report) -> Line {
    let Some(finding) = group.first() else { return Line::default() };
    let mark = if finding.gating && finding.waived.is_none() { Mark::Bad } else { Mark::Warning };
    let cure = match &finding.waived {
        Some(waiver) => format!("waived: {waiver}"),
        None => format!("{}: {}", finding.owner, remedy(finding, &report.facts)),
    };
    Line { cure: Some(cure), ..line(mark, finding, group_words(group)) }
}

/// One row for each reason why something could not be told, at the most severe of the checks that it keeps open; each of
/// them has a row of its own where all is listed.
pub fn gap_lines(report: &Report, each: bool) -> Vec<Line> {
    let mut groups: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in report.findings.iter().filter(|finding| finding.outcome == Outcome::Unknown) {
        let why = reason(finding);
        match groups.iter_mut().find(|(known, _)| !each && *known == why) {
            Some((_, group)) => group.push(finding),
            None => groups.push((why, vec![finding])),
        }
    }
    groups.into_iter().map(|(why, group)| gap_line(why, &group)).collect()
}

fn gap_line(why: &str, group: &[&Finding]) -> Line {
    let Some((first, others)) = group.split_first() else { return Line::default() };
    let mut ids: Vec<&str> = Vec::new();
    for other in others.iter().map(|other| other.check.as_str()) {
        if other != first.check && !ids.contains(&other) {
            ids.push(other);
        }
    }
    let text = if ids.is_empty() {
        let message = first.message.strip_prefix(COULD_NOT_TELL).unwrap_or(&first.message);
        with_subject(first, message) + &at(first)
    } else {
        let left = ids.len().saturating_sub(NAMED);
        ids.truncate(NAMED);
        let more = if left > 0 { format!(" and {left} more; --verbose lists them") } else { String::new() };
        format!("{why}; the same of {}{more}", ids.join(", "))
    };
    line(Mark::Unknown, first, text)
}

/// How the message of a check begins that could not be told.
const COULD_NOT_TELL: &str = "could not tell: ";
/// Checks that a row names beside its own.
const NAMED: usize = 8;

/// Why something could not be told, without the fact that was asked for, in which checks differ that miss one thing.
fn reason(finding: &Finding) -> &str {
    let message = finding.message.strip_prefix(COULD_NOT_TELL).unwrap_or(&finding.message);
    match message.split_once(": ") {
        Some((fact, why)) if !fact.contains(' ') => why,
        _ => message,
    }
}

/// One row for one finding.
pub fn line(mark: Mark, finding: &Finding, text: String) -> Line {
    Line { mark: mark.sign(), severity: finding.severity.as_str(), check: finding.check.clone(), text, cure: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_twice() {
        let told = |subject: &str, message: &str| {
            let subject = Some(subject).filter(|subject| !subject.is_empty()).map(str::to_owned);
            with_subject(&Finding { subject, ..Finding::default() }, message)
        };
        assert_eq!(told("", "x:1 names no release"), "x:1 names no release");
        assert_eq!(told("x:1", "x:1 names no release"), "x:1 names no release");
        assert_eq!(told("x:1", "no release is named"), "x:1: no release is named");
        assert_eq!(told("service llm: x:1", "x:1 names no release"), "service llm: x:1 names no release");
        assert_eq!(told("service llm: x:1", "no release"), "service llm: x:1: no release");
        assert_eq!(told("service llm", "service llm asks for no GPU"), "service llm asks for no GPU");
    }
}
