//! What is done on the GPUs themselves, by how deep the look goes: multiplies and copies, then the links between them.

use std::thread::Scope;
use std::time::{Duration, Instant};

use super::log::Log;
use super::waiting::Waiting;
use super::{Input, second_look};
use crate::facts::{
    Compute, Cuda, Fact, Failure, Framework, Gap, GapKind, Library, Links, Memory, Nccl, ProbeEnd, Tier,
};
use crate::probe::compute::{self, Begun, Budget, Learnt};
use crate::probe::links;
use crate::probe::nvml::watch::{self, UnderLoad};
use crate::world::child::{Gate, Working};
use crate::world::{World, thread};

/// What the tier deep spends on multiplies, and both deep tiers on patterns: no more than these shares of the time.
const DEEP: Duration = Duration::from_secs(20);
const PATTERNS: Duration = Duration::from_secs(15);
/// Time that is kept for the links, at most.
const LINKS: Duration = Duration::from_secs(40);

/// How much work the GPUs are given where so much time is left.
fn budget(input: &Input, left: Duration) -> Budget {
    match input.tier {
        Tier::Quick | Tier::Standard => Budget::default(),
        Tier::Deep => Budget { repeat: DEEP.min(left / 4), patterns: PATTERNS.min(left / 4) },
        Tier::Soak => {
            let repeat = input.soak.unwrap_or_default();
            Budget { repeat, patterns: PATTERNS.min(left.saturating_sub(repeat) / 4) }
        }
    }
}

fn is_deep(tier: Tier) -> bool {
    matches!(tier, Tier::Deep | Tier::Soak)
}

/// What is known before the driver has answered.
pub struct Work<'a> {
    pub world: &'a World,
    pub libraries: &'a [Library],
    pub framework: &'a Framework,
    pub input: &'a Input,
}

/// What came of their work.
pub struct Worked {
    pub compute: Compute,
    pub memory: Memory,
    pub links: Links,
    pub under_load: UnderLoad,
}

impl Worked {
    fn nothing(gap: &Gap) -> Self {
        let (compute, memory, _) = compute::not_run(gap);
        Self { compute, memory, links: no_links(gap), under_load: UnderLoad::NONE }
    }

    fn nowhere() -> Self {
        Self {
            compute: Compute {
                multiplies: Fact::Absent,
                copies: Fact::Absent,
                mapped_libraries: Fact::Absent,
                ..Compute::default()
            },
            memory: Memory { patterns: Fact::Absent },
            links: Links { pairs: Fact::Absent, ..Links::default() },
            under_load: UnderLoad::NONE,
        }
    }
}

impl Work<'_> {
    /// Begins the multiplies on so many GPUs as far as that disturbs nobody: libraries are loaded and the driver is started,
    /// which together take longer than to ask the driver. What uses a GPU waits at the gate.
    pub fn begin<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        likely: u64,
        gate: &'scope Gate,
    ) -> Option<Begun<'scope>> {
        let gpus = compute::ordinals(likely);
        let is_none = self.input.tier == Tier::Quick || compute::obstacle(self.libraries, &gpus).is_some();
        let (until, budget) = self.plan();
        (!is_none).then(|| compute::begin(scope, self.world, self.libraries, &gpus, budget, Some(gate), until))
    }

    /// Until when the GPUs multiply, and how much.
    fn plan(&self) -> (Instant, Budget) {
        let left = self.world.time_left();
        let links_take = if is_deep(self.input.tier) { LINKS.min(left / 2) } else { Duration::ZERO };
        (Instant::now() + left.saturating_sub(links_take), budget(self.input, left))
    }

    /// Multiplies, copies, and looks at the links. `watches` says whether there is an NVML to look at the GPUs with.
    pub fn finish(
        &self,
        begun: Option<Begun<'_>>,
        gate: &Gate,
        cuda: &Cuda,
        watches: bool,
        log: &Log,
        waiting: &Waiting,
    ) -> Worked {
        let devices = match devices(self.input, cuda) {
            Ok(devices) => devices,
            Err(why) => {
                gate.close();
                if let Some(begun) = begun {
                    begun.discard();
                }
                return why.map_or_else(Worked::nowhere, |gap| Worked::nothing(&gap));
            }
        };
        let who = if devices == 1 { "the GPU" } else { "the GPUs" };
        let how_long = self.input.soak.map_or(String::new(), |time| format!(" for {} s", time.as_secs()));
        waiting.on(format!("{who} to multiply{how_long}"));
        let (until, budget) = self.plan();
        // Of the moment when it is asked for: it moves where we stand still.
        let now_until = || self.plan().0;
        let gpus = compute::ordinals(devices);
        let watches = watches && compute::obstacle(self.libraries, &gpus).is_none();
        let work = |working: &Working| {
            gate.admit(u32::try_from(devices).unwrap_or(u32::MAX), now_until());
            let mut begun = begun;
            let mut look =
                |gpus: &[u32]| compute::collect(self.world, self.libraries, gpus, budget, begun.take(), now_until());
            let done = if is_deep(self.input.tier) { look(&gpus) } else { second_look::twice(&gpus, now_until, look) };
            if has_failed(&done) {
                working.ask_for_last_word();
            }
            done
        };
        let ((compute, memory, runs), under_load) = watched(self.world, watches, until, log, work);
        log.extend(runs);
        let links = if is_deep(self.input.tier) {
            waiting.on("the links between the GPUs");
            let (links, runs) =
                links::collect(self.world, self.libraries, self.framework, devices, self.world.deadline());
            log.extend(runs);
            links
        } else {
            no_links(&Gap::new(GapKind::NotAsked, format!("the tier {} does not look at the links", self.input.tier)))
        };
        Worked { compute, memory, links, under_load }
    }
}

/// How many GPUs there are to work on; else why nobody works, which needs no reason where there is none.
fn devices(input: &Input, cuda: &Cuda) -> Result<u64, Option<Gap>> {
    if input.tier == Tier::Quick {
        return Err(Some(Gap::new(GapKind::NotAsked, "the tier quick does not multiply")));
    }
    match (&cuda.init_code, &cuda.device_count) {
        (Fact::Known(0), Fact::Known(count)) if *count > 0 => Ok(*count),
        (Fact::Known(0), Fact::Known(_)) => Err(None),
        (Fact::Unknown(gap), _) if gap.kind == GapKind::Interrupted => Err(Some(gap.clone())),
        _ => Err(Some(Gap::new(GapKind::NotAsked, "CUDA did not initialise"))),
    }
}

/// Whether something went wrong, of which the driver may just have reported the cause.
fn has_failed((compute, memory, runs): &Learnt) -> bool {
    let failed = |failure: &Fact<Failure>| failure.known().is_some();
    runs.iter().any(|run| run.end != ProbeEnd::Completed)
        || compute.multiplies.known().is_some_and(|all| all.iter().any(|multiply| failed(&multiply.failure)))
        || compute.copies.known().is_some_and(|all| all.iter().any(|copy| failed(&copy.failure)))
        || memory.patterns.known().is_some_and(|all| all.iter().any(|pattern| failed(&pattern.failure)))
}

fn no_links(gap: &Gap) -> Links {
    Links { pairs: Fact::Unknown(gap.clone()), nccl: Nccl::default() }
}

/// Does this work, and looks at the GPUs meanwhile.
fn watched<T>(
    world: &World,
    watches: bool,
    deadline: Instant,
    log: &Log,
    work: impl FnOnce(&Working) -> T,
) -> (T, UnderLoad) {
    let working = Working::default();
    std::thread::scope(|scope| {
        let look = || watch::collect(world, &working, deadline);
        // Where there is no thread to be had the work goes first: it would wait for one that only ends with it.
        let looking = watches.then(|| thread().spawn_scoped(scope, look));
        let done = {
            let _over = Over(&working);
            work(&working)
        };
        let missed = |why: String| UnderLoad::missed(&Gap::new(GapKind::NotAsked, why));
        let under_load = match looking {
            None => UnderLoad::NONE,
            Some(Err(error)) => missed(format!("no thread to watch from: {error}")),
            Some(Ok(thread)) => match thread.join() {
                Ok((under_load, run)) => {
                    log.add(run);
                    under_load
                }
                Err(_) => missed("a bug in gpu-preflight".to_owned()),
            },
        };
        (done, under_load)
    })
}

/// Says that the work is over, also when it ended in a panic: who watches would go on until the deadline.
struct Over<'a>(&'a Working);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
