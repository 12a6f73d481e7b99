//! The end of a child that did not end by itself.

use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::REAP_PATIENCE;
use crate::world::{interrupt, pause};

/// Tells the child to end, and all it started in its group.
fn kill_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// Ends the child and all it started in its group; whether it is gone.
pub fn end_group(child: &mut Child, patience: Duration) -> bool {
    kill_group(child);
    let mut until = Instant::now() + patience;
    let mut until_interrupted = None;
    loop {
        if interrupt::is_asked() {
            until = until.min(*until_interrupted.get_or_insert_with(|| Instant::now() + REAP_PATIENCE));
        }
        match child.try_wait() {
            Ok(Some(_)) => return true,
            _ if Instant::now() >= until => return false,
            _ => pause(Duration::from_micros(300)),
        }
    }
}

/// Whether a process is held in the kernel, state `D`.
pub fn is_uninterruptible(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('D'))
}
