//! Reports as Trivy and Grype write them, of what is here and of something else.

use serde_json::{Value, json};

use super::*;
use crate::world::FakeRoot;

fn package(manager: PackageManager, name: &str, version: &str, source: Option<(&str, &str)>) -> Installed {
    let source = source.map(|(name, version)| (name.to_owned(), version.to_owned()));
    Installed { manager, name: name.to_owned(), version: version.to_owned(), source, ..Installed::default() }
}

/// Debian with two packages of one source, and PyTorch.
fn inventory() -> Inventory {
    Inventory {
        system: "debian".to_owned(),
        system_version: "12".to_owned(),
        packages: vec![
            package(PackageManager::Dpkg, "libc-bin", "2.36-9", Some(("glibc", "2.36-9"))),
            package(PackageManager::Dpkg, "libc6", "2.36-9", Some(("glibc", "2.36-9"))),
            package(PackageManager::Dpkg, "vim", "2:9.0-1", None),
            package(PackageManager::Python, "torch", "2.5.0", None),
        ],
        ..Inventory::default()
    }
}

fn held(report: &Value) -> Answer {
    hold(&FakeRoot::of(&[("report.json", &report.to_string())], &[]), Path::new("/report.json"), &inventory())
}

fn trivy(results: &Value) -> Value {
    json!({ "SchemaVersion": 2, "CreatedAt": "2026-01-02T03:04:05Z", "ArtifactName": "image.tar",
        "Trivy": { "Version": "0.69.0" }, "Results": results })
}

fn of_debian(packages: &Value) -> Value {
    let told = |package: &str| {
        json!({ "VulnerabilityID": "CVE-2023-4911", "VendorIDs": ["DSA-5514-1"], "PkgName": package,
            "InstalledVersion": "2.36-9", "FixedVersion": "2.36-9+deb12u3", "Status": "fixed", "Severity": "HIGH" })
    };
    json!({ "Target": "image.tar (debian 12.5)", "Class": "os-pkgs", "Type": "debian", "Packages": packages,
        "Vulnerabilities": [told("libc-bin"), told("libc6")] })
}

fn of_python() -> Value {
    json!({ "Target": "Python", "Class": "lang-pkgs", "Type": "python-pkg",
        "Vulnerabilities": [{ "VulnerabilityID": "CVE-2025-32434", "PkgName": "Torch", "InstalledVersion": "2.5.0",
            "FixedVersion": "2.6.0", "Severity": "CRITICAL" }] })
}

fn known(answer: &Answer) -> &[Vulnerability] {
    answer.vulnerabilities.known().unwrap_or_else(|| panic!("{:?}", answer.vulnerabilities))
}

fn said(answer: &Answer) -> &Advisories {
    answer.advisories.known().unwrap_or_else(|| panic!("{:?}", answer.advisories))
}

#[test]
fn what_trivy_tells_is_told_in_our_words() {
    let answer = held(&trivy(&json!([of_debian(&Value::Null), of_python()])));
    let [torch, glibc] = known(&answer) else { panic!("{:?}", answer.vulnerabilities) };
    assert_eq!(
        (&*torch.id, &*torch.package, torch.manager, &torch.fixed_in, torch.severity),
        (
            "CVE-2025-32434",
            "torch",
            PackageManager::Python,
            &Fact::Known("2.6.0".to_owned()),
            VulnerabilitySeverity::Critical
        )
    );
    assert_eq!(
        (&*glibc.package, &*glibc.installed, glibc.aliases.as_slice(), glibc.severity),
        ("glibc", "2.36-9", &["DSA-5514-1".to_owned()][..], VulnerabilitySeverity::High),
        "two packages of one source are one"
    );
    let advisories = said(&answer);
    assert_eq!(
        (&advisories.scanner, &advisories.taken),
        (&Fact::Known("Trivy 0.69.0".to_owned()), &Fact::Known("2026-01-02T03:04:05Z".to_owned()))
    );
    assert_eq!(advisories.matched, ["dpkg (Trivy 0.69.0)", "python (Trivy 0.69.0)"]);
    assert!(advisories.unmatched.is_empty() && answer.gap.is_none());
}

#[test]
fn what_trivy_did_not_look_at_is_not_none() {
    let python_alone = held(&trivy(&json!([of_python()])));
    assert_eq!(said(&python_alone).unmatched, ["dpkg: the report says nothing of its packages"]);
    assert_eq!((known(&python_alone).len(), python_alone.gap.is_some()), (1, true));
    let nothing = held(&json!({ "SchemaVersion": 2, "ArtifactName": "x" }));
    assert!(nothing.vulnerabilities.is_unknown());
    let some = json!([{ "Name": "libc6", "Version": "2.36", "Release": "9" }, { "Name": "vim", "Version": "9.0",
        "Release": "1", "Epoch": 2 }]);
    let some = held(&trivy(&json!([of_debian(&some), of_python()])));
    assert_eq!(said(&some).unmatched, ["dpkg: 1 of 3 packages are not in the report, as libc-bin 2.36-9"]);
    assert!(some.gap.is_some());
}

#[test]
fn a_report_of_something_else_accuses_nobody_and_says_so() {
    let other = json!([{ "Class": "os-pkgs", "Type": "debian" },
        { "Class": "lang-pkgs", "Type": "python-pkg", "Vulnerabilities": [{ "VulnerabilityID": "CVE-1", "PkgName": "torch",
            "InstalledVersion": "1.0", "Severity": "CRITICAL" }] }]);
    let answer = held(&trivy(&other));
    assert!(answer.vulnerabilities.is_unknown());
    assert_eq!(said(&answer).unmatched, ["1 packages of the report are not installed here, as torch 1.0"]);
    let told = |name: &str| json!({ "VulnerabilityID": "CVE-1", "PkgName": name, "InstalledVersion": "1.0" });
    let two = json!([{ "Class": "os-pkgs", "Type": "debian" }, { "Class": "lang-pkgs", "Type": "python-pkg",
        "Vulnerabilities": [told("b"), told("a"), told("b"), told("a")] }]);
    assert_eq!(said(&held(&trivy(&two))).unmatched, ["2 packages of the report are not installed here, as a 1.0"]);
    // What nobody reads here is not missed, and not lost.
    let program = json!([{ "Class": "os-pkgs", "Type": "debian" }, { "Class": "lang-pkgs", "Type": "python-pkg" },
        { "Class": "lang-pkgs", "Type": "gobinary", "Vulnerabilities": [{ "VulnerabilityID": "CVE-2",
            "PkgName": "stdlib", "InstalledVersion": "v1.20", "Severity": "UNKNOWN" }] }]);
    let answer = held(&trivy(&program));
    let [one] = known(&answer) else { panic!("{:?}", answer.vulnerabilities) };
    assert_eq!((one.manager, one.severity), (PackageManager::Other, VulnerabilitySeverity::Unrated));
    assert_eq!(one.kind, Fact::Known("golang".to_owned()));
    assert!(answer.gap.is_none());
}

#[test]
fn a_scanner_that_reads_what_is_not_read_here_is_believed() {
    let mut inventory = inventory();
    (inventory.system, inventory.system_version) = ("rocky".to_owned(), "9.3".to_owned());
    inventory.packages.retain(|package| package.manager == PackageManager::Python);
    inventory.note(PackageManager::Rpm, Some(Gap::new(GapKind::NotSupported, "is not read")));
    let held = |results: Value| {
        let root = FakeRoot::of(&[("report.json", &*trivy(&results).to_string())], &[]);
        hold(&root, Path::new("/report.json"), &inventory)
    };
    let rpm = json!({ "Class": "os-pkgs", "Type": "rocky", "Vulnerabilities": [{ "VulnerabilityID": "CVE-3",
        "PkgName": "bash", "InstalledVersion": "5.1", "Severity": "LOW" }] });
    let answer = held(json!([of_python(), rpm]));
    assert!(known(&answer).iter().any(|one| one.manager == PackageManager::Rpm) && answer.gap.is_none());
    assert_eq!(said(&held(json!([of_python()]))).unmatched, ["rpm: the report says nothing of its packages"]);
}

#[test]
fn a_report_of_another_distribution_is_no_answer() {
    let of = |kind: &str, family: &str, name: &str| {
        let mut report = trivy(&json!([{ "Class": "os-pkgs", "Type": kind }, { "Class": "lang-pkgs",
            "Type": "python-pkg", "Packages": [{ "Name": "torch", "Version": "2.5.0" }] },
            { "Class": "lang-pkgs", "Type": "gobinary", "Vulnerabilities": [{ "VulnerabilityID": "CVE-2",
                "PkgName": "stdlib", "InstalledVersion": "v1.20" }] }]));
        report["Metadata"] = json!({ "OS": { "Family": family, "Name": name } });
        held(&report)
    };
    for (kind, family, name, told) in [
        ("debian", "debian", "12.5", ""),
        ("debian", "debian", "12", ""),
        ("debian", "debian", "trixie/sid", ""),
        ("debian", "", "", ""),
        ("debian", "debian", "11.9", "debian 11.9"),
        ("ubuntu", "", "", "ubuntu"),
        ("ubuntu", "ubuntu", "24.04", "ubuntu 24.04"),
        ("alpine", "alpine", "3.20.1", "alpine 3.20.1"),
        ("rocky", "rocky", "9.3", "rocky 9.3"),
    ] {
        let answer = of(kind, family, name);
        let why = format!("dpkg: the report is of {told}, and this is debian 12");
        assert_eq!(said(&answer).unmatched, (!told.is_empty()).then_some(why).as_slice(), "{kind} {name}");
        // A program of another image accuses nobody either.
        assert_eq!(answer.vulnerabilities.is_unknown(), !told.is_empty(), "{kind} {name}");
    }
    let seen = json!([{ "name": "alpine", "version": "3.20" }, { "name": "debian", "version": "11" }]);
    for distro in seen.as_array().expect("distributions") {
        let mut report = grype(distro);
        report["matches"] = json!([]);
        let answer = held(&report);
        assert!(answer.vulnerabilities.is_unknown(), "{distro}");
        // What lists no Python package either may have looked at other ones.
        assert_eq!(said(&answer).unmatched.len(), 2, "{:?}", said(&answer).unmatched);
        // Without a record of the system too.
        let mut inventory = inventory();
        inventory.packages.clear();
        let root = FakeRoot::of(&[("report.json", &*report.to_string())], &[]);
        assert!(hold(&root, Path::new("/report.json"), &inventory).vulnerabilities.is_unknown(), "{distro}");
    }
}

#[test]
fn one_distribution_under_two_names_is_one_and_two_releases_are_two() {
    for (told, here, is_another) in [
        (("redhat", "9.4"), ("rhel", "9.2"), false),
        (("redhat", "8.10"), ("rhel", "9.2"), true),
        (("alma", "9.3"), ("almalinux", "9.3"), false),
        (("amazon", "2 (Karoo)"), ("amzn", "2"), false),
        (("amazonlinux", "2023.3 (Amazon Linux)"), ("amzn", "2"), true),
        (("oracle", "8.9"), ("ol", "8.9"), false),
        (("opensuse.leap", "15.6"), ("opensuse-leap", "15.6"), false),
        (("alpine", "3.20.3"), ("alpine", "3.20.1"), false),
        (("alpine", "3.19.1"), ("alpine", "3.20.1"), true),
        (("ubuntu", "22.04"), ("ubuntu", "22.04"), false),
        (("ubuntu", "22.10"), ("ubuntu", "22.04"), true),
        (("ubuntu", "22.04"), ("", ""), false),
        (("ubuntu", ""), ("ubuntu", "22.04"), false),
    ] {
        let system = System { family: told.0.to_owned(), version: told.1.to_owned() };
        let (system_name, system_version) = (here.0.to_owned(), here.1.to_owned());
        let inventory = Inventory { system: system_name, system_version, ..Inventory::default() };
        assert_eq!(system.is_another(&inventory).is_some(), is_another, "{told:?} {here:?}");
    }
}

#[test]
fn what_a_lock_file_names_is_no_record_of_what_is_installed() {
    let told = |name: &str, version: &str| json!({ "VulnerabilityID": "CVE-2", "PkgName": name, "InstalledVersion": version, "Severity": "CRITICAL" });
    for kind in ["pip", "pipenv", "poetry", "uv", "pylock", "conda-environment"] {
        let lock = json!({ "Class": "lang-pkgs", "Type": kind, "Target": "requirements.txt",
            "Packages": [{ "Name": "torch", "Version": "2.5.0" }], "Vulnerabilities": [told("torch", "1.0")] });
        let answer = held(&trivy(&json!([of_debian(&Value::Null), lock])));
        assert!(known(&answer).iter().all(|one| one.package == "glibc"), "{kind}");
        let unmatched = &said(&answer).unmatched;
        assert!(unmatched.contains(&"python: the report says nothing of its packages".to_owned()), "{unmatched:?}");
        if kind != "conda-environment" {
            let strange = "1 packages of the report are not installed here, as torch 1.0".to_owned();
            assert!(unmatched.contains(&strange), "{kind}: {unmatched:?}");
        }
    }
    // What is installed as the file says has what it has.
    let lock = json!({ "Class": "lang-pkgs", "Type": "pip", "Vulnerabilities": [told("Torch", "2.5.0")] });
    let answer = held(&trivy(&json!([of_debian(&Value::Null), of_python(), lock])));
    assert!(known(&answer).iter().any(|one| one.id == "CVE-2" && one.package == "torch") && answer.gap.is_none());
    // Grype calls it as what is installed, and it is missed alike.
    let mut report = grype(&json!({ "name": "debian", "version": "12" }));
    report["matches"][0]["artifact"] = json!({ "name": "torch", "version": "1.0", "type": "python" });
    assert_eq!(said(&held(&report)).unmatched, ["1 packages of the report are not installed here, as torch 1.0"]);
}

fn grype(distro: &Value) -> Value {
    let one = |id: &str, related: &str, severity: &str, kind: &str, name: &str, version: &str| {
        json!({ "vulnerability": { "id": id, "severity": severity, "fix": { "versions": ["9"], "state": "fixed" } },
            "relatedVulnerabilities": [{ "id": related }],
            "artifact": { "name": name, "version": version, "type": kind } })
    };
    json!({ "matches": [
            one("GHSA-1", "CVE-2025-32434", "Critical", "python", "torch", "2.5.0"),
            one("CVE-2025-32434", "CVE-2025-32434", "High", "python", "torch", "2.5.0"),
            one("CVE-2023-4911", "CVE-2023-4911", "Negligible", "deb", "libc6", "2.36-9")],
        "source": { "type": "image" }, "distro": distro,
        "descriptor": { "name": "grype", "version": "0.104.0", "timestamp": "2026-01-02T03:04:05.6Z" } })
}

#[test]
fn what_grype_tells_is_told_in_our_words_and_a_distribution_that_it_did_not_see_is_open() {
    let answer = held(&grype(&json!({ "name": "debian", "version": "12" })));
    let [torch, glibc] = known(&answer) else { panic!("{:?}", answer.vulnerabilities) };
    assert_eq!((&*torch.id, torch.aliases.as_slice()), ("GHSA-1", &["CVE-2025-32434".to_owned()][..]));
    assert_eq!((torch.severity, &torch.fixed_in), (VulnerabilitySeverity::Critical, &Fact::Known("9".to_owned())));
    assert_eq!((&*glibc.package, glibc.severity), ("glibc", VulnerabilitySeverity::Low));
    assert_eq!(said(&answer).scanner, Fact::Known("Grype 0.104.0".to_owned()));
    assert!(said(&answer).unmatched.is_empty() && answer.gap.is_none());
    for distro in [Value::Null, json!({ "name": "", "version": "" })] {
        let answer = held(&grype(&distro));
        assert_eq!(said(&answer).unmatched, ["dpkg: the report names no distribution"]);
        assert!(answer.gap.is_some());
    }
    // What it says itself that it left out may be anything.
    let mut report = grype(&json!({ "name": "debian", "version": "12" }));
    report["descriptor"]["configuration"] = json!({ "only-fixed": false, "only-notfixed": true });
    assert!(held(&report).gap.is_some_and(|gap| gap.detail.contains("only of those that have a fix")));
    report["ignoredMatches"] = json!([{}, {}]);
    assert!(held(&report).gap.is_some_and(|gap| gap.detail.contains("left out 2 of its matches")));
}

#[test]
fn of_an_image_without_packages_a_report_that_looked_at_nothing_is_no_answer() {
    let gap = |results: &Value| {
        let scan = trivy::read(trivy(results).to_string().as_bytes()).expect("a report");
        answer(scan, &Inventory::default()).gap
    };
    assert!(gap(&json!([])).is_some());
    assert!(gap(&json!([{ "Class": "secret" }])).is_some(), "secrets are no packages");
    let program = json!([{ "Class": "lang-pkgs", "Type": "gobinary", "Packages": [{ "Name": "stdlib" }] }]);
    assert_eq!(gap(&program), None, "a static program was looked at");
}

#[test]
fn what_is_no_report_is_refused_with_the_reason() {
    for (text, why) in [
        ("", "EOF while parsing"),
        ("[1, 2]", "report.json: "),
        ("{}", "is no report of Trivy or Grype"),
        (r#"{ "matches": [] }"#, "is no report of Trivy or Grype"),
        (r#"{ "SchemaVersion": 1 }"#, "form 1"),
        (r#"{ "SchemaVersion": 2, "Results": [{ "Vulnerabilities": [{ "PkgName": "x" }] }] }"#, "VulnerabilityID"),
        (r#"{ "bomFormat": "CycloneDX" }"#, "is no report"),
    ] {
        let root = FakeRoot::of(&[("report.json", text)], &[]);
        let gap = seen(&root, Path::new("/report.json")).expect_err(text);
        assert!(gap.kind == GapKind::Malformed && gap.detail.contains(why), "{text}: {gap}");
    }
    assert!(
        seen(&FakeRoot::of(&[], &[]), Path::new("/report.json")).is_err_and(|gap| gap.detail.contains("no such file"))
    );
    let deep = "[".repeat(100_000);
    let root = FakeRoot::of(&[("report.json", &*format!("{{\"SchemaVersion\": 2, \"Results\": {deep}"))], &[]);
    assert!(seen(&root, Path::new("/report.json")).is_err());
}
