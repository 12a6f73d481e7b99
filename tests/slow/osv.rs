//! The real advisories of PyPI, by our matcher and by one that is written in Python with `packaging`, which pip has.
//!
//! `PREFLIGHT_TEST_OSV` names OSV's export, `PREFLIGHT_TEST_CYCLONEDX` a Python that has pip.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gpu_preflight::facts::{Fact, Installed, Inventory, PackageManager};
use gpu_preflight::probe::{advisories, packages};
use gpu_preflight::world::World;

use crate::support::docker::text;
use crate::support::real_parts::{part, part_if_had};

/// Takes versions of the packages that advisories speak of, and says of each which advisories are right about it.
const MATCHER: &str = r#"
import json, sys, zipfile
from pip._vendor.packaging.utils import canonicalize_name
from pip._vendor.packaging.version import InvalidVersion, Version

def read(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None

def affected(entry, version):
    if any(read(one) == version for one in entry.get("versions", [])):
        return True
    for found in entry.get("ranges", []):
        if found["type"] == "GIT":
            continue
        key = lambda event: Version("0.dev0") if "0" in event.values() else Version(next(iter(event.values())))
        vulnerable = False
        for event in sorted(found["events"], key=key):
            if "introduced" in event and (event["introduced"] == "0" or version >= Version(event["introduced"])):
                vulnerable = True
            if "fixed" in event and version >= Version(event["fixed"]):
                vulnerable = False
            if "last_affected" in event and version > Version(event["last_affected"]):
                vulnerable = False
        if vulnerable:
            return True
    return False

by_name = {}
archive = zipfile.ZipFile(sys.argv[1])
for name in archive.namelist():
    advisory = json.loads(archive.read(name))
    if not advisory.get("withdrawn"):
        for entry in advisory.get("affected", []):
            by_name.setdefault(canonicalize_name(entry["package"]["name"]), []).append((advisory["id"], entry))
for name in sorted(by_name)[:700]:
    known = {v for _, entry in by_name[name] for v in entry.get("versions", []) if read(v)}
    known |= {v for _, entry in by_name[name] for r in entry.get("ranges", []) if r["type"] != "GIT"
              for event in r["events"] for v in event.values() if v != "0" and read(v)}
    ordered = sorted(known, key=Version)
    for version in dict.fromkeys(ordered[i] for i in (0, len(ordered) // 2, -1) if ordered):
        try:
            hits = [id for id, entry in by_name[name] if affected(entry, Version(Version(version).public))]
        except InvalidVersion:
            continue
        print(json.dumps([name, version, hits]))
"#;

#[test]
fn a_matcher_of_others_finds_the_same() {
    let (Some(export), Some(python)) = (part_if_had("PREFLIGHT_TEST_OSV"), part("PREFLIGHT_TEST_CYCLONEDX")) else {
        return;
    };
    let output = Command::new(python).args(["-c", MATCHER]).arg(&export).output().expect("Python starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let cases: Vec<(String, String, BTreeSet<String>)> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    assert!(cases.len() >= 1300, "{}", cases.len());
    let world = World::at("/", Vec::new(), Duration::from_mins(2));
    let package = |(name, version, _): &(String, String, BTreeSet<String>)| Installed {
        manager: PackageManager::Python,
        name: name.clone(),
        version: version.clone(),
        ..Installed::default()
    };
    let inventory = Inventory { packages: cases.iter().map(package).collect(), ..Inventory::default() };
    let answer = advisories::hold(&world, &export, &inventory);
    let Fact::Known(found) = answer.vulnerabilities else { panic!("{:?}", answer.vulnerabilities) };
    let mut ours: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for one in found {
        let names = ours.entry((one.package, one.installed)).or_default();
        names.extend(one.aliases.into_iter().chain([one.id]));
    }
    let mut hits = 0;
    for (name, version, theirs) in cases {
        let ours = ours.remove(&(name.clone(), version.clone())).unwrap_or_default();
        let ours: BTreeSet<&String> =
            ours.iter().filter(|id| id.starts_with("PYSEC") || id.starts_with("MAL")).collect();
        let theirs: BTreeSet<&String> =
            theirs.iter().filter(|id| id.starts_with("PYSEC") || id.starts_with("MAL")).collect();
        assert_eq!(ours, theirs, "{name} {version}");
        hits += theirs.len();
    }
    assert!(hits >= 500, "{hits}");
}

#[test]
fn torch_1_12_is_hit_and_torch_2_7_is_not() {
    let Some(export) = part_if_had("PREFLIGHT_TEST_OSV") else { return };
    let hit = |version: &str| {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join(format!("usr/local/lib/python3.11/dist-packages/torch-{version}.dist-info"));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("METADATA"), "Name: torch\n").expect("a file");
        let world = World::at(root.path(), Vec::new(), Duration::from_mins(2));
        let found = packages::collect(&world, Some(&packages::Sought::of(Path::new(&export), false, None)));
        let all = found.vulnerabilities.known().expect("vulnerabilities");
        all.iter().any(|one| one.aliases.contains(&"CVE-2022-45907".to_owned()))
    };
    assert!(hit("1.12.0") && hit("1.12.0+cu116"));
    assert!(!hit("2.7.0") && !hit("1.13.1+cu117"));
}
