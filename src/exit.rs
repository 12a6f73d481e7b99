//! Every exit code with its meaning. The code follows from the verdict, never from the score.

use crate::weigh::Verdict;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The number.
    pub code: u8,
    /// What it means.
    pub meaning: &'static str,
}

/// Nothing that gates fails.
pub const READY: Exit =
    Exit { code: 0, meaning: "READY: nothing that gates fails; warnings, waived and not applicable included" };
/// Something that gates fails.
pub const NOT_READY: Exit = Exit { code: 1, meaning: "NOT READY: something that gates fails" };
/// A gating check could not be decided.
pub const INCOMPLETE: Exit = Exit { code: 2, meaning: "INCOMPLETE: a check that gates could not be decided" };
/// Wrong usage.
pub const USAGE: Exit = Exit { code: 64, meaning: "wrong usage" };
/// A bug of ours, or limits that are too small for us.
pub const BUG: Exit = Exit { code: 70, meaning: "a bug in gpu-preflight, or a limit that leaves it no room" };
/// The report could not be written.
pub const OUTPUT: Exit = Exit { code: 74, meaning: "the report could not be written" };
/// Wrong configuration.
pub const CONFIG: Exit = Exit { code: 78, meaning: "wrong configuration: check, profile, waiver or recording" };
/// The command could not be run.
pub const NOT_RUNNABLE: Exit = Exit { code: 126, meaning: "exec: the command could not be run" };
/// The command was not found.
pub const NOT_FOUND: Exit =
    Exit { code: 127, meaning: "exec: the command was not found; any other code is the workload's own" };

/// Every code, in order.
pub const ALL: [Exit; 9] = [READY, NOT_READY, INCOMPLETE, USAGE, BUG, OUTPUT, CONFIG, NOT_RUNNABLE, NOT_FOUND];

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ready => READY,
            Verdict::NotReady => NOT_READY,
            Verdict::Incomplete => INCOMPLETE,
        }
    }
}
