//! How each probe ended, and how long it took.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::facts::{Fact, ProbeEnd, ProbeRun};

/// How the probes ended, from whichever thread.
#[derive(Default)]
pub struct Log {
    runs: Mutex<Vec<ProbeRun>>,
}

impl Log {
    /// One probe has ended.
    pub fn add(&self, run: ProbeRun) {
        if let Ok(mut runs) = self.runs.lock() {
            runs.push(run);
        }
    }

    /// Several probes have ended.
    pub fn extend(&self, runs: impl IntoIterator<Item = ProbeRun>) {
        runs.into_iter().for_each(|run| self.add(run));
    }

    /// In the order of their names, so that two reports of one machine can be compared.
    pub fn into_runs(self) -> Vec<ProbeRun> {
        let mut runs = self.runs.into_inner().unwrap_or_default();
        runs.sort_by(|a, b| (&a.name, a.gpu.known()).cmp(&(&b.name, b.gpu.known())));
        runs
    }
}

/// Runs a probe of ours, with how it ended. Should it panic, its facts stay unknown and the others go on.
pub fn timed<T: Default>(name: &str, probe: impl FnOnce() -> T) -> (T, ProbeRun) {
    let started = Instant::now();
    let read = catch_unwind(AssertUnwindSafe(probe));
    let run = ProbeRun {
        name: name.to_owned(),
        gpu: Fact::Absent,
        end: if read.is_ok() { ProbeEnd::Completed } else { ProbeEnd::Crashed },
        at: Fact::Absent,
        detail: if read.is_ok() { Fact::Absent } else { Fact::Known("a bug in gpu-preflight".to_owned()) },
        errno: Fact::Absent,
        signal: Fact::Absent,
        wall_ms: millis(started.elapsed()),
    };
    (read.unwrap_or_default(), run)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
