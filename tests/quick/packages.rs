//! Packages from outside: the bill of materials, and advisories that are named, indexed, or not there.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn preflight(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(arguments).stdin(Stdio::null()).env_remove("SOURCE_DATE_EPOCH");
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with a Python package, and an export with an advisory of it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("site/preflight_sample-1.0.dist-info");
    std::fs::create_dir_all(&package).expect("a folder");
    std::fs::write(package.join("METADATA"), "Name: preflight-sample\nLicense-Expression: MIT\n").expect("a file");
    let advisory = json!({ "id": "TEST-1", "aliases": ["CVE-1999-0001"], "modified": "2026-01-01T00:00:00Z",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
        "affected": [{ "package": { "ecosystem": "PyPI", "name": "Preflight_Sample" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.1" }] }] }] });
    std::fs::create_dir(folder.path().join("osv")).expect("a folder");
    std::fs::write(folder.path().join("osv/one.json"), advisory.to_string()).expect("a file");
    folder
}

fn facts(folder: &tempfile::TempDir, osv: Option<&str>) -> Value {
    let osv = osv.map(|name| format!("--osv={}", folder.path().join(name).display()));
    let fixed = ["facts", "--no-gpu", "--tier", "quick", "--deadline", "60"];
    let arguments: Vec<&str> = fixed.into_iter().chain(osv.as_deref()).collect();
    let output = preflight(&arguments).env("PYTHONPATH", folder.path().join("site")).output().expect("it runs");
    assert_eq!(code(&output), 0, "{}", errors(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn advisories_are_read_from_an_export_or_its_index_and_without_them_nobody_looked() {
    let folder = folder();
    let index = folder.path().join("index");
    let export = folder.path().join("osv");
    let arguments = ["osv-index", &export.to_string_lossy(), "--output", &index.to_string_lossy()];
    let output = preflight(&arguments).output().expect("it runs");
    assert_eq!(code(&output), 0, "{}", errors(&output));
    for named in ["osv", "index"] {
        let facts = facts(&folder, Some(named));
        let all = facts["packages"]["vulnerabilities"].as_array().unwrap_or_else(|| panic!("{}", facts["packages"]));
        let one = all.iter().find(|one| one["package"] == "preflight-sample").unwrap_or_else(|| panic!("{all:?}"));
        assert_eq!(
            (&one["id"], &one["severity"], &one["fixed_in"]),
            (&json!("TEST-1"), &json!("critical"), &json!("1.1"))
        );
    }
    let unasked = facts(&folder, None);
    assert_eq!(unasked["packages"]["vulnerabilities"], json!({ "unknown": "not-asked" }));
}

#[test]
fn nobody_is_blamed_or_left_open_for_advisories_that_were_not_named() {
    let folder = folder();
    let findings = |osv: Option<&str>, check: &str| {
        let path = folder.path().join("facts.json");
        std::fs::write(&path, facts(&folder, osv).to_string()).expect("a file");
        let output = preflight(&["judge", &path.to_string_lossy(), "--format", "json", "--only", "image", "--verbose"]);
        let output = { output }.output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let all = report["findings"].as_array().expect("findings");
        all.iter().find(|one| one["check"] == check).expect("a finding")["outcome"].clone()
    };
    let check = "image.critical-vulnerabilities-absent";
    assert_eq!(findings(None, check), "not-applicable");
    assert_eq!(findings(Some("osv"), check), "fails");
}

#[test]
fn an_export_that_is_none_is_a_mistake_in_the_configuration() {
    let folder = folder();
    let index = folder.path().join("index").to_string_lossy().into_owned();
    let empty = folder.path().join("site").to_string_lossy().into_owned();
    for (export, word) in
        [("/nothing/at/all", "there is no such"), ("/proc/self/status", "is no export"), (&*empty, "holds no advisory")]
    {
        let output = preflight(&["osv-index", export, "--output", &index]).output().expect("it runs");
        assert_eq!(code(&output), 78, "{export}");
        assert!(errors(&output).contains(word), "{}", errors(&output));
    }
    assert!(!std::path::Path::new(&index).exists());
}

#[test]
fn a_bill_is_the_same_twice_and_has_the_time_that_it_is_given() {
    let folder = folder();
    let bill = |epoch: &str| {
        let mut command = preflight(&["sbom"]);
        command.env("PYTHONPATH", folder.path().join("site")).env("SOURCE_DATE_EPOCH", epoch);
        command.output().expect("it runs")
    };
    let first = bill("0");
    assert!([0, 2].contains(&code(&first)), "{}", errors(&first));
    assert_eq!(first.stdout, bill("0").stdout);
    let document: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!(document["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
    let components = document["components"].as_array().expect("components");
    let own = components.iter().find(|one| one["purl"] == "pkg:pypi/preflight-sample@1.0").expect("our package");
    assert_eq!(own["licenses"], json!([{ "expression": "MIT" }]));
    assert_eq!(code(&bill("yesterday")), 64);
}
