//! A copy of ourselves that is started before it is known what it will be asked.
//!
//! To become a process that waits for its input takes milliseconds, in which whoever starts it has a catalogue to read.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use super::killed::end_group;
use super::{REAP_PATIENCE, start};
use crate::world::{World, interrupt};

/// One that waits, and what it was started with.
struct Standby {
    child: Child,
    name: &'static str,
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

static STANDBY: Mutex<Option<Standby>> = Mutex::new(None);

/// Starts the child that will serve `name`. Whether that can be done is told when it is asked.
pub fn prepare(world: &World, name: &'static str) {
    let mut standby = STANDBY.lock().unwrap_or_else(PoisonError::into_inner);
    if standby.is_none()
        && !interrupt::is_asked()
        && let Ok(child) = start(world, name)
    {
        let (program, environment) = (world.program.clone(), world.environment.clone());
        *standby = Some(Standby { child, name, program, environment });
    }
}

/// The child that waits to serve `name` in this world.
pub(super) fn take(world: &World, name: &str) -> Option<Child> {
    let mut standby = STANDBY.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |waiting: &mut Standby| {
        waiting.name == name && waiting.program == world.program && waiting.environment == world.environment
    };
    standby.take_if(fits).map(|waiting| waiting.child)
}

/// Ends the one that nobody asked for anything.
pub(super) fn dismiss() {
    let waiting = STANDBY.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Standby { mut child, .. }) = waiting {
        end_group(&mut child, REAP_PATIENCE);
    }
}
