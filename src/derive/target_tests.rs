//! The sets are those of real libraries, counted from their headers.

use super::*;
use crate::facts::{CodeSet, Gpu, Library, Multiply};

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn library(path: &str, sets: &[(u64, &str)]) -> NativeLibrary {
    let mut architectures: Vec<String> = sets.iter().flat_map(|(_, codes)| words(codes)).collect();
    architectures.sort();
    architectures.dedup();
    NativeLibrary {
        path: path.to_owned(),
        role: if rank(path).is_some() { LibraryRole::Core } else { LibraryRole::Optional },
        object_count: Fact::Known(sets.iter().map(|(count, _)| count).sum()),
        architectures: Fact::Known(architectures),
        sets: Fact::Known(
            sets.iter().map(|(count, codes)| CodeSet { architectures: words(codes), object_count: *count }).collect(),
        ),
    }
}

/// PyTorch 2.7.0+cu126.
fn torch() -> NativeLibrary {
    library(
        "/sp/torch/lib/libtorch_cuda.so",
        &[
            (375, "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"),
            (2, "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_89 sm_90 sm_90a"),
            (1, "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90 sm_90a"),
        ],
    )
}

/// cuBLASLt 12.6.4, its commonest sets: most of its objects are for one architecture alone.
fn cublas_lt() -> NativeLibrary {
    library(
        "/sp/nvidia/cublas/lib/libcublasLt.so.12",
        &[
            (1177, "sm_90a"),
            (223, "sm_80 sm_89 sm_90a"),
            (90, "sm_80 sm_90"),
            (34, "sm_70 sm_75 sm_80 sm_86 sm_90"),
            (30, "sm_50 sm_60 sm_70 sm_80 sm_86 sm_90 compute_90"),
            (28, "sm_50 sm_60 sm_61 sm_70 sm_75 sm_80 sm_86 sm_90 compute_90"),
            (27, "sm_50 sm_60 sm_70 sm_80 sm_90 compute_90"),
            (30, "sm_80"),
            (22, "sm_75"),
        ],
    )
}

fn fits_of(library: &NativeLibrary) -> impl Fn(&str) -> Option<CodeFit> + use<'_> {
    |capability| fit(library, capability).known().copied()
}

#[test]
fn pytorch_runs_where_nearly_all_of_its_objects_have_code() {
    let torch = torch();
    let fit = fits_of(&torch);
    for capability in ["5.0", "6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0"] {
        assert_eq!(fit(capability), Some(CodeFit::Native), "{capability}");
    }
    for capability in ["10.0", "10.3", "12.0", "12.1", "3.7"] {
        assert_eq!(fit(capability), Some(CodeFit::Missing), "{capability}");
    }
}

#[test]
fn a_few_kernels_of_one_architecture_do_not_decide() {
    let some = library("/x/libtorch_cuda.so", &[(390, "sm_80 sm_90"), (2, "sm_80 sm_90 sm_120a"), (1, "sm_120a")]);
    assert_eq!(fits_of(&some)("12.0"), Some(CodeFit::Missing));
    assert_eq!(fits_of(&some)("9.0"), Some(CodeFit::Native));
    let half = library("/x/libtorch_cuda.so", &[(300, "sm_80 sm_90"), (100, "sm_90 compute_100")]);
    assert_eq!(fits_of(&half)("8.0"), Some(CodeFit::Native), "it was built for this one, variants apart");
    let Fact::Unknown(gap) = fit(&half, "12.0") else { panic!("a third can be compiled, and a third decides nothing") };
    assert!(gap.detail.contains("100 of its 400 objects have code for 12.0"), "{gap}");
}

#[test]
fn a_library_that_chooses_among_variants_runs_where_it_was_built_for() {
    let lt = cublas_lt();
    let fit = fits_of(&lt);
    for capability in ["5.0", "6.0", "7.0", "7.5", "8.0", "8.9", "9.0"] {
        assert_eq!(fit(capability), Some(CodeFit::Native), "{capability}");
    }
    assert_eq!(fit("10.0"), Some(CodeFit::Compiled), "its general kernels are there as PTX");
}

fn image() -> Facts {
    let mut facts = Facts::default();
    facts.native.libraries = Fact::Known(vec![cublas_lt(), library("/sp/flash.so", &[(9, "sm_80 sm_90")]), torch()]);
    facts.framework.torch_cuda = Fact::Known("12.6".to_owned());
    facts
}

fn on(facts: &Facts, name: &str) -> Target {
    on_model(facts, gpus::find(name).expect("a model"))
}

#[test]
fn the_framework_is_named_before_the_libraries_that_it_uses() {
    let mut facts = image();
    let target = on(&facts, "B200");
    assert_eq!(target.code, Fact::Known(CodeFit::Missing));
    assert_eq!(target.deciding_library, Fact::Known("/sp/torch/lib/libtorch_cuda.so".to_owned()));
    assert_eq!(target.minimum_driver, Fact::Known("570.26".to_owned()), "the first driver that knew Blackwell");

    facts.native.libraries = Fact::Known(vec![cublas_lt()]);
    let target = on(&facts, "B200");
    assert_eq!(target.code, Fact::Known(CodeFit::Compiled));
    assert!(target.deciding_library.known().is_some_and(|path| path.ends_with("libcublasLt.so.12")));
}

#[test]
fn an_optional_library_accuses_nobody_and_is_named() {
    let target = on(&image(), "T4");
    assert_eq!(target.code, Fact::Known(CodeFit::Native));
    assert_eq!(target.missing_optional, Fact::Known(vec!["/sp/flash.so".to_owned()]));
}

#[test]
fn without_a_core_library_there_is_nothing_to_judge_and_an_unread_one_is_a_gap() {
    let mut facts = image();
    facts.native.libraries = Fact::Known(Vec::new());
    assert_eq!(on(&facts, "H200").code, Fact::Absent);
    let unread = NativeLibrary {
        path: "/sp/torch/lib/libtorch_cuda.so".to_owned(),
        role: LibraryRole::Core,
        ..NativeLibrary::default()
    };
    facts.native.libraries = Fact::Known(vec![unread, cublas_lt()]);
    let target = on(&facts, "H200");
    assert!(target.code.is_unknown());
    assert!(target.deciding_library.known().is_some_and(|path| path.ends_with("libtorch_cuda.so")));
}

#[test]
fn the_driver_is_that_of_cuda_of_the_gpu_and_of_the_compiler() {
    let mut facts = image();
    let driver = |facts: &Facts, name: &str| on(facts, name).minimum_driver.known().cloned().unwrap_or_default();
    assert_eq!(driver(&facts, "H200"), "525.60.13", "minor-version compatibility");
    facts.native.libraries = Fact::Known(vec![cublas_lt()]);
    facts.framework.torch_cuda = Fact::Known("12.8".to_owned());
    assert_eq!(driver(&facts, "B200"), "570.26");
    facts.framework.torch_cuda = Fact::Known("12.9".to_owned());
    assert_eq!(driver(&facts, "B200"), "575.51.03", "only a driver of CUDA 12.9 compiles its PTX");
    facts.framework.torch_cuda = Fact::Known("99.0".to_owned());
    assert!(on(&facts, "H200").minimum_driver.is_unknown());
    facts.framework.torch_cuda = Fact::Absent;
    facts.compatibility.runtime_version = Fact::Absent;
    let cublas = Library { id: LibraryId::Cublas, chosen: true, major: Fact::Known(13), ..Library::default() };
    facts.libraries = Fact::Known(vec![cublas]);
    assert_eq!(driver(&facts, "H200"), "580.65.06", "the major of cuBLAS stands in for a runtime");
}

#[test]
fn forward_compatibility_is_for_boards_of_data_centers_on_branches_that_drive_them() {
    let mut facts = image();
    facts.framework.torch_cuda = Fact::Known("13.0".to_owned());
    let branch = |facts: &Facts, name: &str| on(facts, name).forward_compatible_branch.known().copied();
    assert_eq!(branch(&facts, "H200"), Some(535));
    assert_eq!(branch(&facts, "B200"), Some(570), "R535 does not know Blackwell");
    assert_eq!(branch(&facts, "RTX 5090"), None);
    facts.framework.torch_cuda = Fact::Known("12.6".to_owned());
    assert_eq!(branch(&facts, "H200"), None, "R525 is enough by itself");
}

#[test]
fn an_assumed_driver_is_held_against_the_least_and_the_last() {
    let mut facts = image();
    let mut sufficient = |driver: &str, name: &str| {
        facts.run.assumed_driver = Fact::Known(driver.to_owned());
        on(&facts, name).assumed_driver_sufficient.known().copied()
    };
    assert_eq!(sufficient("525.60.13", "H200"), Some(true));
    assert_eq!(sufficient("470.82.01", "H200"), Some(false));
    assert_eq!(sufficient("595.45.04", "V100"), Some(false), "R580 is the last branch that drives Volta");
    assert_eq!(sufficient("580.65.06", "V100"), Some(true));
}

#[test]
fn targets_are_wanted_or_assumed_and_an_assumed_driver_alone_is_for_what_is_here() {
    let mut facts = image();
    let gpu = |name: &str| Gpu {
        name: Fact::Known(name.to_owned()),
        compute_capability: Fact::Known("9.0".to_owned()),
        ..Gpu::default()
    };
    facts.gpus = Fact::Known(vec![gpu("NVIDIA H200"), gpu("NVIDIA H200"), gpu("GRID X")]);
    derive(&mut facts);
    let names = |targets: &[Target]| targets.iter().map(|target| target.gpu.clone()).collect::<Vec<_>>();
    assert_eq!(names(facts.native.present.known().expect("known")), ["NVIDIA H200", "GRID X"]);
    assert_eq!(facts.native.targets, []);
    facts.run.assumed_driver = Fact::Known("535.54.03".to_owned());
    derive(&mut facts);
    assert_eq!(names(&facts.native.targets), ["NVIDIA H200", "GRID X"]);
    facts.run.wanted_gpus = vec!["NVIDIA B200".to_owned()];
    facts.run.assumed_gpu = Fact::Known("Tesla T4".to_owned());
    derive(&mut facts);
    assert_eq!(names(&facts.native.targets), ["NVIDIA B200", "Tesla T4"]);
    assert_eq!(facts.native.targets[1].origin, TargetOrigin::Assumed);
}

#[test]
fn a_multiply_that_was_proven_here_says_more_about_cublas_than_its_headers() {
    let mut facts = image();
    let mut unread = cublas_lt();
    unread.sets = Fact::unknown(GapKind::Malformed, "an entry of unknown form");
    facts.native.libraries = Fact::Known(vec![torch(), unread]);
    let name = Fact::Known("NVIDIA H200".to_owned());
    let capability = Fact::Known("9.0".to_owned());
    facts.gpus = Fact::Known(vec![Gpu { name: name.clone(), compute_capability: capability, ..Gpu::default() }]);
    let code = |facts: &mut Facts| {
        derive(facts);
        facts.native.present.known().expect("known")[0].code.clone()
    };
    assert!(code(&mut facts).is_unknown());
    let multiply = Multiply { gpu_name: name, proof: Fact::Known(Proof::Exact), ..Multiply::default() };
    facts.compute.multiplies = Fact::Known(vec![multiply]);
    assert_eq!(code(&mut facts), Fact::Known(CodeFit::Native));
}

#[test]
fn an_image_in_which_nothing_decides_is_not_known_to_run_where_it_is_meant_to() {
    let mut facts = image();
    facts.native.libraries = Fact::Known(Vec::new());
    facts.run.wanted_gpus = vec!["NVIDIA B200".to_owned()];
    facts.gpus = Fact::Known(vec![Gpu { name: Fact::Known("NVIDIA H200".to_owned()), ..Gpu::default() }]);
    derive(&mut facts);
    assert!(facts.native.targets[0].code.is_unknown());
    assert!(facts.native.present.known().expect("known")[0].code.is_absent(), "nobody asked for that one");
}
