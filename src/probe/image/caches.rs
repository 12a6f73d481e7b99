//! Bytes that package managers left behind.

use rustix::fs::FileType;

use crate::facts::{Fact, Gap, GapKind};
use crate::probe::paths::absolute_once;
use crate::world::World;

/// Files and folders that are looked at, all caches together.
const LIMIT: usize = 2_000;

/// Bytes on disk in the caches of package managers.
///
/// What is mounted there (a build cache, a volume) is not the image's and does not count. Links are not followed. A
/// cache with more entries than are looked at is a gap that says how many bytes there are at least.
pub fn bytes(world: &World) -> Fact<u64> {
    let root = world.stat("/").map(|stat| stat.device);
    let mut walk = Walk { world, left: LIMIT, bytes: 0, gap: None };
    for folder in folders(world) {
        match world.stat(&folder) {
            // Only folders always tell the device of their mount.
            Fact::Known(stat) if stat.kind == FileType::Directory && root.known() == Some(&stat.device) => {
                walk.folder(&folder);
            }
            Fact::Known(_) | Fact::Absent => {}
            // What is closed to this user is left out: `/root` in an image that runs as somebody else.
            Fact::Unknown(gap) if gap.kind == GapKind::NotPermitted => {}
            Fact::Unknown(gap) => {
                walk.gap.get_or_insert(gap);
            }
        }
    }
    walk.gap.map_or(Fact::Known(walk.bytes), Fact::Unknown)
}

fn folders(world: &World) -> Vec<String> {
    let mut folders: Vec<String> = [
        "/var/lib/apt/lists",
        "/var/cache/apt",
        "/var/cache/dnf",
        "/var/cache/yum",
        "/var/cache/apk",
        "/opt/conda/pkgs",
        "/root/.cache/pip",
    ]
    .map(str::to_owned)
    .to_vec();
    folders.extend(world.env("CONDA_PREFIX").map(|prefix| format!("{prefix}/pkgs")));
    folders.extend(world.env("HOME").map(|home| format!("{home}/.cache/pip")));
    folders.extend(world.env("PIP_CACHE_DIR"));
    absolute_once(folders)
}

struct Walk<'a> {
    world: &'a World,
    left: usize,
    bytes: u64,
    gap: Option<Gap>,
}

impl Walk<'_> {
    fn folder(&mut self, top: &str) {
        let mut waiting = vec![top.to_owned()];
        while let Some(folder) = waiting.pop() {
            let names = match self.world.list(&folder) {
                Fact::Known(names) => names,
                Fact::Absent => continue,
                Fact::Unknown(gap) if gap.kind == GapKind::NotPermitted => continue,
                Fact::Unknown(gap) => {
                    self.gap.get_or_insert(gap);
                    continue;
                }
            };
            for name in names {
                if self.left == 0 || self.world.time_left().is_zero() {
                    let detail = format!("{top}: more than is looked at; at least {} bytes in all", self.bytes);
                    self.gap.get_or_insert(Gap::new(GapKind::TimedOut, detail));
                    return;
                }
                self.left -= 1;
                let path = format!("{folder}/{name}");
                if let Fact::Known(stat) = self.world.stat_link(&path) {
                    match stat.kind {
                        FileType::Directory => waiting.push(path),
                        FileType::RegularFile => self.bytes = self.bytes.saturating_add(stat.allocated_bytes),
                        _ => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn root() -> FakeRoot {
        FakeRoot::of(&[], &[("HOME", "/root")])
    }

    #[test]
    fn caches_are_counted_once_and_links_not_followed() {
        let root = root();
        root.file("root/.cache/pip/http/wheel", vec![1_u8; 100_000]).link("root/.cache/pip/http/loop", "/");
        let Fact::Known(bytes) = bytes(&root) else { panic!("bytes") };
        assert!((100_000..200_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_cache_without_end_is_a_gap_with_what_was_seen() {
        let root = root();
        for number in 0..=LIMIT {
            root.file(&format!("opt/conda/pkgs/{number}"), "x");
        }
        let Fact::Unknown(gap) = bytes(&root) else { panic!("a gap") };
        assert!(gap.detail.contains("/opt/conda/pkgs") && gap.detail.contains("at least"), "{gap}");
    }

    #[test]
    fn a_file_in_the_place_of_a_cache_is_no_cache() {
        assert_eq!(bytes(root().file("var/cache/apt", "x")), Fact::Known(0));
    }
}
