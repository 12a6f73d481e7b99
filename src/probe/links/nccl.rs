//! One sum over all GPUs through NCCL, in a child: checked on every GPU, then timed.
//!
//! The copy that is asked is that of the Python wheels, which PyTorch loads by its path, else what the loader comes to for
//! the soname. Every GPU brings small integers, so that the sum is exact in whatever order it is made.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::{Fact, FailedHow, Framework, Gap, GapKind, Gaps, Nccl, ProbeRun, Proof, cut};
use crate::probe::gpu::timing;
use crate::probe::note_failure;
use crate::world::World;
use crate::world::child::{self, Probed, Progress};
use crate::world::library::cuda_runtime::{CudaRuntime, DeviceMemory, DeviceSlice, OUT_OF_MEMORY};
use crate::world::library::nccl::{Communicator, Nccl as Library};
use crate::world::library::{CallFailed, mapped_files};

/// The name of the probe that sums.
pub const NAME: &str = "nccl";

const SONAME: &str = "libnccl.so.2";
/// Numbers that every GPU brings: enough to fill the links.
const NUMBERS: usize = 8 << 20;
/// Numbers repeat after so many, a prime, so that no two pages are alike.
const PERIOD: usize = 251;
/// With less memory free on a GPU before it begins, a call that fails says nothing of NCCL, which takes hundreds of
/// megabytes itself.
const FREE_MIN: usize = 1 << 30;
/// Sums that are timed.
const COUNT: usize = 5;

/// What the child is told.
#[derive(Debug, Serialize, Deserialize)]
struct Input {
    cudart: String,
    copies: Vec<String>,
    gpus: u32,
}

/// The parent's side.
pub(super) fn collect(
    world: &World,
    cudart: &str,
    framework: &Framework,
    gpus: u32,
    deadline: Instant,
) -> (Nccl, ProbeRun) {
    let packages = framework.site_packages.known().map_or(&[][..], Vec::as_slice);
    let of_wheels = packages.iter().map(|folder| format!("{folder}/nvidia/nccl/lib/{SONAME}"));
    let there = of_wheels.filter(|path| world.exists(path) == Fact::Known(true));
    let copies = there.chain([SONAME.to_owned()]).collect();
    let input = Input { cudart: cudart.to_owned(), copies, gpus };
    let Probed { reading, run, gap, lost, .. } =
        child::probe_at_work::<Nccl>(world, NAME, None, &input, None, deadline);
    let mut nccl = super::super::complete(reading, gap.as_ref());
    // Who is killed from outside was so most often for lack of memory.
    if let Some(lost) = lost.filter(|lost| lost.how != FailedHow::Killed) {
        nccl.failure = Fact::Known(lost);
    }
    (nccl, run)
}

/// The child's side of the probe.
pub fn serve(_world: &World, input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let input: Input = serde_json::from_value(input)?;
    let mut nccl = Nccl::default();
    progress.at("dlopen libnccl");
    let Some(library) = open(&input.copies, &mut nccl) else {
        progress.done(&nccl);
        return Ok(());
    };
    progress.so_far(&nccl);
    let mut least_free = usize::MAX;
    match sum(&library, &input, &mut nccl, &mut least_free, progress) {
        Ok(()) => nccl.failure = Fact::Absent,
        // Where there is no room for a context nobody can say how much is free.
        Err(failed)
            if least_free < FREE_MIN || failed.code == Some(OUT_OF_MEMORY) && failed.call == "cudaSetDevice" =>
        {
            let why = format!("a GPU has too little free memory for {}", failed.call);
            nccl.fill_gaps(&Gap::new(GapKind::NotSupported, why));
            nccl.failure = Fact::Absent;
        }
        Err(failed) => nccl.failure = note_failure(&mut nccl, &failed),
    }
    progress.done(&nccl);
    Ok(())
}

/// The first copy that opens. That there is none is no failure: then nothing is asked.
fn open(copies: &[String], nccl: &mut Nccl) -> Option<Library> {
    let mut refused = Vec::new();
    for copy in copies {
        match Library::open(copy) {
            Ok(library) => {
                let mapped = mapped_files("libnccl").into_iter().next();
                nccl.library = Fact::Known(mapped.map_or(copy.clone(), |path| path.to_string_lossy().into_owned()));
                nccl.load_error = Fact::Absent;
                return Some(library);
            }
            // The loader names the file that is missing: this one, or one that it needs.
            Err(words) if words.starts_with(SONAME) && words.contains("No such file") => {}
            Err(words) => refused.push((copy.clone(), words)),
        }
    }
    let all_absent = Nccl {
        library: Fact::Absent,
        load_error: Fact::Absent,
        version: Fact::Absent,
        gpu_count: Fact::Absent,
        summed: Fact::Absent,
        summed_detail: Fact::Absent,
        sum_bytes: Fact::Absent,
        bus_gb_per_second: Fact::Absent,
        failure: Fact::Absent,
    };
    *nccl = all_absent;
    if let Some((copy, words)) = refused.into_iter().next() {
        nccl.library = Fact::Known(copy);
        nccl.load_error = Fact::Known(cut(&words));
    }
    None
}

/// What GPU number `gpu` brings.
fn brought(gpu: usize) -> Vec<u8> {
    repeated(|place| place * 7 % PERIOD + gpu * 3)
}

/// What all of them give together.
fn expected(gpus: usize) -> Vec<u8> {
    repeated(|place| place * 7 % PERIOD * gpus + gpus * (gpus - 1) / 2 * 3)
}

fn repeated(value: impl Fn(usize) -> usize) -> Vec<u8> {
    // Far below 2^24, so every one of them is a float.
    let block: Vec<u8> = (0..PERIOD).flat_map(|place| (value(place) as f32).to_le_bytes()).collect();
    let mut bytes = block.repeat(NUMBERS.div_ceil(PERIOD));
    bytes.truncate(NUMBERS * 4);
    bytes
}

fn sum(
    library: &Library,
    input: &Input,
    nccl: &mut Nccl,
    least_free: &mut usize,
    progress: &mut Progress,
) -> Result<(), CallFailed> {
    progress.at("ncclGetVersion");
    nccl.version = Fact::Known(version_text(library.version()?));
    progress.at("dlopen libcudart");
    let unloadable = |words| CallFailed { call: "dlopen libcudart", code: None, detail: words };
    let runtime = CudaRuntime::open(&input.cudart).map_err(unloadable)?;
    let mut memories = Vec::new();
    for gpu in 0..input.gpus as usize {
        progress.at(&format!("cudaMalloc on GPU {gpu}"));
        runtime.set_device(number(gpu))?;
        *least_free = runtime.memory()?.0.min(*least_free);
        memories.push(runtime.allocate(NUMBERS * 8)?);
        let [source, target] = halves(&memories[gpu])?;
        runtime.upload(&brought(gpu), source)?;
        // All bits set is NaN: a number that nobody writes cannot pass.
        runtime.fill(target, 0xff)?;
        runtime.synchronize()?;
    }
    progress.at("ncclCommInitAll");
    let communicators = library.init_all(memories.len())?;
    nccl.gpu_count = Fact::Known(memories.len() as u64);
    progress.so_far(nccl);
    let all = All { library, runtime: &runtime, memories: &memories, communicators: &communicators };
    all.reduce(progress)?;
    nccl.sum_bytes = Fact::Known(NUMBERS as u64 * 4);
    let wrong = all.check(progress)?;
    nccl.summed = Fact::Known(if wrong.is_none() { Proof::Exact } else { Proof::Wrong });
    nccl.summed_detail = Fact::present(wrong);
    progress.so_far(nccl);
    nccl.bus_gb_per_second = Fact::present(all.bus_rate(progress)?);
    progress.at("ncclCommDestroy");
    communicators.into_iter().try_for_each(|communicator| library.destroy(communicator))
}

/// `22703` is 2.27.3, and `2708`, before 2.9, is 2.7.8.
fn version_text(version: i32) -> String {
    let scale = if version < 10_000 { 1000 } else { 10_000 };
    format!("{}.{}.{}", version / scale, version % scale / 100, version % 100)
}

fn number(gpu: usize) -> i32 {
    i32::try_from(gpu).unwrap_or(i32::MAX)
}

fn halves(memory: &DeviceMemory) -> Result<[DeviceSlice<'_>; 2], CallFailed> {
    match (memory.slice(0, NUMBERS * 4), memory.slice(NUMBERS * 4, NUMBERS * 4)) {
        (Some(first), Some(second)) => Ok([first, second]),
        _ => Err(CallFailed { call: "cudaMalloc", code: None, detail: "no room for the numbers".to_owned() }),
    }
}

/// All GPUs with what they sum.
struct All<'a> {
    library: &'a Library,
    runtime: &'a CudaRuntime,
    memories: &'a [DeviceMemory],
    communicators: &'a [Communicator],
}

impl All<'_> {
    /// Queues one sum on every GPU.
    fn reduce(&self, progress: &mut Progress) -> Result<(), CallFailed> {
        progress.at("ncclAllReduce");
        self.library.group_start()?;
        for (gpu, (memory, communicator)) in self.memories.iter().zip(self.communicators).enumerate() {
            self.runtime.set_device(number(gpu))?;
            let [source, target] = halves(memory)?;
            self.library.all_reduce(communicator, source, target)?;
        }
        self.library.group_end()
    }

    fn wait(&self, progress: &mut Progress) -> Result<(), CallFailed> {
        for gpu in 0..self.memories.len() {
            progress.at(&format!("cudaDeviceSynchronize on GPU {gpu} after ncclAllReduce"));
            self.runtime.set_device(number(gpu))?;
            self.runtime.synchronize()?;
        }
        Ok(())
    }

    /// Reads what every GPU got; what is wrong with it.
    fn check(&self, progress: &mut Progress) -> Result<Option<String>, CallFailed> {
        self.wait(progress)?;
        let expected = expected(self.memories.len());
        let mut got = vec![0; expected.len()];
        for (gpu, memory) in self.memories.iter().enumerate() {
            self.runtime.set_device(number(gpu))?;
            let [_, target] = halves(memory)?;
            self.runtime.download(target, &mut got)?;
            if expected != got {
                let float = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
                let mut pairs = got.as_chunks::<4>().0.iter().zip(expected.as_chunks::<4>().0).enumerate();
                let wrong = pairs.find(|(_, (got, expected))| got != expected);
                return Ok(wrong.map(|(index, (got, expected))| {
                    format!("GPU {gpu}: number {index} is {} instead of {}", float(got), float(expected))
                }));
            }
        }
        Ok(None)
    }

    /// Bytes over time, times what crosses each link; `None` with one GPU.
    fn bus_rate(&self, progress: &mut Progress) -> Result<Option<f64>, CallFailed> {
        let count = self.memories.len() as f64;
        let mut times = Vec::new();
        for _ in 0..COUNT {
            self.runtime.set_device(0)?;
            let (before, after) = (self.runtime.event()?, self.runtime.event()?);
            self.runtime.record(&before)?;
            self.reduce(progress)?;
            self.runtime.set_device(0)?;
            self.runtime.record(&after)?;
            self.wait(progress)?;
            times.push(self.runtime.elapsed_ms(&before, &after)?);
            self.runtime.set_device(0)?;
            self.runtime.destroy(before)?;
            self.runtime.destroy(after)?;
        }
        let rate = |(median_ms, _)| NUMBERS as f64 * 4.0 / median_ms / 1e6 * 2.0 * (count - 1.0) / count;
        Ok(timing::summary(&times).map(rate).filter(|rate| *rate > 0.0))
    }
}

#[cfg(test)]
#[path = "nccl_tests.rs"]
mod tests;
