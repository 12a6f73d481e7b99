//! Files in one archive, compressed: the only way by which bytes leave that are no text, and text is all that is in them.

use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use tar::{Builder, EntryType, Header};

use crate::text::Shown;

/// A file that goes into an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path there, which is one of ours.
    pub path: String,
    /// What is in it.
    pub text: Shown,
}

/// An archive. Nobody but [`pack`] can make one.
#[derive(Debug)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Its bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Packs files in the order of their names. They belong to nobody and are as old as what they tell of, so the same files
/// give the same bytes.
pub fn pack(mut files: Vec<File>, seconds: u64) -> io::Result<Packed> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for File { path, text } in &files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(seconds);
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, path, text.as_bytes())?;
    }
    Ok(Packed(archive.into_inner()?.finish()?))
}
