//! Real parts that some tests need: programs and libraries of others, and a skip that is seen where one is missing.

use std::io::Write;
use std::path::PathBuf;

/// Each part's variable, and where `tests/containers/build` puts it, as `tests/containers/paths.sh` has it.
const PARTS: [(&str, &str); 9] = [
    ("PREFLIGHT_TEST_JUPYTER", "jupyter/bin/jupyter-server"),
    ("PREFLIGHT_TEST_CYCLONEDX", "cyclonedx/bin/python"),
    ("PREFLIGHT_TEST_FORMATS", "formats/bin/python"),
    ("PREFLIGHT_TEST_OSV", "osv/PyPI/all.zip"),
    ("PREFLIGHT_TEST_NVIDIA_WHEELS", "nvidia-wheels"),
    ("PREFLIGHT_TEST_NVIDIA_OTHERS", "nvidia-others"),
    ("PREFLIGHT_TEST_NVIDIA_DRIVER", "nvidia-driver"),
    ("PREFLIGHT_TEST_TORCH", "torch-2.7.0"),
    ("PREFLIGHT_TEST_LINKED", "linked"),
];

/// The part that a variable names, else the one that was built; `None` after a skip.
pub fn part(variable: &str) -> Option<PathBuf> {
    there(variable).map_err(|why| skip(&why)).ok()
}

/// The same for one that comes from a server which not every machine may reach: that it is not here is said, and no fault.
pub fn part_if_had(variable: &str) -> Option<PathBuf> {
    there(variable).map_err(|why| note(&format!("SKIPPED: {why}, or put a copy there"))).ok()
}

/// A part, or why it is not there.
fn there(variable: &str) -> Result<PathBuf, String> {
    let (_, built) = PARTS.iter().find(|(name, _)| *name == variable).expect("a part of ours");
    let path = std::env::var_os(variable).map_or_else(|| cache().join(built), PathBuf::from);
    let missing = || format!("{variable}: nothing at {}: run tests/containers/build", path.display());
    if path.exists() { Ok(path) } else { Err(missing()) }
}

fn cache() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("PREFLIGHT_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("gpu-preflight")))
        .unwrap_or_else(|| variable("HOME").unwrap_or_default().join(".cache/gpu-preflight"))
}

/// Fails where nothing may be skipped, else says what is skipped and why. Always false.
pub fn skip(why: &str) -> bool {
    assert!(std::env::var_os("PREFLIGHT_REQUIRE_CONTAINERS").is_none(), "required here: {why}");
    note(&format!("SKIPPED: {why}"));
    false
}

/// Written straight to the stream, because the test runner swallows what passing tests print.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
