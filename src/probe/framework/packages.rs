//! Where Python packages lie, and which distributions are installed there.

use std::collections::HashSet;
use std::path::PathBuf;

use rustix::fs::FileType;

use crate::facts::{Fact, Gap, GapKind, LIST_LIMIT, cut, cut_word};
use crate::probe::paths::find_program;
use crate::world::World;

/// Folders of the environment that are looked into.
const FOLDERS_MAX: usize = 1024;

/// A distribution that has a `.dist-info` folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Its name in the normal form of PEP 503.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The name of that folder.
    pub entry: String,
}

/// Folders of Python packages that are there, in the order in which an interpreter would be found.
pub fn folders(world: &World) -> Vec<String> {
    let mut found = Found { world, folders: Vec::new(), seen: HashSet::new() };
    for entry in world.env("PYTHONPATH").unwrap_or_default().split(':').filter(|entry| entry.starts_with('/')) {
        found.add(entry.trim_end_matches('/'));
    }
    if let Some(prefix) = world.env("VIRTUAL_ENV") {
        found.prefix(&prefix);
    }
    for prefix in interpreter_prefixes(world) {
        found.prefix(&prefix);
    }
    if let Some(home) = world.env("HOME") {
        found.prefix(&format!("{home}/.local"));
    }
    for prefix in
        world.env("CONDA_PREFIX").iter().map(String::as_str).chain(["/opt/conda", "/opt/venv", "/usr/local", "/usr"])
    {
        found.prefix(prefix);
    }
    found.folders
}

/// The same, and those of environments that no variable names, where people put them: an interpreter there is started by its
/// path. What lies there is installed, whoever uses it.
pub fn folders_everywhere(world: &World) -> Vec<String> {
    let mut found = Found { world, folders: Vec::new(), seen: HashSet::new() };
    for folder in folders(world) {
        found.add(&folder);
    }
    let mut prefixes: Vec<String> = Vec::new();
    for above in ["/opt", "/opt/conda/envs", "/srv"] {
        let names = world.list(above).known().cloned().unwrap_or_default();
        prefixes.extend(names.iter().take(FOLDERS_MAX).map(|name| format!("{above}/{name}")));
    }
    let here = world.working_folder().known().map(|here| here.to_string_lossy().into_owned());
    for above in here.iter().map(String::as_str).chain(["", "/app", "/workspace", "/code", "/usr/src/app"]) {
        let above = above.trim_end_matches('/');
        prefixes.extend([".venv", "venv", "env"].map(|name| format!("{above}/{name}")));
    }
    for prefix in prefixes {
        found.prefix(&prefix);
    }
    found.folders
}

/// Folders that the environment names and this user may not look into: a home folder that nobody names is closed to good
/// purpose.
#[derive(Debug, Default)]
pub struct Closed {
    /// All of them, in the order of the variables; unknown where none is closed and not all were tried.
    pub folders: Fact<Vec<String>>,
    /// The first with Python packages.
    pub packages: Option<String>,
    /// The first with Python packages or libraries.
    pub hiding: Option<String>,
}

impl Closed {
    /// Tries every folder of `PYTHONPATH`, `VIRTUAL_ENV`, `LD_LIBRARY_PATH` and `PATH`.
    pub fn find(world: &World) -> Self {
        let list = |name: &str| world.env(name).unwrap_or_default();
        let virtual_env = world.env("VIRTUAL_ENV").map(|prefix| format!("{}/lib", prefix.trim_end_matches('/')));
        let of_packages = [list("PYTHONPATH"), virtual_env.unwrap_or_default()].join(":");
        let lists = [of_packages, list("LD_LIBRARY_PATH"), list("PATH")];
        let [packages, libraries, programs] = lists.each_ref().map(|list| closed(world, list));
        let hiding = packages.first().or(libraries.first()).cloned();
        let mut seen = HashSet::new();
        let first = packages.first().cloned();
        let mut folders = [programs, packages, libraries].concat();
        folders.retain(|folder| seen.insert(folder.clone()));
        folders.truncate(LIST_LIMIT);
        let longest = lists.iter().map(|list| entries(list).count()).max().unwrap_or_default();
        let folders = if folders.is_empty() && longest > FOLDERS_MAX {
            let detail = format!("{longest} folders in one variable, more than are looked at");
            Fact::unknown(GapKind::NotSupported, detail)
        } else {
            Fact::Known(folders)
        };
        Self { folders, packages: first, hiding }
    }
}

/// The folders of a list as variables hold them; what is relative names none.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(':').filter(|entry| entry.starts_with('/'))
}

/// Those folders of a list on whose way one may not be entered, or that may not be listed.
fn closed(world: &World, list: &str) -> Vec<String> {
    let is_refused = |gap: &Gap| gap.kind == GapKind::NotPermitted;
    let is_closed = |entry: &&str| match world.stat(entry) {
        Fact::Known(stat) => {
            stat.kind == FileType::Directory && matches!(world.list(entry), Fact::Unknown(gap) if is_refused(&gap))
        }
        Fact::Absent => false,
        Fact::Unknown(gap) => is_refused(&gap),
    };
    entries(list).take(FOLDERS_MAX).filter(is_closed).map(cut).collect()
}

/// Prefixes of the first `python3` and `python` on the path: of the name and of what it links to.
fn interpreter_prefixes(world: &World) -> Vec<String> {
    let mut prefixes = Vec::new();
    for place in ["python3", "python"].iter().filter_map(|name| find_program(world, name)) {
        let parent = |path: PathBuf| Some(path.parent()?.parent()?.to_string_lossy().into_owned());
        // The interpreter of a virtual environment is a link out of it.
        prefixes.extend(parent(PathBuf::from(&place)));
        if let Fact::Known(real) = world.real_path(&place) {
            prefixes.extend(parent(real));
        }
    }
    prefixes
}

struct Found<'a> {
    world: &'a World,
    folders: Vec<String>,
    seen: HashSet<PathBuf>,
}

impl Found<'_> {
    /// `lib/python3*/{site,dist}-packages` under a prefix, `lib64` too.
    fn prefix(&mut self, prefix: &str) {
        if !prefix.starts_with('/') {
            return;
        }
        let prefix = prefix.trim_end_matches('/');
        for lib in ["lib", "lib64"] {
            let Fact::Known(names) = self.world.list(format!("{prefix}/{lib}")) else { continue };
            for python in names.iter().filter(|name| name.starts_with("python3")) {
                for packages in ["site-packages", "dist-packages"] {
                    self.add(&format!("{prefix}/{lib}/{python}/{packages}"));
                }
            }
        }
    }

    fn add(&mut self, folder: &str) {
        let Fact::Known(stat) = self.world.stat(folder) else { return };
        let Fact::Known(real) = self.world.real_path(folder) else { return };
        if stat.kind == FileType::Directory && self.seen.insert(real) {
            self.folders.push(cut(folder));
        }
    }
}

/// The distributions in a folder. A `.dist-info` folder without metadata is what an uninstall left and does not count.
pub fn distributions(world: &World, folder: &str) -> Fact<Vec<Distribution>> {
    world.list(folder).map(|names| {
        let mut found: Vec<Distribution> = names.iter().filter_map(|entry| parse(entry)).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let twins: Vec<bool> = (0..found.len())
            .map(|at| {
                let name = |at: usize| found.get(at).map(|distribution: &Distribution| distribution.name.as_str());
                let before = at.checked_sub(1).and_then(name);
                before == name(at) || name(at + 1) == name(at)
            })
            .collect();
        // Only where two share a name is it worth a look whether both are whole.
        let is_whole = |entry: &str| world.exists(format!("{folder}/{entry}/METADATA")) != Fact::Known(false);
        let whole = found.into_iter().zip(twins).filter(|(found, twin)| !twin || is_whole(&found.entry));
        whole.map(|(distribution, _)| distribution).collect()
    })
}

/// `name-version.dist-info`; a name that begins with `~` is what a failed uninstall left.
fn parse(entry: &str) -> Option<Distribution> {
    let (name, version) = entry.strip_suffix(".dist-info")?.rsplit_once('-')?;
    if name.is_empty() || name.starts_with('~') {
        return None;
    }
    let version = cut_word(version);
    Some(Distribution { name: normal_name(name), version, entry: entry.to_owned() })
}

/// Lower case, with every run of `-`, `_` and `.` as one `-`.
pub fn normal_name(name: &str) -> String {
    let words: Vec<String> =
        name.split(['-', '_', '.']).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    cut(&words.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn packages_of_the_interpreter_on_the_path_come_before_those_of_the_system() {
        let root = FakeRoot::of(&[], &[("PATH", "/srv/env/bin"), ("HOME", "/home/u")]);
        for folder in [
            "srv/env/lib/python3.11/site-packages",
            "srv/env/bin",
            "usr/lib/python3/dist-packages",
            "usr/local/lib/python3.11/dist-packages",
            "home/u/.local/lib/python3.11/site-packages",
        ] {
            root.folder(folder);
        }
        root.program("srv/env/bin/python3").link("srv/env/lib64", "lib");
        let found = folders(&root);
        assert_eq!(
            found,
            [
                "/srv/env/lib/python3.11/site-packages",
                "/home/u/.local/lib/python3.11/site-packages",
                "/usr/local/lib/python3.11/dist-packages",
                "/usr/lib/python3/dist-packages",
            ]
        );
    }

    #[test]
    fn environments_that_nothing_names_are_found_where_people_put_them() {
        let root = FakeRoot::of(&[("opt/jupyter/lib/python3.11/site-packages/", ""), ("opt/none/", "")], &[]);
        root.folder("app/.venv/lib/python3.12/site-packages").folder("home/x/venv/lib/python3.12/site-packages");
        root.link("opt/again", "jupyter").link("proc/self/cwd", "/app");
        assert!(folders(&root).is_empty());
        let found = folders_everywhere(&root);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("/opt/") && found[1] == "/app/.venv/lib/python3.12/site-packages");
    }

    #[test]
    fn of_more_folders_than_are_looked_into_none_is_said_to_be_open() {
        let of = |count: usize| {
            let path = (0..count).map(|number| format!("/nothing/{number}")).collect::<Vec<_>>().join(":");
            Closed::find(&FakeRoot::of(&[], &[("PATH", &path)])).folders
        };
        assert_eq!(of(FOLDERS_MAX), Fact::Known(Vec::new()));
        assert!(of(FOLDERS_MAX + 1).is_unknown());
    }

    #[test]
    fn names_are_normal() {
        assert_eq!(parse("Typing_Extensions-4.1.dist-info").map(|d| d.name), Some("typing-extensions".to_owned()));
        assert_eq!(parse("a.-_b-1.dist-info").map(|d| d.name), Some("a-b".to_owned()));
        for bad in ["x.dist-info", "-1.dist-info", "~x-1.dist-info", "x-1.egg-info", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
