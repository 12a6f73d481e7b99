//! Which GPUs were so slow that they are measured once more before anybody is accused.

use super::{copies, multiply};
use crate::facts::{Compute, Fact, Facts};

/// No check holds a rate against a higher share of what such a GPU reaches.
pub const SHARE_OF_EXPECTED: f64 = 0.75;

/// No check holds a rate against a higher share of what its siblings reach.
pub const SHARE_OF_SIBLINGS: f64 = 0.85;

/// The GPUs with a rate below one of these. What NVML says of power limits is not known yet, so a capped GPU is in doubt
/// sooner than it would be accused.
pub fn doubtful(compute: &Compute) -> Vec<u32> {
    let mut facts = Facts { compute: compute.clone(), ..Facts::default() };
    multiply::derive(&mut facts);
    copies::derive(&mut facts);
    let is_low = |of_expected: &Fact<f64>, of_siblings: &Fact<f64>| {
        of_expected.known().is_some_and(|share| *share < SHARE_OF_EXPECTED)
            || of_siblings.known().is_some_and(|share| *share < SHARE_OF_SIBLINGS)
    };
    let multiplies = facts.compute.multiplies.known().into_iter().flatten();
    let slow = multiplies.filter(|one| is_low(&one.share_of_expected, &one.share_of_siblings)).map(|one| one.gpu);
    let copies = facts.compute.copies.known().into_iter().flatten();
    let slow_copies = copies.filter(|one| is_low(&one.share_of_expected, &one.share_of_siblings)).map(|one| one.gpu);
    let mut gpus: Vec<u32> = slow.chain(slow_copies).collect();
    gpus.sort_unstable();
    gpus.dedup();
    gpus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{MemoryCopy, Multiply};

    fn compute(rates: &[f64], copies: &[f64]) -> Compute {
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
        }
    }

    #[test]
    fn who_is_slow_against_the_model_or_the_siblings_is_in_doubt_once() {
        assert_eq!(doubtful(&compute(&[58.0, 57.0, 59.0], &[4000.0, 4000.0, 4000.0])), [] as [u32; 0]);
        assert_eq!(doubtful(&compute(&[58.0, 20.0, 59.0], &[4000.0, 1000.0, 4000.0])), [1]);
        // 50 TFLOP/s is enough for the model and too little for the siblings.
        assert_eq!(doubtful(&compute(&[59.0, 59.0, 49.0], &[4000.0, 4000.0, 4000.0])), [2]);
        assert_eq!(doubtful(&compute(&[59.0], &[1000.0])), [0]);
        assert_eq!(doubtful(&Compute::default()), [] as [u32; 0]);
    }
}
