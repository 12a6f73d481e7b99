//! `/etc/ld.so.cache`: the names that the loader knows, in both of glibc's formats.
//!
//! The old format (`ld.so-1.7.0`) may stand alone or in front of the new one
//! (`glibc-ld.so.cache1.1`), which then wins, as in glibc. Offsets count from the
//! header of the new format, and from the end of the table in the old one. The
//! file may be anything: what does not lie within it is passed over. Entries for
//! CPU levels (`glibc-hwcaps`) are passed over too: no NVIDIA library has any.
//!
//! It is read by hand: the crate that reads it, `ld-so-cache`, comes with a command
//! line and a parser framework, and refuses a whole file for one damaged part.

use crate::facts::{Fact, Gap, GapKind};
use crate::world::World;

/// Where the cache lies.
const FILE: &str = "/etc/ld.so.cache";
/// Bytes of it that are read at most; a full desktop has about 300 KB.
const LIMIT: u64 = 8 << 20;

const OLD_MAGIC: &[u8] = b"ld.so-1.7.0";
const NEW_MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
const NEW_HEADER: usize = 48;
const NEW_ENTRY: usize = 24;

/// A name that the cache knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Soname.
    pub name: String,
    /// Where it lies.
    pub path: String,
}

/// The entries of this machine's kind whose name passes `wanted`, in the order of the file.
/// Without a cache, or with one that cannot be read or makes no sense, the loader knows none, and so do we. One that is
/// longer than is read is a gap: the loader knows more than we.
pub fn entries(world: &World, wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>, Gap> {
    match world.read_bytes(FILE, LIMIT + 1) {
        Fact::Known(bytes) if bytes.len() as u64 > LIMIT => {
            Err(Gap::new(GapKind::NotSupported, format!("{FILE} is longer than is read")))
        }
        Fact::Known(bytes) => Ok(parse(&bytes, wanted)),
        Fact::Absent | Fact::Unknown(_) => Ok(Vec::new()),
    }
}

fn parse(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Vec<Entry> {
    let (base, table, width) = if bytes.starts_with(OLD_MAGIC) {
        let count = u32_at(bytes, 12).unwrap_or(0);
        let end = count.saturating_mul(OLD_ENTRY).saturating_add(OLD_HEADER);
        // The new format begins at the next multiple of eight.
        let next = end.saturating_add(7) & !7;
        match bytes.get(next..) {
            Some(rest) if rest.starts_with(NEW_MAGIC) => (rest, NEW_HEADER, NEW_ENTRY),
            _ => return old(bytes, count, end, wanted),
        }
    } else if bytes.starts_with(NEW_MAGIC) {
        (bytes, NEW_HEADER, NEW_ENTRY)
    } else {
        return Vec::new();
    };
    let count = u32_at(base, NEW_MAGIC.len()).unwrap_or(0);
    let rows = base.get(table..).unwrap_or_default().chunks_exact(width).take(count);
    rows.filter(|row| row.get(16..).is_some_and(|level| level.iter().all(|byte| *byte == 0)))
        .filter_map(|row| entry(row, base, &wanted))
        .collect()
}

fn old(bytes: &[u8], count: usize, strings: usize, wanted: impl Fn(&str) -> bool) -> Vec<Entry> {
    let rows = bytes.get(OLD_HEADER..).unwrap_or_default().chunks_exact(OLD_ENTRY).take(count);
    let strings = bytes.get(strings..).unwrap_or_default();
    rows.filter_map(|row| entry(row, strings, &wanted)).collect()
}

/// Both formats begin their rows with flags, name and path.
fn entry(row: &[u8], strings: &[u8], wanted: &impl Fn(&str) -> bool) -> Option<Entry> {
    if !is_ours(u32_at(row, 0)?) {
        return None;
    }
    let name = text_at(strings, u32_at(row, 4)?)?;
    if !wanted(name) {
        return None;
    }
    let path = text_at(strings, u32_at(row, 8)?)?;
    Some(Entry { name: name.to_owned(), path: path.to_owned() })
}

/// Whether the flags name glibc's libraries of this machine: the low byte is the kind, the next the machine.
fn is_ours(flags: usize) -> bool {
    let machine = match std::env::consts::ARCH {
        "x86_64" => 0x03,
        "aarch64" => 0x0a,
        _ => return flags & 0xff == 3,
    };
    flags & 0xff == 3 && (flags >> 8) & 0xff == machine
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*four)).ok()
}

fn text_at(bytes: &[u8], at: usize) -> Option<&str> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().take(4096).position(|byte| *byte == 0)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::cast_possible_truncation, clippy::print_stderr)]
pub(super) mod tests {
    use super::*;
    use crate::world::FakeRoot;
    use std::time::Duration;

    fn flags() -> u32 {
        if std::env::consts::ARCH == "aarch64" { 0x0a03 } else { 0x0303 }
    }

    fn strings(base: usize, rows: &[(u32, &str, &str)]) -> (Vec<u8>, Vec<(u32, u32, u32)>) {
        let mut text = Vec::new();
        let mut places = Vec::new();
        for (flags, name, path) in rows {
            let name_at = (base + text.len()) as u32;
            text.extend(name.bytes().chain([0]));
            let path_at = (base + text.len()) as u32;
            text.extend(path.bytes().chain([0]));
            places.push((*flags, name_at, path_at));
        }
        (text, places)
    }

    /// A cache in the new format; paths as `ldconfig` would list them.
    pub fn new_format(rows: &[(&str, &str)]) -> Vec<u8> {
        let rows: Vec<_> = rows.iter().map(|(name, path)| (flags(), *name, *path)).collect();
        new_format_with(&rows)
    }

    fn new_format_with(rows: &[(u32, &str, &str)]) -> Vec<u8> {
        let (text, places) = strings(NEW_HEADER + rows.len() * NEW_ENTRY, rows);
        let mut out = NEW_MAGIC.to_vec();
        out.extend((rows.len() as u32).to_le_bytes());
        out.extend((text.len() as u32).to_le_bytes());
        out.resize(NEW_HEADER, 0);
        for (flags, name, path) in places {
            for word in [flags, name, path, 0, 0, 0] {
                out.extend(word.to_le_bytes());
            }
        }
        out.extend(text);
        out
    }

    fn old_format(rows: &[(&str, &str)]) -> Vec<u8> {
        let rows: Vec<_> = rows.iter().map(|(name, path)| (flags(), *name, *path)).collect();
        let (text, places) = strings(0, &rows);
        let mut out = OLD_MAGIC.to_vec();
        out.push(0);
        out.extend((rows.len() as u32).to_le_bytes());
        for (flags, name, path) in places {
            for word in [flags, name, path] {
                out.extend(word.to_le_bytes());
            }
        }
        out.extend(text);
        out
    }

    const ROWS: &[(&str, &str)] = &[
        ("libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"),
        ("libc.so.6", "/lib/libc.so.6"),
        ("libcudart.so.12", "/usr/local/cuda/lib64/libcudart.so.12"),
    ];

    fn names(bytes: &[u8]) -> Vec<String> {
        parse(bytes, |name| name.starts_with("libcu")).into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn the_new_format_is_read() {
        let found = parse(&new_format(ROWS), |name| name.starts_with("libcu"));
        assert_eq!(found[0], Entry { name: ROWS[0].0.to_owned(), path: ROWS[0].1.to_owned() });
        assert_eq!(names(&new_format(ROWS)), ["libcuda.so.1", "libcudart.so.12"]);
    }

    #[test]
    fn the_old_format_is_read() {
        assert_eq!(names(&old_format(ROWS)), ["libcuda.so.1", "libcudart.so.12"]);
    }

    #[test]
    fn in_a_combined_file_the_new_format_wins() {
        let mut bytes = old_format(&[]);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(new_format(&ROWS[2..]));
        assert_eq!(names(&bytes), ["libcudart.so.12"]);
    }

    #[test]
    fn libraries_of_another_machine_are_passed_over() {
        let bytes = new_format_with(&[(0x0003, "libcuda.so.1", "/usr/lib32/libcuda.so.1")]);
        assert!(names(&bytes).is_empty());
    }

    #[test]
    fn a_hostile_file_gives_no_more_than_it_holds() {
        let good = new_format(ROWS);
        for at in 0..good.len() {
            let mut damaged = good.clone();
            damaged[at] = 0xff;
            assert!(names(&damaged).len() <= 2, "byte {at}");
            assert!(names(&good[..at]).len() <= 2, "cut at {at}");
        }
        assert!(names(b"").is_empty());
        assert!(names(b"glibc-ld.so.cache1.1\xff\xff\xff\xff").is_empty());
        assert!(names(b"ld.so-1.7.0\0\xff\xff\xff\xff").is_empty());
    }

    #[test]
    fn a_cache_that_is_longer_than_is_read_is_a_gap_and_none_is_no_entry() {
        let world = FakeRoot::new();
        assert_eq!(entries(&world, |_| true), Ok(Vec::new()));
        let file =
            std::fs::File::create(world.file("etc/ld.so.cache", "").path().join("etc/ld.so.cache")).expect("a file");
        file.set_len(LIMIT).expect("a file with a hole");
        assert_eq!(entries(&world, |_| true), Ok(Vec::new()), "as long as is read");
        file.set_len(LIMIT + 1).expect("a file with a hole");
        assert!(entries(&world, |_| true).is_err());
    }

    #[test]
    fn the_real_cache_of_this_machine_knows_libc() {
        let world = World::at("/", Vec::new(), Duration::from_secs(1));
        if world.stat(FILE).known().is_none() {
            return eprintln!("skipped: no {FILE} here");
        }
        let found = entries(&world, |name| name == "libc.so.6").expect("whole");
        assert!(found.iter().any(|entry| entry.path.ends_with("/libc.so.6")), "{found:?}");
    }
}
