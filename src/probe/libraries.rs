//! NVIDIA's libraries: which copies there are, which one the workload gets, and whether it can be loaded.
//!
//! [`census`] reads files only and loads nothing: [`search`] knows the loader's order,
//! [`plain`] the same for one soname, [`folders`] and [`names`] where and what to look for, [`super::elf`] and [`cache`] the formats, [`release`] what files
//! say of their version, [`stubs`] which copies are not the driver's own. [`load`] opens the winners in a child of ourselves and asks each for its version. What the
//! versions mean for each other is the business of the room `derive`.

mod asker;
mod cache;
#[cfg(test)]
mod fake_root;
pub mod folders;
mod load;
mod names;
pub mod plain;
mod refusal;
pub mod release;
mod search;
pub mod stubs;

use std::collections::BTreeMap;

use super::elf::Contents;
use super::procfs::mounts::Mounts;
use crate::facts::{Candidate, Fact, Framework, GapKind, Library, LibraryId, cut};
use crate::world::World;
use search::{Found, Search};
use stubs::{STUB_BYTES_MAX, lies_among_compat, lies_among_stubs};

pub use folders::expand;
pub use load::{NAME, leave_unloaded, load, loaded_before_cublas, serve};
pub use names::identify;
pub use refusal::refusal;

/// Copies of one library that are listed, the winner first.
const CANDIDATES_MAX: usize = 128;
/// Sonames that are listed: five libraries of a few majors.
const LIBRARIES_MAX: usize = 40;

/// Every copy of the libraries by soname, from files alone. Nothing is loaded.
pub fn census(world: &World, framework: &Framework) -> Fact<Vec<Library>> {
    let mut search = Search::run(world, framework);
    if let Some(gap) = search.beyond() {
        return Fact::Unknown(gap.clone());
    }
    let mut groups: BTreeMap<(LibraryId, String), Vec<Found>> = BTreeMap::new();
    for found in search.found() {
        groups.entry((found.id, found.soname.clone())).or_default().push(found.clone());
    }
    if groups.is_empty() {
        return Fact::Known(Vec::new());
    }
    if groups.len() > LIBRARIES_MAX {
        let detail = format!("{} different sonames of NVIDIA's libraries, more than are looked at", groups.len());
        return Fact::unknown(GapKind::NotSupported, detail);
    }
    let mounts = Mounts::read(world);
    let mut libraries = Vec::new();
    let mut cublas: BTreeMap<u32, Found> = BTreeMap::new();
    for ((id, soname), copies) in groups {
        let major = cuda_major(id, &soname);
        let of_this_major = major.and_then(|major| cublas.get(&major)).cloned();
        let (winner, reason) = search.winner(id, &soname, of_this_major.as_ref());
        if let (LibraryId::Cublas, Some(major), Some(winner)) = (id, major, &winner) {
            cublas.insert(major, winner.clone());
        }
        let listed = one_per_file(winner.as_ref(), copies, &soname);
        let candidates = listed.iter().map(|found| candidate(world, &mut search, found, &mounts)).collect();
        libraries.push(Library {
            id,
            soname,
            major: Fact::present(major),
            candidates,
            winner: Fact::present(winner.map(|found| found.path())),
            reason,
            ..Library::default()
        });
    }
    choose(&mut libraries, framework);
    Fact::Known(libraries)
}

/// Path of the copy that the workload would get.
pub fn winner(libraries: &[Library], id: LibraryId) -> Option<&str> {
    let chosen = libraries.iter().find(|library| library.id == id && library.chosen)?;
    chosen.winner.known().map(String::as_str)
}

/// Marks the sonames that the workload uses: for each library that of PyTorch's CUDA major, else the newest
/// major that a loader can find, else the newest.
fn choose(libraries: &mut [Library], framework: &Framework) {
    let torch_major = framework.torch_cuda.known().and_then(|cuda| cuda.split('.').next()?.parse::<u32>().ok());
    for id in LibraryId::ALL {
        let rank = |library: &Library| {
            let major = library.major.known().copied();
            (major.is_some() && major == torch_major, library.winner.known().is_some(), major)
        };
        let best = libraries.iter_mut().filter(|library| library.id == *id).max_by_key(|library| rank(library));
        if let Some(library) = best {
            library.chosen = true;
        }
    }
}

fn cuda_major(id: LibraryId, soname: &str) -> Option<u32> {
    if matches!(id, LibraryId::Cuda | LibraryId::Nvml) {
        return None;
    }
    identify(soname).and_then(|(_, version)| version.first().copied())
}

/// One entry per file, the winner first; of several names in one folder the one that programs ask for.
fn one_per_file(winner: Option<&Found>, copies: Vec<Found>, soname: &str) -> Vec<Found> {
    let mut listed: Vec<Found> = winner.cloned().into_iter().collect();
    for copy in copies {
        let room = listed.len() < CANDIDATES_MAX;
        match listed.iter_mut().find(|found| found.real == copy.real) {
            Some(same) if same.folder == copy.folder && copy.name == soname && same.name != soname => *same = copy,
            Some(_) => {}
            None if room => listed.push(copy),
            None => break,
        }
    }
    listed
}

fn candidate(world: &World, search: &mut Search, found: &Found, mounts: &Fact<Mounts>) -> Candidate {
    let path = found.path();
    let contents = search.contents(&found.real);
    let size = world.stat(&found.real).map(|stat| stat.size_bytes);
    let lies_among = |is_special: fn(&str) -> bool| is_special(&path) || is_special(&found.real);
    let is_driver = matches!(found.id, LibraryId::Cuda | LibraryId::Nvml);
    // A damaged file is small too, and no stub.
    let is_whole = matches!(&contents, Fact::Known(Contents::Elf(elf)) if elf.whole);
    let is_small = size.clone().map(|size| is_driver && is_whole && size < STUB_BYTES_MAX);
    let is_stub = if lies_among(lies_among_stubs) { Fact::Known(true) } else { is_small };
    // The root lies under everything.
    let is_mounted = mounts.as_ref().map(|mounts| mounts.of(&found.real).is_some_and(|mount| mount.point != "/"));
    let elf = contents.clone().and_then(|contents| match contents {
        Contents::Elf(elf) => Fact::Known(elf),
        Contents::Other => Fact::Absent,
    });
    Candidate {
        real_path: Fact::Known(found.real.clone()),
        found_by: found.by,
        file_version: Fact::present(release::of_file(world, found.id, &found.real, &found.soname)),
        soname: elf.clone().and_then(|elf| Fact::present(elf.soname.map(|name| cut(&name)))),
        elf_bits: elf.clone().map(|elf| elf.bits),
        machine: elf.map(|elf| elf.machine),
        loadable: contents.map(|contents| match contents {
            Contents::Elf(elf) => elf.is_native() && elf.shared && elf.whole,
            Contents::Other => false,
        }),
        is_stub,
        is_compat: Fact::Known(found.id == LibraryId::Cuda && lies_among(lies_among_compat)),
        is_mounted,
        size_bytes: size,
        path,
    }
}

#[cfg(test)]
#[path = "libraries/census_tests.rs"]
mod tests;
