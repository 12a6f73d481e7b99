//! The machine-learning framework, read from its files without running it.
//!
//! Where Python packages lie is [`packages`]'s business, and which of them use a GPU by themselves [`gpu_packages`]'s.

mod gpu_packages;
pub mod packages;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Fact, Framework, GapKind, LIST_LIMIT, cut_word};
use crate::world::World;
use packages::Distribution;

/// Reads PyTorch's version file and the names of installed distributions.
pub fn collect(world: &World) -> Framework {
    let folders = packages::folders(world);
    let version_file = folders.iter().map(|folder| format!("{folder}/torch/version.py")).find_map(|path| {
        let text = world.read(&path);
        (!text.is_absent()).then_some((path, text))
    });
    let closed = packages::Closed::find(world);
    let (torch_version, torch_cuda) = match version_file {
        None => match &closed.packages {
            Some(folder) => (hidden_in(folder), hidden_in(folder)),
            None => (Fact::Absent, Fact::Absent),
        },
        Some((path, text)) => torch(&path, text),
    };
    let (mut duplicates, mut majors) = (Vec::new(), Vec::new());
    let mut gap = None;
    for folder in &folders {
        match packages::distributions(world, folder) {
            Fact::Known(found) => {
                duplicates.extend(duplicates_of(&found));
                majors.push(wheel_majors(&found));
            }
            Fact::Absent => {}
            Fact::Unknown(unread) => gap = gap.or(Some(unread)),
        }
    }
    duplicates.truncate(LIST_LIMIT);
    // Side by side means in one folder: two environments of one image do not disturb each other.
    let majors = majors.into_iter().max_by_key(BTreeSet::len).unwrap_or_default();
    let unless_blind = |found: Vec<String>| match &gap {
        Some(gap) if found.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Known(found),
    };
    Framework {
        torch_version,
        torch_cuda,
        duplicate_distributions: unless_blind(duplicates),
        cuda_wheel_majors: unless_blind(majors.into_iter().collect()),
        packages: gpu_packages::find(world, &folders),
        site_packages: Fact::Known(folders),
        unreadable_folders: closed.folders,
        hiding_folder: Fact::present(closed.hiding),
        ..Framework::default()
    }
}

/// What was found nowhere else, and may lie in a folder that this user may not look into.
fn hidden_in(folder: &str) -> Fact<String> {
    Fact::unknown(GapKind::NotPermitted, format!("{folder}: EACCES"))
}

/// Version and CUDA release from the text of `torch/version.py`.
fn torch(path: &str, text: Fact<String>) -> (Fact<String>, Fact<String>) {
    let text = match text {
        Fact::Known(text) => text,
        Fact::Absent => return (Fact::Absent, Fact::Absent),
        Fact::Unknown(gap) => return (Fact::Unknown(gap.clone()), Fact::Unknown(gap)),
    };
    let gap = |name: &str| Fact::unknown(GapKind::Malformed, format!("{path}: no {name}"));
    let version = match assigned(&text, "__version__") {
        Some(Value::Text(version)) => Fact::Known(version),
        _ => gap("__version__"),
    };
    let cuda = match assigned(&text, "cuda") {
        Some(Value::Text(cuda)) => Fact::Known(cuda),
        Some(Value::None) => Fact::Absent,
        None => gap("cuda"),
    };
    (version, cuda)
}

enum Value {
    Text(String),
    None,
}

/// What `name = '…'` or `name: Optional[str] = '…'` assigns; the last assignment wins.
fn assigned(text: &str, name: &str) -> Option<Value> {
    text.lines().rev().find_map(|line| {
        let (left, right) = line.split_once('=')?;
        let left = left.split(':').next()?.trim();
        if left != name {
            return None;
        }
        let right = right.split('#').next()?.trim();
        if right == "None" {
            return Some(Value::None);
        }
        let quote = right.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let inner = right.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(Value::Text(cut_word(inner)))
    })
}

/// Distributions of one folder that are there in two versions, as `name 1.0, 2.0`.
fn duplicates_of(distributions: &[Distribution]) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for distribution in distributions {
        versions.entry(&distribution.name).or_default().insert(&distribution.version);
    }
    let several = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    several.map(|(name, versions)| format!("{name} {}", versions.into_iter().collect::<Vec<_>>().join(", "))).collect()
}

/// Majors of NVIDIA's CUDA wheels: by the suffix `-cu12`, or by the version of those that have none since CUDA 13.
fn wheel_majors(distributions: &[Distribution]) -> BTreeSet<String> {
    let major = |distribution: &Distribution| {
        let name = distribution.name.strip_prefix("nvidia-")?;
        match name.rsplit_once("-cu") {
            Some((_, major)) => Some(major.to_owned()),
            None if matches!(name, "cublas" | "cuda-runtime") => {
                distribution.version.split('.').next().map(str::to_owned)
            }
            None => None,
        }
    };
    let is_number = |major: &String| !major.is_empty() && major.chars().all(|c| c.is_ascii_digit());
    distributions.iter().filter_map(major).filter(is_number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const SITE: &str = "opt/venv/lib/python3.12/site-packages";

    fn framework(files: &[(&str, &str)]) -> Framework {
        let root = FakeRoot::new();
        for (path, text) in files {
            root.file(&format!("{SITE}/{path}"), text);
        }
        collect(&root)
    }

    fn torch_of(text: &str) -> (Fact<String>, Fact<String>) {
        let found = framework(&[("torch/version.py", text)]);
        (found.torch_version, found.torch_cuda)
    }

    fn known(text: &str) -> Fact<String> {
        Fact::Known(text.to_owned())
    }

    #[test]
    fn every_form_of_the_version_file_is_read() {
        let annotated = "from typing import Optional\n\n__all__ = ['__version__', 'debug', 'cuda']\n\
                         __version__ = '2.8.0+cu128'\ndebug = False\ncuda: Optional[str] = '12.8'\n\
                         git_version = 'x'\nhip: Optional[str] = None\n";
        assert_eq!(torch_of(annotated), (known("2.8.0+cu128"), known("12.8")));
        assert_eq!(torch_of("__version__ = \"1.13.1\"\ncuda = '11.7'\n"), (known("1.13.1"), known("11.7")));
        assert_eq!(
            torch_of("__version__ = '2.8.0+cpu'\ncuda: Optional[str] = None\n"),
            (known("2.8.0+cpu"), Fact::Absent)
        );
    }

    #[test]
    fn a_version_file_that_makes_no_sense_is_a_gap() {
        for text in ["", "garbage", "__version__ = 2\ncuda = '", "\u{0}\u{1b}"] {
            let (version, cuda) = torch_of(text);
            assert!(version.is_unknown() && cuda.is_unknown(), "{text:?}");
        }
        assert!(framework(&[("torch/version.py/x", "")]).torch_version.is_unknown());
    }

    #[test]
    fn without_python_nothing_is_there() {
        let found = collect(&FakeRoot::new());
        assert!(found.torch_version.is_absent() && found.torch_cuda.is_absent());
        assert_eq!(found.site_packages, Fact::Known(Vec::new()));
        assert_eq!(found.duplicate_distributions, Fact::Known(Vec::new()));
        assert_eq!(found.cuda_wheel_majors, Fact::Known(Vec::new()));
    }

    #[test]
    fn two_versions_of_one_distribution_are_told_under_its_normal_name() {
        let found = framework(&[
            ("Typing_Extensions-4.1.dist-info/METADATA", ""),
            ("typing.extensions-4.2.dist-info/METADATA", ""),
            ("numpy-1.26.4.dist-info/METADATA", ""),
            ("~umpy-1.25.0.dist-info/METADATA", ""),
            ("numpy-1.20.0.dist-info/INSTALLER", ""),
        ]);
        assert_eq!(found.duplicate_distributions, Fact::Known(vec!["typing-extensions 4.1, 4.2".to_owned()]));
    }

    #[test]
    fn majors_of_cuda_wheels_are_read_from_names() {
        let majors = |names: &[&str]| {
            let files: Vec<String> = names.iter().map(|name| format!("{name}.dist-info/METADATA")).collect();
            framework(&files.iter().map(|path| (path.as_str(), "")).collect::<Vec<_>>()).cuda_wheel_majors
        };
        let both = majors(&["nvidia_cublas_cu12-12.6.4.1", "nvidia_cuda_runtime-13.0.48", "nvidia_ml_py-12.560.30"]);
        assert_eq!(both, Fact::Known(vec!["12".to_owned(), "13".to_owned()]));
        assert_eq!(majors(&["nvidia_nccl_cu12-2.27.3"]), Fact::Known(vec!["12".to_owned()]));
        assert_eq!(majors(&["numpy-1.0"]), Fact::Known(Vec::new()));
    }
}
