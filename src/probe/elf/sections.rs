//! Parts of an ELF file by their names.

use std::fs::File;
use std::ops::Range;

use super::{HEADER, bytes_at, u16_at, u32_at, u64_at};

/// Size of a section header of a 64-bit file.
const SECTION: usize = 64;
/// Sections that are looked at; libraries have some tens.
const SECTIONS_MAX: u16 = 4096;
/// Bytes of the table of names that are looked at.
const NAMES_MAX: u64 = 1 << 20;
/// `SHT_NOBITS`: takes no place in the file.
const NO_BITS: u32 = 8;

/// Where the sections of these names lie in a little-endian 64-bit file of `size` bytes, in the order of the file.
///
/// None where it is no such file, or its tables do not lie within it.
pub fn find(file: &File, size: u64, names: &[&str]) -> Option<Vec<Range<u64>>> {
    let header = bytes_at(file, size, 0, HEADER as u64)?;
    // 2: 64 bits; 1: little end first.
    if !header.starts_with(b"\x7fELF\x02\x01") || usize::from(u16_at(&header, 58)) != SECTION {
        return None;
    }
    let count = u16_at(&header, 60).min(SECTIONS_MAX);
    let table = bytes_at(file, size, u64_at(&header, 40), u64::from(count) * SECTION as u64)?;
    let place = |section: &[u8]| (u64_at(section, 24), u64_at(section, 32));
    let (names_at, names_length) = place(table.chunks_exact(SECTION).nth(usize::from(u16_at(&header, 62)))?);
    let known = bytes_at(file, size, names_at, names_length.min(NAMES_MAX))?;
    let mut found = Vec::new();
    for section in table.chunks_exact(SECTION) {
        let name = usize::try_from(u32_at(section, 0)).ok().and_then(|at| known.get(at..))?;
        let is_asked =
            names.iter().any(|asked| name.strip_prefix(asked.as_bytes()).is_some_and(|rest| rest.first() == Some(&0)));
        if is_asked && u32_at(section, 4) != NO_BITS {
            let (offset, length) = place(section);
            let end = offset.checked_add(length).filter(|end| *end <= size)?;
            found.push(offset..end);
        }
    }
    Some(found)
}
