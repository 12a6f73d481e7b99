//! What the loader reads of an ELF file: its headers and its dynamic section.
//!
//! Only headers are read, at their offsets: cuBLASLt alone has over 600 MB. The
//! file may be anything, so every number in it is bounded before it is used; and
//! it is read, never mapped, for a file that is cut while it is mapped kills the
//! reader. [`sections`] finds parts by name; finding files is the business of others.

pub mod sections;

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::facts::{Fact, GapKind};
use crate::world::World;

/// Size of the header of a 64-bit file.
const HEADER: usize = 64;
/// Size of a program header of a 64-bit file.
const SEGMENT: usize = 56;
/// Segments that are looked at; real libraries have about ten.
const SEGMENTS_MAX: u64 = 256;
/// Bytes of the dynamic section that are looked at.
const DYNAMIC_MAX: u64 = 64 << 10;
/// Bytes that one string may have: a run path of many folders.
const STRING_MAX: usize = 4096;
/// Dependencies that are kept.
const NEEDED_MAX: usize = 128;

/// What a file that is named like a library holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// An ELF file.
    Elf(Elf),
    /// Something else, for example a linker script.
    Other,
}

/// An ELF file as far as the loader cares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Elf {
    /// 32 or 64.
    pub bits: u32,
    /// `x86_64`, `aarch64` … as Rust names them.
    pub machine: String,
    /// Whether it is a shared object.
    pub shared: bool,
    /// Whether all its segments and its section table lie within the file.
    pub whole: bool,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// Folders of `DT_RPATH`, as written.
    pub rpath: Vec<String>,
    /// Folders of `DT_RUNPATH`, as written.
    pub runpath: Vec<String>,
}

impl Elf {
    /// Whether the loader of this machine takes it for its own. It passes over files of another class or machine.
    pub fn is_native(&self) -> bool {
        self.bits == 64 && self.machine == std::env::consts::ARCH
    }
}

/// Reads the headers of a file.
pub fn read(world: &World, path: &str) -> Fact<Contents> {
    world.open(path).and_then(|file| match file.metadata() {
        Ok(meta) => Fact::Known(contents(&file, meta.len())),
        Err(error) => Fact::unknown(GapKind::Malformed, format!("{path}: {error}")),
    })
}

fn contents(file: &File, size: u64) -> Contents {
    let mut header = [0_u8; HEADER];
    // The loader stops at a file that is too short for the header, whatever it begins with.
    if size < HEADER as u64 || file.read_exact_at(&mut header, 0).is_err() || !header.starts_with(b"\x7fELF") {
        return Contents::Other;
    }
    let bits = match header[4] {
        1 => 32,
        2 => 64,
        _ => return Contents::Other,
    };
    if header[5] != 1 {
        return Contents::Elf(Elf { bits, machine: "big-endian".to_owned(), ..Elf::default() });
    }
    let mut elf = Elf { bits, machine: machine(u16_at(&header, 18)), ..Elf::default() };
    elf.shared = u16_at(&header, 16) == 3;
    // The loader passes over 32-bit files, and their tables have another form.
    if bits == 64 {
        read_tables(file, size, &header, &mut elf);
    }
    Contents::Elf(elf)
}

/// Fills what the tables of a 64-bit file say.
fn read_tables(file: &File, size: u64, header: &[u8; HEADER], elf: &mut Elf) {
    let within = |offset: u64, length: u64| offset.checked_add(length).is_some_and(|end| end <= size);
    let (table, count) = (u64_at(header, 32), u64::from(u16_at(header, 56)).min(SEGMENTS_MAX));
    let (sections, section_count) = (u64_at(header, 40), u64::from(u16_at(header, 60)));
    let sections_whole = sections == 0 || within(sections, section_count * u64::from(u16_at(header, 58)));
    if usize::from(u16_at(header, 54)) != SEGMENT {
        return;
    }
    let Some(segments) = bytes_at(file, size, table, count * SEGMENT as u64) else { return };
    let segments: Vec<Segment> = segments.chunks_exact(SEGMENT).map(Segment::read).collect();
    elf.whole = sections_whole && segments.iter().all(|segment| within(segment.offset, segment.length));
    let Some(dynamic) = segments.iter().find(|segment| segment.kind == Segment::DYNAMIC) else { return };
    let Some(entries) = bytes_at(file, size, dynamic.offset, dynamic.length.min(DYNAMIC_MAX)) else { return };
    let entries: Vec<(u64, u64)> = entries
        .chunks_exact(16)
        .map(|entry| (u64_at(entry, 0), u64_at(entry, 8)))
        .take_while(|(tag, _)| *tag != 0)
        .collect();
    let Some((_, strings)) = entries.iter().find(|(tag, _)| *tag == 5) else { return };
    let Some(strings) = segments.iter().find_map(|segment| segment.file_offset(*strings)) else { return };
    for (tag, value) in entries {
        if !matches!(tag, 1 | 14 | 15 | 29) {
            continue;
        }
        let Some(text) = strings.checked_add(value).and_then(|at| string_at(file, size, at)) else { continue };
        match tag {
            1 if elf.needed.len() < NEEDED_MAX => elf.needed.push(text),
            14 => elf.soname = Some(text),
            15 => elf.rpath = folders(&text),
            29 => elf.runpath = folders(&text),
            _ => {}
        }
    }
}

/// A program header.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    length: u64,
}

impl Segment {
    const LOAD: u32 = 1;
    const DYNAMIC: u32 = 2;

    fn read(bytes: &[u8]) -> Self {
        Self { kind: u32_at(bytes, 0), offset: u64_at(bytes, 8), address: u64_at(bytes, 16), length: u64_at(bytes, 32) }
    }

    /// Where in the file a loaded address lies.
    fn file_offset(&self, address: u64) -> Option<u64> {
        let inside = address.checked_sub(self.address)?;
        if self.kind == Self::LOAD && inside < self.length { self.offset.checked_add(inside) } else { None }
    }
}

fn folders(text: &str) -> Vec<String> {
    text.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}

fn machine(number: u16) -> String {
    match number {
        3 => "x86".to_owned(),
        21 => "powerpc64".to_owned(),
        40 => "arm".to_owned(),
        62 => "x86_64".to_owned(),
        183 => "aarch64".to_owned(),
        243 => "riscv64".to_owned(),
        other => format!("machine {other}"),
    }
}

/// Bytes that lie wholly within the file.
fn bytes_at(file: &File, size: u64, offset: u64, length: u64) -> Option<Vec<u8>> {
    if offset.checked_add(length)? > size {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}

/// A text that ends in a zero within the file.
fn string_at(file: &File, size: u64, offset: u64) -> Option<String> {
    let length = size.checked_sub(offset)?.min(STRING_MAX as u64);
    let bytes = bytes_at(file, size, offset, length)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

/// A little-endian number at a place; zero where it does not lie within.
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

/// A little-endian number at a place; zero where it does not lie within.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

/// A little-endian number at a place; zero where it does not lie within.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
pub(super) mod tests;
