//! How much of a GPU this process may use, as variables say that MPS and libraries for sharing read.

use super::rounded;
use crate::facts::{Fact, Facts, Setting};

/// Variables that limit the share of the multiprocessors in percent, each with the end that an index of a GPU may add.
/// MPS reads the first (NVIDIA Multi-Process Service documentation), HAMi-core and Volcano's vGPU the second, and
/// vgpu-manager the third, in a library that `/etc/ld.so.preload` names.
const VARIABLES: [&str; 3] = ["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "CUDA_DEVICE_SM_LIMIT", "CUDA_CORE_LIMIT"];

/// Fills in the share and what says so.
pub fn derive(facts: &mut Facts) {
    let limit = facts.environment.settings.as_ref().and_then(|settings| {
        let lowest = settings.iter().filter_map(of).min_by(|one, other| one.0.total_cmp(&other.0));
        Fact::present(lowest)
    });
    facts.compute.share_limit = limit.as_ref().map(|(share, _)| *share);
    facts.compute.share_limited_by = limit.map(|(_, by)| by);
}

/// The share that a setting leaves, and its words.
fn of(setting: &Setting) -> Option<(f64, String)> {
    let is_one = VARIABLES.iter().any(|name| is_named(&setting.name, name));
    let percent = setting.value.trim().parse::<f64>().ok().filter(|percent| *percent > 0.0 && *percent < 100.0)?;
    is_one.then(|| (rounded(percent / 100.0), format!("{}={}", setting.name, setting.value)))
}

/// The name, or the name with the index of a GPU.
fn is_named(name: &str, wanted: &str) -> bool {
    name.strip_prefix(wanted).is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('_')
                .is_some_and(|index| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(settings: &[(&str, &str)]) -> (Fact<f64>, Fact<String>) {
        let setting = |(name, value): &(&str, &str)| Setting {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            ..Setting::default()
        };
        let mut facts = Facts::default();
        facts.environment.settings = Fact::Known(settings.iter().map(setting).collect());
        derive(&mut facts);
        (facts.compute.share_limit, facts.compute.share_limited_by)
    }

    #[test]
    fn the_lowest_share_counts_and_what_is_no_share_does_not() {
        let by = |words: &str| Fact::Known(words.to_owned());
        assert_eq!(
            derived(&[("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "50"), ("CUDA_DEVICE_SM_LIMIT_1", "30")]),
            (Fact::Known(0.3), by("CUDA_DEVICE_SM_LIMIT_1=30"))
        );
        for nothing in ["100", "0", "-3", "a", ""] {
            assert_eq!(derived(&[("CUDA_DEVICE_SM_LIMIT", nothing)]), (Fact::Absent, Fact::Absent), "{nothing}");
        }
        assert_eq!(derived(&[("CUDA_DEVICE_SM_LIMITS", "30"), ("CUDA_CORE_LIMIT_x", "30")]).0, Fact::Absent);
        let mut blind = Facts::default();
        derive(&mut blind);
        assert!(blind.compute.share_limit.is_unknown());
    }
}
