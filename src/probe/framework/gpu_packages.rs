//! Python packages that use a GPU by themselves, and whether the copy here was built for it.
//!
//! Each says it in its own way: in its name (`cupy-cuda12x`), in its version (`+cu126`, `+cpu`), in a file that its build
//! writes, or by a library with GPU code. Nothing of it is run.

use std::collections::BTreeSet;

use super::packages::{Distribution, distributions};
use crate::facts::version::Version;
use crate::facts::{Fact, GPU_PACKAGES, GapKind, Package, cut};
use crate::probe::elf::sections;
use crate::world::World;

/// Libraries of one package in which GPU code is looked for.
const FILES_MAX: usize = 64;

/// The packages of these folders; the first folder that has one counts.
pub fn find(world: &World, folders: &[String]) -> Fact<Vec<Package>> {
    let mut found: Vec<Package> = Vec::new();
    let mut gap = None;
    for folder in folders {
        let all = match distributions(world, folder) {
            Fact::Known(all) => all,
            Fact::Absent => continue,
            Fact::Unknown(unread) => {
                gap = gap.or(Some(unread));
                continue;
            }
        };
        let names: BTreeSet<&str> = all.iter().map(|distribution| distribution.name.as_str()).collect();
        for distribution in all.iter().filter(|distribution| is_known(&distribution.name)) {
            if !found.iter().any(|package| package.name == distribution.name) {
                found.push(read(world, folder, distribution, &names));
            }
        }
    }
    match gap {
        Some(gap) if found.is_empty() => Fact::Unknown(gap),
        _ => Fact::Known(found),
    }
}

fn is_known(name: &str) -> bool {
    GPU_PACKAGES.contains(&name) || suffix_major(name).is_some()
}

/// The major in `cupy-cuda12x` and `jax-cuda12-plugin`.
fn suffix_major(name: &str) -> Option<u64> {
    let rest = name.strip_prefix("cupy-cuda").and_then(|rest| rest.strip_suffix('x').or(Some(rest)));
    let rest = rest.or_else(|| name.strip_prefix("jax-cuda")?.strip_suffix("-plugin"))?;
    // `cupy-cuda102` and `cupy-cuda113` name a release.
    let digits = rest.get(..2)?;
    rest.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn read(world: &World, folder: &str, distribution: &Distribution, names: &BTreeSet<&str>) -> Package {
    let (cuda_build, cuda_major) = build(world, folder, distribution, names);
    Package {
        name: distribution.name.clone(),
        version: distribution.version.clone(),
        folder: folder.to_owned(),
        cuda_build,
        cuda_major,
        ..Package::default()
    }
}

/// Whether it is a CUDA build, and of which major.
fn build(world: &World, folder: &str, distribution: &Distribution, names: &BTreeSet<&str>) -> (Fact<bool>, Fact<u64>) {
    const CPU: (Fact<bool>, Fact<u64>) = (Fact::Known(false), Fact::Absent);
    let (name, version) = (distribution.name.as_str(), distribution.version.as_str());
    if let Some(major) = suffix_major(name) {
        return (Fact::Known(true), Fact::Known(major));
    }
    match name {
        "onnxruntime" | "onnxruntime-gpu" => onnxruntime(world, folder),
        "jaxlib" => {
            let plugin = names.iter().filter(|name| name.starts_with("jax-cuda")).find_map(|name| suffix_major(name));
            match plugin.or_else(|| local_major(version, "cuda")) {
                Some(major) => (Fact::Known(true), Fact::Known(major)),
                None => CPU,
            }
        }
        "tensorflow" | "tensorflow-cpu" => tensorflow(world, folder),
        "llama-cpp-python" => llama(world, folder),
        "ctranslate2" => ctranslate2(world, folder, version),
        "faiss-cpu" | "paddlepaddle" => CPU,
        "faiss-gpu" | "paddlepaddle-gpu" => (Fact::Known(true), Fact::Absent),
        _ => match local_major(version, "cu") {
            Some(major) => (Fact::Known(true), Fact::Known(major)),
            None if version.split('+').nth(1).is_some_and(|local| local.starts_with("cpu")) => CPU,
            None => (Fact::Absent, Fact::Absent),
        },
    }
}

/// The major of `1.0+cu126`, `0.4.30+cuda12.cudnn89`.
fn local_major(version: &str, word: &str) -> Option<u64> {
    let digits = version.split_once('+')?.1.strip_prefix(word)?;
    let digits: String = digits.chars().take_while(char::is_ascii_digit).take(2).collect();
    digits.parse().ok()
}

/// Both packages put their files into one folder, and the later one wins. Its build writes its name and CUDA release.
fn onnxruntime(world: &World, folder: &str) -> (Fact<bool>, Fact<u64>) {
    let text = world.read(format!("{folder}/onnxruntime/capi/build_and_package_info.py"));
    let cuda = text.as_ref().map(|text| quoted(text, "cuda_version").as_deref().and_then(major));
    let provider = world.exists(format!("{folder}/onnxruntime/capi/libonnxruntime_providers_cuda.so"));
    match cuda {
        Fact::Known(Some(major)) => (provider, Fact::Known(major)),
        Fact::Known(None) => (Fact::Known(false), Fact::Absent),
        Fact::Absent => (provider, Fact::Absent),
        Fact::Unknown(gap) => (Fact::Unknown(gap.clone()), Fact::Unknown(gap)),
    }
}

/// `"cuda_version": "12.5.1"` and `"is_cuda_build": True` in a file that the build writes; quotes of either kind.
fn tensorflow(world: &World, folder: &str) -> (Fact<bool>, Fact<u64>) {
    let text = world.read(format!("{folder}/tensorflow/python/platform/build_info.py"));
    let is_cuda = text.as_ref().and_then(|text| {
        let behind =
            text.split_once("is_cuda_build").map(|(_, rest)| rest.trim_start_matches(['"', '\'', ':', ',', ' ']));
        match behind {
            Some(rest) if rest.starts_with("True") => Fact::Known(true),
            Some(rest) if rest.starts_with("False") => Fact::Known(false),
            _ => Fact::unknown(GapKind::Malformed, "tensorflow/python/platform/build_info.py: no is_cuda_build"),
        }
    });
    let major = text.and_then(|text| Fact::present(quoted(&text, "cuda_version").as_deref().and_then(major)));
    (is_cuda, major)
}

/// ggml's CUDA part is a library of its own; before, everything was in one.
fn llama(world: &World, folder: &str) -> (Fact<bool>, Fact<u64>) {
    let inside = format!("{folder}/llama_cpp");
    let libraries: Vec<String> = [format!("{inside}/lib"), inside]
        .iter()
        .flat_map(|folder| {
            let names = world.list(folder).known().cloned().unwrap_or_default();
            names.into_iter().map(|name| format!("{folder}/{name}")).collect::<Vec<_>>()
        })
        .filter(|path| path.contains(".so") && (path.contains("/libllama") || path.contains("/libggml")))
        .collect();
    if libraries.is_empty() {
        return (Fact::Absent, Fact::Absent);
    }
    let named = libraries.iter().any(|path| path.contains("/libggml-cuda"));
    if named || libraries.iter().take(FILES_MAX).any(|path| has_gpu_code(world, path)) {
        return (Fact::Known(true), Fact::Absent);
    }
    if libraries.len() > FILES_MAX {
        let detail = format!("{} libraries in {folder}/llama_cpp, more than are looked at", libraries.len());
        return (Fact::unknown(GapKind::NotSupported, detail), Fact::Absent);
    }
    (Fact::Known(false), Fact::Absent)
}

/// Version 4 asks for the libraries of CUDA 12, version 3 for those of CUDA 11 (release notes of 4.0.0).
fn ctranslate2(world: &World, folder: &str, version: &str) -> (Fact<bool>, Fact<u64>) {
    let libraries = format!("{folder}/ctranslate2.libs");
    let names = world.list(&libraries).known().cloned().unwrap_or_default();
    let Some(own) = names.iter().find(|name| name.starts_with("libctranslate2")) else {
        return (Fact::Absent, Fact::Absent);
    };
    if !has_gpu_code(world, &format!("{libraries}/{own}")) {
        return (Fact::Known(false), Fact::Absent);
    }
    let major = Version::parse(version).map(|version| if version.major() >= 4 { 12 } else { 11 });
    (Fact::Known(true), Fact::present(major))
}

fn has_gpu_code(world: &World, path: &str) -> bool {
    let Fact::Known(file) = world.open(path) else { return false };
    let Ok(size) = file.size() else { return false };
    sections::find(&file, size, &[".nv_fatbin", ".nvFatBinSegment"]).is_some_and(|found| !found.is_empty())
}

/// The text in quotes that is the value of a name: `name = '12.4'`, `"name": "12.4"`, `('name', '12.4')`.
fn quoted(text: &str, name: &str) -> Option<String> {
    let rest = text.split_once(name)?.1;
    let rest = rest.trim_start_matches(['"', '\'']).trim_start_matches([' ', ':', '=', ',']);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = rest.get(1..)?.split(quote).next()?;
    Some(cut(value))
}

fn major(release: &str) -> Option<u64> {
    release.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
