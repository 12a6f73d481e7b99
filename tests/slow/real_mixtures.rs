//! NVIDIA's own libraries in combinations that do not belong together: which wins, what it says, and what is wrong.
//!
//! `PREFLIGHT_TEST_NVIDIA_WHEELS` (CUDA 12.9), `PREFLIGHT_TEST_NVIDIA_OTHERS` (CUDA 11.8 and 13.0, cuBLAS 12.6) and
//! `PREFLIGHT_TEST_NVIDIA_DRIVER` (Debian's 535) name them; see `tests/containers/paths.sh`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gpu_preflight::check::{Catalogue, Judged, Outcome, judge};
use gpu_preflight::derive::derive;
use gpu_preflight::facts::{Fact, Facts, Framework, Library, LibraryId, Phase, ProbeEnd};
use gpu_preflight::probe::{compute, cuda, libraries};
use gpu_preflight::world::World;

use crate::support::real_parts::part;

/// The facts of a workload that finds exactly these files on its library path.
struct Mixture {
    folder: tempfile::TempDir,
    framework: Framework,
}

impl Mixture {
    fn of(files: &[PathBuf]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let name = file.file_name().expect("a name");
            std::os::unix::fs::symlink(file, folder.path().join(name)).expect("a link");
        }
        Self { folder, framework: Framework::default() }
    }

    fn for_torch(mut self, cuda: &str) -> Self {
        self.framework.torch_version = Fact::Known(format!("2.7.0+cu{}", cuda.replace('.', "")));
        self.framework.torch_cuda = Fact::Known(cuda.to_owned());
        self
    }

    fn facts(&self) -> Facts {
        let environment: Vec<(OsString, OsString)> = vec![("LD_LIBRARY_PATH".into(), self.folder.path().into())];
        let world = World::at("/", environment, Duration::from_mins(1));
        let world = world.with_program(env!("CARGO_BIN_EXE_gpu-preflight"));
        let mut found = libraries::census(&world, &self.framework).known().expect("a census").clone();
        let run = libraries::load(&world, &mut found, world.deadline());
        assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
        let mut facts = Facts { framework: self.framework.clone(), libraries: Fact::Known(found), ..Facts::default() };
        facts.run.gpu_expected = true;
        facts.cuda = cuda::collect(&world, world.deadline()).0;
        derive(&mut facts);
        facts
    }
}

fn chosen(facts: &Facts, id: LibraryId) -> &Library {
    let all = facts.libraries.known().expect("libraries");
    all.iter().find(|library| library.id == id && library.chosen).expect("a copy")
}

/// Ids of the checks of the library room that fail.
fn failing(facts: &Facts) -> Vec<String> {
    let catalogue = Catalogue::load(&[]).expect("a catalogue");
    let judged = judge(&catalogue, &serde_json::to_value(facts).expect("JSON"), Phase::Live);
    let failed = |finding: &&Judged| finding.outcome == Outcome::Fails && finding.check.starts_with("library.");
    judged.iter().filter(failed).map(|finding| finding.check.clone()).collect()
}

fn in_wheel(folder: &Path, path: &str) -> PathBuf {
    folder.join("nvidia").join(path)
}

#[test]
fn a_cublas_beside_the_cublas_lt_of_another_release_is_told() {
    let (Some(wheels), Some(others)) = (part("PREFLIGHT_TEST_NVIDIA_WHEELS"), part("PREFLIGHT_TEST_NVIDIA_OTHERS"))
    else {
        return;
    };
    let old = in_wheel(&others.join("cublas126"), "cublas/lib");
    let new = in_wheel(&wheels, "cublas/lib");
    for (cublas, lt, versions, belong) in [
        (&new, &new, ("12.9.", "12.9."), true),
        (&old, &old, ("12.6.4", "12.6.4"), true),
        (&new, &old, ("12.9.", "12.6.4"), false),
        (&old, &new, ("12.6.4", "12.9."), false),
    ] {
        let facts = Mixture::of(&[cublas.join("libcublas.so.12"), lt.join("libcublasLt.so.12")]).facts();
        let told = (&facts.compatibility.cublas_version, &facts.compatibility.cublaslt_version);
        let starts = |told: &Fact<String>, version: &str| told.known().is_some_and(|told| told.starts_with(version));
        assert!(starts(told.0, versions.0) && starts(told.1, versions.1), "{told:?}, not {versions:?}");
        assert_eq!(facts.compatibility.cublas_pair_matches, Fact::Known(belong), "{versions:?}");
        let is_told = failing(&facts).contains(&"library.cublas-pair-matches".to_owned());
        assert_eq!(is_told, !belong, "{versions:?}: {:?}", failing(&facts));
    }
}

#[test]
fn of_three_runtimes_the_newest_wins_unless_pytorch_asks_for_another() {
    let (Some(wheels), Some(others)) = (part("PREFLIGHT_TEST_NVIDIA_WHEELS"), part("PREFLIGHT_TEST_NVIDIA_OTHERS"))
    else {
        return;
    };
    let runtimes = [
        in_wheel(&others.join("cudart11"), "cuda_runtime/lib/libcudart.so.11.0"),
        in_wheel(&wheels, "cuda_runtime/lib/libcudart.so.12"),
        in_wheel(&others.join("cudart13"), "cu13/lib/libcudart.so.13"),
    ];
    let facts = Mixture::of(&runtimes).facts();
    assert_eq!(chosen(&facts, LibraryId::Cudart).soname, "libcudart.so.13");
    assert_eq!(chosen(&facts, LibraryId::Cudart).version, Fact::Known("13.0".to_owned()));
    assert_eq!(facts.compatibility.minimum_driver, Fact::Known("580.65.06".to_owned()));
    for (cuda, soname, minimum) in
        [("12.6", "libcudart.so.12", "525.60.13"), ("11.8", "libcudart.so.11.0", "450.80.02")]
    {
        let facts = Mixture::of(&runtimes).for_torch(cuda).facts();
        assert_eq!(chosen(&facts, LibraryId::Cudart).soname, soname);
        assert_eq!(facts.compatibility.minimum_driver, Fact::Known(minimum.to_owned()), "{cuda}");
        assert_eq!(facts.compatibility.torch_runtime_found, Fact::Known(true), "{cuda}");
    }
    let facts = Mixture::of(&runtimes[2..]).for_torch("12.6").facts();
    assert_eq!(facts.compatibility.torch_runtime_found, Fact::Known(false), "13 does not serve 12");
}

#[test]
fn the_535_driver_of_debian_is_too_old_for_cuda_13_and_not_for_12() {
    let (Some(wheels), Some(others)) = (part("PREFLIGHT_TEST_NVIDIA_WHEELS"), part("PREFLIGHT_TEST_NVIDIA_OTHERS"))
    else {
        return;
    };
    let Some(driver) = part("PREFLIGHT_TEST_NVIDIA_DRIVER") else { return };
    let libcuda = driver.join("libcuda.so.1");
    for (runtime, enough) in [
        (in_wheel(&others.join("cudart13"), "cu13/lib/libcudart.so.13"), false),
        (in_wheel(&wheels, "cuda_runtime/lib/libcudart.so.12"), true),
        (in_wheel(&others.join("cudart11"), "cuda_runtime/lib/libcudart.so.11.0"), true),
    ] {
        let facts = Mixture::of(&[libcuda.clone(), runtime.clone()]).facts();
        assert_eq!(facts.cuda.init_code, Fact::Known(100), "no device on this machine");
        assert_eq!(facts.cuda.version, Fact::Known("12.2".to_owned()));
        assert!(chosen(&facts, LibraryId::Cuda).loaded_path.known().is_some_and(|path| path.contains("535.")));
        assert_eq!(facts.compatibility.driver_new_enough, Fact::Known(enough), "{runtime:?}");
    }
}

/// The files of cuBLAS that Python has mapped after it opened these, in their order, as PyTorch opens its libraries.
fn mapped_by_python(library_path: &Path, opened: &[&str]) -> BTreeSet<String> {
    let script = "import ctypes, sys\nfor path in sys.argv[1:]: ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)\n\
                  print(*{line.split()[-1] for line in open('/proc/self/maps') if 'libcublas' in line}, sep='\\n')";
    let mut python = Command::new("python3");
    let output = python.arg("-c").arg(script).args(opened).env("LD_LIBRARY_PATH", library_path).output();
    let output = output.expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// A cuBLAS from wheels, one of another release on the library path: cuBLAS 12.6 asks for cuBLASLt by a `DT_RUNPATH`,
/// which the library path beats, and 12.9 by a `DT_RPATH`, which beats it.
#[test]
fn the_multiplies_map_what_a_program_gets_that_loads_cublas_lt_first() {
    let (Some(wheels), Some(others)) = (part("PREFLIGHT_TEST_NVIDIA_WHEELS"), part("PREFLIGHT_TEST_NVIDIA_OTHERS"))
    else {
        return;
    };
    let Some(torch) = part("PREFLIGHT_TEST_TORCH") else { return };
    let (new, old) = (in_wheel(&wheels, "cublas/lib"), in_wheel(&others.join("cublas126"), "cublas/lib"));
    for (own, other, loses_alone) in [(&old, &new, true), (&new, &old, false)] {
        let packages = tempfile::tempdir().expect("a folder");
        for (path, source) in [
            ("torch/lib/libtorch_cuda.so", torch.join("torch/lib/libtorch_cuda.so")),
            ("nvidia/cublas/lib/libcublas.so.12", own.join("libcublas.so.12")),
            ("nvidia/cublas/lib/libcublasLt.so.12", own.join("libcublasLt.so.12")),
            ("nvidia/cuda_runtime/lib/libcudart.so.12", in_wheel(&wheels, "cuda_runtime/lib/libcudart.so.12")),
        ] {
            let place = packages.path().join(path);
            std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
            std::os::unix::fs::symlink(source, place).expect("a link");
        }
        let framework = Framework {
            torch_version: Fact::Known("2.7.0+cu126".to_owned()),
            torch_cuda: Fact::Known("12.6".to_owned()),
            site_packages: Fact::Known(vec![packages.path().to_string_lossy().into_owned()]),
            ..Framework::default()
        };
        let world = World::at("/", vec![("LD_LIBRARY_PATH".into(), other.into())], Duration::from_mins(1));
        let world = world.with_program(env!("CARGO_BIN_EXE_gpu-preflight"));
        let mut found = libraries::census(&world, &framework).known().expect("a census").clone();
        libraries::load(&world, &mut found, world.deadline());
        let path = |id| libraries::winner(&found, id).expect("a winner").to_owned();
        let (cublas, lt) = (path(LibraryId::Cublas), path(LibraryId::CublasLt));
        let as_found: BTreeSet<String> =
            ["libcublas.so.12", "libcublasLt.so.12"].map(|name| own.join(name).to_string_lossy().into_owned()).into();
        assert_eq!(mapped_by_python(other, &[&lt, &cublas]), as_found, "what PyTorch's order leads to");
        assert_eq!(mapped_by_python(other, &[&cublas]) != as_found, loses_alone, "what cuBLAS alone leads to");
        // Without a GPU the multiplies end at their first call, and what was loaded for it is told.
        let (multiplied, _, _) =
            compute::collect(&world, &found, &[0], compute::Budget::default(), None, world.deadline());
        let mapped = multiplied.mapped_libraries.known().cloned().expect("what was mapped");
        let mapped_cublas: BTreeSet<String> =
            mapped.iter().filter(|path| path.contains("libcublas")).cloned().collect();
        assert_eq!(mapped_cublas, as_found);
        let mut facts = Facts { framework, libraries: Fact::Known(found), compute: multiplied, ..Facts::default() };
        derive(&mut facts);
        assert_eq!(facts.compute.other_library, Fact::Absent, "{mapped:?}");
        // The same multiplies, had they fetched the other cuBLASLt.
        let stray = other.join("libcublasLt.so.12").to_string_lossy().into_owned();
        facts.compute.mapped_libraries =
            Fact::Known(vec![mapped_cublas.first().expect("cuBLAS").clone(), stray.clone()]);
        derive(&mut facts);
        assert_eq!(facts.compute.other_library, Fact::Known(stray));
    }
}
