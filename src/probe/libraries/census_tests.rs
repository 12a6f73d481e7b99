//! Fake roots with copies of libraries, and who wins.

use super::*;
use crate::facts::FoundBy;
use crate::probe::elf::tests::image;
use cache::tests::new_format;
use fake_root::Root;
use folders::FOLDERS_MAX;

const SITE: &str = "/usr/lib/python3/site-packages";
const CUDART: &str = "/usr/lib/python3/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12";
const GLOBAL_DEPS: &str = "/usr/lib/python3/site-packages/torch/lib/libtorch_global_deps.so";

fn no_framework() -> Framework {
    Framework { torch_version: Fact::Absent, torch_cuda: Fact::Absent, ..with_packages() }
}

fn with_packages() -> Framework {
    Framework { site_packages: Fact::Known(vec![SITE.to_owned()]), ..Framework::default() }
}

fn torch(cuda: &str) -> Framework {
    Framework {
        torch_version: Fact::Known(format!("2.7.1+cu{}", cuda.replace('.', ""))),
        torch_cuda: Fact::Known(cuda.to_owned()),
        ..with_packages()
    }
}

fn winner(library: &Library) -> &str {
    library.winner.known().map_or("nobody", String::as_str)
}

#[test]
fn a_machine_without_libraries_has_an_empty_census() {
    assert!(Root::new().census(&Framework::default()).is_empty());
}

#[test]
fn the_library_path_comes_before_the_cache_and_the_cache_before_the_default_folders() {
    let root = Root::new()
        .library("/opt/a/libcuda.so.1")
        .library("/opt/b/libcuda.so.1")
        .library("/usr/lib/libcuda.so.1")
        .file("/etc/ld.so.cache", &new_format(&[("libcuda.so.1", "/opt/b/libcuda.so.1")]));
    let found = root.only(&no_framework());
    assert_eq!(winner(&found), "/opt/b/libcuda.so.1");
    assert!(found.reason.contains("ld.so.cache"));
    let root = root.env("LD_LIBRARY_PATH", "/nothing:/opt/a/");
    let found = root.only(&no_framework());
    assert_eq!(winner(&found), "/opt/a/libcuda.so.1");
    assert_eq!(found.reason, "LD_LIBRARY_PATH names its folder");
    let by: Vec<FoundBy> = found.candidates.iter().map(|candidate| candidate.found_by).collect();
    assert_eq!(by, [FoundBy::LibraryPath, FoundBy::Cache, FoundBy::DefaultFolder]);
    assert!(found.chosen);
}

#[test]
fn a_copy_that_the_cache_lists_and_nobody_has_is_no_copy() {
    let root = Root::new()
        .library("/usr/lib/libcuda.so.1")
        .file("/etc/ld.so.cache", &new_format(&[("libcuda.so.1", "/gone/libcuda.so.1")]));
    let found = root.only(&no_framework());
    assert_eq!(winner(&found), "/usr/lib/libcuda.so.1");
    assert_eq!(found.candidates.len(), 1);
}

#[test]
fn a_copy_that_only_the_mount_table_names_is_listed_and_wins_nothing() {
    let mounts = "36 35 98:0 / / rw - overlay o rw\n37 36 98:0 /x /opt/driver/libcuda.so.580.65.06 ro - ext4 d rw\n";
    let root = Root::new()
        .file("/opt/driver/libcuda.so.580.65.06", &image("libcuda.so.1", &[], None))
        .file("/proc/self/mountinfo", mounts.as_bytes());
    let found = root.only(&no_framework());
    assert_eq!((found.winner.clone(), found.soname.as_str()), (Fact::Absent, "libcuda.so.1"));
    let copy = &found.candidates[0];
    assert_eq!((copy.found_by, copy.is_mounted.clone()), (FoundBy::Mounted, Fact::Known(true)));
}

#[test]
fn copies_of_toolkits_and_conda_are_listed_and_win_nothing() {
    let root = Root::new().library("/usr/local/cuda-12.6/lib64/libcudart.so.12").link("/usr/local/cuda", "cuda-12.6");
    let found = root.only(&no_framework());
    assert_eq!(found.winner, Fact::Absent);
    assert_eq!(found.candidates.len(), 1, "one file under two names is one copy");
    assert_eq!(found.candidates[0].found_by, FoundBy::Toolkit);
    assert_eq!(found.major, Fact::Known(12));
    let found = Root::new().library("/env/lib/libcudart.so.12").env("CONDA_PREFIX", "/env").only(&no_framework());
    assert_eq!((found.winner, found.candidates[0].found_by), (Fact::Absent, FoundBy::Conda));
}

#[test]
fn a_wheel_wins_for_python_only_where_no_loader_finds_a_copy() {
    let root = Root::new().library(CUDART);
    let found = root.only(&no_framework());
    assert_eq!(winner(&found), CUDART);
    assert!(found.reason.contains("plain program would not find it"));
    let root = root.library("/opt/lib/libcudart.so.12").env("LD_LIBRARY_PATH", "/opt/lib");
    assert_eq!(winner(&root.only(&no_framework())), "/opt/lib/libcudart.so.12");
}

#[test]
fn the_rpath_of_pytorch_beats_the_library_path_and_its_runpath_does_not() {
    let root = |tag| {
        let path = (tag, "$ORIGIN/../../nvidia/cuda_runtime/lib");
        Root::new()
            .library(CUDART)
            .library("/opt/lib/libcudart.so.12")
            .env("LD_LIBRARY_PATH", "/opt/lib")
            .file(GLOBAL_DEPS, &image("libtorch_global_deps.so", &["libcudart.so.12"], Some(path)))
    };
    let found = root(15).only(&torch("12.8"));
    assert_eq!(winner(&found), CUDART);
    assert!(found.reason.contains("DT_RPATH of PyTorch"), "{}", found.reason);
    assert_eq!(winner(&root(29).only(&torch("12.8"))), "/opt/lib/libcudart.so.12");
    // What PyTorch's files say counts only where there is a PyTorch.
    assert_eq!(winner(&root(15).only(&no_framework())), "/opt/lib/libcudart.so.12");
}

#[test]
fn a_driver_library_is_never_looked_for_in_run_paths_or_wheels() {
    let root = Root::new()
        .library("/usr/lib/python3/site-packages/torch/lib/libcuda.so.1")
        .file(GLOBAL_DEPS, &image("libtorch_global_deps.so", &["libcuda.so.1"], Some((15, "$ORIGIN"))));
    assert_eq!(root.only(&torch("12.8")).winner, Fact::Absent);
}

#[test]
fn hashed_copies_of_old_wheels_are_found_through_what_pytorch_asks_for() {
    let copy = "/usr/lib/python3/site-packages/torch/lib/libcudart-e409450e.so.11.0";
    let deps = image("libtorch_global_deps.so", &["libcudart-e409450e.so.11.0"], Some((15, "$ORIGIN")));
    let found = Root::new().library(copy).file(GLOBAL_DEPS, &deps).only(&torch("11.8"));
    assert_eq!((found.soname.as_str(), winner(&found)), ("libcudart.so.11.0", copy));
}

/// A wheel's cuBLAS with this run path, cuBLASLt beside it, and another cuBLASLt in `LD_LIBRARY_PATH`.
fn two_engines(path: (u64, &str)) -> Root {
    let wheel = format!("{SITE}/nvidia/cublas/lib");
    Root::new()
        .file(&format!("{wheel}/libcublas.so.12"), &image("libcublas.so.12", &["libcublasLt.so.12"], Some(path)))
        .library(&format!("{wheel}/libcublasLt.so.12"))
        .library("/opt/lib/libcublasLt.so.12")
        .env("LD_LIBRARY_PATH", "/opt/lib")
}

#[test]
fn cublas_lt_is_asked_for_by_whoever_comes_first() {
    let engine = |root: &Root, framework: &Framework| {
        let found = root.census(framework);
        winner(found.iter().find(|library| library.id == LibraryId::CublasLt).expect("cublasLt")).to_owned()
    };
    let wheel = format!("{SITE}/nvidia/cublas/lib/libcublasLt.so.12");
    assert_eq!(engine(&two_engines((15, "$ORIGIN")), &no_framework()), wheel);
    assert_eq!(engine(&two_engines((29, "$ORIGIN")), &no_framework()), "/opt/lib/libcublasLt.so.12");
    let path = Some((15, "$ORIGIN/../../nvidia/cublas/lib"));
    let with = |needed: &[&str]| two_engines((29, "$ORIGIN")).file(GLOBAL_DEPS, &image("deps", needed, path));
    // PyTorch asks for it itself, with its DT_RPATH; or leaves it to a cuBLAS whose DT_RUNPATH comes too late.
    assert_eq!(engine(&with(&["libcublasLt.so.12", "libcublas.so.12"]), &torch("12.8")), wheel);
    assert_eq!(engine(&with(&["libcublas.so.12"]), &torch("12.8")), "/opt/lib/libcublasLt.so.12");
}

#[test]
fn pytorchs_major_is_chosen_and_otherwise_the_newest_that_can_be_found() {
    let root = Root::new()
        .library("/usr/lib/libcudart.so.11.0")
        .library("/usr/lib/libcudart.so.12")
        .library("/usr/local/cuda-13.0/lib64/libcudart.so.13");
    let chosen = |framework: &Framework| {
        let found = root.census(framework);
        let chosen: Vec<String> =
            found.iter().filter(|library| library.chosen).map(|library| library.soname.clone()).collect();
        assert_eq!(chosen.len(), 1, "{chosen:?}");
        chosen[0].clone()
    };
    assert_eq!(chosen(&torch("11.8")), "libcudart.so.11.0");
    assert_eq!(chosen(&torch("13.0")), "libcudart.so.13");
    assert_eq!(chosen(&no_framework()), "libcudart.so.12");
}

#[test]
fn the_loader_passes_over_other_machines_and_stops_at_damage() {
    let good = image("libcudart.so.12", &[], None);
    let mut foreign = good.clone();
    foreign[18] = 243;
    let root = |first: &[u8]| {
        Root::new()
            .file("/a/libcudart.so.12", first)
            .file("/b/libcudart.so.12", &good)
            .env("LD_LIBRARY_PATH", "/a:/b")
            .only(&no_framework())
    };
    let found = root(&foreign);
    assert_eq!(winner(&found), "/b/libcudart.so.12");
    assert_eq!(found.candidates[1].loadable, Fact::Known(false));
    assert_eq!(found.candidates[1].machine, Fact::Known("riscv64".to_owned()));
    for damaged in [&b"/* GNU ld script */ INPUT(libcudart.so.12.6.77)"[..], &good[..good.len() - 8], b""] {
        let found = root(damaged);
        assert_eq!(winner(&found), "/a/libcudart.so.12");
        assert_eq!(found.candidates[0].loadable, Fact::Known(false));
    }
}

#[test]
fn a_folder_named_like_a_library_is_a_gap_and_wins_nothing() {
    let root = Root::new().file("/usr/lib/libcudart.so.12/x", b"");
    let found = root.only(&no_framework());
    assert_eq!(found.winner, Fact::Absent);
    assert!(found.candidates[0].loadable.is_unknown());
}

#[test]
fn stubs_compat_copies_and_versions_are_marked() {
    let big = {
        let mut bytes = image("libcuda.so.1", &[], None);
        bytes.resize(200 << 10, 0);
        bytes
    };
    let root = Root::new()
        .file("/usr/local/cuda/compat/libcuda.so.560.35.03", &big)
        .link("/usr/local/cuda/compat/libcuda.so.1", "libcuda.so.560.35.03")
        .file("/usr/local/cuda/lib64/stubs/libcuda.so", &image("libcuda.so.1", &[], None))
        .file("/usr/lib/libcuda.so.580.65.06", &big)
        .link("/usr/lib/libcuda.so.1", "libcuda.so.580.65.06")
        .library("/opt/tiny/libcuda.so.1")
        .env("LD_LIBRARY_PATH", "/usr/local/cuda/compat:/opt/tiny");
    let found = root.only(&no_framework());
    let is = |fact: &Fact<bool>| fact.known() == Some(&true);
    let marks = found.candidates.iter().map(|copy| {
        (copy.path.as_str(), is(&copy.is_stub), is(&copy.is_compat), copy.file_version.known().map(String::as_str))
    });
    assert_eq!(
        marks.collect::<Vec<_>>(),
        [
            ("/usr/local/cuda/compat/libcuda.so.1", false, true, Some("560.35.03")),
            ("/opt/tiny/libcuda.so.1", true, false, None),
            ("/usr/lib/libcuda.so.1", false, false, Some("580.65.06")),
            ("/usr/local/cuda/lib64/stubs/libcuda.so", true, false, None),
        ]
    );
}

#[test]
fn a_driver_file_without_its_link_is_listed_and_not_found_by_the_loader() {
    let found = Root::new().library("/usr/lib/libcuda.so.580.65.06").only(&no_framework());
    assert_eq!((found.soname.as_str(), found.winner), ("libcuda.so.1", Fact::Absent));
}

#[test]
fn mounts_are_seen_and_without_mountinfo_it_is_not_known() {
    let root = Root::new().library("/usr/lib/libcuda.so.1").library("/vol ume/libnvidia-ml.so.1");
    let root = root.env("LD_LIBRARY_PATH", "/vol ume");
    assert!(root.census(&no_framework())[0].candidates[0].is_mounted.is_unknown());
    let line = |point: &str| format!("1 2 0:3 / {point} ro - ext4 /dev/sda1 ro\n");
    let table = line("/") + &line("/usr/lib/libcuda.so.1") + &line("/vol\\040ume") + &line("/usr/li");
    let root = root.file("/proc/self/mountinfo", table.as_bytes()).library("/usr/lib/libcudart.so.12");
    let mounted: Vec<_> =
        root.census(&no_framework()).iter().map(|library| library.candidates[0].is_mounted.clone()).collect();
    assert_eq!(mounted, [Fact::Known(true), Fact::Known(true), Fact::Known(false)]);
}

#[test]
fn mad_environments_are_bounded() {
    let mut root = Root::new();
    for at in 0..200 {
        root = root.file(&format!("/d{at}/libcuda.so.1"), &image("libcuda.so.1", &[], Some((29, &at.to_string()))));
    }
    let path = (0..200).map(|at| format!("/d{at}")).collect::<Vec<_>>().join(":");
    let found = root.env("LD_LIBRARY_PATH", &path).only(&no_framework());
    assert_eq!(found.candidates.len(), CANDIDATES_MAX);
    assert_eq!(winner(&found), "/d0/libcuda.so.1");
}

#[test]
fn of_a_cache_that_is_too_long_to_be_read_nobody_says_that_it_names_no_library() {
    let root = Root::new().library("/opt/a/libcuda.so.1").env("LD_LIBRARY_PATH", "/opt/a");
    let root = root.file("/etc/ld.so.cache", &vec![0; (8 << 20) + 1]);
    let Fact::Unknown(gap) = root.unread_census(&no_framework()) else { panic!("a gap") };
    assert_eq!(gap.detail, "/etc/ld.so.cache is longer than is read");
}

#[test]
fn the_129th_folder_of_the_library_path_is_looked_at_and_beyond_the_last_one_nothing_is_said() {
    let path = |before: usize| {
        let folders: Vec<String> = (0..before).map(|number| format!("/nothing/{number}")).collect();
        format!("{}:/nothing/0:/opt/a", folders.join(":"))
    };
    let root = |before| Root::new().library("/opt/a/libcuda.so.1").env("LD_LIBRARY_PATH", &path(before));
    for before in [128, FOLDERS_MAX - 1] {
        assert_eq!(winner(&root(before).only(&no_framework())), "/opt/a/libcuda.so.1");
    }
    let Fact::Unknown(gap) = root(FOLDERS_MAX).unread_census(&no_framework()) else { panic!("a gap") };
    assert_eq!(gap.detail, "1025 folders in LD_LIBRARY_PATH, of which the first 1024 are looked at");
}
