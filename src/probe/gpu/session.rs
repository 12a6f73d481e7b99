//! The time and the voice of a child that works on a GPU.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::world::child::Progress;
use gpu_preflight_arithmetic::Random;

/// Without this much time left nothing more is measured.
pub const LEAST_TIME: Duration = Duration::from_millis(80);

/// What changes while a child works.
pub struct Session<'a> {
    progress: &'a mut Progress,
    /// For operands and bytes.
    pub random: Random,
    deadline: Instant,
}

impl<'a> Session<'a> {
    /// The work of a child that has so much time.
    pub fn begin(progress: &'a mut Progress, time: Duration) -> Self {
        Self { progress, random: Random::fresh(), deadline: Instant::now() + time }
    }

    /// Waits until it may use the GPU.
    pub fn wait_at_gate(&mut self) {
        self.progress.wait_at_gate();
    }

    /// Says which call comes next.
    pub fn at(&mut self, call: &str) {
        self.progress.at(call);
    }

    /// Hands over what is known so far.
    pub fn so_far(&mut self, reading: &impl Serialize) {
        self.progress.so_far(reading);
    }

    /// Hands over the whole answer.
    pub fn done(&mut self, reading: &impl Serialize) {
        self.progress.done(reading);
    }

    /// Time that is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
