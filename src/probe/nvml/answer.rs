//! Answers of NVML as facts: what a refusal means, and which values can be.
//!
//! All that asks NVML stands on this floor. A GPU that is sick answers with all bits set, and such a value is a gap.

use nvml_wrapper::error::NvmlError;

use super::codes::words;
use crate::facts::{Fact, GapKind};

/// An answer of the wrapper as a fact: a refusal is a gap that names the call and the code.
pub fn fact<T>(call: &str, answer: Result<T, NvmlError>) -> Fact<T> {
    let error = match answer {
        Ok(value) => return Fact::Known(value),
        Err(error) => error,
    };
    let kind = match &error {
        NvmlError::NotSupported => GapKind::NotSupported,
        NvmlError::NoPermission => GapKind::NotPermitted,
        NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound => GapKind::NoSymbol,
        NvmlError::Timeout => GapKind::TimedOut,
        _ => GapKind::Malformed,
    };
    Fact::unknown(kind, failed(call, &error))
}

/// The call and what it ended with.
pub fn failed(call: &str, error: &NvmlError) -> String {
    format!("{call}: {}", words(error))
}

/// A value, if it is one that can be.
pub fn possible<T>(call: &str, can_be: bool, value: T) -> Fact<T> {
    if can_be { Fact::Known(value) } else { Fact::unknown(GapKind::Malformed, format!("{call}: an impossible value")) }
}

/// What a GPU does not support it does not have.
pub fn or_absent<T>(fact: Fact<T>) -> Fact<T> {
    match fact {
        Fact::Unknown(gap) if gap.kind == GapKind::NotSupported => Fact::Absent,
        other => other,
    }
}

/// The same where the library is older than the feature: no GPU that it drives has it.
pub fn or_older<T>(fact: Fact<T>) -> Fact<T> {
    match fact {
        Fact::Unknown(gap) if gap.kind == GapKind::NoSymbol => Fact::Absent,
        other => or_absent(other),
    }
}

/// Milliwatts as watts. No GPU of today takes 100 kW, or nothing.
pub fn watts(call: &str, milliwatts: u32) -> Fact<f64> {
    possible(call, (1..100_000_000).contains(&milliwatts), f64::from(milliwatts) / 1000.0)
}

/// A clock that can be.
pub fn mhz(call: &str, clock: u32) -> Fact<u32> {
    possible(call, (1..20_000).contains(&clock), clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_supported_is_absent_and_what_is_refused_stays_a_gap() {
        assert_eq!(or_absent(fact::<bool>("call", Err(NvmlError::NotSupported))), Fact::Absent);
        assert!(or_absent(fact::<bool>("call", Err(NvmlError::NoPermission))).is_unknown());
    }

    #[test]
    fn impossible_watts_are_a_gap() {
        assert!(watts("call", u32::MAX).is_unknown());
        assert!(watts("call", 0).is_unknown());
        assert_eq!(watts("call", 700_000), Fact::Known(700.0));
    }
}
