//! What a failed call means: of work on a GPU, of `cuInit`, of a loader.
//!
//! The reference table says what a code means and its most likely cause. Where other facts speak for or against that
//! cause, they are named with it.

use super::boards::Boards;
use crate::facts::reference::cuda_errors::{self, CudaError};
use crate::facts::{ComputeMode, Fact, Facts, FailedHow, Failure, FailureKind, Gpu, Library, Multiply, Nvml};

/// `CUDA_ERROR_NOT_INITIALIZED`, `CUDA_ERROR_OPERATING_SYSTEM`, `CUDA_ERROR_UNKNOWN`
const NOT_INITIALIZED: i64 = 3;
const OPERATING_SYSTEM: i64 = 304;
const UNKNOWN: i64 = 999;
/// `CUDA_ERROR_SYSTEM_NOT_READY`
const SYSTEM_NOT_READY: i64 = 802;
/// `cudaErrorMemoryAllocation`
const OUT_OF_MEMORY: i64 = 2;
/// `cudaErrorDevicesUnavailable`
const UNAVAILABLE: i64 = 46;
/// `CUBLAS_STATUS_NOT_INITIALIZED`
const NO_HANDLE: i64 = 1;
const GIB: f64 = (1_u64 << 30) as f64;

/// Fills the derived fields that explain failures.
pub fn derive(facts: &mut Facts) {
    if let Fact::Known(gpus) = &mut facts.gpus {
        for gpu in gpus {
            gpu.memory_holders = memory_holders(gpu);
        }
    }
    if let Fact::Known(libraries) = &mut facts.libraries {
        for library in libraries {
            library.missing_dependency = missing_dependency(library);
        }
    }
    let boards = Boards::of(facts);
    let holders = |multiply: &Multiply| boards.under(multiply).and_then(memory_holders);
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    let derived = facts.compute.multiplies.as_ref().map(|multiplies| {
        multiplies
            .iter()
            .map(|multiply| {
                let beside = Beside {
                    gpus,
                    xid_faults: boards.under(multiply).and_then(|gpu| gpu.xid_faults.as_ref()).known().copied(),
                    memory_free_bytes: multiply.memory_free_bytes.known().copied(),
                    memory_short: multiply.memory_short.known().copied(),
                };
                (holders(multiply), explained(&multiply.failure, &beside))
            })
            .collect::<Vec<_>>()
    });
    if let (Fact::Known(derived), Fact::Known(multiplies)) = (derived, &mut facts.compute.multiplies) {
        for (multiply, (holders, failure)) in multiplies.iter_mut().zip(derived) {
            multiply.memory_holders = holders;
            multiply.failure = failure;
        }
    }
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    let beside = Beside { gpus, ..Beside::default() };
    if let Fact::Known(copies) = &mut facts.compute.copies {
        for copy in copies {
            copy.failure = explained(&copy.failure, &beside);
        }
    }
    if let Fact::Known(patterns) = &mut facts.memory.patterns {
        for patterns in patterns {
            patterns.failure = explained(&patterns.failure, &beside);
        }
    }
    if let Fact::Known(pairs) = &mut facts.links.pairs {
        for pair in pairs {
            let beside = Beside { memory_short: pair.memory_short.known().copied(), ..beside };
            pair.failure = explained(&pair.failure, &beside);
        }
    }
    facts.links.nccl.failure = explained(&facts.links.nccl.failure, &beside);
}

/// What else is known where a call failed.
#[derive(Clone, Copy, Default)]
struct Beside<'a> {
    gpus: &'a [Gpu],
    /// What the driver reports of this GPU.
    xid_faults: Option<&'a String>,
    memory_free_bytes: Option<u64>,
    memory_short: Option<bool>,
}

/// The same failure with what follows from it.
fn explained(failure: &Fact<Failure>, beside: &Beside<'_>) -> Fact<Failure> {
    failure.clone().map(|failure| {
        let kind = kind(&failure, beside);
        // What has a finding of its own is told there.
        let row = row(&failure).filter(|_| kind == FailureKind::Other);
        Failure {
            result: Fact::Known(failure.words()),
            meaning: Fact::Known(meaning(&failure, beside)),
            kind: Fact::Known(kind),
            owner: Fact::present(row.and_then(|row| row.owner)),
            remedy: Fact::present(row.and_then(|row| row.remedy.clone())),
            ..failure
        }
    })
}

/// What the table says to do about the code of `cuInit`.
pub fn init_remedy(facts: &Facts) -> Fact<String> {
    facts.cuda.init_code.as_ref().and_then(|code| match *code {
        0 => Fact::Absent,
        SYSTEM_NOT_READY => Fact::Known(not_ready(&facts.nvml).to_owned()),
        code => Fact::present(cuda_errors::error(code).and_then(|row| row.remedy.clone())),
    })
}

/// What 802 asks for, by what NVML says: no GPU that joins no fabric waits for its manager, and none outside confidential
/// mode for attestation.
fn not_ready(nvml: &Nvml) -> &'static str {
    let confidential = nvml.confidential != Fact::Known(false) && nvml.confidential_ready != Fact::Known(true);
    match (nvml.fabric_state.is_absent(), confidential) {
        (true, false) => "no GPU here has an NVLink fabric, so take `nokaslr` off the kernel's command line",
        (true, true) => {
            "no GPU here has an NVLink fabric, so attest the card that is in confidential mode and run \
             `nvidia-smi conf-compute -srs 1`, or take `nokaslr` off the kernel's command line"
        }
        (false, false) => "start nvidia-fabricmanager of the driver's version",
        (false, true) => {
            "start nvidia-fabricmanager of the driver's version; on a card in confidential mode attest it and run \
             `nvidia-smi conf-compute -srs 1`"
        }
    }
}

/// What the code of `cuInit` means. It was called first thing in a fresh process, and the driver's nodes were opened
/// beside it, which rules out some causes of the table.
pub fn init_meaning(facts: &Facts) -> Fact<String> {
    facts.cuda.init_code.clone().and_then(|code| {
        let row = if code == 0 { None } else { cuda_errors::error(code) };
        let driver = &facts.driver;
        Fact::present(row.map(|row| {
            let opens = |node: &Fact<bool>| *node == Fact::Known(true);
            let cause = match code {
                OUT_OF_MEMORY => {
                    "the container or the node has no memory left for it, for none of the GPU is asked for yet"
                }
                NOT_INITIALIZED => "MIG without an instance that can be used, which older drivers report so",
                OPERATING_SYSTEM if opens(&driver.control_node_openable) => {
                    "seccomp or a driver of another version refuses a call, for the nodes themselves open"
                }
                UNKNOWN if opens(&driver.uvm_node_openable) => {
                    "a fault of the GPU or its driver, for /dev/nvidia-uvm, the usual reason, opens"
                }
                _ => &row.cause,
            };
            format!("{}; most often: {cause}", row.meaning)
        }))
    })
}

/// The row of the code that a call gave; `None` for what is no code, or in no table.
fn row(failure: &Failure) -> Option<&'static CudaError> {
    let code = *failure.code.known().filter(|_| failure.how == FailedHow::Returned)?;
    match failure.call.as_str() {
        call if call.starts_with("cublas") => cuda_errors::cublas_status(code),
        call if call.starts_with("nccl") => None,
        _ => cuda_errors::error(code),
    }
}

fn meaning(failure: &Failure, beside: &Beside<'_>) -> String {
    if let Some(faults) = beside.xid_faults {
        return format!("the driver reports {faults}");
    }
    let Some(row) = row(failure) else { return without_row(failure).to_owned() };
    let most_often = format!("{}; most often: {}", row.meaning, row.cause);
    match (row.code, beside.memory_free_bytes) {
        (NO_HANDLE, Some(free)) if failure.call.starts_with("cublas") => {
            format!("{most_often}; {:.1} GiB were free", free as f64 / GIB)
        }
        (OUT_OF_MEMORY, Some(free)) if beside.memory_short == Some(false) => {
            let free = free as f64 / GIB;
            format!(
                "{free:.1} GiB are free, so `ulimit -v` or a layer that shares out the GPU refuses, or it is broken"
            )
        }
        (UNAVAILABLE, _) => format!("{}; {}", row.meaning, why_unavailable(beside.gpus)),
        _ => most_often,
    }
}

/// What is to be said where no table has a row.
fn without_row(failure: &Failure) -> &'static str {
    match failure.how {
        FailedHow::Returned => "no table knows this code",
        FailedHow::NotCalled if failure.call.starts_with("dlopen") => "the loader refuses the library",
        FailedHow::NotCalled => "the call could not be made",
        FailedHow::TimedOut => "the call did not return in time",
        FailedHow::Crashed | FailedHow::Killed | FailedHow::Exited => "the process ended in this call",
        FailedHow::NotStarted => "no process could be started to make it",
    }
}

/// A context is refused in an exclusive mode that somebody uses, under MPS, and within MIG without a compute instance.
fn why_unavailable(gpus: &[Gpu]) -> &'static str {
    let in_mode = |gpu: &Gpu, modes: &[ComputeMode]| gpu.compute_mode.known().is_some_and(|mode| modes.contains(mode));
    let exclusive = [ComputeMode::ExclusiveProcess, ComputeMode::ExclusiveThread];
    if gpus.iter().any(|gpu| in_mode(gpu, &exclusive)) {
        "the compute mode is exclusive, so another process holds the GPU"
    } else if !gpus.is_empty() && gpus.iter().all(|gpu| in_mode(gpu, &[ComputeMode::Default])) {
        "no GPU is in an exclusive mode, so MPS refuses, or a MIG instance has no compute instance"
    } else {
        "most often: the compute mode is exclusive and another process holds the GPU; else MPS refuses"
    }
}

fn kind(failure: &Failure, beside: &Beside<'_>) -> FailureKind {
    match row(failure).and_then(|row| row.kind) {
        _ if beside.memory_short == Some(true) => FailureKind::Memory,
        // At its deadline a child counts as hung, so this was not us.
        _ if failure.how == FailedHow::Killed => FailureKind::Killed,
        _ if beside.xid_faults.is_some() => FailureKind::Hardware,
        Some(FailureKind::Memory) | None => FailureKind::Other,
        Some(kind) => kind,
    }
}

fn memory_holders(gpu: &Gpu) -> Fact<String> {
    gpu.processes.as_ref().and_then(|processes| {
        let words = processes.iter().map(|process| match process.memory_bytes.known() {
            Some(bytes) => format!("process {} with {:.1} GiB", process.pid, *bytes as f64 / GIB),
            None => format!("process {}", process.pid),
        });
        let words: Vec<String> = words.collect();
        Fact::present((!words.is_empty()).then(|| words.join(", ").chars().take(255).collect()))
    })
}

/// The loader begins with the name of the file that it did not find, which is the library itself or one that it needs.
fn missing_dependency(library: &Library) -> Fact<String> {
    library.load_error.as_ref().and_then(|words| {
        let missing = words.split_once(": cannot open shared object file").map(|(name, _)| name);
        let itself = |name: &str| name == library.soname || library.winner.known().is_some_and(|path| path == name);
        Fact::present(missing.filter(|name| !itself(name)).map(str::to_owned))
    })
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
