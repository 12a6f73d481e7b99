//! Confidential computing: whether the GPUs are in that mode, and whether they accept work in it.
//!
//! A state of the whole system and not of one GPU. In this mode a GPU gives no context until somebody who has attested it
//! sets it ready; until then `cuInit` gives 802.

use crate::facts::{Fact, GapKind};
use crate::world::library::CallFailed;
use crate::world::library::management::Management;

/// `NVML_ERROR_NOT_SUPPORTED`
const NOT_SUPPORTED: i32 = 3;

/// Whether the mode is on, and whether the GPUs are ready in it.
pub fn states(management: Result<&Management, &String>) -> (Fact<bool>, Fact<bool>) {
    let management = match management {
        Ok(management) => management,
        Err(why) => {
            let gap = |()| Fact::unknown(GapKind::NoSymbol, why.clone());
            return (gap(()), gap(()));
        }
    };
    let on = flag("nvmlSystemGetConfComputeState", management.confidential());
    let ready = match &on {
        Fact::Known(true) => flag("nvmlSystemGetConfComputeGpusReadyState", management.confidential_ready()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        Fact::Known(false) | Fact::Absent => Fact::Absent,
    };
    (on, ready)
}

/// A number that says yes or no. A library or a GPU that does not know of the mode is not in it.
fn flag(call: &str, answer: Result<u32, CallFailed>) -> Fact<bool> {
    match answer {
        Ok(0) => Fact::Known(false),
        Ok(1) => Fact::Known(true),
        Ok(other) => Fact::unknown(GapKind::Malformed, format!("{call}: {other}")),
        Err(failed) if failed.code.is_none_or(|code| code == NOT_SUPPORTED) => Fact::Known(false),
        Err(failed) => Fact::unknown(GapKind::NotPermitted, failed.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: Option<i32>) -> Result<u32, CallFailed> {
        Err(CallFailed { call: "call", code, detail: String::new() })
    }

    #[test]
    fn who_does_not_know_of_the_mode_is_not_in_it_and_a_refusal_is_a_gap() {
        assert_eq!(flag("call", Ok(1)), Fact::Known(true));
        assert_eq!(flag("call", failed(Some(NOT_SUPPORTED))), Fact::Known(false));
        assert_eq!(flag("call", failed(None)), Fact::Known(false), "an old library");
        assert!(flag("call", failed(Some(999))).is_unknown());
        assert!(flag("call", Ok(7)).is_unknown());
    }

    #[test]
    fn without_a_library_neither_is_known() {
        let (on, ready) = states(Err(&"no library".to_owned()));
        assert!(on.is_unknown() && ready.is_unknown());
    }
}
