//! One layer applied to the tree: its entries in their order, its whiteouts, and the content that is kept.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rustix::fs::FileType;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::blob::{Blob, Reader};
use super::headers::{Entry, Input, walk};
use super::inner;
use super::spool::Spool;
use super::tree::{Content, Node, Tree};
use crate::world::answers::Stat;

/// Bytes of a file in a compressed layer whose content is kept whatever it is. Probes read few that are longer, but for
/// programs and libraries, which are known by their first bytes.
pub const KEPT_MAX: u64 = 16 << 20;
/// Bytes of a layer when it is unpacked: one that is all the same byte grows a thousandfold.
const UNPACKED_MAX: u64 = 256 << 30;
/// What an ELF file begins with.
const ELF: &[u8] = b"\x7fELF";

/// What a whiteout's name begins with, and the name that empties its folder.
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Whether something that begins so is gzip or zstd.
pub fn is_compressed(first: [u8; 4]) -> bool {
    matches!(first, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd])
}

/// Applies a layer, compressed or not.
pub fn apply(tree: &mut Tree, blob: &Blob) -> Result<(), String> {
    let mut first = [0; 4];
    let _ = blob.read_exact_at(&mut first, 0);
    tree.begin_layer();
    match first {
        [0x1f, 0x8b, ..] => unpacked(tree, &mut Unpacked::new(MultiGzDecoder::new(blob.reader()))),
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            unpacked(tree, &mut Unpacked::new(Frames::new(blob.reader())))
        }
        _ => walk(&mut blob.reader(), &mut |entry, at, _| {
            let content = match entry.size {
                0 => Content::Nothing,
                _ if entry.is_sparse => Content::Unkept("it has holes, which the archive leaves out"),
                size => Content::Lies(blob.part(at, size).ok_or("ends in the middle of a file")?),
            };
            put(tree, &entry, content).map(|()| 0)
        }),
    }
}

fn unpacked<R: Read>(tree: &mut Tree, input: &mut Unpacked<R>) -> Result<(), String> {
    let mut spool = Spool::default();
    walk(input, &mut |entry, _, input| {
        let (content, taken) = kept(&entry, input, &mut spool)?;
        put(tree, &entry, content).map(|()| taken)
    })
}

/// The content of a compressed file, where it is kept, and the bytes that were taken for it.
fn kept(entry: &Entry, input: &mut dyn Input, spool: &mut Spool) -> Result<(Content, u64), String> {
    if entry.size == 0 {
        return Ok((Content::Nothing, 0));
    }
    if entry.is_sparse {
        return Ok((Content::Unkept("it has holes, which the archive leaves out"), 0));
    }
    let mut first = [0_u8; 4];
    let first = first.get_mut(..usize::try_from(entry.size.min(4)).unwrap_or(4)).unwrap_or_default();
    input.read_exact(first).map_err(|error| error.to_string())?;
    if entry.size > KEPT_MAX && first != ELF {
        return Ok((Content::Unkept("of a compressed layer only short files, programs and libraries are kept"), 4));
    }
    let blob = spool.keep(first, input, entry.size)?;
    Ok((Content::Lies(blob), entry.size))
}

/// Puts an entry into the tree, or leaves it out and says so.
fn put(tree: &mut Tree, entry: &Entry, content: Content) -> Result<(), String> {
    let Some(path) = inner(&entry.path) else {
        tree.leave_out(&entry.path, "leads out of the image");
        return Ok(());
    };
    let too_many = |_| "has more entries than are looked at, or links that lead nowhere".to_owned();
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let folder = tree.folder(folder).map_err(too_many)?;
    if name.as_bytes() == OPAQUE {
        tree.remove_below(folder);
        return Ok(());
    }
    if let Some(removed) = name.as_bytes().strip_prefix(WHITEOUT) {
        tree.remove(folder, OsStr::from_bytes(removed));
        return Ok(());
    }
    let kind = match entry.kind {
        kind if kind.is_hard_link() => {
            let target = inner(&entry.link).and_then(|target| tree.find(&target).ok());
            match target.filter(|target| tree.node(*target).is_some_and(|node| node.stat.kind != FileType::Directory)) {
                Some(target) => tree.name(folder, name, target),
                None => tree.leave_out(&path, "is a further name of a file that is not there"),
            }
            return Ok(());
        }
        kind if kind.is_dir() => FileType::Directory,
        kind if kind.is_symlink() => FileType::Symlink,
        kind if kind.is_character_special() => FileType::CharacterDevice,
        kind if kind.is_block_special() => FileType::BlockDevice,
        kind if kind.is_fifo() => FileType::Fifo,
        kind if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() => FileType::RegularFile,
        _ => {
            tree.leave_out(&path, "is of a kind that is not known");
            return Ok(());
        }
    };
    tree.put(folder, name, node(entry, kind, content)).map(|_| ()).map_err(too_many)
}

fn node(entry: &Entry, kind: FileType, content: Content) -> Node {
    let target = (kind == FileType::Symlink).then(|| PathBuf::from(Path::new(&entry.link)));
    let stat = Stat {
        kind,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size_bytes: entry.size,
        allocated_bytes: entry.size.checked_next_multiple_of(4096).unwrap_or(entry.size),
        device: 1,
        inode: 0,
        device_number: entry.device,
        modified_seconds: entry.modified,
    };
    Node::new(stat, target, content)
}

/// A stream that is unpacked as it is read, to a length.
struct Unpacked<R> {
    source: R,
    left: u64,
}

impl<R: Read> Unpacked<R> {
    fn new(source: R) -> Self {
        Self { source, left: UNPACKED_MAX }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(bytes)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(format!("is longer than {UNPACKED_MAX} bytes when it is unpacked")))?;
        Ok(count)
    }
}

impl<R: Read> Input for Unpacked<R> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let passed = io::copy(&mut self.take(count), &mut io::sink())?;
        if passed == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// The frames of a zstd stream, one after the other: the crate reads one.
struct Frames {
    source: BufReader<Reader>,
    decoder: FrameDecoder,
    is_begun: bool,
}

impl Frames {
    fn new(source: Reader) -> Self {
        Self { source: BufReader::new(source), decoder: FrameDecoder::new(), is_begun: false }
    }
}

impl Read for Frames {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while !bytes.is_empty() {
            if self.is_begun {
                while self.decoder.can_collect() < bytes.len() && !self.decoder.is_finished() {
                    let more = BlockDecodingStrategy::UptoBytes(bytes.len() - self.decoder.can_collect());
                    self.decoder.decode_blocks(&mut self.source, more).map_err(io::Error::other)?;
                }
                match self.decoder.read(bytes)? {
                    0 => self.is_begun = false,
                    count => return Ok(count),
                }
            }
            if self.source.fill_buf()?.is_empty() {
                break;
            }
            match self.decoder.init(&mut self.source) {
                Ok(()) => self.is_begun = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(0)
    }
}
