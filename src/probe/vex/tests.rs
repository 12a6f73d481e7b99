//! Documents of VEX: what each statement takes away, what it leaves, and what is refused.

use serde_json::{Value, json};

use super::*;
use crate::facts::{Fact, Installed, PackageManager};

fn found(manager: PackageManager, id: &str, aliases: &[&str], package: &str, installed: &str) -> Vulnerability {
    let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    let (id, package, installed) = (id.to_owned(), package.to_owned(), installed.to_owned());
    Vulnerability { id, aliases, package, manager, installed, ..Vulnerability::default() }
}

fn torch() -> Vulnerability {
    found(PackageManager::Python, "GHSA-1", &["CVE-1", "PYSEC-1"], "torch", "2.7.0+cu126")
}

fn inventory() -> Inventory {
    let package = |manager, name: &str, version: &str, source: Option<(&str, &str)>| Installed {
        manager,
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: (manager == PackageManager::Dpkg).then(|| "amd64".to_owned()),
        source: source.map(|(name, version)| (name.to_owned(), version.to_owned())),
        ..Installed::default()
    };
    Inventory {
        system: "debian".to_owned(),
        system_version: "12".to_owned(),
        packages: vec![
            package(PackageManager::Dpkg, "libssl3", "3.0.11-1", Some(("openssl", "3.0.11-1"))),
            package(PackageManager::Dpkg, "libc6", "2.36", Some(("glibc", "2.36"))),
            package(PackageManager::Dpkg, "libc-bin", "2.36", Some(("glibc", "2.36"))),
            package(PackageManager::Python, "torch", "2.7.0+cu126", None),
        ],
        ..Inventory::default()
    }
}

fn document(statements: &[Value]) -> String {
    let text = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex", "author": "A",
        "timestamp": "2026-01-01T00:00:00Z", "version": 1, "statements": statements });
    text.to_string()
}

/// `not_affected`, for the shortest reason.
fn excuse_of(name: &str, products: &Value) -> Value {
    json!({ "vulnerability": { "name": name }, "products": products, "status": "not_affected",
        "justification": "component_not_present" })
}

/// What is left of these, and what is said.
fn left(statements: &[Value], mut all: Vec<Vulnerability>) -> (Vec<String>, Vex) {
    let statements = read("vex.json", &document(statements)).unwrap_or_else(|mistake| panic!("{mistake:?}"));
    let vex = excuse(&statements, &inventory(), &mut all);
    (all.into_iter().map(|one| one.id).collect(), vex)
}

fn is_excused(name: &str, products: &Value, one: Vulnerability) -> bool {
    left(&[excuse_of(name, products)], vec![one]).0.is_empty()
}

#[test]
fn a_statement_excuses_what_it_names_and_says_why() {
    let other = found(PackageManager::Python, "GHSA-2", &["CVE-2"], "torch", "2.7.0+cu126");
    let statement = excuse_of("CVE-1", &json!([{ "@id": "pkg:pypi/Torch@2.7.0%2Bcu126" }]));
    let (ids, vex) = left(&[statement], vec![torch(), other]);
    assert_eq!((ids, vex.statement_count, vex.excused_count, vex.idle_count), (vec!["GHSA-2".to_owned()], 1, 1, 0));
    let [one] = vex.excused.as_slice() else { panic!("{vex:?}") };
    assert_eq!(
        (&*one.id, &*one.package, &*one.reason, &*one.statement),
        ("GHSA-1", "torch", "component_not_present", "vex.json, statement 1")
    );
}

#[test]
fn the_vulnerability_is_known_by_each_of_its_names_and_one_of_several_is_not_all() {
    let torch_by = json!([{ "@id": "pkg:pypi/torch" }]);
    for (name, excused) in [("GHSA-1", true), ("CVE-1", true), ("PYSEC-1", true), ("CVE-11", false), ("cve-1", false)] {
        assert_eq!(is_excused(name, &torch_by, torch()), excused, "{name}");
    }
    let aliased = json!({ "vulnerability": { "name": "SNYK-1", "aliases": ["CVE-1"] }, "products": torch_by,
        "status": "fixed" });
    assert_eq!(left(&[aliased], vec![torch()]).0, [""; 0]);
    let debian = found(PackageManager::Dpkg, "DEBIAN-CVE-2023-1", &[], "openssl", "3.0.11-1");
    assert!(is_excused("CVE-2023-1", &json!([{ "@id": "pkg:deb/debian/openssl" }]), debian));
    // One advisory for two: each has to be excused, or the advisory by its name.
    let openssl = json!([{ "@id": "pkg:deb/debian/openssl" }]);
    let both = || vec![found(PackageManager::Dpkg, "DSA-1", &["CVE-1", "CVE-2"], "openssl", "3.0.11-1")];
    assert_eq!(left(&[excuse_of("CVE-1", &openssl)], both()).0, ["DSA-1"]);
    let (ids, vex) = left(&[excuse_of("CVE-1", &openssl), excuse_of("CVE-2", &openssl)], both());
    assert_eq!((ids.len(), vex.idle_count), (0, 0), "{vex:?}");
    assert_eq!(left(&[excuse_of("DSA-1", &openssl)], both()).0, [""; 0]);
    // What is said of one of them later counts against what was said of the advisory.
    let dated = |name: &str, status: &str, timestamp: &str| {
        json!({ "vulnerability": { "name": name }, "products": openssl, "status": status,
            "justification": "component_not_present", "timestamp": timestamp })
    };
    let advisory = dated("DSA-1", "not_affected", "2025-06-01T00:00:00Z");
    for (at, ids) in [("2025-06-02T00:00:00Z", 1), ("2025-05-01T00:00:00Z", 0)] {
        assert_eq!(left(&[advisory.clone(), dated("CVE-1", "affected", at)], both()).0.len(), ids, "{at}");
    }
}

#[test]
fn the_package_is_known_by_its_address_alone() {
    let openssl = || found(PackageManager::Dpkg, "CVE-1", &[], "openssl", "3.0.11-1");
    for (purl, excused) in [
        ("pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=debian-12.5", true),
        ("pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12", true),
        ("pkg:DEB/Debian/openssl@3.0.11-1?epoch=0", true),
        ("pkg:deb/openssl", true),
        ("pkg:deb/debian/openssl@3.0.11-2", false),
        ("pkg:deb/debian/openssl@3.0.11-1?epoch=1", false),
        ("pkg:deb/debian/openssl?epoch=1", false),
        ("pkg:deb/ubuntu/openssl@3.0.11-1", false),
        ("pkg:deb/debian/openssl@3.0.11-1?distro=debian-11", false),
        ("pkg:deb/debian/openssl@3.0.11-1?distro=debian-120", false),
        ("pkg:deb/debian/libssl3@3.0.11-1?arch=arm64", false),
        ("pkg:deb/debian/openssl?repository_url=example.org", false),
        ("pkg:deb/debian/openssl#apps", false),
        ("pkg:rpm/debian/openssl@3.0.11-1", false),
        ("pkg:deb/debian/openss", false),
        ("openssl", false),
        ("pkg:deb/debian/openssl@%zz", false),
    ] {
        assert_eq!(is_excused("CVE-1", &json!([{ "@id": purl }]), openssl()), excused, "{purl}");
    }
    let by_identifier =
        json!([{ "@id": "https://example.org/x", "identifiers": { "purl": "pkg:deb/debian/openssl" } }]);
    assert!(is_excused("CVE-1", &by_identifier, openssl()));
    // What has no architecture that is known is of none that is asked for.
    assert!(is_excused("CVE-1", &json!([{ "@id": "pkg:pypi/torch" }]), torch()));
    assert!(!is_excused("CVE-1", &json!([{ "@id": "pkg:pypi/torch?arch=s390x" }]), torch()));
    // Of two packages that are built from one source, one is not the source.
    let glibc = || found(PackageManager::Dpkg, "CVE-1", &[], "glibc", "2.36");
    assert!(!is_excused("CVE-1", &json!([{ "@id": "pkg:deb/debian/libc6@2.36" }]), glibc()));
    assert!(is_excused("CVE-1", &json!([{ "@id": "pkg:deb/debian/glibc@2.36" }]), glibc()));
}

#[test]
fn what_only_a_scanner_reads_is_known_by_the_name_that_it_gives() {
    for (purl, kind, package, excused) in [
        ("pkg:golang/github.com/x/y@v1.20", "golang", "github.com/x/y", true),
        ("pkg:golang/github.com/azure/sdk@v1.20", "golang", "github.com/Azure/SDK", true),
        ("pkg:golang/github.com/Azure/SDK@v1.20", "golang", "github.com/Azure/SDK", true),
        ("pkg:maven/org.apache/log4j", "maven", "org.apache:log4j", true),
        ("pkg:maven/org.Apache/log4j", "maven", "org.apache:log4j", false),
        ("pkg:golang/stdlib@v1.20", "golang", "stdlib", true),
        ("pkg:golang/stdlib@v1.21", "golang", "stdlib", false),
        ("pkg:golang/github.com/x/y", "golang", "y", false),
        ("pkg:pypi/stdlib", "golang", "stdlib", false),
        ("pkg:npm/lodash", "npm", "lodash", true),
        ("pkg:gem/lodash", "npm", "lodash", false),
        ("pkg:npm/%40babel/core", "npm", "@babel/core", true),
        ("pkg:npm/lodash", "", "lodash", false),
    ] {
        let mut other = found(PackageManager::Other, "CVE-1", &[], package, "v1.20");
        other.kind = Fact::present((!kind.is_empty()).then(|| kind.to_owned()));
        assert_eq!(is_excused("CVE-1", &json!([{ "@id": purl }]), other), excused, "{purl} {kind}");
    }
}

#[test]
fn a_part_counts_in_an_image_and_an_image_without_parts_names_no_package() {
    let part =
        |product: &str| json!([{ "@id": product, "subcomponents": [{ "@id": "pkg:pypi/torch@2.7.0%2Bcu126" }] }]);
    for image in ["pkg:oci/my-image@sha256%3Aabc?repository_url=example.org/my-image", "https://example.org/my-image"] {
        assert!(is_excused("CVE-1", &part(image), torch()), "{image}");
        assert!(!is_excused("CVE-1", &json!([{ "@id": image }]), torch()), "{image}");
    }
    assert!(!is_excused("CVE-1", &part("pkg:pypi/other"), torch()), "a part of another package is none of its own");
    // What is open may be any product: a CPE, an address that cannot be read, one without a name.
    let part = json!([{ "@id": "pkg:pypi/torch" }]);
    let (oci, cpe) = ("pkg:oci/my-image", "cpe:2.3:a:python:pillow:1.0:*:*:*:*:*:*:*");
    for (product, excused) in [
        (json!({ "identifiers": { "purl": oci }, "subcomponents": part }), true),
        (json!({ "@id": "urn:uuid:1", "identifiers": { "purl": oci, "cpe23": null }, "subcomponents": part }), true),
        (json!({ "@id": cpe, "subcomponents": part }), false),
        (json!({ "identifiers": { "cpe23": cpe }, "subcomponents": part }), false),
        (json!({ "@id": "https://example.org/x", "identifiers": { "cpe23": cpe }, "subcomponents": part }), false),
        (json!({ "@id": "pkg:pypi/pillow@%zz", "subcomponents": part }), false),
        (json!({ "@id": "pkg:oci", "subcomponents": part }), false),
        (json!({ "@id": "pillow", "subcomponents": part }), false),
        (json!({ "@id": "", "subcomponents": part }), false),
        (json!({ "identifiers": {}, "subcomponents": part }), false),
        (json!({ "subcomponents": part }), false),
    ] {
        assert_eq!(is_excused("CVE-1", &json!([product]), torch()), excused, "{product}");
    }
    let with_part = json!([{ "@id": "pkg:pypi/torch", "subcomponents": [{ "@id": "pkg:generic/protobuf" }] }]);
    assert!(is_excused("CVE-1", &with_part, torch()));
}

#[test]
fn the_newest_statement_counts_and_of_two_of_one_time_the_one_that_excuses_nothing() {
    let said = |status: &str, timestamp: &str| {
        json!({ "vulnerability": { "name": "CVE-1" }, "products": [{ "@id": "pkg:pypi/torch" }], "status": status,
            "justification": "component_not_present", "timestamp": timestamp })
    };
    let (older, newer) = ("2025-06-01T00:30:00+02:00", "2025-06-01T00:00:00Z");
    let one = |statements: &[Value]| left(statements, vec![torch()]).0.len();
    for status in ["affected", "under_investigation"] {
        assert_eq!(one(&[said(status, older)]), 1, "{status} changes nothing");
        assert_eq!(one(&[said(status, older), said("not_affected", newer)]), 0);
        assert_eq!(one(&[said("not_affected", older), said(status, newer)]), 1);
        assert_eq!(one(&[said(status, newer), said("fixed", newer)]), 1);
    }
}

#[test]
fn what_excuses_nothing_is_said_with_the_reason() {
    let statements = [
        excuse_of("CVE-9", &json!([{ "@id": "pkg:pypi/torch" }])),
        excuse_of("CVE-1", &json!([{ "@id": "pkg:pypi/torch@2.6.0" }])),
        excuse_of("PYSEC-1", &json!([{ "@id": "pkg:pypi/torch" }])),
        json!({ "vulnerability": { "name": "CVE-1" }, "products": [{ "@id": "pkg:pypi/torch" }], "status": "affected",
            "timestamp": "2027-01-01T00:00:00Z" }),
    ];
    let (ids, vex) = left(&statements, vec![torch()]);
    assert_eq!((ids.len(), vex.statement_count, vex.excused_count), (1, 4, 0));
    assert_eq!(
        vex.idle,
        [
            "CVE-9 (vex.json, statement 1): no such vulnerability was found",
            "CVE-1 (vex.json, statement 2): it names none of the packages that have it, as torch 2.7.0+cu126",
            "PYSEC-1 (vex.json, statement 3): another statement decides",
        ]
    );
}

#[test]
fn a_document_that_makes_no_sense_is_refused_with_its_place() {
    let refused = |text: &str| read("vex.json", text).err().unwrap_or_else(|| panic!("{text} was read"));
    assert_eq!(refused("{\n  \"@context\": 1 }").place, Some((2, 15)));
    assert!(refused(&document(&[]).replace("openvex.dev", "example.org")).message.contains("is no OpenVEX document"));
    assert_eq!(refused(&document(&[])).message, "has no statement");
    let torch = json!([{ "@id": "pkg:pypi/torch" }]);
    let with = |change: Value| {
        let mut statement = excuse_of("CVE-1", &torch);
        for (key, value) in change.as_object().expect("changes") {
            statement[key] = value.clone();
        }
        refused(&document(&[excuse_of("CVE-2", &torch), statement])).message
    };
    for (change, why) in [
        (json!({ "status": "harmless" }), "statement 2: `harmless` is no status"),
        (json!({ "justification": "trust_me" }), "statement 2: `trust_me` is no justification"),
        (json!({ "justification": null }), "statement 2: not_affected needs a justification"),
        (json!({ "justification": null, "impact_statement": " " }), "statement 2: not_affected needs"),
        (json!({ "products": [] }), "statement 2: it names no product"),
        (json!({ "products": null }), "statement 2: it names no product"),
        (json!({ "vulnerability": { "name": "" } }), "statement 2: its vulnerability has no name"),
        (json!({ "timestamp": "yesterday" }), "statement 2: `yesterday` is no time"),
        (json!({ "products": vec![torch[0].clone(); 2000] }), "statement 2: it lists more than"),
    ] {
        let message = with(change);
        assert!(message.starts_with(why), "{why}: {message}");
    }
    assert!(refused(&document(&vec![excuse_of("CVE-1", &torch); STATEMENTS_MAX + 1])).message.contains("more than"));
}

#[test]
fn long_documents_of_large_images_take_no_longer_than_both_together() {
    let count = 2000;
    let package = |number: usize| Installed {
        manager: PackageManager::Dpkg,
        name: format!("p{number}"),
        version: "1".to_owned(),
        ..Installed::default()
    };
    let inventory =
        Inventory { system: "debian".to_owned(), packages: (0..count).map(package).collect(), ..Inventory::default() };
    let all = |number: usize| found(PackageManager::Dpkg, &format!("CVE-{number}"), &[], &format!("p{number}"), "1");
    // The last names what nobody has.
    let statement =
        |number: usize| excuse_of(&format!("CVE-{number}"), &json!([{ "@id": format!("pkg:deb/debian/p{number}") }]));
    let statements: Vec<Value> = (1..=count).map(statement).collect();
    let statements = read("vex.json", &document(&statements)).unwrap_or_else(|mistake| panic!("{mistake:?}"));
    let mut left: Vec<Vulnerability> = (0..count).map(all).collect();
    let begin = std::time::Instant::now();
    let vex = excuse(&statements, &inventory, &mut left);
    // Each against each, with a walk through what is installed, is minutes.
    assert!(begin.elapsed() < std::time::Duration::from_secs(20), "{:?}", begin.elapsed());
    assert_eq!((left.len(), vex.excused_count, vex.idle_count), (1, count as u64 - 1, 1));
}
