//! The first stage: everything that can be learnt about this container until the deadline.
//!
//! Files are read here, what may hang or crash in children; [`gpu_chain`] is the order in which driver, libraries and
//! GPUs are asked, [`gpu_work`] how much the GPUs are given to do, [`second_look`] who is measured twice. What an answer means is
//! not known here.

mod gpu_chain;
mod gpu_work;
mod log;
pub mod second_look;
mod waiting;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::facts::{Fact, Facts, Network, Phase, Run, SCHEMA, Services, Tier};
use crate::probe;
use crate::world::{World, spawn_or_run};
use log::Log;
use waiting::Waiting;

/// What is asked of one look. The time that it may take is the [`World`]'s.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// When in the life of the container it is.
    pub phase: Phase,
    /// How deep to look.
    pub tier: Tier,
    /// How long the tier soak repeats its multiplies; `None` in the others.
    pub soak: Option<Duration>,
    /// The process whose environment the [`World`] has, for the report; none for our own.
    pub environment_of: Option<String>,
    /// Whether this container is not meant to have a GPU.
    pub no_gpu: bool,
    /// The command that `exec` will become.
    pub command: Option<Vec<String>>,
    /// Whether the GPU code of the image is wanted even where no GPU is.
    pub gpu_code: bool,
}

/// Everything that can be learnt about this container until the deadline.
///
/// Every thread has ended when this returns, so that the caller may become another program.
pub fn collect(world: &World, input: &Input) -> Facts {
    let log = Log::default();
    let waiting = Waiting::begin();
    let asks_gpu = !input.no_gpu && input.phase != Phase::Build;
    let mut facts = Facts { schema: SCHEMA.to_owned(), ..Facts::default() };
    facts.framework = log.time("framework", || probe::framework::collect(world));
    let framework = facts.framework.clone();
    std::thread::scope(|scope| {
        let gpu = spawn_or_run(scope, || gpu_chain::read(world, &framework, input, asks_gpu, &log, &waiting));
        let services = spawn_or_run(scope, || {
            let network: Network = log.time("network", || probe::network::collect(world));
            let services = log.time("services", || {
                let startup = probe::startup::collect(world, &network.listeners, input.command.as_deref());
                let running = probe::services::collect(world, &network, &startup.ssh_args);
                Services { declared: startup.declared, ..running }
            });
            (network, services)
        });
        let storage = spawn_or_run(scope, || {
            let (storage, run) = probe::storage::collect(world, world.deadline());
            log.add(run);
            storage
        });
        // It walks folders for setuid programs, which on an overlay takes longer than all other files together.
        let isolation = spawn_or_run(scope, || log.time("isolation", || probe::isolation::collect(world)));
        facts.container = log.time("container", || probe::container::collect(world));
        facts.host = log.time("host", || probe::container::host(world));
        facts.limits = log.time("limits", || probe::limits::collect(world));
        facts.identity = log.time("identity", || probe::identity::collect(world));
        facts.process = log.time("process", || probe::process::collect(world));
        facts.environment = log.time("environment", || probe::environment::collect(world, &framework));
        facts.image = log.time("image", || probe::image::collect(world));
        facts.compile = log.time("compile", || probe::compile::collect(world, &facts.framework));
        if let Some(chain) = gpu.join() {
            facts.driver = chain.driver;
            facts.nvml = chain.nvml;
            facts.gpus = chain.gpus;
            facts.cuda = chain.cuda;
            facts.libraries = chain.libraries;
            facts.native = chain.native;
            facts.linking = chain.linking;
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
    if facts.probes.iter().any(|run| run.signal == Fact::Known("SIGKILL".to_owned())) {
        // Whoever was killed for lack of memory was not counted yet when the limits were read.
        facts.limits.oom_kills_after = probe::limits::oom_kills(world);
    }
    facts.run = Run {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at_seconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        phase: input.phase,
        tier: input.tier,
        gpu_expected: !input.no_gpu,
        soak_seconds: Fact::present(input.soak.map(|time| time.as_secs_f64())),
        deadline_seconds: world.budget().as_secs_f64(),
        wall_ms: world.elapsed().as_secs_f64() * 1000.0,
        stood_still_seconds: Fact::present(Some(world.stood_still().as_secs_f64()).filter(|seconds| *seconds > 0.0)),
        environment_of: Fact::present(input.environment_of.clone()),
        command: Fact::present(input.command.as_deref().and_then(program_name)),
        ..Run::default()
    };
    facts
}

/// The name of a program without its folder.
fn program_name(command: &[String]) -> Option<String> {
    let path = Path::new(command.first()?);
    Some(path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().chars().take(64).collect())
}
