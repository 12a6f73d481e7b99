//! Rates of copies against what such a GPU reaches, against its siblings, and of pairs of GPUs against each other.
//!
//! The expectation is four fifths of the model's bandwidth: measured copies reach 0.72 (A100 of 40 GB) to 0.9 (H200) of
//! it. A MIG slice gets its share of the SMs, which is never more than its share of the memory's bandwidth. Copies that
//! fit into a cache or are too short to fill the memory say nothing of it.

use super::multiply::median;
use super::{both, rounded};
use crate::facts::reference::gpus;
use crate::facts::{Fact, Facts, GpuMemory, Pair};

/// Share of the bandwidth in the table that copies reach in practice.
const SHARE: f64 = 0.8;
/// Bytes from which on a copy fills the memory and no cache.
const BYTES_MIN: u64 = 128 << 20;
/// GPUs of one name that it takes to tell which of them is slow, and pairs of one kind.
const SIBLINGS_MIN: usize = 3;
const PAIRS_MIN: usize = 4;

/// Fills the derived fields of memory and links.
pub fn derive(facts: &mut Facts) {
    if let Fact::Known(gpus) = &mut facts.memory.gpus {
        let siblings: Vec<Fact<f64>> = gpus.iter().map(|gpu| share_of_siblings(gpu, gpus)).collect();
        for (gpu, of_siblings) in gpus.iter_mut().zip(siblings) {
            let expected = expected(gpu);
            gpu.expected_from = expected.clone().map(|(_, from)| from);
            gpu.expected_gb_per_second = expected.map(|(rate, _)| rate);
            let (rate, expected) = (gpu.device_copy_gb_per_second.as_ref(), gpu.expected_gb_per_second.as_ref());
            gpu.share_of_expected = both(rate, expected, |rate, expected| rounded(rate / expected));
            gpu.share_of_siblings = of_siblings;
        }
    }
    if let Fact::Known(pairs) = &mut facts.links.pairs {
        let shares: Vec<Fact<f64>> = pairs.iter().map(|pair| share_of_pairs(pair, pairs)).collect();
        pairs.iter_mut().zip(shares).for_each(|(pair, share)| pair.share_of_pairs = share);
    }
}

fn expected(gpu: &GpuMemory) -> Fact<(f64, String)> {
    let filled = gpu
        .device_copy_bytes
        .as_ref()
        .and_then(|bytes| if *bytes < BYTES_MIN { Fact::Absent } else { Fact::Known(()) });
    filled.and_then(|()| gpu.gpu_name.as_ref()).and_then(|name| {
        let model = gpus::gpu(name);
        let Some((model, bandwidth)) = model.and_then(|model| Some((model, model.memory_gb_per_second?))) else {
            return Fact::Absent;
        };
        let from = format!("{SHARE} of the {bandwidth} GB/s of {}", model.name);
        Fact::Known(match (gpu.sm_count.known(), model.sm_count) {
            (Some(here), Some(all)) if *here < all => {
                let share = f64::from(*here) / f64::from(all);
                (rounded(bandwidth * SHARE * share), format!("{from}, {here} of {all} SMs"))
            }
            _ => (rounded(bandwidth * SHARE), from),
        })
    })
}

/// The rate over the median of the other GPUs of the same name and SMs.
fn share_of_siblings(gpu: &GpuMemory, all: &[GpuMemory]) -> Fact<f64> {
    gpu.device_copy_gb_per_second.as_ref().and_then(|rate| {
        let is_sibling = |other: &&GpuMemory| {
            other.gpu != gpu.gpu
                && other.sm_count == gpu.sm_count
                && other.device_copy_bytes == gpu.device_copy_bytes
                && other.gpu_name.known().is_some()
                && other.gpu_name == gpu.gpu_name
        };
        let others = all.iter().filter(is_sibling);
        share(*rate, others.filter_map(|other| other.device_copy_gb_per_second.known().copied()), SIBLINGS_MIN - 1)
    })
}

/// The rate over the median of all pairs of the same kind of access.
fn share_of_pairs(pair: &Pair, all: &[Pair]) -> Fact<f64> {
    pair.gb_per_second.as_ref().and_then(|rate| {
        let alike = all.iter().filter(|other| other.peer_access == pair.peer_access);
        share(*rate, alike.filter_map(|other| other.gb_per_second.known().copied()), PAIRS_MIN)
    })
}

fn share(rate: f64, others: impl Iterator<Item = f64>, least: usize) -> Fact<f64> {
    let mut others: Vec<f64> = others.collect();
    if others.len() < least {
        return Fact::Absent;
    }
    Fact::present(median(&mut others).filter(|median| *median > 0.0).map(|median| rounded(rate / median)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Gap, GapKind};

    fn memory(gpu: u32, name: &str, sm_count: u32, rate: f64) -> GpuMemory {
        GpuMemory {
            gpu,
            gpu_name: Fact::Known(name.to_owned()),
            sm_count: Fact::Known(sm_count),
            device_copy_bytes: Fact::Known(256 << 20),
            device_copy_gb_per_second: Fact::Known(rate),
            ..GpuMemory::default()
        }
    }

    fn derived(gpus: Vec<GpuMemory>) -> Vec<GpuMemory> {
        let mut facts = Facts::default();
        facts.memory.gpus = Fact::Known(gpus);
        derive(&mut facts);
        facts.memory.gpus.known().expect("gpus").clone()
    }

    #[test]
    fn a_known_model_is_held_against_its_bandwidth_and_a_slice_against_its_sms() {
        let whole = derived(vec![memory(0, "NVIDIA H200", 132, 4300.0)]).remove(0);
        assert_eq!(whole.expected_gb_per_second, Fact::Known(3840.0));
        assert_eq!(whole.share_of_expected, Fact::Known(1.12));
        let slice = derived(vec![memory(0, "NVIDIA H200 MIG 1g.18gb", 16, 500.0)]).remove(0);
        assert_eq!(slice.expected_gb_per_second, Fact::Known(465.455));
    }

    #[test]
    fn nothing_is_expected_of_unknown_models_and_small_copies() {
        assert_eq!(derived(vec![memory(0, "NVIDIA X9000", 99, 1.0)])[0].share_of_expected, Fact::Absent);
        let mut small = memory(0, "NVIDIA H200", 132, 1.0);
        small.device_copy_bytes = Fact::Known(1 << 20);
        assert_eq!(derived(vec![small])[0].share_of_expected, Fact::Absent);
        let mut lost = memory(0, "NVIDIA H200", 132, 1.0);
        let gap = Gap::new(GapKind::TimedOut, "");
        lost.device_copy_gb_per_second = Fact::Unknown(gap.clone());
        assert_eq!(derived(vec![lost])[0].share_of_expected, Fact::Unknown(gap));
    }

    #[test]
    fn slow_memory_stands_out_among_three_and_not_among_two() {
        let of = |rates: &[f64]| {
            let gpus = (0..).zip(rates).map(|(gpu, rate)| memory(gpu, "NVIDIA H200", 132, *rate)).collect();
            derived(gpus).into_iter().map(|gpu| gpu.share_of_siblings).collect::<Vec<_>>()
        };
        assert_eq!(of(&[4000.0, 4000.0, 1000.0])[2], Fact::Known(0.25));
        assert_eq!(of(&[4000.0, 1000.0]), [Fact::Absent, Fact::Absent]);
    }

    #[test]
    fn a_pair_is_held_against_pairs_of_its_kind_alone() {
        let pair = |to, direct, rate| Pair {
            to,
            peer_access: Fact::Known(direct),
            gb_per_second: Fact::Known(rate),
            ..Pair::default()
        };
        let mut facts = Facts::default();
        let mut pairs: Vec<Pair> = (1..5).map(|to| pair(to, true, 380.0)).collect();
        pairs.extend([pair(5, true, 19.0), pair(6, false, 19.0)]);
        facts.links.pairs = Fact::Known(pairs);
        derive(&mut facts);
        let shares: Vec<_> =
            facts.links.pairs.known().expect("pairs").iter().map(|p| p.share_of_pairs.clone()).collect();
        assert_eq!(shares[3..], [Fact::Known(1.0), Fact::Known(0.05), Fact::Absent]);
    }
}
