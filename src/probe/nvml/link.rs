//! The PCIe link of a GPU: how fast it is, how fast it could be, and how often it had to repeat itself.
//!
//! What NVML calls possible is what both ends of the link can, so a card in a slot of fewer lanes is not held against
//! what it could do elsewhere.

use nvml_wrapper::Device;

use super::answer::{fact, or_absent, possible};
use crate::facts::Fact;

/// Generations that there are, with room for those to come.
fn generation_of(call: &str, answer: Result<u32, nvml_wrapper::error::NvmlError>) -> Fact<u32> {
    or_absent(fact(call, answer)).and_then(|number| possible(call, (1..=9).contains(&number), number))
}

/// A link has at most 32 lanes.
fn lanes(call: &str, answer: Result<u32, nvml_wrapper::error::NvmlError>) -> Fact<u32> {
    or_absent(fact(call, answer)).and_then(|number| possible(call, (1..=32).contains(&number), number))
}

/// Its generation now.
pub fn generation(device: &Device<'_>) -> Fact<u32> {
    generation_of("nvmlDeviceGetCurrPcieLinkGeneration", device.current_pcie_link_gen())
}

/// The highest that both ends can.
pub fn generation_max(device: &Device<'_>) -> Fact<u32> {
    generation_of("nvmlDeviceGetMaxPcieLinkGeneration", device.max_pcie_link_gen())
}

/// Its lanes now.
pub fn width(device: &Device<'_>) -> Fact<u32> {
    lanes("nvmlDeviceGetCurrPcieLinkWidth", device.current_pcie_link_width())
}

/// The most that both ends can.
pub fn width_max(device: &Device<'_>) -> Fact<u32> {
    lanes("nvmlDeviceGetMaxPcieLinkWidth", device.max_pcie_link_width())
}

/// Transfers that were repeated since the driver was loaded.
pub fn replays(device: &Device<'_>) -> Fact<u64> {
    const CALL: &str = "nvmlDeviceGetPcieReplayCounter";
    or_absent(fact(CALL, device.pcie_replay_counter()))
        .and_then(|count| possible(CALL, count != u32::MAX, u64::from(count)))
}
