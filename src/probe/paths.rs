//! Paths as text, and the folders in which programs are looked for.

use std::collections::HashSet;

use crate::facts::Fact;
use crate::world::World;

/// Where programs are installed, in the order of a shell whose `$PATH` is not set.
pub const PROGRAM_FOLDERS: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What is left of `path` behind `folder`: `/b` of `/a/b` in `/a`, nothing of the folder itself; `None` outside of it.
pub fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The absolute ones of these folders, each once, where it comes first.
pub fn absolute_once(mut folders: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    folders.retain(|folder| folder.starts_with('/') && seen.insert(folder.trim_end_matches('/').to_owned()));
    folders
}

/// The absolute folders of `$PATH`. A relative one depends on where a program is started.
pub fn search_path(world: &World) -> Vec<String> {
    let path = world.env("PATH").unwrap_or_default();
    path.split(':').filter(|folder| folder.starts_with('/')).map(str::to_owned).collect()
}

/// Where `$PATH` finds a program that we may execute.
pub fn find_program(world: &World, name: &str) -> Option<String> {
    let mut places = search_path(world).into_iter().map(|folder| format!("{folder}/{name}"));
    places.find(|place| world.executable(place) == Fact::Known(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_below_a_folder_by_whole_names() {
        assert_eq!(below("/a/b", "/a"), Some("/b"));
        assert_eq!(below("/a/b", "/a/"), Some("/b"));
        assert_eq!(below("/a", "/a"), Some(""));
        assert_eq!(below("/a", "/"), Some("/a"));
        assert_eq!(below("/ab", "/a"), None);
    }

    #[test]
    fn folders_are_absolute_and_named_once() {
        let folders = ["/a", "b", "", "/c", "/a/"].map(str::to_owned).to_vec();
        assert_eq!(absolute_once(folders), ["/a", "/c"]);
    }
}
