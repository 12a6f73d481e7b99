//! What each file wants of another, against what the file that was found has.
//!
//! Versions of all, as the loader compares them when it maps a file (`GLIBCXX_3.4.30` of libstdc++); symbols of NVIDIA's
//! libraries, for those keep one version through all releases of a major: `__nvJitLinkComplete_12_4` is of
//! `libnvJitLink.so.12`, which 12.1 defines too.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::scope::{Id, Object, Scope};
use crate::facts::{Fact, LinkFault, LinkProblem, cut};
use crate::probe::elf::symbols::{Symbols, Wanted};
use crate::world::World;

/// NVIDIA's libraries by the beginning of their names, with that of their symbols.
const FAMILIES: [(&str, &str); 13] = [
    ("libcublas", "cublas"),
    ("libcudnn", "cudnn"),
    ("libcufft", "cufft"),
    ("libcufile", "cuFile"),
    ("libcupti", "cupti"),
    ("libcurand", "curand"),
    ("libcusolver", "cusolver"),
    ("libcusparse", "cusparse"),
    ("libcusparseLt", "cusparseLt"),
    ("libnccl", "nccl"),
    ("libnvJitLink", "nvJitLink"),
    ("libnvrtc", "nvrtc"),
    ("libnvshmem_host", "nvshmem"),
];

/// What was read of the tables of files so far.
#[derive(Default)]
pub struct Tables {
    read: BTreeMap<Id, Rc<Table>>,
    incomplete: Option<String>,
}

#[derive(Default)]
struct Table {
    wanted: Vec<Wanted>,
    /// None where it defines none, and where that could not be read: nothing is then missed.
    defined: Option<BTreeSet<String>>,
}

impl Tables {
    /// Why not everything was compared.
    pub fn incomplete(&self) -> Option<String> {
        self.incomplete.clone()
    }

    fn of(&mut self, world: &World, object: &Object) -> Rc<Table> {
        if let Some(table) = self.read.get(&object.id) {
            return Rc::clone(table);
        }
        let read = with_symbols(world, &object.path, |symbols| {
            Some(Table { wanted: symbols.wanted()?, defined: symbols.defined().ok()? })
        });
        let table = Rc::new(read.unwrap_or_else(|| {
            self.note(&object.path);
            Table::default()
        }));
        self.read.insert(object.id, Rc::clone(&table));
        table
    }

    fn note(&mut self, path: &str) {
        self.incomplete.get_or_insert(format!("{path}: its symbols could not be read"));
    }
}

fn with_symbols<T>(world: &World, path: &str, read: impl FnOnce(&Symbols<'_>) -> Option<T>) -> Option<T> {
    let Fact::Known(file) = world.open(path) else { return None };
    let size = file.size().ok()?;
    read(&Symbols::of(&file, size)?)
}

/// The family of a library by its file name: the longest that fits.
fn family(soname: &str) -> Option<&'static str> {
    let stem = soname.split_once(".so")?.0;
    // PyTorch's wheels put a hash behind the names of their own copies.
    let stem = stem.split_once('-').map_or(stem, |(stem, _)| stem);
    FAMILIES.iter().find(|(library, _)| *library == stem).map(|(_, symbols)| *symbols)
}

/// The family of a symbol by its name.
fn family_of_symbol(name: &str) -> Option<&'static str> {
    // `__nvJitLinkComplete_12_4`.
    let name = name.trim_start_matches('_');
    let families = FAMILIES.iter().map(|(_, symbols)| *symbols).filter(|symbols| name.starts_with(symbols));
    families.max_by_key(|symbols| symbols.len())
}

/// Of every file and every library that it needs the first thing that the library lacks.
pub fn faults(world: &World, scope: &Scope, tables: &mut Tables) -> Vec<LinkFault> {
    let mut faults = Vec::new();
    for user in scope.of_frameworks() {
        let needs: Vec<(&str, &Object)> = scope.needs(user).collect();
        let wanted = tables.of(world, user);
        for (name, library) in &needs {
            if let Some(version) = missing_version(&tables.of(world, library), &wanted.wanted, name) {
                faults.push(fault(user, name, library, LinkProblem::NoVersion, &version));
            }
        }
        faults.extend(missing_symbols(world, user, &needs, &wanted.wanted, tables));
    }
    faults
}

/// The newest version that is wanted of a library and that it does not define.
fn missing_version(table: &Table, wanted: &[Wanted], library: &str) -> Option<String> {
    let defined = table.defined.as_ref()?;
    let missing = wanted.iter().filter(|wanted| wanted.library == library && !wanted.weak);
    let missing = missing.filter(|wanted| !defined.contains(&wanted.version)).map(|wanted| wanted.version.clone());
    missing.max_by_key(|version| {
        version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect::<Vec<u64>>()
    })
}

fn missing_symbols(
    world: &World,
    user: &Object,
    needs: &[(&str, &Object)],
    wanted: &[Wanted],
    tables: &mut Tables,
) -> Vec<LinkFault> {
    let ours: Vec<_> =
        needs.iter().filter_map(|(name, library)| Some((family(&library.soname)?, *name, *library))).collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let is_ours = |library: &str| ours.iter().any(|(_, name, _)| *name == library);
    let versions: Vec<&Wanted> = wanted.iter().filter(|wanted| is_ours(&wanted.library)).collect();
    // Whoever is linked to a library that defines versions has them in its own tables.
    let without: Vec<&str> = ours
        .iter()
        .filter(|(_, _, library)| tables.of(world, library).defined.is_none())
        .map(|(family, ..)| *family)
        .collect();
    let plain = |name: &str| family_of_symbol(name).is_some_and(|family| without.contains(&family));
    let plain: Option<&dyn Fn(&str) -> bool> = if without.is_empty() { None } else { Some(&plain) };
    if versions.is_empty() && plain.is_none() {
        return Vec::new();
    }
    let Some(undefined) = with_symbols(world, &user.path, |symbols| symbols.undefined(&versions, plain)) else {
        tables.note(&user.path);
        return Vec::new();
    };
    let mut asked: BTreeMap<&str, (&Object, Vec<String>)> = BTreeMap::new();
    for (symbol, version) in undefined {
        let provider = ours.iter().find(|(family, name, _)| match &version {
            Some(library) => library == name,
            None => family_of_symbol(&symbol) == Some(*family),
        });
        if let Some((_, name, library)) = provider {
            asked.entry(name).or_insert_with(|| (library, Vec::new())).1.push(symbol);
        }
    }
    let mut faults = Vec::new();
    for (name, (library, symbols)) in asked {
        let all: BTreeSet<String> = symbols.iter().cloned().collect();
        match with_symbols(world, &library.path, |tables| tables.lacked(&all)) {
            Some(lacked) => {
                // The first in the order of the file that wants it, as the loader comes to them.
                let first = symbols.iter().find(|symbol| lacked.contains(*symbol));
                faults.extend(first.map(|symbol| fault(user, name, library, LinkProblem::NoSymbol, symbol)));
            }
            None => tables.note(&library.path),
        }
    }
    faults
}

fn fault(user: &Object, name: &str, library: &Object, problem: LinkProblem, wanted: &str) -> LinkFault {
    LinkFault {
        library: cut(name),
        needed_by: cut(&user.path),
        problem,
        wanted: Fact::Known(cut(wanted)),
        found: Fact::Known(cut(&library.path)),
        found_by: Fact::Known(library.why.to_owned()),
        ..LinkFault::default()
    }
}
