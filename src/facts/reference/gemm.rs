//! What multiplies reach in practice: shares of the peak by family, and the width of an SM by capability.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::Precision;

/// Shares of the dense peak for one family of boards.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Its name in `gpus.toml`.
    pub name: String,
    /// Share for float16 and bfloat16; 0 without tensor cores.
    pub tensor: f64,
    /// Share for TF32; 0 where there is none.
    pub tf32: f64,
    /// Share for float32 without tensor cores.
    pub fp32: f64,
    /// Share for float64; 0 where nothing was published.
    #[serde(default)]
    pub fp64: f64,
    /// Share for int8; 0 where nothing was published.
    #[serde(default)]
    pub int8: f64,
    /// Share for float8; 0 where nothing was published.
    #[serde(default)]
    pub fp8: f64,
    /// What it rests on.
    pub source: String,
}

/// What an SM of one compute capability does in a clock.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Compute capability as `9.0`.
    pub cc: String,
    /// Dense fp16 operations with 32-bit accumulators; 0 without tensor cores.
    pub fp16: u32,
    /// Operations on 32-bit floats without tensor cores.
    pub fp32: u32,
}

#[derive(Deserialize, Default)]
struct Table {
    family: Vec<Family>,
    capability: Vec<Capability>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("gemm.toml")).unwrap_or_default());

/// The row of a family.
pub fn family(name: &str) -> Option<&'static Family> {
    TABLE.family.iter().find(|family| family.name == name)
}

/// The row of a capability.
pub fn capability(cc: &str) -> Option<&'static Capability> {
    TABLE.capability.iter().find(|capability| capability.cc == cc)
}

impl Family {
    /// The share of the peak that a healthy board reaches; none where the family has no hardware for it.
    pub fn share(&self, precision: Precision) -> Option<f64> {
        let share = match precision {
            Precision::Tf32 => self.tf32,
            Precision::Float16 if self.tensor > 0.0 => self.tensor,
            Precision::Bfloat16 => self.tensor,
            Precision::Float32 | Precision::Float16 => self.fp32,
            Precision::Float64 => self.fp64,
            Precision::Int8 => self.int8,
            Precision::Float8 => self.fp8,
        };
        (share > 0.0).then_some(share)
    }
}

impl Capability {
    /// Operations that an SM does in a clock; none without the hardware.
    pub fn width(&self, precision: Precision) -> Option<f64> {
        // Brain floats and TF32 came with capability 8.0.
        let modern = self.cc.split('.').next().and_then(|major| major.parse::<u32>().ok()) >= Some(8);
        let width = match precision {
            Precision::Float16 if self.fp16 > 0 => self.fp16,
            Precision::Float32 | Precision::Float16 => self.fp32,
            Precision::Bfloat16 if modern => self.fp16,
            Precision::Tf32 if modern => self.fp16 / 2,
            // How many of these an SM does differs within a capability.
            Precision::Bfloat16 | Precision::Tf32 | Precision::Float64 | Precision::Int8 | Precision::Float8 => 0,
        };
        (width > 0).then(|| f64::from(width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::reference::gpus;

    #[test]
    fn every_model_has_its_family_and_capability() {
        assert_eq!(TABLE.family.len(), 15);
        for model in gpus::gpus() {
            assert!(family(&model.family).is_some(), "{}", model.name);
            assert!(capability(&model.cc).is_some(), "{}", model.name);
        }
    }

    #[test]
    fn every_share_is_a_share_and_tells_what_it_rests_on() {
        for family in &TABLE.family {
            for share in [family.tensor, family.tf32, family.fp32, family.fp64, family.int8, family.fp8] {
                assert!((0.0..=1.0).contains(&share), "{family:?}");
            }
            assert!(family.source.starts_with("measured") || family.source.starts_with("assumed"), "{family:?}");
        }
    }

    #[test]
    fn volta_has_no_brain_floats() {
        let volta = capability("7.0").expect("a row");
        assert_eq!((volta.width(Precision::Bfloat16), volta.width(Precision::Tf32)), (None, None));
        assert_eq!(volta.width(Precision::Float16), Some(1024.0));
    }
}
