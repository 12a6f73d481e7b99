//! One file per source of facts. A probe reads and has no opinion.

use serde_json::Value;

use crate::facts::{Fact, Failure, Gap, Gaps, ProbeEnd, ProbeRun};
use crate::world::World;
use crate::world::child::{Progress, forbid_device_nodes};
use crate::world::library::CallFailed;

pub mod advisories;
pub mod compile;
pub mod compute;
pub mod container;
pub mod cuda;
pub mod driver;
mod elf;
pub mod environment;
pub mod framework;
mod glob;
mod gpu;
pub mod identity;
pub mod image;
pub mod image_config;
pub mod isolation;
pub mod libraries;
pub mod limits;
pub mod linking;
pub mod links;
pub mod native;
pub mod network;
pub mod nvml;
mod os_release;
pub mod packages;
mod paths;
pub mod process;
mod procfs;
pub mod services;
pub mod startup;
pub mod storage;
pub mod vex;
pub mod workload;
pub mod written;

/// Serves one probe that loads libraries as a child of ourselves: the other end of [`crate::world::child::probe`].
/// Whether it could.
pub fn serve(name: &str, input: Value, mut progress: Progress) -> bool {
    forbid_device_nodes();
    let progress = &mut progress;
    let world = World::here(std::time::Duration::from_hours(1));
    let served = match name {
        libraries::NAME => libraries::serve(&world, input, progress),
        nvml::NAME => nvml::serve(&world, input, progress),
        nvml::watch::NAME => nvml::watch::serve(&world, input, progress),
        cuda::NAME => cuda::serve(&world, input, progress),
        compute::NAME => compute::serve(&world, input, progress),
        links::NAME => links::serve(&world, input, progress),
        links::NCCL => links::serve_nccl(&world, input, progress),
        _ => return false,
    };
    served.is_ok()
}

/// The end of a probe that had nothing to ask.
fn skipped(name: &str) -> ProbeRun {
    ProbeRun {
        name: name.to_owned(),
        gpu: Fact::Absent,
        end: ProbeEnd::Skipped,
        at: Fact::Absent,
        detail: Fact::Absent,
        errno: Fact::Absent,
        signal: Fact::Absent,
        wall_ms: 0.0,
    }
}

/// What the end of a probe says; one that was interrupted, or never started, might have hung, crashed or answered.
fn unless_unheard<T>(run: &ProbeRun, gap: Option<&Gap>, fact: Fact<T>) -> Fact<T> {
    match gap {
        Some(gap) if matches!(run.end, ProbeEnd::Interrupted | ProbeEnd::NotStarted) => Fact::Unknown(gap.clone()),
        _ => fact,
    }
}

/// What a child told, or when it never said anything, a reading whose every fact says why.
fn complete<T: Default + Gaps>(reading: Option<T>, gap: Option<&Gap>) -> T {
    reading.or_else(|| gap.map(T::all_unknown)).unwrap_or_default()
}

/// The failure of a call, as it is recorded. What was learnt before stays; what was not reached says why.
fn note_failure(reading: &mut impl Gaps, failed: &CallFailed) -> Fact<Failure> {
    let failure = failed.failure();
    reading.fill_gaps(&failure.gap());
    Fact::Known(failure)
}
