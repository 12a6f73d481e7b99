//! What the name of a base image tells, and which CUDA release a wheel brings.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::version::Version;

/// How the tags of an image are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagForm {
    /// `12.4.1-cudnn-runtime-ubuntu22.04`
    Cuda,
    /// `2.5.1-cuda12.4-cudnn9-runtime`
    Pytorch,
    /// `24.05-py3`
    Ngc,
    /// `3.12-slim-bookworm`
    Python,
    /// `22.04`
    System,
}

/// A base image.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its name without tag.
    pub name: String,
    /// How its tags are written.
    pub tag: TagForm,
    /// Product of NVIDIA's catalogue.
    pub product: Option<String>,
    /// The distribution that it is.
    pub system: Option<String>,
    /// Who a container starts as.
    pub user: String,
    /// Who says so.
    pub source: String,
}

/// A word of a tag for a release of a distribution.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Codename {
    word: String,
    system: String,
}

/// A release of NVIDIA's framework containers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ngc {
    /// Year and month.
    pub release: String,
    /// CUDA release.
    pub cuda: String,
    /// The distribution, where it is known.
    pub system: Option<String>,
    /// Who says so.
    pub source: String,
}

/// What a version of PyTorch brings from PyPI.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// The first two numbers of the version.
    pub torch: String,
    /// CUDA release.
    pub cuda: String,
    /// Who says so.
    pub source: String,
}

/// What PyTorch's builds for a CUDA release have code for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// CUDA release.
    pub cuda: String,
    /// Compute capabilities.
    pub capabilities: Vec<String>,
    /// Who says so.
    pub source: String,
}

/// What a CUDA major knows no longer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// CUDA major.
    pub major: u64,
    /// The oldest compute capability that is known.
    pub below: String,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    base: Vec<Base>,
    codename: Vec<Codename>,
    ngc: Vec<Ngc>,
    wheel: Vec<Wheel>,
    code: Vec<Code>,
    dropped: Vec<Dropped>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("bases.toml")).unwrap_or_default());

/// The row of an image, by its name without tag; that of Docker's registry may be spelt out.
pub fn base(name: &str) -> Option<&'static Base> {
    let bare = name.strip_prefix("docker.io/").unwrap_or(name);
    let bare = bare.strip_prefix("library/").unwrap_or(bare);
    TABLE.base.iter().find(|row| row.name == bare)
}

/// The release of a distribution that a word of a tag names: `jammy`, `ubuntu22.04`.
pub fn system(word: &str) -> Option<String> {
    if let Some(row) = TABLE.codename.iter().find(|row| row.word == word) {
        return Some(row.system.clone());
    }
    let version = word.strip_prefix("ubuntu")?;
    Version::parse(version).map(|_| format!("Ubuntu {version}"))
}

/// The row of a release of NVIDIA's framework containers.
pub fn ngc(release: &str) -> Option<&'static Ngc> {
    TABLE.ngc.iter().find(|row| row.release == release)
}

/// CUDA release that this version of PyTorch brings from PyPI.
pub fn wheel_cuda(torch: &str) -> Option<&'static str> {
    let version = Version::parse(torch)?;
    let minor = format!("{}.{}", version.major(), version.part(1));
    TABLE.wheel.iter().find(|row| row.torch == minor).map(|row| row.cuda.as_str())
}

/// Compute capabilities that PyTorch's builds for this CUDA release surely have code for.
pub fn wheel_code(cuda: &str) -> &'static [String] {
    TABLE.code.iter().find(|row| row.cuda == cuda).map_or(&[], |row| row.capabilities.as_slice())
}

/// The compute capability below which nothing runs that was built for this CUDA major.
pub fn oldest_capability(cuda_major: u64) -> Option<Version> {
    let row = TABLE.dropped.iter().rev().find(|row| row.major <= cuda_major)?;
    Version::parse(&row.below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_source_and_none_comes_twice() {
        assert!(TABLE.base.len() > 8 && TABLE.codename.len() > 8 && TABLE.wheel.len() > 8 && TABLE.ngc.len() > 3);
        let sources = TABLE.base.iter().map(|row| &row.source).chain(TABLE.ngc.iter().map(|row| &row.source));
        let sources = sources.chain(TABLE.wheel.iter().map(|row| &row.source));
        let sources = sources.chain(TABLE.code.iter().map(|row| &row.source));
        assert!(TABLE.wheel.iter().skip(1).all(|wheel| !wheel_code(&wheel.cuda).is_empty()));
        assert!(sources.chain(TABLE.dropped.iter().map(|row| &row.source)).all(|source| !source.is_empty()));
        for row in &TABLE.base {
            assert_eq!(TABLE.base.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
            assert_eq!(row.system.is_some(), row.tag == TagForm::System, "{}", row.name);
        }
        for row in &TABLE.codename {
            assert!(crate::facts::reference::end_of_life::os(&row.system).is_some(), "{}", row.word);
        }
        assert!(TABLE.ngc.is_sorted_by_key(|row| &row.release));
    }

    #[test]
    fn an_image_is_known_by_its_name_however_it_is_spelt() {
        assert!(base("docker.io/library/python").is_some() && base("docker.io/nvidia/cuda").is_some());
        assert!(base("example.com/nvidia/cuda").is_none() && base("nvidia/cuda:12").is_none());
        assert_eq!(system("ubuntu22.04"), Some("Ubuntu 22.04".to_owned()));
        assert_eq!((system("bookworm"), system("rockylinux9")), (Some("Debian GNU/Linux 12".to_owned()), None));
    }

    #[test]
    fn a_wheel_brings_the_release_of_its_minor() {
        assert_eq!((wheel_cuda("2.5.1"), wheel_cuda("2.5"), wheel_cuda("1.0")), (Some("12.4"), Some("12.4"), None));
        let oldest = |major| oldest_capability(major).map(|version| (version.major(), version.part(1)));
        assert_eq!((oldest(11), oldest(12), oldest(13), oldest(14)), (None, Some((5, 0)), Some((7, 5)), Some((7, 5))));
    }
}
