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
}

record! {
    /// One GPU as NVML shows it.
    pub struct Gpu {
        /// NVML index.
        pub index: u32,
        /// Product name.
        pub name: Fact<String>,
        /// UUID, cut to `GPU-` and four characters unless identifiers were asked for. Context.
        pub uuid: Fact<String>,
        /// PCI address. Context.
        pub pci_address: Fact<String>,
        /// Memory in bytes.
        pub memory_bytes: Fact<u64>,
        /// Free memory in bytes.
        pub memory_free_bytes: Fact<u64>,
        /// Share of memory in use, 0 to 1. Derived.
        pub memory_used_share: Fact<f64>,
        /// Compute capability as `9.0`. Context.
        pub compute_capability: Fact<String>,
        /// Whether MIG is on; absent where the GPU has none.
        pub mig_enabled: Fact<bool>,
        /// MIG devices visible here; absent where MIG is off.
        pub mig_device_count: Fact<u64>,
        /// Whether ECC is on; absent where the memory has none.
        pub ecc_enabled: Fact<bool>,
        /// Uncorrectable memory errors since the driver was loaded; absent without ECC.
        pub ecc_uncorrected_count: Fact<u64>,
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
        /// How far it has come in joining the NVLink fabric, `nvmlDeviceGetGpuFabricInfo`; absent where it has none.
        /// Context.
        pub fabric_state: Fact<FabricState>,
        /// Degrees Celsius; unknown when NVML gives an impossible value.
        pub temperature_celsius: Fact<u32>,
        /// Power limit in force, in watts.
        pub power_limit_watts: Fact<f64>,
        /// Default power limit in watts.
        pub power_default_watts: Fact<f64>,
        /// Highest SM clock in MHz. Context.
        pub sm_clock_max_mhz: Fact<u32>,
        /// Who may use it at once.
        pub compute_mode: Fact<ComputeMode>,
        /// Processes on it that NVML shows us.
        pub process_count: Fact<u64>,
        /// Those processes. Context.
        pub processes: Fact<Vec<GpuProcess>>,
        /// Who holds memory on it, for example `process 4242 with 120.0 GiB`; absent when NVML shows nobody. Derived.
        pub memory_holders: Fact<String>,
        /// Whether the driver stays loaded between programs.
        pub persistence: Fact<bool>,
        /// Why clocks are held down, by NVML's names without prefix, read once while idle. Context.
        pub throttle_reasons: Fact<Vec<String>>,
    }
    /// A process on a GPU.
    pub struct GpuProcess {
        /// Its number, which may be that of the host.
        pub pid: u32,
        /// Bytes of the GPU's memory that it holds.
        pub memory_bytes: Fact<u64>,
    }
}
