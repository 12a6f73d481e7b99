//! Where copies of NVIDIA's libraries lie, and which one the workload's loader takes.
//!
//! **The order for a plain program** (C++, Go, Rust; and every program for libcuda
//! and NVML, which are opened by soname alone): `LD_LIBRARY_PATH`, then
//! `/etc/ld.so.cache`, then the loader's default folders.
//!
//! **The order for PyTorch.** Its objects under `torch/lib` name what they need and
//! carry a run path. We read both from the object itself: folders of `DT_RPATH`
//! come before `LD_LIBRARY_PATH`, those of `DT_RUNPATH` after it. So a wheel's copy
//! wins over `LD_LIBRARY_PATH` exactly where PyTorch's own file says so. Where cuBLAS
//! comes in before any object of PyTorch asks for cuBLASLt, cuBLAS asks for it, with
//! its own run path; so it does in every program without PyTorch.
//!
//! **Preloading.** When all of that finds nothing, a copy in
//! `site-packages/nvidia/*/lib` still wins, because PyTorch and JAX search those
//! folders themselves and open the file by its path. A plain program would not
//! find it, and the reason says so.
//!
//! **Nothing else wins.** A copy that is only in a toolkit or conda folder is listed
//! and wins nothing: no loader looks there by itself.
//!
//! Like the loader, we pass over files of another class or machine and those we may
//! not read, and stop at a file that is damaged: the workload would fail on it.
//! Not followed: `glibc-hwcaps` folders, `$LIB` and `$PLATFORM`, and a run path of
//! the program that starts everything.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::asker::{Asker, asks_for};
use super::cache;
use super::folders::{FOLDERS_MAX, conda_folders, default_folders, expand, join, library_path, toolkit_folders};
use super::names::{identify, soname_of};
use crate::facts::{Fact, FoundBy, Framework, Gap, GapKind, LibraryId};
use crate::probe::elf::{self, Contents, Elf};
use crate::probe::procfs::mounts::Mounts;
use crate::world::World;

/// A file whose name is that of one of our libraries.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which library.
    pub id: LibraryId,
    /// The soname that programs ask for it by.
    pub soname: String,
    /// Where it lies.
    pub folder: String,
    /// Its name there.
    pub name: String,
    /// What led to it.
    pub by: FoundBy,
    /// Its path with links resolved, as the key of one file.
    pub real: String,
}

impl Found {
    /// Its path.
    pub fn path(&self) -> String {
        join(&self.folder, &self.name)
    }
}

/// The search, with what it has read so far.
pub struct Search<'a> {
    world: &'a World,
    library_path: Vec<String>,
    default_folders: Vec<String>,
    site_packages: Vec<String>,
    torch_objects: Vec<(String, Elf)>,
    listings: BTreeMap<(u64, u64), Rc<Vec<String>>>,
    headers: BTreeMap<String, Fact<Contents>>,
    found: Vec<Found>,
    /// Folders of one kind that were too many to be looked at, all of them.
    beyond: Option<Gap>,
}

impl<'a> Search<'a> {
    /// Looks into every place, in the order in which candidates are shown.
    pub fn run(world: &'a World, framework: &Framework) -> Self {
        let mut search = Self {
            world,
            library_path: library_path(world),
            default_folders: default_folders(world),
            site_packages: Vec::new(),
            torch_objects: Vec::new(),
            listings: BTreeMap::new(),
            headers: BTreeMap::new(),
            found: Vec::new(),
            beyond: None,
        };
        search.look_in(FoundBy::LibraryPath, &search.library_path.clone());
        search.look_in_packages(framework);
        let cached = cache::entries(world, |name| identify(name).is_some()).unwrap_or_else(|gap| {
            search.beyond.get_or_insert(gap);
            Vec::new()
        });
        for entry in cached {
            if let Some((folder, name)) = entry.path.rsplit_once('/') {
                search.take(FoundBy::Cache, folder, name);
            }
        }
        search.look_in(FoundBy::DefaultFolder, &search.default_folders.clone());
        search.look_in(FoundBy::Toolkit, &toolkit_folders(world));
        search.look_in(FoundBy::Conda, &conda_folders(world));
        search.take_mounted();
        search
    }

    /// Every file that was found, by library and soname, in the order in which it was found.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// Why nobody can say who wins: there is more to look at than is looked at.
    pub fn beyond(&self) -> Option<&Gap> {
        self.beyond.as_ref()
    }

    /// What the headers of a file say.
    pub fn contents(&mut self, real: &str) -> Fact<Contents> {
        let world = self.world;
        self.headers.entry(real.to_owned()).or_insert_with(|| elf::read(world, real)).clone()
    }

    /// The copy that the workload gets for a soname, and why, as the end of a sentence.
    /// `cublas` is the copy of cuBLAS that was found to win, for when cuBLASLt is looked for.
    pub fn winner(&mut self, id: LibraryId, soname: &str, cublas: Option<&Found>) -> (Option<Found>, String) {
        let is_driver = matches!(id, LibraryId::Cuda | LibraryId::Nvml);
        let asker = if is_driver { None } else { self.asker(id, soname, cublas) };
        let name = asker.as_ref().map_or(soname, |asker| asker.name.as_str()).to_owned();
        let (who, rpath, runpath) = asker.map_or(("", Vec::new(), Vec::new()), |asker| {
            let (rpath, runpath) = (asker.rpath, asker.runpath);
            // glibc forgets DT_RPATH where there is a DT_RUNPATH.
            (asker.who, if runpath.is_empty() { rpath } else { Vec::new() }, runpath)
        });
        let library_path = self.library_path.clone();
        let defaults = self.default_folders.clone();
        let steps: [(&[String], String); 3] = [
            (&rpath, format!("the DT_RPATH of {who} names its folder, which comes before LD_LIBRARY_PATH")),
            (&library_path, "LD_LIBRARY_PATH names its folder".to_owned()),
            (&runpath, format!("the DT_RUNPATH of {who} names its folder")),
        ];
        for (folders, reason) in steps {
            if let Some(found) = self.first(folders.iter().map(String::as_str), &name) {
                return (Some(found), reason);
            }
        }
        let cached: Vec<Found> =
            self.found.iter().filter(|found| found.by == FoundBy::Cache && found.name == name).cloned().collect();
        if let Some(found) = cached.into_iter().find(|found| self.is_taken(found)) {
            return (Some(found), "/etc/ld.so.cache lists it".to_owned());
        }
        if let Some(found) = self.first(defaults.iter().map(String::as_str), &name) {
            return (Some(found), "it lies in a default folder of the loader".to_owned());
        }
        let packaged: Vec<Found> = self
            .found
            .iter()
            .filter(|found| found.by == FoundBy::SitePackages && found.id == id && found.soname == soname)
            .cloned()
            .collect();
        if let (false, Some(found)) = (is_driver, packaged.into_iter().find(|found| self.is_taken(found))) {
            let reason = "Python frameworks preload it by its path; a plain program would not find it";
            return (Some(found), reason.to_owned());
        }
        (None, "no folder that the loader asks holds a copy that it can take".to_owned())
    }

    /// The first of these folders that holds the name, as far as the loader cares.
    fn first<'f>(&mut self, folders: impl Iterator<Item = &'f str>, name: &str) -> Option<Found> {
        folders.into_iter().find_map(|folder| {
            let found = self.found.iter().find(|found| found.folder == folder && found.name == name).cloned()?;
            self.is_taken(&found).then_some(found)
        })
    }

    /// Whether the loader ends its search at this file, be it usable or damaged.
    fn is_taken(&mut self, found: &Found) -> bool {
        match self.contents(&found.real) {
            Fact::Known(Contents::Elf(elf)) => elf.is_native(),
            Fact::Known(Contents::Other) => true,
            Fact::Absent | Fact::Unknown(_) => false,
        }
    }

    fn asker(&mut self, id: LibraryId, soname: &str, cublas: Option<&Found>) -> Option<Asker> {
        let cublas = cublas.filter(|_| id == LibraryId::CublasLt);
        let mut chain = Vec::new();
        for (path, elf) in &self.torch_objects {
            if let Some(name) = asks_for(elf, id, soname) {
                return Some(Asker::new("PyTorch", name, path, elf));
            }
            // This object brings cuBLAS in before any other can ask for cuBLASLt.
            if cublas.is_some_and(|cublas| asks_for(elf, LibraryId::Cublas, &cublas.soname).is_some()) {
                chain = if elf.runpath.is_empty() { expand(&elf.rpath, path) } else { Vec::new() };
                break;
            }
        }
        let cublas = cublas?;
        let Fact::Known(Contents::Elf(elf)) = self.contents(&cublas.real) else { return None };
        let mut asker = Asker::new("libcublas", asks_for(&elf, id, soname)?, &cublas.path(), &elf);
        // A DT_RPATH also holds for what its object brings in.
        asker.rpath.extend(chain);
        Some(asker)
    }

    fn look_in(&mut self, by: FoundBy, folders: &[String]) {
        if folders.len() > FOLDERS_MAX {
            let what = match by {
                FoundBy::LibraryPath => "LD_LIBRARY_PATH",
                FoundBy::SitePackages => "the Python packages",
                _ => "the CUDA toolkits",
            };
            let detail = format!("{} folders in {what}, of which the first {FOLDERS_MAX} are looked at", folders.len());
            self.beyond.get_or_insert(Gap::new(GapKind::NotSupported, detail));
        }
        for folder in folders.iter().take(FOLDERS_MAX) {
            for name in self.listing(folder).iter() {
                self.take(by, folder, name);
            }
        }
    }

    /// Files that are mounted by themselves, wherever: where no hook made links and cache, no folder leads to them.
    fn take_mounted(&mut self) {
        let Fact::Known(mounts) = Mounts::read(self.world) else { return };
        let points = mounts.iter().filter_map(|mount| mount.point.rsplit_once('/'));
        let mut points = points.filter(|(_, name)| identify(name).is_some());
        for (folder, name) in points.by_ref().take(FOLDERS_MAX) {
            self.take(FoundBy::Mounted, folder, name);
        }
        if points.next().is_some() {
            let detail = format!("more than {FOLDERS_MAX} libraries are mounted by themselves");
            self.beyond.get_or_insert(Gap::new(GapKind::NotSupported, detail));
        }
    }

    /// Wheels, PyTorch's own folder, and whatever else PyTorch's run paths name.
    fn look_in_packages(&mut self, framework: &Framework) {
        self.site_packages = framework.site_packages.known().cloned().unwrap_or_default();
        let mut folders = Vec::new();
        for packages in self.site_packages.iter().take(FOLDERS_MAX) {
            let vendor = join(packages, "nvidia");
            let components = self.world.list(&vendor).known().cloned().unwrap_or_default();
            folders.extend(components.iter().map(|component| format!("{vendor}/{component}/lib")));
            let torch = join(packages, "torch/lib");
            if framework.torch_version.known().is_some() {
                // The first is loaded by `import torch` before all others; the rest is for builds without it.
                for object in ["libtorch_global_deps.so", "libtorch_cuda.so", "libc10_cuda.so"] {
                    let path = join(&torch, object);
                    if let Fact::Known(Contents::Elf(elf)) = elf::read(self.world, &path) {
                        folders.extend(expand(&elf.rpath, &path));
                        folders.extend(expand(&elf.runpath, &path));
                        self.torch_objects.push((path, elf));
                    }
                }
            }
            folders.push(torch);
        }
        let mut seen = std::collections::BTreeSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        self.look_in(FoundBy::SitePackages, &folders);
    }

    /// The names in a folder that are those of our libraries. A folder under two names is listed once.
    fn listing(&mut self, folder: &str) -> Rc<Vec<String>> {
        let Fact::Known(stat) = self.world.stat(folder) else { return Rc::default() };
        let world = self.world;
        let listed = self.listings.entry((stat.device, stat.inode)).or_insert_with(|| {
            let mut names = world.list(folder).known().cloned().unwrap_or_default();
            names.retain(|name| identify(name).is_some());
            Rc::new(names)
        });
        Rc::clone(listed)
    }

    fn take(&mut self, by: FoundBy, folder: &str, name: &str) {
        let Some((id, version)) = identify(name) else { return };
        // A link that leads nowhere is no copy.
        let Fact::Known(real) = self.world.real_path(join(folder, name)) else { return };
        let real = real.to_string_lossy().into_owned();
        let soname = soname_of(id, &version).or_else(|| match self.contents(&real) {
            // The name has no version: the file itself knows.
            Fact::Known(Contents::Elf(elf)) => {
                let (said, version) = identify(&elf.soname?)?;
                if said == id { soname_of(id, &version) } else { None }
            }
            _ => None,
        });
        if let Some(soname) = soname {
            self.found.push(Found { id, soname, folder: folder.to_owned(), name: name.to_owned(), by, real });
        }
    }
}
