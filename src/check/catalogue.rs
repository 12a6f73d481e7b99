//! All checks together.

use super::{Check, matches};
use crate::lang::suggestion;

/// Every check, each after those it requires.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Catalogue {
    /// The check with this id.
    pub fn get(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The ids that are nearest to `pattern`, for a message; `Ok` when it matches something.
    pub fn require_match(&self, pattern: &str) -> Result<(), String> {
        if self.checks.iter().any(|check| matches(pattern, &check.id)) {
            return Ok(());
        }
        let rooms = self.checks.iter().map(Check::room);
        let near = suggestion(pattern, self.checks.iter().map(|check| check.id.as_str()).chain(rooms));
        Err(format!("no check matches `{pattern}`{near}"))
    }
}
