//! A file that `object` reads in pieces, each when it is asked for.
//!
//! It is read at offsets and never mapped, for a file that is cut while it is mapped kills its reader; and cuBLASLt
//! alone has over 600 MB. `object` believes the sizes that a file claims, and its own `ReadCache` makes room for them
//! before it reads: one header that says so would cost as much memory as the file is long. Here the number of pieces
//! and their sum are bounded, and no room is made for what the bounds forbid.

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use object::read::ReadRef;

use crate::world::OpenFile;

/// Pieces of one file that are read: its tables, and a string for each library that it needs; PyTorch's need up to 21.
const PIECES_MAX: usize = 256;
/// Bytes of one file that are read; real libraries have tables of a few thousand.
const BYTES_MAX: u64 = 2 << 20;
/// Bytes that one string may have: a run path of many folders.
const STRING_MAX: u64 = 4096;

/// The pieces that were read so far.
pub struct Pieces<'f> {
    file: &'f OpenFile,
    size: u64,
    bytes_left: Cell<u64>,
    count: Cell<usize>,
    beyond: Cell<bool>,
    read: Vec<OnceCell<Vec<u8>>>,
}

impl<'f> Pieces<'f> {
    /// Of a file of `size` bytes, of which nothing was read yet.
    pub fn of(file: &'f OpenFile, size: u64) -> Self {
        let read = vec![OnceCell::new(); PIECES_MAX];
        Self { file, size, bytes_left: Cell::new(BYTES_MAX), count: Cell::new(0), beyond: Cell::new(false), read }
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The range of these bytes, if it lies within the file.
    pub fn range(&self, offset: u64, length: u64) -> Option<Range<u64>> {
        let end = offset.checked_add(length).filter(|end| *end <= self.size)?;
        Some(offset..end)
    }

    /// Whether more of it was asked for than the bounds allow, so that what it holds is not known.
    pub fn is_beyond(&self) -> bool {
        self.beyond.get()
    }

    /// Notes that there is more than is looked at.
    pub fn note_beyond(&self) {
        self.beyond.set(true);
    }

    fn piece(&self, offset: u64, length: u64) -> Option<&[u8]> {
        self.range(offset, length)?;
        let left = self.bytes_left.get().checked_sub(length);
        let place = self.read.get(self.count.replace(self.count.get() + 1));
        let (Some(left), Some(place)) = (left, place) else {
            self.note_beyond();
            return None;
        };
        self.bytes_left.set(left);
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.file.read_exact_at(&mut bytes, offset).ok()?;
        Some(place.get_or_init(|| bytes))
    }
}

impl<'a> ReadRef<'a> for &'a Pieces<'_> {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.piece(offset, size).ok_or(())
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let length = range.end.min(self.size).checked_sub(range.start).ok_or(())?;
        let bytes = self.read_bytes_at(range.start, length.min(STRING_MAX))?;
        let end = bytes.iter().position(|byte| *byte == delimiter);
        if end.is_none() && length > STRING_MAX {
            self.note_beyond();
        }
        bytes.get(..end.ok_or(())?).ok_or(())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> OpenFile {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file.into()
    }

    #[test]
    fn what_lies_outside_is_not_read() {
        let file = file(b"0123456789");
        let pieces = Pieces::of(&file, 10);
        assert_eq!(pieces.read_bytes_at(7, 3), Ok(&b"789"[..]));
        assert_eq!(pieces.read_bytes_at(0, 10), Ok(&b"0123456789"[..]), "again, and over the first");
        for (offset, length) in [(7, 4), (11, 0), (0, u64::MAX), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
            assert_eq!(pieces.read_bytes_at(offset, length), Err(()), "{offset} {length}");
        }
        let longer = Pieces::of(&file, 11);
        assert_eq!(longer.read_bytes_at(0, 11), Err(()), "the file was cut after its size was asked");
    }

    #[test]
    fn a_string_ends_within_its_table_and_its_bound() {
        let mut bytes = b"ab\0cd".to_vec();
        let file_of_two = file(&bytes);
        let pieces = Pieces::of(&file_of_two, 5);
        assert_eq!(pieces.read_bytes_at_until(0..5, 0), Ok(&b"ab"[..]));
        assert_eq!(pieces.read_bytes_at_until(0..2, 0), Err(()), "its zero is outside of the table");
        assert_eq!(pieces.read_bytes_at_until(3..5, 0), Err(()), "without an end");
        assert_eq!(pieces.read_bytes_at_until(3..u64::MAX, 0), Err(()), "a table longer than the file");
        assert_eq!(pieces.read_bytes_at_until(6..9, 0), Err(()), "outside");
        bytes.resize(5 + 4096, b'x');
        bytes.push(0);
        let long = file(&bytes);
        let pieces = Pieces::of(&long, bytes.len() as u64);
        assert_eq!(pieces.read_bytes_at_until(4..bytes.len() as u64, 0), Err(()), "longer than any path");
        let longest = pieces.read_bytes_at_until(6..bytes.len() as u64, 0);
        assert_eq!(longest.map(<[u8]>::len), Ok(4095));
    }

    #[test]
    fn a_file_gives_no_more_bytes_and_no_more_pieces_than_its_bounds() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(1 << 40).expect("a file with a hole");
        let file = OpenFile::from(file);
        let pieces = Pieces::of(&file, 1 << 40);
        assert_eq!(pieces.read_bytes_at(0, 1 << 40), Err(()), "no room is made for it");
        assert!(pieces.read_bytes_at(0, BYTES_MAX).is_ok());
        assert_eq!(pieces.read_bytes_at(0, 1), Err(()));
        let pieces = Pieces::of(&file, 1 << 40);
        let read = (0..PIECES_MAX as u64 + 9).filter(|at| pieces.read_bytes_at(*at, 1).is_ok()).count();
        assert_eq!(read, PIECES_MAX);
    }
}
