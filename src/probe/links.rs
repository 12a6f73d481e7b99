//! The links between the GPUs: copies over every ordered pair, then one sum over all of them through NCCL.
//!
//! [`pairs`] is the child that copies, [`nccl`] the one that sums; here is the parent's side. A child that hangs or ends
//! in a pair costs that pair: another child goes on with the rest, those first that have to do with neither of its two
//! GPUs. A GPU that was in two lost or failed pairs is left alone, and its other pairs are said to be unknown for that reason.

mod nccl;
mod pairs;

use std::time::Instant;

use serde::{Deserialize, Serialize};

pub use nccl::{NAME as NCCL, serve as serve_nccl};
pub use pairs::serve;

use crate::facts::shape::record;
use crate::facts::{
    Fact, FailedHow, Failure, Framework, Gap, GapKind, Gaps, Library, LibraryId, Links, Nccl, Pair, ProbeEnd, ProbeRun,
};
use crate::probe::libraries::{refusal, winner};
use crate::world::World;
use crate::world::child::{self, Probed};

/// The name of the probe that copies.
pub const NAME: &str = "links";

/// GPUs between which the links are looked at: their pairs grow with the square, and 16 GPUs have 240.
const LINKED_MAX: u32 = 16;
/// Children that may be lost before the rest is given up.
const CHILDREN_MAX: usize = 6;
/// How much of the time that is left a child may take.
const CHILD_SHARE: f64 = 0.6;
/// Lost pairs that a GPU may have been in.
const LOSSES_MAX: usize = 2;

/// What the child that copies is told.
#[derive(Debug, Serialize, Deserialize)]
struct Input {
    cudart: String,
    pairs: Vec<[u32; 2]>,
}

record! {
    /// What it answers: the pairs it is done with, in their order.
    struct Reading {
        pairs: Vec<Pair>,
    }
}

/// Looks at the links between GPUs 0 to `device_count` - 1 until `deadline`.
pub fn collect(
    world: &World,
    libraries: &[Library],
    framework: &Framework,
    device_count: u64,
    deadline: Instant,
) -> (Links, Vec<ProbeRun>) {
    let gpus = match u32::try_from(device_count) {
        Ok(gpus) if gpus <= LINKED_MAX => gpus,
        _ => {
            let gap = Gap::new(GapKind::NotSupported, format!("{device_count} GPUs, more than are tried in pairs"));
            return (Links { pairs: Fact::Unknown(gap.clone()), nccl: Nccl::all_unknown(&gap) }, Vec::new());
        }
    };
    let usable = |library: &Library| library.chosen && library.id == LibraryId::Cudart && refusal(library).is_none();
    let cudart = winner(libraries, LibraryId::Cudart).filter(|_| libraries.iter().any(usable));
    let Some(cudart) = cudart else {
        let gap = Gap::new(GapKind::NotAsked, "no libcudart to ask");
        let nccl = Nccl::all_unknown(&gap);
        return (Links { pairs: Fact::Unknown(gap), nccl }, Vec::new());
    };
    let (pairs, mut runs) = all_pairs(world, cudart, gpus, share_of_time(deadline, 0.5));
    let (nccl, run) = nccl::collect(world, cudart, framework, gpus, deadline);
    runs.push(run);
    (Links { pairs: Fact::Known(pairs), nccl }, runs)
}

fn all_pairs(world: &World, cudart: &str, gpus: u32, deadline: Instant) -> (Vec<Pair>, Vec<ProbeRun>) {
    let mut open: Vec<[u32; 2]> =
        (0..gpus).flat_map(|from| (0..gpus).filter(move |to| *to != from).map(move |to| [from, to])).collect();
    let (mut known, mut runs) = (Vec::new(), Vec::new());
    let mut losses: Vec<u32> = Vec::new();
    while !open.is_empty() && runs.len() < CHILDREN_MAX {
        // Whoever follows a loss makes the contexts again, which is most of the work, and needs as much time for it.
        let until = if runs.len() + 1 == CHILDREN_MAX { deadline } else { share_of_time(deadline, CHILD_SHARE) };
        let input = Input { cudart: cudart.to_owned(), pairs: open.clone() };
        let Probed { reading, run, gap, lost, .. } =
            child::probe_at_work::<Reading>(world, NAME, None, &input, None, until);
        let done = reading.map(|reading| reading.pairs).unwrap_or_default();
        open.retain(|pair| !done.iter().any(|done| [done.from, done.to] == *pair));
        let went_on = !done.is_empty();
        let failed = done.iter().filter(|pair| pair.failure.known().is_some());
        losses.extend(failed.flat_map(|pair| [pair.from, pair.to]));
        known.extend(done);
        if let (Some(lost), false) = (lost, open.is_empty()) {
            let [from, to] = open.remove(0);
            let mut pair: Pair = super::complete(None, gap.as_ref());
            if speaks_against(&lost) {
                pair.failure = Fact::Known(lost);
            }
            known.push(Pair { from, to, memory_short: Fact::Known(false), ..pair });
            losses.extend([from, to]);
        } else if run.end == ProbeEnd::Interrupted || !went_on {
            runs.push(run);
            break;
        }
        runs.push(run);
        let count = |gpu: u32| losses.iter().filter(|lost| **lost == gpu).count();
        let is_given_up = |pair: &[u32; 2]| pair.iter().any(|gpu| count(*gpu) >= LOSSES_MAX);
        known.extend(
            open.iter()
                .filter(|pair| is_given_up(pair))
                .map(|pair| unknown(*pair, "a GPU of it failed in other pairs")),
        );
        open.retain(|pair| !is_given_up(pair));
        open.sort_by_key(|pair| pair.iter().map(|gpu| count(*gpu)).sum::<usize>());
    }
    known.extend(open.into_iter().map(|pair| unknown(pair, "no time was left to copy")));
    known.sort_by_key(|pair| (pair.from, pair.to));
    (known, runs)
}

fn share_of_time(deadline: Instant, share: f64) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now).mul_f64(share)
}

/// Whether a lost call speaks against the pair that it was for. One that was cut off while it made its contexts may only have
/// been slow, and a process that was killed may have been so for lack of memory.
fn speaks_against(lost: &Failure) -> bool {
    match lost.how {
        FailedHow::TimedOut => lost.call.starts_with(pairs::COPY),
        how => how != FailedHow::Killed,
    }
}

fn unknown([from, to]: [u32; 2], why: &str) -> Pair {
    let gap = Gap::new(GapKind::TimedOut, why);
    Pair { from, to, memory_short: Fact::Known(false), ..Pair::all_unknown(&gap) }
}
