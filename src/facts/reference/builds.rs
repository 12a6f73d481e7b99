//! Builds of PyTorch, vLLM and JAX, and the GPUs that each runs on.

use std::sync::LazyLock;

use serde::Deserialize;

/// One build.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Release of the framework.
    pub version: String,
    /// CUDA release that it was built for or brings.
    pub cuda: String,
    /// What stands behind `pip install`.
    pub arguments: String,
    /// Compute capabilities with machine code, where that is what decides.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The oldest compute capability, where it runs on all from there on that its CUDA release knows.
    pub oldest: Option<String>,
    /// Month in which the source was read.
    pub seen: String,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    torch: Vec<Build>,
    vllm: Vec<Build>,
    jax: Vec<Build>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("builds.toml")).unwrap_or_default());

/// A framework whose builds are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framework {
    /// PyTorch.
    Torch,
    /// vLLM, which brings a PyTorch of its own choice.
    Vllm,
    /// JAX.
    Jax,
}

impl Framework {
    /// Its name for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Torch => "PyTorch",
            Self::Vllm => "vLLM",
            Self::Jax => "JAX",
        }
    }

    /// All builds, newest first.
    pub fn builds(self) -> &'static [Build] {
        match self {
            Self::Torch => &TABLE.torch,
            Self::Vllm => &TABLE.vllm,
            Self::Jax => &TABLE.jax,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::reference::drivers;
    use crate::facts::version::Version;

    #[test]
    fn every_build_is_whole_and_the_newest_comes_first() {
        for framework in [Framework::Torch, Framework::Vllm, Framework::Jax] {
            let builds = framework.builds();
            let release = |build: &Build| Version::parse(&build.version).unwrap_or_else(|| panic!("{build:?}"));
            let cuda = |build: &Build| Version::parse(&build.cuda).unwrap_or_else(|| panic!("{build:?}"));
            let order = |build: &Build| (release(build), cuda(build));
            assert!(builds.len() >= 2 && builds.windows(2).all(|pair| order(&pair[0]) > order(&pair[1])));
            for build in builds {
                assert!(build.arguments.contains(&format!("=={}", build.version)), "{build:?}");
                assert!(u32::try_from(cuda(build).major()).ok().and_then(drivers::floor).is_some(), "{build:?}");
                let known = |cc: &String| drivers::architecture(cc).is_some() || cc == "3.7";
                assert!(build.capabilities.iter().chain(&build.oldest).all(known), "{build:?}");
                assert_ne!(build.capabilities.is_empty(), build.oldest.is_none(), "one of the two: {build:?}");
                assert!(!build.source.is_empty() && build.seen.len() == 7, "{build:?}");
            }
        }
    }
}
