//! Lists the catalogue: every `checks/**/*.toml` by the id that its path gives, and every `room.toml` by its folder.
//!
//! The folder is the one list of checks; this only writes down what stands in it. Checks and rooms are written a second
//! time as one JSON text each, checks without their examples, because that is read many times faster at every start.

#![allow(clippy::disallowed_methods)] // a build script has no World

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("checks");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut checks = Vec::new();
    let mut rooms = Vec::new();
    let mut profiles = Vec::new();
    for room in entries(&root).into_iter().filter(|path| path.is_dir()) {
        println!("cargo::rerun-if-changed={}", room.display());
        for file in entries(&room).into_iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
            println!("cargo::rerun-if-changed={}", file.display());
            let (folder, state) = (stem(&room), stem(&file));
            if folder == "profiles" {
                profiles.push((state, file));
            } else if state == "room" {
                rooms.push((folder, file));
            } else {
                checks.push((format!("{folder}.{state}"), file));
            }
        }
    }
    let mut code = String::new();
    writeln!(code, "pub const CHECKS_JSON: &str = {:?};", json(&checks)).expect("memory");
    writeln!(code, "pub const ROOMS_JSON: &str = {:?};", json(&rooms)).expect("memory");
    for (name, list) in [("CHECKS", checks), ("ROOMS", rooms), ("PROFILES", profiles)] {
        writeln!(code, "pub const {name}: &[(&str, &str)] = &[").expect("memory");
        for (id, file) in list {
            writeln!(code, "    ({id:?}, include_str!({:?})),", file.display().to_string()).expect("memory");
        }
        writeln!(code, "];").expect("memory");
    }
    version(&root);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("catalogue.rs"), code).expect("the build folder is writable");
}

/// What `--version` says: the version, the commit where whoever packages it names one, and how old the reference tables are.
fn version(checks: &Path) {
    println!("cargo::rerun-if-env-changed=GPU_PREFLIGHT_COMMIT");
    let table = checks.with_file_name("src").join("facts/reference/end_of_life.toml");
    println!("cargo::rerun-if-changed={}", table.display());
    let table: toml::Table = std::fs::read_to_string(table).expect("a table").parse().expect("TOML");
    let date = table["table_date"].as_str().expect("a date");
    let commit = std::env::var("GPU_PREFLIGHT_COMMIT").map_or(String::new(), |commit| format!("commit {commit}, "));
    let version = std::env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    println!("cargo::rustc-env=GPU_PREFLIGHT_VERSION={version} ({commit}reference data of {date})");
}

/// `[[id, content], …]` without examples.
fn json(files: &[(String, PathBuf)]) -> String {
    let read = |(id, file): &(String, PathBuf)| {
        let text = std::fs::read_to_string(file).expect("a check is text");
        let mut content: toml::Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        content.remove("example");
        (id.clone(), content)
    };
    serde_json::to_string(&files.iter().map(read).collect::<Vec<_>>()).expect("TOML is JSON")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
