//! Runs the probes: files here, the GPU and the services beside, everything within one deadline.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::cli::CollectingArgs;
use crate::facts::{
    Compute, Cuda, Driver, Fact, Facts, Framework, Gpu, Library, LibraryId, Links, Memory, Native, Network, Nvml,
    Phase, ProbeEnd, ProbeRun, Run, SCHEMA, Services,
};
use crate::probe;
use crate::probe::nvml::watch::{self, Sight};
use crate::world::{World, beside};

use super::gpu_work::{Depth, Gpus};
use super::output::Waiting;

/// How long driver and libraries may take to start, however long the tier is: a soak of hours must not wait for a driver
/// that hangs at its first call. One that brings eight GPUs up from rest takes some ten seconds.
const DRIVER_START: Duration = Duration::from_mins(1);

/// What is asked of one look.
pub struct Look<'a> {
    /// When in the life of the container it is.
    pub phase: Phase,
    /// The command that `exec` will become.
    pub command: Option<&'a [OsString]>,
    /// Whether the GPU code of the image is wanted even where no GPU is.
    pub gpu_code: bool,
}

/// Everything that can be learnt about this container until the deadline.
///
/// Every thread has ended when this returns, so that the caller may become another program.
pub fn collect(world: &World, arguments: &CollectingArgs, look: &Look<'_>) -> Facts {
    let phase = look.phase;
    let log = Log::default();
    let waiting = Waiting::begin();
    let depth = Depth::of(arguments);
    let asks_gpu = !arguments.no_gpu && phase != Phase::Build;
    let words =
        look.command.map(|words| words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>());
    let mut facts = Facts { schema: SCHEMA.to_owned(), ..Facts::default() };
    facts.framework = log.time("framework", || probe::framework::collect(world));
    let framework = facts.framework.clone();
    std::thread::scope(|scope| {
        let gpu = beside(scope, || gpu_chain(world, &framework, look, asks_gpu.then_some(&depth), &log, &waiting));
        let services = beside(scope, || {
            let network: Network = log.time("network", || probe::network::collect(world));
            let services = log.time("services", || {
                let startup = probe::startup::collect(world, &network.listeners, words.as_deref());
                let running = probe::services::collect(world, &network, &startup.ssh_args);
                Services { declared: startup.declared, ..running }
            });
            (network, services)
        });
        let storage = beside(scope, || {
            let (storage, run) = probe::storage::collect(world, world.deadline());
            log.add(run);
            storage
        });
        // It walks folders for setuid programs, which on an overlay takes longer than all other files together.
        let isolation = beside(scope, || log.time("isolation", || probe::isolation::collect(world)));
        facts.container = log.time("container", || probe::container::collect(world));
        facts.host = log.time("host", || probe::container::host(world));
        facts.limits = log.time("limits", || probe::limits::collect(world));
        facts.identity = log.time("identity", || probe::identity::collect(world));
        facts.process = log.time("process", || probe::process::collect(world));
        facts.environment = log.time("environment", || probe::environment::collect(world));
        facts.image = log.time("image", || probe::image::collect(world));
        if let Some(chain) = gpu.join() {
            facts.driver = chain.driver;
            facts.nvml = chain.nvml;
            facts.gpus = chain.gpus;
            facts.cuda = chain.cuda;
            facts.libraries = chain.libraries;
            facts.native = chain.native;
            facts.compute = chain.compute;
            facts.memory = chain.memory;
            facts.links = chain.links;
        }
        if let Some((network, services)) = services.join() {
            facts.network = network;
            facts.services = services;
        }
        if let Some(isolation) = isolation.join() {
            facts.isolation = isolation;
        }
        if let Some(storage) = storage.join() {
            facts.storage = storage;
            probe::identity::adopt_home(&mut facts.identity, &facts.storage);
        }
    });
    waiting.end();
    facts.probes = log.into_runs();
    facts.run = Run {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at_seconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        phase,
        tier: arguments.tier,
        gpu_expected: !arguments.no_gpu,
        soak_seconds: Fact::present(depth.soak.map(|time| time.as_secs_f64())),
        deadline_seconds: arguments.deadline().as_secs_f64(),
        wall_ms: world.elapsed().as_secs_f64() * 1000.0,
        command: Fact::present(look.command.and_then(super::program_name)),
        ..Run::default()
    };
    facts
}

/// What is learnt about driver, libraries and GPUs.
#[derive(Default)]
struct GpuChain {
    driver: Driver,
    nvml: Nvml,
    gpus: Fact<Vec<Gpu>>,
    cuda: Cuda,
    libraries: Fact<Vec<Library>>,
    native: Native,
    compute: Compute,
    memory: Memory,
    links: Links,
}

/// Files first; then NVML, libcuda and the libraries each in a child at once; then the multiplies, which need what
/// libcuda and the census found. A child that hangs holds up nothing but itself. Without a depth no GPU is asked.
fn gpu_chain(
    world: &World,
    framework: &Framework,
    look: &Look<'_>,
    depth: Option<&Depth>,
    log: &Log,
    waiting: &Waiting,
) -> GpuChain {
    let mut chain = GpuChain {
        libraries: log.time("libraries", || probe::libraries::census(world, framework)),
        ..GpuChain::default()
    };
    let (deadline, asks_gpu) = (world.deadline(), depth.is_some());
    let driver_deadline = deadline.min(Instant::now() + DRIVER_START);
    if asks_gpu {
        chain.driver = log.time("driver", || probe::driver::collect(world));
    }
    std::thread::scope(|scope| {
        let loads =
            (asks_gpu || look.phase == Phase::Build) && chain.libraries.known().is_some_and(|all| !all.is_empty());
        let mut libraries = chain.libraries.clone();
        let loader = beside(scope, move || {
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
        let native = beside(scope, move || {
            if look.gpu_code || a_gpu_may_be_here {
                log.time("native", || probe::native::collect(world, framework, &found))
            } else {
                Native::default()
            }
        });
        if asks_gpu {
            let nvml = beside(scope, move || match asks_nvml {
                Copy::Usable => probe::nvml::collect(world, driver_deadline),
                Copy::Refused(why) => probe::nvml::not_usable(&why),
                Copy::Nowhere => probe::nvml::not_there(),
            });
            let mut sight = Sight::NONE;
            waiting.on("the CUDA driver");
            let (cuda, run) = match asks_cuda {
                Copy::Usable => probe::cuda::collect(world, driver_deadline),
                Copy::Refused(why) => probe::cuda::not_usable(&why),
                Copy::Nowhere => probe::cuda::not_there(),
            };
            log.add(run);
            if let Some(depth) = depth {
                let gpus = Gpus { world, libraries: &chain.libraries, framework, cuda: &cuda, watches, deadline };
                let worked = gpus.work(depth, log, waiting);
                (chain.compute, chain.memory, chain.links) = (worked.compute, worked.memory, worked.links);
                sight = worked.sight;
            }
            chain.cuda = cuda;
            waiting.on("NVML");
            if let Some((nvml, gpus, run)) = nvml.join() {
                log.add(run);
                chain.nvml = nvml;
                chain.gpus = gpus;
                watch::adopt(&mut chain.nvml, &mut chain.gpus, sight);
            }
        }
        waiting.on("the CUDA libraries");
        if let Some(native) = native.join() {
            chain.native = native;
        }
        if let Some(libraries) = loader.join() {
            chain.libraries = libraries;
        }
    });
    chain
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

/// How the probes ended, from whichever thread.
#[derive(Default)]
pub(super) struct Log {
    runs: Mutex<Vec<ProbeRun>>,
}

impl Log {
    pub(super) fn add(&self, run: ProbeRun) {
        if let Ok(mut runs) = self.runs.lock() {
            runs.push(run);
        }
    }

    pub(super) fn extend(&self, runs: impl IntoIterator<Item = ProbeRun>) {
        runs.into_iter().for_each(|run| self.add(run));
    }

    /// Runs a probe of ours. Should it panic, its facts stay unknown and the others go on.
    fn time<T: Default>(&self, name: &str, probe: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let read = catch_unwind(AssertUnwindSafe(probe));
        self.add(ProbeRun {
            name: name.to_owned(),
            gpu: Fact::Absent,
            end: if read.is_ok() { ProbeEnd::Completed } else { ProbeEnd::Crashed },
            at: Fact::Absent,
            detail: if read.is_ok() { Fact::Absent } else { Fact::Known("a bug in gpu-preflight".to_owned()) },
            wall_ms: millis(started.elapsed()),
        });
        read.unwrap_or_default()
    }

    /// In the order of their names, so that two reports of one machine can be compared.
    fn into_runs(self) -> Vec<ProbeRun> {
        let mut runs = self.runs.into_inner().unwrap_or_default();
        runs.sort_by(|a, b| (&a.name, a.gpu.known()).cmp(&(&b.name, b.gpu.known())));
        runs
    }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
