//! Whether a supervisor starts a service again and again.
//!
//! runit and s6 write `supervise/status` beside the script of a service whenever it begins or ends. One that stays up
//! leaves that file alone, so a file that is always young belongs to a service that cannot stay.

use std::time::SystemTime;

use crate::facts::Fact;
use crate::probe::procfs::first_started;
use crate::world::World;

/// A change as young as this was no start of the container; supervisors wait a second between two tries, and a program
/// in Python takes some to fail.
const YOUNG_SECONDS: i64 = 5;
/// While the container is younger everything in it has just begun.
const SETTLED_SECONDS: i64 = 20;

/// Whether the service of this script keeps ending; absent where no supervisor has written down anything.
pub fn keeps_ending(world: &World, script: &str) -> Fact<bool> {
    let Some(folder) = script.strip_suffix("/run") else { return Fact::Absent };
    let changed = world.stat(format!("{folder}/supervise/status")).map(|stat| stat.modified_seconds);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    changed.and_then(|changed| {
        let is_young = now.saturating_sub(changed) < YOUNG_SECONDS;
        if !is_young {
            return Fact::Known(false);
        }
        first_started(world).map(|started| now.saturating_sub(started) >= SETTLED_SECONDS)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;
    use crate::world::FakeRoot;

    fn root(btime: u64) -> FakeRoot {
        let root = FakeRoot::new();
        root.file("proc/1/stat", format!("1 (runsvdir) S {}", "0 ".repeat(30)));
        root.file("proc/stat", format!("btime {btime}\n"));
        root.file("etc/service/jupyter/supervise/status", "x");
        root
    }

    fn ends(root: &FakeRoot) -> Fact<bool> {
        keeps_ending(root, "/etc/service/jupyter/run")
    }

    #[test]
    fn a_status_that_is_always_young_belongs_to_a_service_that_cannot_stay() {
        let old = root(1_000_000);
        assert_eq!(ends(&old), Fact::Known(true));
        let now = SystemTime::now();
        let file = File::options().write(true).open(old.path().join("etc/service/jupyter/supervise/status"));
        file.and_then(|file| file.set_modified(now - Duration::from_mins(1))).expect("a time");
        assert_eq!(ends(&old), Fact::Known(false), "it has been up for a minute");
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        assert_eq!(ends(&root(seconds)), Fact::Known(false), "the container has just begun");
    }

    #[test]
    fn where_nobody_wrote_anything_down_there_is_nothing_to_say() {
        let empty = FakeRoot::new();
        assert_eq!(ends(&empty), Fact::Absent);
        assert_eq!(keeps_ending(&empty, "command"), Fact::Absent);
        empty.file("etc/service/jupyter/supervise/status", "x");
        assert!(ends(&empty).is_unknown(), "the age of process 1 is not known");
    }
}
