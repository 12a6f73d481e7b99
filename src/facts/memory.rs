//! Whether the memory of the GPUs keeps what is written to it.

use super::shape::record;
use super::{Fact, Failure, Proof};

record! {
    /// Whether the memory of the GPUs keeps what is written to it. The tiers `deep` and `soak` alone ask.
    pub struct Memory {
        /// Every GPU whose copies all ran; absent in the other tiers.
        pub patterns: Fact<Vec<MemoryPatterns>>,
    }

    /// Memory of one GPU: 0x00, 0xff, 0x55, 0xaa and the address of every word were written, each to the whole of a
    /// region, and read back.
    pub struct MemoryPatterns {
        /// CUDA ordinal.
        pub gpu: u32,
        /// Bytes of the region, at most half of what was free, and no more than there was time for; absent when nothing
        /// could be tested.
        pub tested_bytes: Fact<u64>,
        /// Whether every byte was kept.
        pub kept: Fact<Proof>,
        /// The first byte that was not, by its offset in the region; absent when all were.
        pub kept_detail: Fact<String>,
        /// How a call failed; absent when none did.
        pub failure: Fact<Failure>,
    }
}
