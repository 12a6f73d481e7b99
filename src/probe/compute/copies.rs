//! Copies of one GPU: on its own memory, and to and from the host. Proven on the way, timed by the device's events.
//!
//! Random bytes go from the host to the device, from there to a place on the device that was poisoned before, and back to
//! host memory that held none of them. Every byte is compared, once through pageable and once through pinned memory. The
//! copy on the device is then timed with larger parts, which a cache cannot hold. All of it lies in the memory that the
//! multiplies had.

use super::messages::Reading;
use crate::facts::{Fact, Gap, GapKind, Gaps, MemoryCopy, Multiply, Proof};
use crate::probe::gpu::bench::Bench;
use crate::probe::gpu::session::{LEAST_TIME, Session};
use crate::probe::gpu::timing::copy_rate;
use crate::probe::note_failure;
use crate::world::library::CallFailed;
use gpu_preflight_arithmetic::bytes::random_bytes;

/// Bytes that travel between host and device: enough that starting a copy does not count, few enough to be made and
/// compared in some milliseconds.
const HOST_BYTES: usize = 16 << 20;

/// Copies on the GPU of these multiplies. Where one of them failed nothing is copied: one trouble is told once.
pub(super) fn measure(bench: &Bench, multiplies: &[Multiply], session: &mut Session<'_>) -> Vec<MemoryCopy> {
    let Some(first) = multiplies.first() else { return Vec::new() };
    if multiplies.iter().any(|multiply| multiply.failure.known().is_some()) {
        return Vec::new();
    }
    let mut copy = MemoryCopy { gpu: first.gpu, gpu_name: first.gpu_name.clone(), ..MemoryCopy::default() };
    session.so_far(&Reading { multiplies: multiplies.to_vec(), copies: vec![copy.clone()], ..Reading::default() });
    if session.left() < LEAST_TIME {
        copy.fill_gaps(&Gap::new(GapKind::TimedOut, "no time was left to copy"));
        return vec![copy];
    }
    match prove(bench, &mut copy, session).and_then(|()| time_on_device(bench, &mut copy, session)) {
        Ok(()) => copy.failure = Fact::Absent,
        Err(failed) => copy.failure = note_failure(&mut copy, &failed),
    }
    vec![copy]
}

/// Sends bytes there and back through both kinds of host memory, and compares them.
fn prove(bench: &Bench, copy: &mut MemoryCopy, session: &mut Session<'_>) -> Result<(), CallFailed> {
    let bytes = HOST_BYTES.min(bench.part_bytes());
    let source = random_bytes(bytes, &mut session.random);
    copy.host_bytes = Fact::Known(bytes as u64);
    let mut target = vec![0; bytes];
    let (there, back) = travel(bench, &source, &mut target, session)?;
    copy.host_to_device_pageable_gb_per_second = there;
    copy.device_to_host_pageable_gb_per_second = back;
    judge(copy, "pageable", &source, &target);
    session.at("cudaMallocHost");
    match bench.runtime.allocate_pinned(bytes * 2) {
        Ok(mut pinned) => {
            let (from, to) = pinned.bytes().split_at_mut(bytes);
            from.copy_from_slice(&source);
            let (there, back) = travel(bench, from, to, session)?;
            copy.host_to_device_pinned_gb_per_second = there;
            copy.device_to_host_pinned_gb_per_second = back;
            judge(copy, "pinned", &source, to);
            session.at("cudaFreeHost");
            bench.runtime.free_pinned(pinned)
        }
        // A container may not have this much memory that cannot be swapped; that is a limit and no fault of the GPU.
        Err(failed) => {
            copy.host_to_device_pinned_gb_per_second = failed.unanswered();
            copy.device_to_host_pinned_gb_per_second = failed.unanswered();
            Ok(())
        }
    }
}

/// From the host to the device, across it, and back: the rates there and back.
fn travel(
    bench: &Bench,
    from: &[u8],
    to: &mut [u8],
    session: &mut Session<'_>,
) -> Result<(Fact<f64>, Fact<f64>), CallFailed> {
    let [near, far] = bench.two(from.len())?;
    session.at("cudaMemset");
    bench.runtime.fill(near, 0xff)?;
    bench.runtime.fill(far, 0xff)?;
    session.at("cudaMemcpy");
    let there = copy_rate(&bench.runtime, from.len(), || bench.runtime.upload(from, near))?;
    bench.runtime.copy_on_device(near, far)?;
    let back = copy_rate(&bench.runtime, from.len(), || bench.runtime.download(far, to))?;
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
fn time_on_device(bench: &Bench, copy: &mut MemoryCopy, session: &mut Session<'_>) -> Result<(), CallFailed> {
    let bytes = bench.part_bytes();
    let [from, to] = bench.two(bytes)?;
    copy.device_bytes = Fact::Known(bytes as u64);
    session.at("cudaMemcpy");
    copy.device_gb_per_second = copy_rate(&bench.runtime, bytes * 2, || bench.runtime.copy_on_device(from, to))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
