//! Advisories as they are published, as nobody would publish them, and more of them than are read.

use std::io::Write;

use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;
use crate::facts::{Installed, PackageManager, VulnerabilitySeverity};
use crate::world::FakeRoot;

/// GHSA-47fc-vmwq-366v and PYSEC-2022-43015, two advisories of one vulnerability, as far as they are read.
fn torch() -> [Value; 2] {
    [
        json!({ "id": "PYSEC-2022-43015", "modified": "2023-05-04T04:30:00Z", "aliases": ["CVE-2022-45907"], "affected": [{
            "package": { "name": "torch", "ecosystem": "PyPI" },
            "ranges": [
                { "type": "GIT", "repo": "https://example.org", "events": [{ "introduced": "0" }, { "fixed": "767f6a" }] },
                { "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.13.1" }] },
            ],
            "versions": ["1.0.0", "1.12.0"] }] }),
        json!({ "id": "GHSA-47fc-vmwq-366v", "modified": "2024-11-19T16:00:00Z",
            "aliases": ["CVE-2022-45907", "PYSEC-2022-43015"],
            "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
            "affected": [{ "package": { "name": "Torch", "ecosystem": "PyPI" },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.13.1" }] }] }] }),
    ]
}

/// One of a Debian release.
fn debian(id: &str, release: &str, events: &Value) -> Value {
    json!({ "id": id, "modified": "2025-01-01T00:00:00Z", "affected": [{
        "package": { "name": "openssl", "ecosystem": format!("Debian:{release}") },
        "ecosystem_specific": { "urgency": "low" },
        "ranges": [{ "type": "ECOSYSTEM", "events": events }] }] })
}

fn package(manager: PackageManager, name: &str, version: &str) -> Installed {
    Installed { manager, name: name.to_owned(), version: version.to_owned(), ..Installed::default() }
}

fn inventory(packages: &[Installed]) -> Inventory {
    let (system, system_version) = ("debian".to_owned(), "12".to_owned());
    Inventory { system, system_version, packages: packages.to_vec(), ..Inventory::default() }
}

fn export(advisories: &[Value]) -> FakeRoot {
    let root = FakeRoot::of(&[("osv/", "")], &[]);
    for (at, advisory) in advisories.iter().enumerate() {
        root.file(&format!("osv/PyPI/{at}.json"), advisory.to_string());
    }
    root
}

fn held(root: &FakeRoot, packages: &[Installed]) -> Answer {
    hold(root, Path::new("/osv"), &inventory(packages))
}

fn ids(answer: &Answer) -> Vec<String> {
    answer
        .vulnerabilities
        .known()
        .unwrap_or_else(|| panic!("{:?}", answer.vulnerabilities))
        .iter()
        .map(|one| one.id.clone())
        .collect()
}

fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive.start_file(name.as_str(), SimpleFileOptions::default()).expect("an entry");
        archive.write_all(bytes).expect("bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

fn python(version: &str) -> [Installed; 1] {
    [package(PackageManager::Python, "torch", version)]
}

#[test]
fn an_old_torch_is_hit_once_and_a_fixed_one_is_not() {
    let root = export(&torch());
    for version in ["1.12.0", "1.12.0+cu116", "1.13.1rc1", "1.13.1.dev20221201", "0.4.1"] {
        let answer = held(&root, &python(version));
        let [one] = answer.vulnerabilities.known().expect("a list").as_slice() else { panic!("{version}") };
        assert_eq!(
            (one.id.as_str(), one.severity),
            ("GHSA-47fc-vmwq-366v", VulnerabilitySeverity::Critical),
            "{version}"
        );
        assert_eq!(one.aliases, ["CVE-2022-45907", "PYSEC-2022-43015"]);
        assert_eq!(one.fixed_in, Fact::Known("1.13.1".to_owned()));
    }
    for version in ["1.13.1", "1.13.1+cu117", "1.13.1.post1", "2.7.0", "1!0.1"] {
        assert_eq!(ids(&held(&root, &python(version))), [""; 0], "{version}");
    }
    let advisories = held(&root, &python("2.7.0")).advisories;
    let advisories = advisories.known().expect("advisories");
    assert_eq!((advisories.count, advisories.matched.as_slice()), (2, &["python (PyPI)".to_owned()][..]));
    assert_eq!(advisories.newest, Fact::Known("2024-11-19T16:00:00Z".to_owned()));
}

#[test]
fn debian_packages_are_held_by_their_source_against_their_release() {
    let root = export(&[
        debian("FIXED", "12", &json!([{ "introduced": "0" }, { "fixed": "3.0.11-1~deb12u3" }])),
        debian("UNFIXED", "12", &json!([{ "introduced": "3.0" }])),
        debian("OTHER", "11", &json!([{ "introduced": "0" }])),
        debian("LATER", "12", &json!([{ "introduced": "1:0" }])),
        debian(
            "BETWEEN",
            "12",
            &json!([{ "fixed": "4" }, { "introduced": "0" }, { "fixed": "1.1" }, { "introduced": "3.0.11-1~" }]),
        ),
        debian("BEFORE", "12", &json!([{ "introduced": "0" }, { "last_affected": "3.0.10-9" }])),
    ]);
    let libssl = |version: &str| {
        let source = Some(("openssl".to_owned(), version.to_owned()));
        [Installed { source, ..package(PackageManager::Dpkg, "libssl3", version) }]
    };
    let answer = held(&root, &libssl("3.0.11-1~deb12u2"));
    assert_eq!(ids(&answer), ["BETWEEN", "FIXED", "UNFIXED"]);
    let all = answer.vulnerabilities.known().expect("a list");
    assert_eq!((all[0].package.as_str(), all[0].severity), ("openssl", VulnerabilitySeverity::Low));
    let fixes: Vec<_> = all.iter().map(|one| one.fixed_in.known().map(String::as_str)).collect();
    assert_eq!(fixes, [Some("4"), Some("3.0.11-1~deb12u3"), None]);
    assert_eq!(ids(&held(&root, &libssl("3.0.11-1~deb12u3"))), ["BETWEEN", "UNFIXED"]);
}

#[test]
fn what_was_withdrawn_and_what_the_system_mends_is_no_finding() {
    let [mut one, _] = torch();
    one["withdrawn"] = json!("2024-01-01T00:00:00Z");
    assert_eq!(ids(&held(&export(&[one]), &python("1.12.0"))), [""; 0]);
    let of_debian = Installed { brought_by: Some(PackageManager::Dpkg), ..python("1.12.0")[0].clone() };
    let answer = held(&export(&torch()), &[of_debian, package(PackageManager::Python, "other", "1")]);
    assert_eq!(ids(&answer), [""; 0]);
    let of_conda = Installed { brought_by: Some(PackageManager::Conda), ..python("1.12.0")[0].clone() };
    assert_eq!(ids(&held(&export(&torch()), &[of_conda])).len(), 1);
}

#[test]
fn whose_packages_were_not_looked_at_is_said() {
    let all =
        [PackageManager::Dpkg, PackageManager::Apk, PackageManager::Conda].map(|manager| package(manager, "x", "1"));
    let unmatched =
        |packages: &[Installed]| held(&export(&torch()), packages).advisories.known().expect("some").unmatched.clone();
    let said = unmatched(&all);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].contains("Debian:12"), "{said:?}");
    // Of nothing that was compared nobody says that it is whole.
    assert!(held(&export(&torch()), &all).vulnerabilities.is_unknown());
    assert!(unmatched(&python("2.7.0")).is_empty());
}

#[test]
fn versions_and_advisories_that_make_no_sense_leave_it_open() {
    let root = export(&torch());
    assert!(held(&root, &python("legacy build 7")).vulnerabilities.is_unknown());
    root.file("osv/PyPI/9.json", "{ not JSON").file("osv/readme.txt", "x");
    let answer = held(&root, &python("2.7.0"));
    assert!(answer.vulnerabilities.is_unknown());
    assert_eq!(ids(&held(&root, &python("1.12.0"))).len(), 1, "what was found was found");
    for strange in [
        json!({ "id": "A", "affected": [{ "package": { "name": "torch", "ecosystem": "PyPI" }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "?" }] }] }] }),
        json!({ "id": "B", "affected": [{ "package": { "name": "torch", "ecosystem": "PyPI" }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "sideways": "1" }] }] }] }),
        json!([1, 2]),
    ] {
        assert!(
            held(&export(std::slice::from_ref(&strange)), &python("2.7.0")).vulnerabilities.is_unknown(),
            "{strange}"
        );
    }
    for empty in [
        json!({ "id": "C" }),
        json!({ "id": "D", "affected": null, "aliases": null }),
        json!({ "id": "E", "affected": [{}] }),
    ] {
        let root = export(&[empty, torch()[0].clone()]);
        assert_eq!(ids(&held(&root, &python("2.7.0"))), [""; 0]);
    }
}

#[test]
fn an_archive_a_folder_and_an_index_give_one_answer() {
    let advisories: Vec<Value> =
        torch().into_iter().chain([debian("D", "12", &json!([{ "introduced": "0" }]))]).collect();
    let root = export(&advisories);
    let entries = advisories.iter().enumerate().map(|(at, one)| (format!("{at}.json"), one.to_string().into_bytes()));
    root.file("all.zip", zip(&entries.collect::<Vec<_>>()));
    let Ok(read) = read_all(&root, Path::new("/all.zip")) else { panic!("an archive") };
    root.file("index", index_text(read));
    let packages = [python("1.12.0")[0].clone(), package(PackageManager::Dpkg, "openssl", "1")];
    let answers = ["/osv", "/all.zip", "/index"].map(|path| hold(&root, Path::new(path), &inventory(&packages)));
    for answer in &answers {
        assert_eq!(ids(answer), ["GHSA-47fc-vmwq-366v", "D"]);
        assert_eq!(answer.advisories, answers[0].advisories);
        assert_eq!(answer.vulnerabilities, answers[0].vulnerabilities);
    }
    // What is cut off is no index.
    let Fact::Known(text) = root.read("/index") else { panic!("an index") };
    for broken in [
        &text[..text.len() - 9],
        &text[..60],
        "{\"schema\":\"gpu-preflight/osv-index/1\"",
        &format!("{text}x\n"),
        &format!("{text}PyPI torch {{}}\n"),
    ] {
        root.file("broken", broken);
        assert!(hold(&root, Path::new("/broken"), &inventory(&packages)).advisories.is_unknown(), "{broken}");
    }
}

#[test]
fn what_is_no_export_says_what_it_is_not() {
    let root = FakeRoot::of(&[("text", "hello"), ("empty/", ""), ("none", "")], &[]);
    root.link("loop", "loop").link("empty/again", "../empty");
    root.file("cut.zip", &zip(&[("a.json".to_owned(), b"{}".to_vec())])[..40]);
    for (path, word) in [
        ("/text", "is no export"),
        ("/none", "is no export"),
        ("/nothing", "there is no such"),
        ("/empty", "no advisory"),
        ("/cut.zip", "cut.zip"),
    ] {
        let Fact::Unknown(gap) = hold(&root, Path::new(path), &inventory(&[])).vulnerabilities else {
            panic!("{path}")
        };
        assert!(gap.detail.contains(word), "{path}: {gap}");
    }
    assert!(hold(&root, Path::new("/loop"), &inventory(&[])).vulnerabilities.is_unknown());
}

#[test]
fn an_archive_that_grows_and_one_without_end_are_given_up_and_said() {
    let root = FakeRoot::with_budget(Duration::from_mins(2), &[]);
    root.file("bomb.zip", zip(&[("a.json".to_owned(), vec![b' '; 64 << 20])]));
    let Fact::Unknown(gap) = hold(&root, Path::new("/bomb.zip"), &inventory(&[])).advisories else { panic!("a bomb") };
    assert!(gap.detail.contains("longer than is read"), "{gap}");
    root.file("million.zip", a_million_entries());
    let Fact::Unknown(gap) = hold(&root, Path::new("/million.zip"), &inventory(&[])).advisories else { panic!("many") };
    assert!(gap.detail.contains("1000000 entries"), "{gap}");
}

/// A directory of a million entries without names, and nothing else.
fn a_million_entries() -> Vec<u8> {
    const COUNT: u64 = 1_000_000;
    let mut entry = [0_u8; 46];
    entry[..4].copy_from_slice(b"PK\x01\x02");
    let mut bytes = entry.repeat(usize::try_from(COUNT).expect("a count"));
    let size = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0]);
    bytes.extend([0; 8]);
    for number in [COUNT, COUNT, size, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07");
    bytes.extend([0; 4]);
    bytes.extend(size.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(b"PK\x05\x06");
    bytes.extend([0; 4]);
    bytes.extend([0xff; 12]);
    bytes.extend([0; 2]);
    bytes
}

#[test]
fn how_bad_it_is_comes_from_the_vector_then_from_the_word() {
    let severity = |change: &dyn Fn(&mut Value)| {
        let [mut one, _] = torch();
        change(&mut one);
        held(&export(&[one]), &python("1.12.0")).vulnerabilities.known().expect("a list")[0].severity
    };
    let vector = |text: &str| {
        let text = text.to_owned();
        severity(&|one| {
            one["severity"] = json!([{ "type": "CVSS", "score": text }]);
            one["database_specific"] = json!({ "severity": "MODERATE" });
        })
    };
    assert_eq!(severity(&|_| {}), VulnerabilitySeverity::Unrated);
    assert_eq!(vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"), VulnerabilitySeverity::High);
    assert_eq!(vector("CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"), VulnerabilitySeverity::Low);
    let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H";
    assert_eq!(vector(four), VulnerabilitySeverity::Critical);
    assert_eq!(vector("nonsense"), VulnerabilitySeverity::Medium);
    assert_eq!(
        severity(&|one| one["affected"][0]["severity"] = json!([{ "score": four }])),
        VulnerabilitySeverity::Critical
    );
}
