//! Builds of PyTorch, and the GPUs that each has machine code for.

use std::sync::LazyLock;

use serde::Deserialize;

/// One build.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Release of PyTorch.
    pub torch: String,
    /// CUDA release that it was built for.
    pub cuda: String,
    /// What stands behind `pip install`.
    pub arguments: String,
    /// Compute capabilities with machine code.
    pub capabilities: Vec<String>,
    /// Month in which the source was read.
    pub seen: String,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    build: Vec<Build>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("pytorch.toml")).unwrap_or_default());

/// All builds, newest first.
pub fn builds() -> &'static [Build] {
    &TABLE.build
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::reference::drivers;
    use crate::facts::version::Version;

    #[test]
    fn every_build_is_whole_and_the_newest_comes_first() {
        let release = |build: &Build| Version::parse(&build.torch).unwrap_or_else(|| panic!("{build:?}"));
        assert!(builds().len() >= 5 && builds().windows(2).all(|pair| release(&pair[0]) > release(&pair[1])));
        for build in builds() {
            assert!(build.arguments.starts_with(&format!("torch=={}", build.torch)), "{build:?}");
            let major = Version::parse(&build.cuda).and_then(|cuda| u32::try_from(cuda.major()).ok());
            assert!(major.and_then(drivers::floor).is_some(), "{build:?}");
            let known = |cc: &String| drivers::architecture(cc).is_some() || cc == "3.7";
            assert!(build.capabilities.iter().all(known), "{build:?}");
            assert!(!build.source.is_empty() && build.seen.len() == 7, "{build:?}");
        }
    }
}
