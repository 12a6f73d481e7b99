//! Where the loader finds a library by its name, as `dlopen` of a program or a file that needs it asks for it.

use std::collections::BTreeMap;

use super::cache;
use super::folders::{default_folders, join, library_path};
use crate::facts::{Fact, Gap};
use crate::world::World;

/// A place where the loader looks for a library, and why, as the end of a sentence.
pub type Place = (String, &'static str);

/// What the loader knows, read once.
pub struct Loader {
    library_path: Vec<String>,
    cached: BTreeMap<String, Vec<String>>,
    /// Why the cache is not known whole.
    beyond: Option<Gap>,
    default_folders: Vec<String>,
}

impl Loader {
    /// Reads `LD_LIBRARY_PATH` and the names in `/etc/ld.so.cache` that are wanted.
    pub fn read(world: &World, wanted: impl Fn(&str) -> bool) -> Self {
        let mut cached: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let entries = cache::entries(world, wanted);
        let beyond = entries.as_ref().err().cloned();
        for entry in entries.unwrap_or_default() {
            cached.entry(entry.name).or_default().push(entry.path);
        }
        Self { library_path: library_path(world), cached, beyond, default_folders: default_folders(world) }
    }

    /// Where it looks for a name, in its order, for a file with these folders of `DT_RPATH`, its own and those of the files
    /// that brought it in, and of `DT_RUNPATH`.
    pub fn places<'a>(
        &'a self,
        name: &'a str,
        rpath: &'a [String],
        runpath: &'a [String],
    ) -> impl Iterator<Item = Place> + 'a {
        let inside =
            move |folders: &'a [String], why: &'static str| folders.iter().map(move |folder| (join(folder, name), why));
        let cached = self.cached.get(name).map_or(&[][..], Vec::as_slice);
        inside(rpath, "a DT_RPATH names its folder, and that comes before LD_LIBRARY_PATH")
            .chain(inside(&self.library_path, "LD_LIBRARY_PATH names its folder"))
            .chain(inside(runpath, "a DT_RUNPATH names its folder"))
            .chain(cached.iter().map(|path| (path.clone(), "/etc/ld.so.cache lists it")))
            .chain(inside(&self.default_folders, "it lies in a default folder of the loader"))
    }

    /// The first copy that is there: `LD_LIBRARY_PATH`, the cache, the loader's own folders. Where the cache was not read
    /// whole, one that was not found may be there.
    pub fn find(&self, world: &World, soname: &str) -> Fact<String> {
        let mut paths = self.places(soname, &[], &[]).map(|(path, _)| path);
        match (paths.find(|path| world.exists(path) == Fact::Known(true)), &self.beyond) {
            (None, Some(gap)) => Fact::Unknown(gap.clone()),
            (found, _) => Fact::present(found),
        }
    }

    /// Why the cache is not known whole; then what was not found may be there all the same.
    pub fn gap(&self) -> Option<&Gap> {
        self.beyond.as_ref()
    }

    /// The folders that the cache gives for a soname.
    pub fn cached_folders(&self, soname: &str) -> Vec<String> {
        let paths = self.cached.get(soname).map_or(&[][..], Vec::as_slice);
        paths.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())).collect()
    }

    /// The names in the cache.
    pub fn cached_names(&self) -> impl Iterator<Item = &str> {
        self.cached.keys().map(String::as_str)
    }

    /// The folders that the loader asks by itself.
    pub fn default_folders(&self) -> &[String] {
        &self.default_folders
    }
}
