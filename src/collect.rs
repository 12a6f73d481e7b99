//! The first stage: everything that can be learnt about this container until the deadline.
//!
//! What may hang or crash is asked in children, and that is every path: [`look`] makes the cheap readings, [`held`] is the
//! child that does it, and [`readings`] hears it. [`gpu_chain`] is the order in which driver, libraries and GPUs are asked,
//! [`gpu_work`] how much the GPUs are given to do, [`second_look`] who is measured twice. What an answer means is not known
//! here.

mod copies;
mod doubt;
mod gpu_chain;
mod gpu_work;
mod held;
mod log;
mod look;
mod readings;
pub mod second_look;
mod waiting;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::facts::{Fact, Facts, Gap, GapKind, Gaps, Phase, Run, SCHEMA, Tier};
use crate::probe;
use crate::probe::image_config::Given;
use crate::probe::packages::Sought;
use crate::probe::workload::Named;
use crate::world::{World, not_running};
use gpu_chain::GpuChain;
pub use held::{NAME, Place, serve};
use log::Log;
use look::{ALL, Asked, IMAGE, STILL};
use readings::Readings;
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
    /// Whether somebody else says on the terminal what is waited for.
    pub is_silent: bool,
    /// The log that the command line names.
    pub log: Option<String>,
    /// What the contract names and only a look can tell.
    pub named: Named,
    /// The command that `exec` will become.
    pub command: Option<Vec<String>>,
    /// Whether the GPU code of the image is wanted even where no GPU is.
    pub gpu_code: bool,
    /// An image that does not run, which is looked at in the place of what runs here.
    pub image: Option<Place>,
    /// The configuration of the image.
    pub config: Option<Given>,
    /// What known vulnerabilities of packages are told by.
    pub sought: Option<Sought>,
}

/// Everything that can be learnt about this container until the deadline.
///
/// Every thread has ended when this returns, so that the caller may become another program.
pub fn collect(world: &World, input: &Input) -> Facts {
    let log = Log::default();
    let waiting = Waiting::begin(!input.is_silent);
    let is_still = input.image.is_some();
    let asks_gpu = !input.no_gpu && input.phase != Phase::Build && !is_still;
    let fields = if is_still { STILL } else { ALL };
    let readings = Readings::new(world, asked(fields, asks_gpu, input)).of_image(input.image.clone());
    // Nothing but children are started from it: this process asks no path that may not answer.
    let closed = world.clone().leaving_out(vec![PathBuf::from("/")], "is not asked by the process that reports");
    let chain = std::thread::scope(|scope| {
        readings.begin(scope);
        let chain = if is_still {
            // What an image carries is not loaded into anything of ours.
            GpuChain { libraries: readings.wait("libraries"), ..GpuChain::default() }
        } else {
            gpu_chain::read(&closed, &readings, input, asks_gpu, &log, &waiting)
        };
        waiting.on("this container");
        readings.finish();
        chain
    });
    let mut facts = Facts {
        schema: SCHEMA.to_owned(),
        nvml: chain.nvml,
        gpus: chain.gpus,
        cuda: chain.cuda,
        libraries: chain.libraries,
        compute: chain.compute,
        memory: chain.memory,
        links: chain.links,
        ..readings.into_facts(&log)
    };
    excuse_libraries(&mut facts);
    if is_still {
        facts.fill_gaps(&not_running());
    }
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
        image_only: is_still,
        gpu_expected: !input.no_gpu,
        soak_seconds: Fact::present(input.soak.map(|time| time.as_secs_f64())),
        deadline_seconds: world.budget().as_secs_f64(),
        wall_ms: world.elapsed().as_secs_f64() * 1000.0,
        stood_still_seconds: Fact::present(Some(world.stood_still().as_secs_f64()).filter(|seconds| *seconds > 0.0)),
        kept_seconds: Fact::present(Some(world.kept().as_secs_f64()).filter(|seconds| *seconds > 0.0)),
        environment_of: Fact::present(input.environment_of.clone()),
        command: Fact::present(input.command.as_deref().and_then(program_name)),
        ..Run::default()
    };
    facts
}

/// Where a file system does not answer, a library that hangs may wait for it: for a pipe of MPS, a cache in the home folder.
fn excuse_libraries(facts: &mut Facts) {
    let Some(folder) = facts.storage.stuck.iter().find(|folder| folder.answered != Fact::Known(true)) else { return };
    let gap = Gap::new(GapKind::TimedOut, format!("{} does not answer, and the library may wait for it", folder.point));
    for hung in [&mut facts.cuda.hung, &mut facts.nvml.hung] {
        if *hung == Fact::Known(true) {
            *hung = Fact::Unknown(gap.clone());
        }
    }
}

/// What the files of this image say of the GPUs that it can run on.
pub fn image(world: &World, input: &Input) -> Facts {
    let asks_gpu = false;
    let asked = Asked { gpu_code: true, ..asked(IMAGE, asks_gpu, input) };
    let readings = Readings::new(world, asked).of_image(input.image.clone());
    std::thread::scope(|scope| {
        readings.begin(scope);
        readings.finish();
    });
    readings.into_facts(&Log::default())
}

fn asked(fields: &[&str], asks_gpu: bool, input: &Input) -> Asked {
    Asked {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        asks_gpu,
        gpu_code: input.gpu_code,
        linking: !input.no_gpu,
        phase: input.phase,
        command: input.command.clone(),
        config: input.config.clone(),
        log: input.log.clone(),
        named: input.named.clone(),
        sought: input.sought.clone(),
    }
}

/// The name of a program without its folder.
fn program_name(command: &[String]) -> Option<String> {
    let path = Path::new(command.first()?);
    Some(path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().chars().take(64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::StuckFolder;

    #[test]
    fn a_library_that_hangs_beside_a_dead_folder_is_not_accused_and_beside_a_slow_one_it_is() {
        let hung = |answered: Option<bool>| {
            let mut facts = Facts::default();
            (facts.cuda.hung, facts.nvml.hung) = (Fact::Known(true), Fact::Known(false));
            let folder = |answered| StuckFolder { answered: Fact::Known(answered), ..StuckFolder::default() };
            facts.storage.stuck = answered.map(folder).into_iter().collect();
            excuse_libraries(&mut facts);
            (facts.cuda.hung.is_unknown(), facts.nvml.hung)
        };
        assert_eq!(hung(Some(false)), (true, Fact::Known(false)), "one that answered has answered");
        assert_eq!(hung(Some(true)), (false, Fact::Known(false)));
        assert_eq!(hung(None), (false, Fact::Known(false)));
    }
}
