//! Children that are begun before it is known whether they are wanted.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What children for one GPU each wait at, once they have done what disturbs nobody.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Option<Admission>>);

/// Who may go on, and until when.
#[derive(Debug, Clone, Copy)]
struct Admission {
    gpus: u32,
    until: Instant,
}

impl Gate {
    /// Lets those of the first so many GPUs go on until then; the others are ended, and so is everybody where there is none.
    pub fn admit(&self, gpus: u32, until: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Admission { gpus, until });
    }

    /// Lets nobody go on, where nothing has been said yet.
    pub fn close(&self) {
        let none = Admission { gpus: 0, until: Instant::now() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(none);
    }

    /// Until when the child of this GPU may go on, or that it may not; nothing as long as nobody has said so.
    pub fn admits(&self, gpu: u32) -> Option<Result<Instant, NotAdmitted>> {
        let said = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.map(|said| if gpu < said.gpus { Ok(said.until) } else { Err(NotAdmitted) })
    }
}

/// A GPU that is not wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAdmitted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shut_until_it_is_said_who_may_go_on() {
        let (gate, until) = (Gate::default(), Instant::now());
        assert_eq!(gate.admits(0), None);
        gate.admit(2, until);
        assert_eq!([0, 1, 2].map(|gpu| gate.admits(gpu)), [Some(Ok(until)), Some(Ok(until)), Some(Err(NotAdmitted))]);
        gate.close();
        assert_eq!(gate.admits(0), Some(Ok(until)), "it has been said");
        let gate = Gate::default();
        gate.close();
        assert_eq!(gate.admits(0), Some(Err(NotAdmitted)));
    }
}
