//! The table of failures that users meet: one file a failure under `tests/failures/`, the path is its name.
#![allow(clippy::disallowed_methods)] // a test is no probe

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// One failure as users meet it, and what must be said of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// `grant.nothing-mounted`: the path under `tests/failures/`.
    #[serde(skip)]
    pub id: String,
    /// What users see, in the words of the program that says it.
    pub symptom: Vec<String>,
    /// The root cause, one sentence.
    pub cause: String,
    /// The check that must be the first finding; for a failure that cannot be decided, the one that comes nearest.
    pub check: Option<String>,
    /// Who fixes it.
    pub owner: Option<String>,
    /// Whether it can be told from inside the container.
    pub decidable: bool,
    /// Why it cannot, or what stays open although it can.
    pub limit: Option<String>,
    /// How it is played.
    pub scenario: Option<Scenario>,
    /// Machines that look like it, and on which nothing is wrong.
    #[serde(default)]
    pub neighbour: Vec<Neighbour>,
}

/// A machine on which a failure could be suspected, and of which it must not be said.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// What it is, as the cell of a table.
    pub name: String,
    /// How it is played.
    pub scenario: Scenario,
}

/// A machine: the healthy one, with these changes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// GPUs of the healthy machine.
    pub gpus: Option<u64>,
    /// What the fake GPU libraries play, see `tests/fakes/scenario.rs`.
    pub fake: String,
    /// Environment of the workload; `{root}` is the root of the machine.
    pub env: BTreeMap<String, String>,
    /// Files and folders that are not there.
    pub remove: Vec<String>,
    /// Text files by path; `{root}` is the root of the machine.
    pub files: BTreeMap<String, String>,
    /// Fake libraries by the path they lie at.
    pub libraries: BTreeMap<String, String>,
    /// Symbolic links by path.
    pub links: BTreeMap<String, String>,
    /// What is done to the bytes of a file.
    pub damage: BTreeMap<String, Damage>,
    /// Readings that no file can play, merged over what was read.
    pub patch: Option<Value>,
    /// When in the life of the container it is.
    pub phase: Option<String>,
    /// How deep the look goes.
    pub tier: Option<String>,
    /// Seconds for which the tier soak repeats its multiplies.
    pub soak: Option<u64>,
    /// Seconds until the verdict.
    pub deadline: Option<f64>,
}

/// How a file is made unusable.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// Only its first half is there.
    Truncated,
    /// It is made for another machine.
    OtherMachine,
}

/// Every failure, in the order of their names.
pub fn all() -> Vec<Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failures");
    let mut found = Vec::new();
    for room in entries(&folder).into_iter().filter(|path| path.is_dir()) {
        for file in entries(&room) {
            let text = std::fs::read_to_string(&file).expect("UTF-8");
            let mut failure: Failure = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
            failure.id = format!("{}.{}", name(&room), name(&file));
            found.push(failure);
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).expect("a folder").flatten().map(|e| e.path()).collect();
    entries.sort();
    entries
}
