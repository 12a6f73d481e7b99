//! The same proven multiplies again and again, for faults that come with heat and time.

use std::time::{Duration, Instant};

use super::gemm;
use super::material::Material;
use super::messages::Reading;
use super::multiplies::is_left_out;
use crate::facts::{Fact, Multiply, Proof};
use crate::probe::gpu::bench::Bench;
use crate::probe::gpu::session::{LEAST_TIME, Session};
use crate::probe::note_failure;
use crate::world::library::CallFailed;

/// Goes round the precisions until `time` is over, and keeps of each the worst proof, the median and the lowest rate.
pub(super) fn repeat(
    bench: &Bench,
    mut multiplies: Vec<Multiply>,
    time: Duration,
    session: &mut Session<'_>,
) -> Vec<Multiply> {
    for multiply in &mut multiplies {
        (multiply.repeated_count, multiply.slowest_tflops) = (Fact::Absent, Fact::Absent);
    }
    let until = Instant::now() + time;
    let first = |multiply: &Multiply| multiply.tflops.known().copied().into_iter().collect();
    let mut rates: Vec<Vec<f64>> = multiplies.iter().map(first).collect();
    while Instant::now() < until && multiplies.iter().any(works) {
        for index in 0..multiplies.len() {
            if session.left() < LEAST_TIME {
                return multiplies;
            }
            if !multiplies.get(index).is_some_and(works) {
                continue;
            }
            tell_open(&multiplies, index, session);
            let (Some(multiply), Some(rates)) = (multiplies.get_mut(index), rates.get_mut(index)) else { break };
            match again(bench, multiply, session) {
                Ok(round) => keep(multiply, round, rates),
                // It worked before, so it is a matter of this size and no failure.
                Err(failed) if is_left_out(multiply, &failed) => {}
                Err(failed) => {
                    multiply.failure = note_failure(multiply, &failed);
                    return multiplies;
                }
            }
        }
    }
    multiplies
}

/// Hands over what is known, with the one open that is multiplied next: it is the one to blame if this process ends there.
fn tell_open(multiplies: &[Multiply], next: usize, session: &mut Session<'_>) {
    let mut multiplies = multiplies.to_vec();
    if let Some(multiply) = multiplies.get_mut(next) {
        multiply.failure = Fact::default();
    }
    session.so_far(&Reading { multiplies, ..Reading::default() });
}

fn works(multiply: &Multiply) -> bool {
    multiply.failure == Fact::Absent
}

fn again(bench: &Bench, multiply: &Multiply, session: &mut Session<'_>) -> Result<Multiply, CallFailed> {
    let mut round = multiply.clone();
    let material = &mut Material::none(multiply.precision);
    let proved = gemm::prove(bench, material, &mut round, session)?;
    gemm::time(bench, material, proved, &mut round, session)?;
    Ok(round)
}

/// Adds one more round to what is known.
fn keep(multiply: &mut Multiply, round: Multiply, rates: &mut Vec<f64>) {
    let count = multiply.repeated_count.known().copied().unwrap_or_default();
    multiply.repeated_count = Fact::Known(count + 1);
    if round.proof == Fact::Known(Proof::Wrong) && multiply.proof != round.proof {
        multiply.proof_detail = round.proof_detail.map(|detail| format!("{detail}, in repetition {}", count + 1));
        multiply.proof_size = round.proof_size;
        multiply.proof = round.proof;
    }
    // At the end of the time a proof may have been all that there was time for.
    let Fact::Known(rate) = round.tflops else { return };
    rates.push(rate);
    rates.sort_by(f64::total_cmp);
    multiply.size = round.size;
    multiply.spread = round.spread;
    multiply.wall_ms = round.wall_ms;
    multiply.tflops = Fact::present(rates.get(rates.len() / 2).copied());
    multiply.slowest_tflops = Fact::present(rates.first().copied());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(proof: Proof, tflops: f64) -> Multiply {
        Multiply {
            proof: Fact::Known(proof),
            tflops: Fact::Known(tflops),
            proof_detail: Fact::Absent,
            ..Multiply::default()
        }
    }

    #[test]
    fn the_worst_proof_the_median_and_the_lowest_rate_are_kept() {
        let mut kept = round(Proof::Exact, 100.0);
        let mut rates = vec![100.0];
        let wrong = Multiply { proof_detail: Fact::Known("1 of 9".to_owned()), ..round(Proof::Wrong, 90.0) };
        for next in [round(Proof::Exact, 20.0), wrong, round(Proof::Exact, 99.0), round(Proof::Exact, 98.0)] {
            keep(&mut kept, next, &mut rates);
        }
        assert_eq!((&kept.proof, &kept.repeated_count), (&Fact::Known(Proof::Wrong), &Fact::Known(4)));
        assert_eq!(kept.proof_detail, Fact::Known("1 of 9, in repetition 2".to_owned()));
        assert_eq!((kept.tflops, kept.slowest_tflops), (Fact::Known(98.0), Fact::Known(20.0)));
    }
}
