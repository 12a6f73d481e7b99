//! Random numbers: fast ones, for operands and for bytes that are copied.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Small numbers that repeat for a seed: xorshift64*, which is random enough for operands.
pub struct Random(u64);

impl Random {
    /// Starts from a seed; zero is as good as any.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15 | 1)
    }

    /// Other numbers each time. A process id would not do: in containers they repeat, and every start would multiply the
    /// same.
    pub fn fresh() -> Self {
        Self::new(RandomState::new().build_hasher().finish())
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// An odd number of either sign with fewer than `bits` + 1 bits.
    pub fn odd(&mut self, bits: u32) -> i64 {
        let random = self.next_u32();
        let magnitude = i64::from(random >> 1 & ((1 << bits) - 1) | 1);
        if random & 1 == 0 { magnitude } else { -magnitude }
    }
}
