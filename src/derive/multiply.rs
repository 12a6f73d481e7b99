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

/// GPUs of one name that it takes to tell which of them is slow.
const SIBLINGS_MIN: usize = 3;

/// Fills the derived fields of every multiply.
pub fn derive(facts: &mut Facts) {
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    let Fact::Known(multiplies) = &mut facts.compute.multiplies else { return };
    let context = Context {
        gpus,
        tf32_is_off: is_tf32_off(&facts.environment),
        limit: facts.compute.share_limit.known().copied().zip(facts.compute.share_limited_by.known().cloned()),
    };
    for multiply in &mut *multiplies {
        multiply.size_limited = size_limited(multiply);
    }
    let beside = |multiply| (share_of_siblings(multiply, multiplies), fingerprint_common(multiply, multiplies));
    let beside: Vec<_> = multiplies.iter().map(beside).collect();
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
struct Context<'a> {
    gpus: &'a [Gpu],
    tf32_is_off: bool,
    /// The share of the multiprocessors that a variable leaves, and which one.
    limit: Option<(f64, String)>,
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
fn expected(multiply: &Multiply, context: &Context<'_>) -> Fact<(f64, String)> {
    let gpus = context.gpus;
    let is_small = multiply.size_limited == Fact::Known(true);
    let filled = multiply
        .size
        .as_ref()
        .and_then(|size| if *size < SIZE_MIN || is_small { Fact::Absent } else { Fact::Known(()) });
    filled.and_then(|()| multiply.gpu_name.as_ref()).and_then(|name| {
        let same: Vec<&Gpu> =
            gpus.iter().filter(|gpu| gpu.name.known().is_some_and(|other| is_same(other, name))).collect();
        let is_plain = context.tf32_is_off && multiply.precision == Precision::Tf32;
        let plain = is_plain.then(|| Multiply { precision: Precision::Float32, ..multiply.clone() });
        let as_computed = plain.as_ref().unwrap_or(multiply);
        let limit = context.limit.as_ref();
        let whole = from_model(as_computed, name, limit).or_else(|| from_capability(as_computed, name, &same, limit));
        Fact::present(whole.map(|(rate, from)| {
            let power = power_share(name, &same);
            let from = if power < 0.99 { format!("{from}, power limit at {:.0} %", power * 100.0) } else { from };
            let from = if is_plain { format!("{from}, as float32, for {TF32_OVERRIDE}=0") } else { from };
            (rounded(rate * power.sqrt()), from)
        }))
    })
}

fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split(" MIG ").next().unwrap_or(name).trim().to_owned();
    plain(one) == plain(other)
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
    same: &[&Gpu],
    limit: Option<&(f64, String)>,
) -> Option<(f64, String)> {
    let cc = multiply.compute_capability.known()?;
    let width = gemm::capability(cc)?.width(multiply.precision)?;
    let sms = *multiply.sm_count.known()?;
    // The clock that the multiplies ran under would excuse a GPU that is held down.
    let clock = same.iter().filter_map(|gpu| gpu.sm_clock_max_mhz.known().copied()).max();
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

/// The power limit in force as a share of the default. CUDA and NVML may number GPUs differently, so where boards of
/// one name have different limits, the lowest excuses all.
fn power_share(name: &str, same: &[&Gpu]) -> f64 {
    let of_table = gpus::gpu(name).and_then(|model| model.tdp_w).map(f64::from);
    let shares = same.iter().filter_map(|gpu| {
        let usual = gpu.power_default_watts.known().copied().or(of_table)?;
        let share = gpu.power_limit_watts.known()? / usual;
        share.is_finite().then_some(share)
    });
    shares.fold(1.0, f64::min).max(0.1)
}

/// The rate over the median of the other GPUs of the same name and SMs.
fn share_of_siblings(multiply: &Multiply, all: &[Multiply]) -> Fact<f64> {
    both(multiply.tflops.clone(), multiply.gpu_name.as_ref(), |rate, _| rate).and_then(|rate| {
        let is_small = |one: &Multiply| one.size_limited == Fact::Known(true);
        if is_small(multiply) {
            return Fact::Absent;
        }
        let others = all.iter().filter(|other| other.gpu != multiply.gpu && is_sibling(multiply, other));
        let others = others.filter(|other| !is_small(other));
        let mut others: Vec<f64> = others.filter_map(|other| other.tflops.known().copied()).collect();
        if others.len() + 1 < SIBLINGS_MIN {
            return Fact::Absent;
        }
        Fact::present(median(&mut others).filter(|median| *median > 0.0).map(|median| rounded(rate / median)))
    })
}

/// Whether two multiplies are of one precision on GPUs that should be alike.
fn is_sibling(one: &Multiply, other: &Multiply) -> bool {
    other.precision == one.precision && other.sm_count == one.sm_count && other.gpu_name.known() == one.gpu_name.known()
}

/// Whether the bits are those of more than half of the GPUs that should be alike.
fn fingerprint_common(multiply: &Multiply, all: &[Multiply]) -> Fact<bool> {
    both(multiply.fingerprint.as_ref(), multiply.gpu_name.as_ref(), |own, _| own).and_then(|own| {
        let alike = all.iter().filter(|other| is_sibling(multiply, other));
        let given: Vec<&String> = alike.filter_map(|other| other.fingerprint.known()).collect();
        let is_of_most = |digest: &&&String| given.iter().filter(|other| *other == *digest).count() * 2 > given.len();
        match given.iter().find(is_of_most) {
            Some(common) if given.len() >= SIBLINGS_MIN => Fact::Known(*common == own),
            _ => Fact::Absent,
        }
    })
}

pub(super) fn median(rates: &mut [f64]) -> Option<f64> {
    rates.sort_by(f64::total_cmp);
    let upper = *rates.get(rates.len() / 2)?;
    let lower = *rates.get((rates.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
#[path = "multiply_tests.rs"]
mod tests;
