//! Packages from outside: the bill of materials, and advisories that are named, indexed, or not there.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::program::fed;

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
    fs::create_dir_all(&package).expect("a folder");
    fs::write(package.join("METADATA"), "Name: preflight-sample\nLicense-Expression: MIT\n").expect("a file");
    let advisory = json!({ "id": "TEST-1", "aliases": ["CVE-1999-0001"], "modified": "2026-01-01T00:00:00Z",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
        "affected": [{ "package": { "ecosystem": "PyPI", "name": "Preflight_Sample" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.1" }] }] }] });
    fs::create_dir(folder.path().join("osv")).expect("a folder");
    fs::write(folder.path().join("osv/one.json"), advisory.to_string()).expect("a file");
    folder
}

fn facts(folder: &tempfile::TempDir, osv: Option<&str>) -> Value {
    let osv = osv.map(|name| format!("--osv={}", folder.path().join(name).display()));
    facts_with(folder, &osv.as_deref().into_iter().collect::<Vec<_>>())
}

fn facts_with(folder: &tempfile::TempDir, asked: &[&str]) -> Value {
    let arguments = [&["facts", "--no-gpu", "--tier", "quick", "--deadline", "60"], asked].concat();
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
        fs::write(&path, facts(&folder, osv).to_string()).expect("a file");
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
fn what_a_document_excuses_gates_nothing_and_the_recording_says_why() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let statement = |name: &str, purl: &str| {
        json!({ "vulnerability": { "name": name }, "products": [{ "@id": purl }], "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path" })
    };
    let write = |statements: &[Value]| {
        let document = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1",
            "author": "A", "version": 1, "timestamp": "2026-01-01T00:00:00Z", "statements": statements });
        fs::write(path("vex.json"), document.to_string()).expect("a file");
    };
    let judged = || {
        let asked = [format!("--osv={}", path("osv")), format!("--vex={}", path("vex.json"))];
        let facts = facts_with(&folder, &asked.each_ref().map(String::as_str));
        fs::write(path("facts.json"), facts.to_string()).expect("a file");
        let only = "--only=image.critical-vulnerabilities-absent";
        let output = preflight(&["judge", &path("facts.json"), "--format=json", only]).output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (code(&output), report["notes"].to_string(), facts["packages"]["vex"].clone())
    };
    let torch = statement("CVE-9", "pkg:pypi/torch");
    write(&[statement("CVE-1999-0001", "pkg:pypi/preflight-sample@1.0"), torch.clone()]);
    let (exit, notes, vex) = judged();
    assert_eq!(exit, 0, "{notes}");
    assert_eq!((&vex["excused_count"], &vex["idle_count"]), (&json!(1), &json!(1)));
    let words = "VEX excuses 1 of the known vulnerabilities: TEST-1 in preflight-sample 1.0 \
                 (vulnerable_code_not_in_execute_path; ";
    assert!(notes.contains(words) && notes.contains("vex.json, statement 1)"), "{notes}");
    assert!(notes.contains("1 of 2 VEX statements excuse nothing: CVE-9"), "{notes}");
    write(&[statement("CVE-1999-0001", "pkg:pypi/preflight-sample@1.1"), torch]);
    let (exit, notes, _) = judged();
    assert!(exit == 1 && notes.contains("2 of 2 VEX statements excuse nothing"), "{exit} {notes}");
}

#[test]
fn the_report_of_a_scanner_gates_as_advisories_do_and_is_told_with_its_time() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let told = json!({ "VulnerabilityID": "CVE-1999-0001", "PkgName": "preflight_sample", "InstalledVersion": "1.0",
        "FixedVersion": "1.1", "Severity": "CRITICAL" });
    let report = json!({ "SchemaVersion": 2, "CreatedAt": "2026-01-02T03:04:05Z", "Trivy": { "Version": "0.69.0" },
        "Results": [{ "Class": "lang-pkgs", "Type": "python-pkg", "Vulnerabilities": [told] }] });
    fs::write(path("report.json"), report.to_string()).expect("a file");
    let facts = facts_with(&folder, &[&format!("--vulnerabilities={}", path("report.json"))]);
    fs::write(path("facts.json"), facts.to_string()).expect("a file");
    let only = "--only=image.critical-vulnerabilities-absent";
    let output = preflight(&["judge", &path("facts.json"), "--format=json", only]).output().expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(code(&output), 1, "{}", errors(&output));
    let message = report["findings"][0]["message"].as_str().expect("a message");
    assert!(message.ends_with("CVE-1999-0001 in preflight-sample 1.0, fixed in 1.1"), "{message}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("those of a report of Trivy 0.69.0, made 2026-01-02T03:04:05Z"), "{notes}");
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
    assert!(!Path::new(&index).exists());
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

/// The bill that these arguments give, and the exit code.
fn bill(arguments: &[&str], config: &Value) -> (i32, Value, String) {
    let output = fed(&mut preflight(&[&["sbom"], arguments].concat()), &config.to_string());
    let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (code(&output), document, errors(&output))
}

#[test]
fn the_bill_of_an_image_that_does_not_run_is_that_from_inside() {
    let folder = folder();
    let site = folder.path().join("site");
    let variables = [("PATH", "/usr/bin:/bin"), ("HOME", "/nowhere"), ("PYTHONPATH", &*site.to_string_lossy())];
    let environment: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let config = json!({ "config": { "Env": environment, "WorkingDir": folder.path() } });
    let mut inside = preflight(&["sbom"]);
    let inside = inside.env_clear().envs(variables).current_dir(folder.path()).output().expect("it runs");
    let (exit, document, why) = bill(&["--root", "/", "--image-config", "-"], &config);
    assert_eq!(exit, code(&inside), "{why}");
    let inside: Value = serde_json::from_slice(&inside.stdout).expect("JSON");
    assert_eq!(document, inside);
    assert!(document.to_string().contains("pkg:pypi/preflight-sample@1.0"));
}

/// An archive in the layout of OCI whose one layer is this folder.
fn layout(folder: &Path, config: &Value) -> tempfile::TempDir {
    let layout = tempfile::tempdir().expect("a folder");
    let blobs = layout.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    let mut layer = tar::Builder::new(Vec::new());
    layer.append_dir_all(".", folder).expect("a layer");
    fs::write(blobs.join("l"), layer.into_inner().expect("a layer")).expect("a file");
    let manifest = json!({ "config": { "digest": "sha256:c" }, "layers": [{ "digest": "sha256:l" }] });
    for (path, document) in [
        (layout.path().join("index.json"), json!({ "manifests": [{ "digest": "sha256:m" }] })),
        (blobs.join("m"), manifest),
        (blobs.join("c"), config.clone()),
    ] {
        fs::write(path, document.to_string()).expect("a file");
    }
    layout
}

#[test]
fn an_archive_and_its_folder_have_one_bill_and_nothing_of_this_machine() {
    let image = folder();
    fs::create_dir_all(image.path().join("etc")).expect("a folder");
    fs::write(image.path().join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").expect("a file");
    let status = image.path().join("var/lib/dpkg");
    fs::create_dir_all(&status).expect("a folder");
    fs::write(status.join("status"), "Package: zsh\nStatus: install ok installed\nVersion: 5.9-4\n").expect("a file");
    let config = json!({ "config": { "Env": ["PYTHONPATH=/site"] } });
    let root = image.path().to_string_lossy().into_owned();
    let (exit, of_folder, why) = bill(&["--root", &root, "--image-config", "-"], &config);
    assert_eq!(exit, 0, "{why}");
    let components = of_folder["components"].as_array().expect("components");
    let purls: Vec<&str> = components.iter().filter_map(|one| one["purl"].as_str()).collect();
    assert_eq!(purls, ["pkg:deb/debian/zsh@5.9-4?distro=debian-12", "pkg:pypi/preflight-sample@1.0"]);
    let archive = layout(image.path(), &config);
    let (exit, of_archive, why) = bill(&["--oci", &archive.path().to_string_lossy()], &Value::Null);
    assert_eq!((exit, &of_archive), (0, &of_folder), "{why}");

    let (exit, open, why) = bill(&["--root", &root], &Value::Null);
    assert_eq!((exit, &open["compositions"][0]["aggregate"]), (2, &json!("incomplete")), "nobody knows PYTHONPATH");
    assert!(why.contains("python") && why.contains("--image-config gives it"), "{why}");
    fs::write(archive.path().join("blobs/sha256/l"), "no tar ".repeat(100)).expect("a file");
    let (exit, none, why) = bill(&["--oci", &archive.path().to_string_lossy()], &Value::Null);
    assert_eq!((exit, none), (2, Value::Null), "a layer that cannot be read");
    assert!(why.contains("layer 1") && why.contains("is no tar archive"), "{why}");
}
