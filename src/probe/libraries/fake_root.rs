//! A folder that plays the root, filled with true little libraries; for tests.

use super::census;
use crate::facts::{Fact, Framework, Library};
use crate::probe::elf::tests::image;
use crate::world::FakeRoot;

pub struct Root {
    root: FakeRoot,
}

impl Root {
    pub fn new() -> Self {
        Self { root: FakeRoot::new() }
    }

    pub fn file(self, path: &str, bytes: &[u8]) -> Self {
        self.root.file(path, bytes);
        self
    }

    /// A true shared object whose soname is its file name.
    pub fn library(self, path: &str) -> Self {
        let soname = path.rsplit('/').next().expect("a name").to_owned();
        self.file(path, &image(&soname, &["libc.so.6"], None))
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        self.root.link(path, target);
        self
    }

    pub fn env(self, name: &str, value: &str) -> Self {
        Self { root: self.root.env(name, value) }
    }

    pub fn census(&self, framework: &Framework) -> Vec<Library> {
        self.unread_census(framework).known().expect("a census").clone()
    }

    pub fn unread_census(&self, framework: &Framework) -> Fact<Vec<Library>> {
        census(&self.root, framework)
    }

    pub fn only(&self, framework: &Framework) -> Library {
        let mut found = self.census(framework);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }
}
