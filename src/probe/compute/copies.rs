//! Copies of one GPU: on its own memory, and to and from the host. Proven on the way, timed by the device's events.
//!
//! Random bytes go from the host to the device, from there to a place on the device that was poisoned before, and back to
//! host memory that held none of them. Every byte is compared, once through pageable and once through pinned memory. The
//! copy on the device is then timed with larger parts, which a cache cannot hold. All of it lies in the memory that the
//! multiplies had.

use super::device::{LEAST_TIME, Session};
use super::gear::Gear;
use super::operands::Random;
use super::{Reading, timing};
use crate::facts::{Fact, Gap, GapKind, Gaps, MemoryCopy, Multiply, Proof};
use crate::probe::cuda::unanswered;
use crate::world::library::CallFailed;
use crate::world::library::cuda_runtime::CudaRuntime;

/// Bytes that travel between host and device: enough that starting a copy does not count, few enough to be made and
/// compared in some milliseconds.
const HOST_BYTES: usize = 16 << 20;

/// Random bytes made on the host; a prime, so that their repetitions fall on no power of two.
const BLOCK: usize = 262_139;

/// Copies that are timed, after one that is not.
const COPIES: usize = 5;

/// Copies on the GPU of these multiplies. Where one of them failed nothing is copied: one trouble is told once.
pub(super) fn measure(gear: &Gear, multiplies: &[Multiply], session: &mut Session<'_>) -> Vec<MemoryCopy> {
    let Some(first) = multiplies.first() else { return Vec::new() };
    if multiplies.iter().any(|multiply| multiply.failed_call.known().is_some()) {
        return Vec::new();
    }
    let mut copy = MemoryCopy { gpu: first.gpu, gpu_name: first.gpu_name.clone(), ..MemoryCopy::default() };
    session.so_far(&Reading { multiplies: multiplies.to_vec(), copies: vec![copy.clone()], ..Reading::default() });
    if session.left() < LEAST_TIME {
        copy.fill_gaps(&Gap::new(GapKind::TimedOut, "no time was left to copy"));
        return vec![copy];
    }
    match prove(gear, &mut copy, session).and_then(|()| time_on_device(gear, &mut copy, session)) {
        Ok(()) => {
            copy.failed_call = Fact::Absent;
            copy.failed_code = Fact::Absent;
        }
        Err(failed) => {
            if let Fact::Unknown(gap) = unanswered::<()>(&failed) {
                copy.fill_gaps(&gap);
            }
            copy.failed_call = Fact::Known(failed.call.to_owned());
            copy.failed_code = Fact::Known(failed.code_text().chars().take(255).collect());
        }
    }
    vec![copy]
}

/// A random block over and over.
pub fn random_bytes(count: usize, random: &mut Random) -> Vec<u8> {
    let block: Vec<u8> = (0..BLOCK.div_ceil(4)).flat_map(|_| random.next().to_le_bytes()).take(BLOCK).collect();
    let mut bytes = block.repeat(count.div_ceil(BLOCK));
    bytes.truncate(count);
    bytes
}

/// The first byte that is not as it should be, by its offset when these begin at `first`.
pub fn difference(expected: &[u8], found: &[u8], first: usize) -> Option<String> {
    if expected == found {
        return None;
    }
    let mut pairs = expected.iter().zip(found).enumerate();
    let (offset, (expected, found)) = pairs.find(|(_, (expected, found))| expected != found)?;
    let offset = first + offset;
    Some(format!("byte {offset:#x} is {found:#04x} instead of {expected:#04x}"))
}

/// Sends bytes there and back through both kinds of host memory, and compares them.
fn prove(gear: &Gear, copy: &mut MemoryCopy, session: &mut Session<'_>) -> Result<(), CallFailed> {
    let bytes = HOST_BYTES.min(gear.part_bytes());
    let source = random_bytes(bytes, &mut session.random);
    copy.host_bytes = Fact::Known(bytes as u64);
    let mut target = vec![0; bytes];
    let (there, back) = travel(gear, &source, &mut target, session)?;
    copy.host_to_device_pageable_gb_per_second = there;
    copy.device_to_host_pageable_gb_per_second = back;
    judge(copy, "pageable", &source, &target);
    session.at("cudaMallocHost");
    match gear.runtime.allocate_pinned(bytes * 2) {
        Ok(mut pinned) => {
            let (from, to) = pinned.bytes().split_at_mut(bytes);
            from.copy_from_slice(&source);
            let (there, back) = travel(gear, from, to, session)?;
            copy.host_to_device_pinned_gb_per_second = there;
            copy.device_to_host_pinned_gb_per_second = back;
            judge(copy, "pinned", &source, to);
            session.at("cudaFreeHost");
            gear.runtime.free_pinned(pinned)
        }
        // A container may not have this much memory that cannot be swapped; that is a limit and no fault of the GPU.
        Err(failed) => {
            copy.host_to_device_pinned_gb_per_second = unanswered(&failed);
            copy.device_to_host_pinned_gb_per_second = unanswered(&failed);
            Ok(())
        }
    }
}

/// From the host to the device, across it, and back: the rates there and back.
fn travel(
    gear: &Gear,
    from: &[u8],
    to: &mut [u8],
    session: &mut Session<'_>,
) -> Result<(Fact<f64>, Fact<f64>), CallFailed> {
    let [near, far] = gear.two(from.len())?;
    session.at("cudaMemset");
    gear.runtime.fill(near, 0xff)?;
    gear.runtime.fill(far, 0xff)?;
    session.at("cudaMemcpy");
    let there = rate(&gear.runtime, from.len(), || gear.runtime.upload(from, near))?;
    gear.runtime.copy_on_device(near, far)?;
    let back = rate(&gear.runtime, from.len(), || gear.runtime.download(far, to))?;
    Ok((there, back))
}

/// Writes down whether what came back is what was sent; a fault that was found before stays.
fn judge(copy: &mut MemoryCopy, kind: &str, sent: &[u8], came: &[u8]) {
    if copy.proof.known() == Some(&Proof::Wrong) {
        return;
    }
    let wrong = (sent != came).then(|| sent.iter().zip(came).position(|(sent, came)| sent != came)).flatten();
    copy.proof = Fact::Known(if wrong.is_some() { Proof::Wrong } else { Proof::Exact });
    copy.proof_detail = Fact::present(wrong.map(|at| {
        let [sent, came] = [sent, came].map(|bytes| bytes.get(at).copied().unwrap_or_default());
        format!("byte {at} of {} came back as {came:#04x} and was {sent:#04x}, through {kind} memory", bytes_of(copy))
    }));
}

fn bytes_of(copy: &MemoryCopy) -> u64 {
    copy.host_bytes.known().copied().unwrap_or_default()
}

/// Times copies from one part of the device's memory to another. Each byte is read and written.
fn time_on_device(gear: &Gear, copy: &mut MemoryCopy, session: &mut Session<'_>) -> Result<(), CallFailed> {
    let bytes = gear.part_bytes();
    let [from, to] = gear.two(bytes)?;
    copy.device_bytes = Fact::Known(bytes as u64);
    session.at("cudaMemcpy");
    copy.device_gb_per_second = rate(&gear.runtime, bytes * 2, || gear.runtime.copy_on_device(from, to))?;
    Ok(())
}

/// The rate of a copy that moves so many bytes, in 10^9 bytes a second: the median of some.
pub fn rate(
    runtime: &CudaRuntime,
    moved: usize,
    mut copy: impl FnMut() -> Result<(), CallFailed>,
) -> Result<Fact<f64>, CallFailed> {
    // The first copy warms up.
    let times = timing::device_times(runtime, COPIES + 1, |_| copy())?;
    Ok(match timing::summary(times.get(1..).unwrap_or_default()) {
        Some((median_ms, _)) => Fact::Known(moved as f64 / median_ms / 1e6),
        None => Fact::unknown(GapKind::Malformed, "cudaEventElapsedTime: no usable time"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wrong_byte_is_named() {
        assert_eq!(difference(&[1, 2, 3], &[1, 2, 3], 0), None);
        assert_eq!(difference(&[1, 2, 3], &[1, 6, 4], 16), Some("byte 0x11 is 0x06 instead of 0x02".to_owned()));
    }

    #[test]
    fn a_byte_that_comes_back_changed_is_named_and_stays_told() {
        let mut copy = MemoryCopy { host_bytes: Fact::Known(3), ..MemoryCopy::default() };
        judge(&mut copy, "pageable", &[1, 2, 3], &[1, 2, 3]);
        assert_eq!((&copy.proof, &copy.proof_detail), (&Fact::Known(Proof::Exact), &Fact::Absent));
        judge(&mut copy, "pinned", &[1, 2, 3], &[1, 6, 3]);
        assert_eq!(copy.proof, Fact::Known(Proof::Wrong));
        let words = "byte 1 of 3 came back as 0x06 and was 0x02, through pinned memory";
        assert_eq!(copy.proof_detail, Fact::Known(words.to_owned()));
        judge(&mut copy, "pageable", &[1, 2, 3], &[1, 2, 3]);
        assert_eq!(copy.proof_detail, Fact::Known(words.to_owned()));
    }
}
