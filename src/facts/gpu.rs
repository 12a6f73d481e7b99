//! The GPUs that NVML lists.

use super::Fact;
use super::shape::{record, words};

words! {
    /// Who may use a GPU at once.
    pub enum ComputeMode {
        /// Any number of processes.
        Default = "default",
        /// One process.
        ExclusiveProcess = "exclusive-process",
        /// One thread.
        ExclusiveThread = "exclusive-thread",
        /// Nobody.
        Prohibited = "prohibited",
    }

    /// How far a GPU has come in joining the NVLink fabric of its machine, the least advanced first.
    pub enum FabricState {
        /// It has not begun: nobody has set up the switches.
        NotStarted = "not started",
        /// It is on its way.
        InProgress = "in progress",
        /// It has ended with an error.
        Failed = "failed",
        /// It is part of the fabric.
        Completed = "completed",
    }

    /// What the driver asks for before a GPU can be relied on again.
    pub enum RecoveryAction {
        /// Nothing.
        None = "none",
        /// A reset of the GPU.
        Reset = "reset of the GPU",
        /// A reboot of the node.
        Reboot = "reboot of the node",
        /// Traffic between GPUs has to end.
        DrainPeers = "end of all traffic with other GPUs",
        /// The GPU works no longer at its full size: it has to be drained, then reset.
        DrainAndReset = "end of all work on the GPU, then its reset",
    }

    /// Why the clocks of a GPU are held down, by NVML's names.
    pub enum ThrottleReason {
        /// Nothing runs on it.
        GpuIdle = "GpuIdle",
        /// Somebody has set lower clocks.
        ApplicationsClocksSetting = "ApplicationsClocksSetting",
        /// It draws as much power as its limit allows, which is usual under full load.
        SwPowerCap = "SwPowerCap",
        /// The hardware holds it down, for heat or power; newer GPUs say with it which of both.
        HwSlowdown = "HwSlowdown",
        /// It keeps step with other GPUs of its group.
        SyncBoost = "SyncBoost",
        /// The driver holds it down for heat.
        SwThermalSlowdown = "SwThermalSlowdown",
        /// The hardware holds it down for heat.
        HwThermalSlowdown = "HwThermalSlowdown",
        /// The machine tells it to draw less, most often its power supply.
        HwPowerBrakeSlowdown = "HwPowerBrakeSlowdown",
        /// A display asks for it.
        DisplayClockSetting = "DisplayClockSetting",
    }
}

record! {
    /// One GPU as NVML shows it.
    pub struct Gpu {
        /// NVML index.
        pub index: u32,
        /// Product name.
        pub name: Fact<String>,
        /// UUID, cut to `GPU-` and four characters unless identifiers were asked for.
        pub uuid: Fact<String>,
        /// PCI address.
        pub pci_address: Fact<String>,
        /// Memory in bytes.
        pub memory_bytes: Fact<u64>,
        /// Free memory in bytes.
        pub memory_free_bytes: Fact<u64>,
        /// Memory in bytes that the driver keeps for itself, `nvmlDeviceGetMemoryInfo_v2`; 0 where it does not say.
        pub memory_reserved_bytes: Fact<u64>,
        /// Share of memory in use, 0 to 1. Derived.
        pub memory_used_share: Fact<f64>,
        /// Compute capability as `9.0`.
        pub compute_capability: Fact<String>,
        /// Whether MIG is on; absent where the GPU has none.
        pub mig_enabled: Fact<bool>,
        /// MIG devices visible here; absent where MIG is off.
        pub mig_device_count: Fact<u64>,
        /// Whether ECC is on; absent where the memory has none.
        pub ecc_enabled: Fact<bool>,
        /// Uncorrectable memory errors since the driver was loaded; absent without ECC.
        pub ecc_uncorrected_count: Fact<u64>,
        /// Memory errors that ECC has corrected since the driver was loaded; absent without ECC.
        pub ecc_corrected_count: Fact<u64>,
        /// Uncorrectable memory errors in the life of the GPU; absent without ECC.
        pub ecc_uncorrected_lifetime_count: Fact<u64>,
        /// Faulty memory pages out of use; absent where the GPU replaces rows instead.
        pub retired_page_count: Fact<u64>,
        /// Memory rows replaced after errors that were corrected; absent where the GPU cannot.
        pub remapped_rows_corrected_count: Fact<u64>,
        /// Memory rows replaced after errors that were not; absent where the GPU cannot.
        pub remapped_rows_uncorrected_count: Fact<u64>,
        /// Whether a faulty memory row waits for a reset to be replaced; absent where the GPU cannot.
        pub row_remap_pending: Fact<bool>,
        /// Whether replacing a faulty memory row has failed; absent where the GPU cannot.
        pub row_remap_failed: Fact<bool>,
        /// Whether a faulty memory page waits for a reset to be taken out of use; absent where the GPU cannot.
        pub page_retirement_pending: Fact<bool>,
        /// NVLinks of the GPU; absent where it has none.
        pub nvlink_count: Fact<u64>,
        /// NVLinks that are up; absent where it has none.
        pub nvlink_active_count: Fact<u64>,
        /// NVLinks that are up on another GPU of the same name and not on this one; absent where it has none. Derived.
        pub nvlink_missing_count: Fact<u64>,
        /// Transfers over its NVLinks that were repeated, and links that had to recover, since the driver was loaded;
        /// absent where it does not count them.
        pub nvlink_error_count: Fact<u64>,
        /// How far it has come in joining the NVLink fabric, `nvmlDeviceGetGpuFabricInfo`; absent where it has none.
        pub fabric_state: Fact<FabricState>,
        /// What the NVLink fabric suffers from as this GPU sees it, `nvmlDeviceGetGpuFabricInfoV`, for example `degraded
        /// bandwidth`; absent when nothing, and where the driver or the GPU does not say.
        pub fabric_trouble: Fact<String>,
        /// What the driver asks for before this GPU can be relied on, `NVML_FI_DEV_GET_GPU_RECOVERY_ACTION`; absent where
        /// the driver is too old to say.
        pub recovery_action: Fact<RecoveryAction>,
        /// Generation of its PCIe link, which idle links lower to save power.
        pub pcie_generation: Fact<u32>,
        /// Highest generation that both ends of the link can.
        pub pcie_generation_max: Fact<u32>,
        /// Lanes of its PCIe link.
        pub pcie_width: Fact<u32>,
        /// Lanes that both ends of the link can.
        pub pcie_width_max: Fact<u32>,
        /// Transfers over PCIe that were repeated since the driver was loaded.
        pub pcie_replay_count: Fact<u64>,
        /// Degrees Celsius; unknown when NVML gives an impossible value.
        pub temperature_celsius: Fact<u32>,
        /// Power limit in force, in watts.
        pub power_limit_watts: Fact<f64>,
        /// Default power limit in watts.
        pub power_default_watts: Fact<f64>,
        /// Highest SM clock in MHz.
        pub sm_clock_max_mhz: Fact<u32>,
        /// Who may use it at once.
        pub compute_mode: Fact<ComputeMode>,
        /// Processes on it that NVML shows us.
        pub process_count: Fact<u64>,
        /// Those processes.
        pub processes: Fact<Vec<GpuProcess>>,
        /// Who holds memory on it, for example `process 4242 with 120.0 GiB`; absent when NVML shows nobody. Derived.
        pub memory_holders: Fact<String>,
        /// Share of the time in percent in which something ran on it just before, over a second or less,
        /// `nvmlDeviceGetUtilizationRates`; absent where the GPU does not say, as within MIG.
        pub utilization_percent: Fact<u32>,
        /// Who else used it, by what NVML showed before any of our multiplies and by processes beside ours during them, for
        /// example `process 4242 with 120.0 GiB, at work in 97 % of the time before`; absent when nothing showed anybody. Derived.
        pub neighbours: Fact<String>,
        /// Whether the driver stays loaded between programs.
        pub persistence: Fact<bool>,
        /// Why clocks are held down, by NVML's names without prefix, read once while idle.
        pub throttle_reasons: Fact<Vec<ThrottleReason>>,
        /// What NVML showed of it while the multiplies ran; absent when none ran, when it was not at work for as long as
        /// a few looks take, and when all was over before NVML had started.
        pub load: Fact<GpuLoad>,
        /// Share of the time at work in which the hardware held its clocks down for heat, 0 to 1; absent like `load`,
        /// and within MIG where that may not be read. Derived.
        pub heat_slowdown_share: Fact<f64>,
        /// Share of the time at work in which the machine's power brake held its clocks down, 0 to 1; absent like `load`,
        /// and within MIG where that may not be read. Derived.
        pub power_brake_share: Fact<f64>,
        /// Xid codes that the driver reported of it while the multiplies ran; absent when nobody listened, as for `load`,
        /// and where the GPU reports none.
        pub xids: Fact<Vec<u32>>,
        /// Those of them that are faults of the GPU or its links and not of a program, with what they mean; absent when
        /// there are none. Derived.
        pub xid_faults: Fact<String>,
    }
    /// What NVML showed of a GPU in the looks that found it at work, some 20 ms apart.
    pub struct GpuLoad {
        /// Looks that found it at work.
        pub sample_count: u64,
        /// SM clock in MHz, median.
        pub sm_clock_mhz: Fact<u32>,
        /// Power draw in watts, highest.
        pub power_watts: Fact<f64>,
        /// Degrees Celsius, highest.
        pub temperature_celsius: Fact<u32>,
        /// What held its clocks down.
        pub throttles: Vec<Throttle>,
        /// Generation of its PCIe link, highest.
        pub pcie_generation: Fact<u32>,
        /// Lanes of its PCIe link, most.
        pub pcie_width: Fact<u32>,
        /// Transfers over PCIe that were repeated from the first look to the last.
        pub pcie_replay_count: Fact<u64>,
        /// Processes on it that NVML showed us, most; ours is one of them.
        pub process_count: Fact<u64>,
    }
    /// A reason why clocks were held down.
    pub struct Throttle {
        /// The reason.
        pub reason: ThrottleReason,
        /// Share of the looks at work in which it held, 0 to 1.
        pub share: f64,
    }
    /// A process on a GPU.
    pub struct GpuProcess {
        /// Its number, which may be that of the host.
        pub pid: u32,
        /// Bytes of the GPU's memory that it holds.
        pub memory_bytes: Fact<u64>,
    }
}
