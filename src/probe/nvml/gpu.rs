//! One GPU as NVML describes it.
//!
//! What a GPU does not have ("not supported") is absent where the fact says so,
//! and values that no GPU can have are gaps, not readings: a sick GPU answers
//! with all bits set.

use nvml_wrapper::Device;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, ComputeMode as Mode, EccCounter, MemoryError, TemperatureSensor};
use nvml_wrapper::error::NvmlError;

use super::answer::{fact, mhz, or_absent, or_older, possible, watts};
use super::health::{Health, fabric, fabric_trouble, links_up, process, processes};
use super::link;
use crate::facts::{ComputeMode, FabricState, Fact, GapKind, Gpu, ThrottleReason, cut, cut_word, redacted_uuid};
use crate::world::child::Progress;
use crate::world::library::management::Management;

/// MIG devices that one GPU can be cut into, with room for models to come.
const MIG_LIMIT: u32 = 64;

/// Processes on one GPU that are kept.
const PROCESSES_KEPT: usize = 32;

/// What is known of the fabric where the library could not be opened a second time.
fn no_fabric(why: &str) -> (Fact<FabricState>, Fact<String>) {
    (Fact::unknown(GapKind::NoSymbol, why.to_owned()), Fact::Absent)
}

/// Percent of the time at work before we were.
fn utilization(device: &Device<'_>) -> Fact<u32> {
    const CALL: &str = "nvmlDeviceGetUtilizationRates";
    let percent = or_older(fact(CALL, device.utilization_rates()).map(|rates| rates.gpu));
    percent.and_then(|percent| possible(CALL, percent <= 100, percent))
}

/// Reads everything about a GPU; an error only when it is lost.
#[expect(clippy::too_many_lines, reason = "one field after the other, each asked once")]
pub fn describe(
    index: u32,
    device: &Device<'_>,
    raw: Result<&Management, &String>,
    progress: &mut Progress,
) -> Result<Gpu, NvmlError> {
    let mut at = |call: &str| progress.at(&format!("{call}({index})"));
    at("nvmlDeviceGetName");
    let name = device.name();
    if let Err(NvmlError::GpuLost) = name {
        return Err(NvmlError::GpuLost);
    }
    at("nvmlDeviceGetMemoryInfo_v2");
    let memory = fact("nvmlDeviceGetMemoryInfo_v2", device.memory_info())
        .and_then(|memory| possible("nvmlDeviceGetMemoryInfo_v2", memory.total != 0, memory));
    let memory_reserved_bytes = memory.as_ref().map(|memory| memory.reserved);
    at("nvmlDeviceGetUtilizationRates");
    let utilization_percent = utilization(device);
    at("nvmlDeviceGetMigMode");
    let mig_enabled = or_older(fact("nvmlDeviceGetMigMode", device.mig_mode()).map(|mode| mode.current == 1));
    let mig_device_count = mig_enabled.clone().and_then(|on| if on { mig_devices(device) } else { Fact::Absent });
    at("nvmlDeviceGetEccMode");
    let ecc_enabled = or_absent(fact("nvmlDeviceGetEccMode", device.is_ecc_enabled()).map(|ecc| ecc.currently_enabled));
    let ecc_uncorrected_count = ecc_enabled.clone().and_then(|on| if on { uncorrected(device) } else { Fact::Absent });
    at("nvmlDeviceGetTemperature");
    let temperature_celsius = celsius(device);
    at("nvmlDeviceGetEnforcedPowerLimit");
    let power_limit = fact("nvmlDeviceGetEnforcedPowerLimit", device.enforced_power_limit());
    let power_default = fact("nvmlDeviceGetPowerManagementDefaultLimit", device.power_management_limit_default());
    at("nvmlDeviceGetComputeRunningProcesses_v3");
    let processes = processes(device);
    at("nvmlDeviceGetFieldValues");
    let health = Health::read(device);
    at("nvmlDeviceGetNvLinkState");
    let nvlink_active_count = health.nvlink_count.clone().and_then(|count| links_up(device, count));
    at("nvmlDeviceGetGpuFabricInfo");
    let (fabric_state, fabric_trouble) =
        raw.map_or_else(|why| no_fabric(why), |raw| (fabric(raw, index), fabric_trouble(raw, index)));
    at("nvmlDeviceGetCurrentClocksThrottleReasons");
    let reasons = fact("nvmlDeviceGetCurrentClocksThrottleReasons", device.current_throttle_reasons());
    at("nvmlDeviceGetCurrPcieLinkGeneration");
    let pcie_generation = link::generation(device);
    let pcie_width = link::width(device);
    at("nvmlDeviceGetMaxPcieLinkGeneration");
    let pcie_generation_max = link::generation_max(device);
    let pcie_width_max = link::width_max(device);
    at("nvmlDeviceGetPcieReplayCounter");
    let pcie_replay_count = link::replays(device);
    at("nvmlDeviceGetComputeMode");
    let capability = fact("nvmlDeviceGetCudaComputeCapability", device.cuda_compute_capability());
    at("nvmlDeviceGetPciInfo_v3");
    let gpu = Gpu {
        index,
        name: fact("nvmlDeviceGetName", name).map(|name| cut(&name)),
        uuid: fact("nvmlDeviceGetUUID", device.uuid()).map(|uuid| redacted_uuid(&uuid)),
        pci_address: fact("nvmlDeviceGetPciInfo_v3", device.pci_info()).map(|pci| cut_word(&pci.bus_id)),
        memory_bytes: memory.clone().map(|memory| memory.total),
        memory_free_bytes: memory
            .and_then(|memory| possible("nvmlDeviceGetMemoryInfo_v2", memory.free <= memory.total, memory.free)),
        memory_reserved_bytes,
        utilization_percent,
        compute_capability: capability.and_then(|found| {
            let text = format!("{}.{}", found.major, found.minor);
            possible("nvmlDeviceGetCudaComputeCapability", (1..100).contains(&found.major), text)
        }),
        mig_enabled,
        mig_device_count,
        ecc_enabled,
        ecc_uncorrected_count,
        temperature_celsius,
        power_limit_watts: power_limit.and_then(|limit| watts("nvmlDeviceGetEnforcedPowerLimit", limit)),
        power_default_watts: power_default.and_then(|limit| watts("nvmlDeviceGetPowerManagementDefaultLimit", limit)),
        sm_clock_max_mhz: fact("nvmlDeviceGetMaxClockInfo", device.max_clock_info(Clock::SM))
            .and_then(|clock| mhz("nvmlDeviceGetMaxClockInfo", clock)),
        compute_mode: fact("nvmlDeviceGetComputeMode", device.compute_mode()).map(|mode| match mode {
            Mode::Default => ComputeMode::Default,
            Mode::ExclusiveThread => ComputeMode::ExclusiveThread,
            Mode::Prohibited => ComputeMode::Prohibited,
            Mode::ExclusiveProcess => ComputeMode::ExclusiveProcess,
        }),
        process_count: processes.as_ref().map(|processes| processes.len() as u64),
        processes: processes.map(|processes| processes.iter().take(PROCESSES_KEPT).map(process).collect()),
        row_remap_pending: health.row_remap_pending,
        row_remap_failed: health.row_remap_failed,
        page_retirement_pending: health.page_retirement_pending,
        ecc_corrected_count: health.ecc_corrected_count,
        ecc_uncorrected_lifetime_count: health.ecc_uncorrected_lifetime_count,
        retired_page_count: health.retired_page_count,
        remapped_rows_corrected_count: health.remapped_rows_corrected_count,
        remapped_rows_uncorrected_count: health.remapped_rows_uncorrected_count,
        nvlink_error_count: health.nvlink_error_count,
        recovery_action: health.recovery_action,
        pcie_generation,
        pcie_generation_max,
        pcie_width,
        pcie_width_max,
        pcie_replay_count,
        nvlink_count: health.nvlink_count,
        nvlink_active_count,
        fabric_state,
        fabric_trouble,
        persistence: fact("nvmlDeviceGetPersistenceMode", device.is_in_persistent_mode()),
        throttle_reasons: reasons.map(throttle_reasons),
        ..Gpu::default()
    };
    // A GPU may be lost while it is described, and what it said until then is worth nothing.
    at("nvmlDeviceGetName");
    match device.name() {
        Err(NvmlError::GpuLost) => Err(NvmlError::GpuLost),
        _ => Ok(gpu),
    }
}

/// The core temperature.
pub(super) fn celsius(device: &Device<'_>) -> Fact<u32> {
    const CALL: &str = "nvmlDeviceGetTemperature";
    fact(CALL, device.temperature(TemperatureSensor::Gpu)).and_then(|celsius| possible(CALL, celsius < 200, celsius))
}

/// Instances that are visible here. One that may not be seen is not one that is not there.
fn mig_devices(device: &Device<'_>) -> Fact<u64> {
    const CALL: &str = "nvmlDeviceGetMigDeviceHandleByIndex";
    fact("nvmlDeviceGetMaxMigDeviceCount", device.mig_device_count()).and_then(|most| {
        let mut count = 0;
        for index in 0..most.min(MIG_LIMIT) {
            match device.mig_device_by_index(index) {
                Ok(_) => count += 1,
                Err(NvmlError::NotFound | NvmlError::InvalidArg) => {}
                Err(error) if count == 0 => return fact(CALL, Err(error)),
                Err(_) => break,
            }
        }
        Fact::Known(count)
    })
}

fn uncorrected(device: &Device<'_>) -> Fact<u64> {
    let count = device.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile);
    or_absent(fact("nvmlDeviceGetTotalEccErrors", count))
        .and_then(|count| possible("nvmlDeviceGetTotalEccErrors", count != u64::MAX, count))
}

/// What NVML's bits say.
pub(super) fn throttle_reasons(bits: ThrottleReasons) -> Vec<ThrottleReason> {
    let reasons = [
        (ThrottleReasons::GPU_IDLE, ThrottleReason::GpuIdle),
        (ThrottleReasons::APPLICATIONS_CLOCKS_SETTING, ThrottleReason::ApplicationsClocksSetting),
        (ThrottleReasons::SW_POWER_CAP, ThrottleReason::SwPowerCap),
        (ThrottleReasons::HW_SLOWDOWN, ThrottleReason::HwSlowdown),
        (ThrottleReasons::SYNC_BOOST, ThrottleReason::SyncBoost),
        (ThrottleReasons::SW_THERMAL_SLOWDOWN, ThrottleReason::SwThermalSlowdown),
        (ThrottleReasons::HW_THERMAL_SLOWDOWN, ThrottleReason::HwThermalSlowdown),
        (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, ThrottleReason::HwPowerBrakeSlowdown),
        (ThrottleReasons::DISPLAY_CLOCK_SETTING, ThrottleReason::DisplayClockSetting),
    ];
    reasons.iter().filter(|(bit, _)| bits.contains(*bit)).map(|(_, reason)| *reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_as_bits() {
        let both = [ThrottleReason::GpuIdle, ThrottleReason::SwPowerCap];
        assert_eq!(throttle_reasons(ThrottleReasons::from_bits_truncate(1 | 4)), both);
        assert!(throttle_reasons(ThrottleReasons::empty()).is_empty());
    }
}
