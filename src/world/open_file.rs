//! An open regular file: on a disk, in an archive, or a text that stands for one.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::FIRST_READ;
use super::archive::Blob;
use super::asked::Asking;

/// A page of the smallest machines, less a long row.
const FULL_PAGE: usize = 3 << 10;

/// A regular file that is read in pieces. Each reading is a call of its own, which may be held in the kernel.
#[derive(Debug)]
pub struct OpenFile(pub(super) Opened);

#[derive(Debug)]
pub(super) enum Opened {
    /// On a disk, at this place.
    File(File, PathBuf),
    /// In an archive.
    Part(Blob),
    /// What stands for one.
    Text(Arc<str>),
    /// One without bytes.
    Empty,
}

impl From<File> for OpenFile {
    fn from(file: File) -> Self {
        Self(Opened::File(file, PathBuf::new()))
    }
}

impl OpenFile {
    /// Its size in bytes.
    pub fn size(&self) -> io::Result<u64> {
        match &self.0 {
            Opened::File(file, place) => {
                let _asking = Asking::of(place);
                file.metadata().map(|meta| meta.len())
            }
            Opened::Part(blob) => Ok(blob.size()),
            Opened::Text(text) => Ok(text.len() as u64),
            Opened::Empty => Ok(0),
        }
    }

    /// Fills `bytes` from `offset`, or fails where the file ends before.
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        match &self.0 {
            Opened::File(file, place) => {
                let _asking = Asking::of(place);
                file.read_exact_at(bytes, offset)
            }
            Opened::Part(blob) => blob.read_exact_at(bytes, offset),
            Opened::Text(text) => {
                let mut rest =
                    usize::try_from(offset).ok().and_then(|at| text.as_bytes().get(at..)).unwrap_or_default();
                rest.read_exact(bytes)
            }
            Opened::Empty if bytes.is_empty() => Ok(()),
            Opened::Empty => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The first `limit` bytes.
    pub(super) fn first(self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(FIRST_READ);
        match self.0 {
            Opened::File(file, _) => file.take(limit).read_to_end(&mut bytes),
            Opened::Part(blob) => blob.reader().take(limit).read_to_end(&mut bytes),
            Opened::Text(text) => text.as_bytes().take(limit).read_to_end(&mut bytes),
            Opened::Empty => Ok(0),
        }?;
        Ok(bytes)
    }

    /// The same of a table that the kernel makes row by row: it fills a page as long as it has any, so where it gave less
    /// there is no more, and to be told so costs it as much as to make the table.
    pub(super) fn table(self, limit: u64) -> io::Result<Vec<u8>> {
        let Opened::File(mut file, _) = self.0 else { return self.first(limit) };
        let (mut bytes, mut piece) = (Vec::new(), vec![0; FIRST_READ]);
        loop {
            let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(bytes.len()).min(FIRST_READ);
            match file.read(&mut piece[..left]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(read) => {
                    bytes.extend(&piece[..read]);
                    if read < FULL_PAGE {
                        return Ok(bytes);
                    }
                }
            }
        }
    }
}
