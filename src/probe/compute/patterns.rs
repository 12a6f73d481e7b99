//! Whether memory keeps what is written to it: every pattern to the whole of a region first, then all of it is read back.
//!
//! The patterns set every bit both ways, alone and between neighbours; the last one is the address of each word, which
//! shows cells that answer for each other. How much is tested is what there is time for: reading back goes over the link
//! to the host. It is one allocation of at most half of what is free, given back at the end.

use std::time::{Duration, Instant};

use super::messages::Reading;
use crate::facts::{Fact, GapKind, MemoryPatterns, Proof};
use crate::probe::gpu::session::{LEAST_TIME, Session};
use crate::probe::note_failure;
use crate::world::library::CallFailed;
use crate::world::library::cuda_runtime::{CudaRuntime, DeviceMemory, DeviceSlice};
use gpu_preflight_arithmetic::bytes::{difference, fill_with_addresses};

/// Bytes that are compared at a time.
const PIECE: usize = 32 << 20;

/// What a word is to hold.
#[derive(Clone, Copy)]
enum Pattern {
    Byte(u8),
    Address,
}

const PATTERNS: [Pattern; 5] =
    [Pattern::Byte(0x00), Pattern::Byte(0xff), Pattern::Byte(0x55), Pattern::Byte(0xaa), Pattern::Address];

/// Writes and reads every pattern for about so long, on a GPU whose copies all ran.
pub(super) fn test(runtime: &CudaRuntime, reading: &mut Reading, time: Duration, session: &mut Session<'_>) {
    let Some(gpu) = reading.copies.iter().find(|copy| copy.failure.is_absent()).map(|copy| copy.gpu) else { return };
    if time.is_zero() {
        return;
    }
    let mut patterns = MemoryPatterns { gpu, ..MemoryPatterns::default() };
    reading.patterns = vec![patterns.clone()];
    session.so_far(reading);
    match keep(runtime, &mut patterns, time, session) {
        Ok(()) => patterns.failure = Fact::Absent,
        Err(failed) => patterns.failure = note_failure(&mut patterns, &failed),
    }
    reading.patterns = vec![patterns];
}

fn keep(
    runtime: &CudaRuntime,
    patterns: &mut MemoryPatterns,
    time: Duration,
    session: &mut Session<'_>,
) -> Result<(), CallFailed> {
    let (free, _) = runtime.memory()?;
    let most = free / 2 / PIECE;
    if most == 0 {
        note_untested(patterns, GapKind::NotSupported, "too little memory was free");
        return Ok(());
    }
    let until = Instant::now() + time.min(session.left().saturating_sub(LEAST_TIME));
    session.at("cudaMallocHost");
    let mut pinned = runtime.allocate_pinned(PIECE);
    let mut plain = if pinned.is_ok() { Vec::new() } else { vec![0; PIECE] };
    let host = pinned.as_mut().map_or(plain.as_mut_slice(), |pinned| pinned.bytes());
    let mut work = Work { runtime, host, expected: vec![0; PIECE] };
    let started = Instant::now();
    let (mut tested, mut kept) = work.look(1, until, session)?;
    if matches!(kept, Kept::All) {
        // What one piece took tells how many there is time for; no more memory is taken from others than that.
        let wanted = fitting(started.elapsed(), until).min(most);
        if wanted > tested
            && let (more, all @ (Kept::All | Kept::Wrong(_))) = work.look(wanted, until, session)?
        {
            (tested, kept) = (more, all);
        }
    }
    match kept {
        Kept::OutOfTime => note_untested(patterns, GapKind::TimedOut, "no time was left to test the memory"),
        Kept::NoRoom => note_untested(patterns, GapKind::NotSupported, "too little memory was free"),
        Kept::All | Kept::Wrong(_) => {
            patterns.tested_bytes = Fact::Known((tested * PIECE) as u64);
            patterns.kept = Fact::Known(if matches!(kept, Kept::All) { Proof::Exact } else { Proof::Wrong });
            patterns.kept_detail = Fact::present(if let Kept::Wrong(detail) = kept { Some(detail) } else { None });
        }
    }
    pinned.map_or(Ok(()), |pinned| runtime.free_pinned(pinned))
}

fn note_untested(patterns: &mut MemoryPatterns, kind: GapKind, why: &str) {
    (patterns.tested_bytes, patterns.kept_detail) = (Fact::Absent, Fact::Absent);
    patterns.kept = Fact::unknown(kind, why);
}

/// So many whole pieces, or fewer: free memory may lie in pieces itself.
fn allocate(runtime: &CudaRuntime, mut pieces: usize) -> Option<DeviceMemory> {
    while pieces > 0 {
        if let Ok(memory) = runtime.allocate(pieces * PIECE) {
            return Some(memory);
        }
        pieces /= 2;
    }
    None
}

/// What came of writing and reading every pattern.
enum Kept {
    All,
    Wrong(String),
    OutOfTime,
    NoRoom,
}

/// How many pieces there is time for, when one took so long.
fn fitting(one: Duration, until: Instant) -> usize {
    let left = until.saturating_duration_since(Instant::now());
    // A tenth is kept, for not all pieces take as long.
    usize::try_from(left.as_nanos() * 9 / 10 / one.as_nanos().max(1)).unwrap_or(usize::MAX)
}

/// A piece of the region as it is and as it should be.
struct Work<'a> {
    runtime: &'a CudaRuntime,
    host: &'a mut [u8],
    expected: Vec<u8>,
}

impl Work<'_> {
    /// Takes a region of at most so many pieces, lets it keep every pattern and gives it back: its pieces, and what came of it.
    fn look(&mut self, pieces: usize, until: Instant, session: &mut Session<'_>) -> Result<(usize, Kept), CallFailed> {
        session.at("cudaMalloc");
        let Some(region) = allocate(self.runtime, pieces) else { return Ok((0, Kept::NoRoom)) };
        let pieces = region.bytes() / PIECE;
        let kept = self.keep_all(&region, pieces, until, session);
        session.at("cudaFree");
        let freed = self.runtime.free(region);
        let kept = kept?;
        freed.map(|()| (pieces, kept))
    }

    fn keep_all(
        &mut self,
        region: &DeviceMemory,
        pieces: usize,
        until: Instant,
        session: &mut Session<'_>,
    ) -> Result<Kept, CallFailed> {
        for pattern in PATTERNS {
            session.at(if matches!(pattern, Pattern::Address) { "cudaMemcpy" } else { "cudaMemset" });
            for piece in 0..pieces {
                if Instant::now() > until {
                    return Ok(Kept::OutOfTime);
                }
                match pattern {
                    Pattern::Byte(byte) => self.runtime.fill(slice(region, piece)?, byte)?,
                    Pattern::Address => {
                        self.expect(pattern, piece);
                        self.runtime.upload(&self.expected, slice(region, piece)?)?;
                    }
                }
            }
            session.at("cudaMemcpy");
            for piece in 0..pieces {
                if Instant::now() > until {
                    return Ok(Kept::OutOfTime);
                }
                self.expect(pattern, piece);
                let slice = slice(region, piece)?;
                self.runtime.download(slice, self.host)?;
                if let Some(wrong) = difference(&self.expected, self.host, piece * PIECE) {
                    return Ok(Kept::Wrong(wrong));
                }
            }
        }
        Ok(Kept::All)
    }

    /// What a piece is to hold.
    fn expect(&mut self, pattern: Pattern, piece: usize) {
        match pattern {
            Pattern::Byte(byte) => self.expected.fill(byte),
            Pattern::Address => fill_with_addresses(&mut self.expected, (piece * PIECE) as u64),
        }
    }
}

fn slice(region: &DeviceMemory, piece: usize) -> Result<DeviceSlice<'_>, CallFailed> {
    let outside = || CallFailed { call: "cudaMalloc", code: None, detail: "outside the memory".to_owned() };
    region.slice(piece * PIECE, PIECE).ok_or_else(outside)
}
