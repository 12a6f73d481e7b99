//! The records of package managers, as they are, as nobody would write them, and more of them than are read.

use super::*;
use crate::facts::{Installed, Licence};
use crate::world::FakeRoot;

const SITE: &str = "opt/venv/lib/python3.12/site-packages";
const STATUS: &str = "Package: libc6\nStatus: install ok installed\nInstalled-Size: 12986\nArchitecture: amd64\n\
                      Source: glibc\nVersion: 2.36-9+deb12u10\nDescription: GNU C Library\n Version: not this one\n\n\
                      Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                      Package: vim-tiny\nStatus: hold ok installed\nInstalled-Size: 1755\nArchitecture: amd64\n\
                      Source: vim (2:9.0.1378-2+deb12u2)\nVersion: 2:9.0.1378-2+b1\nDepends: vim-common (= 2:9), libc6 (>= 2.34) | musl:any\n\n\
                      Package: vim-common\nStatus: install ok installed\nVersion: 2:9\nInstalled-Size: 10\nArchitecture: all\n\n\
                      Package: man-db\nStatus: install ok installed\nVersion: 2.11\nArchitecture: amd64\nInstalled-Size: 20\n\n\
                      Package: needs-man\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nDepends: man-db\n";

fn root(files: &[(&str, &str)]) -> FakeRoot {
    FakeRoot::of(files, &[("VIRTUAL_ENV", "/opt/venv")])
}

fn packages(root: &FakeRoot) -> Packages {
    collect(root, None)
}

fn only(packages: &Packages) -> &ManagedPackages {
    let [only] = packages.managers.known().expect("managers").as_slice() else { panic!("{packages:?}") };
    only
}

fn named<'a>(inventory: &'a Inventory, name: &str) -> &'a Installed {
    inventory.packages.iter().find(|package| package.name == name).unwrap_or_else(|| panic!("{name}: {inventory:?}"))
}

#[test]
fn dpkg_says_what_is_installed_and_how_large() {
    let root = root(&[("var/lib/dpkg/status", STATUS), ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")]);
    let found = packages(&root);
    let managed = only(&found);
    assert_eq!((managed.manager, managed.count.known()), (PackageManager::Dpkg, Some(&5)));
    assert_eq!(managed.installed_bytes, Fact::Known((12986 + 1755 + 10 + 20) * 1024));
    assert_eq!(found.largest.known().map(|largest| largest[0].name.as_str()), Some("libc6"));
    assert!(found.system_changed_seconds.known().is_some());
    let inventory = inventory(&root);
    assert_eq!((inventory.system.as_str(), inventory.system_version.as_str()), ("debian", "12"));
    let of = |name: &str| (named(&inventory, name).version.clone(), named(&inventory, name).source.clone());
    let source = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
    assert_eq!(of("libc6"), ("2.36-9+deb12u10".to_owned(), source("glibc", "2.36-9+deb12u10")));
    assert_eq!(of("vim-tiny"), ("2:9.0.1378-2+b1".to_owned(), source("vim", "2:9.0.1378-2+deb12u2")));
}

#[test]
fn distroless_images_have_a_file_for_each_package() {
    let root = root(&[
        ("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n"),
        ("var/lib/dpkg/status.d/base.md5sums", "Package: no\nVersion: 1\n"),
    ]);
    assert_eq!(only(&packages(&root)).count, Fact::Known(1));
}

#[test]
fn apk_says_what_is_installed_and_how_large() {
    let text = "C:Q1\nP:musl\nV:1.2.5-r1\nA:x86_64\nS:1\nI:667648\nL:MIT\no:musl\n\n\
                P:nano\nV:8\nA:x86_64\nI:1000\nL:GPL-3.0-or-later\no:nano\nD:so:libc.musl-x86_64.so.1\n";
    let root = root(&[("lib/apk/db/installed", text)]);
    let found = packages(&root);
    assert_eq!(only(&found).installed_bytes, Fact::Known(668_648));
    assert_eq!(found.needless.known().map(|found| found[0].name.as_str()), Some("nano"));
    let musl = named(&inventory(&root), "musl").clone();
    assert_eq!(musl.licence, Some(Licence::Named("MIT".to_owned())));
}

#[test]
fn a_database_of_rpm_is_never_none() {
    let root = root(&[("var/lib/rpm/rpmdb.sqlite", "SQLite format 3")]);
    let found = packages(&root);
    assert_eq!(only(&found).manager, PackageManager::Rpm);
    assert!(only(&found).count.is_unknown() && found.needless.is_unknown() && found.largest.is_unknown());
    let empty = packages(&self::root(&[]));
    assert_eq!((empty.managers, empty.needless), (Fact::Known(Vec::new()), Fact::Known(Vec::new())));
}

#[test]
fn python_packages_have_the_sizes_of_their_own_files_and_spdx_licences() {
    let record = "torch/__init__.py,sha256=x,1000\n\"torch/a,b.py\",sha256=y,24\n../../etc/shadow,sha256=z,4000\n\
                  /etc/passwd,,5\ntorch-2.7.0.dist-info/RECORD,,\nbroken,,-1\n";
    let metadata = "Metadata-Version: 2.4\nName: torch\nLicense-Expression: BSD-3-Clause\n\nLicense-Expression: MIT\n";
    let root = root(&[
        (&format!("{SITE}/torch-2.7.0.dist-info/RECORD"), record),
        (&format!("{SITE}/torch-2.7.0.dist-info/METADATA"), metadata),
        (&format!("{SITE}/Old_Egg-1.5-py3.12.egg-info/PKG-INFO"), "Name: Old-Egg\nLicense: MIT\n"),
        (&format!("{SITE}/working.copy.egg-info/PKG-INFO"), "Name: working.copy\nVersion: 0.1.dev3\n"),
    ]);
    let found = packages(&root);
    assert_eq!((&only(&found).count, &only(&found).installed_bytes), (&Fact::Known(3), &Fact::Known(1024)));
    let inventory = inventory(&root);
    assert_eq!(named(&inventory, "torch").licence, Some(Licence::Expression("BSD-3-Clause".to_owned())));
    assert_eq!(named(&inventory, "old-egg").licence, Some(Licence::Named("MIT".to_owned())));
    assert_eq!(named(&inventory, "working-copy").version, "0.1.dev3");
}

#[test]
fn what_another_manager_installed_is_counted_there() {
    let root = root(&[
        ("var/lib/dpkg/status", STATUS),
        ("usr/lib/python3/dist-packages/six-1.16.egg-info", "Name: six\nLicense: MIT\n"),
        (
            "opt/conda/conda-meta/numpy-2.2.1-py312_0.json",
            r#"{"channel": "https://conda.anaconda.org/conda-forge/linux-64", "subdir": "linux-64", "license": "BSD-3-Clause", "paths_data": {"paths": [{"size_in_bytes": 7}, {"size_in_bytes": 5}, {}]}}"#,
        ),
        ("opt/conda/lib/python3.12/site-packages/numpy-2.2.1.dist-info/INSTALLER", "conda\n"),
        ("opt/conda/lib/python3.12/site-packages/numpy-2.2.1.dist-info/RECORD", "a,,100\n"),
        ("opt/conda/lib/python3.12/site-packages/own-1.dist-info/INSTALLER", "pip\n"),
        ("opt/conda/lib/python3.12/site-packages/own-1.dist-info/RECORD", "a,,100\n"),
    ]);
    let found = packages(&root);
    let sizes: Vec<_> = found.managers.known().expect("managers").iter().collect();
    let of = |manager| sizes.iter().find(|one| one.manager == manager).map(|one| (&one.count, &one.installed_bytes));
    assert_eq!(of(PackageManager::Python), Some((&Fact::Known(1), &Fact::Known(100))));
    assert_eq!(of(PackageManager::Conda), Some((&Fact::Known(1), &Fact::Known(12))));
    let inventory = inventory(&root);
    let six = named(&inventory, "six");
    assert_eq!((six.brought_by, &six.licence), (Some(PackageManager::Dpkg), &Some(Licence::Named("MIT".to_owned()))));
    let conda = inventory.of(PackageManager::Conda).next().expect("numpy");
    assert_eq!(conda.build, Some(("py312_0".to_owned(), "conda-forge".to_owned())));
}

#[test]
fn needless_is_what_the_table_names_and_nobody_requires() {
    let root = root(&[
        ("var/lib/dpkg/status", STATUS),
        (&format!("{SITE}/matplotlib-3.10.dist-info/METADATA"), "Name: matplotlib\n"),
        (&format!("{SITE}/seaborn-0.13.dist-info/METADATA"), "Name: seaborn\nRequires-Dist: matplotlib>=3.4\n"),
        (&format!("{SITE}/pytest-8.dist-info/METADATA"), "Name: pytest\n"),
        (&format!("{SITE}/serving-1.dist-info/METADATA"), "Name: serving\nRequires-Dist: pytest ; extra == \"test\"\n"),
    ]);
    let names = |packages: &Packages| -> Vec<String> {
        packages.needless.known().expect("a list").iter().map(|one| one.name.clone()).collect()
    };
    let found = packages(&root);
    assert_eq!(names(&found), ["vim-tiny", "vim-common", "matplotlib", "pytest", "seaborn"]);
    assert_eq!(found.needless_bytes, Fact::Known((1755 + 10) * 1024));
    root.file(&format!("{SITE}/serving-1.dist-info/METADATA"), "Name: serving\nRequires-Dist: Matplotlib (>=3)\n");
    assert_eq!(names(&packages(&root)), ["vim-tiny", "vim-common", "pytest", "seaborn"], "serving plots");
}

#[test]
fn copies_are_files_of_the_same_bytes_and_no_links() {
    let bytes = vec![7_u8; 3 << 20];
    let mut other = bytes.clone();
    other[1 << 20] = 8;
    other[(3 << 20) - 1] = 8;
    let root = root(&[]);
    root.file(&format!("{SITE}/nvidia/cublas/lib/libcublas.so.12"), &bytes)
        .file("usr/local/cuda-12.6/lib64/libcublas.so.12.6.4.1", &bytes)
        .file("usr/local/cuda-12.6/lib64/libcublasLt.so.12.6.4.1", &bytes)
        .file(&format!("{SITE}/nvidia/cublas/lib/libcublasLt.so.12"), &other)
        .file("usr/local/cuda-12.6/lib64/libcudart.so.12.6.77", "small")
        .file("usr/local/cuda-12.6/compat/libcudart.so.12.6.77", "small")
        .file("opt/conda/lib/libstdc++.so.6", &bytes)
        .link("usr/local/cuda", "cuda-12.6")
        .link("usr/local/cuda-12.6/lib64/libcublas.so.12", "libcublas.so.12.6.4.1");
    let found = packages(&root);
    let [copies] = found.library_copies.known().expect("copies").as_slice() else { panic!("{found:?}") };
    assert_eq!((copies.name.as_str(), copies.file_bytes, copies.paths.len()), ("libcublas", 3 << 20, 2));
    assert_eq!(found.library_copies_bytes, Fact::Known(3 << 20));
    assert_eq!(found.needless, Fact::Known(Vec::new()));
}

#[test]
fn of_folders_that_cannot_be_looked_into_nobody_says_that_they_hold_no_copy() {
    let root = root(&[("usr/local/cuda/lib64/libcublas.so.12", "small")]);
    let copies = |world: &World| collect(world, None).library_copies;
    assert_eq!(copies(&root), Fact::Known(Vec::new()));
    let closed = World::clone(&root).leaving_out(vec![root.path().join("usr/local/cuda/lib64")], "is closed");
    assert!(copies(&closed).is_unknown());
}

#[test]
fn hostile_records_are_bounded_and_said() {
    let root = root(&[("opt/venv/lib/python3.12/site-packages/", "")]);
    // A hole of a gigabyte: what is not read costs nothing.
    let huge = root.path().join(format!("{SITE}/huge-1.dist-info"));
    root.file(&format!("{SITE}/huge-1.dist-info/METADATA"), "Name: huge\nLicense-Expression: MIT\n\n");
    for name in ["METADATA", "RECORD"] {
        let file =
            std::fs::File::options().create(true).truncate(false).write(true).open(huge.join(name)).expect("a file");
        file.set_len(1 << 30).expect("a hole");
    }
    root.file(&format!("{SITE}/bytes-1.dist-info/METADATA"), [0xff, 0xfe, b'\n', 0, 0xff]);
    root.link(&format!("{SITE}/loop-1.dist-info"), "loop-1.dist-info");
    root.link(&format!("{SITE}/away-1.dist-info"), "/");
    let inventory = inventory(&root);
    assert_eq!(named(&inventory, "huge").licence, Some(Licence::Expression("MIT".to_owned())));
    assert_eq!(inventory.packages.len(), 4);
    let found = packages(&root);
    assert_eq!(only(&found).installed_bytes, Fact::Absent, "a record that is too long says nothing");
    // Fields without end hide who requires what.
    root.file(&format!("{SITE}/pytest-8.dist-info/METADATA"), "Name: pytest\n");
    assert_eq!(packages(&root).needless.known().map(Vec::len), Some(1));
    root.file(&format!("{SITE}/endless-1.dist-info/METADATA"), "Requires-Dist: a\n".repeat(20_000));
    assert!(packages(&root).needless.is_unknown());
    // A record of dpkg that is too long is a gap, and so is a loop in its place.
    root.folder("var/lib/dpkg");
    let status = std::fs::File::create(root.path().join("var/lib/dpkg/status")).expect("a file");
    status.set_len(1 << 30).expect("a hole");
    let found = packages(&root);
    let managers = found.managers.known().expect("managers");
    assert!(managers[0].count.is_unknown() && found.needless.is_unknown(), "{found:?}");
}

#[test]
fn twenty_thousand_packages_are_read_and_more_than_are_listed_are_said() {
    let root = FakeRoot::with_budget(Duration::from_mins(1), &[]);
    let status = |count: usize| {
        let one = |at: usize| format!("Package: p{at}\nStatus: install ok installed\nVersion: 1\n\n");
        (0..count).map(one).collect::<Vec<_>>().concat()
    };
    root.file("var/lib/dpkg/status", status(20_000));
    assert_eq!(only(&packages(&root)).count, Fact::Known(20_000));
    root.file("var/lib/dpkg/status", status(PACKAGES_MAX + 1));
    let found = packages(&root);
    let Fact::Unknown(gap) = &only(&found).count else { panic!("a gap") };
    assert!(gap.detail.contains("50000"), "{gap}");
}

#[test]
fn times_that_somebody_set_are_none() {
    let root = root(&[("var/lib/dpkg/status", STATUS)]);
    let file = std::fs::File::options().write(true).open(root.path().join("var/lib/dpkg/status")).expect("a file");
    file.set_modified(std::time::UNIX_EPOCH).expect("a time");
    assert!(packages(&root).system_changed_seconds.is_absent());
}
