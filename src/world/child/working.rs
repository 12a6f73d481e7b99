//! How long a child goes on that has no end of its own.

use std::sync::atomic::{AtomicU8, Ordering};

/// Says to a child that watches the work of others whether that still goes on.
#[derive(Debug, Default)]
pub struct Working(AtomicU8);

const LAST_WORD: u8 = 1;
const OVER: u8 = 2;

impl Working {
    /// The child is asked to look once more and to say what it sees, which it is given a moment for.
    pub fn ask_for_last_word(&self) {
        self.0.fetch_max(LAST_WORD, Ordering::AcqRel);
    }

    /// The child is ended, whatever it does. It keeps the moment for its last word where it was asked for one.
    pub fn end(&self) {
        let _ = self.0.compare_exchange(0, OVER, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == OVER
    }

    pub(super) fn wants_last_word(&self) -> bool {
        self.0.load(Ordering::Acquire) == LAST_WORD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_asked_for_a_last_word_is_not_ended_before_it() {
        let working = Working::default();
        assert!(!working.is_over() && !working.wants_last_word());
        working.ask_for_last_word();
        working.end();
        assert!(!working.is_over() && working.wants_last_word());
        let working = Working::default();
        working.end();
        working.ask_for_last_word();
        assert!(working.is_over() && !working.wants_last_word(), "nobody is there to say it");
    }
}
