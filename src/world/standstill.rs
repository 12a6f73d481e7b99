//! Whether we ourselves stood still: a paused container, a stopped virtual machine, a CPU quota that is used up.
//!
//! No clock tells it, for those that go on while we stand still go on as if we had slept. But whoever waits for a child
//! wakes up every few milliseconds, and who wakes up a second too late did not run in between. What was asked to answer
//! in time stood still with us, so deadlines wait as much longer, and nobody is accused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How late a wake-up must be. A machine under very heavy load is late by tenths of a second.
const LATE: Duration = Duration::from_secs(1);

/// What is known of our own wake-ups, for the whole process: whoever wakes first has seen it for all.
static WAKE_UPS: Mutex<WakeUps> = Mutex::new(WakeUps { waiting: 0, last: None, stood: Duration::ZERO });

struct WakeUps {
    /// How many wait, and so wake up again and again.
    waiting: usize,
    /// When one of them last woke up.
    last: Option<Instant>,
    /// How long we stood still so far.
    stood: Duration,
}

impl WakeUps {
    fn wake(&mut self, now: Instant) {
        let late = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        if self.waiting > 0 && late >= LATE {
            self.stood += late;
        }
        self.last = Some(now);
    }
}

fn wake_ups() -> std::sync::MutexGuard<'static, WakeUps> {
    WAKE_UPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long we stood still since this program began.
pub fn stood_still() -> Duration {
    wake_ups().stood
}

/// Somebody who wakes up every few milliseconds until this is dropped.
pub(super) struct Waiter {
    stood_before: Duration,
}

impl Waiter {
    pub(super) fn begin() -> Self {
        let mut all = wake_ups();
        if all.waiting == 0 {
            // Nobody was to wake up before.
            all.last = None;
        }
        all.wake(Instant::now());
        all.waiting += 1;
        Self { stood_before: all.stood }
    }

    /// It woke up; how long we stood still since it began to wait.
    pub(super) fn wake(&self) -> Duration {
        let mut all = wake_ups();
        all.wake(Instant::now());
        all.stood.saturating_sub(self.stood_before)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        wake_ups().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_to_wake_up_can_be_late() {
        let (mut all, start) = (WakeUps { waiting: 0, last: None, stood: Duration::ZERO }, Instant::now());
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        all.wake(at(0.0));
        all.wake(at(30.0));
        assert_eq!(all.stood, Duration::ZERO, "nobody waited");
        all.waiting = 2;
        all.wake(at(30.02));
        all.wake(at(30.9));
        assert_eq!(all.stood, Duration::ZERO, "heavy load");
        all.wake(at(42.9));
        all.wake(at(42.9));
        assert_eq!(all.stood, Duration::from_secs(12), "the second who wakes up has not stood still again");
    }
}
