//! Rates of multiplies against what such a GPU reaches, and against its siblings.
//!
//! The expectation is the model's dense peak times the share that its family reaches
//! in practice (`reference/gemm.toml`); for models without a peak in the table, half
//! of what SMs, highest clock and the width of an SM would give. Then:
//!
//! - a MIG slice, or a part with fewer SMs, is expected to do its share of the SMs;
//! - under a lowered power limit the rate goes with the square root of the limit: an
//!   H100 at 350 W keeps about 0.7 of what it does at 700 W, not half;
//! - where a variable limits the share of the SMs, that share is expected;
//! - where `NVIDIA_TF32_OVERRIDE=0` turns TF32 off, float32's rate is expected of it;
//! - where memory was so short that matrices for tensor cores had to stay small, nothing is expected of them;
//! - multiplies below 2048 rows leave SMs idle, so nothing is expected of them.

use std::collections::HashMap;

use super::siblings::Siblings;
use super::{both, rounded};
use crate::facts::reference::{gemm, gpus};
use crate::facts::{Environment, Fact, Facts, Gpu, Multiply, Precision};

/// Rows from which on a multiply fills a GPU.
const SIZE_MIN: u64 = 2048;

/// Share of SMs × clock × width that is expected of models without a row: low, for none was measured.
const UNMEASURED_SHARE: f64 = 0.5;

/// Rows up to which matrices do not fill the tensor cores of a large GPU: float8 reaches 0.64 of its rate at 2048 on an
/// H100 whose other memory is held.
const SMALL_SIZE: u64 = 4096;

/// What the matrices get of the free memory: one of three parts of a quarter.
const MEMORY_PARTS: u64 = 12;

/// The variable that turns TF32 off in all of NVIDIA's libraries, where it is 0.
const TF32_OVERRIDE: &str = "NVIDIA_TF32_OVERRIDE";

/// GPUs that should be alike that it takes to tell which bits are usual.
const SIBLINGS_MIN: usize = 3;

/// Fills the derived fields of every multiply.
pub fn derive(facts: &mut Facts) {
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    let Fact::Known(multiplies) = &mut facts.compute.multiplies else { return };
    let context = Context {
        boards: boards(gpus),
        tf32_is_off: is_tf32_off(&facts.environment),
        limit: facts.compute.share_limit.known().copied().zip(facts.compute.share_limited_by.known().cloned()),
    };
    for multiply in &mut *multiplies {
        multiply.size_limited = size_limited(multiply);
    }
    let beside = shares_of_siblings(multiplies).into_iter().zip(fingerprints_common(multiplies));
    for (multiply, (of_siblings, common)) in multiplies.iter_mut().zip(beside) {
        let expected = expected(multiply, &context);
        multiply.expected_from = expected.clone().map(|(_, from)| from);
        multiply.expected_tflops = expected.map(|(rate, _)| rate);
        multiply.share_of_expected =
            both(multiply.tflops.as_ref(), multiply.expected_tflops.as_ref(), |rate, expected| {
                rounded(rate / expected)
            });
        multiply.share_of_siblings = of_siblings;
        multiply.slowest_share = both(multiply.slowest_tflops.as_ref(), multiply.tflops.as_ref(), |slowest, median| {
            rounded(slowest / median)
        });
        multiply.fingerprint_common = common;
    }
}

/// What is known beside a multiply.
struct Context {
    /// By their plain names.
    boards: HashMap<String, Board>,
    tf32_is_off: bool,
    /// The share of the multiprocessors that a variable leaves, and which one.
    limit: Option<(f64, String)>,
}

/// What is known of all GPUs of one name. CUDA and NVML may number GPUs differently, so where boards of one name have
/// different limits, the lowest excuses all.
#[derive(Default)]
struct Board {
    /// The lowest power limit in force as a share of the default, and in watts where NVML does not tell the default.
    power_share: Option<f64>,
    power_limit_watts: Option<f64>,
    clock_max_mhz: Option<u32>,
}

fn boards(gpus: &[Gpu]) -> HashMap<String, Board> {
    let lower = |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::min);
    let mut boards: HashMap<String, Board> = HashMap::new();
    for gpu in gpus {
        let Some(name) = gpu.name.known() else { continue };
        let board = boards.entry(plain(name).to_owned()).or_default();
        let limit = gpu.power_limit_watts.known().copied();
        match gpu.power_default_watts.known() {
            Some(usual) => {
                let share = limit.map(|limit| limit / usual).filter(|share| share.is_finite());
                board.power_share = lower(board.power_share, share);
            }
            None => board.power_limit_watts = lower(board.power_limit_watts, limit),
        }
        board.clock_max_mhz = board.clock_max_mhz.max(gpu.sm_clock_max_mhz.known().copied());
    }
    boards
}

/// The name of the GPU that a slice is cut from.
fn plain(name: &str) -> &str {
    name.split(" MIG ").next().unwrap_or(name).trim()
}

/// Whether the variable turns TF32 off; it explains nothing else.
fn is_tf32_off(environment: &Environment) -> bool {
    let settings = environment.settings.known().map_or(&[][..], Vec::as_slice);
    settings.iter().any(|setting| setting.name == TF32_OVERRIDE && setting.value.trim() == "0")
}

/// Whether twice as many rows would have had no memory, for what runs on tensor cores.
fn size_limited(multiply: &Multiply) -> Fact<bool> {
    if matches!(multiply.precision, Precision::Float32 | Precision::Float64) {
        return Fact::Known(false);
    }
    let larger = |size: u64| (2 * size).saturating_pow(2).saturating_mul(4);
    both(multiply.size.clone(), multiply.memory_free_bytes.clone(), |size, free| {
        size <= SMALL_SIZE && free / MEMORY_PARTS < larger(size)
    })
}

/// The expected rate and where it comes from.
fn expected(multiply: &Multiply, context: &Context) -> Fact<(f64, String)> {
    let is_small = multiply.size_limited == Fact::Known(true);
    let filled = multiply
        .size
        .as_ref()
        .and_then(|size| if *size < SIZE_MIN || is_small { Fact::Absent } else { Fact::Known(()) });
    filled.and_then(|()| multiply.gpu_name.as_ref()).and_then(|name| {
        let board = context.boards.get(plain(name));
        let is_plain = context.tf32_is_off && multiply.precision == Precision::Tf32;
        let plain = is_plain.then(|| Multiply { precision: Precision::Float32, ..multiply.clone() });
        let as_computed = plain.as_ref().unwrap_or(multiply);
        let limit = context.limit.as_ref();
        let whole = from_model(as_computed, name, limit).or_else(|| from_capability(as_computed, name, board, limit));
        Fact::present(whole.map(|(rate, from)| {
            let power = board.map_or(1.0, |board| power_share(name, board));
            let from = if power < 0.99 { format!("{from}, power limit at {:.0} %", power * 100.0) } else { from };
            let from = if is_plain { format!("{from}, as float32, for {TF32_OVERRIDE}=0") } else { from };
            (rounded(rate * power.sqrt()), from)
        }))
    })
}

/// The peak in the table times the share of its family, for the SMs that are here.
fn from_model(multiply: &Multiply, name: &str, limit: Option<&(f64, String)>) -> Option<(f64, String)> {
    let model = gpus::gpu(name)?;
    let peak = model.peak(multiply.precision)?;
    let share = gemm::family(&model.family)?.share(multiply.precision)?;
    let from = format!("{share} of the dense peak {peak} of {}", model.name);
    let slice = match (multiply.sm_count.known(), model.sm_count) {
        (Some(here), Some(all)) if *here < all => {
            Some((f64::from(*here) / f64::from(all), format!("{here} of {all} SMs")))
        }
        _ => None,
    };
    // MPS shows the SMs that it leaves, so the lower of both counts and not their product.
    let lowest = [slice, limit.cloned()].into_iter().flatten().min_by(|one, other| one.0.total_cmp(&other.0));
    Some(match lowest {
        Some((part, why)) => (peak * share * part, format!("{from}, {why}")),
        None => (peak * share, from),
    })
}

/// Half of what SMs, highest clock and width give.
fn from_capability(
    multiply: &Multiply,
    name: &str,
    board: Option<&Board>,
    limit: Option<&(f64, String)>,
) -> Option<(f64, String)> {
    let cc = multiply.compute_capability.known()?;
    let width = gemm::capability(cc)?.width(multiply.precision)?;
    let sms = *multiply.sm_count.known()?;
    // The clock that the multiplies ran under would excuse a GPU that is held down.
    let clock = board.and_then(|board| board.clock_max_mhz);
    let clock = clock.or(gpus::gpu(name).and_then(|model| model.clock_mhz))?;
    let rate = UNMEASURED_SHARE * f64::from(sms) * width * f64::from(clock) / 1e6;
    let from = format!("{UNMEASURED_SHARE} of {sms} SMs of capability {cc} at {clock} MHz");
    // How many SMs the whole has is not known, so what MPS left may be counted twice: that accuses late.
    let (rate, from) = match limit {
        Some((part, why)) => (rate * part, format!("{from}, {why}")),
        None => (rate, from),
    };
    (rate > 0.0).then_some((rate, from))
}

/// The power limit in force as a share of the default.
fn power_share(name: &str, board: &Board) -> f64 {
    let of_table = gpus::gpu(name).and_then(|model| model.tdp_w).map(f64::from);
    let by_table = board.power_limit_watts.zip(of_table).map(|(limit, usual)| limit / usual);
    let shares = board.power_share.into_iter().chain(by_table.filter(|share| share.is_finite()));
    shares.fold(1.0, f64::min).max(0.1)
}

/// What makes the GPUs of two multiplies alike.
type Alike = (Precision, Option<u32>, String);

fn alike(multiply: &Multiply) -> Fact<Alike> {
    multiply.gpu_name.clone().map(|name| (multiply.precision, multiply.sm_count.known().copied(), name))
}

/// Each rate over the median of the other GPUs of the same name and SMs. Nothing is said of matrices that had to stay small.
fn shares_of_siblings(multiplies: &[Multiply]) -> Vec<Fact<f64>> {
    let rate_of = |multiply: &Multiply| match multiply.size_limited {
        Fact::Known(true) => Fact::Absent,
        _ => both(multiply.tflops.clone(), alike(multiply), |rate, alike| (rate, alike)),
    };
    let rates: Vec<_> = multiplies.iter().map(rate_of).collect();
    let known = rates.iter().zip(multiplies).filter_map(|(rated, multiply)| {
        let (rate, alike) = rated.known()?;
        Some((alike, multiply.gpu, *rate))
    });
    let siblings = Siblings::new(known);
    let share = |(rated, multiply): (&Fact<(f64, Alike)>, &Multiply)| {
        rated.as_ref().and_then(|(rate, alike)| siblings.share(&alike, multiply.gpu, *rate))
    };
    rates.iter().zip(multiplies).map(share).collect()
}

/// Whether each has the bits that more than half of the GPUs have that should be alike.
fn fingerprints_common(multiplies: &[Multiply]) -> Vec<Fact<bool>> {
    let read =
        |multiply: &Multiply| both(multiply.fingerprint.clone(), alike(multiply), |digest, alike| (digest, alike));
    let mut given: HashMap<Alike, HashMap<String, usize>> = HashMap::new();
    for multiply in multiplies {
        if let Fact::Known((digest, alike)) = read(multiply) {
            *given.entry(alike).or_default().entry(digest).or_default() += 1;
        }
    }
    let common = |(digest, alike): (String, Alike)| {
        let digests = &given[&alike];
        let count: usize = digests.values().sum();
        match digests.iter().find(|(_, times)| *times * 2 > count) {
            Some((common, _)) if count >= SIBLINGS_MIN => Fact::Known(*common == digest),
            _ => Fact::Absent,
        }
    };
    multiplies.iter().map(|multiply| read(multiply).and_then(common)).collect()
}

#[cfg(test)]
#[path = "multiply_tests.rs"]
mod tests;
