//! What is done on the GPUs themselves, by how deep the look goes: multiplies and copies, then the links between them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::log::Log;
use super::waiting::Waiting;
use super::{Input, second_look};
use crate::facts::{Compute, Cuda, Fact, Framework, Gap, GapKind, Library, Links, Memory, Nccl, Tier};
use crate::probe::compute::{self, Budget};
use crate::probe::links;
use crate::probe::nvml::watch::{self, UnderLoad};
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

impl Gpus<'_> {
    /// Multiplies, copies, and looks at the links.
    pub fn work(&self, input: &Input, log: &Log, waiting: &Waiting) -> Worked {
        if input.tier == Tier::Quick {
            return Worked::nothing(&Gap::new(GapKind::NotAsked, "the tier quick does not multiply"));
        }
        let devices = match (&self.cuda.init_code, &self.cuda.device_count) {
            (Fact::Known(0), Fact::Known(count)) if *count > 0 => *count,
            (Fact::Known(0), Fact::Known(_)) => return Worked::nowhere(),
            (Fact::Unknown(gap), _) if gap.kind == GapKind::Interrupted => return Worked::nothing(gap),
            _ => return Worked::nothing(&Gap::new(GapKind::NotAsked, "CUDA did not initialise")),
        };
        let who = if devices == 1 { "the GPU" } else { "the GPUs" };
        let how_long = input.soak.map_or(String::new(), |time| format!(" for {} s", time.as_secs()));
        waiting.on(format!("{who} to multiply{how_long}"));
        let libraries = self.libraries.known().map_or(&[][..], Vec::as_slice);
        let left = self.deadline.saturating_duration_since(Instant::now());
        let links_take = if is_deep(input.tier) { LINKS.min(left / 2) } else { Duration::ZERO };
        let until = Instant::now() + left.saturating_sub(links_take);
        let gpus = compute::ordinals(devices);
        let budget = budget(input, left);
        let watches = self.watches && compute::obstacle(libraries, &gpus).is_none();
        let ((compute, memory, runs), under_load) = watched(self.world, watches, until, log, || {
            let look = |gpus: &[u32]| compute::collect(self.world, libraries, gpus, budget, until);
            if is_deep(input.tier) { look(&gpus) } else { second_look::twice(&gpus, until, look) }
        });
        log.extend(runs);
        let links = if is_deep(input.tier) {
            waiting.on("the links between the GPUs");
            let (links, runs) = links::collect(self.world, libraries, self.framework, devices, self.deadline);
            log.extend(runs);
            links
        } else {
            no_links(&Gap::new(GapKind::NotAsked, format!("the tier {} does not look at the links", input.tier)))
        };
        Worked { compute, memory, links, under_load }
    }
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
        let looking = watches.then(|| thread().spawn_scoped(scope, look));
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
