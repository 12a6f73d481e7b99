//! GPU code in the image's libraries, read from their headers: for which architectures, and how much of each.
//!
//! [`find`] says which files to look into, [`fatbin`] reads their containers. What that means for a GPU is the business
//! of the room `derive`. It needs neither a GPU nor a driver, and loads nothing.

mod fatbin;
mod find;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::reference::native::rank;
use crate::facts::{CodeSet, Fact, Framework, GapKind, Library, LibraryId, LibraryRole, Native, NativeLibrary, cut};
use crate::probe::elf::sections;
use crate::probe::paths::base_name;
use crate::world::World;
use fatbin::Group;

/// Sections that hold containers: of linked code, and of objects that were linked on the device.
const SECTIONS: &[&str] = &[".nv_fatbin", "__nv_relfatbin"];
/// Libraries that are listed.
const LIBRARIES_MAX: usize = 256;
/// Different sets of architectures that are listed of one library; the most seen are 33.
const SETS_MAX: usize = 256;

/// Every library with GPU code that the workload could load.
pub fn collect(world: &World, framework: &Framework, libraries: &Fact<Vec<Library>>) -> Native {
    let packages = framework.site_packages.known().map_or(&[][..], Vec::as_slice);
    let (mut paths, complete) = find::shared_objects(world, packages);
    let cublas = cublas(libraries);
    // Of several copies of cuBLAS one is loaded; the others say nothing about the workload.
    paths.retain(|path| !is_cublas(path) || cublas.contains(path));
    paths.extend(cublas);
    paths.retain(|path| !is_hidden(path));
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    let mut found: Vec<NativeLibrary> = paths.iter().filter_map(|path| library(world, path)).collect();
    found.sort_by_key(|library| (rank(&library.path).unwrap_or(usize::MAX), library.path.clone()));
    found.truncate(LIBRARIES_MAX);
    let core_seen = found.iter().any(|library| library.role == LibraryRole::Core);
    let libraries = if complete || core_seen {
        Fact::Known(found)
    } else {
        Fact::unknown(GapKind::TimedOut, "the walk over the folders of packages was stopped before it found any")
    };
    Native { libraries, ..Native::default() }
}

/// The copies of cuBLAS and cuBLASLt that the workload would get, links resolved.
fn cublas(libraries: &Fact<Vec<Library>>) -> Vec<String> {
    let all = libraries.known().into_iter().flatten();
    let chosen = all.filter(|library| library.chosen && matches!(library.id, LibraryId::Cublas | LibraryId::CublasLt));
    chosen
        .filter_map(|library| {
            let winner = library.winner.known()?;
            let copy = library.candidates.iter().find(|candidate| candidate.path == *winner)?;
            Some(copy.real_path.known().unwrap_or(winner).clone())
        })
        .collect()
}

/// Whether it keeps most of its code where no header leads to it: cuFFT has its containers in `.data` among other data,
/// so what stands in the sections of GPU code would say that it runs nowhere.
fn is_hidden(path: &str) -> bool {
    base_name(path).starts_with("libcufft.so")
}

fn is_cublas(path: &str) -> bool {
    let name = base_name(path);
    name.starts_with("libcublas.so") || name.starts_with("libcublasLt.so")
}

/// What one file carries; none where it has no section of GPU code, or cannot be opened.
fn library(world: &World, path: &str) -> Option<NativeLibrary> {
    let Fact::Known(file) = world.open(path) else { return None };
    let size = file.size().ok()?;
    let sections = sections::find(&file, size, SECTIONS)?;
    if sections.is_empty() {
        return None;
    }
    let mut groups: Result<Vec<Group>, String> = Ok(Vec::new());
    for section in sections {
        groups = groups.and_then(|mut all| {
            all.extend(fatbin::groups(&file, section)?);
            Ok(all)
        });
    }
    let role = if rank(path).is_some() { LibraryRole::Core } else { LibraryRole::Optional };
    let named = NativeLibrary { path: cut(path), role, ..NativeLibrary::default() };
    Some(match groups {
        Ok(groups) => NativeLibrary { path: named.path, role, ..counted(&groups) },
        Err(why) => NativeLibrary {
            object_count: Fact::unknown(GapKind::Malformed, why.clone()),
            architectures: Fact::unknown(GapKind::Malformed, why.clone()),
            sets: Fact::unknown(GapKind::Malformed, why),
            ..named
        },
    })
}

/// The sums over all objects.
fn counted(groups: &[Group]) -> NativeLibrary {
    let mut sets: BTreeMap<&Group, u64> = BTreeMap::new();
    // An object without any code, as linking on the device leaves behind, has no kernel to run.
    for group in groups.iter().filter(|group| !group.is_empty()) {
        *sets.entry(group).or_default() += 1;
    }
    let mut sets: Vec<(&Group, u64)> = sets.into_iter().collect();
    sets.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let beyond = sets.len() > SETS_MAX;
    let words = |group: &Group| group.iter().map(ToString::to_string).collect::<Vec<_>>();
    let set = |(group, object_count): (&Group, u64)| CodeSet { architectures: words(group), object_count };
    NativeLibrary {
        object_count: Fact::Known(sets.iter().map(|(_, count)| count).sum()),
        architectures: Fact::Known(words(&groups.iter().flatten().copied().collect())),
        sets: if beyond {
            Fact::unknown(GapKind::NotSupported, "its objects carry more sets of architectures than are listed")
        } else {
            Fact::Known(sets.into_iter().map(set).collect())
        },
        ..NativeLibrary::default()
    }
}

#[cfg(test)]
mod tests;
