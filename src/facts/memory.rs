//! The memory of the GPUs: copies timed and checked, patterns kept or not.

use super::shape::record;
use super::{Fact, Proof};

record! {
    /// Copies in, to and from the memory of the GPUs.
    pub struct Memory {
        /// Every GPU that still worked when its multiplies were done.
        pub gpus: Fact<Vec<GpuMemory>>,
    }

    /// Memory of one GPU. Rates are medians, timed by events of the device, in 10^9 bytes per second.
    pub struct GpuMemory {
        /// CUDA ordinal.
        pub gpu: u32,
        /// Product name, `cuDeviceGetName`. Context.
        pub gpu_name: Fact<String>,
        /// Streaming multiprocessors of the device. Context.
        pub sm_count: Fact<u32>,
        /// Bytes of one copy on the device. Context.
        pub device_copy_bytes: Fact<u64>,
        /// Rate of copies on the device, bytes read and bytes written counted both, `cudaMemcpy`.
        pub device_copy_gb_per_second: Fact<f64>,
        /// Bytes of one copy to or from the host. Context.
        pub host_copy_bytes: Fact<u64>,
        /// Rate of copies from pinned memory of the host, `cudaMallocHost`.
        pub host_to_device_pinned_gb_per_second: Fact<f64>,
        /// Rate of copies to pinned memory of the host.
        pub device_to_host_pinned_gb_per_second: Fact<f64>,
        /// Rate of copies from plain memory of the host. Context.
        pub host_to_device_pageable_gb_per_second: Fact<f64>,
        /// Rate of copies to plain memory of the host. Context.
        pub device_to_host_pageable_gb_per_second: Fact<f64>,
        /// Whether random bytes came back as they were sent, from the host to the device, on the device, and back.
        pub copied: Fact<Proof>,
        /// What was wrong, for a person; absent when nothing was.
        pub copied_detail: Fact<String>,
        /// Bytes that every pattern was written to and read from, at most half of what was free; absent in the tiers that
        /// test no patterns. Context.
        pub pattern_bytes: Fact<u64>,
        /// Whether the memory kept the patterns 0x00, 0xff, 0x55, 0xaa and the address of every word; absent in the tiers
        /// that test none.
        pub pattern: Fact<Proof>,
        /// The first byte that was wrong, by its offset in the memory that was tested; absent when none was.
        pub pattern_detail: Fact<String>,
        /// The call that failed; absent when none did.
        pub failed_call: Fact<String>,
        /// Its return code with its name, or how the process ended in it; absent when none failed.
        pub failed_code: Fact<String>,
        /// Rate that copies on a healthy GPU of this model reach in practice; absent where the model's bandwidth is in no
        /// table, and for copies too small to fill the GPU. Derived.
        pub expected_gb_per_second: Fact<f64>,
        /// Where `expected_gb_per_second` comes from. Derived. Context.
        pub expected_from: Fact<String>,
        /// `device_copy_gb_per_second` / `expected_gb_per_second`. Derived.
        pub share_of_expected: Fact<f64>,
        /// `device_copy_gb_per_second` over the median of the other GPUs of the same name; absent with fewer than three.
        /// Derived.
        pub share_of_siblings: Fact<f64>,
    }
}
