//! The examples of a check come out as they say. Those that are part of the program show it in a test; those of a site
//! when they are loaded.

use super::error::ConfigError;
use super::file::Example;
use super::{Catalogue, Check, judge};
use crate::facts::Facts;

/// Refuses a check whose examples come out otherwise.
pub fn prove(file: &str, check: &Check) -> Result<(), ConfigError> {
    let wrong = check.file.example.iter().enumerate().filter_map(|(index, example)| {
        let message = format!("example {}: {}", index + 1, try_example(check, example).err()?);
        Some(ConfigError { file: file.to_owned(), message, ..ConfigError::default() })
    });
    ConfigError::all(wrong)
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
