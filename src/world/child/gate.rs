//! Children that are begun before it is known whether they are wanted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Nothing has been said yet.
const SHUT: u64 = u64::MAX;

/// What children for one GPU each wait at, once they have done what disturbs nobody.
#[derive(Debug)]
pub struct Gate(AtomicU64);

impl Default for Gate {
    fn default() -> Self {
        Self(AtomicU64::new(SHUT))
    }
}

impl Gate {
    /// Lets those of the first so many GPUs go on; the others are ended, and so is everybody where there is none.
    pub fn admit(&self, gpus: u32) {
        self.0.store(u64::from(gpus), Ordering::Release);
    }

    /// Lets nobody go on, where nothing has been said yet.
    pub fn close(&self) {
        let _ = self.0.compare_exchange(SHUT, 0, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether the child of this GPU may go on; nothing as long as nobody has said so.
    pub(super) fn admits(&self, gpu: u32) -> Option<bool> {
        let gpus = self.0.load(Ordering::Acquire);
        (gpus != SHUT).then_some(u64::from(gpu) < gpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shut_until_it_is_said_who_may_go_on() {
        let gate = Gate::default();
        assert_eq!(gate.admits(0), None);
        gate.admit(2);
        assert_eq!([0, 1, 2].map(|gpu| gate.admits(gpu)), [Some(true), Some(true), Some(false)]);
        gate.close();
        assert_eq!(gate.admits(0), Some(true), "it has been said");
        let gate = Gate::default();
        gate.close();
        assert_eq!(gate.admits(0), Some(false));
    }
}
