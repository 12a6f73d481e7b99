//! The folders in which copies lie: those that the loader asks, and those that toolkits and conda fill.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use crate::facts::Fact;
use crate::world::World;

/// Folders of one kind that are looked at, against environments gone mad. Where there are more, nobody knows who wins,
/// and the whole census is a gap.
pub const FOLDERS_MAX: usize = 1024;

/// The folders of `LD_LIBRARY_PATH`, each once, for a second mention changes nothing; an empty one means the working
/// folder.
pub fn library_path(world: &World) -> Vec<String> {
    let Some(value) = world.env("LD_LIBRARY_PATH").filter(|value| !value.is_empty()) else { return Vec::new() };
    let here = world.working_folder().known().map_or_else(String::new, |cwd| cwd.to_string_lossy().into_owned());
    let folder = |part: &str| if part.starts_with('/') { tidy(part) } else { tidy(&join(&here, part)) };
    let mut seen = HashSet::new();
    value.split([':', ';']).map(folder).filter(|folder| seen.insert(folder.clone())).collect()
}

/// The folders that the loader asks by itself. Debian's loader asks the multiarch folders and not `lib64`;
/// that of other distributions the other way round.
pub fn default_folders(world: &World) -> Vec<String> {
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    let debian = world.exists(format!("/usr/lib/{multiarch}")) == Fact::Known(true)
        || world.exists(format!("/lib/{multiarch}")) == Fact::Known(true);
    let folders = if debian {
        [format!("/lib/{multiarch}"), format!("/usr/lib/{multiarch}"), "/lib".to_owned(), "/usr/lib".to_owned()]
    } else {
        ["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(str::to_owned)
    };
    folders.to_vec()
}

/// The folders of CUDA toolkits, stubs and forward-compatibility copies included, and that of device plugins.
pub fn toolkit_folders(world: &World) -> Vec<String> {
    let mut names = world.list("/usr/local").known().cloned().unwrap_or_default();
    names.retain(|name| name.starts_with("cuda"));
    // Device plugins mount the driver's libraries here and rely on LD_LIBRARY_PATH to name it.
    let mut folders = vec!["/usr/local/nvidia/lib64".to_owned(), "/usr/local/nvidia/lib".to_owned()];
    for name in names.iter().take(FOLDERS_MAX) {
        let root = format!("/usr/local/{name}");
        folders.push(format!("{root}/lib64"));
        let targets = world.list(join(&root, "targets")).known().cloned().unwrap_or_default();
        folders.extend(targets.iter().map(|target| format!("{root}/targets/{target}/lib")));
        folders.extend([format!("{root}/compat"), format!("{root}/lib64/stubs")]);
        folders.extend(targets.iter().map(|target| format!("{root}/targets/{target}/lib/stubs")));
    }
    folders
}

/// The library folders of the active conda environment and of the usual base one.
pub fn conda_folders(world: &World) -> Vec<String> {
    let prefix = world.env("CONDA_PREFIX").filter(|prefix| prefix.starts_with('/'));
    let roots = prefix.into_iter().chain(["/opt/conda".to_owned()]);
    roots.flat_map(|root| [join(&root, "lib"), join(&root, "cuda-compat")]).collect()
}

/// A run path with `$ORIGIN` filled in; entries with other variables are dropped.
pub fn expand(folders: &[String], object: &str) -> Vec<String> {
    let origin = object.rsplit_once('/').map_or("", |(folder, _)| folder);
    let filled = folders.iter().map(|folder| folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin));
    filled.filter(|folder| !folder.contains('$') && folder.starts_with('/')).map(|folder| tidy(&folder)).collect()
}

/// A path from a folder and a name.
pub fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

/// The same path without `.`, `..`, doubled and trailing slashes.
pub fn tidy(path: &str) -> String {
    let mut out = PathBuf::from("/");
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(name) => out.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_paths_are_filled_in() {
        let paths = ["$ORIGIN/../../nvidia/cublas/lib", "${ORIGIN}", "/opt//x/", "$LIB/y"].map(str::to_owned);
        let folders = expand(&paths, "/sp/torch/lib/libtorch_cuda.so");
        assert_eq!(folders, ["/sp/nvidia/cublas/lib", "/sp/torch/lib", "/opt/x"]);
    }
}
