//! Which GPU code a library carries, from the headers of its `.nv_fatbin` alone.
//!
//! The section is a row of containers, one for each object that was compiled: a header, then entries of machine code
//! (SASS, for one architecture) or of PTX, each with a header of its own. Payloads are compressed and never touched; a
//! library of a gigabyte has a few thousand headers.
//!
//! It is read by hand: the crates that know the format read every payload into memory, or want a pointer into a library
//! that is loaded. NVIDIA does not document it. What is read here was measured on the libraries of PyTorch 2.7 and 2.8,
//! cuBLAS 12.6 and 12.9, cuDNN 9.10 and NCCL 2.26: magic, sizes, kind, architecture at byte 28, and in the flags at byte
//! 40 the marks of code for one architecture only (`sm_90a`) and for one family (`sm_100f`). Anything else is refused
//! rather than guessed.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use crate::world::OpenFile;

/// First word of a container.
const MAGIC: u32 = 0xba55_ed50;
/// The one version of containers that is known.
const VERSION: u16 = 1;
/// Bytes of a container's header.
const CONTAINER: usize = 16;
/// Bytes of an entry's header that are read; real ones have 64 or more.
const ENTRY: usize = 48;
/// Containers and entries that are read in one file: the largest seen has 3,015 and 5,969.
const HEADERS_MAX: u32 = 1_000_000;
/// Containers are aligned; so much padding may lie between two.
const PADDING_MAX: u64 = 4096;
/// In an entry's flags: code that runs on exactly this architecture.
const SPECIFIC: u64 = 1 << 20;
/// In an entry's flags: code that runs on this architecture's family.
const FAMILY: u64 = 1 << 21;

/// One piece of GPU code: for which architecture, in which form. Its text is that of the compiler: `sm_90a`, `compute_90`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    /// Whether it is PTX, which the driver compiles, rather than machine code.
    pub ptx: bool,
    /// Architecture as in `sm_90`.
    pub number: u32,
    /// `a` or `f`, as the compiler writes it behind the number.
    pub suffix: Option<char>,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if self.ptx { "compute" } else { "sm" };
        write!(f, "{form}_{}{}", self.number, self.suffix.map_or(String::new(), String::from))
    }
}

/// What one compiled object holds: the same kernels for each of these.
pub type Group = BTreeSet<Code>;

/// Every container of a section, or why it cannot be read.
pub fn groups(file: &OpenFile, section: Range<u64>) -> Result<Vec<Group>, String> {
    let mut reader = Reader { file, left: HEADERS_MAX };
    let mut groups = Vec::new();
    let mut at = section.start;
    while let Some(start) = reader.next_container(at, section.end)? {
        let (group, end) = reader.container(start, section.end)?;
        groups.push(group);
        at = end;
    }
    Ok(groups)
}

struct Reader<'a> {
    file: &'a OpenFile,
    left: u32,
}

impl Reader<'_> {
    /// Where the next container begins; none where only padding is left.
    fn next_container(&mut self, at: u64, end: u64) -> Result<Option<u64>, String> {
        let mut here = at;
        while here + CONTAINER as u64 <= end {
            let words: [u8; 8] = self.read(here)?;
            if u32_at(&words, 0) == MAGIC {
                return Ok(Some(here));
            }
            if words != [0; 8] || here - at >= PADDING_MAX {
                return Err(format!("no container at byte {here}"));
            }
            here += 8;
        }
        Ok(None)
    }

    /// What the container at `start` holds, and where it ends.
    fn container(&mut self, start: u64, limit: u64) -> Result<(Group, u64), String> {
        let header: [u8; CONTAINER] = self.read(start)?;
        let (version, own) = (u16_at(&header, 4), u64::from(u16_at(&header, 6)));
        let inner = start + own;
        let end = inner.checked_add(u64_at(&header, 8)).filter(|end| *end <= limit);
        let (VERSION, Some(end), true) = (version, end, own >= CONTAINER as u64) else {
            return Err(format!("a container of unknown form at byte {start}"));
        };
        let mut group = Group::new();
        let mut at = inner;
        while at < end {
            let entry: [u8; ENTRY] = self.read(at)?;
            let length = u64::from(u32_at(&entry, 4)).checked_add(u64_at(&entry, 8));
            let next = length.and_then(|length| at.checked_add(length)).filter(|next| *next <= end);
            let (Some(next), true) = (next, u64::from(u32_at(&entry, 4)) >= ENTRY as u64) else {
                return Err(format!("an entry of unknown form at byte {at}"));
            };
            // 1 is PTX and 2 machine code; other kinds carry nothing that a GPU could run as it is.
            if let kind @ (1 | 2) = u16_at(&entry, 0) {
                let flags = u64_at(&entry, 40);
                let suffix = match (flags & SPECIFIC != 0, flags & FAMILY != 0) {
                    (true, _) => Some('a'),
                    (false, true) => Some('f'),
                    (false, false) => None,
                };
                group.insert(Code { ptx: kind == 1, number: u32_at(&entry, 28), suffix });
            }
            at = next;
        }
        Ok((group, end))
    }

    fn read<const N: usize>(&mut self, at: u64) -> Result<[u8; N], String> {
        self.left = self.left.checked_sub(1).ok_or("it has more headers than any library")?;
        let mut bytes = [0; N];
        self.file.read_exact_at(&mut bytes, at).map_err(|error| format!("byte {at}: {error}"))?;
        Ok(bytes)
    }
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

/// A little-endian number at a place; zero where it does not lie within.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

/// A little-endian number at a place; zero where it does not lie within.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

/// A little-endian number at a place; zero where it does not lie within.
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
pub(super) mod tests;
