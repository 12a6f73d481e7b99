//! The links between the GPUs: copies from one to the other, and a sum over all of them.

use super::shape::record;
use super::{Fact, Failure, Proof};

record! {
    /// The links between the GPUs that CUDA shows. The tiers `deep` and `soak` alone look at them.
    pub struct Links {
        /// Every ordered pair of GPUs; empty with one GPU.
        pub pairs: Fact<Vec<Pair>>,
        /// NVIDIA's library for collective operations.
        pub nccl: Nccl,
    }

    /// Copies from one GPU to another.
    pub struct Pair {
        /// CUDA ordinal of the GPU that is copied from.
        pub from: u32,
        /// CUDA ordinal of the GPU that is copied to.
        pub to: u32,
        /// Whether one can reach the memory of the other directly, `cudaDeviceCanAccessPeer`; else copies go through the
        /// memory of the host.
        pub peer_access: Fact<bool>,
        /// Bytes of one copy.
        pub copy_bytes: Fact<u64>,
        /// Rate in 10^9 bytes per second, median of `cudaMemcpyPeer` by events of the device.
        pub gb_per_second: Fact<f64>,
        /// Whether the receiving GPU holds what was sent.
        pub copied: Fact<Proof>,
        /// What was wrong, for a person; absent when nothing was.
        pub copied_detail: Fact<String>,
        /// How a call failed; absent when none did.
        pub failure: Fact<Failure>,
        /// Whether too little memory was free on one of the two, so that nothing could be copied.
        pub memory_short: Fact<bool>,
        /// `gb_per_second` over the median of all pairs of the same kind of access; absent with fewer than four. Derived.
        pub share_of_pairs: Fact<f64>,
    }

    /// NVIDIA's library for collective operations, asked in a child.
    pub struct Nccl {
        /// Path of the copy that was asked; absent when the image has none.
        pub library: Fact<String>,
        /// Why it could not be loaded, in the loader's words; absent when it was, or there is none.
        pub load_error: Fact<String>,
        /// Its version as `2.27.3`, `ncclGetVersion`.
        pub version: Fact<String>,
        /// GPUs that took part in the sum.
        pub gpu_count: Fact<u64>,
        /// Whether every GPU got the exact sum of one all-reduce over all GPUs.
        pub summed: Fact<Proof>,
        /// What was wrong, for a person; absent when nothing was.
        pub summed_detail: Fact<String>,
        /// Bytes of one all-reduce on each GPU.
        pub sum_bytes: Fact<u64>,
        /// Bus bandwidth of an all-reduce in 10^9 bytes per second, as `nccl-tests` counts it; absent with one GPU.
        pub bus_gb_per_second: Fact<f64>,
        /// How a call failed; absent when none did.
        pub failure: Fact<Failure>,
    }
}
