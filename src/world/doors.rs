//! How a path is asked: where it really is, noted for as long as it takes, and not at all where that was left out.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};

use super::World;
use super::answers::{from_errno, from_io};
use super::asked::{Asking, leads_to};
use crate::facts::{Fact, Gap, GapKind};

/// Places that are not asked, and why; and whether one of them was asked for.
#[derive(Debug, Clone, Default)]
pub struct LeftOut {
    places: Arc<[PathBuf]>,
    why: &'static str,
    missed: Arc<Mutex<Option<Gap>>>,
}

impl World {
    /// The same world without these places and what lies below them: whoever asks for one hears why.
    #[must_use]
    pub fn leaving_out(mut self, places: Vec<PathBuf>, why: &'static str) -> Self {
        self.left_out = LeftOut { places: places.into(), why, missed: Arc::default() };
        self
    }

    /// The same world, which remembers by itself whether something was asked for that is left out.
    #[must_use]
    pub fn remembering(&self) -> Self {
        let mut own = self.clone();
        own.left_out.missed = Arc::default();
        own
    }

    /// The first answer that was not had because the place is left out.
    pub fn missed(&self) -> Option<Gap> {
        self.left_out.missed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same world, read on behalf of another process: what is said of `self` is said of that one.
    #[must_use]
    pub fn reading_for(mut self, process: u32) -> Self {
        self.reads_for = Some(process);
        self
    }

    /// The same world with the root of this machine, for what the command line names.
    #[must_use]
    pub fn of_machine(&self) -> Self {
        let mut own = self.clone();
        own.root = PathBuf::from("/");
        own
    }

    /// Where `path` really is.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        if !self.is_real() {
            return self.root.join(path.strip_prefix("/").unwrap_or(path));
        }
        match (self.reads_for, path.strip_prefix("/proc/self")) {
            (Some(process), Ok(inner)) => Path::new("/proc").join(process.to_string()).join(inner),
            _ => path.to_path_buf(),
        }
    }

    /// Asks about a path.
    pub(super) fn ask<T>(&self, path: &Path, ask: impl FnOnce(&Path) -> Fact<T>) -> Fact<T> {
        let place = self.place(path);
        let left_out = &self.left_out;
        if !left_out.places.is_empty()
            && let Some(closed) = leads_to(&place, &left_out.places)
        {
            let gap = Gap::new(GapKind::TimedOut, format!("{}: {} {}", path.display(), closed.display(), left_out.why));
            left_out.missed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| gap.clone());
            return Fact::Unknown(gap);
        }
        let _asking = Asking::of(&place);
        ask(&place)
    }
}

/// Opens a regular file, and waits for no FIFO, socket or device.
pub(super) fn open(place: &Path, path: &Path) -> Fact<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(place, flags, Mode::empty()) {
        Err(errno) => from_errno(errno, path),
        Ok(fd) => {
            let file = File::from(fd);
            match file.metadata() {
                Ok(meta) if meta.is_file() => Fact::Known(file),
                Ok(_) => Fact::unknown(GapKind::Malformed, format!("{} is no regular file", path.display())),
                Err(error) => from_io(&error, path),
            }
        }
    }
}

/// A regular file that is read in pieces. Each reading is a call of its own, which may be held in the kernel.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    place: PathBuf,
}

impl From<File> for OpenFile {
    fn from(file: File) -> Self {
        Self { file, place: PathBuf::new() }
    }
}

impl OpenFile {
    pub(super) fn new(file: File, place: &Path) -> Self {
        Self { file, place: place.to_path_buf() }
    }

    /// Its size in bytes.
    pub fn size(&self) -> io::Result<u64> {
        let _asking = Asking::of(&self.place);
        self.file.metadata().map(|meta| meta.len())
    }

    /// Fills `bytes` from `offset`, or fails where the file ends before.
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let _asking = Asking::of(&self.place);
        self.file.read_exact_at(bytes, offset)
    }
}
