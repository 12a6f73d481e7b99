//! What is done on the GPUs themselves, by how deep the look goes: multiplies and copies, then the links between them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::log::Log;
use super::waiting::Waiting;
use crate::derive::doubt::doubtful;
use crate::facts::{Compute, Cuda, Fact, Framework, Gap, GapKind, Library, Links, Memory, Nccl, Tier};
use crate::probe::compute::{self, Effort};
use crate::probe::links;
use crate::probe::nvml::watch::{self, UnderLoad};
use crate::world::World;

/// What the tier deep spends on multiplies, and both deep tiers on patterns: no more than these shares of the time.
const DEEP: Duration = Duration::from_secs(20);
const PATTERNS: Duration = Duration::from_secs(15);
/// Time that is kept for the links, at most.
const LINKS: Duration = Duration::from_secs(40);

/// How much work the GPUs are given.
pub struct Budget {
    /// How deep to look.
    pub tier: Tier,
    /// How long the tier soak repeats its multiplies; `None` in the others.
    pub soak: Option<Duration>,
}

impl Budget {
    fn effort(&self, left: Duration) -> Effort {
        match self.tier {
            Tier::Quick | Tier::Standard => Effort::default(),
            Tier::Deep => Effort { repeat: DEEP.min(left / 4), patterns: PATTERNS.min(left / 4) },
            Tier::Soak => {
                let repeat = self.soak.unwrap_or_default();
                Effort { repeat, patterns: PATTERNS.min(left.saturating_sub(repeat) / 4) }
            }
        }
    }

    fn is_deep(&self) -> bool {
        matches!(self.tier, Tier::Deep | Tier::Soak)
    }
}

/// What is known of the GPUs before any of them works.
pub struct Gpus<'a> {
    pub world: &'a World,
    pub libraries: &'a Fact<Vec<Library>>,
    pub framework: &'a Framework,
    pub cuda: &'a Cuda,
    /// Whether there is an NVML to look at them with.
    pub watches: bool,
    pub deadline: Instant,
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
            compute: Compute { multiplies: Fact::Absent, copies: Fact::Absent },
            memory: Memory { patterns: Fact::Absent },
            links: Links { pairs: Fact::Absent, ..Links::default() },
            under_load: UnderLoad::NONE,
        }
    }
}

impl Gpus<'_> {
    /// Multiplies, copies, and looks at the links.
    pub fn work(&self, budget: &Budget, log: &Log, waiting: &Waiting) -> Worked {
        if budget.tier == Tier::Quick {
            return Worked::nothing(&Gap::new(GapKind::NotAsked, "the tier quick does not multiply"));
        }
        let devices = match (&self.cuda.init_code, &self.cuda.device_count) {
            (Fact::Known(0), Fact::Known(count)) if *count > 0 => *count,
            (Fact::Known(0), Fact::Known(_)) => return Worked::nowhere(),
            (Fact::Unknown(gap), _) if gap.kind == GapKind::Interrupted => return Worked::nothing(gap),
            _ => return Worked::nothing(&Gap::new(GapKind::NotAsked, "CUDA did not initialise")),
        };
        let who = if devices == 1 { "the GPU" } else { "the GPUs" };
        let how_long = budget.soak.map_or(String::new(), |time| format!(" for {} s", time.as_secs()));
        waiting.on(format!("{who} to multiply{how_long}"));
        let libraries = self.libraries.known().map_or(&[][..], Vec::as_slice);
        let left = self.deadline.saturating_duration_since(Instant::now());
        let links_take = if budget.is_deep() { LINKS.min(left / 2) } else { Duration::ZERO };
        let until = Instant::now() + left.saturating_sub(links_take);
        let gpus = compute::ordinals(devices);
        let watches = self.watches && compute::obstacle(libraries, &gpus).is_none();
        let ((compute, memory, runs), under_load) = watched(self.world, watches, until, log, || {
            let look = |gpus: &[u32]| compute::collect(self.world, libraries, gpus, budget.effort(left), until);
            if budget.is_deep() { look(&gpus) } else { twice(&gpus, until, look) }
        });
        log.extend(runs);
        let links = if budget.is_deep() {
            waiting.on("the links between the GPUs");
            let (links, runs) = links::collect(self.world, libraries, self.framework, devices, self.deadline);
            log.extend(runs);
            links
        } else {
            no_links(&Gap::new(GapKind::NotAsked, format!("the tier {} does not look at the links", budget.tier)))
        };
        Worked { compute, memory, links, under_load }
    }
}

/// Looks, and once more at GPUs that were slow, where there is time for it. The deep tiers repeat their multiplies anyway.
fn twice(gpus: &[u32], until: Instant, look: impl Fn(&[u32]) -> compute::Learnt) -> compute::Learnt {
    let started = Instant::now();
    let (compute, memory, mut runs) = look(gpus);
    let doubtful = doubtful(&compute);
    let took = started.elapsed();
    if doubtful.is_empty() || until.saturating_duration_since(Instant::now()) < took {
        return (compute, memory, runs);
    }
    let (second, _, more) = look(&doubtful);
    runs.extend(more);
    (compute::keep_better(compute, second), memory, runs)
}

fn no_links(gap: &Gap) -> Links {
    Links { pairs: Fact::Unknown(gap.clone()), nccl: Nccl::default() }
}

/// Does this work, and looks at the GPUs meanwhile.
fn watched<T>(world: &World, watches: bool, deadline: Instant, log: &Log, work: impl FnOnce() -> T) -> (T, UnderLoad) {
    let working = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let look = || watch::collect(world, &working, deadline);
        // Where there is no thread to be had the work goes first: it would wait for one that only ends with it.
        let looking = watches.then(|| std::thread::Builder::new().spawn_scoped(scope, look));
        let done = {
            let _over = Over(&working);
            work()
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
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
