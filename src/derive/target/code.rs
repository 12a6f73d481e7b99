//! Whether the GPU code of one library can run on a GPU.
//!
//! The rules are NVIDIA's. Machine code runs on GPUs of its major capability whose minor is not lower; code marked `a` on
//! exactly its own. PTX runs on every GPU of its capability or a newer one, once the driver has compiled it, which only a
//! driver at least as new as the toolkit can.
//!
//! What a library carries is not one list: its objects differ. PyTorch has nearly every object for every architecture,
//! and a few for Hopper alone; cuBLASLt has twenty times as many for Hopper as for Pascal, and runs on both. So a GPU is
//! held against the least served of the architectures that the library was built for: with as many objects it is served,
//! with none it is not. An architecture in less than one object of fifty is an exception, not one that it was built for
//! (seen: up to 0.8 % in PyTorch; of those it was built for, 3 % in cuBLASLt). It misleads where a library was built for
//! an architecture and left out just the kernel that a workload calls.

use crate::derive::both;
use crate::facts::version::Version;
use crate::facts::{CodeFit, CodeSet, Fact, GapKind, NativeLibrary};

/// How many objects must have code for a GPU, as a share of those for the least served architecture.
const SERVED: f64 = 0.9;
/// Share of all objects below which the few that have code are exceptions.
const EXCEPTIONS: f64 = 0.02;

/// How one library's code runs on GPUs of a capability.
pub fn fit(library: &NativeLibrary, capability: &str) -> Fact<CodeFit> {
    let Some(capability) = Version::parse(capability) else {
        return Fact::unknown(GapKind::Malformed, format!("`{capability}` is no compute capability"));
    };
    let capability = (capability.major(), capability.part(1));
    both(library.architectures.as_ref(), library.sets.as_ref(), |all, sets| (all, sets)).and_then(|(all, sets)| {
        let built_for = all.iter().filter_map(|code| Code::read(code)).filter(|code| code.form == Form::Machine);
        let whole = objects(sets, |_| true);
        let few = whole * EXCEPTIONS;
        let counts = built_for.map(|code| served(sets, code.made_for, true)).filter(|count| *count >= few);
        // A library of PTX alone was built for whatever can compile it.
        let least = counts.min_by(f64::total_cmp).unwrap_or(whole);
        let (native, any) = (served(sets, capability, true), served(sets, capability, false));
        if whole == 0.0 || any < few || any == 0.0 {
            Fact::Known(CodeFit::Missing)
        } else if native >= SERVED * least {
            Fact::Known(CodeFit::Native)
        } else if any >= SERVED * least {
            Fact::Known(CodeFit::Compiled)
        } else {
            let part = format!("{any} of its {whole} objects have code for {}.{}", capability.0, capability.1);
            Fact::unknown(GapKind::NotSupported, part)
        }
    })
}

/// How many objects are of the sets that `wanted` picks.
fn objects(sets: &[CodeSet], wanted: impl Fn(&CodeSet) -> bool) -> f64 {
    sets.iter().filter(|set| wanted(set)).map(|set| set.object_count).sum::<u64>() as f64
}

/// How many objects have code for a GPU of this capability: machine code, or PTX too.
fn served(sets: &[CodeSet], capability: (u64, u64), natively: bool) -> f64 {
    let runs = |code: &String| {
        Code::read(code).is_some_and(|code| code.runs_on(capability) && (!natively || code.form == Form::Machine))
    };
    objects(sets, |set| set.architectures.iter().any(runs))
}

/// A form of GPU code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Machine,
    Ptx,
}

/// A piece of GPU code, from the compiler's words for it.
struct Code {
    form: Form,
    made_for: (u64, u64),
    suffix: Option<char>,
}

impl Code {
    fn read(words: &str) -> Option<Self> {
        let (form, tail) = match (words.strip_prefix("sm_"), words.strip_prefix("compute_")) {
            (Some(tail), _) => (Form::Machine, tail),
            (_, Some(tail)) => (Form::Ptx, tail),
            _ => return None,
        };
        let number: u64 = tail.trim_end_matches(['a', 'f']).parse().ok()?;
        let suffix = tail.chars().last().filter(|last| !last.is_ascii_digit());
        Some(Self { form, made_for: (number / 10, number % 10), suffix })
    }

    /// Whether a GPU of this capability can run it, PTX once it is compiled.
    fn runs_on(&self, (major, minor): (u64, u64)) -> bool {
        match (self.form, self.suffix) {
            (_, Some('a')) => self.made_for == (major, minor),
            (Form::Machine, _) | (_, Some(_)) => self.made_for.0 == major && self.made_for.1 <= minor,
            (Form::Ptx, None) => self.made_for <= (major, minor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_behind_an_architecture_bind_it() {
        let runs = |code: &str, capability| Code::read(code).is_some_and(|code| code.runs_on(capability));
        for (code, capability, expected) in [
            ("sm_80", (8, 6), true),
            ("sm_86", (8, 0), false),
            ("sm_80", (9, 0), false),
            ("sm_90a", (9, 0), true),
            ("sm_100a", (10, 3), false),
            ("sm_100f", (10, 3), true),
            ("sm_100f", (12, 0), false),
            ("compute_70", (12, 1), true),
            ("compute_90a", (10, 0), false),
            ("compute_120f", (12, 1), true),
            ("compute_120", (9, 0), false),
            ("lto_80", (8, 0), false),
            ("sm_x", (8, 0), false),
        ] {
            assert_eq!(runs(code, capability), expected, "{code} on {capability:?}");
        }
    }
}
