//! Who asks for a library, and with which folders.

use super::folders::expand;
use super::names::{identify, soname_of};
use crate::facts::LibraryId;
use crate::probe::elf::Elf;

/// Who asks for a library, and where it wants to have it looked for.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Its name for a person.
    pub who: &'static str,
    /// The name that it asks for.
    pub name: String,
    /// Folders of its `DT_RPATH`.
    pub rpath: Vec<String>,
    /// Folders of its `DT_RUNPATH`.
    pub runpath: Vec<String>,
}

impl Asker {
    /// A file at `path` that asks by this name.
    pub fn new(who: &'static str, name: String, path: &str, elf: &Elf) -> Self {
        Self { who, name, rpath: expand(&elf.rpath, path), runpath: expand(&elf.runpath, path) }
    }
}

/// The name by which a file asks for this library, where it does.
pub fn asks_for(elf: &Elf, id: LibraryId, soname: &str) -> Option<String> {
    let is_it = |needed: &&String| {
        identify(needed)
            .is_some_and(|(found, version)| found == id && soname_of(id, &version).as_deref() == Some(soname))
    };
    elf.needed.iter().find(is_it).cloned()
}
