//! How a child ended: as the failure of the call that it was in, for the log, and as the gap that its missing facts carry.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::facts::{Fact, FailedHow, Failure, Gap, GapKind, ProbeEnd};
use crate::world::answers::io_errno_name;

/// What a child is in that has not named a call yet.
const START: &str = "start-up";

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
    /// The work that it watched is over, or it was not let through its gate.
    Over,
    /// It says that it was asked too early.
    TooEarly,
    /// It was not started, for we had been asked to stop.
    Forgone,
    /// It could not be started.
    NotStarted(io::Error),
}

/// The end of a child, with what was seen of it then.
pub struct End {
    pub ended: Ended,
    /// The call it was in.
    pub at: Option<String>,
    /// Milliseconds that it had taken.
    pub wall_ms: f64,
    /// Whether it was uninterruptible in the kernel.
    pub hung_in_kernel: bool,
    /// Whether the process could be taken away.
    pub gone: bool,
}

impl End {
    /// The failure of the call that it was in; none when it completed, or was interrupted.
    pub fn failure(&self) -> Option<Failure> {
        let failed = |how| Failure::new(self.at.as_deref().unwrap_or(START), how);
        match &self.ended {
            Ended::Done | Ended::Over | Ended::TooEarly | Ended::Interrupted | Ended::Forgone => None,
            Ended::Flood => Some(Failure {
                reason: Fact::Known("sent more than an answer may hold".to_owned()),
                ..failed(FailedHow::Exited)
            }),
            Ended::Deadline => {
                let state = if self.hung_in_kernel { "hung in the driver (state D)" } else { "no answer, killed" };
                Some(Failure {
                    waited_seconds: Fact::Known(self.wall_ms / 1000.0),
                    reason: Fact::Known(format!("{state}{}", self.left_behind())),
                    ..failed(FailedHow::TimedOut)
                })
            }
            Ended::Status(status) => Some(match (status.signal(), status.code()) {
                (Some(signal), _) => {
                    let how = if signal == KILL { FailedHow::Killed } else { FailedHow::Crashed };
                    Failure { signal: Fact::Known(signal_name(signal)), ..failed(how) }
                }
                (None, code) => Failure { code: Fact::Known(code.unwrap_or(0).into()), ..failed(FailedHow::Exited) },
            }),
            Ended::NotStarted(error) => Some(Failure {
                code: Fact::present(error.raw_os_error().map(i64::from)),
                name: Fact::present(io_errno_name(error)),
                reason: Fact::Known(error.to_string()),
                ..failed(FailedHow::NotStarted)
            }),
        }
    }

    /// The end that is recorded, with its words.
    pub fn told(&self, failure: Option<&Failure>) -> (ProbeEnd, Option<String>) {
        let Some(failure) = failure else {
            return match self.ended {
                Ended::Interrupted => (ProbeEnd::Interrupted, Some(format!("killed{}", self.left_behind()))),
                Ended::Forgone => (ProbeEnd::Interrupted, Some("not started".to_owned())),
                _ => (ProbeEnd::Completed, None),
            };
        };
        match failure.how {
            FailedHow::TimedOut => (ProbeEnd::TimedOut, failure.reason.known().cloned()),
            FailedHow::Crashed | FailedHow::Killed => (ProbeEnd::Crashed, Some(failure.words())),
            FailedHow::NotStarted => (ProbeEnd::NotStarted, Some(failure.words())),
            FailedHow::Exited | FailedHow::Returned | FailedHow::NotCalled => (ProbeEnd::Exited, Some(failure.words())),
        }
    }

    /// Why facts are missing that it was asked for; none when it completed.
    pub fn gap(&self, failure: Option<&Failure>) -> Option<Gap> {
        if matches!(self.ended, Ended::Interrupted | Ended::Forgone) {
            let (call, seconds) = (self.at.as_deref().unwrap_or(START), self.wall_ms / 1000.0);
            return Some(Gap::new(GapKind::Interrupted, format!("{call} had not returned after {seconds:.1} s")));
        }
        failure.map(Failure::gap)
    }

    fn left_behind(&self) -> &'static str {
        if self.gone { "" } else { "; it cannot be killed and was left behind" }
    }
}

/// The errno for which a process could not be started; none for any other failure.
pub fn errno_of(failure: &Failure) -> Option<String> {
    failure.name.known().filter(|_| failure.how == FailedHow::NotStarted).cloned()
}

/// SIGKILL, which no process sends itself by mistake.
const KILL: i32 = 9;

fn signal_name(signal: i32) -> String {
    match signal {
        4 => "SIGILL".to_owned(),
        6 => "SIGABRT".to_owned(),
        7 => "SIGBUS".to_owned(),
        8 => "SIGFPE".to_owned(),
        KILL => "SIGKILL".to_owned(),
        11 => "SIGSEGV".to_owned(),
        15 => "SIGTERM".to_owned(),
        31 => "SIGSYS".to_owned(),
        other => format!("signal {other}"),
    }
}
