//! One check as a page: what `explain` prints and what `docs/checks.md` holds.

use std::fmt::Write as _;

use crate::check::Check;

/// The page of a check, in Markdown that reads well as plain text. `level` is the level of its heading.
pub fn page(check: &Check, level: usize) -> String {
    let file = &check.file;
    let phases: Vec<&str> = check.phases.iter().map(|phase| phase.as_str()).collect();
    let mut page = format!("{} {}\n\n{}.\n\n", "#".repeat(level), check.id, file.title);
    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    let raised = file.raised.iter().map(|raised| format!("{} where `{}`, ", raised.severity, raised.when));
    line(format!(
        "Severity {}{}, dimension {}, fixed by: {}, judged in phase {}.",
        raised.collect::<String>(),
        file.severity,
        check.dimension,
        check.owner,
        phases.join(", ")
    ));
    line(String::new());
    section(&mut line, "Why it matters", &file.why);
    section(&mut line, "How it is found", &file.detect);
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

fn section(line: &mut impl FnMut(String), title: &str, text: &str) {
    if !text.is_empty() {
        line(format!("{title}: {}", text.trim()));
        line(String::new());
    }
}

/// All checks, a line each, by room.
pub fn list(checks: &[&Check], severity: impl Fn(&Check) -> Option<String>) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    for check in checks {
        let severity = severity(check).unwrap_or_else(|| "off".to_owned());
        let _ = writeln!(text, "{:<width$}  {severity:<8}  {}", check.id, check.file.title);
    }
    text
}
