//! The catalogue: what should hold, in words and as an expression, one TOML file each.
//!
//! A check's id is its path: `checks/limits/memory-limited.toml` is `limits.memory-limited`. [`file`] is what such a
//! file may say, [`room`] what the checks of one folder share, [`load`] reads and validates both, [`embedded`] are
//! those that are part of the program and [`parts`] what both are made from, [`template`] is the language of messages,
//! [`judge`] evaluates all checks over one recording, [`examples`] holds a check to its own examples. [`written`] knows
//! where facts stand that come from a text, and what no text says. [`error`] is how a mistake in any of these files is
//! told. Severity is only a default here; a profile weighs.

mod catalogue;
mod complete;
mod embedded;
pub mod error;
pub mod examples;
pub mod file;
pub mod judge;
pub mod load;
mod parts;
pub mod room;
pub mod template;
mod written;

pub use catalogue::Catalogue;
pub use error::ConfigError;
pub use file::{CheckFile, Dimension, Outcome, Owner, Severity};
pub use judge::{Judged, judge};
pub use room::Room;

use crate::facts::Phase;
use crate::lang::Expr;
use room::Condition;
use template::Template;

/// One check, read and validated.
#[derive(Debug, Clone)]
pub struct Check {
    /// `room.state`.
    pub id: String,
    /// Everything its file says.
    pub file: CheckFile,
    /// The axis of the score it speaks for.
    pub dimension: Dimension,
    /// Who can fix it.
    pub owner: Owner,
    /// When it can be judged.
    pub phases: Vec<Phase>,
    /// Checks whose failure blocks it: the room's, then its own.
    pub requires: Vec<String>,
    /// Whether it applies at all: what the room asks, then what it asks itself.
    pub when: Option<Condition>,
    /// The list whose items are judged one by one.
    pub each: Option<Vec<String>>,
    /// Where a failure matters more, from the most severe on.
    pub raised: Vec<(Severity, Expr)>,
    /// What should hold.
    pub expect: Expr,
    /// What to say when it does not.
    pub message: Template,
    /// How to call one item of `each`.
    pub subject: Option<Template>,
    /// Ids of all checks whose failure blocks this one, directly or through others.
    pub causes: Vec<String>,
    /// Those of them that matter less under a profile than this check: they are taken out of the causes, and block it only
    /// where it could not be told.
    pub quieter_causes: Vec<String>,
}

impl Check {
    /// The folder it lies in.
    pub fn room(&self) -> &str {
        self.id.split('.').next().unwrap_or(&self.id)
    }
}

/// Whether a check id matches a pattern: the id itself, a room, or either with `*` for anything.
pub fn matches(pattern: &str, id: &str) -> bool {
    if !pattern.contains('*') {
        return id == pattern || id.split('.').next() == Some(pattern);
    }
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = id.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        if index + 1 == parts.len() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_an_id_a_room_or_has_stars() {
        for (pattern, id, expected) in [
            ("limits", "limits.memory-limited", true),
            ("limits.memory-limited", "limits.memory-limited", true),
            ("limits.*", "limits.memory-limited", true),
            ("*.memory-*", "limits.memory-limited", true),
            ("limit", "limits.memory-limited", false),
            ("limits.*x", "limits.memory-limited", false),
            ("*", "limits.memory-limited", true),
        ] {
            assert_eq!(matches(pattern, id), expected, "{pattern}");
        }
    }
}
