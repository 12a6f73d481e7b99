//! Copies of device memory against what the memory of such a GPU gives.
//!
//! The expectation is the model's memory bandwidth times the share that copies reach in practice. Nothing is expected of a
//! model that is not in the table, of a MIG instance, which has a share of the memory that its name does not tell, nor of
//! copies so small that a cache holds them.

use super::siblings::Siblings;
use super::{both, rounded};
use crate::facts::reference::gpus;
use crate::facts::{Fact, Facts, Gpu, MemoryCopy};

/// Share of the memory bandwidth that a copy is expected to reach. Published copies lie between 0.72 and 0.87 of it.
const SHARE: f64 = 0.8;

/// Bytes from which on a copy leaves the caches.
const BYTES_MIN: u64 = 128 << 20;

/// Fills the derived fields of every copy.
pub fn derive(facts: &mut Facts) {
    let sliced = facts.gpus.known().is_some_and(|gpus| gpus.iter().any(is_sliced));
    let Fact::Known(copies) = &mut facts.compute.copies else { return };
    let shares = shares_of_siblings(copies);
    for (copy, of_siblings) in copies.iter_mut().zip(shares) {
        copy.share_of_siblings = of_siblings;
        let expected = expected(copy, sliced);
        copy.expected_from = expected.clone().map(|(_, from)| from);
        copy.expected_device_gb_per_second = expected.map(|(rate, _)| rate);
        let (rate, expected) = (copy.device_gb_per_second.as_ref(), copy.expected_device_gb_per_second.as_ref());
        copy.share_of_expected = both(rate, expected, |rate, expected| rounded(rate / expected));
    }
}

fn is_sliced(gpu: &Gpu) -> bool {
    gpu.mig_enabled.known() == Some(&true)
}

/// The expected rate and where it comes from.
fn expected(copy: &MemoryCopy, sliced: bool) -> Fact<(f64, String)> {
    both(copy.device_bytes.clone(), copy.gpu_name.as_ref(), |bytes, name| (bytes, name)).and_then(|(bytes, name)| {
        let model = gpus::gpu(name).filter(|_| bytes >= BYTES_MIN && !sliced && !name.contains(" MIG "));
        Fact::present(model.and_then(|model| {
            let peak = model.memory_gb_per_second?;
            Some((rounded(peak * SHARE), format!("{SHARE} of the memory bandwidth {peak} of {}", model.name)))
        }))
    })
}

/// Each rate over the median of the other GPUs of the same name that copied as much.
fn shares_of_siblings(copies: &[MemoryCopy]) -> Vec<Fact<f64>> {
    let alike = |copy: &MemoryCopy, name| (copy.device_bytes.known().copied(), name);
    let rated =
        |copy: &MemoryCopy| both(copy.device_gb_per_second.clone(), copy.gpu_name.clone(), |rate, name| (rate, name));
    let known = copies.iter().filter_map(|copy| match rated(copy) {
        Fact::Known((rate, name)) => Some((alike(copy, name), copy.gpu, rate)),
        _ => None,
    });
    let siblings = Siblings::new(known);
    let share = |copy| rated(copy).and_then(|(rate, name)| siblings.share(&alike(copy, name), copy.gpu, rate));
    copies.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Gap, GapKind};

    fn share(name: &str, bytes: u64, rate: Fact<f64>, gpus: Vec<Gpu>) -> Fact<f64> {
        let copy = MemoryCopy {
            gpu_name: Fact::Known(name.to_owned()),
            device_bytes: Fact::Known(bytes),
            device_gb_per_second: rate,
            ..MemoryCopy::default()
        };
        let mut facts = Facts { gpus: Fact::Known(gpus), ..Facts::default() };
        facts.compute.copies = Fact::Known(vec![copy]);
        derive(&mut facts);
        let once = facts.clone();
        derive(&mut facts);
        assert_eq!(facts, once, "deriving twice changes nothing");
        facts.compute.copies.known().expect("copies")[0].share_of_expected.clone()
    }

    #[test]
    fn a_known_model_is_held_against_its_memory_and_nobody_else_is() {
        let large = 256 << 20;
        assert_eq!(share("NVIDIA H200", large, Fact::Known(3840.0), Vec::new()), Fact::Known(1.0));
        assert_eq!(share("NVIDIA H200", 1 << 20, Fact::Known(3840.0), Vec::new()), Fact::Absent);
        assert_eq!(share("NVIDIA X9000", large, Fact::Known(1.0), Vec::new()), Fact::Absent);
        assert_eq!(share("NVIDIA H200 MIG 1g.18gb", large, Fact::Known(500.0), Vec::new()), Fact::Absent);
        let sliced = Gpu { mig_enabled: Fact::Known(true), ..Gpu::default() };
        assert_eq!(share("NVIDIA H200", large, Fact::Known(500.0), vec![sliced]), Fact::Absent);
        let gap = Gap::new(GapKind::Crashed, "cudaMemcpy");
        assert_eq!(share("NVIDIA H200", large, Fact::Unknown(gap.clone()), Vec::new()), Fact::Unknown(gap));
    }

    #[test]
    fn slow_memory_stands_out_among_three_and_not_among_two() {
        let of = |rates: &[f64]| {
            let copy = |(gpu, rate): (u32, &f64)| MemoryCopy {
                gpu,
                gpu_name: Fact::Known("NVIDIA H200".to_owned()),
                device_gb_per_second: Fact::Known(*rate),
                ..MemoryCopy::default()
            };
            let mut facts = Facts::default();
            facts.compute.copies = Fact::Known((0..).zip(rates).map(copy).collect());
            derive(&mut facts);
            let copies = facts.compute.copies.known().expect("copies").clone();
            copies.into_iter().map(|copy| copy.share_of_siblings).collect::<Vec<_>>()
        };
        assert_eq!(of(&[4000.0, 4000.0, 1000.0])[2], Fact::Known(0.25));
        assert_eq!(of(&[4000.0, 1000.0]), [Fact::Absent, Fact::Absent]);
    }
}
