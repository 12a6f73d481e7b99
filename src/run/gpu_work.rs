//! What is done on the GPUs themselves, by how deep the look goes: multiplies and copies, then the links between them.

use std::time::{Duration, Instant};

use super::collect::Log;
use super::output::Waiting;
use crate::cli::CollectingArgs;
use crate::facts::{Compute, Cuda, Fact, Framework, Gap, GapKind, Library, Links, Memory, Nccl, Tier};
use crate::probe::compute::{self, Effort};
use crate::probe::links;
use crate::world::World;

/// What the tier deep spends on multiplies, and both deep tiers on patterns: no more than these shares of the time.
const DEEP: Duration = Duration::from_secs(20);
const PATTERNS: Duration = Duration::from_secs(15);
/// Time that is kept for the links, at most.
const LINKS: Duration = Duration::from_secs(15);

/// How deep a look goes.
pub struct Depth {
    tier: Tier,
    /// How long the tier soak repeats its multiplies; `None` in the others.
    pub soak: Option<Duration>,
}

impl Depth {
    /// As the command line asks for.
    pub fn of(arguments: &CollectingArgs) -> Self {
        Self { tier: arguments.tier, soak: arguments.soak().ok().flatten() }
    }

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
    pub deadline: Instant,
}

impl Gpus<'_> {
    /// Multiplies, copies, and looks at the links.
    pub fn work(&self, depth: &Depth, log: &Log, waiting: &Waiting) -> (Compute, Memory, Links) {
        let none = |gap: &Gap| {
            let (compute, memory, _) = compute::not_run(gap);
            (compute, memory, no_links(gap))
        };
        if depth.tier == Tier::Quick {
            return none(&Gap::new(GapKind::NotAsked, "the tier quick does not multiply"));
        }
        let devices = match (&self.cuda.init_code, &self.cuda.device_count) {
            (Fact::Known(0), Fact::Known(count)) if *count > 0 => *count,
            (Fact::Known(0), Fact::Known(_)) => {
                let compute = Compute { multiplies: Fact::Absent, copies: Fact::Absent };
                return (compute, Memory { patterns: Fact::Absent }, Links { pairs: Fact::Absent, ..Links::default() });
            }
            (Fact::Unknown(gap), _) if gap.kind == GapKind::Interrupted => return none(gap),
            _ => return none(&Gap::new(GapKind::NotAsked, "CUDA did not initialise")),
        };
        waiting.on(if devices == 1 { "the GPU to multiply" } else { "the GPUs to multiply" });
        let libraries = self.libraries.known().map_or(&[][..], Vec::as_slice);
        let left = self.deadline.saturating_duration_since(Instant::now());
        let until = if depth.is_deep() { self.deadline - LINKS.min(left / 4) } else { self.deadline };
        let (compute, memory, runs) = compute::collect(self.world, libraries, devices, depth.effort(left), until);
        runs.into_iter().for_each(|run| log.add(run));
        if !depth.is_deep() {
            let why = format!("the tier {} does not look at the links", depth.tier);
            return (compute, memory, no_links(&Gap::new(GapKind::NotAsked, why)));
        }
        waiting.on("the links between the GPUs");
        let (links, runs) = links::collect(self.world, libraries, self.framework, devices, self.deadline);
        runs.into_iter().for_each(|run| log.add(run));
        (compute, memory, links)
    }
}

fn no_links(gap: &Gap) -> Links {
    Links { pairs: Fact::Unknown(gap.clone()), nccl: Nccl::default() }
}
