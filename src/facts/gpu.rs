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
        /// Whether the driver stays loaded between programs. Context.
        pub persistence: Fact<bool>,
        /// Why clocks are held down, by NVML's names without prefix, read once while idle. Context.
        pub throttle_reasons: Fact<Vec<String>>,
    }
}
