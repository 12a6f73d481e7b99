//! Waiting for a time, also where the kernel refuses the call for it.

use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::thread::{NanosleepRelativeResult, nanosleep};

/// Waits so long. The runtime's own sleep panics where a filter refuses `clock_nanosleep`, which is newer than
/// `nanosleep` and `poll`; who may call none of them waits at work.
pub fn pause(time: Duration) {
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(timeout) = Timespec::try_from(left) else { return };
        if left.is_zero() {
            return;
        }
        if let NanosleepRelativeResult::Err(_) = nanosleep(&timeout)
            && poll(&mut [], Some(&timeout)).is_err()
        {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_no_less_than_it_should() {
        let (started, time) = (Instant::now(), Duration::from_millis(3));
        pause(time);
        assert!(started.elapsed() >= time);
        pause(Duration::ZERO);
    }
}
