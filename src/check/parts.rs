//! What a check asks and says, read: what it is put together from, whoever it is from.

use super::error::{ConfigError, whole};
use super::room::{Condition, Room};
use super::template::Template;
use super::{Check, CheckFile, Severity};
use crate::lang::Expr;

/// What is said where something more telling was said before.
pub fn cannot_be_read(file: &str) -> ConfigError {
    whole(file, "cannot be read".to_owned())
}

/// The parts.
pub struct Parts {
    /// The steps to the list whose items are judged one by one.
    pub each: Option<Vec<String>>,
    /// What it asks itself before it applies.
    pub when: Option<Condition>,
    /// Where a failure matters more, from the most severe on.
    pub raised: Vec<(Severity, Expr)>,
    /// What should hold.
    pub expect: Expr,
    /// What to say when it does not.
    pub message: Template,
    /// How to call one item.
    pub subject: Option<Template>,
}

impl Parts {
    /// The check, with what it has of its room; none where neither names an axis of the score or an owner.
    pub fn check(self, id: &str, parsed: CheckFile, room: &Room) -> Option<Check> {
        let phases = if parsed.phases.is_empty() { &room.file.phases } else { &parsed.phases };
        Some(Check {
            id: id.to_owned(),
            dimension: parsed.dimension.or(room.file.dimension)?,
            owner: parsed.owner.or(room.file.owner)?,
            phases: phases.clone(),
            requires: room.file.requires.iter().chain(&parsed.requires).cloned().collect(),
            when: room.condition(self.when),
            each: self.each,
            raised: self.raised,
            expect: self.expect,
            message: self.message,
            subject: self.subject,
            causes: Vec::new(),
            quieter_causes: Vec::new(),
            file: parsed,
        })
    }
}
