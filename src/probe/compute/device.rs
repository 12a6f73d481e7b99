//! One GPU, in a child: goes through the precisions, and copies.
//!
//! It says each call before it makes it and hands over what it knows after each
//! precision, so that a hang or crash costs only what came after.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::gear::Gear;
use super::operands::Random;
use super::precision::{Route, precisions, recipe};
use super::{Input, Reading, copies, gemm, patterns, soak};
use crate::facts::{Fact, Gap, GapKind, Gaps, Multiply};
use crate::probe::cuda::unanswered;
use crate::world::World;
use crate::world::child::Progress;
use crate::world::library::CallFailed;
use crate::world::library::cuda_runtime::OUT_OF_MEMORY;

/// `CUBLAS_STATUS_NOT_INITIALIZED`, `CUBLAS_STATUS_ALLOC_FAILED`
const NOT_INITIALIZED: i32 = 1;
const ALLOC_FAILED: i32 = 3;

/// A handle of cuBLAS takes its workspace and its code; with less than this free, memory is the first suspect.
const HANDLE_BYTES: u64 = 256 << 20;

/// Without this much time left nothing more is measured.
pub(super) const LEAST_TIME: Duration = Duration::from_millis(80);

/// The child's side of the probe.
pub fn serve(_world: &World, input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let input: Input = serde_json::from_value(input)?;
    let mut session = Session {
        progress,
        random: Random::fresh(),
        deadline: Instant::now() + Duration::from_millis(input.budget_ms),
    };
    let mut about = Multiply { gpu: input.ordinal, ..Multiply::default() };
    // Until it is known what the GPU can do, a failure is told once, not once per precision.
    session.so_far(&Reading { multiplies: vec![about.clone()], ..Reading::default() });
    let reading = match Gear::make(&input, &mut about, &mut session) {
        Ok(gear) => {
            let multiplies = multiply_all(&gear, &about, &mut session);
            let multiplies = soak::repeat(&gear, multiplies, Duration::from_millis(input.repeat_ms), &mut session);
            let copies = copies::measure(&gear, &multiplies, &mut session);
            let mut reading = Reading { multiplies, copies, ..Reading::default() };
            patterns::test(&gear.runtime, &mut reading, Duration::from_millis(input.patterns_ms), &mut session);
            gear.give_back(&mut session);
            reading
        }
        Err(failed) => {
            about.memory_short = Fact::Known(is_memory(&failed, about.memory_free_bytes.known().copied()));
            note_failure(&mut about, &failed);
            Reading { multiplies: vec![about], ..Reading::default() }
        }
    };
    session.progress.done(&reading);
    Ok(())
}

/// What changes while a child works.
pub(super) struct Session<'a> {
    progress: &'a mut Progress,
    pub(super) random: Random,
    deadline: Instant,
}

impl Session<'_> {
    /// Says which call comes next.
    pub(super) fn at(&mut self, call: &str) {
        self.progress.at(call);
    }

    /// Hands over what is known so far.
    pub(super) fn so_far(&mut self, reading: &Reading) {
        self.progress.so_far(reading);
    }

    /// Time that is left.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
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

fn multiply_all(gear: &Gear, about: &Multiply, session: &mut Session<'_>) -> Vec<Multiply> {
    let planned = precisions(gear.capability(), gear.has_lt()).into_iter();
    let mut multiplies: Vec<Multiply> = planned.map(|precision| Multiply { precision, ..about.clone() }).collect();
    let mut index = 0;
    while index < multiplies.len() {
        session.so_far(&Reading { multiplies: multiplies.clone(), ..Reading::default() });
        let Some(multiply) = multiplies.get_mut(index) else { break };
        match measure(gear, multiply, session) {
            Ok(()) => {
                multiply.failed_call = Fact::Absent;
                multiply.failed_code = Fact::Absent;
            }
            // An older cuBLASLt than the GPU has not learnt to use all of it; that is no fault. What was proven stays.
            Err(failed) if is_left_out(multiply, &failed) => {
                if multiply.proof.is_unknown() {
                    multiplies.remove(index);
                    continue;
                }
                let why = format!("{}: {}", failed.call, failed.code_text());
                multiply.fill_gaps(&Gap::new(GapKind::NotSupported, why));
                (multiply.size, multiply.tflops) = (Fact::Absent, Fact::Absent);
                (multiply.failed_call, multiply.failed_code) = (Fact::Absent, Fact::Absent);
            }
            Err(failed) => {
                note_failure(multiply, &failed);
                // The next precision may still work.
                if !is_unsupported(&failed) {
                    // One trouble is told once: what was not tried after it is not listed.
                    multiplies.truncate(index + 1);
                    break;
                }
            }
        }
        index += 1;
    }
    multiplies
}

/// Whether cuBLASLt says that it does not have this.
pub(super) fn is_left_out(multiply: &Multiply, failed: &CallFailed) -> bool {
    recipe(multiply.precision).route == Route::Lt && is_unsupported(failed)
}

/// Invalid value, wrong architecture, not supported, or no such function.
fn is_unsupported(failed: &CallFailed) -> bool {
    failed.call.starts_with("cublas") && matches!(failed.code, Some(7 | 8 | 15) | None)
}

/// One precision: proven, compared, timed.
fn measure(gear: &Gear, multiply: &mut Multiply, session: &mut Session<'_>) -> Result<(), CallFailed> {
    let proved = gemm::prove(gear, multiply, session)?;
    gemm::fingerprint(gear, multiply, session)?;
    gemm::time(gear, proved, multiply, session)
}

/// Writes down which call failed and how; what was learnt before stays.
pub(super) fn note_failure(multiply: &mut Multiply, failed: &CallFailed) {
    let gap: Fact<()> = unanswered(failed);
    if let Fact::Unknown(gap) = gap {
        multiply.fill_gaps(&gap);
    }
    multiply.failed_call = Fact::Known(failed.call.to_owned());
    multiply.failed_code = Fact::Known(failed.code_text().chars().take(255).collect());
}
