//! Matrix multiplies on every GPU at once, one child each: the parent's side.
//!
//! [`child`] is the child's side: on a bench of [`super::gpu`] it goes through the precisions
//! that the GPU has ([`multiplies`]); [`gemm`] is one precision with its [`material`], [`proof`] checks a product to
//! the last bit, [`copies`] moves data. The deeper tiers repeat the multiplies ([`soak`]), and
//! let memory keep patterns last ([`patterns`]). [`messages`] is what both sides say. What rate
//! is to be expected is derived later.

mod child;
mod copies;
mod gemm;
mod material;
mod messages;
mod multiplies;
mod patterns;
mod soak;

use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

pub use child::serve;

use crate::facts::{
    Compute, Fact, GPU_LIMIT, Gap, GapKind, Gaps, Library, LibraryId, Memory, Multiply, ProbeEnd, ProbeRun,
};
use crate::probe::gpu::bench::Place;
use crate::probe::gpu::session::working_time;
use crate::probe::libraries::{loaded_before_cublas, refusal, winner};
use crate::world::child::{Gate, Probed, probe_at_work};
use crate::world::{World, io_errno_name, pause, thread};
use messages::{Input, Reading};

/// The name of this probe.
pub const NAME: &str = "compute";

/// What is done beyond one proven multiply in every precision and the copies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Budget {
    /// How long the multiplies are repeated.
    pub repeat: Duration,
    /// How long memory is asked to keep patterns.
    pub patterns: Duration,
}

/// What was learnt of all GPUs, and how it went.
pub type Learnt = (Compute, Memory, Vec<ProbeRun>);

/// What is known where nobody is asked, and why.
pub fn not_run(gap: &Gap) -> Learnt {
    (Compute::all_unknown(gap), Memory { patterns: Fact::Unknown(gap.clone()) }, Vec::new())
}

/// The GPUs that are multiplied on, by their CUDA ordinals.
pub fn ordinals(device_count: u64) -> Vec<u32> {
    (0..u32::try_from(device_count).unwrap_or(GPU_LIMIT).min(GPU_LIMIT)).collect()
}

/// Why no multiply can be run, where that can be told without trying.
pub fn obstacle(libraries: &[Library], gpus: &[u32]) -> Option<String> {
    for (id, what) in [(LibraryId::Cudart, "no libcudart to ask"), (LibraryId::Cublas, "no libcublas to ask")] {
        if winner(libraries, id).is_none() {
            return Some(what.to_owned());
        }
    }
    let used = |library: &&Library| library.chosen && matches!(library.id, LibraryId::Cudart | LibraryId::Cublas);
    let refused = libraries.iter().filter(used).find_map(refusal);
    refused.or_else(|| gpus.is_empty().then(|| "no CUDA device to ask".to_owned()))
}

/// A thread that hears the child of one GPU.
type Hearing<'scope> = std::io::Result<ScopedJoinHandle<'scope, Probed<Reading>>>;

/// Multiplies that have begun, by the ordinals of their GPUs.
pub struct Begun<'scope>(Vec<(u32, Hearing<'scope>)>);

impl Begun<'_> {
    /// Waits for them, and does not hear them.
    pub fn discard(self) {
        self.0.into_iter().filter_map(|(_, thread)| thread.ok()).for_each(|thread| drop(thread.join()));
    }

    /// What is heard of them in the end.
    fn heard(self) -> Vec<(Reading, ProbeRun)> {
        let end = |(ordinal, thread): (u32, Hearing<'_>)| match thread.map(ScopedJoinHandle::join) {
            Ok(Ok(probed)) => heard(ordinal, probed),
            Ok(Err(_)) => {
                let gap = Gap::new(GapKind::Crashed, "the thread that asks for it panicked");
                unheard(ordinal, ProbeEnd::Exited, gap, None)
            }
            Err(error) => {
                let gap = Gap::new(GapKind::NotStarted, format!("no thread to ask for it: {error}"));
                unheard(ordinal, ProbeEnd::NotStarted, gap, io_errno_name(&error))
            }
        };
        self.0.into_iter().map(end).collect()
    }
}

/// Begins to multiply on these GPUs through the chosen libcudart and libcublas, until `deadline`. Where there is a gate
/// they load the libraries, start the driver and wait there.
pub fn begin<'scope>(
    scope: &'scope Scope<'scope, '_>,
    world: &'scope World,
    libraries: &[Library],
    gpus: &[u32],
    budget: Budget,
    gate: Option<&'scope Gate>,
    deadline: Instant,
) -> Begun<'scope> {
    let path = |id| winner(libraries, id).unwrap_or_default();
    let (cudart, cublas) = (path(LibraryId::Cudart), path(LibraryId::Cublas));
    let budget_ms = millis(working_time(deadline.saturating_duration_since(Instant::now())));
    let start = |ordinal: &u32| {
        let mut input = Input {
            place: Place {
                ordinal: *ordinal,
                cudart: cudart.to_owned(),
                cublas: cublas.to_owned(),
                cublas_lt_first: loaded_before_cublas(libraries).map(str::to_owned),
                waits_at_gate: gate.is_some(),
            },
            budget_ms,
            repeat_ms: millis(budget.repeat),
            patterns_ms: millis(budget.patterns),
        };
        let ordinal = *ordinal;
        let ask = move || {
            let probed = probe_at_work::<Reading>(world, NAME, Some(ordinal), &input, gate, deadline);
            // What became of it before the gate says nothing of the GPU: it may have been too early, or too much at once.
            match gate.filter(|_| !probed.got_through).map(|gate| word(gate, ordinal, world)) {
                None | Some(None) => probed,
                Some(Some(until)) => {
                    input.place.waits_at_gate = false;
                    input.budget_ms = millis(working_time(until.saturating_duration_since(Instant::now())));
                    probe_at_work(world, NAME, Some(ordinal), &input, None, until)
                }
            }
        };
        (ordinal, thread().spawn_scoped(scope, ask))
    };
    Begun(gpus.iter().map(start).collect())
}

/// Waits until it is said who may pass a gate: until when this GPU may be used, if it may.
fn word(gate: &Gate, ordinal: u32, world: &World) -> Option<Instant> {
    loop {
        match gate.admits(ordinal) {
            Some(admitted) => return admitted.ok(),
            None if world.time_left().is_zero() => return None,
            None => pause(Duration::from_millis(3)),
        }
    }
}

/// Multiplies on these GPUs until `deadline`; some of them may have begun before.
pub fn collect(
    world: &World,
    libraries: &[Library],
    gpus: &[u32],
    budget: Budget,
    begun: Option<Begun<'_>>,
    deadline: Instant,
) -> Learnt {
    if let Some(why) = obstacle(libraries, gpus) {
        return not_run(&Gap::new(GapKind::NotAsked, why));
    }
    let begun = begun.map_or(Vec::new(), |begun| begun.0);
    let is_open = |gpu: &&u32| begun.iter().all(|(ordinal, _)| ordinal != *gpu);
    let open: Vec<u32> = gpus.iter().filter(is_open).copied().collect();
    let begun = Begun(begun);
    let mut told: Vec<_> = std::thread::scope(|scope| {
        let rest = begin(scope, world, libraries, &open, budget, None, deadline);
        begun.heard().into_iter().chain(rest.heard()).collect()
    });
    told.retain(|(_, run)| run.gpu.known().is_some_and(|gpu| gpus.contains(gpu)));
    told.sort_by_key(|(_, run)| run.gpu.known().copied());
    let (readings, runs): (Vec<Reading>, Vec<_>) = told.into_iter().unzip();
    let (mut multiplies, mut copies, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
    let mapped = readings.iter().find(|reading| !reading.mapped.is_unknown()).or(readings.first());
    let mapped_libraries = mapped.map_or(Fact::Absent, |reading| reading.mapped.clone());
    for reading in readings {
        multiplies.extend(reading.multiplies);
        copies.extend(reading.copies);
        patterns.extend(reading.patterns);
    }
    let patterns = if budget.patterns.is_zero() { Fact::Absent } else { Fact::Known(patterns) };
    let compute = Compute {
        multiplies: Fact::Known(multiplies),
        copies: Fact::Known(copies),
        mapped_libraries,
        ..Compute::default()
    };
    (compute, Memory { patterns }, runs)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn heard(ordinal: u32, probed: Probed<Reading>) -> (Reading, ProbeRun) {
    let Probed { reading, run, gap, lost, .. } = probed;
    let Reading { mut multiplies, mut copies, mut patterns, mapped } = super::complete(reading, gap.as_ref());
    for multiply in &mut multiplies {
        multiply.first_tflops = Fact::Absent;
    }
    for copy in &mut copies {
        copy.first_device_gb_per_second = Fact::Absent;
    }
    if multiplies.is_empty() {
        multiplies.push(Multiply { gpu: ordinal, ..super::complete(None, gap.as_ref()) });
    }
    if let Some(failure) = lost {
        let multiply = multiplies.iter_mut().map(|multiply| &mut multiply.failure);
        let copy = copies.iter_mut().map(|copy| &mut copy.failure);
        let pattern = patterns.iter_mut().map(|patterns| &mut patterns.failure);
        if let Some(open) = multiply.chain(copy).chain(pattern).find(|failure| failure.is_unknown()) {
            *open = Fact::Known(failure);
        }
        // One trouble is told once: what was not tried after it is not listed.
        multiplies.retain(|multiply| !multiply.failure.is_unknown());
    }
    (Reading { multiplies, copies, patterns, mapped }, run)
}

/// Where nobody came to ask, and why.
fn unheard(ordinal: u32, end: ProbeEnd, gap: Gap, errno: Option<String>) -> (Reading, ProbeRun) {
    let multiply = Multiply { gpu: ordinal, ..Multiply::all_unknown(&gap) };
    let run = ProbeRun {
        name: NAME.to_owned(),
        gpu: Fact::Known(ordinal),
        end,
        detail: Fact::Known(gap.detail),
        at: Fact::Absent,
        errno: Fact::present(errno),
        signal: Fact::Absent,
        wall_ms: 0.0,
    };
    (Reading { multiplies: vec![multiply], ..Reading::default() }, run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(id: LibraryId, chosen: bool, winner: Fact<String>) -> Library {
        Library { id, chosen, winner, ..Library::default() }
    }

    fn multiplies(libraries: &[Library], count: u64) -> Fact<Vec<Multiply>> {
        let world = World::at("/", Vec::new(), Duration::from_secs(1)).with_program("/nonexistent/program");
        collect(&world, libraries, &ordinals(count), Budget::default(), None, Instant::now() + Duration::from_secs(1))
            .0
            .multiplies
    }

    #[test]
    fn without_libraries_or_devices_nobody_is_asked_and_the_reason_is_kept() {
        let both = [
            library(LibraryId::Cudart, true, Fact::Known("/x/libcudart.so.12".to_owned())),
            library(LibraryId::Cublas, true, Fact::Known("/x/libcublas.so.12".to_owned())),
        ];
        let only_other = [both[0].clone(), library(LibraryId::Cublas, false, Fact::Known("/y".to_owned()))];
        for (libraries, count, why) in [
            (&[][..], 1, "no libcudart to ask"),
            (&both[..1], 1, "no libcublas to ask"),
            (&only_other[..], 1, "no libcublas to ask"),
            (&both[..], 0, "no CUDA device to ask"),
        ] {
            assert_eq!(multiplies(libraries, count), Fact::unknown(GapKind::NotAsked, why));
        }
    }

    #[test]
    fn a_child_that_cannot_start_leaves_one_multiply_that_says_so() {
        let both = [
            library(LibraryId::Cudart, true, Fact::Known("/x/libcudart.so.12".to_owned())),
            library(LibraryId::Cublas, true, Fact::Known("/x/libcublas.so.12".to_owned())),
        ];
        let Fact::Known(multiplies) = multiplies(&both, 2) else { panic!("two GPUs were asked") };
        assert_eq!(multiplies.iter().map(|multiply| multiply.gpu).collect::<Vec<_>>(), [0, 1]);
        let Fact::Unknown(gap) = &multiplies[1].proof else { panic!("nothing was proved") };
        assert_eq!(gap.kind, GapKind::NotStarted);
        assert!(gap.detail.contains("could not be started"), "{gap}");
        assert!(multiplies[1].failure.is_unknown(), "nothing was called");
    }
}
