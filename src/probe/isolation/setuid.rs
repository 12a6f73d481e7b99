//! Setuid and setgid programs on the root file system: a bounded walk over the folders where programs are.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use crate::facts::{Fact, GapKind, LIST_LIMIT, cut};
use crate::probe::paths::search_path;
use crate::probe::procfs::mounts::Mounts;
use crate::world::{Stat, World};

/// Folders of programs, besides those of `$PATH`. They come first: here is where distributions put them.
const FOLDERS: &[&str] =
    &["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec", "/usr/lib"];

/// Below these, helpers lie in folders of their own, at most so deep.
const HELPER_FOLDERS: &[(&str, u8)] = &[("/usr/lib", 1), ("/usr/libexec", 2)];

/// Big folders of libraries and data that hold no such program.
const NOT_ENTERED: &[&str] = &["firmware", "gcc", "git-core", "jvm", "locale", "modules", "ocaml", "perl", "rustlib"];

/// Programs that distributions ship setuid or setgid, asked first: in most images they answer the question at once.
const USUAL: &[&str] = &[
    "su",
    "sudo",
    "passwd",
    "mount",
    "umount",
    "chsh",
    "chfn",
    "newgrp",
    "gpasswd",
    "chage",
    "expiry",
    "ssh-agent",
    "pkexec",
    "fusermount",
    "fusermount3",
    "wall",
    "write",
    "crontab",
    "at",
    "ping",
];

/// How long the walk goes on when it has found some: enough for an image on a local disk to be seen whole.
const TIME_WHEN_FOUND: Duration = Duration::from_millis(5);
/// What one walk may cost at most, to find that there is none.
const TIME_LIMIT: Duration = Duration::from_millis(40);
/// How many files are looked at.
const FILE_LIMIT: u32 = 20_000;

/// The programs found; those of a slow file system may not be all. When the walk had to stop before it found any, that is a gap.
pub fn files(world: &World, mounts: &Mounts) -> Fact<Vec<String>> {
    if mounts.at("/").is_some_and(|root| root.has("nosuid")) {
        return Fact::Known(Vec::new());
    }
    let started = Instant::now();
    let mut walk = Walk {
        world,
        mounts,
        enough: started + TIME_WHEN_FOUND,
        until: (started + TIME_LIMIT).min(world.deadline()),
        files_left: FILE_LIMIT,
        visited: HashSet::new(),
        found: Vec::new(),
    };
    let own = search_path(world);
    walk.usual();
    let mut finished = true;
    for folder in FOLDERS.iter().copied().chain(own.iter().map(String::as_str)) {
        let depth = HELPER_FOLDERS.iter().find(|(helpers, _)| *helpers == folder).map_or(0, |(_, depth)| *depth);
        if let Fact::Known(real) = mounts.resolve_safely(world, folder) {
            finished &= walk.folder(&real, depth);
        }
    }
    if !finished && walk.found.is_empty() {
        return Fact::unknown(GapKind::TimedOut, "the walk over the program folders was stopped before it found any");
    }
    walk.found.sort();
    walk.found.dedup();
    Fact::Known(walk.found)
}

struct Walk<'a> {
    world: &'a World,
    mounts: &'a Mounts,
    enough: Instant,
    until: Instant,
    files_left: u32,
    visited: HashSet<(u64, u64)>,
    found: Vec<String>,
}

impl Walk<'_> {
    /// Looks at the programs that are usually there.
    fn usual(&mut self) {
        for path in USUAL.iter().map(|name| Path::new("/usr/bin").join(name)) {
            if self.world.stat_link(&path).known().is_some_and(raises_privileges) && self.is_on_root(&path) {
                self.note(&path);
            }
        }
    }

    fn is_over(&self) -> bool {
        let until = if self.found.is_empty() { self.until } else { self.enough };
        self.files_left == 0 || self.found.len() >= LIST_LIMIT || Instant::now() >= until
    }

    /// Looks at every file of a folder, and into its folders `depth` levels down. Whether it got to the end.
    fn folder(&mut self, folder: &Path, depth: u8) -> bool {
        if !self.is_on_root(folder) {
            return true;
        }
        let stat = self.world.stat_link(folder);
        let Some(stat) = stat.known() else { return true };
        // `/bin` is `/usr/bin` in most images, and `$PATH` repeats both.
        if !self.visited.insert((stat.device, stat.inode)) {
            return true;
        }
        let names = self.world.list(folder);
        let mut finished = true;
        for name in names.known().into_iter().flatten() {
            if is_library(name) {
                continue;
            }
            if self.is_over() {
                return false;
            }
            self.files_left -= 1;
            let path = folder.join(name);
            let stat = self.world.stat_link(&path);
            match stat.known() {
                Some(stat) if stat.kind == FileType::Directory && depth > 0 && !is_data(name) => {
                    // The loop ends by itself when the walk is over; the answer must say so even at the last name.
                    finished &= self.folder(&path, depth - 1);
                }
                Some(stat) if raises_privileges(stat) && self.is_on_root(&path) => self.note(&path),
                _ => {}
            }
        }
        finished
    }

    fn is_on_root(&self, path: &Path) -> bool {
        self.mounts.of(&path.to_string_lossy()).is_some_and(|mount| mount.point == "/")
    }

    fn note(&mut self, path: &Path) {
        self.found.push(cut(&path.to_string_lossy()));
    }
}

/// Whether the kernel gives whoever runs it the identity of its owner or group. The bit for the group without
/// permission to execute once meant mandatory locking.
fn raises_privileges(stat: &Stat) -> bool {
    let as_owner = stat.mode & 0o4000 != 0 && stat.mode & 0o111 != 0;
    let as_group = stat.mode & 0o2010 == 0o2010;
    stat.kind == FileType::RegularFile && (as_owner || as_group)
}

/// Thousands of files in the folders of helpers are libraries; asking after each would be most of the walk.
fn is_library(name: &str) -> bool {
    name.contains(".so")
        || [".a", ".o", ".la", ".h", ".py", ".pyc", ".pm", ".conf"].iter().any(|end| name.ends_with(end))
}

fn is_data(name: &str) -> bool {
    name.starts_with("python") || name.starts_with("perl") || NOT_ENTERED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const TABLE: &str = "1 0 8:1 / / rw - ext4 d rw\n2 1 8:2 / /usr/local rw - ext4 e rw\n";

    fn walk(table: &str, files: &[(&str, u32)], env: &[(&str, &str)]) -> Fact<Vec<String>> {
        let world = FakeRoot::of(&[("/proc/self/mountinfo", table)], env);
        world.link("/bin", "usr/bin");
        for (path, mode) in files {
            world.file(path, "").mode(path, *mode);
        }
        files_of(&world)
    }

    fn files_of(world: &World) -> Fact<Vec<String>> {
        files(world, Mounts::read(world).known().expect("a table"))
    }

    #[test]
    fn setuid_and_setgid_programs_are_found_once_each() {
        let files = [
            ("/usr/bin/su", 0o4755),
            ("/usr/bin/wall", 0o2755),
            ("/usr/bin/ls", 0o755),
            ("/usr/bin/locked", 0o2644),
            ("/usr/bin/data", 0o4644),
            ("/usr/lib/openssh/ssh-keysign", 0o4755),
            ("/opt/tool/bin/mine", 0o4755),
            ("/opt/other/mine", 0o4755),
        ];
        let expected = ["/opt/tool/bin/mine", "/usr/bin/su", "/usr/bin/wall", "/usr/lib/openssh/ssh-keysign"];
        let expected = Fact::Known(expected.map(str::to_owned).to_vec());
        // On a busy machine a walk may be stopped before its end; one of several is not.
        let walks = || walk(TABLE, &files, &[("PATH", "/bin:/usr/bin:/opt/tool/bin:relative:")]);
        let found = (0..20).map(|_| walks()).find(|found| *found == expected);
        assert_eq!(found.unwrap_or_else(walks), expected);
    }

    #[test]
    fn another_file_system_is_not_walked() {
        assert_eq!(walk(TABLE, &[("/usr/local/bin/su", 0o4755)], &[]), Fact::Known(Vec::new()));
    }

    #[test]
    fn a_mount_option_disarms_them_all() {
        let table = "1 0 8:1 / / rw,nosuid - ext4 d rw\n";
        assert_eq!(walk(table, &[("/usr/bin/su", 0o4755)], &[]), Fact::Known(Vec::new()));
    }

    #[test]
    fn a_walk_that_was_stopped_with_nothing_found_is_a_gap() {
        let late = FakeRoot::with_budget(Duration::ZERO, &[]);
        late.files(&[("/proc/self/mountinfo", TABLE), ("/usr/bin/ls", "")]);
        assert!(files_of(&late).is_unknown());
    }
}
