//! The fake GPU libraries of `tests/fakes/`, built once by plain `rustc`.
#![allow(clippy::disallowed_methods)] // a test is no probe

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A folder with `libcuda.so.1`, `libnvidia-ml.so.1`, `libcudart.so.12`, `libcublas.so.12` and `libcublasLt.so.12`,
/// and `stubs/libcuda.so.1`. What they play is chosen by `FAKE_GPU`, see `tests/fakes/scenario.rs`.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| build(Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

/// Builds the fakes under `parent`, unless these very sources were built there before.
fn build(parent: &Path) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fakes");
    let folder = parent.join(format!("fakes-{:016x}", fingerprint(&sources)));
    if folder.is_dir() {
        return folder;
    }
    // Several test programs may build at once: each does so beside, and the first to finish wins.
    let beside = parent.join(format!("fakes-of-{}", std::process::id()));
    let status = Command::new("sh").arg(sources.join("build")).arg(&beside).status().expect("a shell");
    assert!(status.success(), "tests/fakes/build: {status}");
    if std::fs::rename(&beside, &folder).is_err() {
        std::fs::remove_dir_all(&beside).expect("a folder of ours");
    }
    folder
}

fn fingerprint(sources: &Path) -> u64 {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(sources).expect("tests/fakes").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        std::fs::read(file).expect("a source").hash(&mut hasher);
    }
    hasher.finish()
}
