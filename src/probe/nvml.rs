//! The management library, asked in a child through nvml-wrapper.
//!
//! Here lives the library as a whole: which file, does it start, how many GPUs
//! does it list, which of them are lost. One GPU is described in [`gpu`]. A GPU
//! that fell off the bus goes into `lost_gpus` and does not hide the others.

mod gpu;

use std::ffi::OsStr;
use std::mem::ManuallyDrop;
use std::time::Instant;

use nvml_wrapper::Nvml as Wrapper;
use nvml_wrapper::error::NvmlError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cuda::{is_missing, version_text};
use crate::facts::{Fact, GapKind, Gpu, Nvml, ProbeEnd, ProbeRun};
use crate::world::World;
use crate::world::child::{self, Probed, Progress};
use crate::world::library::{Library, mapped_files};

/// The name of this probe.
pub const NAME: &str = "nvml";

/// The sonames to ask for: the driver's own first, then the name that only development packages install.
const SONAMES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];

/// GPUs that one container can have; a count above it is garbage.
const GPU_LIMIT: u32 = 128;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Reading {
    nvml: Nvml,
    gpus: Fact<Vec<Gpu>>,
}

/// Asks NVML in a child until `deadline`.
pub fn collect(world: &World, deadline: Instant) -> (Nvml, Fact<Vec<Gpu>>, ProbeRun) {
    let Probed { reading, run, gap, .. } = child::probe::<Reading>(world, NAME, None, &(), deadline);
    let Reading { mut nvml, gpus } = super::whole(reading, gap.as_ref());
    nvml.hung = Fact::Known(run.end == ProbeEnd::TimedOut);
    nvml.crashed = Fact::Known(matches!(run.end, ProbeEnd::Crashed | ProbeEnd::Exited));
    (nvml, gpus, run)
}

/// What is known when no copy of libnvidia-ml lies where the loader looks: nobody need be asked.
pub fn not_there() -> (Nvml, Fact<Vec<Gpu>>, ProbeRun) {
    let mut reading = Reading::default();
    without_library(&mut reading, &format!("{}: No such file", SONAMES[0]));
    let Reading { mut nvml, gpus } = reading;
    nvml.hung = Fact::Known(false);
    nvml.crashed = Fact::Known(false);
    (nvml, gpus, super::skipped(NAME))
}

/// The child's side.
pub fn serve(_world: &World, _input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let mut reading = Reading::default();
    progress.at("dlopen libnvidia-ml.so.1");
    match open() {
        Err(words) => without_library(&mut reading, &words),
        Ok(soname) => {
            reading.nvml.library = match mapped_files("libnvidia-ml.so").first() {
                Some(file) => Fact::Known(file.to_string_lossy().chars().take(255).collect()),
                None => Fact::unknown(GapKind::Malformed, "/proc/self/maps does not name libnvidia-ml"),
            };
            ask(soname, &mut reading, progress);
        }
    }
    progress.done(&reading);
    Ok(())
}

/// Opens the library and keeps it open, so that the wrapper's own opening and closing of it moves nothing.
fn open() -> Result<&'static str, String> {
    let mut first = None;
    for soname in SONAMES {
        match Library::open(soname) {
            Ok(_) => return Ok(soname),
            Err(words) if is_missing(&words, soname) => {
                first.get_or_insert(words);
            }
            Err(words) => return Err(words),
        }
    }
    Err(first.unwrap_or_default())
}

fn without_library(reading: &mut Reading, words: &str) {
    let missing = is_missing(words, SONAMES[0]);
    let why = if missing { "no libnvidia-ml to ask".to_owned() } else { words.chars().take(255).collect() };
    let nvml = &mut reading.nvml;
    nvml.library = if missing { Fact::Absent } else { Fact::unknown(GapKind::Malformed, why.clone()) };
    nvml.init_code = Fact::unknown(GapKind::NotAsked, why.clone());
    nvml.init_name = Fact::unknown(GapKind::NotAsked, why.clone());
    unanswered(reading, GapKind::NotAsked, &why);
}

/// Says of all that comes after a start why it was not learnt.
fn unanswered(reading: &mut Reading, kind: GapKind, why: &str) {
    let nvml = &mut reading.nvml;
    nvml.driver_version = Fact::unknown(kind, why);
    nvml.cuda_version = Fact::unknown(kind, why);
    nvml.gpu_count = Fact::unknown(kind, why);
    nvml.lost_gpus = Fact::unknown(kind, why);
    reading.gpus = Fact::unknown(kind, why);
}

fn ask(soname: &str, reading: &mut Reading, progress: &mut Progress) {
    progress.so_far(reading);
    progress.at("nvmlInit_v2");
    // Never dropped: dropping calls nvmlShutdown, which may hang, and panics in libraries that lack it.
    let wrapper = match Wrapper::builder().lib_path(OsStr::new(soname)).init() {
        Ok(wrapper) => ManuallyDrop::new(wrapper),
        Err(error) => {
            let code = code(&error);
            let why = failed("nvmlInit_v2", &error);
            if let Some(code) = code {
                reading.nvml.init_code = Fact::Known(i64::from(code));
                reading.nvml.init_name = Fact::present(Some(code_name(code)).filter(|name| !name.is_empty()));
            } else {
                reading.nvml.init_code = Fact::unknown(GapKind::NoSymbol, why.clone());
                reading.nvml.init_name = Fact::unknown(GapKind::NoSymbol, why.clone());
            }
            unanswered(reading, GapKind::NotAsked, &why);
            return;
        }
    };
    reading.nvml.init_code = Fact::Known(0);
    reading.nvml.init_name = Fact::Known(code_name(0));
    progress.so_far(reading);
    progress.at("nvmlSystemGetDriverVersion");
    reading.nvml.driver_version = fact("nvmlSystemGetDriverVersion", wrapper.sys_driver_version())
        .map(|version: String| version.chars().take(64).collect());
    progress.at("nvmlSystemGetCudaDriverVersion_v2");
    reading.nvml.cuda_version =
        fact("nvmlSystemGetCudaDriverVersion_v2", wrapper.sys_cuda_driver_version()).and_then(version_text);
    progress.at("nvmlDeviceGetCount_v2");
    let count = fact("nvmlDeviceGetCount_v2", wrapper.device_count()).and_then(|count| match count {
        0..=GPU_LIMIT => Fact::Known(count),
        _ => Fact::unknown(GapKind::Malformed, format!("nvmlDeviceGetCount_v2: {count}")),
    });
    reading.nvml.gpu_count = count.clone().map(u64::from);
    progress.so_far(reading);
    let count = match count {
        Fact::Known(count) => count,
        Fact::Absent => 0,
        Fact::Unknown(gap) => {
            reading.nvml.lost_gpus = Fact::Unknown(gap.clone());
            reading.gpus = Fact::Unknown(gap);
            return;
        }
    };
    let (mut lost, mut gpus) = (Vec::new(), Vec::new());
    for index in 0..count {
        progress.at(&format!("nvmlDeviceGetHandleByIndex_v2({index})"));
        let described = wrapper.device_by_index(index).and_then(|device| gpu::describe(index, &device, progress));
        match described {
            Ok(gpu) => gpus.push(gpu),
            Err(error) => lost.push(format!("{index}: {}", words(&error))),
        }
    }
    reading.nvml.lost_gpus = Fact::Known(lost);
    reading.gpus = Fact::Known(gpus);
}

/// An answer of the wrapper as a fact: a refusal is a gap that names the call and the code.
fn fact<T>(call: &str, answer: Result<T, NvmlError>) -> Fact<T> {
    let error = match answer {
        Ok(value) => return Fact::Known(value),
        Err(error) => error,
    };
    let kind = match &error {
        NvmlError::NotSupported => GapKind::NotSupported,
        NvmlError::NoPermission => GapKind::NotPermitted,
        NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound => GapKind::NoSymbol,
        NvmlError::Timeout => GapKind::TimedOut,
        _ => GapKind::Malformed,
    };
    Fact::unknown(kind, failed(call, &error))
}

fn failed(call: &str, error: &NvmlError) -> String {
    format!("{call}: {}", words(error))
}

/// Code and name, or the wrapper's own sentence where no code came from the library.
fn words(error: &NvmlError) -> String {
    match code(error) {
        Some(code) => format!("{code} {}", code_name(code)).trim_end().to_owned(),
        None => error.to_string().chars().take(200).collect(),
    }
}

/// The number that the library returned; `None` for errors of the wrapper itself.
fn code(error: &NvmlError) -> Option<u32> {
    #[expect(deprecated, reason = "an old library may still answer 5")]
    let code = match error {
        NvmlError::Uninitialized => 1,
        NvmlError::InvalidArg => 2,
        NvmlError::NotSupported => 3,
        NvmlError::NoPermission => 4,
        NvmlError::AlreadyInitialized => 5,
        NvmlError::NotFound => 6,
        NvmlError::InsufficientSize(_) => 7,
        NvmlError::InsufficientPower => 8,
        NvmlError::DriverNotLoaded => 9,
        NvmlError::Timeout => 10,
        NvmlError::IrqIssue => 11,
        NvmlError::LibraryNotFound => 12,
        NvmlError::FunctionNotFound => 13,
        NvmlError::CorruptedInfoROM => 14,
        NvmlError::GpuLost => 15,
        NvmlError::ResetRequired => 16,
        NvmlError::OperatingSystem => 17,
        NvmlError::LibRmVersionMismatch => 18,
        NvmlError::InUse => 19,
        NvmlError::InsufficientMemory => 20,
        NvmlError::NoData => 21,
        NvmlError::VgpuEccNotSupported => 22,
        NvmlError::UnexpectedVariant(code) => *code,
        NvmlError::Unknown => 999,
        _ => return None,
    };
    Some(code)
}

/// The names of `nvml.h`; empty for a code that it does not have.
fn code_name(code: u32) -> String {
    let name = match code {
        0 => return "NVML_SUCCESS".to_owned(),
        1 => "UNINITIALIZED",
        2 => "INVALID_ARGUMENT",
        3 => "NOT_SUPPORTED",
        4 => "NO_PERMISSION",
        5 => "ALREADY_INITIALIZED",
        6 => "NOT_FOUND",
        7 => "INSUFFICIENT_SIZE",
        8 => "INSUFFICIENT_POWER",
        9 => "DRIVER_NOT_LOADED",
        10 => "TIMEOUT",
        11 => "IRQ_ISSUE",
        12 => "LIBRARY_NOT_FOUND",
        13 => "FUNCTION_NOT_FOUND",
        14 => "CORRUPTED_INFOROM",
        15 => "GPU_IS_LOST",
        16 => "RESET_REQUIRED",
        17 => "OPERATING_SYSTEM",
        18 => "LIB_RM_VERSION_MISMATCH",
        19 => "IN_USE",
        20 => "MEMORY",
        21 => "NO_DATA",
        22 => "VGPU_ECC_NOT_SUPPORTED",
        23 => "INSUFFICIENT_RESOURCES",
        24 => "FREQ_NOT_SUPPORTED",
        25 => "ARGUMENT_VERSION_MISMATCH",
        26 => "DEPRECATED",
        27 => "NOT_READY",
        28 => "GPU_NOT_FOUND",
        29 => "INVALID_STATE",
        30 => "RESET_TYPE_NOT_SUPPORTED",
        999 => "UNKNOWN",
        _ => return String::new(),
    };
    format!("NVML_ERROR_{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wrapper() {
        for number in (1..=30).chain([999]) {
            let error = NvmlError::from(number);
            assert_eq!(code(&error), Some(number), "{error:?}");
            assert!(code_name(number).starts_with("NVML_ERROR_"), "{number}");
        }
    }

    #[test]
    fn errors_of_the_wrapper_itself_have_no_code() {
        let error = NvmlError::FailedToLoadSymbol("nvmlInit_v2".to_owned());
        assert_eq!(code(&error), None);
        assert!(words(&error).contains("nvmlInit_v2"));
    }
}
