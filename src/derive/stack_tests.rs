//! Each join known, absent and unknown.

use super::*;
use crate::facts::{Gap, Gpu};

fn gap<T>() -> Fact<T> {
    Fact::Unknown(Gap::new(GapKind::TimedOut, "cuInit"))
}

fn text<T: From<String>>(value: &str) -> Fact<T> {
    Fact::Known(T::from(value.to_owned()))
}

/// A chosen library whose winner has this version in its file name (none if empty) and says this of itself.
fn library(id: LibraryId, major: u32, file_version: &str, version: Fact<String>) -> Library {
    let path = format!("/lib/{id}.so");
    let file_version = if file_version.is_empty() { Fact::Absent } else { text(file_version) };
    Library {
        id,
        chosen: true,
        major: Fact::Known(major),
        winner: text(&path),
        load_error: Fact::Absent,
        version,
        candidates: vec![Candidate { path, file_version, is_compat: Fact::Known(false), ..Candidate::default() }],
        ..Library::default()
    }
}

/// CUDA 12.9 on driver 550, all well.
fn healthy() -> Facts {
    let mut facts = Facts::default();
    facts.driver.kernel_version = text("550.54.15");
    facts.cuda.version = text("12.4");
    facts.cuda.init_code = Fact::Known(0);
    facts.cuda.is_compat = Fact::Known(false);
    facts.cuda.file_version = text("550.54.15");
    facts.cuda.device_count = Fact::Known(2);
    facts.nvml.gpu_count = Fact::Known(2);
    facts.environment.cuda_visible_count = Fact::Absent;
    facts.framework.torch_version = text("2.7.1");
    facts.framework.torch_cuda = text("12.8");
    facts.libraries = Fact::Known(vec![
        library(LibraryId::Cudart, 12, "", text("12.9")),
        library(LibraryId::Cublas, 12, "", text("12.9.1")),
        library(LibraryId::CublasLt, 12, "", text("12.9.1")),
    ]);
    facts
}

fn with(change: impl FnOnce(&mut Facts)) -> Compatibility {
    let mut facts = healthy();
    change(&mut facts);
    compatibility(&facts)
}

fn change_library(facts: &mut Facts, id: LibraryId, change: impl FnOnce(&mut Library)) {
    let Fact::Known(libraries) = &mut facts.libraries else { panic!("libraries") };
    change(libraries.iter_mut().find(|library| library.id == id).expect("a library"));
}

#[test]
fn multiplies_through_another_copy_than_the_workloads_are_told() {
    let library = |id, loaded: &str| Library {
        id,
        chosen: true,
        loaded_path: Fact::Known(loaded.to_owned()),
        ..Library::default()
    };
    let other = |mapped: &[&str]| {
        let libraries = vec![
            library(LibraryId::Cublas, "/wheels/libcublas.so.12"),
            library(LibraryId::CublasLt, "/wheels/libcublasLt.so.12"),
        ];
        let mut facts = Facts { libraries: Fact::Known(libraries), ..Facts::default() };
        facts.compute.mapped_libraries = Fact::Known(mapped.iter().map(|path| (*path).to_owned()).collect());
        other_library(&facts)
    };
    assert_eq!(other(&["/wheels/libcublas.so.12", "/wheels/libcublasLt.so.12"]), Fact::Absent);
    let image = "/usr/local/cuda/lib64/libcublasLt.so.12";
    assert_eq!(other(&["/wheels/libcublas.so.12", image]), Fact::Known(image.to_owned()));
    assert!(other_library(&Facts::default()).is_unknown());
}

#[test]
fn a_healthy_stack_belongs_together() {
    let found = with(|_| {});
    assert_eq!(found.runtime_version, text("12.9"));
    assert_eq!(found.driver_version, text("550.54.15"));
    assert_eq!(found.minimum_driver, text("525.60.13"));
    assert_eq!(found.driver_new_enough, Fact::Known(true));
    assert_eq!(found.jit_unavailable, Fact::Known(true), "the driver speaks 12.4");
    assert_eq!(found.driver_library_matches, Fact::Known(true));
    assert_eq!(found.cublas_pair_matches, Fact::Known(true));
    assert_eq!(found.torch_runtime_found, Fact::Known(true));
    assert_eq!(found.hidden_gpu_count, Fact::Known(0));
}

#[test]
fn a_silent_runtime_is_known_by_its_file_or_by_pytorch() {
    let silent = |file: &str, torch: Fact<String>| {
        with(|facts| {
            facts.framework.torch_cuda = torch;
            facts.libraries = Fact::Known(vec![library(LibraryId::Cudart, 11, file, gap())]);
        })
        .runtime_version
    };
    assert_eq!(silent("11.8.89", Fact::Absent), text("11.8"));
    assert_eq!(silent("", text("11.8")), text("11.8"));
    assert_eq!(silent("", text("12.8")), gap());
    assert_eq!(silent("", Fact::Absent), gap());
}

#[test]
fn without_a_runtime_that_loads_there_is_none() {
    let failed = with(|facts| {
        change_library(facts, LibraryId::Cudart, |library| {
            (library.version, library.load_error) = (Fact::Absent, text("file too short"));
        });
    });
    assert_eq!((failed.runtime_version, failed.driver_new_enough), (Fact::Absent, Fact::Absent));
    assert_eq!(with(|facts| facts.libraries = Fact::Known(Vec::new())).runtime_version, Fact::Absent);
    assert_eq!(with(|facts| facts.libraries = gap()).runtime_version, gap());
}

#[test]
fn nvml_speaks_for_a_driver_that_proc_does_not_show() {
    let driver = |kernel: Fact<String>, nvml: Fact<String>| {
        with(|facts| (facts.driver.kernel_version, facts.nvml.driver_version) = (kernel, nvml)).driver_version
    };
    assert_eq!(driver(Fact::Absent, text("580.65.06")), text("580.65.06"));
    assert_eq!(driver(Fact::Absent, gap()), Fact::Absent);
    assert_eq!(driver(gap(), Fact::Absent), gap());
}

#[test]
fn a_major_without_a_row_is_not_judged() {
    let found = with(|facts| change_library(facts, LibraryId::Cudart, |library| library.version = text("99.0")));
    assert!(found.minimum_driver.is_unknown() && found.driver_new_enough.is_unknown());
}

#[test]
fn an_old_driver_is_too_old_unless_a_compat_library_lifts_it() {
    let old = |change: &dyn Fn(&mut Facts)| {
        with(|facts| {
            facts.driver.kernel_version = text("470.82.01");
            change(facts);
        })
        .driver_new_enough
    };
    assert_eq!(old(&|_| {}), Fact::Known(false));
    assert_eq!(old(&|facts| facts.cuda.is_compat = Fact::Known(true)), Fact::Known(true));
    let refused = |facts: &mut Facts| {
        (facts.cuda.is_compat, facts.cuda.init_code) = (Fact::Known(true), Fact::Known(804));
    };
    assert_eq!(old(&refused), Fact::Known(false));
    let not_started = |facts: &mut Facts| {
        (facts.cuda.is_compat, facts.cuda.init_code) = (Fact::Known(true), gap());
    };
    assert_eq!(old(&not_started), Fact::Known(true), "the compat copy is 550, and 525 is enough");
}

#[test]
fn an_unseen_driver_is_judged_by_what_libcuda_speaks() {
    let unseen = |cuda: Fact<String>| {
        with(|facts| (facts.driver.kernel_version, facts.cuda.version) = (gap(), cuda)).driver_new_enough
    };
    assert_eq!(unseen(text("12.4")), Fact::Known(true));
    assert_eq!(unseen(text("11.8")), Fact::Known(false));
    assert_eq!(unseen(gap()), gap());
    assert_eq!(with(|facts| facts.driver.kernel_version = Fact::Absent).driver_new_enough, Fact::Absent);
}

#[test]
fn ptx_is_compiled_by_drivers_at_least_as_new_as_the_runtime() {
    let jit = |cuda: Fact<String>, nvml: Fact<String>| {
        with(|facts| (facts.cuda.version, facts.nvml.cuda_version) = (cuda, nvml)).jit_unavailable
    };
    assert_eq!(jit(text("12.9"), gap()), Fact::Known(false));
    assert_eq!(jit(text("13.0"), gap()), Fact::Known(false));
    assert_eq!(jit(gap(), text("12.8")), Fact::Known(true));
    assert_eq!(jit(Fact::Absent, gap()), Fact::Absent);
    assert_eq!(jit(gap(), gap()), gap());
    assert!(jit(text("rubbish"), gap()).is_unknown());
}

#[test]
fn libcuda_has_the_version_of_the_driver_or_is_a_newer_compat_copy() {
    let matches = |version: Fact<String>, compat: bool| {
        with(|facts| (facts.cuda.file_version, facts.cuda.is_compat) = (version, Fact::Known(compat)))
            .driver_library_matches
    };
    assert_eq!(matches(text("560.35.03"), false), Fact::Known(false));
    assert_eq!(matches(text("560.35.03"), true), Fact::Known(true));
    assert_eq!(matches(text("535.54.03"), true), Fact::Known(false));
    assert_eq!(matches(Fact::Absent, false), Fact::Absent);
    let from_files = with(|facts| {
        (facts.cuda.file_version, facts.cuda.is_compat) = (gap(), gap());
        let Fact::Known(libraries) = &mut facts.libraries else { panic!("libraries") };
        libraries.push(library(LibraryId::Cuda, 0, "560.35.03", Fact::default()));
    });
    assert_eq!(from_files.driver_library_matches, Fact::Known(false));
    assert_eq!(with(|facts| facts.driver.kernel_version = gap()).driver_library_matches, gap());
}

#[test]
fn cublas_and_its_engine_are_of_one_release() {
    let pair = |cublas: Fact<String>, engine: Fact<String>| {
        with(|facts| {
            change_library(facts, LibraryId::Cublas, |library| library.version = cublas);
            change_library(facts, LibraryId::CublasLt, |library| library.version = engine);
        })
        .cublas_pair_matches
    };
    assert_eq!(pair(text("12.9.1"), text("12.4.5")), Fact::Known(false));
    assert_eq!(pair(text("12.9.1"), Fact::Absent), Fact::Absent);
    assert_eq!(pair(text("12.9.1"), gap()), gap());
    let named = |cublas: &str, engine: &str| {
        let files = [library(LibraryId::Cublas, 12, cublas, gap()), library(LibraryId::CublasLt, 12, engine, gap())];
        with(|facts| facts.libraries = Fact::Known(files.to_vec()))
    };
    assert_eq!(named("12.6.4.1", "12.6.4.1").cublas_pair_matches, Fact::Known(true));
    assert_eq!(named("12.6.4.1", "12.9.1.4").cublas_pair_matches, Fact::Known(false));
    assert_eq!(named("12.6.4.1", "").cublas_pair_matches, gap());
}

#[test]
fn a_cublas_that_repeats_what_its_engine_says_is_not_believed() {
    let said = |cublas: (&str, &str), engine: &str| {
        let mut files = [
            library(LibraryId::Cublas, 12, cublas.1, text("12.9.3")),
            library(LibraryId::CublasLt, 12, "", text("12.9.3")),
        ];
        for (library, folder) in files.iter_mut().zip([cublas.0, engine]) {
            library.candidates[0].real_path = Fact::Known(format!("{folder}/{}", library.soname));
        }
        with(|facts| facts.libraries = Fact::Known(files.to_vec()))
    };
    assert_eq!(said(("/a", ""), "/a").cublas_pair_matches, Fact::Known(true));
    assert!(said(("/a", ""), "/b").cublas_pair_matches.is_unknown());
    let mixed = said(("/a", "12.6.4.1"), "/b");
    assert_eq!(mixed.cublas_pair_matches, Fact::Known(false));
    assert_eq!((mixed.cublas_version, mixed.cublaslt_version), (text("12.6.4.1"), text("12.9.3")));
}

#[test]
fn pytorch_needs_a_runtime_of_its_major() {
    let found = |cuda: Fact<String>| with(|facts| facts.framework.torch_cuda = cuda).torch_runtime_found;
    assert_eq!(found(text("13.0")), Fact::Known(false));
    assert_eq!(found(Fact::Absent), Fact::Absent);
    assert_eq!(found(gap()), gap());
    assert_eq!(with(|facts| facts.framework.torch_version = Fact::Absent).torch_runtime_found, Fact::Absent);
    assert_eq!(with(|facts| facts.libraries = gap()).torch_runtime_found, gap());
}

#[test]
fn gpus_are_hidden_only_where_nobody_asked_for_it() {
    let hidden = |asked: Fact<u64>, seen: Fact<u64>| {
        with(|facts| {
            facts.nvml.gpu_count = Fact::Known(8);
            (facts.environment.cuda_visible_count, facts.cuda.device_count) = (asked, seen);
        })
        .hidden_gpu_count
    };
    assert_eq!(hidden(Fact::Absent, Fact::Known(7)), Fact::Known(1));
    assert_eq!(hidden(Fact::Known(4), Fact::Known(4)), Fact::Known(0));
    assert_eq!(hidden(Fact::Known(4), Fact::Known(3)), Fact::Known(1));
    assert_eq!(hidden(Fact::Known(0), Fact::Known(0)), Fact::Known(0));
    assert_eq!(hidden(gap(), Fact::Known(3)), gap());
    assert_eq!(hidden(Fact::Absent, gap()), gap());
    let mig = Gpu { mig_enabled: Fact::Known(true), ..Gpu::default() };
    assert_eq!(with(|facts| facts.gpus = Fact::Known(vec![mig])).hidden_gpu_count, Fact::Absent);
}
