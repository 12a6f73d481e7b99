//! The order in which driver, libraries and GPUs are asked, each in a child.

use std::time::{Duration, Instant};

use super::Input;
use super::gpu_work::Gpus;
use super::log::Log;
use super::waiting::Waiting;
use crate::facts::{
    Compute, Cuda, Driver, Fact, Framework, Gpu, Library, LibraryId, Linking, Links, Memory, Native, Nvml, Phase,
};
use crate::probe;
use crate::probe::nvml::watch;
use crate::world::{Spawned, World, spawn_or_run};

/// How long driver and libraries may take to start, however long the tier is: a soak of hours must not wait for a driver
/// that hangs at its first call. One that brings eight GPUs up from rest takes some ten seconds.
const DRIVER_START: Duration = Duration::from_mins(1);

/// How long the multiplies wait for NVML at most.
const NVML_PATIENCE: Duration = Duration::from_millis(250);

/// What is learnt about driver, libraries and GPUs.
#[derive(Default)]
pub struct GpuChain {
    pub driver: Driver,
    pub nvml: Nvml,
    pub gpus: Fact<Vec<Gpu>>,
    pub cuda: Cuda,
    pub libraries: Fact<Vec<Library>>,
    pub native: Native,
    pub linking: Linking,
    pub compute: Compute,
    pub memory: Memory,
    pub links: Links,
}

/// Files first; then NVML, libcuda and the libraries each in a child at once; then the multiplies, which need what
/// libcuda and the census found. A child that hangs holds up nothing but itself. Where the container is not meant to have one, no GPU is asked.
pub fn read(
    world: &World,
    framework: &Framework,
    input: &Input,
    asks_gpu: bool,
    log: &Log,
    waiting: &Waiting,
) -> GpuChain {
    let mut chain = GpuChain {
        libraries: log.time("libraries", || probe::libraries::census(world, framework)),
        ..GpuChain::default()
    };
    let deadline = world.deadline();
    let driver_deadline = deadline.min(Instant::now() + DRIVER_START);
    if asks_gpu {
        chain.driver = log.time("driver", || probe::driver::collect(world));
    }
    std::thread::scope(|scope| {
        let loads =
            (asks_gpu || input.phase == Phase::Build) && chain.libraries.known().is_some_and(|all| !all.is_empty());
        let mut libraries = chain.libraries.clone();
        let loader = spawn_or_run(scope, move || {
            if let Fact::Known(libraries) = &mut libraries
                && loads
            {
                log.add(probe::libraries::load(world, libraries, driver_deadline));
            }
            libraries
        });
        // Starting a child costs more than all else in a container without a GPU, so none is started for nothing.
        let [asks_nvml, asks_cuda] = [LibraryId::Nvml, LibraryId::Cuda].map(|id| may_find(&chain.libraries, id));
        let a_gpu_may_be_here = asks_gpu && !matches!((&asks_nvml, &asks_cuda), (Copy::Nowhere, Copy::Nowhere));
        let watches = matches!(asks_nvml, Copy::Usable);
        let found = chain.libraries.clone();
        let native = spawn_or_run(scope, move || {
            if input.gpu_code || a_gpu_may_be_here {
                log.time("native", || probe::native::collect(world, framework, &found))
            } else {
                Native::default()
            }
        });
        let linking = spawn_or_run(scope, move || {
            if asks_gpu || input.phase == Phase::Build {
                log.time("linking", || probe::linking::collect(world, framework))
            } else {
                Linking::default()
            }
        });
        if asks_gpu {
            let nvml = spawn_or_run(scope, move || match asks_nvml {
                Copy::Usable => probe::nvml::collect(world, driver_deadline),
                Copy::Refused(why) => probe::nvml::not_usable(&why),
                Copy::Nowhere => probe::nvml::not_there(),
            });
            waiting.on("the CUDA driver");
            let (cuda, run) = match asks_cuda {
                Copy::Usable => probe::cuda::collect(world, driver_deadline),
                Copy::Refused(why) => probe::cuda::not_usable(&why),
                Copy::Nowhere => probe::cuda::not_there(),
            };
            log.add(run);
            let asked_before_work = is_over_soon(&nvml, deadline);
            let gpus = Gpus { world, libraries: &chain.libraries, framework, cuda: &cuda, watches, deadline };
            let worked = gpus.work(input, log, waiting);
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
        if let Some(native) = native.join() {
            chain.native = native;
        }
        if let Some(linking) = linking.join() {
            chain.linking = linking;
        }
        if let Some(libraries) = loader.join() {
            chain.libraries = libraries;
        }
    });
    chain
}

/// Waits a moment for NVML, which takes about as long as the driver: what it says of a GPU once we work on it shows
/// ourselves. Whether it was over then.
fn is_over_soon<T>(nvml: &Spawned<'_, T>, deadline: Instant) -> bool {
    let until = deadline.min(Instant::now() + NVML_PATIENCE);
    while !nvml.is_over() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// What the loader would come to when a library is asked for.
enum Copy {
    /// A copy that it can open, as far as is known.
    Usable,
    /// One that need not be opened, and why.
    Refused(String),
    /// None.
    Nowhere,
}

fn may_find(libraries: &Fact<Vec<Library>>, id: LibraryId) -> Copy {
    // Where the census could not be had, only the loader can tell.
    let Fact::Known(all) = libraries else { return Copy::Usable };
    match all.iter().find(|library| library.id == id && library.chosen) {
        None => Copy::Nowhere,
        Some(library) => probe::libraries::refusal(library).map_or(Copy::Usable, Copy::Refused),
    }
}
