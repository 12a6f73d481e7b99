//! The verdict. It alone decides what is done, and the exit code follows from it.

use super::Finding;
use crate::check::Outcome;
use crate::facts::shape::words;

words! {
    /// What is to be done.
    pub enum Verdict {
        /// Nothing that gates fails.
        Ready = "ready",
        /// Something that gates fails.
        NotReady = "not-ready",
        /// Nothing that gates is known to fail, but something that gates could not be told.
        Incomplete = "incomplete",
    }
}

impl Verdict {
    /// As people read it: READY, NOT READY or INCOMPLETE.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::NotReady => "NOT READY",
            Self::Incomplete => "INCOMPLETE",
        }
    }

    /// What these findings come to.
    pub(super) fn of(findings: &[Finding]) -> Self {
        let gating = || findings.iter().filter(|finding| finding.gating);
        let told = findings.iter().any(|finding| matches!(finding.outcome, Outcome::Holds | Outcome::Fails));
        if gating().any(Finding::counts) {
            Self::NotReady
        } else if !told || gating().any(|f| matches!(f.outcome, Outcome::Unknown | Outcome::Blocked)) {
            Self::Incomplete
        } else {
            Self::Ready
        }
    }
}
