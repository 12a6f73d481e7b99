//! The management library, asked in a child through nvml-wrapper.
//!
//! Here lives the library as a whole: which file, does it start, how many GPUs does it list, which of them are lost. One
//! GPU is described in [`gpu`], what its memory and links have been through in [`health`], its PCIe link in [`link`];
//! [`watch`] looks at all GPUs while they multiply. [`answer`] makes facts of answers, and [`codes`] knows the numbers. A
//! GPU that fell off the bus goes into `lost_gpus` and does not hide the others.

mod answer;
mod codes;
mod confidential;
mod gpu;
mod health;
mod link;
pub mod watch;

use std::ffi::OsStr;
use std::mem::ManuallyDrop;
use std::time::Instant;

use nvml_wrapper::Nvml as Wrapper;
use serde_json::Value;

use super::cuda::{is_missing, version_text};
use crate::facts::shape::record;
use crate::facts::{Fact, GPU_LIMIT, GapKind, Gpu, Nvml, ProbeEnd, ProbeRun, cut, cut_word};
use crate::world::World;
use crate::world::child::{self, Probed, Progress};
use crate::world::library::management::Management;
use crate::world::library::{Library, mapped_files};
use answer::{fact, failed};
use codes::{code, code_name, words};

/// The name of this probe.
pub const NAME: &str = "nvml";

/// The sonames to ask for: the driver's own first, then the name that only development packages install.
const SONAMES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];

record! {
    /// What a child answers.
    struct Reading {
        nvml: Nvml,
        gpus: Fact<Vec<Gpu>>,
    }
}

/// Asks NVML in a child until `deadline`.
pub fn collect(world: &World, deadline: Instant) -> (Nvml, Fact<Vec<Gpu>>, ProbeRun) {
    let Probed { reading, run, gap, .. } = child::probe::<Reading>(world, NAME, None, &(), deadline);
    let Reading { mut nvml, gpus } = super::complete(reading, gap.as_ref());
    let ended = |fact| super::unless_unheard(&run, gap.as_ref(), fact);
    nvml.hung = ended(Fact::Known(run.end == ProbeEnd::TimedOut));
    nvml.crashed = ended(Fact::Known(matches!(run.end, ProbeEnd::Crashed | ProbeEnd::Exited)));
    (nvml, gpus, run)
}

/// What is known when no copy of libnvidia-ml lies where the loader looks: nobody need be asked.
pub fn not_there() -> (Nvml, Fact<Vec<Gpu>>, ProbeRun) {
    not_usable(&format!("{}: No such file", SONAMES[0]))
}

/// What is known when the copy that the loader would take is no good: opening it might end the process.
pub fn not_usable(why: &str) -> (Nvml, Fact<Vec<Gpu>>, ProbeRun) {
    let mut reading = Reading::default();
    without_library(&mut reading, why);
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
            reading.nvml.load_error = Fact::Absent;
            reading.nvml.library = match mapped_files("libnvidia-ml.so").first() {
                Some(file) => Fact::Known(cut(&file.to_string_lossy())),
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
    let why = if missing { "no libnvidia-ml to ask".to_owned() } else { cut(words) };
    let nvml = &mut reading.nvml;
    nvml.load_error = if missing { Fact::Absent } else { Fact::Known(why.clone()) };
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
    nvml.confidential = Fact::unknown(kind, why);
    nvml.confidential_ready = Fact::unknown(kind, why);
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
    reading.nvml.driver_version =
        fact("nvmlSystemGetDriverVersion", wrapper.sys_driver_version()).map(|version| cut_word(&version));
    progress.at("nvmlSystemGetCudaDriverVersion_v2");
    reading.nvml.cuda_version =
        fact("nvmlSystemGetCudaDriverVersion_v2", wrapper.sys_cuda_driver_version()).and_then(version_text);
    progress.at("nvmlDeviceGetCount_v2");
    let count = fact("nvmlDeviceGetCount_v2", wrapper.device_count()).and_then(|count| match count {
        0..=GPU_LIMIT => Fact::Known(count),
        _ => Fact::unknown(GapKind::Malformed, format!("nvmlDeviceGetCount_v2: {count}")),
    });
    reading.nvml.gpu_count = count.clone().map(u64::from);
    let raw = Management::open(soname);
    progress.at("nvmlSystemGetConfComputeState");
    (reading.nvml.confidential, reading.nvml.confidential_ready) = confidential::states(raw.as_ref());
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
        let described =
            wrapper.device_by_index(index).and_then(|device| gpu::describe(index, &device, raw.as_ref(), progress));
        match described {
            Ok(gpu) => gpus.push(gpu),
            Err(error) => lost.push(format!("{index}: {}", words(&error))),
        }
    }
    reading.nvml.lost_gpus = Fact::Known(lost);
    reading.gpus = Fact::Known(gpus);
}
