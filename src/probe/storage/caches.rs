//! The folders in which programs keep what they fetched or compiled.
//!
//! Which variable names such a folder is documented by the program that reads it: Hugging Face, PyTorch, Triton, vLLM,
//! `FlashInfer`, Numba, Matplotlib, CUDA, XDG. Without a variable Triton keeps its launchers below the home folder, and
//! PyTorch's compiler below the temporary one.

use std::path::Path;

use super::identity;
use crate::facts::{CacheFolder, Fact, cut};
use crate::world::World;

/// Variables that name a folder for a cache, and whether libraries are loaded from it.
const VARIABLES: [(&str, bool); 17] = [
    ("TRITON_CACHE_DIR", true),
    ("TRITON_HOME", true),
    ("TORCHINDUCTOR_CACHE_DIR", true),
    ("TORCH_EXTENSIONS_DIR", true),
    ("VLLM_CACHE_ROOT", true),
    ("FLASHINFER_WORKSPACE_BASE", true),
    ("TORCH_HOME", false),
    ("HF_HOME", false),
    ("HF_HUB_CACHE", false),
    ("HF_DATASETS_CACHE", false),
    ("TRANSFORMERS_CACHE", false),
    ("HF_MODULES_CACHE", false),
    ("XDG_CACHE_HOME", false),
    ("NUMBA_CACHE_DIR", false),
    ("MPLCONFIGDIR", false),
    ("CUDA_CACHE_PATH", false),
    ("JAX_COMPILATION_CACHE_DIR", false),
];
/// Folders above a missing one that are looked at.
const STEPS_MAX: usize = 64;

/// Which folders will be asked.
pub fn plan(world: &World) -> Vec<CacheFolder> {
    let value = |name: &str| world.env(name).filter(|value| value.starts_with('/'));
    let is_set = |name: &str| world.env(name).is_some_and(|value| !value.is_empty());
    let folder = |variable: &str, path: &str, is_own: bool, holds_code: bool| CacheFolder {
        variable: variable.to_owned(),
        path: cut(path),
        is_own,
        holds_code,
        ..CacheFolder::default()
    };
    let mut folders: Vec<CacheFolder> = VARIABLES
        .iter()
        .filter_map(|(name, holds_code)| value(name).map(|path| folder(name, &path, true, *holds_code)))
        .collect();
    if let Fact::Known(home) = identity::own_home(world) {
        folders.push(folder("HOME", &home, false, !is_set("TRITON_CACHE_DIR") && !is_set("TRITON_HOME")));
    }
    let temporary = value("TMPDIR").unwrap_or_else(|| "/tmp".to_owned());
    folders.push(folder("TMPDIR", &temporary, false, !is_set("TORCHINDUCTOR_CACHE_DIR")));
    folders
}

/// Asks the folder, or the nearest one above it that is there. May hang where a server does not answer.
pub fn ask(world: &World, cache: &mut CacheFolder) {
    let mut place = Some(Path::new(&cache.path));
    for _ in 0..STEPS_MAX {
        let Some(path) = place else { break };
        match world.stat(path) {
            Fact::Absent => place = path.parent(),
            Fact::Unknown(gap) => {
                // Not even the way there is open to this user.
                cache.nearest = Fact::Unknown(gap.clone());
                cache.writable = world.writable(path);
                cache.executable = Fact::Unknown(gap);
                return;
            }
            Fact::Known(_) => {
                cache.nearest = Fact::Known(cut(&path.to_string_lossy()));
                cache.writable = world.writable(path);
                cache.executable = world.volume(path).map(|volume| !volume.no_exec);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn compiled_code_goes_where_a_variable_says_else_below_home_and_temporary() {
        let code = |variables: &[(&str, &str)]| {
            let planned = plan(&FakeRoot::of(&[], variables));
            planned.into_iter().filter(|cache| cache.holds_code).map(|cache| cache.path).collect::<Vec<_>>()
        };
        assert_eq!(code(&[("HOME", "/h")]), ["/h", "/tmp"]);
        assert_eq!(code(&[("HOME", "/h"), ("TRITON_CACHE_DIR", "/c")]), ["/c", "/tmp"]);
        let both = [("HOME", "/h"), ("TRITON_CACHE_DIR", "/c"), ("TORCHINDUCTOR_CACHE_DIR", "/i"), ("HF_HOME", "/m")];
        assert_eq!(code(&both), ["/c", "/i"], "nothing is loaded from the home and temporary folders then");
    }

    #[test]
    fn a_missing_folder_is_asked_where_it_would_be_made() {
        let world = FakeRoot::of(&[("models/", "")], &[("HF_HOME", "/models/a/b")]);
        let mut cache = plan(&world).remove(0);
        ask(&world, &mut cache);
        assert_eq!(cache.nearest, Fact::Known("/models".to_owned()));
        assert_eq!((cache.writable, cache.executable), (Fact::Known(true), Fact::Known(true)));
        assert!(cache.is_own && !cache.holds_code);
    }
}
