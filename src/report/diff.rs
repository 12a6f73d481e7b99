//! What changed between two reports: of two machines, or of one on two days.

mod facts;

use std::collections::BTreeMap;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde_json::Value;

use super::overview::{Mark, place, score_words};
use super::text::Layout;
use super::{Finding, Report, table};
use crate::check::{Outcome, Severity};
use crate::facts::recording::DID_NOT_ASK;
use crate::facts::shape::record;
use crate::facts::timestamp;
use crate::text::{Shown, count, plain, plain_long};

/// The `schema` of a comparison that this version writes.
pub const SCHEMA: &str = "gpu-preflight/diff/1";

record! {
    /// What changed between two reports.
    pub struct Diff {
        /// Always `gpu-preflight/diff/1`.
        pub schema: String,
        /// What came out differently, the most urgent of the second report first.
        pub findings: Vec<FindingChange>,
        /// Facts that differ and matter.
        pub facts: Vec<FactChange>,
        /// Facts that differ and are passed over: times, process ids, momentary readings, rates within their noise.
        pub passed_over_count: usize,
    }

    /// A finding that came out differently.
    pub struct FindingChange {
        /// The check.
        pub check: String,
        /// The item it is about; not there for a check on the whole.
        pub subject: Option<String>,
        /// What came of it in the first report; not there where it has no such finding.
        pub before: Option<Outcome>,
        /// What came of it in the second.
        pub after: Option<Outcome>,
        /// How much it matters in the first; not there where it does not fail there.
        pub before_severity: Option<Severity>,
        /// How much it matters in the second; not there where it does not fail there.
        pub after_severity: Option<Severity>,
        /// What is said of it in the second, else in the first.
        pub message: String,
    }

    /// A fact that differs.
    pub struct FactChange {
        /// Where it stands in the facts; an item of a list by what it is known by.
        pub path: String,
        /// What the first report says.
        pub before: Value,
        /// What the second says.
        pub after: Value,
    }
}

impl Diff {
    /// Whether anything that matters changed.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.facts.is_empty()
    }
}

/// Compares two reports.
pub fn compare(before: &Report, after: &Report) -> Diff {
    let value = |report: &Report| serde_json::to_value(&report.facts).unwrap_or_default();
    let mut walk = facts::Walk::default();
    walk.compare("", &value(before), &value(after));
    Diff {
        schema: SCHEMA.to_owned(),
        findings: findings(&before.findings, &after.findings),
        facts: walk.changes,
        passed_over_count: walk.passed_over_count,
    }
}

/// What came out differently; what was no trouble and is none is passed over.
pub(super) fn findings(before: &[Finding], after: &[Finding]) -> Vec<FindingChange> {
    let key = |finding: &Finding| (finding.check.clone(), finding.subject.clone());
    let then: BTreeMap<_, &Finding> = before.iter().map(|finding| (key(finding), finding)).collect();
    let now: BTreeMap<_, &Finding> = after.iter().map(|finding| (key(finding), finding)).collect();
    let changed = after.iter().filter_map(|finding| change(then.get(&key(finding)).copied(), Some(finding)));
    let gone = before.iter().filter(|finding| !now.contains_key(&key(finding)));
    changed.chain(gone.filter_map(|finding| change(Some(finding), None))).collect()
}

fn change(then: Option<&Finding>, now: Option<&Finding>) -> Option<FindingChange> {
    let one = now.or(then)?;
    let [before, after] = [then, now].map(|finding| finding.map(|finding| finding.outcome));
    let severity = |finding: &Finding| (finding.outcome == Outcome::Fails).then_some(finding.severity);
    let [before_severity, after_severity] = [then, now].map(|finding| finding.and_then(severity));
    let is_other = before != after || before_severity != after_severity;
    let is_trouble =
        |outcome: Option<Outcome>| matches!(outcome, Some(Outcome::Fails | Outcome::Unknown | Outcome::Blocked));
    // What an older recording could not be asked is no change of the machine.
    let is_asked = one.outcome != Outcome::Unknown || !one.message.contains(DID_NOT_ASK);
    (is_other && is_asked && (is_trouble(before) || is_trouble(after))).then(|| FindingChange {
        check: one.check.clone(),
        subject: one.subject.clone(),
        before,
        after,
        before_severity,
        after_severity,
        message: one.message.clone(),
    })
}

/// As text. `names` is how the two are called.
pub fn text(diff: &Diff, names: [&str; 2], reports: [&Report; 2], layout: Layout) -> Shown {
    let width = usize::from(layout.width);
    let mut page: Vec<Shown> = Vec::new();
    for (letter, (name, report)) in ["A", "B"].into_iter().zip(names.into_iter().zip(reports)) {
        let when = timestamp(report.facts.run.taken_at_seconds).unwrap_or_default();
        let words = [report.verdict_words(), score_words(report), place(&report.facts), when].join(" · ");
        page.extend(table::wrap(&format!("{letter}  {}: {words}", plain(name)), width));
    }
    if !diff.findings.is_empty() {
        page.extend([Shown::default(), Shown::line("findings")]);
        let rows = diff.findings.iter().map(|change| [sign(change).to_owned(), words(change), said(change)]);
        page.extend(columns(rows, [3, 20], layout));
    }
    if !diff.facts.is_empty() {
        page.extend([Shown::default(), Shown::line("facts")]);
        let head = ["", "A", "B"].map(str::to_owned);
        let rows = diff.facts.iter().map(|change| [plain(&change.path), value(&change.before), value(&change.after)]);
        let path = (layout.width / 5 * 2).min(44);
        page.extend(columns(std::iter::once(head).chain(rows), [path, (layout.width - path) / 2], layout));
    }
    page.push(Shown::default());
    let passed = match diff.passed_over_count {
        0 => String::new(),
        number => format!("; {} passed over that always differ", count(number, "reading")),
    };
    let [findings, facts] = [count(diff.findings.len(), "finding"), count(diff.facts.len(), "fact")];
    let changed = if diff.is_empty() {
        "nothing that matters changed".to_owned()
    } else {
        format!("{findings} came out differently, {facts} changed")
    };
    page.extend(table::wrap(&(changed + &passed), width));
    page.into_iter().collect()
}

fn columns(rows: impl Iterator<Item = [String; 3]>, fixed: [u16; 2], layout: Layout) -> Vec<Shown> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(layout.width);
    for row in rows {
        table.add_row(row.map(|cell| Shown::line(&cell).to_string()));
    }
    for (index, width) in fixed.into_iter().enumerate() {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
    table::shown(&table)
}

pub(super) fn sign(change: &FindingChange) -> &'static str {
    let mark = match change.after {
        Some(Outcome::Fails) => Mark::Bad,
        Some(Outcome::Unknown | Outcome::Blocked) => Mark::Unknown,
        Some(Outcome::Holds) => Mark::Good,
        Some(Outcome::NotApplicable) | None => Mark::None,
    };
    mark.sign()
}

/// `holds → fails`; `low → high` where it failed before.
pub(super) fn words(change: &FindingChange) -> String {
    match (change.before_severity, change.after_severity) {
        (Some(before), Some(after)) => format!("{before} → {after}"),
        _ => format!("{} → {}", word(change.before), word(change.after)),
    }
}

/// What came of a finding, in a word.
pub(super) fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::NotApplicable) => "n/a",
        Some(outcome) => outcome.as_str(),
        None => "not there",
    }
}

pub(super) fn said(change: &FindingChange) -> String {
    let subject = change.subject.as_ref().map_or(String::new(), |subject| format!(" ({})", plain(subject)));
    let check = plain(&change.check);
    match change.after {
        Some(Outcome::Fails | Outcome::Unknown) => format!("{check}{subject}: {}", plain_long(&change.message)),
        _ => format!("{check}{subject}"),
    }
}

/// A value as one reads it.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "not there".to_owned(),
        Value::String(text) => plain(text),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(gap) if gap.contains_key("unknown") => {
            let word = |key: &str| gap.get(key).and_then(Value::as_str).unwrap_or_default();
            plain(&format!("unknown ({}) {}", word("unknown"), word("detail")))
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            let items: Vec<String> =
                items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned)).collect();
            plain(&items.join(", "))
        }
        Value::Array(items) => count(items.len(), "item"),
        Value::Object(_) => "there".to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => crate::text::number(float),
            _ => number.to_string(),
        },
        Value::Bool(truth) => truth.to_string(),
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
