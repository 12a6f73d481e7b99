//! How a child ended, in words: for the report, and as the gap that its missing facts carry.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::facts::{Gap, GapKind, ProbeEnd};

/// What ended the listening to a child.
pub enum Ended {
    /// It said that it was done.
    Done,
    /// It ended by itself, without an answer.
    Status(ExitStatus),
    /// It sent more than an answer may hold.
    Flood,
    /// Its time was up.
    Deadline,
    /// We were asked to stop.
    Interrupted,
    /// The work that it watched is over.
    Over,
}

/// The end that is recorded, with its words; `gone` where the process could be taken away.
pub fn describe(ended: &Ended, hung_in_kernel: bool, gone: bool) -> (ProbeEnd, Option<String>) {
    let left_behind = if gone { "" } else { "; it cannot be killed and was left behind" };
    match ended {
        Ended::Done | Ended::Over => (ProbeEnd::Completed, None),
        Ended::Flood => (ProbeEnd::Exited, Some("sent more than an answer may hold".to_owned())),
        Ended::Deadline => {
            let state = if hung_in_kernel { "hung in the driver (state D)" } else { "no answer, killed" };
            (ProbeEnd::TimedOut, Some(format!("{state}{left_behind}")))
        }
        Ended::Interrupted => (ProbeEnd::Interrupted, Some(format!("killed{left_behind}"))),
        Ended::Status(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => (ProbeEnd::Crashed, Some(signal_name(signal))),
            (None, code) => {
                (ProbeEnd::Exited, Some(format!("left with exit code {} before it answered", code.unwrap_or(0))))
            }
        },
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        4 => "SIGILL".to_owned(),
        6 => "SIGABRT".to_owned(),
        7 => "SIGBUS".to_owned(),
        8 => "SIGFPE".to_owned(),
        9 => "SIGKILL".to_owned(),
        11 => "SIGSEGV".to_owned(),
        15 => "SIGTERM".to_owned(),
        31 => "SIGSYS".to_owned(),
        other => format!("signal {other}"),
    }
}

/// Why facts are missing that it was asked for while it was `at` a call; none when it completed.
pub fn gap_of(end: ProbeEnd, at: Option<&str>, detail: Option<&str>, wall_ms: f64) -> Option<Gap> {
    let call = at.unwrap_or("start-up");
    let detail = detail.unwrap_or_default();
    match end {
        ProbeEnd::Completed | ProbeEnd::Skipped => None,
        ProbeEnd::TimedOut => Some(Gap::new(
            GapKind::TimedOut,
            format!("{call} did not return within {:.1} s: {detail}", wall_ms / 1000.0),
        )),
        ProbeEnd::Interrupted => {
            Some(Gap::new(GapKind::Interrupted, format!("{call} had not returned after {:.1} s", wall_ms / 1000.0)))
        }
        ProbeEnd::Crashed => Some(Gap::new(GapKind::Crashed, format!("{call} ended in {detail}"))),
        ProbeEnd::Exited => Some(Gap::new(GapKind::Crashed, format!("{call}: {detail}"))),
    }
}
