//! `docs/failures.md`: every failure of the table with its check's own words.

use std::fmt::Write as _;

use gpu_preflight::check::{Catalogue, Check};

use crate::support::bless;
use crate::support::failures::{self, Failure};

const OPENING: &str = "<!-- Made from the source by `just bless`; a test compares it. -->
# Failures

What users of GPU containers meet, as they see it, and what `gpu-preflight` says first when it looks. Each is played by \
`cargo test --test slow failures`: real probes, fake GPU libraries and files, no GPU. The verdict must name this cause before \
all others, accuse nothing else that gates, and block what depends on it.

";

#[test]
fn failures_page_is_current() {
    let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
    let failures = failures::all();
    let mut page = OPENING.to_owned();
    let (decidable, open): (Vec<_>, Vec<_>) = failures.iter().partition(|failure| failure.decidable);
    page.push_str("| symptom | failure | who |\n|---|---|---|\n");
    for failure in &decidable {
        for symptom in &failure.symptom {
            let owner = failure.owner.as_deref().unwrap_or_default();
            let symptom = symptom.replace('|', "\\|");
            writeln!(page, "| {symptom} | [{}](#{}) | {owner} |", failure.id, anchor(&failure.id)).expect("memory");
        }
    }
    for failure in &decidable {
        section(&mut page, 2, failure, check_of(failure, &catalogue));
    }
    page.push_str("\n## What cannot be decided from inside\n");
    for failure in &open {
        section(&mut page, 3, failure, check_of(failure, &catalogue));
    }
    bless::compare("docs/failures.md", &page);
}

fn check_of<'a>(failure: &Failure, catalogue: &'a Catalogue) -> Option<&'a Check> {
    let id = failure.check.as_deref()?;
    Some(catalogue.get(id).unwrap_or_else(|| panic!("{}: there is no check {id}", failure.id)))
}

/// The anchor that a heading gets.
fn anchor(id: &str) -> String {
    id.chars().filter(|c| *c != '.').collect()
}

fn section(page: &mut String, level: usize, failure: &Failure, check: Option<&Check>) {
    let mut line = |text: String| writeln!(page, "{text}").expect("memory");
    line(format!("\n{} {}\n", "#".repeat(level), failure.id));
    let symptoms: Vec<&str> = failure.symptom.iter().map(String::as_str).collect();
    line(format!("> {}\n", symptoms.join("  \n> ")));
    line(format!("- **Cause:** {}", failure.cause));
    if let Some(check) = check {
        line(format!("- **Check:** [{}](checks.md#{}) ({})", check.id, anchor(&check.id), check.file.severity));
        line(format!("- **Who:** {}", check.owner));
        let remedies: Vec<String> = check.file.remedy.iter().map(|(place, text)| format!("{place}: {text}")).collect();
        line(format!("- **Remedy:**\n  - {}", remedies.join("\n  - ")));
    }
    if let Some(limit) = &failure.limit {
        let word = if failure.decidable { "Stays open" } else { "Not decided" };
        line(format!("- **{word}:** {limit}"));
    }
    if failure.decidable {
        let (file, patched) = (failure.id.replace('.', "/"), failure.scenario.iter().any(|s| s.patch.is_some()));
        let how = if patched { ", with readings put over it that no file can play" } else { "" };
        line(format!("- **Test:** `tests/failures/{file}.toml`{how}"));
    }
}

#[test]
fn the_table_is_whole() {
    let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
    for failure in failures::all() {
        let id = &failure.id;
        assert!(!failure.symptom.is_empty() && failure.cause.ends_with('.'), "{id}: symptom, and cause as a sentence");
        assert!(failure.limit.iter().all(|limit| limit.ends_with('.')), "{id}: the limit is a sentence");
        assert_eq!(failure.decidable, failure.scenario.is_some(), "{id}: what can be decided is played");
        assert!(failure.decidable || failure.limit.is_some(), "{id}: why it cannot be decided");
        assert!(!failure.decidable || failure.owner.is_some(), "{id}: who fixes it");
        if let Some(check) = check_of(&failure, &catalogue) {
            assert!(failure.owner.as_deref().is_none_or(|owner| owner == check.owner.as_str()), "{id}: the owner");
        }
    }
}
