//! Dependencies between rooms point one way, and only `run` knows all of them.
//!
//! The sources are read as tokens and not as text: comments and strings name nothing, macros hide nothing, and only what
//! stands under `#[cfg(test)]` is passed over, wherever it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Each room with the rooms that it uses: all of them and no others.
const ROOMS: &[(&str, &[&str])] = &[
    ("facts", &[]),
    ("text", &[]),
    ("world", &["facts", "text"]),
    ("probe", &["facts", "world"]),
    ("derive", &["facts"]),
    ("collect", &["derive", "facts", "probe", "text", "world"]),
    ("lang", &["facts", "text"]),
    ("check", &["facts", "lang", "text"]),
    ("weigh", &["check", "facts", "lang"]),
    ("exit", &["facts", "weigh"]),
    ("report", &["check", "facts", "text", "weigh"]),
    ("bundle", &["facts", "report", "text"]),
    ("harden", &["check", "facts", "report", "text", "weigh"]),
    ("explain", &["check", "facts", "text", "weigh"]),
    ("cli", &["exit", "facts", "harden", "lang", "report", "text"]),
    (
        "run",
        &[
            "bundle", "check", "cli", "collect", "derive", "exit", "explain", "facts", "harden", "lang", "probe",
            "report", "text", "weigh", "world",
        ],
    ),
    ("main", &[]),
    ("lib", &[]),
];

/// The same for the rooms inside `probe`: first what others stand on, `gpu` for all work on GPUs.
const PROBES: &[(&str, &[&str])] = &[
    ("os_release", &[]),
    ("paths", &[]),
    ("glob", &[]),
    ("elf", &[]),
    ("gpu", &[]),
    ("procfs", &["paths"]),
    ("container", &["procfs"]),
    ("identity", &["procfs"]),
    ("limits", &["procfs"]),
    ("network", &["procfs"]),
    ("process", &["procfs"]),
    ("workload", &["paths", "procfs"]),
    ("environment", &[]),
    ("image_config", &["environment"]),
    ("driver", &["paths", "procfs"]),
    ("framework", &["elf", "paths"]),
    ("image", &["image_config", "os_release", "paths"]),
    ("isolation", &["container", "identity", "paths", "procfs"]),
    ("storage", &["identity", "procfs"]),
    ("services", &["glob", "paths", "procfs"]),
    ("startup", &["glob", "paths", "procfs", "services"]),
    ("libraries", &["elf", "framework", "paths", "procfs"]),
    ("compile", &["libraries", "paths"]),
    ("linking", &["elf", "libraries", "paths"]),
    ("advisories", &["framework"]),
    ("vex", &["framework"]),
    ("packages", &["advisories", "framework", "libraries", "os_release", "vex"]),
    ("native", &["elf", "paths"]),
    ("cuda", &["libraries"]),
    ("nvml", &["cuda"]),
    ("compute", &["gpu", "libraries"]),
    ("links", &["gpu", "libraries"]),
    ("written", &["environment", "identity", "image_config", "isolation", "paths", "services", "startup"]),
];

/// A source file: its module path (`probe`, `nvml`, `gpu`) and its words without those that only tests compile.
struct Source {
    path: PathBuf,
    module: Vec<String>,
    words: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file that is part of the program; modules that only tests compile are left out.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut tests = BTreeSet::new();
    for path in files(&root()) {
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let inside = path.strip_prefix(root()).expect("in src").with_extension("");
        let module: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let mut words = Vec::new();
        for test_module in flatten(tokens, &mut words) {
            tests.insert([module.clone(), vec![test_module]].concat());
        }
        found.push(Source { path, module, words });
    }
    found.retain(|source| !(1..=source.module.len()).any(|length| tests.contains(&source.module[..length])));
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Appends the words of the program in their order, brackets among them, and passes over the items under
/// `#[cfg(test)]`. Gives the names of the modules that it passed over.
fn flatten(tokens: TokenStream, words: &mut Vec<String>) -> Vec<String> {
    let mut test_modules = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                if let Some(TokenTree::Group(group)) = tokens.peek()
                    && group.stream().to_string().replace(' ', "") == "cfg(test)"
                {
                    test_modules.extend(pass_over_item(&mut tokens));
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Parenthesis | Delimiter::None => ("(", ")"),
                };
                words.push(open.to_owned());
                test_modules.extend(flatten(group.stream(), words));
                words.push(close.to_owned());
            }
            // Text names nothing.
            TokenTree::Literal(_) => {}
            word => words.push(word.to_string()),
        }
    }
    test_modules
}

/// Takes an item off, to its braces or its semicolon; gives its name where it is a module in a file of its own.
fn pass_over_item(tokens: &mut impl Iterator<Item = TokenTree>) -> Option<String> {
    let mut words = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return None,
            TokenTree::Punct(mark) if mark.as_char() == ';' => break,
            TokenTree::Ident(word) => words.push(word.to_string()),
            _ => {}
        }
    }
    let at = words.iter().position(|word| word == "mod")?;
    words.get(at + 1).cloned()
}

/// The modules and items that a file names by a path from `crate`, `super` or `self`, as paths from the root.
fn named(source: &Source) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let words = &source.words;
    for (at, word) in words.iter().enumerate() {
        let begins = at == 0 || words[at - 1] != ":";
        if begins && matches!(word.as_str(), "crate" | "super" | "self") && is_joint(words, at + 1) {
            path(words, at, &[], &source.module, &mut found);
        }
    }
    found
}

fn is_joint(words: &[String], at: usize) -> bool {
    words.get(at..at + 2).is_some_and(|pair| pair == [":", ":"])
}

/// Reads one path, with what stands in its braces, and gives the place behind it.
fn path(
    words: &[String],
    mut at: usize,
    before: &[String],
    here: &[String],
    found: &mut BTreeSet<Vec<String>>,
) -> usize {
    let mut path = before.to_vec();
    loop {
        match words.get(at).map(String::as_str) {
            Some("crate") if path.is_empty() => path = vec!["crate".to_owned()],
            Some("self") if path.is_empty() => path = [&["crate".to_owned()], here].concat(),
            Some("super") if path.is_empty() => path = [&["crate".to_owned()], &here[..here.len() - 1]].concat(),
            Some("super") => drop(path.pop()),
            Some("{") => {
                at += 1;
                while words.get(at).is_some_and(|word| word != "}") {
                    at = self::path(words, at, &path, here, found);
                    if words.get(at).is_some_and(|word| word == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some(word) if word.chars().all(|c| c.is_alphanumeric() || c == '_') => path.push(word.to_owned()),
            _ => {}
        }
        at += 1;
        if !is_joint(words, at) {
            break;
        }
        at += 2;
    }
    // `as name` gives it another name and no other meaning.
    if words.get(at).is_some_and(|word| word == "as") {
        at += 2;
    }
    found.insert(path.split_off(1));
    at
}

/// Which rooms each room uses, where rooms are the modules below `above`.
fn arrows(sources: &[Source], above: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let rooms: BTreeSet<&String> = sources.iter().filter_map(|source| below(&source.module, above)).collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> =
        rooms.iter().map(|room| ((*room).clone(), BTreeSet::new())).collect();
    for source in sources {
        let Some(room) = below(&source.module, above) else { continue };
        for path in named(source) {
            if let Some(used) = below(&path, above).filter(|used| *used != room && rooms.contains(used)) {
                arrows.entry(room.clone()).or_default().insert(used.clone());
            }
        }
    }
    arrows
}

fn below<'a>(path: &'a [String], above: &[&str]) -> Option<&'a String> {
    path.get(above.len()).filter(|_| path.iter().zip(above).all(|(here, above)| here == above))
}

/// The table says what the sources say.
#[track_caller]
fn hold(above: &[&str], table: &[(&str, &[&str])]) {
    let stated: BTreeMap<String, BTreeSet<String>> = table
        .iter()
        .map(|(room, uses)| ((*room).to_owned(), uses.iter().map(|used| (*used).to_owned()).collect()))
        .collect();
    let real = arrows(&sources(), above);
    let mut wrong = String::new();
    for room in stated.keys().chain(real.keys()).collect::<BTreeSet<_>>() {
        let (stated, real) = (stated.get(room), real.get(room));
        if stated != real {
            writeln!(wrong, "  {room}: the table says {stated:?}, the sources say {real:?}").expect("memory");
        }
    }
    assert!(wrong.is_empty(), "arrows in {above:?}:\n{wrong}");
}

/// What is left of these arrows when every room that uses none of the others is taken away, again and again.
fn circle(mut arrows: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let rooms: BTreeSet<String> = arrows.keys().cloned().collect();
        arrows.retain(|_, uses| uses.intersection(&rooms).next().is_some());
        if arrows.len() == rooms.len() {
            return arrows;
        }
    }
}

#[test]
fn the_arrows_between_rooms_are_these() {
    hold(&[], ROOMS);
}

#[test]
fn the_arrows_between_probes_are_these() {
    hold(&["probe"], PROBES);
}

#[test]
fn no_two_neighbours_use_each_other() {
    let sources = sources();
    let folders: BTreeSet<Vec<String>> =
        sources.iter().map(|source| source.module[..source.module.len() - 1].to_vec()).collect();
    let mut wrong = String::new();
    for folder in folders {
        let above: Vec<&str> = folder.iter().map(String::as_str).collect();
        let circle = circle(arrows(&sources, &above));
        if !circle.is_empty() {
            writeln!(wrong, "  in {above:?}: {circle:?}").expect("memory");
        }
    }
    assert!(wrong.is_empty(), "circles:\n{wrong}");
}

#[test]
fn unsafe_code_stands_in_the_world_alone_each_block_with_its_proof() {
    for source in sources() {
        if source.module[0] == "world" {
            let text = std::fs::read_to_string(&source.path).expect("UTF-8");
            let (blocks, proofs) = (text.matches("unsafe {").count(), text.matches("SAFETY:").count());
            assert!(proofs >= blocks, "{}: {blocks} unsafe blocks, {proofs} proofs", source.path.display());
        } else {
            let lets_in = source.words.iter().any(|word| word == "unsafe_code" || word == "unsafe");
            assert!(!lets_in, "{}", source.path.display());
        }
    }
}

#[test]
fn only_the_world_writes_and_it_takes_nothing_but_what_may_be_shown() {
    let doors = ["stdout", "stderr", "print", "println", "eprint", "eprintln", "dbg"];
    let by: BTreeSet<String> = sources()
        .iter()
        .filter(|source| source.module[0] != "world" && source.words.iter().any(|word| doors.contains(&word.as_str())))
        .map(|source| source.module.join("::"))
        .collect();
    // clap prints its own help.
    assert_eq!(by, BTreeSet::from(["run::message".to_owned()]));
}

#[test]
fn every_module_opens_with_what_lives_there_and_stays_small() {
    for path in files(&root()) {
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        assert!(text.starts_with("//! "), "{} does not open with `//!`", path.display());
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines: is it still one idea?", path.display());
    }
}
