//! Children that have said their last word, and whom the kernel still takes down.
//!
//! It takes a context on a GPU apart in 130 ms, in which nothing more is learnt. So judging and reporting go on meanwhile, and
//! it is waited for by who needs the GPU to himself, which are the next child that works on it and the workload, and at the
//! very end.

use std::process::Child;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{REAP_PATIENCE, standby};
use crate::world::{interrupt, pause};

/// Those that were told to end, and until when they are waited for.
static LINGERING: Mutex<Vec<(Child, Instant)>> = Mutex::new(Vec::new());

/// Leaves a child that has been told to end to the kernel, and to whoever waits for it, no longer than this.
pub(super) fn leave(child: Child, patience: Duration) {
    if let Ok(mut lingering) = LINGERING.lock() {
        lingering.push((child, Instant::now() + patience));
    }
}

/// Whether this process is one of them.
pub(super) fn holds(pid: i32) -> bool {
    let is_it = |(child, _): &(Child, Instant)| i32::try_from(child.id()) == Ok(pid);
    LINGERING.lock().is_ok_and(|lingering| lingering.iter().any(is_it))
}

/// Takes in those that are gone.
pub(super) fn reap() {
    last_to_wait_for();
}

/// Waits until they are gone, or it takes too long. The one that waits to be asked something is not asked any more.
pub fn settle() {
    standby::dismiss();
    let mut until_interrupted = None;
    while let Some(mut until) = last_to_wait_for() {
        if interrupt::is_asked() {
            until = until.min(*until_interrupted.get_or_insert_with(|| Instant::now() + REAP_PATIENCE));
        }
        if Instant::now() >= until {
            return;
        }
        pause(Duration::from_micros(300));
    }
}

/// Until when those are waited for that are not gone yet; nothing where all are.
fn last_to_wait_for() -> Option<Instant> {
    let mut lingering = LINGERING.lock().ok()?;
    lingering.retain_mut(|(child, _)| !matches!(child.try_wait(), Ok(Some(_))));
    lingering.iter().map(|(_, until)| *until).max()
}
