//! One check as a page: what `explain` prints and what `docs/checks.md` holds; and the way there from less than its name.

mod search;

use crate::check::{Catalogue, Check};
use crate::text::Shown;
use crate::weigh::Profile;
pub use search::search;

/// The page of a check, in Markdown that reads well as plain text. `level` is the level of its heading.
pub fn page(check: &Check, level: usize, profiles: &[Profile]) -> Shown {
    let file = &check.file;
    let phases: Vec<&str> = check.phases.iter().map(|phase| phase.as_str()).collect();
    let mut page = Shown::default();
    let mut line = |text: String| page.push_line(&Shown::line(&text));
    line(format!("{} {}", "#".repeat(level), check.id));
    line(String::new());
    line(format!("{}.", file.title));
    line(String::new());
    let raised = file.raised.iter().map(|raised| format!("{} where `{}`, ", raised.severity, raised.when));
    let (weighed, usual): (Vec<&Profile>, Vec<&Profile>) =
        profiles.iter().partition(|profile| profile.weight(&check.id).is_some());
    let usual: Vec<&str> = usual.iter().map(|profile| profile.name.as_str()).collect();
    line(format!(
        "Severity {}{}{}, dimension {}, fixed by: {}, judged in phase {}.",
        raised.collect::<String>(),
        file.severity,
        if weighed.is_empty() { " in every profile" } else { "" },
        check.dimension,
        check.owner,
        phases.join(", ")
    ));
    line(String::new());
    for (name, (weight, why)) in weighed.iter().filter_map(|one| Some((&one.name, one.weight(&check.id)?))) {
        line(format!("- {name}: {}. {why}", weight.as_str()));
    }
    if !weighed.is_empty() {
        line(format!("- {}: as above.", usual.join(", ")));
        line(String::new());
    }
    section(&mut page, "Why it matters", &file.why);
    section(&mut page, "How it is found", &file.detect);
    let mut line = |text: String| page.push_line(&Shown::line(&text));
    if let Some(when) = &check.when {
        line(format!("Applies when `{}`.", when.text));
    }
    if let Some(each) = &file.each {
        line(format!("Judged for each item of `{each}`."));
    }
    line(format!("Expects `{}`.", file.expect));
    if !check.requires.is_empty() {
        line(format!("Not judged while one of these, or what it requires, fails: {}.", check.requires.join(", ")));
    }
    line(String::new());
    line("How to fix it:".to_owned());
    for (place, remedy) in &file.remedy {
        line(format!("- {place}: {remedy}"));
    }
    if !file.links.is_empty() {
        line(String::new());
        for link in &file.links {
            line(format!("<{link}>"));
        }
    }
    page
}

/// Prose, which breaks where its writer broke it.
fn section(page: &mut Shown, title: &str, text: &str) {
    if !text.is_empty() {
        page.push_line(&Shown::lines(&format!("{title}: {}", text.trim())));
        page.push_line(&Shown::default());
    }
}

/// The checks of a room, with what each makes sure of; nothing where there is no such room.
pub fn room(catalogue: &Catalogue, name: &str) -> Option<Shown> {
    let room = name.trim_end_matches(['.', '*', '/']);
    let is_in = |check: &&Check| check.id.split_once('.').is_some_and(|(first, _)| first == room);
    let mut checks: Vec<&Check> = catalogue.checks.iter().filter(is_in).collect();
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    (!checks.is_empty()).then(|| Shown::lines(&(short(&checks) + "\n")))
}

/// Checks with their titles, a line each.
fn short(checks: &[&Check]) -> String {
    let width = checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let lines = checks.iter().map(|check| format!("{:<width$}  {}", check.id, check.file.title));
    lines.collect::<Vec<_>>().join("\n")
}

/// All checks, a line each, by room.
pub fn list(checks: &[&Check], severity: impl Fn(&Check) -> Option<String>) -> Shown {
    let width = checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let line = |check: &&Check| {
        let severity = severity(check).unwrap_or_else(|| "off".to_owned());
        Shown::line(&format!("{:<width$}  {severity:<8}  {}", check.id, check.file.title))
    };
    checks.iter().map(line).collect()
}
