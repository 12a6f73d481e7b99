//! What the two sides of this probe say to each other.

use serde::{Deserialize, Serialize};

use crate::facts::shape::record;
use crate::facts::{Fact, MemoryCopy, MemoryPatterns, Multiply};
use crate::probe::gpu::bench::Place;

/// What a child is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Input {
    pub place: Place,
    /// When it must have answered.
    pub budget_ms: u64,
    /// How long the multiplies are repeated.
    pub repeat_ms: u64,
    /// How long memory is asked to keep patterns.
    pub patterns_ms: u64,
}

record! {
    /// What a child answers.
    pub struct Reading {
        pub multiplies: Vec<Multiply>,
        pub copies: Vec<MemoryCopy>,
        pub patterns: Vec<MemoryPatterns>,
        /// Files of the libraries that it multiplies with, as `/proc/self/maps` names them.
        pub mapped: Fact<Vec<String>>,
    }
}
