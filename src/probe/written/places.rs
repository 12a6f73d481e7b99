//! Where what is known stands in the files.

use crate::facts::{LIST_LIMIT, PlacedFact};

/// Places in one file.
#[derive(Debug, Clone, Default)]
pub struct Places {
    file: String,
    found: Vec<PlacedFact>,
}

impl Places {
    /// None yet, of a file by the name that the command line gives it.
    pub fn of(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new() }
    }

    /// A fact stands on a line; of one that stands on many lines the first are kept.
    pub fn put(&mut self, path: &str, line: usize) {
        let placed = PlacedFact { path: path.to_owned(), file: self.file.clone(), line: line as u64 };
        let same = self.found.iter().filter(|known| known.path == path).count();
        if same < LIST_LIMIT && !self.found.contains(&placed) {
            self.found.push(placed);
        }
    }

    /// A fact stands on this line and on no other.
    pub fn set(&mut self, path: &str, line: usize) {
        self.found.retain(|known| known.path != path);
        self.put(path, line);
    }

    /// The same, where it stands on one at all.
    pub fn set_if(&mut self, path: &str, line: Option<usize>) {
        if let Some(line) = line {
            self.set(path, line);
        }
    }

    /// All of them.
    pub fn into_found(self) -> Vec<PlacedFact> {
        self.found
    }
}
