//! A call that failed, or a process that was lost in one.

use super::shape::{record, words};
use super::{Fact, Gap, GapKind};

words! {
    /// How a call failed.
    pub enum FailedHow {
        /// It returned a code that is no success.
        Returned = "returned",
        /// It was not made: a library does not load, a function is missing in it, or there was no room for its arguments.
        NotCalled = "not-called",
        /// It had not returned when its time was up.
        TimedOut = "timed-out",
        /// A signal ended the process in it.
        Crashed = "crashed",
        /// SIGKILL ended the process in it, which somebody outside sends, most often the kernel for lack of memory.
        Killed = "killed",
        /// The process left in it, or sent more than an answer may hold.
        Exited = "exited",
        /// No process could be started to make it.
        NotStarted = "not-started",
    }

    /// What kind of trouble a failed call met.
    pub enum FailureKind {
        /// Any other, also a hang or crash.
        Other = "other",
        /// Too little memory was free.
        Memory = "memory",
        /// The library has no code for this GPU.
        NoKernel = "no-kernel",
        /// The driver is too old to compile or load what the library brings.
        Toolchain = "toolchain",
        /// The GPU gives out no context.
        Unavailable = "unavailable",
        /// The GPU met a hardware error.
        Hardware = "hardware",
        /// The MPS daemon or server refuses.
        Mps = "mps",
        /// Someone outside killed the process, most often the kernel for lack of memory.
        Killed = "killed",
    }

    /// Who can do something about a code, where its row in the reference table says so.
    pub enum FailureOwner {
        /// The program or its environment.
        Workload = "workload",
        /// Whoever builds the image.
        Image = "image",
        /// Whoever starts the container.
        Pod = "pod",
    }
}

record! {
    /// A call that failed.
    pub struct Failure {
        /// The call, for example `cublasCreate_v2`, with its GPU where there are several.
        pub call: String,
        /// How it failed.
        pub how: FailedHow,
        /// What it returned, the exit code of the process that left in it, or the errno for which none could be started;
        /// absent for the other ways to fail.
        pub code: Fact<i64>,
        /// The name of that code, for example `cudaErrorECCUncorrectable`; absent where it has none.
        pub name: Fact<String>,
        /// The signal that ended the process, for example `SIGSEGV`; absent where none did.
        pub signal: Fact<String>,
        /// Seconds that the process had taken when its time was up; absent where it was not.
        pub waited_seconds: Fact<f64>,
        /// What the loader or the kernel says of it, for a person; absent where a code or a signal says all.
        pub reason: Fact<String>,
        /// What came of the call, for example `46 cudaErrorDevicesUnavailable`, `SIGSEGV` or `no answer within 2.0 s`.
        /// Derived.
        pub result: Fact<String>,
        /// What that means in a container, from the reference table, and what the other facts say for or against it.
        /// Derived.
        pub meaning: Fact<String>,
        /// What kind of trouble it was. Derived.
        pub kind: Fact<FailureKind>,
        /// Who can do something about its code, by the reference table; absent where that is the node, and where the kind
        /// has a finding of its own. Derived.
        pub owner: Fact<FailureOwner>,
        /// What to do about its code, by the reference table; absent where the code alone does not tell. Derived.
        pub remedy: Fact<String>,
    }
}

impl Failure {
    /// One of which no more is known yet than how the call failed.
    pub fn new(call: impl Into<String>, how: FailedHow) -> Self {
        Self {
            call: call.into(),
            how,
            code: Fact::Absent,
            name: Fact::Absent,
            signal: Fact::Absent,
            waited_seconds: Fact::Absent,
            reason: Fact::Absent,
            ..Self::default()
        }
    }

    /// What came of the call, in words.
    pub fn words(&self) -> String {
        let reason = || self.reason.known().cloned().unwrap_or_default();
        let code = || self.code.known().map(ToString::to_string).unwrap_or_default();
        match self.how {
            FailedHow::Returned => match self.name.known() {
                Some(name) => format!("{} {name}", code()),
                None => code(),
            },
            FailedHow::TimedOut => format!("no answer within {:.1} s", self.seconds()),
            FailedHow::Crashed | FailedHow::Killed => self.signal.known().cloned().unwrap_or_default(),
            FailedHow::Exited if self.code.known().is_some() => {
                format!("left with exit code {} before it answered", code())
            }
            FailedHow::NotCalled | FailedHow::Exited => reason(),
            FailedHow::NotStarted => format!("could not be started: {}", reason()),
        }
    }

    /// The gap that it leaves in facts that the call was to give.
    pub fn gap(&self) -> Gap {
        let (call, words) = (&self.call, self.words());
        match self.how {
            FailedHow::Returned => Gap::new(GapKind::NotPermitted, format!("{call}: {words}")),
            FailedHow::NotCalled => Gap::new(GapKind::NoSymbol, format!("{call}: {words}")),
            FailedHow::TimedOut => {
                let state = self.reason.known().map_or("no answer", String::as_str);
                Gap::new(GapKind::TimedOut, format!("{call} did not return within {:.1} s: {state}", self.seconds()))
            }
            FailedHow::Crashed | FailedHow::Killed => Gap::new(GapKind::Crashed, format!("{call} ended in {words}")),
            FailedHow::Exited => Gap::new(GapKind::Crashed, format!("{call}: {words}")),
            FailedHow::NotStarted => Gap::new(GapKind::NotStarted, format!("{call}: {words}")),
        }
    }

    fn seconds(&self) -> f64 {
        self.waited_seconds.known().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_fail_has_its_words_and_its_gap() {
        let failed = |how, change: fn(&mut Failure)| {
            let mut failure = Failure::new("cuInit", how);
            change(&mut failure);
            (failure.words(), failure.gap().to_string())
        };
        let told = |words: &str, gap: &str| (words.to_owned(), gap.to_owned());
        assert_eq!(
            failed(FailedHow::Returned, |failure| {
                (failure.code, failure.name) = (Fact::Known(999), Fact::Known("CUDA_ERROR_UNKNOWN".to_owned()));
            }),
            told("999 CUDA_ERROR_UNKNOWN", "not permitted: cuInit: 999 CUDA_ERROR_UNKNOWN")
        );
        assert_eq!(
            failed(FailedHow::Returned, |failure| failure.code = Fact::Known(7)),
            told("7", "not permitted: cuInit: 7")
        );
        assert_eq!(
            failed(FailedHow::NotCalled, |failure| failure.reason = Fact::Known("undefined symbol".to_owned())),
            told("undefined symbol", "no symbol: cuInit: undefined symbol")
        );
        assert_eq!(
            failed(FailedHow::TimedOut, |failure| {
                failure.waited_seconds = Fact::Known(2.04);
                failure.reason = Fact::Known("no answer, killed".to_owned());
            }),
            told("no answer within 2.0 s", "timed out: cuInit did not return within 2.0 s: no answer, killed")
        );
        for how in [FailedHow::Crashed, FailedHow::Killed] {
            assert_eq!(
                failed(how, |failure| failure.signal = Fact::Known("SIGKILL".to_owned())),
                told("SIGKILL", "crashed: cuInit ended in SIGKILL")
            );
        }
        assert_eq!(
            failed(FailedHow::Exited, |failure| failure.code = Fact::Known(3)),
            told(
                "left with exit code 3 before it answered",
                "crashed: cuInit: left with exit code 3 before it answered"
            )
        );
        assert_eq!(
            failed(FailedHow::Exited, |failure| failure.reason = Fact::Known("sent too much".to_owned())),
            told("sent too much", "crashed: cuInit: sent too much")
        );
        assert_eq!(
            failed(FailedHow::NotStarted, |failure| failure.reason = Fact::Known("EAGAIN".to_owned())),
            told("could not be started: EAGAIN", "not started: cuInit: could not be started: EAGAIN")
        );
    }
}
