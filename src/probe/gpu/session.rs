//! The time and the voice of a child that works on a GPU.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::world::child::Progress;
use crate::world::pause;
use gpu_preflight_arithmetic::Random;

/// Without this much time left nothing more is measured.
pub const LEAST_TIME: Duration = Duration::from_millis(80);

/// Time that is kept for what a child says last, at most.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long a child works of the time that is left: it stops taking up new work early enough to be heard.
pub fn working_time(left: Duration) -> Duration {
    left.saturating_sub((left / 5).min(LAST_WORDS))
}

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

    /// Waits until it may use the GPU. Its time is what is left then.
    pub fn wait_at_gate(&mut self) {
        self.deadline = Instant::now() + working_time(self.progress.wait_at_gate());
    }

    /// Says that it was asked too early, and does nothing more.
    pub fn too_early(&mut self) -> ! {
        self.progress.too_early();
        loop {
            pause(Duration::from_secs(1));
        }
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
