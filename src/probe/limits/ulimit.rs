//! Limits of this process, `/proc/self/limits`; the workload inherits them.

use crate::facts::Fact;
use crate::probe::procfs::{malformed, required};
use crate::world::World;

const PATH: &str = "/proc/self/limits";

/// The table of limits.
pub struct Ulimits {
    text: Fact<String>,
}

impl Ulimits {
    /// Reads the table.
    pub fn read(world: &World) -> Self {
        Self { text: required(world.read(PATH), PATH) }
    }

    /// The soft limit of the line that starts with `name`; absent when it is unlimited.
    pub fn soft(&self, name: &str) -> Fact<u64> {
        self.column(name, 0)
    }

    /// The hard limit of the line that starts with `name`; absent when it is unlimited.
    pub fn hard(&self, name: &str) -> Fact<u64> {
        self.column(name, 1)
    }

    fn column(&self, name: &str, column: usize) -> Fact<u64> {
        self.text.as_ref().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            match line.split_whitespace().nth(column) {
                Some("unlimited") => Fact::Absent,
                Some(number) => number.parse().map_or_else(|_| malformed(PATH, line), Fact::Known),
                None => malformed(PATH, &format!("no line {name}")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn soft_and_hard_limits_are_read_and_unlimited_is_absent() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max core file size        0                    unlimited            bytes     \n\
            Max open files            1024                 524288               files     \n";
        let limits = Ulimits::read(&FakeRoot::of(&[(PATH, text)], &[]));
        assert_eq!(limits.soft("Max open files"), Fact::Known(1024));
        assert_eq!(limits.hard("Max open files"), Fact::Known(524_288));
        assert_eq!(limits.soft("Max core file size"), Fact::Known(0));
        assert_eq!(limits.hard("Max core file size"), Fact::Absent);
        assert!(limits.soft("Max locked memory").is_unknown(), "a line that is missing is no unlimited");
    }

    #[test]
    fn garbage_and_a_folder_are_gaps() {
        let limits = Ulimits::read(&FakeRoot::of(&[(PATH, "Max open files many more\n")], &[]));
        assert!(limits.soft("Max open files").is_unknown());
        let limits = Ulimits::read(&FakeRoot::of(&[("/proc/self/limits/", "")], &[]));
        assert!(limits.soft("Max open files").is_unknown());
    }
}
