//! Copies on a GPU, to it and from it: checked byte by byte, then timed.
//!
//! They use the memory that the multiplies are done with. Random bytes make the whole way first: from the host to the
//! device, on the device, and back; what comes back must be what was sent. Nothing is timed that was not checked.

use std::time::Duration;

use super::device::{Gear, LEAST_TIME, Session};
use super::operands::Random;
use super::{patterns, timing};
use crate::facts::{Fact, Gap, GapKind, GpuMemory, Multiply, Proof};
use crate::probe::cuda::unanswered;
use crate::world::library::CallFailed;
use crate::world::library::cuda_runtime::{CudaRuntime, DeviceSlice};

/// Bytes of one copy on the device: many times the cache of the largest GPU.
const DEVICE_BYTES: usize = 256 << 20;
/// Bytes of one copy to or from the host: long beside the start of a copy, and soon done over the slowest link.
const HOST_BYTES: usize = 16 << 20;
/// Copies that are timed.
const DEVICE_COUNT: usize = 9;
const HOST_COUNT: usize = 5;

/// Memory of one GPU; `None` when it works no more.
pub(super) fn measure(
    gear: &Gear,
    about: &Multiply,
    multiplies: &[Multiply],
    pattern_time: Duration,
    session: &mut Session<'_>,
) -> Option<GpuMemory> {
    // After some errors every call fails: then a multiply has said it.
    session.at("cudaDeviceSynchronize");
    gear.runtime.synchronize().ok()?;
    let mut memory = GpuMemory {
        gpu: about.gpu,
        gpu_name: about.gpu_name.clone(),
        sm_count: about.sm_count.clone(),
        ..GpuMemory::default()
    };
    if pattern_time.is_zero() {
        (memory.pattern_bytes, memory.pattern, memory.pattern_detail) = (Fact::Absent, Fact::Absent, Fact::Absent);
    }
    session.so_far(multiplies, Some(&memory));
    let done = copies(gear, &mut memory, session).and_then(|()| {
        session.so_far(multiplies, Some(&memory));
        if pattern_time.is_zero() { Ok(()) } else { patterns::test(&gear.runtime, &mut memory, pattern_time, session) }
    });
    match done {
        Ok(()) => (memory.failed_call, memory.failed_code) = (Fact::Absent, Fact::Absent),
        Err(failed) => note_failure(&mut memory, &failed),
    }
    Some(memory)
}

fn note_failure(memory: &mut GpuMemory, failed: &CallFailed) {
    memory.failed_call = Fact::Known(failed.call.to_owned());
    memory.failed_code = Fact::Known(failed.code_text());
    let gap: Fact<()> = unanswered(failed);
    let (Fact::Unknown(gap), Ok(mut value)) = (gap, serde_json::to_value(&*memory)) else { return };
    crate::world::child::fill_gaps(&mut value, &gap);
    if let Ok(filled) = serde_json::from_value(value) {
        *memory = filled;
    }
}

fn copies(gear: &Gear, memory: &mut GpuMemory, session: &mut Session<'_>) -> Result<(), CallFailed> {
    if session.left() < LEAST_TIME {
        note_untimed(memory);
        return Ok(());
    }
    let runtime = &gear.runtime;
    let [near, near_copy] = gear.pair(HOST_BYTES)?;
    let sent = random_bytes(near.bytes(), &mut session.random);
    let mut plain = vec![0; sent.len()];
    session.at("cudaMallocHost");
    // Pinned memory is scarce where a container may lock little; plain memory makes the same way.
    let mut pinned = runtime.allocate_host(sent.len());
    session.at("cudaMemcpy");
    let mut wrong = round_trip(runtime, [near, near_copy], &sent, &mut plain)?;
    if let (Ok(host), None) = (&mut pinned, &wrong) {
        wrong = round_trip(runtime, [near, near_copy], &sent, host.bytes_mut())?;
    }
    memory.copied = Fact::Known(if wrong.is_none() { Proof::Exact } else { Proof::Wrong });
    memory.copied_detail = Fact::present(wrong);

    let [far, far_copy] = gear.pair(DEVICE_BYTES)?;
    memory.device_copy_bytes = Fact::Known(far.bytes() as u64);
    memory.host_copy_bytes = Fact::Known(near.bytes() as u64);
    // Each byte is read and written.
    memory.device_copy_gb_per_second =
        rate(runtime, 2 * far.bytes(), DEVICE_COUNT, || runtime.copy_on_device(far, far_copy))?;
    memory.host_to_device_pageable_gb_per_second =
        rate(runtime, near.bytes(), HOST_COUNT, || runtime.upload(&plain, near))?;
    memory.device_to_host_pageable_gb_per_second =
        rate(runtime, near.bytes(), HOST_COUNT, || runtime.download(near, &mut plain))?;
    match pinned {
        Ok(mut host) => {
            memory.host_to_device_pinned_gb_per_second =
                rate(runtime, near.bytes(), HOST_COUNT, || runtime.upload(host.bytes(), near))?;
            memory.device_to_host_pinned_gb_per_second =
                rate(runtime, near.bytes(), HOST_COUNT, || runtime.download(near, host.bytes_mut()))?;
            runtime.free_host(host)
        }
        Err(failed) => {
            memory.host_to_device_pinned_gb_per_second = unanswered(&failed);
            memory.device_to_host_pinned_gb_per_second = unanswered(&failed);
            Ok(())
        }
    }
}

fn note_untimed(memory: &mut GpuMemory) {
    let gap = Gap::new(GapKind::TimedOut, "no time was left to copy");
    (memory.device_copy_bytes, memory.host_copy_bytes, memory.copied_detail) =
        (Fact::Absent, Fact::Absent, Fact::Absent);
    memory.copied = Fact::Unknown(gap.clone());
    for rate in [
        &mut memory.device_copy_gb_per_second,
        &mut memory.host_to_device_pinned_gb_per_second,
        &mut memory.device_to_host_pinned_gb_per_second,
        &mut memory.host_to_device_pageable_gb_per_second,
        &mut memory.device_to_host_pageable_gb_per_second,
    ] {
        *rate = Fact::Unknown(gap.clone());
    }
}

/// A random block of prime length over and over, so that no two pages are alike.
pub fn random_bytes(count: usize, random: &mut Random) -> Vec<u8> {
    let block: Vec<u8> = (0..65_521).map(|_| random.next().to_le_bytes()[3]).collect();
    let mut bytes = block.repeat(count.div_ceil(block.len()));
    bytes.truncate(count);
    bytes
}

/// Sends bytes to the device, copies them there and takes them back; what was wrong with what came.
fn round_trip(
    runtime: &CudaRuntime,
    [first, second]: [DeviceSlice<'_>; 2],
    sent: &[u8],
    host: &mut [u8],
) -> Result<Option<String>, CallFailed> {
    // Bytes that nobody writes cannot pass.
    runtime.fill(first, !sent[0])?;
    runtime.fill(second, !sent[0])?;
    host.copy_from_slice(sent);
    runtime.upload(host, first)?;
    runtime.copy_on_device(first, second)?;
    host.fill(!sent[0]);
    runtime.download(second, host)?;
    let Some(wrong) = difference(sent, host, 0) else { return Ok(None) };
    runtime.download(first, host)?;
    let place = if difference(sent, host, 0).is_none() { "on the device" } else { "to the device or back" };
    Ok(Some(format!("{wrong} after a copy {place}")))
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

/// The median rate of copies of so many bytes, by events of the device.
pub fn rate(
    runtime: &CudaRuntime,
    bytes: usize,
    count: usize,
    mut copy: impl FnMut() -> Result<(), CallFailed>,
) -> Result<Fact<f64>, CallFailed> {
    copy()?;
    let events = (0..=count).map(|_| runtime.event()).collect::<Result<Vec<_>, _>>()?;
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            copy()?;
        }
        runtime.record(event)?;
    }
    runtime.synchronize()?;
    let pairs = events.iter().zip(events.iter().skip(1));
    let times = pairs.map(|(from, to)| runtime.elapsed_ms(from, to)).collect::<Result<Vec<_>, _>>()?;
    events.into_iter().try_for_each(|event| runtime.destroy(event))?;
    let unusable = || Fact::unknown(GapKind::Malformed, "cudaEventElapsedTime: no usable time");
    Ok(timing::summary(&times).map_or_else(unusable, |(median_ms, _)| Fact::Known(bytes as f64 / median_ms / 1e6)))
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
    fn no_two_pages_of_random_bytes_are_alike() {
        let bytes = random_bytes(1 << 20, &mut Random::new(1));
        let pages: std::collections::HashSet<&[u8]> = bytes.chunks(4096).collect();
        assert_eq!((bytes.len(), pages.len()), (1 << 20, 256));
    }
}
