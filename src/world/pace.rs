//! How fast we get on here, and what of the deadline a report needs.
//!
//! Under a CPU quota of one percent everything takes a hundred times as long, the report too. Whoever gave a deadline
//! waits for the report and not for the readings.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::World;

/// CPU time of judging and printing, of a release build; it was 15 ms on a slow machine.
const REPORT: Duration = Duration::from_millis(20);

/// Less is not worth setting aside: no deadline is that exact.
const LEAST: Duration = Duration::from_millis(250);

impl World {
    /// The same world, with time for a report set aside where little CPU time is had, at most half of what is left.
    #[must_use]
    pub fn with_time_for_a_report(mut self) -> Self {
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let spent = Duration::try_from(spent).unwrap_or_default();
        self.kept = kept(self.elapsed(), spent, self.time_left());
        self.deadline -= self.kept;
        self
    }

    /// The time that was given, for everything.
    pub fn budget(&self) -> Duration {
        self.deadline + self.kept - self.started
    }

    /// What of the deadline was set aside for the report.
    pub fn kept(&self) -> Duration {
        self.kept
    }
}

/// What a report needs where `spent` of CPU time took `elapsed`, with so much time left.
fn kept(elapsed: Duration, spent: Duration, left: Duration) -> Duration {
    if spent.is_zero() {
        return Duration::ZERO;
    }
    let needed = REPORT.mul_f64(elapsed.div_duration_f64(spent));
    if needed < LEAST { Duration::ZERO } else { needed.min(left / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_gets_time_where_little_is_had_and_none_elsewhere() {
        let of =
            |elapsed, spent| kept(Duration::from_millis(elapsed), Duration::from_millis(spent), Duration::from_secs(8));
        assert_eq!(of(10, 10), Duration::ZERO);
        assert_eq!(of(100, 10), Duration::ZERO, "ten others on the core");
        assert_eq!(of(600, 6), Duration::from_secs(2), "a quota of one percent");
        assert_eq!(of(6000, 6), Duration::from_secs(4), "never more than half");
        assert_eq!(of(5, 0), Duration::ZERO);
    }
}
