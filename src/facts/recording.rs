//! A recording, which another version may have made: from its text to facts, and to what is to be said of the rest.
//!
//! A recording outlives the version that made it. So what this version does not know in one, a field or a word, is left
//! out and said; what it asks and the recording does not hold is unknown, for the reason that nobody asked; and one of an
//! older [`SCHEMA`] is changed first into what this version would have written ([`UPGRADES`]). What is broken, or of the
//! wrong type, is refused with its place in the text: only hands make such.
//!
//! This holds for recordings alone. Checks, their examples and profiles are written by hand, and there an unknown name is
//! a slip.

mod fit;
mod upgrade;

use std::collections::BTreeSet;

use serde_json::Value;

use super::shape::Shaped;
use super::{Facts, Gap, GapKind, SCHEMA};
use fit::Fit;

/// What stands before the number of a schema.
const SCHEMAS: &str = "gpu-preflight/facts/";
/// The same for a report.
const REPORTS: &str = "gpu-preflight/report/";

/// Names that one note lists at most.
const NAMES_MAX: usize = 6;
/// Characters of a foreign name that are kept.
const NAME_MAX: usize = 60;

/// The number of a schema, and what changes a recording of that schema into one of the next.
type Upgrade = (u32, fn(&mut Value));

/// One for every schema before this version's, the oldest first.
const UPGRADES: &[Upgrade] = &[(1, upgrade::from_1)];

/// What a recording says.
#[derive(Debug)]
pub struct Recording {
    /// As far as this version knows it.
    pub facts: Facts,
    /// What it does not know, for a person.
    pub notes: Vec<String>,
}

/// Why a text is no recording.
#[derive(Debug)]
pub struct Mistake {
    /// Line and column, from 1, where it can be told.
    pub place: Option<(usize, usize)>,
    /// What is wrong, for a person.
    pub message: String,
}

impl Mistake {
    fn without_place(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into() }
    }
}

impl From<serde_json::Error> for Mistake {
    fn from(error: serde_json::Error) -> Self {
        // serde_json ends its messages with the place, which has a field of its own here.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        let place = (error.line() > 0).then(|| (error.line(), error.column()));
        Self { place, message }
    }
}

/// Reads a recording of whatever version, or the one that a report was made from and holds.
pub fn read(text: &str) -> Result<Recording, Mistake> {
    let mut value: Value = serde_json::from_str(text)?;
    let is_report = value.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with(REPORTS));
    match value.get_mut("facts").filter(|_| is_report).map(Value::take) {
        Some(facts) => of(facts.clone(), &facts.to_string()),
        None => of(value, text),
    }
}

/// The recording with this text.
fn of(mut value: Value, text: &str) -> Result<Recording, Mistake> {
    // Reading that knows no patience says best where it failed.
    let strict = serde_json::from_str::<Facts>(text).map(drop);
    let Some(schema) = value.get("schema").and_then(Value::as_str).map(cut) else {
        strict?;
        return Err(foreign(""));
    };
    let (Some(number), Some(own)) = (number(&schema), number(SCHEMA)) else { return Err(foreign(&schema)) };
    upgraded(&mut value, number, UPGRADES);
    let by = value.pointer("/run/tool_version").and_then(Value::as_str).filter(|by| !by.is_empty()).map(cut);
    let mut fit = Fit::new(not_asked(by.as_deref()), number > own);
    fit.fit(&mut value, Facts::SHAPE);
    if number == own && fit.knows_all() {
        strict?;
    }
    if let Some(wrong) = fit.wrong.first() {
        return Err(Mistake::without_place(wrong));
    }
    if let Value::Object(fields) = &mut value {
        fields.insert("schema".to_owned(), SCHEMA.into());
    }
    let facts = serde_json::from_value(value.clone()).map_err(|error| match unheld(&value) {
        Some(path) => Mistake::without_place(format!("{path}: a number that is out of its range")),
        None => error.into(),
    })?;
    let newer = (number > own).then(|| {
        format!("the recording is `{schema}`, newer than `{SCHEMA}`: what has another form since then is unknown here")
    });
    let by = by.map(|by| format!("; recorded by {by}")).unwrap_or_default();
    let notes = newer.into_iter().chain(notes(&fit)).map(|note| note + &by).collect();
    Ok(Recording { facts, notes })
}

/// The number of a schema of recordings.
fn number(schema: &str) -> Option<u32> {
    schema.strip_prefix(SCHEMAS)?.parse().ok().filter(|number| *number > 0)
}

fn foreign(schema: &str) -> Mistake {
    match schema {
        "" => Mistake::without_place(format!("it has no `schema`, so it is no recording (`{SCHEMA}`)")),
        _ => Mistake::without_place(format!("its schema is `{schema}`, not `{SCHEMA}`")),
    }
}

/// Where the value stands that has the right form and cannot be held all the same.
fn unheld(value: &Value) -> Option<String> {
    let is_held = |room: &str, inner: Value| {
        let alone = Value::Object([(room.to_owned(), inner)].into_iter().collect());
        serde_json::from_value::<Facts>(alone).is_ok()
    };
    let (room, inner) = value.as_object()?.iter().find(|(room, inner)| !is_held(room, (*inner).clone()))?;
    let one = |name: &String, inner: &Value| Value::Object([(name.clone(), inner.clone())].into_iter().collect());
    let field = inner.as_object().and_then(|all| all.iter().find(|(name, inner)| !is_held(room, one(name, inner))));
    Some(field.map_or_else(|| room.clone(), |(name, _)| format!("{room}.{name}")))
}

/// Takes a recording of schema `from` through every change since then.
fn upgraded(value: &mut Value, from: u32, upgrades: &[Upgrade]) {
    for (_, change) in upgrades.iter().filter(|(schema, _)| *schema >= from) {
        change(value);
    }
}

/// How the reason of such a gap ends where the recording names its version.
pub const DID_NOT_ASK: &str = "which did not ask";

/// Why a fact is unknown that the recording does not hold.
fn not_asked(by: Option<&str>) -> Gap {
    let why = match by {
        None => "not in the recording".to_owned(),
        // Builds of one version may ask for more than their predecessors.
        Some(by) if by == env!("CARGO_PKG_VERSION") => format!("recorded by an earlier build of {by}, {DID_NOT_ASK}"),
        Some(by) => format!("recorded by {by}, {DID_NOT_ASK}"),
    };
    Gap::new(GapKind::NotAsked, why)
}

/// What was left out.
fn notes(fit: &Fit) -> Vec<String> {
    let note = |what: &str, names: &BTreeSet<String>| {
        let plural = if names.len() == 1 { "" } else { "s" };
        let mut listed: Vec<String> = names.iter().take(NAMES_MAX).cloned().collect();
        if names.len() > NAMES_MAX {
            listed.push(format!("and {} more", names.len() - NAMES_MAX));
        }
        let count = names.len();
        (count > 0).then(|| {
            format!("the recording has {count} {what}{plural} that this version does not know: {}", listed.join(", "))
        })
    };
    note("field", &fit.fields).into_iter().chain(note("value", &fit.values)).collect()
}

/// A foreign name, of a length that one can read.
fn cut(name: &str) -> String {
    let mut shown: String = name.chars().take(NAME_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if name.chars().nth(NAME_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
#[path = "recording_tests.rs"]
mod tests;
