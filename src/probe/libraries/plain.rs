//! Where the loader finds a library by its soname alone, as `dlopen` of a plain program asks for it.

use std::collections::BTreeMap;

use super::cache;
use super::folders::{default_folders, join, library_path};
use crate::facts::{Fact, Gap};
use crate::world::World;

/// What the loader knows, read once.
pub struct Loader {
    library_path: Vec<String>,
    cached: BTreeMap<String, Vec<String>>,
    /// Why the cache is not known whole.
    beyond: Option<Gap>,
    default_folders: Vec<String>,
}

impl Loader {
    /// Reads `LD_LIBRARY_PATH` and the names of NVIDIA's libraries in `/etc/ld.so.cache`.
    pub fn read(world: &World) -> Self {
        let mut cached: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let entries = cache::entries(world, |name| name.starts_with("libcu") || name.starts_with("libnv"));
        let beyond = entries.as_ref().err().cloned();
        for entry in entries.unwrap_or_default() {
            cached.entry(entry.name).or_default().push(entry.path);
        }
        Self { library_path: library_path(world), cached, beyond, default_folders: default_folders(world) }
    }

    /// The first copy that is there: `LD_LIBRARY_PATH`, the cache, the loader's own folders. Where the cache was not read
    /// whole, one that was not found may be there.
    pub fn find(&self, world: &World, soname: &str) -> Fact<String> {
        let in_folders = |folders: &[String]| {
            folders.iter().map(|folder| join(folder, soname)).find(|path| world.exists(path) == Fact::Known(true))
        };
        let cached = || {
            let paths = self.cached.get(soname)?;
            paths.iter().find(|path| world.exists(path.as_str()) == Fact::Known(true)).cloned()
        };
        let found = in_folders(&self.library_path).or_else(cached).or_else(|| in_folders(&self.default_folders));
        match (found, &self.beyond) {
            (None, Some(gap)) => Fact::Unknown(gap.clone()),
            (found, _) => Fact::present(found),
        }
    }

    /// The folders that the cache gives for a soname.
    pub fn cached_folders(&self, soname: &str) -> Vec<String> {
        let paths = self.cached.get(soname).map_or(&[][..], Vec::as_slice);
        paths.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())).collect()
    }

    /// The folders that the loader asks by itself.
    pub fn default_folders(&self) -> &[String] {
        &self.default_folders
    }
}
