//! Which files could carry GPU code: shared objects in the folders of Python packages and of `LD_LIBRARY_PATH`.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use crate::facts::Fact;
use crate::world::World;

/// Folders below a folder of packages that are entered: `site-packages/nvidia/cublas/lib` is three down.
const DEPTH_MAX: u8 = 4;
/// Names that are looked at, against packages gone mad.
const NAMES_MAX: usize = 200_000;
/// What the walk may cost of the time that is left, and at most. With everything in the page cache it takes some
/// milliseconds, and without it seconds, which may not decide the verdict.
const TIME_SHARE: u32 = 2;
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Folders that hold text, and much of it.
const NOT_ENTERED: &[&str] = &["include", "__pycache__", "tests", "test", "share", "docs", "examples", "headers"];

/// The files, each once, with every link resolved, the ones nearest to the top first; and whether every folder was seen.
pub fn shared_objects(world: &World, packages: &[String]) -> (Vec<String>, bool) {
    let mut walk = Walk {
        world,
        until: Instant::now() + allowance(world.time_left()),
        names_left: NAMES_MAX,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    let library_path = world.env("LD_LIBRARY_PATH").unwrap_or_default();
    let flat = library_path.split([':', ';']).filter(|folder| folder.starts_with('/'));
    let folders = packages.iter().map(|folder| (folder.clone(), DEPTH_MAX));
    // Breadth first: should the time be too short, the frameworks' own folders have been seen.
    let mut waiting: VecDeque<(String, u8)> = folders.chain(flat.map(|folder| (folder.to_owned(), 0))).collect();
    while let Some((folder, depth)) = waiting.pop_front() {
        if walk.is_over() {
            return (walk.found, false);
        }
        walk.folder(&folder, depth, &mut waiting);
    }
    (walk.found, true)
}

/// How long the walk may take of the time that is left.
fn allowance(left: Duration) -> Duration {
    TIME_LIMIT.min(left / TIME_SHARE)
}

struct Walk<'a> {
    world: &'a World,
    until: Instant,
    names_left: usize,
    seen: HashSet<(u64, u64)>,
    found: Vec<String>,
}

impl Walk<'_> {
    fn is_over(&self) -> bool {
        self.names_left == 0 || Instant::now() >= self.until || self.world.time_left().is_zero()
    }

    fn folder(&mut self, folder: &str, depth: u8, waiting: &mut VecDeque<(String, u8)>) {
        let Fact::Known(stat) = self.world.stat(folder) else { return };
        if !self.seen.insert((stat.device, stat.inode)) {
            return;
        }
        let names = self.world.list(folder);
        for name in names.known().into_iter().flatten() {
            self.names_left = self.names_left.saturating_sub(1);
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            if is_shared_object(name) {
                self.file(&path);
            } else if depth > 0 && may_be_folder(name) {
                let is_folder = |stat: &crate::world::Stat| stat.kind == FileType::Directory;
                if self.world.stat_link(&path).known().is_some_and(is_folder) {
                    waiting.push_back((path, depth - 1));
                }
            }
        }
    }

    fn file(&mut self, path: &str) {
        let stat = self.world.stat(path);
        let Some(stat) = stat.known().filter(|stat| stat.kind == FileType::RegularFile) else { return };
        if self.seen.insert((stat.device, stat.inode))
            && let Fact::Known(real) = self.world.real_path(path)
        {
            self.found.push(real.to_string_lossy().into_owned());
        }
    }
}

/// `libx.so`, `libx.so.12`, `x.cpython-311-x86_64-linux-gnu.so`.
fn is_shared_object(name: &str) -> bool {
    name.strip_suffix(".so").is_some()
        || name.split_once(".so.").is_some_and(|(_, tail)| tail.starts_with(|c: char| c.is_ascii_digit()))
}

/// Packages have names without a dot, but for the folders of libraries that `auditwheel` makes.
fn may_be_folder(name: &str) -> bool {
    (!name.contains('.') || name.strip_suffix(".libs").is_some()) && !NOT_ENTERED.contains(&name)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    /// A cold page cache costs seconds, and may not decide the verdict while there is time.
    #[test]
    fn the_walk_is_tied_to_the_deadline_and_to_nothing_shorter() {
        let seconds = |left| allowance(Duration::from_secs(left)).as_secs();
        assert_eq!([seconds(10), seconds(20), seconds(3600)], [5, 10, 30]);
        assert_eq!(allowance(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_walk_without_time_says_that_it_did_not_see_all() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("sp")).expect("a folder");
        std::fs::write(root.path().join("sp/libx.so"), "").expect("a file");
        let walk = |budget| shared_objects(&World::at(root.path(), Vec::new(), budget), &["/sp".to_owned()]);
        assert_eq!(walk(Duration::ZERO), (Vec::new(), false));
        assert_eq!(walk(Duration::from_hours(1)), (vec!["/sp/libx.so".to_owned()], true));
    }
}
