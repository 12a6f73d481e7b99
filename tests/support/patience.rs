//! How long something may take here and now.
//!
//! What must come is waited for; only that something did *not* wait is judged by the clock. No test may count on a quick
//! or a quiet machine for that, so the limit is five times what is promised, and as many times more as threads here
//! have to wait for a core. What hangs in a test hangs for ever: what waited for it is late by much more.

use std::time::{Duration, Instant};

/// Seconds that what takes `promised` seconds on a quick and quiet machine may take now.
pub fn allowed(promised: f64) -> Duration {
    Duration::from_secs_f64(promised * 5.0 * load())
}

/// How many times longer this thread takes than the time that it runs: 1 where it has a core to itself.
pub fn load() -> f64 {
    let before = scheduled();
    let until = Instant::now() + Duration::from_millis(60);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    let after = scheduled();
    let (ran, waited) = (after.0 - before.0, after.1 - before.1);
    if ran > 0.0 { 1.0 + waited / ran } else { 1.0 }
}

/// Nanoseconds that this thread ran, and that it waited to run.
fn scheduled() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let mut words = text.split_whitespace().map(|word| word.parse().unwrap_or(0.0));
    (words.next().unwrap_or(0.0), words.next().unwrap_or(0.0))
}

/// Waits until `what` has happened, and fails only when that has become hopeless.
#[track_caller]
pub fn until(what: &str, happened: impl Fn() -> bool) {
    let hopeless = Instant::now() + Duration::from_mins(10);
    while !happened() {
        assert!(Instant::now() < hopeless, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
