//! What files and folders say: the reading half of [`World`].

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType};
use rustix::io::Errno;

use super::answers::{Stat, from_errno, from_io, from_stat};
use super::doors::{Last, Place, open};
use super::open_file::OpenFile;
use super::{READ_LIMIT, World};
use crate::facts::{Fact, GapKind};

impl World {
    /// The text of a file of at most [`READ_LIMIT`] bytes; a longer one is a gap, for what is asked about may stand
    /// behind them. What is not UTF-8 is replaced.
    pub fn read(&self, path: impl AsRef<Path>) -> Fact<String> {
        let path = path.as_ref();
        self.read_bytes(path, READ_LIMIT + 1).and_then(|bytes| match bytes.len() as u64 {
            0..=READ_LIMIT => Fact::Known(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Fact::unknown(GapKind::NotSupported, format!("{} is longer than is read", path.display())),
        })
    }

    /// The text of a one-line file without white space around it.
    pub fn read_line(&self, path: impl AsRef<Path>) -> Fact<String> {
        self.read(path).map(|text| text.trim().to_owned())
    }

    /// The first `limit` bytes of a file. FIFOs, sockets and devices are refused, not waited for.
    pub fn read_bytes(&self, path: impl AsRef<Path>, limit: u64) -> Fact<Vec<u8>> {
        let path = path.as_ref();
        self.ask_file(path, |file| file.first(limit).map_or_else(|error| from_io(&error, path), Fact::Known))
    }

    /// The same of a table that the kernel makes row by row while it is read, of at most 1 KiB a row.
    pub fn read_table(&self, path: impl AsRef<Path>, limit: u64) -> Fact<Vec<u8>> {
        let path = path.as_ref();
        self.ask_file(path, |file| file.table(limit).map_or_else(|error| from_io(&error, path), Fact::Known))
    }

    /// An open regular file, for readers that seek.
    pub fn open(&self, path: impl AsRef<Path>) -> Fact<OpenFile> {
        self.ask_file(path.as_ref(), Fact::Known)
    }

    fn ask_file<T>(&self, path: &Path, ask: impl FnOnce(OpenFile) -> Fact<T>) -> Fact<T> {
        // An unpacked image may hold the node of any device of this machine, and some do something when they are opened.
        if self.is_still() && self.stat(path).known().is_some_and(|stat| stat.kind != FileType::RegularFile) {
            return Fact::unknown(GapKind::Malformed, format!("{} is no regular file", path.display()));
        }
        self.ask(path, Last::Followed, |place| open(place, path).and_then(ask))
    }

    /// The names in a folder, sorted.
    pub fn list(&self, path: impl AsRef<Path>) -> Fact<Vec<String>> {
        let path = path.as_ref();
        self.ask(path, Last::Followed, |place| match place {
            Place::Entry(tree, number, _) => match tree.names(number) {
                Ok(names) => Fact::Known(names),
                Err(errno) => from_errno(errno, path),
            },
            Place::Disk(place) => match std::fs::read_dir(place) {
                Err(error) => from_io(&error, path),
                Ok(entries) => {
                    let mut names: Vec<String> =
                        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
                    names.sort();
                    Fact::Known(names)
                }
            },
        })
    }

    /// What a symbolic link says, unresolved.
    pub fn link(&self, path: impl AsRef<Path>) -> Fact<PathBuf> {
        let path = path.as_ref();
        self.ask(path, Last::Itself, |place| match place {
            Place::Entry(tree, number, _) => match tree.node(number).and_then(|node| node.target.clone()) {
                Some(target) => Fact::Known(target),
                None => from_errno(Errno::INVAL, path),
            },
            Place::Disk(place) => match std::fs::read_link(place) {
                Ok(target) => Fact::Known(target),
                Err(error) => from_io(&error, path),
            },
        })
    }

    /// The path with every link resolved, as seen from inside this world.
    pub fn real_path(&self, path: impl AsRef<Path>) -> Fact<PathBuf> {
        let path = path.as_ref();
        self.ask(path, Last::Followed, |place| match place {
            Place::Entry(_, _, inner) => Fact::Known(inner.to_path_buf()),
            Place::Disk(place) => match std::fs::canonicalize(place) {
                Ok(real) if self.is_real() => Fact::Known(real),
                Ok(real) => {
                    let root = std::fs::canonicalize(self.root()).unwrap_or_else(|_| self.root().to_path_buf());
                    Fact::Known(real.strip_prefix(root).map_or(real.clone(), |inner| Path::new("/").join(inner)))
                }
                Err(error) => from_io(&error, path),
            },
        })
    }

    /// What stat says, links followed.
    pub fn stat(&self, path: impl AsRef<Path>) -> Fact<Stat> {
        self.stat_of(path.as_ref(), Last::Followed, AtFlags::empty())
    }

    /// What stat says of the link itself.
    pub fn stat_link(&self, path: impl AsRef<Path>) -> Fact<Stat> {
        self.stat_of(path.as_ref(), Last::Itself, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn stat_of(&self, path: &Path, last: Last, flags: AtFlags) -> Fact<Stat> {
        self.ask(path, last, |place| match place {
            Place::Entry(tree, number, _) => Fact::present(tree.node(number).map(|node| node.stat.clone())),
            Place::Disk(place) => from_stat(rustix::fs::statat(CWD, place, flags), path),
        })
    }

    /// Whether something is there, links followed.
    pub fn exists(&self, path: impl AsRef<Path>) -> Fact<bool> {
        match self.stat(path) {
            Fact::Known(_) => Fact::Known(true),
            Fact::Absent => Fact::Known(false),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        }
    }

    /// The environment that a process was started with; what it changed since is not seen. Absent without such a process.
    pub fn process_environment(&self, pid: u32) -> Fact<Vec<(OsString, OsString)>> {
        self.read_bytes(format!("/proc/{pid}/environ"), READ_LIMIT).map(|bytes| {
            let variable = |entry: &[u8]| {
                let at = entry.iter().position(|byte| *byte == b'=')?;
                let (name, value) = (entry.get(..at)?, entry.get(at + 1..)?);
                Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value).to_owned()))
            };
            bytes.split(|byte| *byte == 0).filter_map(variable).collect()
        })
    }
}
