//! A folder that plays the root of a machine, for unit tests: one way to make files, links and an environment.
#![allow(clippy::disallowed_methods)] // a test is no probe

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::World;

/// A [`World`] whose root is a folder of its own, which goes with it.
pub struct FakeRoot {
    folder: TempDir,
    world: World,
}

impl FakeRoot {
    /// A root without any file, and an empty environment.
    pub fn new() -> Self {
        Self::of(&[], &[])
    }

    /// A root with these files, each a path and its text (a path that ends in `/` is a folder), and these variables.
    pub fn of(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Self {
        let root = Self::with_budget(Duration::from_secs(5), variables);
        root.files(files);
        root
    }

    /// A root without any file, whose deadline is this far away.
    pub fn with_budget(budget: Duration, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let world = World::at(folder.path(), environment, budget);
        Self { folder, world }
    }

    /// The same root with one more variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.world.environment.push((name.into(), value.into()));
        self
    }

    /// The same world with a deadline this far away.
    pub fn within(&self, budget: Duration) -> World {
        World::at(self.folder.path(), self.world.environment.clone(), budget)
    }

    /// Where the root really lies.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a file with its folders; a path that ends in `/` is a folder.
    pub fn file(&self, path: &str, contents: impl AsRef<[u8]>) -> &Self {
        if path.ends_with('/') {
            return self.folder(path);
        }
        fs::write(self.place(path), contents).expect("a file");
        self
    }

    /// Makes these files.
    pub fn files(&self, files: &[(&str, &str)]) -> &Self {
        for (path, text) in files {
            self.file(path, text);
        }
        self
    }

    /// Makes an empty file that everybody may execute.
    pub fn program(&self, path: &str) -> &Self {
        self.file(path, "").mode(path, 0o755)
    }

    /// Makes a folder with those above it.
    pub fn folder(&self, path: &str) -> &Self {
        fs::create_dir_all(self.place(path)).expect("a folder");
        self
    }

    /// Makes a symbolic link with its folders. The target is taken as it is: `/app` leads to our root where it is read
    /// through the world, and `/dev/null` is a real device where it is opened.
    pub fn link(&self, path: &str, target: &str) -> &Self {
        std::os::unix::fs::symlink(target, self.place(path)).expect("a link");
        self
    }

    /// Sets who may do what with a file.
    pub fn mode(&self, path: &str, mode: u32) -> &Self {
        fs::set_permissions(self.place(path), fs::Permissions::from_mode(mode)).expect("a mode");
        self
    }

    /// The place of `path` in the folder; what is above it is made.
    fn place(&self, path: &str) -> PathBuf {
        let place = self.folder.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().expect("a folder above")).expect("a folder");
        place
    }
}

impl Deref for FakeRoot {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}
