//! The bits of a product beside those that such GPUs have given elsewhere.
//!
//! What decides them is the capability, the number of multiprocessors and the release of cuBLAS. Where there is no row of
//! all three nobody is compared, and where a setting changes the arithmetic neither.

use crate::facts::reference::fingerprints::{self, Row};
use crate::facts::{Fact, Facts, LibraryId, Multiply, Precision, SettingClass};

/// Fills in whether each fingerprint is the known one.
pub fn derive(facts: &mut Facts) {
    let changed = arithmetic_is_changed(facts);
    let release = release(facts);
    let derived = facts.compute.multiplies.as_ref().map(|all| {
        let known = |one: &Multiply| match (&changed, &release) {
            (Fact::Known(false), Some(release)) => is_known(one, release),
            _ => Fact::Absent,
        };
        let contradicted = |one: &Multiply, known: &Fact<bool>| {
            known.clone().map(|known| !known && all.iter().any(|other| differs(one, other)))
        };
        all.iter().map(|one| (known(one), contradicted(one, &known(one)))).collect::<Vec<_>>()
    });
    let (Fact::Known(derived), Fact::Known(multiplies)) = (derived, &mut facts.compute.multiplies) else { return };
    for (multiply, (known, contradicted)) in multiplies.iter_mut().zip(derived) {
        multiply.fingerprint_known = known;
        multiply.fingerprint_contradicted = contradicted;
    }
}

/// Whether a variable makes cuBLAS compute otherwise; nobody is compared where that is not known.
fn arithmetic_is_changed(facts: &Facts) -> Fact<bool> {
    facts.environment.settings.as_ref().map(|settings| {
        let of_libraries = |name: &str| name.starts_with("NVIDIA_") || name.starts_with("CUBLAS");
        settings.iter().any(|setting| setting.class == SettingClass::Numerics && of_libraries(&setting.name))
    })
}

/// The release of both libraries, with all its numbers where a file name or a wheel tells them; nothing where they are of
/// two releases.
fn release(facts: &Facts) -> Option<String> {
    let of = |id| {
        let library = facts.libraries.known()?.iter().find(|library| library.id == id && library.chosen)?;
        let winner = library.winner.known()?;
        let file = library.candidates.iter().find(|candidate| candidate.path == *winner)?;
        file.file_version.known().or(library.version.known()).cloned()
    };
    let (cublas, lt) = (of(LibraryId::Cublas)?, of(LibraryId::CublasLt)?);
    (cublas == lt).then_some(cublas)
}

fn is_known(multiply: &Multiply, release: &str) -> Fact<bool> {
    // The digest is then that of another arithmetic.
    if multiply.precision == Precision::Float32 && multiply.tf32_substituted == Fact::Known(true) {
        return Fact::Absent;
    }
    let row = || -> Option<&Row> {
        fingerprints::row(multiply.compute_capability.known()?, *multiply.sm_count.known()?, release)
    };
    let wanted = row().and_then(|row| row.bits.get(multiply.precision.as_str()));
    let given = multiply.fingerprint.known();
    Fact::present(wanted.zip(given).map(|(wanted, given)| wanted == given))
}

/// Whether another GPU of this kind gives other bits.
fn differs(one: &Multiply, other: &Multiply) -> bool {
    let is_alike = one.precision == other.precision
        && one.sm_count == other.sm_count
        && one.gpu_name.known() == other.gpu_name.known();
    let digests = one.fingerprint.known().zip(other.fingerprint.known());
    one.gpu != other.gpu && is_alike && digests.is_some_and(|(one, other)| one != other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Candidate, Library, Setting};

    const FLOAT32: &str = "9937f905fbd44dd3";

    fn facts(versions: [&str; 2], digests: &[&str]) -> Facts {
        let library = |id, version: &str| Library {
            id,
            chosen: true,
            winner: Fact::Known("/lib/it".to_owned()),
            candidates: vec![Candidate {
                path: "/lib/it".to_owned(),
                file_version: Fact::Known(version.to_owned()),
                ..Candidate::default()
            }],
            ..Library::default()
        };
        let multiply = |(gpu, digest): (u32, &&str)| Multiply {
            gpu,
            gpu_name: Fact::Known("NVIDIA H200".to_owned()),
            sm_count: Fact::Known(132),
            compute_capability: Fact::Known("9.0".to_owned()),
            fingerprint: Fact::Known((*digest).to_owned()),
            ..Multiply::default()
        };
        let mut facts = Facts::default();
        facts.environment.settings = Fact::Known(Vec::new());
        let [cublas, lt] = versions;
        facts.libraries = Fact::Known(vec![library(LibraryId::Cublas, cublas), library(LibraryId::CublasLt, lt)]);
        facts.compute.multiplies = Fact::Known((0..).zip(digests).map(multiply).collect());
        facts
    }

    fn said(mut facts: Facts) -> Vec<(Fact<bool>, Fact<bool>)> {
        derive(&mut facts);
        let all = facts.compute.multiplies.known().expect("multiplies");
        all.iter().map(|one| (one.fingerprint_known.clone(), one.fingerprint_contradicted.clone())).collect()
    }

    #[test]
    fn bits_are_held_against_a_row_and_then_against_a_sibling() {
        const WHOLE: [&str; 2] = ["13.1.0.3"; 2];
        let known = |known, contradicted| (Fact::Known(known), Fact::Known(contradicted));
        assert_eq!(said(facts(WHOLE, &[FLOAT32])), [known(true, false)]);
        assert_eq!(said(facts(WHOLE, &["0"])), [known(false, false)]);
        assert_eq!(said(facts(WHOLE, &[FLOAT32, "0"])), [known(true, false), known(false, true)]);
        assert_eq!(said(facts(WHOLE, &["0", "0"])), [known(false, false), known(false, false)]);
    }

    #[test]
    fn an_unknown_combination_and_another_arithmetic_accuse_nobody() {
        let nothing = [(Fact::Absent, Fact::Absent)];
        assert_eq!(said(facts(["13.1.0.4"; 2], &["0"])), nothing);
        assert_eq!(said(facts(["13.1.0"; 2], &["0"])), nothing, "not all numbers of the release are known");
        assert_eq!(said(facts(["13.1.0.3", "13.1.1.0"], &["0"])), nothing, "two releases");
        let mut override_is_set = facts(["13.1.0.3"; 2], &["0"]);
        override_is_set.environment.settings = Fact::Known(vec![Setting {
            name: "NVIDIA_TF32_OVERRIDE".to_owned(),
            class: SettingClass::Numerics,
            ..Setting::default()
        }]);
        assert_eq!(said(override_is_set), nothing);
        let mut substituted = facts(["13.1.0.3"; 2], &["0"]);
        if let Fact::Known(all) = &mut substituted.compute.multiplies {
            all[0].tf32_substituted = Fact::Known(true);
        }
        assert_eq!(said(substituted), nothing);
        let mut blind = facts(["13.1.0.3"; 2], &["0"]);
        blind.environment.settings = Fact::default();
        assert_eq!(said(blind), nothing);
    }
}
