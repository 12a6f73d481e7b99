//! A part of a file, read at offsets.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

use super::headers::Input;
use crate::world::within::{Last, Miss, Ways};

/// A part of a file.
#[derive(Debug, Clone)]
pub struct Blob {
    file: Arc<File>,
    offset: u64,
    size: u64,
}

impl Blob {
    /// A whole file, which has to be a regular one.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        Ok(Self { offset: 0, size: meta.len(), file: Arc::new(file) })
    }

    /// A file in a folder, where no link leads out of it; none where it cannot be had.
    pub fn open_below(folder: &Path, inner: &Path) -> Option<Self> {
        let place = |inner: &Path| folder.join(inner.strip_prefix("/").unwrap_or(inner));
        let mut step = |inner: &Path| match std::fs::read_link(place(inner)) {
            Ok(target) => Ok(Some(target)),
            Err(error) => match rustix::io::Errno::from_io_error(&error) {
                Some(rustix::io::Errno::INVAL) | None => Ok(None),
                Some(errno) => Err(Miss::Errno(errno)),
            },
        };
        let real = Ways::default().to(&Path::new("/").join(inner), Last::Followed, &mut step).ok()?;
        Self::open(&place(&real)).ok()
    }

    /// What was written into a file of ours.
    pub fn of(file: Arc<File>, offset: u64, size: u64) -> Self {
        Self { file, offset, size }
    }

    /// A part of it; none where it does not lie within.
    pub fn part(&self, offset: u64, size: u64) -> Option<Self> {
        let end = offset.checked_add(size)?;
        (end <= self.size).then(|| Self { file: Arc::clone(&self.file), offset: self.offset + offset, size })
    }

    /// Its length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Fills `bytes` from `at`, or fails where it ends before.
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        match at.checked_add(bytes.len() as u64) {
            Some(end) if end <= self.size => self.file.read_exact_at(bytes, self.offset + at),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Its text, of at most `limit` bytes.
    pub fn text(&self, limit: u64) -> Result<String, String> {
        if self.size > limit {
            return Err(format!("a description of {} bytes", self.size));
        }
        let mut bytes = Vec::new();
        self.reader().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| "a description is not UTF-8".to_owned())
    }

    /// Reads it from its beginning.
    pub fn reader(&self) -> Reader {
        Reader { blob: self.clone(), at: 0 }
    }
}

/// A place in a blob.
#[derive(Debug)]
pub struct Reader {
    blob: Blob,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.blob.size.saturating_sub(self.at);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let count = self.blob.file.read_at(bytes.get_mut(..wanted).unwrap_or_default(), self.blob.offset + self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Input for Reader {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        if self.blob.size.saturating_sub(self.at) < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count;
        Ok(())
    }
}
