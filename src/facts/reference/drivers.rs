//! Which driver a CUDA release and a GPU need.

use std::sync::LazyLock;

use serde::Deserialize;

/// The oldest driver of one CUDA major.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// CUDA major.
    pub major: u32,
    /// Oldest Linux driver, for example `525.60.13`.
    pub driver: String,
    /// Who says so.
    pub source: String,
}

/// The oldest driver that was shipped with a CUDA release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolkit {
    /// CUDA release, for example `12.6`.
    pub cuda: String,
    /// Linux driver, for example `560.28.03`.
    pub driver: String,
    /// Who says so.
    pub source: String,
}

/// What is known of a compute capability.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Compute capability as `9.0`.
    pub cc: String,
    /// First CUDA release that knew it.
    pub toolkit: String,
    /// Last driver branch that supports it; none as long as there is no end in sight.
    pub last_branch: Option<u64>,
    /// Who says so.
    pub source: String,
}

/// Where forward compatibility may stand.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatBase {
    /// Driver branches, ascending.
    pub branches: Vec<u64>,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    floor: Vec<Floor>,
    toolkit: Vec<Toolkit>,
    architecture: Vec<Architecture>,
    compat_base: CompatBase,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("drivers.toml")).unwrap_or_default());

/// The row of a CUDA major.
pub fn floor(major: u32) -> Option<&'static Floor> {
    TABLE.floor.iter().find(|floor| floor.major == major)
}

/// The row of a CUDA release.
pub fn toolkit(cuda: &str) -> Option<&'static Toolkit> {
    TABLE.toolkit.iter().find(|toolkit| toolkit.cuda == cuda)
}

/// The row of a compute capability.
pub fn architecture(cc: &str) -> Option<&'static Architecture> {
    TABLE.architecture.iter().find(|architecture| architecture.cc == cc)
}

/// Driver branches under which a `cuda-compat` package may be put, ascending.
pub fn compat_bases() -> &'static [u64] {
    &TABLE.compat_base.branches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::version::Version;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn newer_majors_and_releases_need_newer_drivers() {
        let floors: Vec<Version> = TABLE.floor.iter().map(|floor| version(&floor.driver)).collect();
        assert_eq!(floors.len(), 3);
        assert!(floors.is_sorted());
        let toolkits: Vec<(Version, Version)> =
            TABLE.toolkit.iter().map(|toolkit| (version(&toolkit.cuda), version(&toolkit.driver))).collect();
        assert!(toolkits.len() >= 20 && toolkits.is_sorted());
        assert!(toolkits.iter().map(|(_, driver)| driver).is_sorted());
        assert!(TABLE.compat_base.branches.is_sorted() && !TABLE.compat_base.source.is_empty());
    }

    #[test]
    fn every_model_has_an_architecture_and_every_row_a_source() {
        for model in crate::facts::reference::gpus::gpus() {
            assert!(architecture(&model.cc).is_some(), "{}: {}", model.name, model.cc);
        }
        let sources = TABLE.floor.iter().map(|row| &row.source).chain(TABLE.toolkit.iter().map(|row| &row.source));
        assert!(sources.chain(TABLE.architecture.iter().map(|row| &row.source)).all(|source| !source.is_empty()));
    }
}
