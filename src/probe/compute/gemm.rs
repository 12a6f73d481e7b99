//! One precision on one GPU: proves a product, then times multiplies of random values.

use std::time::{Duration, Instant};

use super::device::{Gear, LEAST_TIME, Session};
use super::operands::{Operands, Random, Range, encode_integers, random_values};
use super::{FIRST_SIZE, proof, timing};
use crate::facts::{Fact, GapKind, Multiply, Precision, Proof};
use crate::world::library::CallFailed;
use crate::world::library::cublas::{Arithmetic, Element};

/// A larger proof must be expected to take no longer than this.
const PROOF_PATIENCE: Duration = Duration::from_millis(60);

/// Random elements made on the host; a prime, so that their repetitions do not line up with columns.
const BLOCK: usize = 262_139;

/// What the operands of a fingerprint grow from.
const FIXED_SEED: u64 = 1;

fn arithmetic(precision: Precision) -> (Element, Arithmetic, Range) {
    match precision {
        Precision::Float32 => (Element::Float32, Arithmetic::Plain, Range::Wide),
        Precision::Tf32 => (Element::Float32, Arithmetic::Tf32, Range::Narrow),
        Precision::Float16 => (Element::Float16, Arithmetic::Plain, Range::Narrow),
        Precision::Bfloat16 => (Element::Bfloat16, Arithmetic::Plain, Range::Narrow),
    }
}

/// Multiplies integers and checks the whole product, at growing sizes while that stays quick.
/// Returns the last size, whose operands still lie on the device.
pub(super) fn prove(gear: &Gear, multiply: &mut Multiply, session: &mut Session<'_>) -> Result<usize, CallFailed> {
    let (element, arithmetic, range) = arithmetic(multiply.precision);
    session.at("cublasSetMathMode");
    gear.cublas.set_math_mode(&gear.handle, arithmetic)?;
    multiply.tf32_substituted = Fact::Absent;
    let mut size = FIRST_SIZE;
    loop {
        let started = Instant::now();
        let operands = Operands::new(size, range, &mut session.random);
        let matrices @ [a, b, c] = gear.matrices(size, element)?;
        session.at("cudaMemcpy");
        gear.runtime.upload(&encode_integers(&operands.a, element), a)?;
        gear.runtime.upload(&encode_integers(&operands.b, element), b)?;
        // All bits set is NaN: an element that nobody writes cannot pass.
        gear.runtime.fill(c, 0xff)?;
        let multiplying = Instant::now();
        session.at("cublasGemmEx");
        gear.cublas.multiply(&gear.handle, (element, arithmetic), size, matrices)?;
        session.at("cudaDeviceSynchronize");
        gear.runtime.synchronize()?;
        // The first multiply of a size loads code; that does not grow with the size.
        let loading = multiplying.elapsed();
        let mut bytes = vec![0; c_bytes(size)];
        session.at("cudaMemcpy");
        gear.runtime.download(c, &mut bytes)?;
        let product: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        multiply.proof_size = Fact::Known(size as u64);
        let right = judge(multiply, &operands, &product, &mut session.random);
        let expected = started.elapsed().saturating_sub(loading) * 8;
        let next = size * 2;
        let quick = expected <= PROOF_PATIENCE && expected + LEAST_TIME <= session.left();
        if !right || !quick || next > range.largest() || !gear.fits(next) {
            return Ok(size);
        }
        size = next;
    }
}

fn c_bytes(size: usize) -> usize {
    size * size * Element::Float32.bytes()
}

/// Digests the product of operands that are the same on every machine and use the whole range of their format. The proof
/// shows that integers come out right; this shows bits that its integers do not reach, beside GPUs of the same model.
pub(super) fn fingerprint(gear: &Gear, multiply: &mut Multiply, session: &mut Session<'_>) -> Result<(), CallFailed> {
    if session.left() < LEAST_TIME {
        multiply.fingerprint = Fact::unknown(GapKind::TimedOut, "no time was left to take it");
        return Ok(());
    }
    let (element, arithmetic, _) = arithmetic(multiply.precision);
    let mut fixed = Random::new(FIXED_SEED);
    let matrices @ [a, b, c] = gear.matrices(FIRST_SIZE, element)?;
    session.at("cudaMemcpy");
    for operand in [a, b] {
        gear.runtime.upload(&random_values(FIRST_SIZE * FIRST_SIZE, element, &mut fixed), operand)?;
    }
    gear.runtime.fill(c, 0xff)?;
    session.at("cublasGemmEx");
    gear.cublas.multiply(&gear.handle, (element, arithmetic), FIRST_SIZE, matrices)?;
    session.at("cudaDeviceSynchronize");
    gear.runtime.synchronize()?;
    let mut bytes = vec![0; c_bytes(FIRST_SIZE)];
    session.at("cudaMemcpy");
    gear.runtime.download(c, &mut bytes)?;
    multiply.fingerprint = Fact::Known(format!("{:016x}", digest(&bytes)));
    Ok(())
}

/// FNV-1a over 64 bits: no adversary forges a product.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Writes down what the proof of one product showed; whether it was right.
fn judge(multiply: &mut Multiply, operands: &Operands, product: &[f32], random: &mut Random) -> bool {
    let strict = multiply.precision == Precision::Float32;
    let found = proof::check(operands, product, random);
    let substituted = strict && found.is_err() && proof::check(&operands.as_tf32(), product, random).is_ok();
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

/// Times multiplies of random values, at a size that it finds by growing from the proved one.
pub(super) fn time(
    gear: &Gear,
    proved: usize,
    multiply: &mut Multiply,
    session: &mut Session<'_>,
) -> Result<(), CallFailed> {
    if session.left() < LEAST_TIME {
        note_untimed(multiply, GapKind::TimedOut, "no time was left to measure");
        return Ok(());
    }
    let (element, arithmetic, _) = arithmetic(multiply.precision);
    let block = random_values(BLOCK, element, &mut session.random);
    let mut size = proved;
    let one_ms = loop {
        session.at("cudaMemcpy");
        gear.scatter(&block, size, element)?;
        // The first of two may load code while the clock runs.
        let times = measure(gear, (element, arithmetic), size, 2, session)?;
        let fastest = times.into_iter().fold(f64::INFINITY, f64::min);
        let next = timing::size(size, fastest, |size| gear.fits(size));
        if next <= size {
            break fastest;
        }
        size = next;
    };
    let (warm_up, measured) = timing::counts(one_ms);
    if one_ms * (warm_up + measured) as f64 > session.left().as_secs_f64() * 1000.0 {
        note_untimed(multiply, GapKind::TimedOut, "no time was left to measure");
        return Ok(());
    }
    measure(gear, (element, arithmetic), size, warm_up, session)?;
    let times = measure(gear, (element, arithmetic), size, measured, session)?;
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

/// Device times in milliseconds of `count` multiplies one after the other.
fn measure(
    gear: &Gear,
    kind: (Element, Arithmetic),
    size: usize,
    count: usize,
    session: &mut Session<'_>,
) -> Result<Vec<f64>, CallFailed> {
    let runtime = &gear.runtime;
    let matrices = gear.matrices(size, kind.0)?;
    session.at("cublasGemmEx");
    let events = (0..=count).map(|_| runtime.event()).collect::<Result<Vec<_>, _>>()?;
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            gear.cublas.multiply(&gear.handle, kind, size, matrices)?;
        }
        runtime.record(event)?;
    }
    session.at("cudaDeviceSynchronize");
    runtime.synchronize()?;
    let pairs = events.iter().zip(events.iter().skip(1));
    let times = pairs.map(|(from, to)| runtime.elapsed_ms(from, to)).collect::<Result<Vec<_>, _>>()?;
    events.into_iter().try_for_each(|event| runtime.destroy(event))?;
    Ok(times)
}

fn note_untimed(multiply: &mut Multiply, kind: GapKind, why: &str) {
    multiply.size = Fact::Absent;
    multiply.tflops = Fact::unknown(kind, why);
    multiply.wall_ms = Fact::unknown(kind, why);
    multiply.spread = Fact::unknown(kind, why);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_published_one_and_sees_every_bit() {
        // Test vectors of the FNV authors.
        assert_eq!(digest(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest(b"foobar"), 0x8594_4171_f739_67e8);
        let right = vec![7_u8; 64];
        for bit in 0..512 {
            let mut wrong = right.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(digest(&wrong), digest(&right), "bit {bit}");
        }
    }

    #[test]
    fn the_operands_of_a_fingerprint_never_change() {
        // Or recordings of two releases could not be compared.
        let values = random_values(FIRST_SIZE * FIRST_SIZE, Element::Float32, &mut Random::new(FIXED_SEED));
        assert_eq!(digest(&values), 0xcbea_e9bc_0aad_8403);
    }
}
