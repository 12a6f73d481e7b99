//! One GPU, in a child: opens the libraries, makes handle and memory, goes through the precisions, and copies.
//!
//! It says each call before it makes it and hands over what it knows after each
//! precision, so that a hang or crash costs only what came after. Memory is one
//! allocation of at most a quarter of what is free.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::operands::Random;
use super::{FIRST_SIZE, Input, Reading, copies, gemm, note_gaps, patterns, soak};
use crate::facts::{Fact, GapKind, Multiply, Precision};
use crate::probe::cuda::unanswered;
use crate::world::World;
use crate::world::child::Progress;
use crate::world::library::CallFailed;
use crate::world::library::cublas::{Cublas, Element, Handle};
use crate::world::library::cuda_driver::CudaDriver;
use crate::world::library::cuda_runtime::{Attribute, CudaRuntime, DeviceMemory, DeviceSlice};

/// The largest size that is timed; more memory than it needs is not asked for.
const LARGEST_SIZE: usize = 8192;

/// `cudaErrorMemoryAllocation`
const OUT_OF_MEMORY: i32 = 2;
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
        random: Random::new(u64::from(input.ordinal) << 32 | u64::from(std::process::id())),
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

/// What it works with: libraries, handle, memory in three equal parts for A, B and C.
pub(super) struct Gear {
    pub(super) runtime: CudaRuntime,
    pub(super) cublas: Cublas,
    pub(super) handle: Handle,
    memory: DeviceMemory,
    part_bytes: usize,
    capability: Option<(i32, i32)>,
}

impl Gear {
    /// Opens and makes all of it, and writes down on the way what the GPU is.
    fn make(input: &Input, about: &mut Multiply, session: &mut Session<'_>) -> Result<Self, CallFailed> {
        let unloadable = |call, words: String| CallFailed { call, code: None, detail: words };
        let ordinal = i32::try_from(input.ordinal).unwrap_or(i32::MAX);
        session.at("dlopen libcudart");
        let runtime = CudaRuntime::open(&input.cudart).map_err(|words| unloadable("dlopen libcudart", words))?;
        session.at("dlopen libcublas");
        let cublas = Cublas::open(&input.cublas).map_err(|words| unloadable("dlopen libcublas", words))?;
        session.at("cudaSetDevice");
        runtime.set_device(ordinal)?;
        session.at("cudaMemGetInfo");
        let (free, _) = runtime.memory()?;
        about.memory_free_bytes = Fact::Known(free as u64);
        session.at("cudaDeviceGetAttribute");
        let capability = describe(&runtime, ordinal, about);
        session.at("cublasCreate_v2");
        let handle = cublas.create()?;
        session.at("cudaMalloc");
        let (memory, part_bytes) = allocate(&runtime, free).inspect_err(|_| {
            // Somebody may have taken it meanwhile; a GPU that refuses what it has is broken and not full.
            about.memory_free_bytes =
                runtime.memory().map_or(Fact::Known(free as u64), |(now, _)| Fact::Known(now as u64));
        })?;
        about.memory_short = Fact::Known(false);
        Ok(Self { runtime, cublas, handle, memory, part_bytes, capability })
    }

    fn give_back(self, session: &mut Session<'_>) {
        // A failure here is no reading: the process ends with it and the driver takes all back.
        session.at("cublasDestroy_v2");
        let _ = self.cublas.destroy(self.handle);
        session.at("cudaFree");
        let _ = self.runtime.free(self.memory);
    }

    /// Bytes of each part of the memory.
    pub(super) fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    /// The beginnings of two parts.
    pub(super) fn two(&self, bytes: usize) -> Result<[DeviceSlice<'_>; 2], CallFailed> {
        match (self.memory.slice(0, bytes), self.memory.slice(self.part_bytes, bytes)) {
            (Some(one), Some(other)) if bytes <= self.part_bytes => Ok([one, other]),
            _ => Err(CallFailed { call: "cudaMalloc", code: None, detail: format!("no room for {bytes} bytes") }),
        }
    }

    /// Whether matrices of this size have room.
    pub(super) fn fits(&self, size: usize) -> bool {
        size * size * Element::Float32.bytes() <= self.part_bytes
    }

    /// A, B and C of this size.
    pub(super) fn matrices(&self, size: usize, element: Element) -> Result<[DeviceSlice<'_>; 3], CallFailed> {
        let (operand, output) = (size * size * element.bytes(), size * size * Element::Float32.bytes());
        let part = |index: usize, bytes| self.memory.slice(index * self.part_bytes, bytes);
        match (part(0, operand), part(1, operand), part(2, output)) {
            (Some(a), Some(b), Some(c)) if self.fits(size) => Ok([a, b, c]),
            _ => Err(CallFailed { call: "cudaMalloc", code: None, detail: format!("no room for {size} rows") }),
        }
    }

    /// Fills A and B with copies of a block, doubled on the device.
    pub(super) fn scatter(&self, block: &[u8], size: usize, element: Element) -> Result<(), CallFailed> {
        let total = size * size * element.bytes();
        for part in 0..2 {
            let slice = |from: usize, bytes: usize| {
                let outside = || CallFailed { call: "cudaMemcpy", code: None, detail: "outside the memory".to_owned() };
                self.memory.slice(part * self.part_bytes + from, bytes).ok_or_else(outside)
            };
            let mut filled = total.min(block.len());
            self.runtime.upload(block.get(..filled).unwrap_or_default(), slice(0, filled)?)?;
            while filled < total {
                let more = filled.min(total - filled);
                self.runtime.copy_on_device(slice(0, more)?, slice(filled, more)?)?;
                filled += more;
            }
        }
        Ok(())
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

/// Name, size and clock of the GPU; its compute capability when that could be read.
fn describe(runtime: &CudaRuntime, ordinal: i32, about: &mut Multiply) -> Option<(i32, i32)> {
    let positive = |attribute| match runtime.attribute(attribute, ordinal) {
        Ok(value) => u32::try_from(value)
            .map_or_else(|_| Fact::unknown(GapKind::Malformed, format!("{attribute:?}: {value}")), Fact::Known),
        Err(failed) => unanswered(&failed),
    };
    let driver = CudaDriver::open();
    let told =
        |ask: fn(&CudaDriver, i32) -> Result<String, CallFailed>| match driver.as_ref().map(|of| ask(of, ordinal)) {
            Ok(Ok(text)) => Fact::Known(text),
            Ok(Err(failed)) => unanswered(&failed),
            Err(words) => Fact::unknown(GapKind::NotSupported, words.clone()),
        };
    about.gpu_name = told(CudaDriver::device_name);
    about.pci_address = told(CudaDriver::pci_address);
    about.sm_count = positive(Attribute::SmCount);
    about.sm_clock_mhz = positive(Attribute::ClockKhz).map(|khz| khz / 1000);
    let major = runtime.attribute(Attribute::CapabilityMajor, ordinal);
    let minor = runtime.attribute(Attribute::CapabilityMinor, ordinal);
    match (major, minor) {
        (Ok(major), Ok(minor)) => {
            about.compute_capability = Fact::Known(format!("{major}.{minor}"));
            Some((major, minor))
        }
        (Err(failed), _) | (_, Err(failed)) => {
            about.compute_capability = unanswered(&failed);
            None
        }
    }
}

/// One allocation for three matrices, at most a quarter of what is free, and the size of each part.
fn allocate(runtime: &CudaRuntime, free: usize) -> Result<(DeviceMemory, usize), CallFailed> {
    let matrix = |size: usize| size * size * Element::Float32.bytes();
    let mut part = (free / 4 / 3).min(matrix(LARGEST_SIZE)) & !0xff;
    if part < matrix(FIRST_SIZE) {
        return Err(CallFailed { call: "cudaMalloc", code: None, detail: format!("only {free} bytes are free") });
    }
    loop {
        match runtime.allocate(part * 3) {
            Ok(memory) => return Ok((memory, part)),
            // Free memory may lie in pieces, or somebody took it meanwhile.
            Err(_) if part / 2 >= matrix(FIRST_SIZE) => part = (part / 2) & !0xff,
            Err(failed) => return Err(failed),
        }
    }
}

/// The precisions that a GPU computes in hardware.
fn precisions(capability: Option<(i32, i32)>) -> Vec<Precision> {
    let capability = capability.unwrap_or_default();
    let mut precisions = vec![Precision::Float32];
    if capability >= (8, 0) {
        precisions.push(Precision::Tf32);
    }
    if capability >= (5, 3) {
        precisions.push(Precision::Float16);
    }
    if capability >= (8, 0) {
        precisions.push(Precision::Bfloat16);
    }
    precisions
}

fn multiply_all(gear: &Gear, about: &Multiply, session: &mut Session<'_>) -> Vec<Multiply> {
    let planned = precisions(gear.capability).into_iter();
    let mut multiplies: Vec<Multiply> = planned.map(|precision| Multiply { precision, ..about.clone() }).collect();
    for index in 0..multiplies.len() {
        session.so_far(&Reading { multiplies: multiplies.clone(), ..Reading::default() });
        let Some(multiply) = multiplies.get_mut(index) else { break };
        match measure(gear, multiply, session) {
            Ok(()) => {
                multiply.failed_call = Fact::Absent;
                multiply.failed_code = Fact::Absent;
            }
            Err(failed) => {
                note_failure(multiply, &failed);
                // Invalid value, wrong architecture, not supported: the next precision may still work.
                let only_this = failed.call == "cublasGemmEx" && matches!(failed.code, Some(7 | 8 | 15) | None);
                if !only_this {
                    // One trouble is told once: what was not tried after it is not listed.
                    multiplies.truncate(index + 1);
                    break;
                }
            }
        }
    }
    multiplies
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
        note_gaps(multiply, gap.kind, &gap.detail);
    }
    multiply.failed_call = Fact::Known(failed.call.to_owned());
    multiply.failed_code = Fact::Known(failed.code_text().chars().take(255).collect());
}
