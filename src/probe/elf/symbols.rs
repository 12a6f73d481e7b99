//! What the loader compares between two files: the versions and symbols that one wants of the other.
//!
//! By the tables of the GNU extensions to ELF (Linux Standard Base, "Symbol Versioning"): `.gnu.version_r` lists the
//! versions that a file wants and of which library, `.gnu.version_d` those that it defines, `.gnu.version` the version of
//! each entry of `.dynsym`. They are read by the sections' names; the loader goes by addresses, to the same bytes.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::ops::Range;

use super::sections;
use crate::world::OpenFile;

/// Bytes of one table that are read; PyTorch's largest that is looked at has 1.2 million.
const TABLE_MAX: u64 = 8 << 20;
/// Bytes of strings up to which all are read at once; PyTorch has 11 million, of which some thousand names are wanted.
const STRINGS_MAX: u64 = 1 << 20;
/// Bytes of strings of a library that is asked for symbols; cuSPARSELt 0.6 has 9 million.
const ALL_STRINGS_MAX: u64 = 32 << 20;
/// Names that are read of one file.
const NAMES_MAX: usize = 65_536;
/// Bytes of a name; those of templates are long, and none that is looked for is one.
const NAME_MAX: usize = 256;
/// Bytes of an entry of `.dynsym`.
const SYMBOL: usize = 24;
/// In the flags of a wanted version: its absence is no error (`VER_FLG_WEAK`).
const WEAK: u16 = 2;

/// The tables of one file.
pub struct Symbols<'f> {
    file: &'f OpenFile,
    entries: Option<Range<u64>>,
    strings: Range<u64>,
    versions: Option<Range<u64>>,
    wanted: Option<Range<u64>>,
    defined: Option<Range<u64>>,
    /// All strings, where they are few.
    text: OnceCell<Vec<u8>>,
    names_left: Cell<usize>,
}

/// A version that a file wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The library that should define it, as the file names it.
    pub library: String,
    /// Its name.
    pub version: String,
    /// The number that stands for it in the table of symbols.
    index: u16,
    /// Whether the loader goes on without it.
    pub weak: bool,
}

impl<'f> Symbols<'f> {
    /// Of a file of `size` bytes; none where its sections are damaged. One without a table of sections, as no linker leaves
    /// it, wants nothing that could be compared.
    pub fn of(file: &'f OpenFile, size: u64) -> Option<Self> {
        const NAMES: [&str; 5] = [".dynsym", ".dynstr", ".gnu.version", ".gnu.version_r", ".gnu.version_d"];
        let [entries, strings, versions, wanted, defined] = sections::find_each(file, size, NAMES)?;
        let strings = strings.unwrap_or(0..0);
        let (text, names_left) = (OnceCell::new(), Cell::new(NAMES_MAX));
        Some(Self { file, entries, strings, versions, wanted, defined, text, names_left })
    }

    /// The versions that it wants of others; none where a table is damaged.
    pub fn wanted(&self) -> Option<Vec<Wanted>> {
        let Some(range) = &self.wanted else { return Some(Vec::new()) };
        let table = self.table(range)?;
        let mut found = Vec::new();
        let mut at = 0;
        // A table has no entry more than it has bytes, whatever its offsets say.
        for _ in 0..table.len() / 16 {
            let (count, library) = (u16_at(&table, at + 2)?, self.name(u32_at(&table, at + 4)?)?);
            let mut part = at + u32_at(&table, at + 8)? as usize;
            for _ in 0..count {
                let (flags, index) = (u16_at(&table, part + 4)?, u16_at(&table, part + 6)?);
                let version = self.name(u32_at(&table, part + 8)?)?;
                found.push(Wanted {
                    library: library.clone(),
                    version,
                    index: index & 0x7fff,
                    weak: flags & WEAK != 0,
                });
                let next = u32_at(&table, part + 12)? as usize;
                part += next;
            }
            match u32_at(&table, at + 12)? as usize {
                0 => return Some(found),
                next => at += next,
            }
        }
        Some(found)
    }

    /// The versions that it defines; none where it defines none, for then the loader asks for none. `Err` where the table
    /// is damaged.
    pub fn defined(&self) -> Result<Option<BTreeSet<String>>, ()> {
        let Some(range) = &self.defined else { return Ok(None) };
        self.read_defined(range).map(Some).ok_or(())
    }

    fn read_defined(&self, range: &Range<u64>) -> Option<BTreeSet<String>> {
        let table = self.table(range)?;
        let mut found = BTreeSet::new();
        let mut at = 0;
        for _ in 0..table.len() / 20 {
            let name = at + u32_at(&table, at + 12)? as usize;
            found.insert(self.name(u32_at(&table, name)?)?);
            match u32_at(&table, at + 16)? as usize {
                0 => break,
                next => at += next,
            }
        }
        Some(found)
    }

    /// The names of symbols that it wants and that nothing may be without: those of the versions, and those without a
    /// version whose name passes `plain`, where that is given. With each its version's library. None where a table is
    /// damaged or too large.
    pub fn undefined(
        &self,
        wanted: &[&Wanted],
        plain: Option<&dyn Fn(&str) -> bool>,
    ) -> Option<Vec<(String, Option<String>)>> {
        let mut found = Vec::new();
        if self.entries.is_none() {
            return Some(found);
        }
        self.each(|symbol, version| {
            if symbol.section != 0 || !symbol.is_global {
                return Some(());
            }
            let of = wanted.iter().find(|wanted| wanted.index == version);
            if of.is_none() && (version > 1 || plain.is_none()) {
                return Some(());
            }
            let name = self.name(symbol.name);
            match (name, of) {
                (Some(name), Some(of)) => found.push((name, Some(of.library.clone()))),
                (Some(name), None) if plain.is_some_and(|plain| plain(&name)) => found.push((name, None)),
                // A longer name than any that is looked for.
                _ => {}
            }
            Some(())
        })?;
        Some(found)
    }

    /// Which of these names it does not offer. None where a table is damaged or too large, for then nobody can tell.
    pub fn lacked(&self, asked: &BTreeSet<String>) -> Option<BTreeSet<String>> {
        let strings = self.bytes(&self.strings, ALL_STRINGS_MAX)?;
        let mut left = asked.clone();
        self.each(|symbol, _| {
            let name = strings.get(symbol.name as usize..)?;
            let end = name.iter().take(NAME_MAX).position(|byte| *byte == 0);
            if let (true, Some(end)) = (symbol.section != 0, end)
                && let Ok(name) = std::str::from_utf8(name.get(..end)?)
            {
                left.remove(name);
            }
            Some(())
        })?;
        Some(left)
    }

    /// Every symbol with the number of its version; without a table of versions that is 1, as for all that have none.
    fn each(&self, mut visit: impl FnMut(&Symbol, u16) -> Option<()>) -> Option<()> {
        let table = self.table(self.entries.as_ref()?)?;
        let versions = match &self.versions {
            Some(range) => self.table(range)?,
            None => Vec::new(),
        };
        let mut visited = 0;
        for (at, entry) in table.chunks_exact(SYMBOL).enumerate() {
            let symbol =
                Symbol { name: u32_at(entry, 0)?, is_global: entry.get(4)? >> 4 == 1, section: u16_at(entry, 6)? };
            visited += usize::from(symbol.name != 0);
            let version = u16_at(&versions, at * 2).map_or(1, |version| version & 0x7fff);
            visit(&symbol, version)?;
        }
        (visited > 0 && self.names_left.get() > 0).then_some(())
    }

    fn table(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        self.bytes(range, TABLE_MAX)
    }

    fn bytes(&self, range: &Range<u64>, most: u64) -> Option<Vec<u8>> {
        let length = range.end.checked_sub(range.start).filter(|length| *length <= most)?;
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.file.read_exact_at(&mut bytes, range.start).ok()?;
        Some(bytes)
    }

    fn name(&self, offset: u32) -> Option<String> {
        self.names_left.set(self.names_left.get().checked_sub(1)?);
        let length = self.strings.end - self.strings.start;
        let text = |bytes: &[u8]| {
            let end = bytes.iter().take(NAME_MAX).position(|byte| *byte == 0)?;
            Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
        };
        if length <= STRINGS_MAX {
            let all = self.text.get_or_init(|| self.table(&self.strings).unwrap_or_default());
            return text(all.get(offset as usize..)?);
        }
        let start = self.strings.start.checked_add(offset.into()).filter(|start| *start < self.strings.end)?;
        let mut bytes = [0; NAME_MAX];
        let length = usize::try_from(self.strings.end - start).unwrap_or(NAME_MAX).min(NAME_MAX);
        let bytes = bytes.get_mut(..length)?;
        self.file.read_exact_at(bytes, start).ok()?;
        text(bytes)
    }
}

struct Symbol {
    name: u32,
    /// Neither local nor weak.
    is_global: bool,
    /// 0 where it is wanted and not defined.
    section: u16,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}
