//! Work beside other work, also where no thread can be had.
//!
//! A container may have as many processes and threads as it may have. That is a reason to look at one thing after the
//! other, and none to stop looking.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// Bytes of a thread's stack.
const STACK: usize = 2 << 20;

/// A thread to be. `RUST_MIN_STACK` is meant for the workload, and may be too small for us.
pub fn thread() -> Builder {
    Builder::new().stack_size(STACK)
}

/// Work that runs beside, or was done at once.
pub enum Spawned<'scope, T> {
    /// In a thread of its own.
    Running(ScopedJoinHandle<'scope, T>),
    /// Already over, for there was no thread to be had; nothing when it panicked.
    Done(Option<T>),
}

/// Starts `work` in a thread, or does it now.
pub fn spawn_or_run<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Spawned<'scope, T> {
    // A thread that cannot be started does not give back what it was to do, so both hold it.
    let held = Arc::new(Mutex::new(Some(work)));
    let taken = |held: &Mutex<Option<_>>| held.lock().unwrap_or_else(PoisonError::into_inner).take();
    let theirs = Arc::clone(&held);
    let run = move || match taken(&theirs) {
        Some(work) => work(),
        None => unreachable!("only this thread takes it once it runs"),
    };
    match thread().spawn_scoped(scope, run) {
        Ok(thread) => Spawned::Running(thread),
        Err(_) => Spawned::Done(taken(&held).map(|work| work())),
    }
}

impl<T> Spawned<'_, T> {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Running(thread) => thread.is_finished(),
            Self::Done(_) => true,
        }
    }

    /// What came of it; nothing when it panicked.
    pub fn join(self) -> Option<T> {
        match self {
            Self::Running(thread) => thread.join().ok(),
            Self::Done(result) => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_gives_its_result_beside_and_at_once() {
        let result = std::thread::scope(|scope| spawn_or_run(scope, || 6 * 7).join());
        assert_eq!(result, Some(42));
        assert_eq!(Spawned::Done(Some(1)).join(), Some(1));
    }

    #[test]
    fn a_panic_beside_is_no_panic_here() {
        let result = std::thread::scope(|scope| spawn_or_run(scope, || assert!(scope_is_small(), "as a test")).join());
        assert_eq!(result, None);
    }

    fn scope_is_small() -> bool {
        std::hint::black_box(false)
    }
}
