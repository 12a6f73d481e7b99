//! Dependencies between rooms point one way, and only `run` knows all of them.

use std::path::{Path, PathBuf};

/// Each room with the rooms it may use. What is not listed may use nothing of ours.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("facts", &[]),
    ("text", &[]),
    ("lang", &["facts", "text"]),
    ("world", &["facts"]),
    ("probe", &["facts", "world"]),
    ("check", &["facts", "lang", "text"]),
    ("profile", &["facts", "lang", "check"]),
    ("score", &["facts", "check"]),
    ("exit", &["score"]),
    ("report", &["facts", "check", "profile", "score", "text"]),
    ("explain", &["check"]),
    ("cli", &["facts"]),
    ("lib", &[]),
    ("main", &[]),
    (
        "run",
        &["facts", "text", "lang", "world", "probe", "check", "profile", "score", "exit", "report", "explain", "cli"],
    ),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn gather(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).expect("src").flatten() {
            let path = entry.path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

fn room(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("in src");
    let first = inside.iter().next().expect("a name").to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code without its tests, which may use what they like.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn the_arrows_point_one_way() {
    for (path, text) in sources() {
        let room = room(&path);
        let may = MAY_USE.iter().find(|(name, _)| *name == room).map(|(_, may)| *may);
        let may = may.unwrap_or_else(|| panic!("{} is a room that tests/rooms.rs does not know", path.display()));
        for used in code(&text).split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let used = if used.is_empty() { room.clone() } else { used }; // `crate::{a, b}` in run alone
            assert!(used == room || may.contains(&used.as_str()), "{}: {room} may not use {used}", path.display());
        }
    }
}

#[test]
fn unsafe_code_stands_in_the_world_alone_each_block_with_its_proof() {
    for (path, text) in sources() {
        let code = code(&text);
        if room(&path) != "world" {
            assert!(!code.contains("unsafe {") && !code.contains("unsafe_code"), "{}", path.display());
        }
        let blocks = code.matches("unsafe {").count();
        let proofs = code.matches("SAFETY:").count();
        assert!(proofs >= blocks, "{}: {blocks} unsafe blocks, {proofs} proofs", path.display());
    }
}

#[test]
fn every_module_opens_with_what_lives_there() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not open with `//!`", path.display());
    }
}

#[test]
fn rooms_stay_small() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines: is it still one idea?", path.display());
    }
}
