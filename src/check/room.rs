//! What the checks of one folder share: the `room.toml` beside them.
//!
//! A check that says `ignore_room = true` is judged as if there were none. For every other one the room's `when` is
//! asked before its own, the room's `requires` come before its own, and the room's `dimension`, `owner` and `phases`
//! stand where it says none.

use super::error::{ConfigError, at_key, parse_toml};
use super::file::{Dimension, Owner};
use crate::facts::shape::{Shaped, record};
use crate::facts::{Facts, Phase};
use crate::lang::tree::Node;
use crate::lang::{self, Expr, suggestion};

/// The name of such a file; no check can have it.
pub const FILE: &str = "room.toml";

record! {
    /// What the checks of one folder share.
    pub struct RoomFile {
        /// A condition on the machine as a whole, asked before a check's own; where it is false, no check here applies.
        pub when: Option<String>,
        /// Checks whose failure makes every check here blocked, before those that a check requires itself.
        pub requires: Vec<String>,
        /// The axis of the score for checks that name none.
        pub dimension: Option<Dimension>,
        /// Who can fix it, for checks that name nobody.
        pub owner: Option<Owner>,
        /// When checks can be judged that do not say it.
        pub phases: Vec<Phase>,
    }
}

/// A condition and its words.
#[derive(Debug, Clone)]
pub struct Condition {
    /// As it stands in the file, or in two of them.
    pub text: String,
    /// What is asked.
    pub expr: Expr,
}

impl Condition {
    /// Both, this one first. What settles it, the reason of an unknown and the facts that are read are those of the
    /// same condition written as one.
    fn and(self, other: Self) -> Self {
        let part = |condition: &Self| match condition.expr.node {
            Node::Or(..) => format!("({})", condition.text),
            _ => condition.text.clone(),
        };
        let text = format!("{} && {}", part(&self), part(&other));
        Self { text, expr: Expr { at: 0, node: Node::And(Box::new(self.expr), Box::new(other.expr)) } }
    }
}

/// A room's file, read and validated. That of a folder without one says nothing.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Everything that it says.
    pub file: RoomFile,
    when: Option<Condition>,
}

impl Room {
    /// Reads and validates one.
    pub fn read(file: &str, text: &str) -> Result<Self, ConfigError> {
        Self::validate(file, text, parse_toml(file, text)?)
    }

    /// Validates what such a file says; `text` is the file, to tell the place of a mistake.
    pub fn validate(file: &str, text: &str, parsed: RoomFile) -> Result<Self, ConfigError> {
        let when = parsed.when.as_ref().map(|value| {
            let expr = lang::parse(value)
                .and_then(|expr| lang::check(&expr, Facts::SHAPE, &[]).map(|()| expr))
                .map_err(|mistake| at_key(file, text, "when", value, mistake.at, mistake.message))?;
            Ok(Condition { text: value.clone(), expr })
        });
        Ok(Self { when: when.transpose()?, file: parsed })
    }

    /// The room's condition and a check's own.
    pub fn condition(&self, own: Option<Condition>) -> Option<Condition> {
        self.when.iter().cloned().chain(own).reduce(Condition::and)
    }

    /// The first required check that is none of `known`, with the nearest that is.
    pub fn refuse_unknown(&self, file: &str, text: &str, known: &[String]) -> Result<(), ConfigError> {
        match self.file.requires.iter().find(|id| !known.contains(id)) {
            None => Ok(()),
            Some(missing) => {
                let near = suggestion(missing, known.iter().map(String::as_str));
                let message = format!("`requires` names no check `{missing}`{near}");
                Err(at_key(file, text, "requires", missing, 0, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Condition {
        Condition { text: text.to_owned(), expr: lang::parse(text).expect(text) }
    }

    #[test]
    fn the_rooms_condition_is_asked_first_and_alternatives_stay_together() {
        let room = Room::read("room.toml", "when = 'run.gpu_expected'").expect("valid");
        for (own, both) in [
            (None, "run.gpu_expected"),
            (Some("has(nvml.library) && nvml.hung"), "run.gpu_expected && has(nvml.library) && nvml.hung"),
            (Some("nvml.hung || nvml.crashed"), "run.gpu_expected && (nvml.hung || nvml.crashed)"),
        ] {
            assert_eq!(room.condition(own.map(condition)).expect("a condition").text, both);
        }
        assert!(Room::default().condition(None).is_none());
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_the_nearest_name() {
        for (text, message) in [
            (
                "when = 'run.gpu_expcted'",
                "room.toml:1:13: `run` has no fact `gpu_expcted`; did you mean `gpu_expected`?",
            ),
            ("when = 'run.gpu_expected && it.chosen'", "room.toml:1:29: `facts` has no fact `it`"),
            ("when = 'run.tier'", "room.toml:1:9: expected a condition, found a word"),
            ("phasis = ['live']", "room.toml:1:1: unknown field `phasis`; did you mean `phases`?"),
            ("owner = 'pot'", "room.toml:1:9: unknown word `pot`; did you mean `pod`?"),
        ] {
            let error = Room::read("room.toml", text).expect_err(text).to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let text = "requires = ['driver.initialized']";
        let room = Room::read("room.toml", text).expect("valid");
        let error = room.refuse_unknown("room.toml", text, &["driver.initialised".to_owned()]).expect_err("unknown");
        assert!(error.to_string().starts_with("room.toml:1:14: "), "{error}");
        assert!(error.to_string().ends_with("did you mean `driver.initialised`?"), "{error}");
    }
}
