//! Content of compressed layers that may be asked for, in a file without a name: it goes when we do, whatever ends us.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

use super::blob::Blob;

/// Bytes that are kept of one image. What does not fit is told by the disk first.
const SPOOL_MAX: u64 = 64 << 30;
/// Where it may lie.
const FOLDERS: [&str; 3] = ["/var/tmp", "/tmp", "/dev/shm"];

/// A file without a name that grows.
#[derive(Debug, Default)]
pub struct Spool {
    file: Option<Arc<File>>,
    length: u64,
}

impl Spool {
    /// Keeps what is read, which has to be `size` bytes after those that were read before.
    pub fn keep(&mut self, before: &[u8], input: &mut dyn Read, size: u64) -> Result<Blob, String> {
        if self.length.saturating_add(size) > SPOOL_MAX {
            return Err(format!("more than {SPOOL_MAX} bytes of programs and libraries in compressed layers"));
        }
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(unnamed()?))),
        };
        let failed = |error: io::Error| format!("the content of its compressed layers cannot be kept: {error}");
        let mut writer: &File = &file;
        writer.write_all(before).map_err(failed)?;
        let copied = io::copy(&mut input.take(size - before.len() as u64), &mut writer).map_err(failed)?;
        if copied + before.len() as u64 != size {
            return Err("ends in the middle of a file".to_owned());
        }
        let blob = Blob::of(file, self.length, size);
        self.length += size;
        Ok(blob)
    }
}

fn unnamed() -> Result<File, String> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let opened = FOLDERS.iter().find_map(|folder| rustix::fs::open(*folder, flags, Mode::RUSR | Mode::WUSR).ok());
    let opened = opened.or_else(|| {
        // Some file systems know no file without a name; memory does.
        rustix::fs::memfd_create("gpu-preflight", rustix::fs::MemfdFlags::CLOEXEC).ok()
    });
    opened.map(File::from).ok_or_else(|| format!("no file can be made in {}", FOLDERS.join(", ")))
}
