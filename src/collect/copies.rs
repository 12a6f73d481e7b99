//! Whether a loader would find a library, as far as its files tell.

use crate::facts::{Fact, Library, LibraryId};
use crate::probe::libraries::refusal;

/// What the loader would come to when a library is asked for.
pub enum Copy {
    /// A copy that it can open, as far as is known.
    Usable,
    /// One that need not be opened, and why.
    Refused(String),
    /// None.
    Nowhere,
}

impl Copy {
    /// Whether there is one, be it of use or not.
    pub fn is_there(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }
}

/// Asks what the census of the libraries found.
pub fn may_find(libraries: &Fact<Vec<Library>>, id: LibraryId) -> Copy {
    // Where the census could not be had, only the loader can tell.
    let Fact::Known(all) = libraries else { return Copy::Usable };
    match all.iter().find(|library| library.id == id && library.chosen) {
        None => Copy::Nowhere,
        Some(library) => refusal(library).map_or(Copy::Usable, Copy::Refused),
    }
}
