//! Parts of an ELF file by their names.

use std::ops::Range;

use object::read::StringTable;
use object::read::elf::{FileHeader, SectionHeader};

use super::pieces::Pieces;
use super::{Header, ORDER};
use crate::world::OpenFile;

/// Where the sections of these names lie in a little-endian 64-bit file of `size` bytes, in the order of the file.
///
/// None where it is no such file, or its tables do not lie within it.
pub fn find(file: &OpenFile, size: u64, names: &[&str]) -> Option<Vec<Range<u64>>> {
    let mut found = Vec::new();
    visit(file, size, |name, range| {
        if names.iter().any(|asked| asked.as_bytes() == name) {
            found.push(range);
        }
    })?;
    Some(found)
}

/// Where the first section of each of these names lies, like [`find`]; none of those that it does not have.
pub fn find_each<const N: usize>(file: &OpenFile, size: u64, names: [&str; N]) -> Option<[Option<Range<u64>>; N]> {
    let mut found = [const { None }; N];
    visit(file, size, |name, range| {
        let place = names.iter().position(|asked| asked.as_bytes() == name).and_then(|at| found.get_mut(at));
        if let Some(place @ None) = place {
            *place = Some(range);
        }
    })?;
    Some(found)
}

fn visit(file: &OpenFile, size: u64, mut each: impl FnMut(&[u8], Range<u64>)) -> Option<()> {
    let pieces = Pieces::of(file, size);
    let header = Header::parse(&pieces).ok().filter(|header| header.is_little_endian())?;
    let sections = header.section_headers(ORDER, &pieces).ok()?;
    if sections.is_empty() {
        return Some(());
    }
    // All names in one piece: one by one they would be more pieces than a file may have.
    let index = header.section_strings_index(ORDER, &pieces).ok()?;
    let known = sections.get(index.0)?.data(ORDER, &pieces).ok()?;
    let known = StringTable::new(known, 0, known.len() as u64);
    for section in sections {
        let name = section.name(ORDER, known).ok()?;
        if let Some((offset, length)) = section.file_range(ORDER) {
            each(name, pieces.range(offset, length)?);
        }
    }
    Some(())
}
