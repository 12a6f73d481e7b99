//! The file by which a system says what it is.

use crate::facts::{Fact, cut};
use crate::world::World;

/// What it says, by key.
pub struct OsRelease(String);

/// Reads `/etc/os-release`, else the one under `/usr/lib`.
pub fn read(world: &World) -> Fact<OsRelease> {
    let text = match world.read("/etc/os-release") {
        Fact::Absent => world.read("/usr/lib/os-release"),
        other => other,
    };
    text.map(OsRelease)
}

impl OsRelease {
    /// The value of a key, without its quotes; none where it is not there or empty.
    pub fn value(&self, key: &str) -> Option<String> {
        let line = self.0.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        let value = cut(line.trim_matches(['"', '\'']));
        (!value.is_empty()).then_some(value)
    }
}
