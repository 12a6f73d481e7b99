//! Whether driver, runtime and libraries belong together.
//!
//! The rules are NVIDIA's: a driver runs every CUDA major whose floor it reaches
//! (minor-version compatibility), a newer libcuda from a `compat` folder lifts an
//! older driver on boards that allow it (forward compatibility), and PTX can only be
//! compiled by a driver at least as new as the toolkit that wrote it.

use super::{both, visible};
use crate::facts::reference::drivers;
use crate::facts::version::Version;
use crate::facts::{Candidate, Compatibility, Fact, Facts, GapKind, Library, LibraryId};

/// The first library that the multiplies had mapped and that the workload would not load: what was proved is then not
/// what will run.
pub fn other_library(facts: &Facts) -> Fact<String> {
    if !facts.probes.is_empty() && facts.compute.mapped_libraries.is_not_asked() {
        return Fact::Absent;
    }
    let loaded = facts.libraries.as_ref().map(|all| {
        let used = [LibraryId::Cudart, LibraryId::Cublas, LibraryId::CublasLt];
        let used = all.iter().filter(|library| library.chosen && used.contains(&library.id));
        used.map(|library| library.loaded_path.clone()).collect::<Vec<_>>()
    });
    both(facts.compute.mapped_libraries.as_ref(), loaded, |mapped, loaded| (mapped, loaded)).and_then(
        |(mapped, loaded)| {
            // What could not be loaded there, or was not seen, cannot be compared.
            if let Some(Fact::Unknown(gap)) = loaded.iter().find(|path| path.is_unknown()) {
                return Fact::Unknown(gap.clone());
            }
            let is_loaded = |path: &&String| loaded.iter().any(|other| other.known() == Some(*path));
            Fact::present(mapped.iter().find(|path| !is_loaded(path)).cloned())
        },
    )
}

/// All of it, from the readings.
pub fn compatibility(facts: &Facts) -> Compatibility {
    let runtime_version = runtime_version(facts);
    let driver_version = driver_version(facts);
    let minimum_driver = runtime_version.as_ref().and_then(|runtime| minimum_driver(runtime));
    Compatibility {
        driver_new_enough: driver_new_enough(facts, &runtime_version, &driver_version, &minimum_driver),
        jit_unavailable: compared(runtime_version.as_ref(), driver_cuda(facts).as_ref(), |runtime, driver| {
            (runtime.major(), runtime.part(1)) > (driver.major(), driver.part(1))
        }),
        driver_library_matches: driver_library_matches(facts, &driver_version),
        cublas_pair_matches: cublas_pair_matches(facts),
        cublas_version: chosen(facts, LibraryId::Cublas).and_then(stated),
        cublaslt_version: chosen(facts, LibraryId::CublasLt).and_then(stated),
        torch_runtime_found: torch_runtime_found(facts),
        framework_remedy: Fact::default(),
        cudart_found: found(facts, LibraryId::Cudart),
        cublas_found: found(facts, LibraryId::Cublas),
        hidden_gpu_count: visible::hidden_gpu_count(facts),
        missing_visible_device: visible::missing_visible_device(facts),
        unused_mig_count: visible::unused_mig_count(facts),
        imex_channel_count: visible::imex_channel_count(facts),
        ungranted_gpu_count: visible::ungranted_gpu_count(facts),
        absent_granted_count: Fact::default(),
        missing_imex_channel: Fact::default(),
        unmet_requirement: Fact::default(),
        runtime_version,
        driver_version,
        minimum_driver,
    }
}

/// Whether a copy was found anywhere. One that was not may lie where this user may not look.
fn found(facts: &Facts, id: LibraryId) -> Fact<bool> {
    facts.libraries.as_ref().and_then(|libraries| {
        let is_found = libraries.iter().any(|library| library.id == id && !library.candidates.is_empty());
        match &facts.framework.hiding_folder {
            Fact::Known(folder) if !is_found => Fact::unknown(GapKind::NotPermitted, format!("{folder}: EACCES")),
            _ => Fact::Known(is_found),
        }
    })
}

/// A comparison of two versions; text that is no version is a gap.
fn compared(
    first: Fact<&String>,
    second: Fact<&String>,
    compare: impl FnOnce(&Version, &Version) -> bool,
) -> Fact<bool> {
    let read = |text: &String| {
        Version::parse(text)
            .map_or_else(|| Fact::unknown(GapKind::Malformed, format!("`{text}` is no version")), Fact::Known)
    };
    both(first.and_then(read), second.and_then(read), |first, second| compare(&first, &second))
}

/// The library of this kind that the workload uses.
pub fn chosen(facts: &Facts, id: LibraryId) -> Fact<&Library> {
    let libraries = facts.libraries.as_ref();
    libraries.and_then(|all| Fact::present(all.iter().find(|library| library.id == id && library.chosen)))
}

/// A real libcuda that could be loaded, where the loader ends at none.
pub fn unsearched_cuda(facts: &Facts) -> Fact<String> {
    chosen(facts, LibraryId::Cuda).and_then(|library| match &library.winner {
        Fact::Known(_) => Fact::Absent,
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        Fact::Absent => {
            let is_real = |copy: &&Candidate| copy.loadable == Fact::Known(true) && copy.is_stub == Fact::Known(false);
            Fact::present(library.candidates.iter().find(is_real).map(|copy| copy.path.clone()))
        }
    })
}

/// The copy that wins.
pub fn winner(library: &Library) -> Option<&Candidate> {
    let path = library.winner.known()?;
    library.candidates.iter().find(|candidate| candidate.path == *path)
}

/// What the runtime says of itself; else the release in its file name; else, where it is PyTorch's, the release
/// that PyTorch was built for. (The runtime of CUDA 11 says nothing without a driver.)
fn runtime_version(facts: &Facts) -> Fact<String> {
    chosen(facts, LibraryId::Cudart).and_then(|library| {
        let named = || named(library).filter(|version| version.contains('.')).cloned();
        let of_torch = || {
            let cuda = facts.framework.torch_cuda.known()?;
            let same = Version::parse(cuda)?.major() == u64::from(*library.major.known()?);
            (same && library.winner.known().is_some()).then(|| cuda.clone())
        };
        let version = library.version.known().cloned();
        match version.or_else(|| library.load_error.known().is_none().then(|| named().or_else(of_torch)).flatten()) {
            Some(version) => Fact::Known(release(&version)),
            None => library.version.clone(),
        }
    })
}

/// `12.9.79` is release 12.9.
fn release(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// The kernel's own word comes first; NVML's counts where `/proc` does not show it.
fn driver_version(facts: &Facts) -> Fact<String> {
    match (&facts.driver.kernel_version, &facts.nvml.driver_version) {
        (Fact::Known(version), _) | (_, Fact::Known(version)) => Fact::Known(version.clone()),
        (kernel, _) => kernel.clone(),
    }
}

fn minimum_driver(runtime: &str) -> Fact<String> {
    let Some(version) = Version::parse(runtime) else {
        return Fact::unknown(GapKind::Malformed, format!("`{runtime}` is no version"));
    };
    let row = u32::try_from(version.major()).ok().and_then(drivers::floor);
    row.map_or_else(
        || Fact::unknown(GapKind::NotSupported, format!("no table says which driver CUDA {} needs", version.major())),
        |row| Fact::Known(row.driver.clone()),
    )
}

/// The newest CUDA release that the libcuda in use speaks; NVML's answer where libcuda gave none.
pub fn driver_cuda(facts: &Facts) -> Fact<String> {
    match (&facts.cuda.version, &facts.nvml.cuda_version) {
        (Fact::Known(version), _) | (_, Fact::Known(version)) => Fact::Known(version.clone()),
        (cuda, _) => cuda.clone(),
    }
}

fn driver_new_enough(
    facts: &Facts,
    runtime: &Fact<String>,
    driver: &Fact<String>,
    minimum: &Fact<String>,
) -> Fact<bool> {
    let by_driver = compared(driver.as_ref(), minimum.as_ref(), |driver, minimum| driver >= minimum);
    match by_driver {
        Fact::Known(false) => Fact::Known(lifted(facts, minimum)),
        // A libcuda that speaks a CUDA major is of a driver that runs it.
        Fact::Unknown(_) if minimum.known().is_some() && facts.cuda.version.known().is_some() => {
            compared(facts.cuda.version.as_ref(), runtime.as_ref(), |cuda, runtime| cuda.major() >= runtime.major())
        }
        other => other,
    }
}

/// Whether a forward-compatibility libcuda makes up for the driver: it started, or, where nobody started it, it is
/// the one that wins and is new enough.
fn lifted(facts: &Facts, minimum: &Fact<String>) -> bool {
    let (is_compat, version) = driver_library(facts);
    let new_enough = || compared(version.as_ref(), minimum.as_ref(), |library, minimum| library >= minimum);
    match facts.cuda.init_code {
        Fact::Known(code) => is_compat && code == 0,
        Fact::Absent | Fact::Unknown(_) => is_compat && new_enough() == Fact::Known(true),
    }
}

/// The libcuda that was loaded, else the one that wins: whether it is a forward-compatibility copy, and its version.
fn driver_library(facts: &Facts) -> (bool, Fact<String>) {
    let copy = chosen(facts, LibraryId::Cuda).and_then(|library| Fact::present(winner(library)));
    let is_compat = facts.cuda.is_compat.known().or(copy.known().and_then(|copy| copy.is_compat.known()));
    let version = match &facts.cuda.file_version {
        Fact::Unknown(_) => copy.and_then(|copy| copy.file_version.clone()),
        loaded => loaded.clone(),
    };
    (is_compat.copied().unwrap_or(false), version)
}

fn driver_library_matches(facts: &Facts, driver: &Fact<String>) -> Fact<bool> {
    let (is_compat, version) = driver_library(facts);
    compared(version.as_ref(), driver.as_ref(), |library, driver| library == driver || (is_compat && library > driver))
}

/// By their files first: cuBLAS repeats what its cuBLASLt says, and so always agrees with it.
fn cublas_pair_matches(facts: &Facts) -> Fact<bool> {
    let pair = both(chosen(facts, LibraryId::Cublas), chosen(facts, LibraryId::CublasLt), |cublas, lt| (cublas, lt));
    pair.and_then(|(cublas, engine)| {
        // The loader says so itself where a cuBLAS asks its engine for what that does not have.
        let lacks = |words: &String| words.contains("cublasLt") && words.contains("undefined symbol");
        if cublas.load_error.known().is_some_and(lacks) {
            return Fact::Known(false);
        }
        let equal = |cublas: &Version, engine: &Version| (0..3).all(|part| cublas.part(part) == engine.part(part));
        if named(cublas).is_some() {
            return compared(stated(cublas).as_ref(), stated(engine).as_ref(), equal);
        }
        let said = compared(cublas.version.as_ref(), engine.version.as_ref(), equal);
        let folder = |library| Some(winner(library)?.real_path.known()?.rsplit_once('/')?.0);
        match said {
            Fact::Known(true) if folder(cublas) != folder(engine) => Fact::unknown(
                GapKind::NotSupported,
                "they lie in two folders, no file tells the release of this cuBLAS, and it repeats what cuBLASLt says",
            ),
            said => said,
        }
    })
}

/// What the file of the winner tells.
fn named(library: &Library) -> Option<&String> {
    winner(library)?.file_version.known()
}

/// What a library's file tells, else what it says of itself.
fn stated(library: &Library) -> Fact<String> {
    named(library).cloned().map_or_else(|| library.version.clone(), Fact::Known)
}

fn torch_runtime_found(facts: &Facts) -> Fact<bool> {
    if facts.framework.torch_version.is_absent() {
        return Fact::Absent;
    }
    let major = facts.framework.torch_cuda.as_ref().and_then(|cuda| match Version::parse(cuda) {
        Some(version) => Fact::Known(version.major()),
        None => Fact::unknown(GapKind::Malformed, format!("`{cuda}` is no version")),
    });
    both(major, facts.libraries.as_ref(), |major, libraries| {
        let majors = libraries.iter().filter(|library| library.id == LibraryId::Cudart);
        majors.into_iter().any(|library| library.major.known().copied().map(u64::from) == Some(major))
    })
}

#[cfg(test)]
#[path = "stack_tests.rs"]
mod tests;
