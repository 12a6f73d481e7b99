//! One precision on one GPU: proves a product, then times multiplies of random values.

use std::time::{Duration, Instant};

use gpu_preflight_arithmetic::bytes::digest;
use gpu_preflight_arithmetic::{Operands, Output, Random, proof};

use super::material::{FINGERPRINT_SIZE, Factors, Material};
use crate::facts::{Fact, GapKind, Multiply, Precision, Proof, reference};
use crate::probe::gpu::bench::{Bench, FIRST_SIZE};
use crate::probe::gpu::precision::{Recipe, Route, recipe};
use crate::probe::gpu::session::{LEAST_TIME, Session};
use crate::probe::gpu::timing;
use crate::world::library::CallFailed;
use crate::world::library::cuda_runtime::DeviceSlice;

/// A larger proof must be expected to take no longer than this.
const PROOF_PATIENCE: Duration = Duration::from_millis(60);

/// Multiplies integers and checks the whole product, at growing sizes while that stays quick.
/// Returns the last size, whose operands still lie on the device.
pub(super) fn prove(
    bench: &Bench,
    material: &mut Material,
    multiply: &mut Multiply,
    session: &mut Session<'_>,
) -> Result<usize, CallFailed> {
    let recipe = recipe(multiply.precision);
    set_mode(bench, recipe, session)?;
    multiply.tf32_substituted = Fact::Absent;
    let mut size = FIRST_SIZE;
    loop {
        let multiplier = bench.multiplier(recipe, size, session)?;
        let Factors { operands, left, right, made_in } = material.factors(size, &mut session.random);
        let ready = Instant::now();
        let [a, b, c] = bench.matrices(size, recipe.element, 0)?;
        session.at("cudaMemcpy");
        bench.runtime.upload(&left, a)?;
        bench.runtime.upload(&right, b)?;
        bench.runtime.fill(c, poison(recipe.element.output()))?;
        let multiplying = Instant::now();
        session.at(multiplier.call());
        multiplier.multiply(0)?;
        session.at("cudaDeviceSynchronize");
        bench.runtime.synchronize()?;
        // The first multiply of a size loads code; that does not grow with the size.
        let loading = multiplying.elapsed();
        let product = download(bench, c, session)?;
        multiply.proof_size = Fact::Known(size as u64);
        let right = judge(multiply, recipe, &operands, &product, &mut session.random);
        // What was made ahead takes as long where there is no other core to do it.
        let expected = (made_in + ready.elapsed().saturating_sub(loading)) * 8;
        let next = size * 2;
        let quick = expected <= PROOF_PATIENCE && expected + LEAST_TIME <= session.left();
        if !right || !quick || next > recipe.range.largest() || !bench.fits(next, recipe.element) {
            return Ok(size);
        }
        size = next;
    }
}

/// Allows or forbids TF32. cuBLASLt is told with each multiply.
fn set_mode(bench: &Bench, recipe: Recipe, session: &mut Session<'_>) -> Result<(), CallFailed> {
    let Route::Blas(arithmetic) = recipe.route else { return Ok(()) };
    session.at("cublasSetMathMode");
    bench.cublas.set_math_mode(&bench.handle, arithmetic)
}

/// A byte that makes no element of a right product: all bits set is NaN, and even integers are none.
fn poison(output: Output) -> u8 {
    match output {
        Output::Float32 | Output::Float64 => 0xff,
        Output::Int32 => 0x80,
    }
}

fn download(bench: &Bench, product: DeviceSlice<'_>, session: &mut Session<'_>) -> Result<Vec<u8>, CallFailed> {
    let mut bytes = vec![0; product.bytes()];
    session.at("cudaMemcpy");
    bench.runtime.download(product, &mut bytes)?;
    Ok(bytes)
}

/// Digests the product of operands that are the same on every machine and use the whole range of their format. The proof
/// shows that integers come out right; this shows bits that its integers do not reach, beside GPUs of the same model.
pub(super) fn fingerprint(
    bench: &Bench,
    material: &mut Material,
    multiply: &mut Multiply,
    session: &mut Session<'_>,
) -> Result<(), CallFailed> {
    if session.left() < LEAST_TIME {
        multiply.fingerprint = Fact::unknown(GapKind::TimedOut, "no time was left to take it");
        return Ok(());
    }
    let recipe = recipe(multiply.precision);
    if !bench.fits(FINGERPRINT_SIZE, recipe.element) {
        multiply.fingerprint = Fact::unknown(GapKind::NotSupported, "too little memory was free");
        return Ok(());
    }
    let [left, right] = material.fingerprint();
    let multiplier = bench.multiplier(recipe, FINGERPRINT_SIZE, session)?;
    let [a, b, c] = bench.matrices(FINGERPRINT_SIZE, recipe.element, 0)?;
    session.at("cudaMemcpy");
    bench.runtime.upload(&left, a)?;
    bench.runtime.upload(&right, b)?;
    bench.runtime.fill(c, poison(recipe.element.output()))?;
    session.at(multiplier.call());
    multiplier.multiply(0)?;
    session.at("cudaDeviceSynchronize");
    bench.runtime.synchronize()?;
    multiply.fingerprint = Fact::Known(format!("{:016x}", digest(&download(bench, c, session)?)));
    Ok(())
}

/// Writes down what the proof of one product showed; whether it was right.
fn judge(multiply: &mut Multiply, recipe: Recipe, operands: &Operands, product: &[u8], random: &mut Random) -> bool {
    let output = recipe.element.output();
    let strict = multiply.precision == Precision::Float32;
    let found = proof::check(operands, output, product, random);
    let substituted = strict && found.is_err() && proof::check(&operands.as_tf32(), output, product, random).is_ok();
    if strict {
        multiply.tf32_substituted = Fact::Known(substituted);
    }
    let right = found.is_ok() || substituted;
    multiply.proof = Fact::Known(if right { Proof::Exact } else { Proof::Wrong });
    multiply.proof_detail = match found {
        Err(_) if substituted => Fact::Known("exact for TF32, which was off".to_owned()),
        Err(detail) => Fact::Known(detail),
        Ok(()) => Fact::Absent,
    };
    right
}

/// The share of its peak that a GPU reaches in a large multiply.
const REACHED: f64 = 0.75;

/// The size at which this GPU is timed, by what is known of its model; none where the model is not known.
fn likely_size(bench: &Bench, multiply: &Multiply) -> Option<usize> {
    let model = reference::gpus::gpu(multiply.gpu_name.known()?)?;
    // A slice has a part of the multiprocessors.
    let part = match (multiply.sm_count.known(), model.sm_count) {
        (Some(here), Some(all)) if all > 0 => f64::from(*here) / f64::from(all),
        _ => 1.0,
    };
    let rate = model.peak(multiply.precision)? * REACHED * part;
    timing::likely_size(rate, |size| bench.fits(size, recipe(multiply.precision).element))
}

/// Times multiplies of random values, at the size that the model is known for, made smaller once where this one is slower, or
/// one that it finds by growing from the proved one.
pub(super) fn time(
    bench: &Bench,
    material: &mut Material,
    proved: usize,
    multiply: &mut Multiply,
    session: &mut Session<'_>,
) -> Result<(), CallFailed> {
    if session.left() < LEAST_TIME {
        note_untimed(multiply, GapKind::TimedOut, "no time was left to measure");
        return Ok(());
    }
    let recipe = recipe(multiply.precision);
    let block = material.block(&mut session.random);
    // A repetition is timed at the size of the first time, or it could not be compared.
    let fixed = multiply.size.known().and_then(|size| usize::try_from(*size).ok());
    let likely = likely_size(bench, multiply).filter(|_| fixed.is_none());
    let mut size = fixed.or(likely).unwrap_or(proved);
    let mut is_settled = fixed.is_some();
    let one_ms = loop {
        session.at("cudaMemcpy");
        bench.scatter(&block, size, recipe.element)?;
        // The first of two may load code while the clock runs.
        let times = measure(bench, recipe, size, 2, session)?;
        let fastest = times.into_iter().fold(f64::INFINITY, f64::min);
        let next = timing::size((size, fastest), proved, |size| bench.fits(size, recipe.element));
        if is_settled || next == size || (next < size && likely.is_none()) {
            break fastest;
        }
        // What is smaller than it was thought to be is not made larger again.
        is_settled = next < size;
        size = next;
    };
    let (warm_up, measured) = timing::counts(one_ms);
    if one_ms * (warm_up + measured) as f64 > session.left().as_secs_f64() * 1000.0 {
        note_untimed(multiply, GapKind::TimedOut, "no time was left to measure");
        return Ok(());
    }
    measure(bench, recipe, size, warm_up, session)?;
    let times = measure(bench, recipe, size, measured, session)?;
    match timing::summary(&times) {
        Some((median_ms, spread)) => {
            multiply.size = Fact::Known(size as u64);
            multiply.tflops = Fact::Known(timing::tflops(size, median_ms));
            multiply.wall_ms = Fact::Known(median_ms);
            multiply.spread = Fact::Known(spread);
        }
        None => note_untimed(multiply, GapKind::Malformed, "cudaEventElapsedTime: no usable time"),
    }
    Ok(())
}

/// Device times in milliseconds of `count` multiplies one after the other, of each set of operands in turn.
fn measure(
    bench: &Bench,
    recipe: Recipe,
    size: usize,
    count: usize,
    session: &mut Session<'_>,
) -> Result<Vec<f64>, CallFailed> {
    let multiplier = bench.multiplier(recipe, size, session)?;
    let sets = bench.sets(size, recipe.element);
    session.at(multiplier.call());
    timing::device_times(&bench.runtime, count, |index| multiplier.multiply(index % sets))
}

fn note_untimed(multiply: &mut Multiply, kind: GapKind, why: &str) {
    multiply.size = Fact::Absent;
    multiply.tflops = Fact::unknown(kind, why);
    multiply.wall_ms = Fact::unknown(kind, why);
    multiply.spread = Fact::unknown(kind, why);
}
