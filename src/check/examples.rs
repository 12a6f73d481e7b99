//! What a check must show beside being well-formed: words for the one who reads it at night, and examples that come out
//! as they say. Those that are part of the program show it in a test; those of a site when they are loaded.

use super::error::ConfigError;
use super::file::{Example, Owner};
use super::{Catalogue, Check, judge};
use crate::facts::Facts;

/// Refuses a check that leaves its reader alone, or whose examples come out otherwise.
pub fn prove(file: &str, check: &Check) -> Result<(), ConfigError> {
    let wrong = |message: String| Err(ConfigError { file: file.to_owned(), line: 0, column: 0, message });
    for (name, words) in [("why", &check.file.why), ("detect", &check.file.detect)] {
        if words.trim().is_empty() {
            return wrong(format!("`{name}` is missing: `explain` has nothing to say"));
        }
    }
    let places: &[&str] = match check.owner {
        Owner::Pod => &["docker", "kubernetes"],
        Owner::Hardware => &["hardware", "node"],
        Owner::Workload => &["workload"],
        Owner::Image => &["image"],
        Owner::Node => &["node"],
    };
    if !places.iter().any(|place| check.file.remedy.contains_key(*place)) {
        let owner = check.owner;
        return wrong(format!("`[remedy]` has nothing for its owner, {owner}: {}", places.join(" or ")));
    }
    for (index, example) in check.file.example.iter().enumerate() {
        if let Err(message) = try_example(check, example) {
            return wrong(format!("example {}: {message}", index + 1));
        }
    }
    Ok(())
}

/// Judges an example by itself, without what would block it.
fn try_example(check: &Check, example: &Example) -> Result<(), String> {
    let facts: Facts = serde_json::from_value(example.given.clone()).map_err(|error| error.to_string())?;
    let facts = serde_json::to_value(facts).map_err(|error| error.to_string())?;
    let mut check = check.clone();
    let check_severity = check.file.severity;
    check.causes.clear();
    let phase = check.phases.first().copied().unwrap_or_default();
    let judged = judge(&Catalogue { checks: vec![check] }, &facts, phase);
    let [judged] = judged.as_slice() else { return Err(format!("gives {} findings, not one", judged.len())) };
    if judged.outcome != example.then {
        return Err(format!("{} ({}), not {}", judged.outcome, judged.message, example.then));
    }
    if judged.severity != example.severity.unwrap_or(check_severity) {
        return Err(format!("is {}", judged.severity));
    }
    match &example.message {
        Some(message) if *message != judged.message => Err(format!("says `{}`", judged.message)),
        _ => Ok(()),
    }
}
