//! The loader's order, and what lies beyond the bounds, on small files made here.

use std::time::Duration;

use super::*;
use crate::probe::elf::tests::image;
use crate::world::FakeRoot;

const SITE: &str = "/opt/venv/lib/python3.12/site-packages";
const RPATH: u64 = 15;
const RUNPATH: u64 = 29;

struct Machine {
    root: FakeRoot,
}

impl Machine {
    /// With PyTorch, whose one library needs libcurand and has this run path.
    fn with_torch(path: Option<(u64, &str)>) -> Self {
        let machine = Self { root: FakeRoot::new() };
        let version = b"__version__ = '2.5.1'\ncuda = '12.4'\n";
        machine
            .file(&format!("{SITE}/torch/version.py"), version)
            .file(&format!("{SITE}/torch/lib/libtorch_cuda.so"), &image("libtorch_cuda.so", &["libcurand.so.10"], path))
    }

    fn file(self, path: &str, bytes: &[u8]) -> Self {
        self.root.file(path, bytes);
        self
    }

    fn library(self, path: &str, needed: &[&str]) -> Self {
        let soname = path.rsplit('/').next().expect("a name").to_owned();
        self.file(path, &image(&soname, needed, None))
    }

    fn env(self, name: &str, value: &str) -> Self {
        Self { root: self.root.env(name, value) }
    }

    fn linking(&self, budget: Duration) -> Linking {
        let framework = Framework {
            torch_version: Fact::Known("2.5.1".to_owned()),
            torch_cuda: Fact::Known("12.4".to_owned()),
            site_packages: Fact::Known(vec![SITE.to_owned()]),
            ..Framework::default()
        };
        collect(&self.root.within(budget), &framework)
    }

    /// Library, how it fails, and what was found.
    fn faults(&self) -> Vec<(String, LinkProblem, Option<String>)> {
        let linking = self.linking(Duration::from_mins(1));
        let faults = linking.faults.known().unwrap_or_else(|| panic!("{linking:?}"));
        let told = |fault: &LinkFault| (fault.library.clone(), fault.problem, fault.found.known().cloned());
        faults.iter().map(told).collect()
    }
}

fn missing(name: &str) -> (String, LinkProblem, Option<String>) {
    (name.to_owned(), LinkProblem::Missing, None)
}

#[test]
fn a_library_is_found_wherever_the_loader_looks() {
    assert_eq!(Machine::with_torch(None).faults(), [missing("libcurand.so.10")]);
    for (folder, path, variable) in [
        ("/own", None, "/own"),
        ("/own", Some((RPATH, "/own")), ""),
        ("/own", Some((RUNPATH, "/own")), ""),
        ("/opt/venv/lib/python3.12/site-packages/torch/lib", Some((RUNPATH, "$ORIGIN")), ""),
        ("/usr/lib", None, ""),
        ("/opt/venv/lib/python3.12/site-packages/nvidia/curand/lib", None, ""),
    ] {
        let machine = Machine::with_torch(path).env("LD_LIBRARY_PATH", variable);
        let found = machine.library(&format!("{folder}/libcurand.so.10"), &[]).faults();
        assert_eq!(found, [], "{folder} {path:?} {variable}");
    }
    let elsewhere = Machine::with_torch(None).library("/usr/local/cuda/lib64/libcurand.so.10", &[]);
    assert_eq!(elsewhere.faults(), [missing("libcurand.so.10")], "no loader looks there");
}

#[test]
fn the_run_path_of_a_user_counts_for_what_its_libraries_need_and_that_of_a_run_path_does_not() {
    for (tag, faults) in [(RPATH, vec![]), (RUNPATH, vec![missing("libx.so.1")])] {
        let machine = Machine::with_torch(Some((tag, "/own")));
        let machine = machine.library("/own/libcurand.so.10", &["libx.so.1"]).library("/own/libx.so.1", &[]);
        assert_eq!(machine.faults(), faults, "{tag}");
    }
}

#[test]
fn what_the_program_or_the_preloading_brings_in_is_there() {
    let python = image("", &["libcurand.so.10"], Some((RPATH, "$ORIGIN/../lib")));
    let machine = Machine::with_torch(None).file("/opt/venv/bin/python3.12", &python);
    assert_eq!(
        machine.library("/opt/venv/lib/libcurand.so.10", &[]).faults(),
        [],
        "conda's python names its libraries"
    );
    let machine = Machine::with_torch(None).library("/own/libcurand.so.10", &[]);
    assert_eq!(machine.env("LD_PRELOAD", "/own/libcurand.so.10").faults(), []);
}

#[test]
fn a_damaged_copy_ends_the_search_and_one_for_another_machine_does_not() {
    let mut foreign = image("libcurand.so.10", &[], None);
    foreign[18] = 8;
    let machine = |bytes: &[u8]| {
        let machine = Machine::with_torch(None).env("LD_LIBRARY_PATH", "/own");
        machine.file("/own/libcurand.so.10", bytes).library("/usr/lib/libcurand.so.10", &[]).faults()
    };
    assert_eq!(machine(&foreign), []);
    let damaged = ("libcurand.so.10".to_owned(), LinkProblem::Damaged, Some("/own/libcurand.so.10".to_owned()));
    assert_eq!(machine(b"no library"), std::slice::from_ref(&damaged));
    let whole = image("libcurand.so.10", &[], None);
    assert_eq!(machine(&whole[..whole.len() / 2]), [damaged]);
}

#[test]
fn another_major_is_named_beside_what_is_missing() {
    let machine = Machine::with_torch(None).library(&format!("{SITE}/nvidia/cu13/lib/libcurand.so.11"), &[]);
    let linking = machine.linking(Duration::from_mins(1));
    let faults = linking.faults.known().expect("faults");
    assert_eq!(faults[0].other_major, Fact::Known(format!("{SITE}/nvidia/cu13/lib/libcurand.so.11")));
}

#[test]
fn what_could_not_be_followed_is_unknown_and_never_well() {
    let whole = Machine::with_torch(None).library("/usr/lib/libcurand.so.10", &[]);
    assert!(whole.linking(Duration::ZERO).faults.is_unknown(), "no time");
    let name = |hub: usize, at: usize| format!("libx{hub}-{at}.so");
    let hubs: Vec<String> = (0..8).map(|hub| format!("libhub{hub}.so")).collect();
    let mut many = Machine::with_torch(None)
        .library("/usr/lib/libcurand.so.10", &hubs.iter().map(String::as_str).collect::<Vec<_>>());
    for (hub, file) in hubs.iter().enumerate() {
        let names: Vec<String> = (0..150).map(|at| name(hub, at)).collect();
        many = many.library(&format!("/usr/lib/{file}"), &names.iter().map(String::as_str).collect::<Vec<_>>());
        many = names.iter().fold(many, |machine, name| machine.library(&format!("/usr/lib/{name}"), &[]));
    }
    let linking = many.linking(Duration::from_mins(10));
    let Fact::Unknown(gap) = &linking.faults else { panic!("{:?} {:?}", linking.file_count, linking.faults) };
    assert!(gap.detail.contains("1024 files"), "{gap}");
}

#[test]
fn without_a_framework_nothing_is_followed() {
    let linking = collect(&FakeRoot::new(), &Framework::default());
    assert_eq!(linking.faults, Fact::Known(Vec::new()));
    assert_eq!(linking.file_count, Fact::Known(0));
}
