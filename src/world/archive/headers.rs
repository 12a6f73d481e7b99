//! The headers of a tar archive, one after the other, each held to a length.
//!
//! The crate `tar` knows the header; the blocks around it are read here, for it would take a name of any length into
//! memory, and it forgets the size that a PAX header gives where one goes without its own reading of names.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use tar::{EntryType, Header, PaxExtensions};

/// Bytes of a block.
const BLOCK: u64 = 512;
/// Bytes of a name or of further fields of one entry.
const EXTENSION_MAX: u64 = 1 << 20;
/// Headers of one archive, so that one of nothing else ends.
const HEADERS_MAX: u64 = 4_000_000;

/// What is read from its beginning to its end.
pub trait Input: Read {
    /// Passes over so many bytes.
    fn skip(&mut self, count: u64) -> io::Result<()>;
}

/// What a header says.
pub struct Entry {
    /// Its path, as it is written.
    pub path: PathBuf,
    /// Where it leads, for links.
    pub link: PathBuf,
    /// What it is.
    pub kind: EntryType,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes of content in the archive.
    pub size: u64,
    /// Last change, seconds since 1970-01-01 UTC.
    pub modified: i64,
    /// Major and minor number of a device node.
    pub device: (u32, u32),
    /// Whether the content has holes that the archive leaves out.
    pub is_sparse: bool,
}

/// What the headers before an entry say of it.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    is_sparse: bool,
}

/// What hears of each entry, where its content begins and where it is read from; the bytes that it took of it.
pub type Visit<'a> = dyn FnMut(Entry, u64, &mut dyn Input) -> Result<u64, String> + 'a;

/// Tells each entry, where its content begins, and gives the reader, of which `visit` says how many bytes it took.
pub fn walk(input: &mut dyn Input, visit: &mut Visit<'_>) -> Result<(), String> {
    let mut at = 0_u64;
    let mut extension = Extension::default();
    for _ in 0..HEADERS_MAX {
        let Some(header) = next_header(input)? else { return Ok(()) };
        at += BLOCK;
        let kind = header.entry_type();
        let stated = header.entry_size().map_err(|_| "a header without a size")?;
        let is_extension = kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions();
        let (size, taken) = if is_extension {
            let bytes = bounded(input, stated)?;
            if kind.is_pax_local_extensions() {
                extension.read(&bytes);
            } else {
                let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                let place = if kind.is_gnu_longname() { &mut extension.path } else { &mut extension.link };
                *place = Some(name);
            }
            (stated, stated)
        } else if kind.is_pax_global_extensions() {
            (stated, 0)
        } else {
            at += holes(&header, input)?;
            let entry = entry(&header, std::mem::take(&mut extension), stated);
            // Only files have content; what other entries say of their size does not stand in the archive.
            let size = if has_content(kind) { entry.size } else { 0 };
            (size, visit(Entry { size, ..entry }, at, input)?)
        };
        let end = size.checked_next_multiple_of(BLOCK).ok_or("a size that cannot be")?;
        let left = end.checked_sub(taken).ok_or("more was read than there is")?;
        input.skip(left).map_err(|error| cut_off(&error))?;
        at = at.checked_add(end).ok_or("a size that cannot be")?;
    }
    Err(format!("has more than {HEADERS_MAX} entries"))
}

fn has_content(kind: EntryType) -> bool {
    !(kind.is_dir()
        || kind.is_symlink()
        || kind.is_hard_link()
        || kind.is_character_special()
        || kind.is_block_special()
        || kind.is_fifo())
}

/// Passes over the blocks in which the old form of sparse files says where their holes are; their bytes.
fn holes(header: &Header, input: &mut dyn Input) -> Result<u64, String> {
    let mut more = header.as_gnu().is_some_and(|gnu| header.entry_type().is_gnu_sparse() && gnu.is_extended());
    let mut passed = 0;
    while more {
        let mut block = [0_u8; 512];
        input.read_exact(&mut block).map_err(|error| cut_off(&error))?;
        passed += BLOCK;
        // The flag that another one follows.
        more = block.get(504).is_some_and(|flag| *flag != 0) && passed < EXTENSION_MAX;
    }
    Ok(passed)
}

/// The next header; none at the end. One whose sum is wrong is none.
fn next_header(input: &mut dyn Input) -> Result<Option<Header>, String> {
    let mut header = Header::new_old();
    let bytes = header.as_mut_bytes();
    let mut filled = 0;
    while filled < bytes.len() {
        match input.read(bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err("ends in the middle of a header".to_owned()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(cut_off(&error)),
        }
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let sum: u32 =
        bytes.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    if header.cksum().ok() != Some(sum) {
        return Err("is no tar archive, or is damaged: the sum of a header is wrong".to_owned());
    }
    Ok(Some(header))
}

fn bounded(input: &mut dyn Input, size: u64) -> Result<Vec<u8>, String> {
    if size > EXTENSION_MAX {
        return Err(format!("a name of {size} bytes"));
    }
    let mut bytes = Vec::new();
    let count = input.take(size).read_to_end(&mut bytes).map_err(|error| cut_off(&error))?;
    if count as u64 == size { Ok(bytes) } else { Err("ends in the middle of a name".to_owned()) }
}

fn cut_off(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "ends in the middle of a file".to_owned(),
        _ => error.to_string(),
    }
}

fn entry(header: &Header, extension: Extension, stated: u64) -> Entry {
    let path = |bytes: Vec<u8>| PathBuf::from(OsString::from_vec(bytes));
    let id = |extended: Option<u64>, own: io::Result<u64>| {
        u32::try_from(extended.or(own.ok()).unwrap_or_default()).unwrap_or(u32::MAX)
    };
    let device = |number: io::Result<Option<u32>>| number.ok().flatten().unwrap_or_default();
    Entry {
        path: path(extension.path.unwrap_or_else(|| header.path_bytes().into_owned())),
        link: path(extension.link.unwrap_or_else(|| header.link_name_bytes().map_or_else(Vec::new, Cow::into_owned))),
        kind: header.entry_type(),
        mode: header.mode().unwrap_or_default() & 0o7777,
        uid: id(extension.uid, header.uid()),
        gid: id(extension.gid, header.gid()),
        size: extension.size.unwrap_or(stated),
        modified: header.mtime().ok().and_then(|time| i64::try_from(time).ok()).unwrap_or_default(),
        device: (device(header.device_major()), device(header.device_minor())),
        is_sparse: extension.is_sparse || header.entry_type().is_gnu_sparse(),
    }
}

impl Extension {
    fn read(&mut self, bytes: &[u8]) {
        for field in PaxExtensions::new(bytes).flatten() {
            let number = || field.value().ok().and_then(|value| value.parse().ok());
            match field.key_bytes() {
                b"path" => self.path = Some(field.value_bytes().to_vec()),
                b"linkpath" => self.link = Some(field.value_bytes().to_vec()),
                b"size" => self.size = number().or(self.size),
                b"uid" => self.uid = number().or(self.uid),
                b"gid" => self.gid = number().or(self.gid),
                key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
        }
    }
}
