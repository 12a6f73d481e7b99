//! How a path is asked: where it really is, noted for as long as it takes, and not at all where that was left out.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::World;
use super::answers::{from_errno, from_io};
use super::archive::{Content, Tree};
use super::asked::{Asking, leads_to};
use super::open_file::{OpenFile, Opened};
pub use super::within::Last;
use super::within::{Miss, Ways};
use crate::facts::{Fact, Gap, GapKind};

/// Where files are read.
#[derive(Debug, Clone)]
pub enum Source {
    /// The machine that we run on.
    Machine,
    /// A folder that plays its root in a test, whose links lead where they lead.
    Played(PathBuf),
    /// An image in a folder, and the ways in it that are known.
    Image(PathBuf, Arc<Ways>),
    /// An image in an archive, likewise.
    Archive(Arc<Tree>, Arc<Ways>),
}

impl Source {
    /// The machine itself, or a folder that plays it.
    pub fn of(root: PathBuf) -> Self {
        if root == Path::new("/") { Self::Machine } else { Self::Played(root) }
    }

    /// An image in a folder, be it the root itself.
    pub fn image(root: PathBuf) -> Self {
        Self::Image(root, Arc::default())
    }

    /// An image in an archive.
    pub fn archive(tree: Tree) -> Self {
        Self::Archive(Arc::new(tree), Arc::default())
    }
}

/// Where a path really lies.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// On a disk.
    Disk(&'a Path),
    /// In an archive, which is open: the number there, and the path inside without links.
    Entry(&'a Tree, usize, &'a Path),
}

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
        Self { source: Source::Machine, ..self.clone() }
    }

    /// Asks about a path, where it really is: on the machine as it is written, in an image with every link resolved inside.
    pub(super) fn ask<T>(&self, path: &Path, last: Last, ask: impl FnOnce(Place) -> Fact<T>) -> Fact<T> {
        let place = match &self.source {
            Source::Image(root, ways) => return self.ask_image(root, ways, path, last, ask),
            Source::Archive(tree, ways) => return self.ask_archive(tree, ways, path, last, ask),
            Source::Played(root) => inside(root, path),
            Source::Machine => match (self.reads_for, path.strip_prefix("/proc/self")) {
                (Some(process), Ok(inner)) => Path::new("/proc").join(process.to_string()).join(inner),
                _ => path.to_path_buf(),
            },
        };
        if !self.left_out.places.is_empty()
            && let Some(closed) = leads_to(&place, &self.left_out.places)
        {
            return Fact::Unknown(self.miss(path, closed));
        }
        let _asking = Asking::of(&place);
        ask(Place::Disk(&place))
    }

    /// Asks about a path of an image in an archive, likewise.
    fn ask_archive<T>(
        &self,
        tree: &Tree,
        ways: &Ways,
        path: &Path,
        last: Last,
        ask: impl FnOnce(Place) -> Fact<T>,
    ) -> Fact<T> {
        let mut step = |inner: &Path| match self.closed(inner) {
            Some(gap) => Err(Miss::Gap(gap)),
            None => tree.step(inner),
        };
        let way = ways.to(path, last, &mut step);
        let found = way.and_then(|inner| match self.closed(&inner) {
            Some(gap) => Err(Miss::Gap(gap)),
            None => tree.find(&inner).map(|number| (number, inner)).map_err(Miss::Errno),
        });
        match found {
            Ok((number, inner)) => ask(Place::Entry(tree, number, &inner)),
            Err(Miss::Errno(errno)) => from_errno(errno, path),
            Err(Miss::Gap(gap)) => Fact::Unknown(gap),
        }
    }

    /// Asks about a path of an image: the way there first, then what it leads to, which no link is on the way to.
    fn ask_image<T>(
        &self,
        root: &Path,
        ways: &Ways,
        path: &Path,
        last: Last,
        ask: impl FnOnce(Place) -> Fact<T>,
    ) -> Fact<T> {
        let _asking = Asking::of(&inside(root, path));
        let mut step = |inner: &Path| {
            if let Some(gap) = self.closed(inner) {
                return Err(Miss::Gap(gap));
            }
            let place = inside(root, inner);
            if let Some(closed) = self.left_out.places.iter().find(|closed| place.starts_with(closed)) {
                return Err(Miss::Gap(self.miss(path, closed)));
            }
            match rustix::fs::readlink(&place, Vec::new()) {
                Ok(target) => Ok(Some(PathBuf::from(OsString::from_vec(target.into_bytes())))),
                Err(Errno::INVAL) => Ok(None),
                Err(errno) => Err(Miss::Errno(errno)),
            }
        };
        match ways.to(path, last, &mut step) {
            Ok(inner) => match self.closed(&inner) {
                Some(gap) => Fact::Unknown(gap),
                None => ask(Place::Disk(&inside(root, &inner))),
            },
            Err(Miss::Errno(errno)) => from_errno(errno, path),
            Err(Miss::Gap(gap)) => Fact::Unknown(gap),
        }
    }

    /// Notes that something was asked for that is left out.
    fn miss(&self, path: &Path, closed: &Path) -> Gap {
        let detail = format!("{}: {} {}", path.display(), closed.display(), self.left_out.why);
        self.missing(Gap::new(GapKind::TimedOut, detail))
    }

    /// Notes why something that was asked for is not had.
    pub(super) fn missing(&self, gap: Gap) -> Gap {
        let mut missed = self.left_out.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.get_or_insert_with(|| gap.clone());
        gap
    }
}

/// A path of the folder that plays the root.
fn inside(root: &Path, inner: &Path) -> PathBuf {
    root.join(inner.strip_prefix("/").unwrap_or(inner))
}

/// Opens a regular file, and waits for no FIFO, socket or device.
pub(super) fn open(place: Place, path: &Path) -> Fact<OpenFile> {
    let irregular = || Fact::unknown(GapKind::Malformed, format!("{} is no regular file", path.display()));
    let place = match place {
        Place::Disk(place) => place,
        Place::Entry(tree, number, _) => {
            return match tree.node(number).filter(|node| node.stat.kind == FileType::RegularFile) {
                None => irregular(),
                Some(node) => match &node.content {
                    Content::Nothing => Fact::Known(OpenFile(Opened::Empty)),
                    Content::Lies(blob) => Fact::Known(OpenFile(Opened::Part(blob.clone()))),
                    Content::Written(text) => Fact::Known(OpenFile(Opened::Text(Arc::clone(text)))),
                    Content::Unkept(why) => Fact::unknown(GapKind::NotSupported, format!("{}: {why}", path.display())),
                },
            };
        }
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(place, flags, Mode::empty()) {
        Err(errno) => from_errno(errno, path),
        Ok(fd) => {
            let file = File::from(fd);
            match file.metadata() {
                Ok(meta) if meta.is_file() => Fact::Known(OpenFile(Opened::File(file, place.to_path_buf()))),
                Ok(_) => irregular(),
                Err(error) => from_io(&error, path),
            }
        }
    }
}
