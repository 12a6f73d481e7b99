//! Development tools on `$PATH`.

use crate::facts::{Fact, GapKind, Tool, ToolKind, cut};
use crate::probe::paths::{PROGRAM_FOLDERS, absolute_once, search_path};
use crate::world::World;

/// Folders that are looked at; a longer `$PATH` is a gap.
const FOLDERS: usize = 128;

/// Programs by what they are for.
const TOOLS: [(ToolKind, &[&str]); 7] = [
    (ToolKind::Editor, &["vim", "vi", "nano", "emacs", "code-server"]),
    (ToolKind::Compiler, &["gcc", "g++", "cc", "clang", "cmake", "make", "ninja", "nvcc", "ptxas", "rustc", "go"]),
    (ToolKind::Debugger, &["gdb", "strace", "ltrace", "cuda-gdb", "compute-sanitizer", "nsys", "ncu", "perf"]),
    (ToolKind::Network, &["curl", "wget", "nc", "ncat", "socat", "nmap", "tcpdump", "ssh", "git"]),
    (ToolKind::Privilege, &["sudo", "su", "doas"]),
    (
        ToolKind::Packages,
        &["apt-get", "dpkg", "apk", "dnf", "yum", "pip", "pip3", "conda", "mamba", "micromamba", "npm", "uv"],
    ),
    (ToolKind::Orchestration, &["docker", "podman", "kubectl", "helm", "nerdctl", "crictl"]),
];

/// The tools that are there and may be executed, each where the path finds it first.
pub fn find(world: &World) -> Fact<Vec<Tool>> {
    let is_set = world.env("PATH").is_some_and(|path| !path.is_empty());
    let folders = if is_set { search_path(world) } else { PROGRAM_FOLDERS.map(str::to_owned).to_vec() };
    let folders = absolute_once(folders);
    if folders.len() > FOLDERS {
        let detail = format!("{} folders in PATH, of which {FOLDERS} are looked at", folders.len());
        return Fact::unknown(GapKind::NotSupported, detail);
    }
    let mut found = Vec::new();
    for (kind, names) in TOOLS {
        for name in names {
            let mut places = folders.iter().map(|folder| format!("{}/{name}", folder.trim_end_matches('/')));
            if let Some(path) = places.find(|path| is_program(world, path)) {
                found.push(Tool { name: (*name).to_owned(), kind, path: cut(&path) });
            }
        }
    }
    Fact::Known(found)
}

/// Servers through which people log in and work.
const REMOTE: [&str; 10] = [
    "sshd",
    "dropbear",
    "jupyter",
    "jupyter-lab",
    "jupyter-notebook",
    "jupyter-server",
    "in.telnetd",
    "vncserver",
    "x11vnc",
    "xrdp",
];

/// The names of those that are there, wherever a start script would find them.
pub fn remote_access(world: &World) -> Fact<Vec<String>> {
    let mut folders = search_path(world);
    folders.extend(PROGRAM_FOLDERS.map(str::to_owned));
    let folders = absolute_once(folders);
    if folders.len() > FOLDERS {
        let detail = format!("{} folders in PATH, of which {FOLDERS} are looked at", folders.len());
        return Fact::unknown(GapKind::NotSupported, detail);
    }
    let is_there = |name: &&str| {
        folders.iter().any(|folder| is_program(world, &format!("{}/{name}", folder.trim_end_matches('/'))))
    };
    Fact::Known(REMOTE.iter().filter(|name| is_there(name)).map(|name| (*name).to_owned()).collect())
}

fn is_program(world: &World, path: &str) -> bool {
    // A folder passes the test for execution too.
    world.executable(path) == Fact::Known(true)
        && world.stat(path).known().is_some_and(|stat| stat.kind == rustix::fs::FileType::RegularFile)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn a_tool_is_found_where_the_path_finds_it_first() {
        let world = FakeRoot::of(&[], &[("PATH", "relative:/opt/bin/::/usr/bin:/nothing")]);
        world.program("opt/bin/gcc").program("usr/bin/gcc").file("usr/bin/curl", "").folder("usr/bin/vim");
        let found: Vec<(String, ToolKind)> =
            find(&world).known().expect("tools").iter().map(|tool| (tool.path.clone(), tool.kind)).collect();
        assert_eq!(found, [("/opt/bin/gcc".to_owned(), ToolKind::Compiler)]);
        let without = World::at(world.path(), Vec::new(), Duration::from_secs(1));
        assert_eq!(find(&without).known().map_or(0, Vec::len), 1, "the default path has /usr/bin");
    }

    #[test]
    fn servers_to_log_in_through_are_found_whether_anything_starts_them_or_not() {
        let world = FakeRoot::of(&[], &[("PATH", "/opt/conda/bin")]);
        world.program("usr/sbin/sshd").program("opt/conda/bin/jupyter-lab").file("usr/bin/dropbear", "no program");
        assert_eq!(remote_access(&world), Fact::Known(["sshd", "jupyter-lab"].map(str::to_owned).to_vec()));
        assert_eq!(remote_access(&FakeRoot::new()), Fact::Known(Vec::new()));
    }

    #[test]
    fn each_tool_is_named_once() {
        let names: Vec<&str> = TOOLS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let unique: std::collections::HashSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), unique.len());
    }
}
