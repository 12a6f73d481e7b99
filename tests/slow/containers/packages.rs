//! What is handed out, installed where people would: the .deb and the wheel in containers, the .rpm under another root, the
//! archive as it unpacks, the carrier image copied from; and the bill of materials by a validator of others.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::sbom::verdict;
use crate::support::docker::{BASE, DEV, Image, OLD, Recipe, available, text};
use crate::support::real_parts::skip;

/// Everything that `packaging/dist` makes of the program under test, without what only a debugger reads.
fn dist() -> &'static Path {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("gpu-preflight");
        done(Command::new("strip").arg("-o").arg(&program).arg(env!("CARGO_BIN_EXE_gpu-preflight")));
        make(&program, &folder.path().join("dist"));
        folder
    })
    .path()
}

fn make(program: &Path, into: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/dist");
    done(Command::new(script).arg(program).arg(into).env("SOURCE_DATE_EPOCH", "1700000000"));
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// The one file of what was made that ends so.
fn made(end: &str) -> PathBuf {
    let folder = dist().join("dist");
    let files = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    let [file] = files.as_slice() else { panic!("{end}: {files:?}") };
    file.clone()
}

fn version() -> String {
    let output = done(Command::new(env!("CARGO_BIN_EXE_gpu-preflight")).arg("--version"));
    text(&output.stdout)
}

/// Runs a script in a container of `image` with everything that was made under /dist, and no network.
fn in_container(image: &str, script: &str) -> String {
    let recipe = Recipe::plain(image).mount(&dist().join("dist"), "/dist").with(["--network", "none"]);
    let output = recipe.run(&["sh", "-ec", script]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_deb_installs_in_a_current_and_in_an_old_userland() {
    if !available() {
        return;
    }
    for image in [BASE, OLD] {
        let said = in_container(
            image,
            "dpkg -i /dist/*.deb >/dev/null; dpkg --verify gpu-preflight; /usr/bin/gpu-preflight --version; \
             dpkg -L gpu-preflight; dpkg -r gpu-preflight >/dev/null; test ! -e /usr/bin/gpu-preflight",
        );
        assert!(said.starts_with(&version()), "{image}: {said}");
        for file in ["/usr/share/bash-completion/completions/gpu-preflight", "doc/gpu-preflight/THIRD-PARTY-LICENSES"] {
            assert!(said.contains(file), "{image}: {said}");
        }
    }
}

#[test]
fn the_wheel_installs_by_pip_and_goes_without_a_trace() {
    if !available() {
        return;
    }
    let said = in_container(
        DEV,
        "python3 -m venv /tmp/v; /tmp/v/bin/pip install -q --no-index /dist/*.whl; /tmp/v/bin/gpu-preflight --version; \
         /tmp/v/bin/pip show -f gpu-preflight; /tmp/v/bin/pip uninstall -q -y gpu-preflight; \
         test ! -e /tmp/v/bin/gpu-preflight",
    );
    assert!(said.starts_with(&version()), "{said}");
    assert!(said.contains("Name: gpu-preflight") && said.contains("share/man/man1/gpu-preflight.1.gz"), "{said}");
}

#[test]
fn the_rpm_installs_and_says_what_it_holds() {
    if Command::new("rpm").arg("--version").output().is_err()
        || Command::new("rpmbuild").arg("--version").output().is_err()
    {
        skip("no rpm here (package rpm)");
        return;
    }
    let (package, root) = (made(".rpm"), tempfile::tempdir().expect("a folder"));
    done(Command::new("rpm").args(["--install", "--nodeps", "--root"]).arg(root.path()).arg(&package));
    let installed = root.path().join("usr/bin/gpu-preflight");
    assert_eq!(text(&done(Command::new(installed).arg("--version")).stdout), version());
    let verified =
        done(Command::new("rpm").args(["--verify", "--nodeps", "--root"]).arg(root.path()).arg("gpu-preflight"));
    assert_eq!(text(&verified.stdout), "");
    let asked = text(&done(Command::new("rpm").args(["-qi", "--requires", "-p"]).arg(&package)).stdout);
    assert!(asked.contains("glibc >= 2.17") && asked.contains("Apache-2.0"), "{asked}");
}

#[test]
fn the_archive_unpacks_into_one_folder_and_the_carrier_gives_the_program() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    done(Command::new("tar").arg("-xzf").arg(made(".tar.gz")).arg("-C").arg(folder.path()));
    let entries: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    let [unpacked] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(text(&done(Command::new(unpacked.join("bin/gpu-preflight")).arg("--version")).stdout), version());

    let carrier = Image::build(&dist().join("dist/carrier"));
    let image = tempfile::tempdir().expect("a folder");
    let dockerfile = format!("FROM {BASE}\nCOPY --from={} /gpu-preflight /opt/\n", carrier.name);
    std::fs::write(image.path().join("Dockerfile"), dockerfile).expect("written");
    let image = Image::build(image.path());
    let output = Recipe::plain(&image.name).run(&["/opt/gpu-preflight", "--version"]);
    assert_eq!(text(&output.stdout), version());
}

#[test]
fn the_same_program_gives_the_same_bytes_and_the_sums_are_right() {
    let again = tempfile::tempdir().expect("a folder");
    make(&dist().join("gpu-preflight"), &again.path().join("dist"));
    let sums = |folder: &Path| std::fs::read_to_string(folder.join("dist/SHA256SUMS")).expect("sums");
    assert_eq!(sums(dist()), sums(again.path()));
    done(Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(dist().join("dist")));
}

#[test]
fn the_bill_of_materials_is_valid_and_names_what_is_linked_in() {
    let bill = std::fs::read_to_string(made(".cdx.json")).expect("a bill");
    if let Some(verdict) = verdict(&bill) {
        assert_eq!(verdict, Ok(()));
    }
    let bill: Value = serde_json::from_str(&bill).expect("JSON");
    let names: Vec<&str> =
        bill["components"].as_array().expect("components").iter().filter_map(|one| one["name"].as_str()).collect();
    let has = |name: &&str| names.contains(name);
    assert!(["clap", "nvml-wrapper", "serde_json"].iter().all(has), "{names:?}");
    assert!(!["proptest", "cel", "clap_mangen", "serde_derive"].iter().any(has), "only what is linked in: {names:?}");
}
