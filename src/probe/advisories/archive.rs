//! A file that is read here and there, as an archive is.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::world::OpenFile;

/// Bytes that are read at once.
const CHUNK: u64 = 64 << 10;

/// A place in a file. A copy has a place of its own.
#[derive(Debug, Clone)]
pub struct Reader {
    file: Arc<OpenFile>,
    size: u64,
    at: u64,
    chunk: Vec<u8>,
    chunk_at: u64,
}

impl Reader {
    /// At the beginning of a file.
    pub fn new(file: Arc<OpenFile>) -> io::Result<Self> {
        let size = file.size()?;
        Ok(Self { file, size, at: 0, chunk: Vec::new(), chunk_at: 0 })
    }

    /// What was read from here on.
    fn here(&self) -> Option<&[u8]> {
        let skip = usize::try_from(self.at.checked_sub(self.chunk_at)?).ok()?;
        self.chunk.get(skip..).filter(|rest| !rest.is_empty())
    }
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || bytes.is_empty() {
            return Ok(0);
        }
        if self.here().is_none() {
            let length = usize::try_from(CHUNK.min(self.size - self.at)).unwrap_or_default();
            self.chunk.resize(length, 0);
            self.chunk_at = self.at;
            if let Err(error) = self.file.read_exact_at(&mut self.chunk, self.at) {
                self.chunk.clear();
                return Err(error);
            }
        }
        let rest = self.here().unwrap_or_default();
        let count = rest.len().min(bytes.len());
        let (bytes, rest) = (bytes.get_mut(..count).unwrap_or_default(), rest.get(..count).unwrap_or_default());
        bytes.copy_from_slice(rest);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
