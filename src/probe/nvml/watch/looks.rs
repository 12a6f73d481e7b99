//! What many looks at a GPU at work come to.

use nvml_wrapper::bitmasks::device::ThrottleReasons;

use super::super::gpu::throttle_reasons;
use crate::facts::{Fact, GpuLoad, Throttle};

/// Fewer looks at work than this say nothing about it.
const LOOKS_MIN: usize = 3;

/// One look at a GPU at work.
#[derive(Debug, Clone)]
pub struct Look {
    pub reasons: ThrottleReasons,
    pub sm_clock_mhz: Fact<u32>,
    pub power_watts: Fact<f64>,
    pub temperature_celsius: Fact<u32>,
    pub pcie_generation: Fact<u32>,
    pub pcie_width: Fact<u32>,
    pub process_count: Fact<u64>,
}

/// What the looks come to. A context keeps a GPU from being idle before there is anything to do, so a look counts when
/// the GPU draws at least half of the most that was seen, or when the hardware holds it down.
pub fn sum(looks: &[Look], pcie_replay_count: Fact<u64>) -> Fact<GpuLoad> {
    let held =
        ThrottleReasons::HW_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN | ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN;
    let most = looks.iter().filter_map(|look| look.power_watts.known().copied()).fold(0.0, f64::max);
    let draws = |look: &Look| look.power_watts.known().is_none_or(|watts| *watts >= most / 2.0);
    let looks: Vec<&Look> = looks.iter().filter(|look| draws(look) || look.reasons.intersects(held)).collect();
    if looks.len() < LOOKS_MIN {
        return Fact::Absent;
    }
    let mut throttles: Vec<Throttle> = Vec::new();
    for reason in looks.iter().flat_map(|look| throttle_reasons(look.reasons)) {
        match throttles.iter_mut().find(|throttle| throttle.reason == reason) {
            Some(throttle) => throttle.share += 1.0,
            None => throttles.push(Throttle { reason, share: 1.0 }),
        }
    }
    // A look or two show a moment, as when the work begins.
    throttles.retain(|throttle| throttle.share >= LOOKS_MIN as f64);
    for throttle in &mut throttles {
        throttle.share = (throttle.share / looks.len() as f64 * 1000.0).round() / 1000.0;
    }
    throttles.sort_by_key(|throttle| throttle.reason);
    let highest = |of: fn(&Look) -> &Fact<u32>| over(&looks, of, |all| all.iter().copied().max());
    Fact::Known(GpuLoad {
        sample_count: looks.len() as u64,
        sm_clock_mhz: over(
            &looks,
            |look| &look.sm_clock_mhz,
            |all| {
                all.sort_unstable();
                all.get(all.len() / 2).copied()
            },
        ),
        power_watts: over(&looks, |look| &look.power_watts, |all| all.iter().copied().reduce(f64::max)),
        temperature_celsius: highest(|look| &look.temperature_celsius),
        throttles,
        pcie_generation: highest(|look| &look.pcie_generation),
        pcie_width: highest(|look| &look.pcie_width),
        pcie_replay_count,
        process_count: over(&looks, |look| &look.process_count, |all| all.iter().copied().max()),
    })
}

/// One number out of all looks that have it; where none has, why the last has not.
fn over<T: Copy>(
    looks: &[&Look],
    of: impl Fn(&Look) -> &Fact<T>,
    one: impl FnOnce(&mut Vec<T>) -> Option<T>,
) -> Fact<T> {
    let mut all: Vec<T> = looks.iter().filter_map(|look| of(look).known().copied()).collect();
    match one(&mut all) {
        Some(value) => Fact::Known(value),
        None => looks.last().map_or(Fact::Absent, |look| of(look).clone()),
    }
}
