//! What the loader reads of an ELF file: its headers and its dynamic section.
//!
//! The crate `object` knows the format. [`pieces`] reads for it, within bounds, for the file may be anything.
//! [`sections`] finds parts by name, [`symbols`] reads what two files want of each other; finding files is the business of
//! others.

mod pieces;
pub mod sections;
pub mod symbols;

use object::LittleEndian;
use object::elf::{self, Dyn64, FileHeader64, Machine, ProgramHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::{ReadRef, StringTable};

use self::pieces::Pieces;
use crate::facts::{Fact, GapKind};
use crate::world::World;

/// The byte order of every machine that has NVIDIA's GPUs.
const ORDER: LittleEndian = LittleEndian;
type Header = FileHeader64<LittleEndian>;
type Segment = ProgramHeader64<LittleEndian>;
type Entry = Dyn64<LittleEndian>;

/// Entries of the dynamic section that are looked at; real libraries have about forty.
const ENTRIES_MAX: usize = 4096;

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
    world.open(path).and_then(|file| match file.size() {
        Ok(size) => {
            let pieces = Pieces::of(&file, size);
            let contents = contents(&pieces);
            if pieces.is_beyond() {
                return Fact::unknown(GapKind::NotSupported, format!("{path} has larger tables than are read"));
            }
            Fact::Known(contents)
        }
        Err(error) => Fact::unknown(GapKind::Malformed, format!("{path}: {error}")),
    })
}

fn contents(pieces: &Pieces) -> Contents {
    // The loader stops at a file that is too short for the header, whatever it begins with.
    let Ok(header) = pieces.read_at::<Header>(0) else { return Contents::Other };
    let ident = header.e_ident();
    let bits = match (ident.magic, ident.class) {
        (elf::ELFMAG, elf::ELFCLASS32) => 32,
        (elf::ELFMAG, elf::ELFCLASS64) => 64,
        _ => return Contents::Other,
    };
    if !header.is_little_endian() {
        return Contents::Elf(Elf { bits, machine: "big-endian".to_owned(), ..Elf::default() });
    }
    // These two lie at the same place in a 32-bit header.
    let shared = header.e_type(ORDER) == elf::ET_DYN;
    let mut elf = Elf { bits, machine: machine(header.e_machine(ORDER)), shared, ..Elf::default() };
    // The loader passes over 32-bit files, and their tables have another form.
    if bits == 64 {
        read_tables(pieces, header, &mut elf);
    }
    Contents::Elf(elf)
}

/// Fills what the tables of a 64-bit file say.
fn read_tables(pieces: &Pieces, header: &Header, elf: &mut Elf) {
    let Ok(segments) = header.program_headers(ORDER, pieces) else { return };
    let is_within = |offset: u64, length: u64| pieces.range(offset, length).is_some();
    let sections = u64::from(header.e_shnum(ORDER)) * u64::from(header.e_shentsize(ORDER));
    elf.whole = !segments.is_empty()
        && (header.e_shoff(ORDER) == 0 || is_within(header.e_shoff(ORDER), sections))
        && segments.iter().all(|segment| is_within(segment.p_offset(ORDER), segment.p_filesz(ORDER)));
    let Some(dynamic) = segments.iter().find(|segment| segment.p_type(ORDER) == elf::PT_DYNAMIC) else { return };
    let (start, length) = dynamic.file_range(ORDER);
    let count = usize::try_from(length).unwrap_or(usize::MAX) / size_of::<Entry>();
    let Ok(entries) = pieces.read_slice_at::<Entry>(start, count.min(ENTRIES_MAX)) else { return };
    if count > ENTRIES_MAX && entries.iter().all(|entry| entry.tag(ORDER) != elf::DT_NULL) {
        pieces.note_beyond();
    }
    let entries = entries.iter().take_while(|entry| entry.tag(ORDER) != elf::DT_NULL);
    let Some(table) = entries.clone().find(|entry| entry.tag(ORDER) == elf::DT_STRTAB) else { return };
    let Some(table) = segments.iter().find_map(|segment| file_offset(segment, table.val(ORDER))) else { return };
    let strings = StringTable::new(pieces, table, pieces.size());
    for entry in entries.filter(|entry| entry.is_string(ORDER)) {
        let Ok(text) = entry.string(ORDER, strings) else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        match entry.tag(ORDER) {
            elf::DT_NEEDED => elf.needed.push(text),
            elf::DT_SONAME => elf.soname = Some(text),
            elf::DT_RPATH => elf.rpath = folders(&text),
            elf::DT_RUNPATH => elf.runpath = folders(&text),
            _ => {}
        }
    }
}

/// Where in the file a loaded address lies.
fn file_offset(segment: &Segment, address: u64) -> Option<u64> {
    let inside = address.checked_sub(segment.p_vaddr(ORDER))?;
    let is_loaded = segment.p_type(ORDER) == elf::PT_LOAD && inside < segment.p_filesz(ORDER);
    if is_loaded { segment.p_offset(ORDER).checked_add(inside) } else { None }
}

fn folders(text: &str) -> Vec<String> {
    text.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}

fn machine(number: Machine) -> String {
    match number {
        elf::EM_386 => "x86".to_owned(),
        elf::EM_PPC64 => "powerpc64".to_owned(),
        elf::EM_ARM => "arm".to_owned(),
        elf::EM_X86_64 => "x86_64".to_owned(),
        elf::EM_AARCH64 => "aarch64".to_owned(),
        elf::EM_RISCV => "riscv64".to_owned(),
        Machine(other) => format!("machine {other}"),
    }
}

#[cfg(test)]
pub(super) mod tests;
