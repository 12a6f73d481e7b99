//! One multiply in every precision that a GPU has, and what it means for the others when one fails.

use super::gemm;
use super::material::Supply;
use super::messages::Reading;
use crate::facts::{Fact, Gap, GapKind, Gaps, Multiply};
use crate::probe::gpu::bench::Bench;
use crate::probe::gpu::precision::{Route, precisions, recipe};
use crate::probe::gpu::session::Session;
use crate::probe::note_failure;
use crate::world::library::CallFailed;

/// Multiplies in all precisions, until one fails for a reason that concerns the others.
pub(super) fn multiply_all(
    bench: &Bench,
    supply: &Supply,
    about: &Multiply,
    session: &mut Session<'_>,
) -> Vec<Multiply> {
    let planned = precisions(bench.capability(), bench.has_lt()).into_iter();
    let mut multiplies: Vec<Multiply> = planned.map(|precision| Multiply { precision, ..about.clone() }).collect();
    let mut index = 0;
    while index < multiplies.len() {
        session.so_far(&Reading { multiplies: multiplies.clone(), ..Reading::default() });
        let Some(multiply) = multiplies.get_mut(index) else { break };
        match measure(bench, supply, multiply, session) {
            Ok(()) => multiply.failure = Fact::Absent,
            // An older cuBLASLt than the GPU has not learnt to use all of it; that is no fault. What was proven stays.
            Err(failed) if is_left_out(multiply, &failed) => {
                if multiply.proof.is_unknown() {
                    multiplies.remove(index);
                    continue;
                }
                multiply.fill_gaps(&Gap::new(GapKind::NotSupported, failed.to_string()));
                (multiply.size, multiply.tflops, multiply.failure) = (Fact::Absent, Fact::Absent, Fact::Absent);
            }
            Err(failed) => {
                multiply.failure = note_failure(multiply, &failed);
                // The next precision may still work.
                if !is_unsupported(&failed) {
                    // One trouble is told once: what was not tried after it is not listed.
                    multiplies.truncate(index + 1);
                    break;
                }
            }
        }
        index += 1;
    }
    multiplies
}

/// Whether cuBLASLt says that it does not have this.
pub(super) fn is_left_out(multiply: &Multiply, failed: &CallFailed) -> bool {
    recipe(multiply.precision).route == Route::Lt && is_unsupported(failed)
}

/// Invalid value, wrong architecture, not supported, or no such function.
fn is_unsupported(failed: &CallFailed) -> bool {
    failed.call.starts_with("cublas") && matches!(failed.code, Some(7 | 8 | 15) | None)
}

/// One precision: proven, compared, timed.
fn measure(
    bench: &Bench,
    supply: &Supply,
    multiply: &mut Multiply,
    session: &mut Session<'_>,
) -> Result<(), CallFailed> {
    let material = &mut supply.of(multiply.precision);
    let proved = gemm::prove(bench, material, multiply, session)?;
    gemm::fingerprint(bench, material, multiply, session)?;
    gemm::time(bench, material, proved, multiply, session)
}
