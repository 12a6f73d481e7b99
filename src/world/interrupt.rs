//! Ctrl-C and SIGTERM while we look: whoever waits stops waiting, and what is known until then is still told.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::handover::{handler, set_handler};
use super::pause;

/// How soon a signal is heeded by who waits for the next look.
const TICK: Duration = Duration::from_millis(50);

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether somebody asked us to end.
pub(super) fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// A watch over the signals by which people and machines ask a program to end.
///
/// While this guard lives the first of them is noted, and the second ends us at once; the kernel then ends the children,
/// which die with their parent. Afterwards they do what they did before: who still writes a report has no more to say.
/// What we were told to ignore we ignore.
pub struct Watch {
    taken: Vec<c_int>,
}

impl Watch {
    /// Starts to watch.
    pub fn begin() -> Self {
        let usual = |signal: &c_int| handler(*signal) == Some(libc::SIG_DFL);
        let taken: Vec<c_int> = [libc::SIGINT, libc::SIGTERM].into_iter().filter(usual).collect();
        for signal in &taken {
            let note = note as extern "C" fn(c_int);
            // SAFETY: the handler only touches an atomic and calls `_exit`, which are safe in one.
            unsafe { libc::signal(*signal, note as libc::sighandler_t) };
        }
        Self { taken }
    }

    /// Whether somebody asked us to end since it began.
    pub fn is_asked(&self) -> bool {
        is_asked()
    }

    /// Waits so long, or until somebody asks us to end; whether nobody did.
    pub fn waits(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !is_asked() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            pause(left.min(TICK));
        }
        false
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for signal in &self.taken {
            set_handler(*signal, libc::SIG_DFL);
        }
        // What was asked for was done: what is known is told now, and may need a child.
        ASKED.store(false, Ordering::Relaxed);
    }
}

extern "C" fn note(signal: c_int) {
    if ASKED.swap(true, Ordering::Relaxed) {
        // SAFETY: `_exit` runs no code of ours. The code is what the shell says of a process that a signal ended.
        unsafe { libc::_exit(128 + signal) }
    }
}
