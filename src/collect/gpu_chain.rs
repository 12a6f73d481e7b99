//! The order in which driver, libraries and GPUs are asked, each in a child.

use std::time::{Duration, Instant};

use super::Input;
use super::copies::{Copy, may_find};
use super::gpu_work::Work;
use super::log::Log;
use super::readings::Readings;
use super::waiting::Waiting;
use crate::facts::{
    Compute, Cuda, Driver, Fact, Framework, Gap, GapKind, Gpu, Library, LibraryId, Limits, Links, Memory, Nvml, Phase,
};
use crate::probe;
use crate::probe::nvml::watch;
use crate::world::child::Gate;
use crate::world::{Spawned, World, pause, spawn_or_run};

/// How long driver and libraries may take to start, however long the tier is: a soak of hours must not wait for a driver
/// that hangs at its first call. One that brings eight GPUs up from rest takes some ten seconds.
const DRIVER_START: Duration = Duration::from_mins(1);

/// Memory that loading the CUDA libraries takes. Measured: with cuBLAS 12.9 a container of 64 MiB is too small, while all
/// else that is looked at takes 18.
const LOADING_BYTES: u64 = 128 << 20;

/// How long the multiplies wait for NVML at most: with many GPUs it takes longer than the driver, and one that hangs is waited
/// for in any case.
const NVML_PATIENCE: Duration = Duration::from_secs(2);

/// What is learnt about driver, libraries and GPUs.
#[derive(Default)]
pub struct GpuChain {
    pub nvml: Nvml,
    pub gpus: Fact<Vec<Gpu>>,
    pub cuda: Cuda,
    pub libraries: Fact<Vec<Library>>,
    pub compute: Compute,
    pub memory: Memory,
    pub links: Links,
}

/// Files first, which others read; then NVML, libcuda, the libraries and the multiplies each in a child at once. The
/// multiplies do what disturbs nobody, and use a GPU when libcuda has answered and NVML too, or not in time. A child that
/// hangs holds up nothing but itself. Where the container is not meant to have one, no GPU is asked.
pub fn read(
    world: &World,
    readings: &Readings,
    input: &Input,
    asks_gpu: bool,
    log: &Log,
    waiting: &Waiting,
) -> GpuChain {
    let mut chain = GpuChain { libraries: readings.wait("libraries"), ..GpuChain::default() };
    let framework = &readings.wait::<Framework>("framework");
    let found = chain.libraries.clone();
    let work = Work { world, libraries: found.known().map_or(&[], Vec::as_slice), framework, input };
    let gate = Gate::default();
    // Of this moment: the deadline moves where we stand still.
    let driver_deadline = || world.deadline().min(Instant::now() + DRIVER_START);
    std::thread::scope(|scope| {
        // Nobody waits there for one of us who is lost.
        let _closed = Closed(&gate);
        let is_build = input.phase == Phase::Build;
        let mut loads = (asks_gpu || is_build) && chain.libraries.known().is_some_and(|all| !all.is_empty());
        if let Some(gap) = no_room(readings).filter(|_| loads && is_build)
            && let Fact::Known(libraries) = &mut chain.libraries
        {
            loads = false;
            probe::libraries::leave_unloaded(libraries, &gap);
        }
        let mut libraries = chain.libraries.clone();
        let loader = spawn_or_run(scope, move || {
            if let Fact::Known(libraries) = &mut libraries
                && loads
            {
                log.add(probe::libraries::load(world, libraries, driver_deadline()));
            }
            libraries
        });
        // Starting a child costs more than all else in a container without a GPU, so none is started for nothing.
        let [asks_nvml, asks_cuda] = [LibraryId::Nvml, LibraryId::Cuda].map(|id| may_find(&chain.libraries, id));
        let (watches, may_start) = (matches!(asks_nvml, Copy::Usable), matches!(asks_cuda, Copy::Usable));
        if asks_gpu {
            let nvml = spawn_or_run(scope, move || match asks_nvml {
                Copy::Usable => probe::nvml::collect(world, driver_deadline()),
                Copy::Refused(why) => probe::nvml::not_usable(&why),
                Copy::Nowhere => probe::nvml::not_there(),
            });
            let cuda = spawn_or_run(scope, move || match asks_cuda {
                Copy::Usable => probe::cuda::collect(world, driver_deadline()),
                Copy::Refused(why) => probe::cuda::not_usable(&why),
                Copy::Nowhere => probe::cuda::not_there(),
            });
            waiting.on("the CUDA driver");
            let likely = likely_gpus(world, readings, &cuda);
            let begun = if may_start && likely > 0 { work.begin(scope, likely, &gate) } else { None };
            let (cuda, run) = cuda.join().unwrap_or_else(probe::cuda::not_heard);
            log.add(run);
            let asked_before_work = is_over_soon(&nvml, world);
            let worked = work.finish(begun, &gate, &cuda, watches, log, waiting);
            (chain.compute, chain.memory, chain.links) = (worked.compute, worked.memory, worked.links);
            let under_load = worked.under_load;
            chain.cuda = cuda;
            waiting.on("NVML");
            if let Some((nvml, gpus, run)) = nvml.join() {
                log.add(run);
                chain.nvml = nvml;
                chain.gpus = gpus;
                let worked = chain.compute.multiplies.known().is_some_and(|multiplies| !multiplies.is_empty());
                chain.nvml.asked_before_work = if worked { Fact::Known(asked_before_work) } else { Fact::Absent };
                watch::adopt(&mut chain.nvml, &mut chain.gpus, under_load);
            }
        }
        waiting.on("the CUDA libraries");
        if let Some(libraries) = loader.join() {
            chain.libraries = libraries;
        }
    });
    chain
}

/// Why an image is judged without loading its libraries: the kernel would end whoever does. At the start and later the
/// workload needs the memory as well, and that it has too little is a finding of its own.
fn no_room(readings: &Readings) -> Option<Gap> {
    let limit = *readings.wait::<Limits>("limits").memory_bytes.known()?;
    (limit < LOADING_BYTES).then(|| {
        let [limit, needed] = [limit, LOADING_BYTES].map(|bytes| crate::text::bytes(bytes as f64));
        Gap::new(
            GapKind::NotAsked,
            format!("the memory limit of {limit} has no room to load libraries of CUDA, which takes {needed}"),
        )
    })
}

/// Closes a gate when it goes, if nobody has said who may pass.
struct Closed<'a>(&'a Gate);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How many GPUs a program is likely to see: as many as there are nodes, and no more than a variable lists. None where the
/// driver has answered before that could be read, and then it knows better.
fn likely_gpus<T>(world: &World, readings: &Readings, cuda: &Spawned<'_, T>) -> u64 {
    let driver = loop {
        match readings.now::<Driver>("driver") {
            Some(driver) => break driver,
            None if cuda.is_over() => return 0,
            None => pause(Duration::from_millis(1)),
        }
    };
    let nodes = driver.gpu_node_openable_count.known().copied().unwrap_or(0);
    let listed = world.env("CUDA_VISIBLE_DEVICES").map(|list| list.split(',').count() as u64);
    nodes.min(listed.unwrap_or(u64::MAX))
}

/// Waits a moment for NVML, which takes about as long as the driver: what it says of a GPU once we work on it shows
/// ourselves. Whether it was over then.
fn is_over_soon<T>(nvml: &Spawned<'_, T>, world: &World) -> bool {
    let until = Instant::now() + NVML_PATIENCE.min(world.time_left() / 4);
    while !nvml.is_over() {
        if Instant::now() >= until {
            return false;
        }
        pause(Duration::from_millis(2));
    }
    true
}
