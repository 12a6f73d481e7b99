//! The files that one process maps, found as glibc's loader finds them.
//!
//! By ld.so(8) and dlopen(3): what a file needs is looked for breadth first, a name that is there already is not looked for
//! again, the folders of `DT_RPATH` of a file and of those that brought it in come before `LD_LIBRARY_PATH` unless the file
//! has a `DT_RUNPATH`, files for another machine are passed over and a damaged one ends the search. Not followed are
//! `glibc-hwcaps` folders, `$LIB` and `$PLATFORM`.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use super::roots::Part;
use crate::facts::Fact;
use crate::probe::elf::{self, Contents, Elf};
use crate::probe::libraries::expand;
use crate::probe::libraries::plain::{Loader, Place};
use crate::probe::paths::base_name;
use crate::world::World;

/// Files that are looked at; PyTorch with all that it needs has about forty.
const FILES_MAX: usize = 1024;

/// A file by the numbers of its device and inode.
pub type Id = (u64, u64);

/// What was read of files so far, for every process that is gone through.
pub struct Files {
    until: Instant,
    read: BTreeMap<Id, Rc<Fact<Contents>>>,
    incomplete: Option<String>,
}

impl Files {
    pub fn new(until: Instant) -> Self {
        Self { until, read: BTreeMap::new(), incomplete: None }
    }

    pub fn count(&self) -> u64 {
        self.read.len() as u64
    }

    /// Why not everything was looked at.
    pub fn incomplete(&self) -> Option<String> {
        self.incomplete.clone()
    }

    fn read(&mut self, world: &World, path: &str) -> Option<(Id, Rc<Fact<Contents>>)> {
        let stat = world.stat(path);
        let stat = stat.known()?;
        let id = (stat.device, stat.inode);
        if let Some(read) = self.read.get(&id) {
            return Some((id, Rc::clone(read)));
        }
        if self.read.len() >= FILES_MAX || Instant::now() >= self.until || world.time_left().is_zero() {
            let why = format!("only {} files of the frameworks were looked at", self.read.len());
            self.incomplete.get_or_insert(why);
            return None;
        }
        let read = Rc::new(elf::read(world, path));
        if let Fact::Unknown(gap) = &*read {
            self.incomplete.get_or_insert(gap.to_string());
        }
        self.read.insert(id, Rc::clone(&read));
        Some((id, read))
    }
}

/// A file that is mapped.
pub struct Object {
    /// As the loader names it.
    pub path: String,
    /// With links resolved.
    pub real: String,
    pub id: Id,
    /// Its own name, or that by which it was asked for.
    pub soname: String,
    /// Why the loader ended at it.
    pub why: &'static str,
    /// What it needs, in order, and which file that is.
    pub needs: Vec<(String, Option<usize>)>,
    elf: Elf,
    loader: Option<usize>,
    /// Whether it is the program itself, or came in with that.
    of_program: bool,
}

/// A process.
pub struct Scope {
    pub objects: Vec<Object>,
    names: BTreeMap<String, usize>,
    missing: Vec<(String, usize)>,
    damaged: Vec<(String, usize, Place)>,
}

/// A process that still opens files.
pub struct Opening<'a> {
    world: &'a World,
    loader: &'a Loader,
    files: &'a mut Files,
    scope: Scope,
    ids: BTreeMap<Id, usize>,
    program: bool,
}

enum Found {
    At(usize),
    Damaged(Place),
    Nowhere,
    /// Not all that could be it was looked at.
    Unseen,
}

impl Scope {
    pub fn begin<'a>(world: &'a World, loader: &'a Loader, files: &'a mut Files) -> Opening<'a> {
        let scope = Self { objects: Vec::new(), names: BTreeMap::new(), missing: Vec::new(), damaged: Vec::new() };
        Opening { world, loader, files, scope, ids: BTreeMap::new(), program: false }
    }

    /// The file that answers to a name.
    pub fn named(&self, name: &str) -> Option<&Object> {
        self.objects.get(*self.names.get(name)?)
    }

    /// Every file that a framework brought in.
    pub fn of_frameworks(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| !object.of_program)
    }

    /// What a file needs, by the names that it gives them.
    pub fn needs<'a>(&'a self, user: &'a Object) -> impl Iterator<Item = (&'a str, &'a Object)> {
        user.needs.iter().filter_map(|(name, found)| Some((name.as_str(), self.objects.get((*found)?)?)))
    }

    /// Names of which there is no copy, and who needs them.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        self.missing.iter().filter_map(|(name, by)| Some((name.as_str(), self.objects.get(*by)?.path.as_str())))
    }

    /// The same of those whose copy is damaged, and where it is.
    pub fn damaged(&self) -> impl Iterator<Item = (&str, &str, &Place)> {
        self.damaged
            .iter()
            .filter_map(|(name, by, place)| Some((name.as_str(), self.objects.get(*by)?.path.as_str(), place)))
    }
}

impl Opening<'_> {
    /// The program and what it needs, and what `LD_PRELOAD` names. What is wrong with those is not the frameworks'.
    pub fn program(&mut self, path: Option<&str>) {
        self.program = true;
        if let Some(path) = path {
            self.open(path);
        }
        let preloaded = self.world.env("LD_PRELOAD").unwrap_or_default();
        for entry in preloaded.split([' ', ':']).filter(|entry| !entry.is_empty()) {
            if entry.contains('/') {
                self.open(entry);
            } else {
                self.open_name(entry, None, true);
            }
        }
        self.scope.missing.clear();
        self.scope.damaged.clear();
        self.program = false;
    }

    /// What `dlopen` of a path brings in.
    pub fn open(&mut self, path: &str) {
        let main = (!self.scope.objects.is_empty() && !self.program).then_some(0);
        let place = (path.to_owned(), "it is opened by its path");
        if let Found::At(at) = self.take(place, base_name(path), main) {
            self.follow(at);
        }
    }

    /// What `dlopen` of a name brings in, called by a file.
    pub fn open_name(&mut self, name: &str, by: Option<usize>, is_optional: bool) {
        if let Some(at) = self.looked(name, by, is_optional) {
            self.follow(at);
        }
    }

    /// The file of this name; where there is none, that is noted.
    fn looked(&mut self, name: &str, by: Option<usize>, is_optional: bool) -> Option<usize> {
        match self.look(name, by) {
            Found::At(at) => return Some(at),
            Found::Damaged(place) => self.scope.damaged.extend(by.map(|by| (name.to_owned(), by, place))),
            Found::Nowhere if !is_optional => self.scope.missing.extend(by.map(|by| (name.to_owned(), by))),
            Found::Nowhere | Found::Unseen => {}
        }
        None
    }

    /// What a library that is mapped opens by itself.
    pub fn open_parts(&mut self, of: &str, parts: &[Part]) {
        if let Some(by) = self.scope.names.get(of).copied() {
            for part in parts {
                self.open_name(part.name, Some(by), part.is_optional);
            }
        }
    }

    /// What a file of this path opens by itself, where it is mapped.
    pub fn open_from(&mut self, path: &str, names: &[String]) {
        let by = self.scope.objects.iter().position(|object| object.path == path);
        for name in names.iter().filter(|_| by.is_some()) {
            self.open_name(name, by, false);
        }
    }

    pub fn done(self) -> Scope {
        self.scope
    }

    /// Breadth first through what a file needs; nothing where that was done before.
    fn follow(&mut self, first: usize) {
        let mut waiting = VecDeque::from([first]);
        while let Some(at) = waiting.pop_front() {
            let Some(object) = self.scope.objects.get(at).filter(|object| object.needs.is_empty()) else { continue };
            let mut needs = Vec::new();
            for name in object.elf.needed.clone() {
                let found = self.looked(&name, Some(at), false);
                waiting.extend(found);
                needs.push((name, found));
            }
            if let Some(object) = self.scope.objects.get_mut(at) {
                object.needs = needs;
            }
        }
    }

    fn look(&mut self, name: &str, by: Option<usize>) -> Found {
        if let Some(at) = self.scope.names.get(name) {
            return Found::At(*at);
        }
        if name.contains('/') {
            return self.take((name.to_owned(), "it is named by its path"), name, by);
        }
        let (rpath, runpath) = self.run_paths(by);
        let loader = self.loader;
        for place in loader.places(name, &rpath, &runpath) {
            match self.take(place, name, by) {
                Found::Nowhere => {}
                found => return found,
            }
        }
        if self.files.incomplete.is_some() { Found::Unseen } else { Found::Nowhere }
    }

    /// The folders of `DT_RPATH` and of `DT_RUNPATH` that count for what a file needs.
    fn run_paths(&self, by: Option<usize>) -> (Vec<String>, Vec<String>) {
        let (mut rpath, mut runpath) = (Vec::new(), Vec::new());
        let mut next = by.and_then(|by| self.scope.objects.get(by));
        if let Some(object) = next.filter(|object| !object.elf.runpath.is_empty()) {
            runpath = expand(&object.elf.runpath, &object.path);
            next = None;
        }
        while let Some(object) = next {
            // glibc forgets DT_RPATH where there is a DT_RUNPATH.
            if object.elf.runpath.is_empty() {
                rpath.extend(expand(&object.elf.rpath, &object.path));
            }
            next = object.loader.and_then(|loader| self.scope.objects.get(loader));
        }
        (rpath, runpath)
    }

    /// Maps the file at a place, if the loader takes it.
    fn take(&mut self, place: Place, name: &str, loader: Option<usize>) -> Found {
        let Some((id, read)) = self.files.read(self.world, &place.0) else { return Found::Nowhere };
        let elf = match &*read {
            Fact::Known(Contents::Elf(elf)) if !elf.is_native() => return Found::Nowhere,
            Fact::Known(Contents::Elf(elf)) if elf.whole => elf,
            Fact::Known(_) => return Found::Damaged(place),
            Fact::Absent | Fact::Unknown(_) => return Found::Nowhere,
        };
        let at = self.ids.get(&id).copied().unwrap_or(self.scope.objects.len());
        if at == self.scope.objects.len() {
            let resolved = self.world.real_path(&place.0);
            let resolved = resolved.known().map_or_else(|| place.0.clone(), |path| path.to_string_lossy().into_owned());
            let soname = elf.soname.clone().unwrap_or_else(|| base_name(name).to_owned());
            self.scope.names.entry(soname.clone()).or_insert(at);
            self.ids.insert(id, at);
            self.scope.objects.push(Object {
                path: place.0,
                real: resolved,
                id,
                soname,
                why: place.1,
                needs: Vec::new(),
                elf: elf.clone(),
                loader,
                of_program: self.program,
            });
        }
        self.scope.names.entry(name.to_owned()).or_insert(at);
        Found::At(at)
    }
}
