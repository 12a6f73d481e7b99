//! What frameworks load beyond the CUDA libraries: the neighbours of the failures, and real wheels.
//!
//! `PREFLIGHT_TEST_LINKED` names folders of packages with PyTorch 2.5.1 and its wheels, other frameworks, and a nvJitLink
//! and a cuDNN of other releases, each as far as the loader reads it; see `tests/containers/paths.sh`.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gpu_preflight::derive::derive;
use gpu_preflight::facts::{Fact, Facts, LinkFault, LinkProblem};
use gpu_preflight::probe::{framework, linking};
use gpu_preflight::world::World;

use crate::support::failures::{self, Scenario};
use crate::support::fake_machine::collect_on;
use crate::support::real_parts::part;
use crate::support::report::Report;

const SITE: &str = "/opt/venv/lib/python3.12/site-packages";

fn scenario(failure: &str) -> Scenario {
    let all = failures::all().into_iter().find(|one| one.id == failure);
    all.and_then(|failure| failure.scenario).unwrap_or_else(|| panic!("{failure}: no scenario"))
}

/// Ids of the checks on what frameworks need that fail, and whether all of it was followed.
fn told(scenario: &Scenario) -> Vec<String> {
    let mut facts = collect_on(scenario).facts;
    derive(&mut facts);
    assert!(facts.linking.faults.known().is_some(), "{:?}", facts.linking);
    let report = Report::of(&facts);
    let failing = report.failing().into_iter().filter_map(|finding| finding["check"].as_str().map(str::to_owned));
    let mut ids: Vec<String> = failing.filter(|id| id.starts_with("library.needed")).collect();
    ids.dedup();
    ids
}

#[test]
fn whoever_needs_the_same_and_gets_it_is_not_accused() {
    let mut whole = scenario("library.needed-missing");
    assert_eq!(told(&whole), ["library.needed-found"]);
    whole.libraries.insert(format!("{SITE}/nvidia/curand/lib/libcurand.so.10"), "linking/libcurand.so.10".to_owned());
    assert_eq!(told(&whole), [""; 0], "all wheels");

    // A library that lies nowhere where the loader looks is opened by its path: PyTorch does it, and so do programs.
    let mut elsewhere = scenario("library.needed-missing");
    elsewhere.libraries.insert(format!("{SITE}/nvidia/cu12/lib/libcurand.so.10"), "linking/libcurand.so.10".to_owned());
    assert_eq!(told(&elsewhere), [""; 0], "wheels in another folder");

    let too_old = scenario("library.needed-too-old");
    assert_eq!(told(&too_old), ["library.needed-fits"]);
    let mut newer = too_old.clone();
    newer
        .libraries
        .insert("/opt/cuda-12.1/lib64/libnvJitLink.so.12".to_owned(), "linking/libnvJitLink.so.12".to_owned());
    assert_eq!(told(&newer), [""; 0], "one that is new enough");
    let mut behind = too_old.clone();
    behind.env.clear();
    assert_eq!(told(&behind), [""; 0], "one that the library path does not name");
    let mut preloading = too_old;
    let version = "__version__ = '2.7.0+cu126'\ncuda: Optional[str] = '12.6'\n";
    preloading.files.insert(format!("{SITE}/torch/version.py"), version.to_owned());
    assert_eq!(told(&preloading), [""; 0], "PyTorch 2.7 opens that of the wheels first");

    let mixed = scenario("library.needed-of-other-release");
    assert_eq!(told(&mixed), ["library.needed-fits"]);
    let mut same = mixed;
    let metadata = |release: &str| format!("{SITE}/nvidia_cudnn_cu12-{release}.dist-info/METADATA");
    same.files.remove(&metadata("9.1.0.70"));
    same.files.insert(metadata("9.5.1"), String::new());
    assert_eq!(told(&same), [""; 0], "parts of the same release from another folder");

    let mut served = scenario("library.needed-for-another");
    assert_eq!(told(&served), ["library.needed-beside"]);
    served.libraries.insert(format!("{SITE}/nvidia/curand/lib/libcurand.so.10"), "linking/libcurand.so.10".to_owned());
    assert_eq!(told(&served), [""; 0], "onnxruntime finds it");
}

#[test]
fn the_only_framework_is_not_one_beside_others() {
    let mut alone = scenario("library.needed-for-another");
    alone.files.retain(|path, _| !path.contains("/jax"));
    assert_eq!(told(&alone), ["library.needed-found"]);
}

/// What is wrong with the frameworks of a folder of packages on this machine.
fn faults(packages: &Path, library_path: &[PathBuf]) -> Vec<LinkFault> {
    let path = std::env::join_paths(library_path).expect("folders");
    let environment = vec![("PYTHONPATH".into(), packages.into()), ("LD_LIBRARY_PATH".into(), path)];
    let world = World::at("/", environment, Duration::from_mins(1));
    let framework = framework::collect(&world);
    let read = linking::collect(&world, &framework);
    assert!(read.frameworks.known().is_some_and(|found| !found.is_empty()), "{read:?}");
    let mut facts = Facts { framework, linking: read, ..Facts::default() };
    derive(&mut facts);
    let Fact::Known(faults) = facts.linking.faults else { panic!("{:?}", facts.linking) };
    faults
}

/// Where the machine's own loader finds a library that a file needs, with links resolved.
fn as_loaded(file: &Path, library_path: &Path, name: &str) -> PathBuf {
    let loader = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
    let loader = loader.into_iter().find(|path| Path::new(path).exists()).expect("glibc's loader");
    let listed = Command::new(loader).arg("--list").arg(file).env("LD_LIBRARY_PATH", library_path).output();
    let listed = String::from_utf8(listed.expect("a list").stdout).expect("UTF-8");
    let line = listed.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(" => "));
    let line = line.unwrap_or_else(|| panic!("{name} in {listed}"));
    Path::new(line.split(' ').next().expect("a path")).canonicalize().expect("a file")
}

fn found(fault: &LinkFault) -> PathBuf {
    Path::new(fault.found.known().expect("a file")).canonicalize().expect("a file")
}

#[test]
fn an_older_nvjitlink_on_the_library_path_is_what_cusparse_gets() {
    let Some(parts) = part("PREFLIGHT_TEST_LINKED") else { return };
    let torch = parts.join("torch");
    assert_eq!(faults(&torch, &[]), [], "all wheels of one release");
    let old = parts.join("nvjitlink/nvidia/nvjitlink/lib");
    let faults = faults(&torch, std::slice::from_ref(&old));
    let [fault] = &faults[..] else { panic!("{faults:#?}") };
    assert_eq!((fault.library.as_str(), fault.problem), ("libnvJitLink.so.12", LinkProblem::NoSymbol));
    assert_eq!(fault.wanted, Fact::Known("__nvJitLinkComplete_12_4".to_owned()));
    assert!(fault.needed_by.ends_with("nvidia/cusparse/lib/libcusparse.so.12"), "{fault:?}");
    let user = Path::new(&fault.needed_by);
    assert_eq!(found(fault), as_loaded(user, &old, "libnvJitLink.so.12"), "the loader's own answer");
    assert_eq!(fault.is_main, Fact::Known(true));
    let order = format!("take {} out of `LD_LIBRARY_PATH`", old.display());
    assert_eq!(fault.mend, Fact::Known(order));
}

/// PyTorch's packages with these of their folders under `nvidia` left out.
fn torch_without(parts: &Path, left_out: &[&str]) -> tempfile::TempDir {
    let (packages, torch) = (tempfile::tempdir().expect("a folder"), parts.join("torch"));
    // Real folders with links to files: `..` in a run path goes to where a folder really is.
    for (from, below) in [("torch", 2), ("nvidia", 3)] {
        link_files(&torch.join(from), &packages.path().join(from), below, left_out);
    }
    packages
}

fn link_files(from: &Path, to: &Path, below: u32, left_out: &[&str]) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if left_out.iter().any(|folder| name == *folder) {
            continue;
        }
        if path.is_dir() {
            if below > 0 {
                link_files(&path, &to.join(name), below - 1, left_out);
            }
        } else {
            symlink(path, to.join(name)).expect("a link");
        }
    }
}

#[test]
fn a_wheel_that_is_not_there_is_missed() {
    let Some(parts) = part("PREFLIGHT_TEST_LINKED") else { return };
    for (folder, library, by) in [
        ("curand", "libcurand.so.10", "libtorch_cuda.so"),
        ("nccl", "libnccl.so.2", "libtorch_cuda.so"),
        ("cusolver", "libcusolver.so.11", "libtorch_cuda_linalg.so"),
        ("cuda_cupti", "libcupti.so.12", "libtorch_cpu.so"),
        ("cuda_nvrtc", "libnvrtc.so.12", "libcaffe2_nvrtc.so"),
        ("nvjitlink", "libnvJitLink.so.12", "libcusparse.so.12"),
    ] {
        let packages = torch_without(&parts, &[folder]);
        let faults = faults(packages.path(), &[]);
        let fault = faults.first().unwrap_or_else(|| panic!("{library} is not missed"));
        assert_eq!((fault.library.as_str(), fault.problem), (library, LinkProblem::Missing));
        assert!(fault.needed_by.ends_with(by), "{fault:?}");
        assert!(faults.iter().all(|fault| fault.library == library), "{faults:#?}");
    }
}

#[test]
fn parts_of_cudnn_that_come_from_another_release_are_told() {
    let Some(parts) = part("PREFLIGHT_TEST_LINKED") else { return };
    let other = parts.join("cudnn/nvidia/cudnn/lib");
    // Without the file that PyTorch asks for by its run path, as Debian's packages divide it.
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(other).expect("a folder").flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        let real = folder.path().join(format!("{name}.5.1"));
        symlink(entry.path(), &real).expect("a link");
    }
    let faults_at = |folder: &Path| faults(&parts.join("torch"), &[folder.to_owned()]);
    assert_eq!(faults_at(folder.path()), [], "names that nobody asks for");
    let faults = faults_at(&parts.join("cudnn/nvidia/cudnn/lib"));
    let fault = faults.first().expect("a fault");
    assert_eq!((fault.library.as_str(), fault.problem), ("libcudnn_graph.so.9", LinkProblem::OtherRelease));
    assert_eq!(fault.wanted, Fact::Known("9.1.0.70".to_owned()));
    assert!(fault.needed_by.contains("/torch/"), "PyTorch's run path comes first: {fault:?}");
}

/// A C++ library that lacks a version: the machine's own with one name of a version changed.
#[test]
fn a_cxx_library_without_a_version_that_is_wanted_is_told_as_the_loader_tells_it() {
    let Some(parts) = part("PREFLIGHT_TEST_LINKED") else { return };
    let user = parts.join("torch/torch/lib/libc10.so");
    let own = as_loaded(&user, Path::new("/nothing"), "libstdc++.so.6");
    let mut bytes = std::fs::read(own).expect("a library");
    let at = bytes.windows(15).position(|part| part == b"GLIBCXX_3.4.19\0").expect("a version");
    bytes[at + 8] = b'9';
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("libstdc++.so.6"), bytes).expect("a file");
    let faults = faults(&parts.join("torch"), &[folder.path().to_owned()]);
    let fault = faults.iter().find(|fault| fault.needed_by.ends_with("libtorch_cuda.so")).expect("a fault");
    assert_eq!((fault.library.as_str(), fault.problem), ("libstdc++.so.6", LinkProblem::NoVersion));
    assert_eq!(fault.wanted, Fact::Known("GLIBCXX_3.4.19".to_owned()));
    assert_eq!(found(fault), as_loaded(&user, folder.path(), "libstdc++.so.6"));
}

#[test]
fn other_frameworks_are_followed_from_their_own_files() {
    let Some(parts) = part("PREFLIGHT_TEST_LINKED") else { return };
    let missed = |name: &str| {
        let mut names: Vec<String> = faults(&parts.join(name), &[]).into_iter().map(|fault| fault.library).collect();
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(missed("onnxruntime-gpu"), ["libcudnn.so.9", "libcufft.so.11", "libcurand.so.10", "libnvrtc.so.12"]);
    let xla = ["libcudnn.so.9", "libcufft.so.11", "libcusolver.so.11", "libcusparse.so.12"];
    assert_eq!(missed("tensorflow"), xla);
    assert_eq!(missed("jax"), xla);
    assert_eq!(missed("ctranslate2-4"), [""; 0], "it brings what it is linked to");
    assert_eq!(missed("ctranslate2-3"), [""; 0]);
    // Beside PyTorch's wheels each finds what it needs, by a run path of its own or by what a program opens before.
    for name in ["onnxruntime-gpu", "tensorflow", "jax"] {
        let both = tempfile::tempdir().expect("a folder");
        link_files(&parts.join(name), both.path(), 4, &[]);
        link_files(&parts.join("torch/nvidia"), &both.path().join("nvidia"), 3, &[]);
        assert_eq!(faults(both.path(), &[]), [], "{name}");
    }
}

#[test]
fn real_wheels_say_whether_they_are_for_cuda() {
    let Some(parts) = part("PREFLIGHT_TEST_LINKED") else { return };
    for (folder, name, is_cuda, major) in [
        ("onnxruntime-gpu", "onnxruntime-gpu", true, Some(12)),
        ("onnxruntime", "onnxruntime", false, None),
        ("tensorflow", "tensorflow", true, Some(12)),
        ("tensorflow-cpu", "tensorflow-cpu", false, None),
        ("jax", "jax-cuda12-plugin", true, Some(12)),
        ("jax", "jaxlib", true, Some(12)),
        ("ctranslate2-4", "ctranslate2", true, Some(12)),
        ("ctranslate2-3", "ctranslate2", true, Some(11)),
    ] {
        let packages = parts.join(folder);
        let environment = vec![("PYTHONPATH".into(), packages.into_os_string())];
        let found = framework::collect(&World::at("/", environment, Duration::from_mins(1)));
        let package = found.packages.known().into_iter().flatten().find(|package| package.name == name);
        let package = package.unwrap_or_else(|| panic!("no {name} in {found:?}"));
        assert_eq!(
            (&package.cuda_build, &package.cuda_major),
            (&Fact::Known(is_cuda), &Fact::present(major)),
            "{name}"
        );
    }
}
