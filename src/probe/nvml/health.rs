//! What memory and links of a GPU have been through, and who is on it.

use nvml_wrapper::Device;
use nvml_wrapper::enums::device::{SampleValue, UsedGpuMemory};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::{
    NVML_FI_DEV_ECC_DBE_AGG_TOTAL, NVML_FI_DEV_ECC_SBE_VOL_TOTAL, NVML_FI_DEV_GET_GPU_RECOVERY_ACTION,
    NVML_FI_DEV_NVLINK_LINK_COUNT, NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL,
    NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL, NVML_FI_DEV_POWER_INSTANT, NVML_FI_DEV_REMAPPED_COR,
    NVML_FI_DEV_REMAPPED_FAILURE, NVML_FI_DEV_REMAPPED_PENDING, NVML_FI_DEV_REMAPPED_UNC, NVML_FI_DEV_RETIRED_DBE,
    NVML_FI_DEV_RETIRED_PENDING, NVML_FI_DEV_RETIRED_SBE,
};

use super::answer::{fact, or_absent, or_older, possible, watts};
use crate::facts::{FabricState, Fact, GapKind, GpuProcess, RecoveryAction};
use crate::world::library::management::Management;

/// One call for all of them.
const FIELDS: [u32; 13] = [
    NVML_FI_DEV_REMAPPED_PENDING,
    NVML_FI_DEV_REMAPPED_FAILURE,
    NVML_FI_DEV_RETIRED_PENDING,
    NVML_FI_DEV_NVLINK_LINK_COUNT,
    NVML_FI_DEV_ECC_SBE_VOL_TOTAL,
    NVML_FI_DEV_ECC_DBE_AGG_TOTAL,
    NVML_FI_DEV_RETIRED_SBE,
    NVML_FI_DEV_RETIRED_DBE,
    NVML_FI_DEV_REMAPPED_COR,
    NVML_FI_DEV_REMAPPED_UNC,
    NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL,
    NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL,
    NVML_FI_DEV_GET_GPU_RECOVERY_ACTION,
];
const CALL: &str = "nvmlDeviceGetFieldValues";

/// Errors that can be counted; a sick GPU answers with all bits set, in 32 of them or in 64.
const COUNT_LIMIT: u64 = u32::MAX as u64;

/// Links that one GPU can have, with room for models to come.
const LINK_LIMIT: u64 = 64;

/// Processes that one GPU can have; a number above it is garbage.
const PROCESS_LIMIT: u32 = 4096;

/// What can be asked as fields.
pub struct Health {
    pub row_remap_pending: Fact<bool>,
    pub row_remap_failed: Fact<bool>,
    pub page_retirement_pending: Fact<bool>,
    pub nvlink_count: Fact<u64>,
    pub ecc_corrected_count: Fact<u64>,
    pub ecc_uncorrected_lifetime_count: Fact<u64>,
    pub retired_page_count: Fact<u64>,
    pub remapped_rows_corrected_count: Fact<u64>,
    pub remapped_rows_uncorrected_count: Fact<u64>,
    pub nvlink_error_count: Fact<u64>,
    pub recovery_action: Fact<RecoveryAction>,
}

impl Health {
    /// Asks for all of it at once.
    pub fn read(device: &Device<'_>) -> Self {
        let fields = match device.field_values_for(&FIELDS.map(FieldId)) {
            Ok(samples) => samples.into_iter().map(|sample| field(sample.and_then(|sample| sample.value))).collect(),
            Err(error) => vec![field(Err(error)); FIELDS.len()],
        };
        let nth = |index: usize| fields.get(index).cloned().unwrap_or_default();
        let count = |index| nth(index).and_then(|value| possible(CALL, value < COUNT_LIMIT, value));
        // A GPU that tells one of two counts has only what it tells.
        let sum = |one: Fact<u64>, other: Fact<u64>| match (one, other) {
            (Fact::Known(one), Fact::Known(other)) => Fact::Known(one + other),
            (Fact::Absent, told) | (told, Fact::Absent) => told,
            (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
        };
        let flag = |value: Fact<u64>| value.and_then(|value| possible(CALL, value <= 1, value == 1));
        Self {
            row_remap_pending: or_older(flag(nth(0))),
            row_remap_failed: or_older(flag(nth(1))),
            page_retirement_pending: flag(nth(2)),
            nvlink_count: nth(3).and_then(|count| match count {
                0 => Fact::Absent,
                _ => possible(CALL, count <= LINK_LIMIT, count),
            }),
            ecc_corrected_count: count(4),
            ecc_uncorrected_lifetime_count: count(5),
            retired_page_count: sum(count(6), count(7)),
            remapped_rows_corrected_count: or_older(count(8)),
            remapped_rows_uncorrected_count: or_older(count(9)),
            nvlink_error_count: sum(count(10), count(11)),
            recovery_action: or_older(nth(12)).and_then(recovery_action),
        }
    }
}

/// The number in a field. A GPU that does not have the field has not what it counts; a library that does not know the
/// field's number, and calls it a bad argument, drives no GPU that has it.
fn field(answer: Result<SampleValue, NvmlError>) -> Fact<u64> {
    if matches!(answer, Err(NvmlError::InvalidArg)) {
        return Fact::Absent;
    }
    or_absent(fact(CALL, answer)).and_then(|value| match value {
        SampleValue::U32(value) => Fact::Known(u64::from(value)),
        SampleValue::U64(value) => Fact::Known(value),
        SampleValue::I64(_) | SampleValue::F64(_) => Fact::unknown(GapKind::Malformed, format!("{CALL}: no count")),
    })
}

/// The power that it draws now. What `nvmlDeviceGetPowerUsage` gives is on newer GPUs the mean over a second, which comes
/// too late for a load of that length, so it is only asked where there is nothing better.
pub fn power(device: &Device<'_>) -> Fact<f64> {
    const USAGE: &str = "nvmlDeviceGetPowerUsage";
    let instant = device.field_values_for(&[FieldId(NVML_FI_DEV_POWER_INSTANT)]).map(Vec::into_iter);
    let instant = instant.ok().and_then(|mut samples| samples.next()).map(|sample| field(sample.and_then(|s| s.value)));
    match instant {
        Some(Fact::Known(milliwatts)) => watts(CALL, u32::try_from(milliwatts).unwrap_or(u32::MAX)),
        _ => or_absent(fact(USAGE, device.power_usage())).and_then(|milliwatts| watts(USAGE, milliwatts)),
    }
}

/// `nvmlDeviceGpuRecoveryAction_t`
fn recovery_action(number: u64) -> Fact<RecoveryAction> {
    let index = usize::try_from(number).unwrap_or(usize::MAX);
    match RecoveryAction::ALL.get(index) {
        Some(action) => Fact::Known(*action),
        None => Fact::unknown(GapKind::Malformed, format!("{CALL}: recovery action {number}")),
    }
}

/// How many of the first `count` links are up.
pub fn links_up(device: &Device<'_>, count: u64) -> Fact<u64> {
    let mut up = 0;
    for link in 0..u32::try_from(count.min(LINK_LIMIT)).unwrap_or_default() {
        match or_absent(fact("nvmlDeviceGetNvLinkState", device.link_wrapper_for(link).is_active())) {
            Fact::Known(active) => up += u64::from(active),
            Fact::Absent => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    Fact::Known(up)
}

/// Processes on it. Their number is asked first, for the wrapper makes room for as many as the library says.
pub fn processes(device: &Device<'_>) -> Fact<Vec<ProcessInfo>> {
    process_count(device).and_then(|count| match count {
        0 => Fact::Known(Vec::new()),
        _ => fact(PROCESSES, device.running_compute_processes()),
    })
}

const PROCESSES: &str = "nvmlDeviceGetComputeRunningProcesses_v3";

/// How many they are.
pub fn process_count(device: &Device<'_>) -> Fact<u64> {
    fact(PROCESSES, device.running_compute_processes_count())
        .and_then(|count| possible(PROCESSES, count <= PROCESS_LIMIT, u64::from(count)))
}

/// One process as a fact.
pub fn process(info: &ProcessInfo) -> GpuProcess {
    let memory_bytes = match info.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Fact::Known(bytes),
        UsedGpuMemory::Unavailable => Fact::Absent,
    };
    GpuProcess { pid: info.pid, memory_bytes }
}

/// What the fabric suffers from, by the health mask: fields of two bits, of which 1 says yes, and one of four bits, where
/// more than 1 is a wrong configuration.
pub fn fabric_trouble(management: &Management, index: u32) -> Fact<String> {
    /// `NVML_ERROR_INVALID_ARGUMENT`, `NVML_ERROR_NOT_SUPPORTED`, `NVML_ERROR_ARGUMENT_VERSION_MISMATCH`
    const NOT_TOLD: [i32; 3] = [2, 3, 25];
    let mask = match management.fabric_health(index) {
        Ok(mask) => mask,
        Err(failed) if failed.code.is_none_or(|code| NOT_TOLD.contains(&code)) => return Fact::Absent,
        Err(failed) => return Fact::unknown(GapKind::NotPermitted, failed.to_string()),
    };
    let yes = [
        (0, "degraded bandwidth"),
        (2, "a route that is being recovered"),
        (4, "an unhealthy route"),
        (6, "a recovery after an access that timed out"),
    ];
    let wrong = (mask >> 8 & 0xf > 1).then_some("a wrong configuration");
    let troubles: Vec<&str> =
        yes.iter().filter(|(shift, _)| mask >> shift & 3 == 1).map(|(_, words)| *words).chain(wrong).collect();
    Fact::present((!troubles.is_empty()).then(|| troubles.join(", ")))
}

/// How far the GPU has come in joining the fabric. An old library does not know of fabrics that need joining.
pub fn fabric(management: &Management, index: u32) -> Fact<FabricState> {
    /// `NVML_ERROR_NOT_SUPPORTED`
    const NOT_SUPPORTED: i32 = 3;
    match management.fabric(index) {
        Ok(fabric) => match (fabric.state, fabric.status) {
            (0, _) => Fact::Absent,
            (1, _) => Fact::Known(FabricState::NotStarted),
            (2, _) => Fact::Known(FabricState::InProgress),
            (3, 0) => Fact::Known(FabricState::Completed),
            (3, _) => Fact::Known(FabricState::Failed),
            (state, _) => Fact::unknown(GapKind::Malformed, format!("nvmlDeviceGetGpuFabricInfo: state {state}")),
        },
        Err(failed) if failed.code == Some(NOT_SUPPORTED) => Fact::Absent,
        Err(failed) => {
            let kind = if failed.code.is_some() { GapKind::NotPermitted } else { GapKind::NoSymbol };
            Fact::unknown(kind, failed.to_string())
        }
    }
}
