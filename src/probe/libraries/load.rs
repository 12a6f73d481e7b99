//! Opening the winners in a child of ourselves: what gets mapped, what the loader says, which version answers.
//!
//! The runtime comes first and cuBLAS before cuBLASLt, as in a program that links
//! them: so cuBLAS fetches its own cuBLASLt, and where that is another copy than
//! the winner, `loaded_path` shows it. Only a cuBLASLt from wheels comes before
//! cuBLAS, because PyTorch preloads it so, or asks for it itself. No call here
//! touches a GPU. The child runs in the workload's environment, so the loader
//! answers as it would there.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::{identify, soname_of};
use super::refusal::refusal;
use crate::facts::shape::record;
use crate::facts::{Fact, FoundBy, Gap, GapKind, Gaps, Library, LibraryId, ProbeRun, cut};
use crate::probe::paths::base_name;
use crate::probe::skipped;
use crate::world::World;
use crate::world::child::{self, Progress};
use crate::world::library::{self, CallFailed, Library as Open, versions};

/// The probe's name.
pub const NAME: &str = "libraries";

/// A library to be opened.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    id: LibraryId,
    soname: String,
    /// The winner's path; without one the loader is asked for the soname, to hear what it says.
    path: Option<String>,
}

record! {
    /// What came of it, in the order in which it was wanted.
    struct Loaded {
        path: Fact<String>,
        error: Fact<String>,
        version: Fact<String>,
    }
}

/// Opens the chosen runtime, cuBLAS and cuBLASLt in a child and writes down what came of it.
pub fn load(world: &World, libraries: &mut [Library], deadline: Instant) -> ProbeRun {
    let mut chosen: Vec<&mut Library> = libraries.iter_mut().filter(|library| is_wanted(library)).collect();
    chosen.retain_mut(|library| match refusal(library) {
        Some(words) => {
            library.loaded_path = Fact::Absent;
            library.load_error = Fact::Known(cut(&words));
            library.version = Fact::Absent;
            false
        }
        None => true,
    });
    if chosen.is_empty() {
        return skipped(NAME);
    }
    chosen.sort_by_key(|library| match library.id {
        LibraryId::CublasLt if comes_from_wheels(library) => 1,
        LibraryId::Cublas => 2,
        LibraryId::CublasLt => 3,
        _ => 0,
    });
    let wanted: Vec<Wanted> = chosen
        .iter()
        .map(|library| Wanted { id: library.id, soname: library.soname.clone(), path: library.winner.known().cloned() })
        .collect();
    let probed = child::probe::<Vec<Loaded>>(world, NAME, None, &wanted, deadline);
    let gap = probed.gap.unwrap_or_else(|| Gap::new(GapKind::Malformed, "the answer of the child made no sense"));
    let unheard = Loaded::all_unknown(&gap);
    let mut answers = probed.reading.unwrap_or_default().into_iter();
    for library in &mut chosen {
        let loaded = answers.next().unwrap_or_else(|| unheard.clone());
        library.loaded_path = loaded.path;
        library.load_error = loaded.error;
        library.version = loaded.version;
    }
    probed.run
}

/// Writes down why none of them is opened.
pub fn leave_unloaded(libraries: &mut [Library], gap: &Gap) {
    for library in libraries.iter_mut().filter(|library| is_wanted(library)) {
        library.loaded_path = Fact::Unknown(gap.clone());
        library.load_error = Fact::Unknown(gap.clone());
        library.version = Fact::Unknown(gap.clone());
    }
}

fn comes_from_wheels(library: &Library) -> bool {
    let first = library.candidates.first();
    library.winner.known().is_some() && first.is_some_and(|winner| winner.found_by == FoundBy::SitePackages)
}

/// The cuBLASLt that the workload loads before cuBLAS; none where cuBLAS fetches it.
pub fn loaded_before_cublas(libraries: &[Library]) -> Option<&str> {
    let is_first =
        |library: &&Library| library.chosen && library.id == LibraryId::CublasLt && comes_from_wheels(library);
    libraries.iter().filter(is_first).find_map(|library| library.winner.known()).map(String::as_str)
}

/// libcuda and NVML have probes of their own.
fn is_wanted(library: &Library) -> bool {
    library.chosen && matches!(library.id, LibraryId::Cudart | LibraryId::Cublas | LibraryId::CublasLt)
}

/// The child's side.
pub fn serve(_world: &World, input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let wanted: Vec<Wanted> = serde_json::from_value(input)?;
    let mut answers = vec![Loaded::default(); wanted.len()];
    progress.so_far(&answers);
    for (at, library) in wanted.iter().enumerate() {
        let answer = open(library, progress);
        if let Some(slot) = answers.get_mut(at) {
            *slot = answer;
        }
        progress.so_far(&answers);
    }
    progress.done(&answers);
    Ok(())
}

fn open(wanted: &Wanted, progress: &mut Progress) -> Loaded {
    // What cuBLAS has brought along already answers to its soname, whatever its path is.
    let brought = mapped(wanted).is_some() && wanted.id == LibraryId::CublasLt;
    let name = wanted.path.as_deref().filter(|_| !brought).unwrap_or(&wanted.soname);
    progress.at(&format!("dlopen {name}"));
    match Open::open(name) {
        Err(words) => Loaded { path: Fact::Absent, error: Fact::Known(cut(&words)), version: Fact::Absent },
        Ok(open) => Loaded {
            path: mapped(wanted).map_or_else(
                || Fact::unknown(GapKind::Malformed, format!("/proc/self/maps does not show {}", wanted.soname)),
                Fact::Known,
            ),
            error: Fact::Absent,
            version: version(wanted.id, &open, progress),
        },
    }
}

/// The file that is mapped for this library; the hashed names of PyTorch's older wheels count too.
fn mapped(wanted: &Wanted) -> Option<String> {
    let files = library::mapped_files(wanted.id.as_str()).into_iter().map(|path| path.to_string_lossy().into_owned());
    files.into_iter().find(|path| {
        identify(base_name(path)).is_some_and(|(id, version)| {
            id == wanted.id && soname_of(id, &version).is_none_or(|soname| soname == wanted.soname)
        })
    })
}

/// What the library says of itself.
fn version(id: LibraryId, open: &Open, progress: &mut Progress) -> Fact<String> {
    let told = match id {
        LibraryId::Cudart => {
            progress.at("cudaRuntimeGetVersion");
            versions::runtime(open).map(|number| format!("{}.{}", number / 1000, number % 1000 / 10))
        }
        LibraryId::Cublas => {
            progress.at("cublasGetProperty");
            versions::cublas(open).map(|[major, minor, patch]| format!("{major}.{minor}.{patch}"))
        }
        LibraryId::CublasLt => {
            progress.at("cublasLtGetVersion");
            versions::cublas_lt(open).map(cublas_number)
        }
        LibraryId::Cuda | LibraryId::Nvml => return Fact::default(),
    };
    match told {
        Ok(version) => Fact::Known(version),
        Err(CallFailed { code: None, detail, .. }) => Fact::unknown(GapKind::NoSymbol, cut(&detail)),
        Err(CallFailed { code: Some(35), call, .. }) => Fact::unknown(
            GapKind::NotSupported,
            format!("{call}: 35 cudaErrorInsufficientDriver: this runtime answers only with a driver"),
        ),
        Err(failed) => Fact::unknown(GapKind::Malformed, failed.to_string()),
    }
}

/// 120903 is 12.9.3.
fn cublas_number(number: usize) -> String {
    format!("{}.{}.{}", number / 10_000, number % 10_000 / 100, number % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ProbeEnd;
    use std::time::Duration;

    #[test]
    fn numbers_of_cublas_are_taken_apart() {
        assert_eq!(cublas_number(120_903), "12.9.3");
        assert_eq!(cublas_number(131_000), "13.10.0");
    }

    #[test]
    fn without_a_library_to_open_no_child_is_started() {
        let world = World::at("/", Vec::new(), Duration::from_secs(1)).with_program("/nothing");
        let mut libraries = vec![Library { id: LibraryId::Cuda, chosen: true, ..Library::default() }];
        assert_eq!(load(&world, &mut libraries, world.deadline()).end, ProbeEnd::Skipped);
        assert_eq!(libraries[0].loaded_path, Fact::default());
    }

    #[test]
    fn a_child_that_cannot_be_started_leaves_gaps() {
        let world = World::at("/", Vec::new(), Duration::from_secs(1)).with_program("/nothing");
        let mut libraries = vec![Library { id: LibraryId::Cudart, chosen: true, ..Library::default() }];
        let run = load(&world, &mut libraries, world.deadline());
        assert_eq!(run.end, ProbeEnd::NotStarted);
        let Fact::Unknown(gap) = &libraries[0].version else { panic!("a gap") };
        assert_eq!(gap.kind, GapKind::NotStarted);
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn a_child_that_crashes_leaves_what_it_had_and_the_call_it_was_in() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("program");
        let script = r#"#!/bin/sh
            cat > /dev/null
            echo '{"so_far":[{"path":"/a","error":null,"version":"12.9"},{"error":{"unknown":"not-asked"}}]}'
            echo '{"at":"dlopen /b"}'
            kill -SEGV $$
        "#;
        std::fs::write(&program, script).expect("a script");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        let world = World::at("/", Vec::new(), Duration::from_secs(5)).with_program(program);
        let wanted = |id| Library { id, chosen: true, ..Library::default() };
        let mut libraries = vec![wanted(LibraryId::Cudart), wanted(LibraryId::Cublas)];
        let run = load(&world, &mut libraries, world.deadline());
        assert_eq!((run.end, run.at), (ProbeEnd::Crashed, Fact::Known("dlopen /b".to_owned())));
        assert_eq!(libraries[0].version, Fact::Known("12.9".to_owned()));
        let Fact::Unknown(gap) = &libraries[1].load_error else { panic!("a gap") };
        assert!(gap.kind == GapKind::Crashed && gap.detail.contains("dlopen /b"), "{gap}");
    }

    #[test]
    fn the_loaders_own_words_are_kept() {
        let mut progress = Progress::unheard().expect("a progress");
        let wanted = Wanted { id: LibraryId::Cudart, soname: "libcudart.so.99".to_owned(), path: None };
        let loaded = open(&wanted, &mut progress);
        assert_eq!(loaded.path, Fact::Absent);
        let words = loaded.error.known().expect("words");
        assert!(words.contains("libcudart.so.99"), "{words}");
    }
}
