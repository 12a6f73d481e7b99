//! NVIDIA's own libraries, on a machine that needs no driver and no GPU.
//!
//! `PREFLIGHT_TEST_NVIDIA_WHEELS` names a site-packages folder with the wheels of a
//! CUDA runtime and of cuBLAS, for example after
//! `python3 -m venv V && V/bin/pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12`.
//! `PREFLIGHT_TEST_TORCH` names one with PyTorch and those wheels beside it, for its run paths.
#![allow(unsafe_code)] // one call into NVIDIA's runtime, with its proof

use std::path::{Path, PathBuf};
use std::time::Duration;

use gpu_preflight::facts::{Fact, Framework, Library, LibraryId, ProbeEnd};
use gpu_preflight::probe::libraries;
use gpu_preflight::world::World;
use gpu_preflight::world::library::Library as Open;
use gpu_preflight::world::library::cublas_lt::CublasLt;

use crate::support::real_parts::{note, part};

/// The version that pip recorded for a distribution, as numbers.
fn pip_version(packages: &Path, prefix: &str) -> Vec<u32> {
    let names = std::fs::read_dir(packages).expect("a folder").flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let version = names.filter_map(|name| {
        let rest = name.strip_prefix(prefix)?.strip_suffix(".dist-info")?.to_owned();
        let rest = rest.strip_prefix("_cu11").or(rest.strip_prefix("_cu12")).unwrap_or(&rest);
        Some(rest.strip_prefix('-')?.to_owned())
    });
    let version = version.last().unwrap_or_else(|| panic!("no {prefix} in {}", packages.display()));
    version.split('.').filter_map(|part| part.parse().ok()).collect()
}

fn taken() -> Option<(PathBuf, Vec<Library>)> {
    let packages = part("PREFLIGHT_TEST_NVIDIA_WHEELS")?;
    let world = World::here(Duration::from_mins(1)).with_program(env!("CARGO_BIN_EXE_gpu-preflight"));
    let framework = Framework {
        torch_version: Fact::Absent,
        torch_cuda: Fact::Absent,
        site_packages: Fact::Known(vec![packages.to_string_lossy().into_owned()]),
        ..Framework::default()
    };
    let mut found = libraries::census(&world, &framework).known().expect("a census").clone();
    let run = libraries::load(&world, &mut found, world.deadline());
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    Some((packages, found))
}

fn chosen(found: &[Library], id: LibraryId) -> &Library {
    found.iter().find(|library| library.id == id && library.chosen).expect("a copy")
}

#[test]
fn the_versions_are_those_of_the_wheels() {
    let Some((packages, found)) = taken() else { return };
    let runtime = pip_version(&packages, "nvidia_cuda_runtime");
    let cublas = pip_version(&packages, "nvidia_cublas");
    for id in [LibraryId::Cudart, LibraryId::Cublas, LibraryId::CublasLt] {
        let library = chosen(&found, id);
        assert_eq!(library.load_error, Fact::Absent, "{id}");
        assert_eq!(library.loaded_path, library.winner, "{id}");
        assert_eq!(library.candidates[0].loadable, Fact::Known(true), "{id}");
        assert_eq!(library.candidates[0].is_stub, Fact::Known(false), "{id}");
        assert_eq!(library.candidates[0].soname, Fact::Known(library.soname.clone()), "{id}");
    }
    let version = &chosen(&found, LibraryId::Cudart).version;
    if runtime[0] == 11 {
        // The runtime of CUDA 11 asks the driver before it says its own version.
        let Fact::Unknown(gap) = version else { panic!("a gap, not {version:?}") };
        assert!(gap.detail.contains("35"), "{gap}");
    } else {
        assert_eq!(*version, Fact::Known(format!("{}.{}", runtime[0], runtime[1])));
    }
    let expected = Fact::Known(format!("{}.{}.{}", cublas[0], cublas[1], cublas[2]));
    assert_eq!(chosen(&found, LibraryId::Cublas).version, expected);
    assert_eq!(chosen(&found, LibraryId::CublasLt).version, expected);
}

/// The census of this machine with one folder in front, and what came of loading the winners.
/// Without a GPU it gives out no handle, and says so.
#[test]
fn the_real_cublaslt_is_opened_and_says_why_it_gives_no_handle() {
    let Some((_, found)) = taken() else { return };
    let path = chosen(&found, LibraryId::CublasLt).winner.known().expect("a winner");
    let library = CublasLt::open(path).unwrap_or_else(|words| panic!("{words}"));
    if let Err(failed) = library.create() {
        assert_eq!(failed.to_string(), "cublasLtCreate: 1 CUBLAS_STATUS_NOT_INITIALIZED");
    }
}

fn with_library_path(folder: &Path) -> Vec<Library> {
    let environment = vec![("LD_LIBRARY_PATH".into(), folder.as_os_str().to_owned())];
    let world = World::at("/", environment, Duration::from_mins(1)).with_program(env!("CARGO_BIN_EXE_gpu-preflight"));
    let mut found = libraries::census(&world, &Framework::default()).known().expect("a census").clone();
    let run = libraries::load(&world, &mut found, world.deadline());
    // Skipped where every winner is damaged: nothing is opened then.
    assert!(matches!(run.end, ProbeEnd::Completed | ProbeEnd::Skipped), "{run:?}");
    found
}

#[test]
fn a_damaged_library_is_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("libcudart.so.98"), "/* GNU ld script */\n".repeat(20)).expect("a file");
    std::fs::write(folder.path().join("libcublas.so.98"), b"\x7fELF\x02\x01").expect("a file");
    let found = with_library_path(folder.path());
    for id in [LibraryId::Cudart, LibraryId::Cublas] {
        let library = chosen(&found, id);
        assert_eq!(library.candidates[0].loadable, Fact::Known(false), "{id}");
        assert!(library.load_error.known().is_some_and(|error| error.contains("cut short or damaged")), "{library:#?}");
        assert_eq!((&library.loaded_path, &library.version), (&Fact::Absent, &Fact::Absent));
    }
}

#[test]
fn a_missing_dependency_is_named() {
    let Some((_, found)) = taken() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let cublas = PathBuf::from(chosen(&found, LibraryId::Cublas).winner.known().expect("a winner"));
    // Through a link cuBLAS looks beside the link, where there is no cuBLASLt.
    std::os::unix::fs::symlink(&cublas, folder.path().join(cublas.file_name().expect("a name"))).expect("a link");
    let found = with_library_path(folder.path());
    let library = chosen(&found, LibraryId::Cublas);
    let error = library.load_error.known().expect("an error");
    assert!(error.contains("libcublasLt.so"), "{error}");
}

#[test]
fn the_run_path_in_pytorchs_own_files_beats_the_library_path() {
    let (Some((_, found)), Some(packages)) = (taken(), part("PREFLIGHT_TEST_TORCH")) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = chosen(&found, LibraryId::Cudart);
    let wheel = &packages.join("nvidia/cuda_runtime/lib").join(&runtime.soname).to_string_lossy().into_owned();
    std::fs::copy(wheel, folder.path().join(&runtime.soname)).expect("a copy");
    let framework = Framework {
        torch_version: Fact::Known("2.0.0".to_owned()),
        torch_cuda: runtime.major.clone().map(|major| format!("{major}.0")),
        site_packages: Fact::Known(vec![packages.to_string_lossy().into_owned()]),
        ..Framework::default()
    };
    let environment = vec![("LD_LIBRARY_PATH".into(), folder.path().as_os_str().to_owned())];
    let world = World::at("/", environment, Duration::from_mins(1));
    let with_torch = libraries::census(&world, &framework).known().expect("a census").clone();
    let library = chosen(&with_torch, LibraryId::Cudart);
    assert_eq!(library.winner.known(), Some(wheel), "{}", library.reason);
    assert!(library.reason.contains("DT_RPATH of PyTorch"), "{}", library.reason);
    assert_eq!(library.candidates.len(), 2);
    let framework = Framework { torch_version: Fact::Absent, ..framework };
    let plain = libraries::census(&world, &framework).known().expect("a census").clone();
    assert_ne!(chosen(&plain, LibraryId::Cudart).winner.known(), Some(wheel));
}

#[test]
fn without_a_driver_the_runtime_gives_35_and_driver_version_0() {
    let Some((_, found)) = taken() else { return };
    if Open::open("libcuda.so.1").is_ok() {
        return note("SKIPPED: this machine has a libcuda");
    }
    let path = chosen(&found, LibraryId::Cudart).winner.known().expect("a winner");
    let runtime = Open::open(path).expect("it loads");
    for (call, code, number) in [("cudaGetDeviceCount", 35, None), ("cudaDriverGetVersion", 0, Some(0))] {
        // SAFETY: both are `cudaError_t f(int *)` in cuda_runtime_api.h.
        let function = unsafe { runtime.function::<unsafe extern "C" fn(*mut i32) -> i32>(call) }.expect("a function");
        let mut answer = -1;
        // SAFETY: it writes one int, and `answer` is one.
        assert_eq!(unsafe { function(&raw mut answer) }, code, "{call}");
        assert!(number.is_none_or(|number| number == answer), "{call}: {answer}");
    }
}
