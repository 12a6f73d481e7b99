//! A second look at GPUs that were slow in the first, before anybody is accused: a rate may have been low by chance, a wrong
//! product never is.
//!
//! Who was slow is a derived fact ([`derive_rates`]), the same that the checks read.

use std::time::Instant;

use crate::derive::derive_rates;
use crate::facts::{Compute, Fact, Facts, FailedHow, Failure, MemoryCopy, Multiply, Proof};
use crate::probe::compute::Learnt;

/// Looks, and once more at GPUs that were slow, where there is time for it. The deep tiers repeat their multiplies anyway.
pub fn twice(gpus: &[u32], until: impl Fn() -> Instant, mut look: impl FnMut(&[u32]) -> Learnt) -> Learnt {
    let started = Instant::now();
    let (compute, memory, mut runs) = look(gpus);
    let doubtful = doubtful(&compute);
    let took = started.elapsed();
    if doubtful.is_empty() || until().saturating_duration_since(Instant::now()) < took {
        return (compute, memory, runs);
    }
    let (second, _, more) = look(&doubtful);
    runs.extend(more);
    (keep_better(compute, second), memory, runs)
}

/// The GPUs that a check might accuse of a low rate. What NVML says of power limits is not known yet, so a capped GPU is in
/// doubt sooner than it would be accused.
pub fn doubtful(compute: &Compute) -> Vec<u32> {
    let mut facts = Facts { compute: compute.clone(), ..Facts::default() };
    derive_rates(&mut facts);
    let is_low = |reduced: &Fact<bool>, behind: &Fact<bool>| [reduced, behind].contains(&&Fact::Known(true));
    let multiplies = facts.compute.multiplies.known().into_iter().flatten();
    let slow = multiplies.filter(|one| is_low(&one.reduced, &one.behind_siblings)).map(|one| one.gpu);
    let copies = facts.compute.copies.known().into_iter().flatten();
    let slow_copies = copies.filter(|one| is_low(&one.reduced, &one.behind_siblings)).map(|one| one.gpu);
    let mut gpus: Vec<u32> = slow.chain(slow_copies).collect();
    gpus.sort_unstable();
    gpus.dedup();
    gpus
}

/// The first look, with what the second found faster, wrong or broken. That it came to no end in its time says nothing, nor
/// does a lack of memory: the first look had both.
fn keep_better(mut first: Compute, second: Compute) -> Compute {
    if let (Fact::Known(firsts), Fact::Known(seconds)) = (&mut first.multiplies, second.multiplies) {
        for again in seconds {
            let is_same = |one: &&mut Multiply| one.gpu == again.gpu && one.precision == again.precision;
            if let Some(one) = firsts.iter_mut().find(is_same) {
                better_multiply(one, again);
            }
        }
    }
    if let (Fact::Known(firsts), Fact::Known(seconds)) = (&mut first.copies, second.copies) {
        for again in seconds {
            if let Some(one) = firsts.iter_mut().find(|one| one.gpu == again.gpu) {
                better_copy(one, again);
            }
        }
    }
    first
}

/// `cudaErrorDevicesUnavailable`
const UNAVAILABLE: i64 = 46;

/// Whether a failure shows that something is broken: a code that a call gave, or the end of the process. That the GPU gives
/// out no second context shows nothing: the driver may still take down that of the first look.
fn is_broken(failure: &Failure) -> bool {
    let refused = failure.how == FailedHow::Returned && failure.code == Fact::Known(UNAVAILABLE);
    failure.how != FailedHow::TimedOut && !refused
}

fn better_multiply(first: &mut Multiply, second: Multiply) {
    let has_memory = second.memory_short != Fact::Known(true);
    if has_memory && second.failure.known().is_some_and(is_broken) {
        first.failure = second.failure;
    }
    if second.proof == Fact::Known(Proof::Wrong) && first.proof != second.proof {
        first.proof = second.proof;
        first.proof_detail = second.proof_detail;
        first.proof_size = second.proof_size;
    }
    let (Fact::Known(before), Fact::Known(after)) = (&first.tflops, &second.tflops) else { return };
    first.first_tflops = Fact::Known(*before);
    if after > before {
        first.size = second.size;
        first.tflops = second.tflops;
        first.spread = second.spread;
        first.wall_ms = second.wall_ms;
    }
}

fn better_copy(first: &mut MemoryCopy, second: MemoryCopy) {
    if second.proof == Fact::Known(Proof::Wrong) && first.proof != second.proof {
        first.proof = second.proof;
        first.proof_detail = second.proof_detail;
    }
    let (Fact::Known(before), Fact::Known(after)) = (&first.device_gb_per_second, &second.device_gb_per_second) else {
        return;
    };
    first.first_device_gb_per_second = Fact::Known(*before);
    if after > before {
        first.device_bytes = second.device_bytes;
        first.device_gb_per_second = second.device_gb_per_second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Precision;

    fn look(rates: &[(u32, f64)]) -> Compute {
        let multiply = |(gpu, rate): &(u32, f64)| Multiply {
            gpu: *gpu,
            precision: Precision::Tf32,
            proof: Fact::Known(Proof::Exact),
            tflops: Fact::Known(*rate),
            ..Multiply::default()
        };
        let copy = |(gpu, rate): &(u32, f64)| MemoryCopy {
            gpu: *gpu,
            proof: Fact::Known(Proof::Exact),
            device_gb_per_second: Fact::Known(*rate),
            ..MemoryCopy::default()
        };
        Compute {
            multiplies: Fact::Known(rates.iter().map(multiply).collect()),
            copies: Fact::Known(rates.iter().map(copy).collect()),
            ..Compute::default()
        }
    }

    fn first_multiply(compute: &Compute) -> &Multiply {
        compute.multiplies.known().and_then(|all| all.first()).expect("a multiply")
    }

    #[test]
    fn the_better_rate_is_kept_and_the_first_one_told() {
        let merged = keep_better(look(&[(0, 100.0), (1, 400.0)]), look(&[(0, 390.0)]));
        let all = merged.multiplies.known().expect("multiplies");
        assert_eq!((&all[0].tflops, &all[0].first_tflops), (&Fact::Known(390.0), &Fact::Known(100.0)));
        assert!(all[1].first_tflops.is_unknown(), "nobody looked twice at it");
        let copies = merged.copies.known().expect("copies");
        assert_eq!(copies[0].device_gb_per_second, Fact::Known(390.0));
        let kept = keep_better(look(&[(0, 100.0)]), look(&[(0, 90.0)]));
        assert_eq!(first_multiply(&kept).tflops, Fact::Known(100.0));
    }

    #[test]
    fn a_wrong_product_is_no_chance_and_a_lost_second_look_no_fault() {
        let mut wrong = look(&[(0, 100.0)]);
        if let Fact::Known(all) = &mut wrong.multiplies {
            all[0].proof = Fact::Known(Proof::Wrong);
        }
        assert_eq!(first_multiply(&keep_better(look(&[(0, 100.0)]), wrong)).proof, Fact::Known(Proof::Wrong));
        let second = |failure: Failure, short: bool| {
            let mut lost = look(&[(0, 100.0)]);
            if let Fact::Known(all) = &mut lost.multiplies {
                all[0].tflops = Fact::Unknown(failure.gap());
                all[0].failure = Fact::Known(failure);
                all[0].memory_short = Fact::Known(short);
            }
            keep_better(look(&[(0, 100.0)]), lost)
        };
        let code = |code| Failure { code: Fact::Known(code), ..Failure::new("cublasGemmEx", FailedHow::Returned) };
        let unchanged = look(&[(0, 100.0)]).multiplies;
        assert_eq!(second(Failure::new("cublasGemmEx", FailedHow::TimedOut), false).multiplies, unchanged);
        assert_eq!(second(code(2), true).multiplies, unchanged);
        assert_eq!(second(code(UNAVAILABLE), false).multiplies, unchanged);
        let broken = second(code(214), false);
        assert_eq!(first_multiply(&broken).failure, Fact::Known(code(214)));
        let crashed = Failure::new("cublasGemmEx", FailedHow::Crashed);
        assert_eq!(first_multiply(&second(crashed.clone(), false)).failure, Fact::Known(crashed));
        assert_eq!(first_multiply(&broken).tflops, Fact::Known(100.0), "what was measured stays");
    }

    fn measured(rates: &[f64], copies: &[f64]) -> Compute {
        let name = || Fact::Known("NVIDIA H200".to_owned());
        let multiply = |(gpu, rate): (u32, &f64)| Multiply {
            gpu,
            gpu_name: name(),
            size: Fact::Known(4096),
            tflops: Fact::Known(*rate),
            ..Multiply::default()
        };
        let copy = |(gpu, rate): (u32, &f64)| MemoryCopy {
            gpu,
            gpu_name: name(),
            device_bytes: Fact::Known(256 << 20),
            device_gb_per_second: Fact::Known(*rate),
            ..MemoryCopy::default()
        };
        Compute {
            multiplies: Fact::Known((0..).zip(rates).map(multiply).collect()),
            copies: Fact::Known((0..).zip(copies).map(copy).collect()),
            ..Compute::default()
        }
    }

    #[test]
    fn who_is_slow_against_the_model_or_the_siblings_is_in_doubt_once() {
        assert_eq!(doubtful(&measured(&[58.0, 57.0, 59.0], &[4000.0, 4000.0, 4000.0])), [] as [u32; 0]);
        assert_eq!(doubtful(&measured(&[58.0, 20.0, 59.0], &[4000.0, 1000.0, 4000.0])), [1]);
        // 50 TFLOP/s is enough for the model and too little for the siblings.
        assert_eq!(doubtful(&measured(&[59.0, 59.0, 49.0], &[4000.0, 4000.0, 4000.0])), [2]);
        assert_eq!(doubtful(&measured(&[59.0], &[1000.0])), [0]);
        assert_eq!(doubtful(&Compute::default()), [] as [u32; 0]);
    }
}
