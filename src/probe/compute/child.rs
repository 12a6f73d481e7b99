//! One GPU, in a child: goes through the precisions, and copies.
//!
//! It says each call before it makes it and hands over what it knows after each
//! precision, so that a hang or crash costs only what came after.

use std::time::Duration;

use serde_json::Value;

use super::material::Supply;
use super::messages::{Input, Reading};
use super::multiplies::multiply_all;
use super::{copies, patterns, soak};
use crate::facts::{Fact, Multiply, cut};
use crate::probe::gpu::bench::Bench;
use crate::probe::gpu::session::Session;
use crate::probe::note_failure;
use crate::world::World;
use crate::world::child::Progress;
use crate::world::library::cuda_runtime::OUT_OF_MEMORY;
use crate::world::library::{CallFailed, mapped_files};

/// `CUBLAS_STATUS_NOT_INITIALIZED`, `CUBLAS_STATUS_ALLOC_FAILED`
const NOT_INITIALIZED: i32 = 1;
const ALLOC_FAILED: i32 = 3;

/// A handle of cuBLAS takes its workspace and its code; with less than this free, memory is the first suspect.
const HANDLE_BYTES: u64 = 256 << 20;

/// Files that are told; there are three, unless copies are mixed.
const MAPPED_MAX: usize = 16;

/// The child's side of the probe.
pub fn serve(_world: &World, input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let input: Input = serde_json::from_value(input)?;
    let mut session = Session::begin(progress, Duration::from_millis(input.budget_ms));
    let mut about = Multiply { gpu: input.place.ordinal, ..Multiply::default() };
    let supply = Supply::begin();
    // Until it is known what the GPU can do, a failure is told once, not once per precision.
    session.so_far(&Reading { multiplies: vec![about.clone()], ..Reading::default() });
    let reading = match Bench::make(&input.place, &mut about, &mut session) {
        Ok(bench) => {
            let mapped = mapped();
            let multiplies = multiply_all(&bench, &supply, &about, &mut session);
            let multiplies = soak::repeat(&bench, multiplies, Duration::from_millis(input.repeat_ms), &mut session);
            let copies = copies::measure(&bench, &multiplies, &mut session);
            let mut reading = Reading { multiplies, copies, mapped, ..Reading::default() };
            patterns::test(&bench.runtime, &mut reading, Duration::from_millis(input.patterns_ms), &mut session);
            bench.give_back(&mut session);
            reading
        }
        Err(failed) => {
            about.memory_short = Fact::Known(is_memory(&failed, about.memory_free_bytes.known().copied()));
            about.failure = note_failure(&mut about, &failed);
            // A call that fails is one of the library that was really loaded, so this is told then too.
            Reading { multiplies: vec![about], mapped: mapped(), ..Reading::default() }
        }
    };
    session.done(&reading);
    Ok(())
}

/// The files of the runtime and of cuBLAS that were really loaded; nothing is told where cuBLAS was not reached.
fn mapped() -> Fact<Vec<String>> {
    if mapped_files("libcublas.so").is_empty() {
        return Fact::default();
    }
    let files = ["libcudart", "libcublas"].into_iter().flat_map(mapped_files);
    Fact::Known(files.take(MAPPED_MAX).map(|file| cut(&file.to_string_lossy())).collect())
}

/// Whether a call failed for want of memory. A context that finds none says so; a handle of cuBLAS does not.
fn is_memory(failed: &CallFailed, free: Option<u64>) -> bool {
    let is_scarce = free.is_none_or(|free| free < HANDLE_BYTES);
    match failed.code {
        // An allocation that was not even tried.
        None => failed.call == "cudaMalloc",
        Some(OUT_OF_MEMORY) => failed.call.starts_with("cuda") && is_scarce,
        Some(ALLOC_FAILED) => failed.call.starts_with("cublas") && is_scarce,
        Some(NOT_INITIALIZED) => failed.call == "cublasCreate_v2" && free.is_some() && is_scarce,
        Some(_) => false,
    }
}
