//! Who else is on a GPU: what explains a low rate before the hardware is asked.
//!
//! What NVML showed before any of our multiplies counts: its processes, how busy the GPU was, and where process ids are
//! hidden the memory that is in use by nobody that it shows. During the multiplies only processes beside ours do. Where
//! NVML was too slow to be asked before, its readings may show ourselves: then it stays open who else was there, unless
//! NVML showed one process alone during the multiplies, which is ours.

use super::boards::{Boards, first_of_each};
use crate::facts::{Fact, Facts, GapKind, Gpu, Multiply, Phase};

/// Share of a GPU's memory that may be in use while nobody works on it, where NVML does not say what the driver keeps.
const IDLE_SHARE: f64 = 0.05;

/// Memory beyond what the driver keeps for itself from which on somebody uses it: a context takes more.
const CONTEXT_BYTES: u64 = 128 << 20;

/// Percent of the time at work from which on somebody works on it.
const BUSY_PERCENT: u32 = 5;

/// Libraries that share a GPU out among containers when the loader puts them into every process, by a part of their file
/// name. Sources: the sources of HAMi-core and Volcano's vGPU (`libvgpu.so`), of TKE's vcuda-controller
/// (`libcuda-control.so`), of vgpu-manager (`libvgpu-control.so`) and of Gemini of `KubeShare` (`libgemhook.so.1`).
const SHARE_LAYERS: [&str; 4] = ["libvgpu.so", "libvgpu-control.so", "libcuda-control.so", "libgemhook.so"];

/// Fills in who they are, and what of each multiply and copy they explain. The shares of memory are derived before.
pub fn derive(facts: &mut Facts) {
    let asked_late = facts.nvml.asked_before_work == Fact::Known(false);
    let is_live = facts.run.phase == Phase::Live;
    if let Fact::Known(gpus) = &mut facts.gpus {
        for gpu in gpus {
            gpu.neighbours = neighbours(gpu, asked_late, is_live);
        }
    }
    let beside = Beside { boards: Boards::of(facts), on_any: on_any(facts), layer: share_layer(facts) };
    let of_multiplies: Option<Vec<Fact<String>>> =
        facts.compute.multiplies.known().map(|all| all.iter().map(|one| beside.explained(one)).collect());
    let of_copies: Option<Vec<Fact<String>>> = facts.compute.copies.known().map(|copies| {
        let multiplies = facts.compute.multiplies.known().map_or(&[][..], Vec::as_slice);
        let same = first_of_each(multiplies.iter().map(|multiply| (multiply.gpu, multiply)));
        let of = |gpu| match same.get(&gpu) {
            Some(multiply) => beside.explained(multiply),
            None => beside.explained(&Multiply { gpu, ..Multiply::default() }),
        };
        // Who may use a part of the multiprocessors draws on a part of the memory's bandwidth.
        let limited = facts.compute.share_limited_by.known();
        copies.iter().map(|copy| limited.cloned().map_or_else(|| of(copy.gpu), Fact::Known)).collect()
    });
    if let (Some(of), Fact::Known(multiplies)) = (of_multiplies, &mut facts.compute.multiplies) {
        multiplies.iter_mut().zip(of).for_each(|(multiply, explained)| multiply.explained = explained);
    }
    if let (Some(of), Fact::Known(copies)) = (of_copies, &mut facts.compute.copies) {
        copies.iter_mut().zip(of).for_each(|(copy, explained)| copy.explained = explained);
    }
}

/// What may explain low rates.
struct Beside<'a> {
    boards: Boards<'a>,
    on_any: Fact<String>,
    layer: Option<&'a String>,
}

impl Beside<'_> {
    /// What explains a low rate of this multiply.
    fn explained(&self, multiply: &Multiply) -> Fact<String> {
        match (self.layer, self.boards.under(multiply)) {
            (Some(layer), _) => Fact::Known(format!("{layer} shares the GPU out")),
            (None, Fact::Known(gpu)) => on_it(gpu),
            // Where it cannot be told which of NVML's GPUs it is, whoever is on any of them may be on this one.
            (None, _) => self.on_any.clone(),
        }
    }
}

fn on_it(gpu: &Gpu) -> Fact<String> {
    gpu.neighbours.clone().map(|who| format!("{who} on it"))
}

/// Who is on any of the GPUs.
fn on_any(facts: &Facts) -> Fact<String> {
    match &facts.gpus {
        Fact::Known(gpus) => {
            let known = gpus.iter().map(on_it).find(|who| who.known().is_some());
            known.unwrap_or_else(|| gpus.iter().map(on_it).find(Fact::is_unknown).unwrap_or(Fact::Absent))
        }
        // Before the workload starts nobody is expected there, so what cannot be asked excuses nobody then.
        Fact::Unknown(gap) if facts.run.phase == Phase::Live => Fact::Unknown(gap.clone()),
        _ => Fact::Absent,
    }
}

/// The preloaded library that shares GPUs out.
fn share_layer(facts: &Facts) -> Option<&String> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    facts.environment.preloaded.known()?.iter().find(|path| SHARE_LAYERS.iter().any(|one| name(path).starts_with(one)))
}

fn neighbours(gpu: &Gpu, asked_late: bool, is_live: bool) -> Fact<String> {
    let beside_us = gpu.load.known().and_then(|load| load.process_count.known()).filter(|count| **count > 1);
    let is_ours_alone = gpu.load.known().is_some_and(|load| load.process_count == Fact::Known(1));
    let mut words: Vec<String> = Vec::new();
    if !asked_late {
        words.extend(before(gpu, is_live));
    }
    if words.is_empty() {
        words.extend(beside_us.map(|count| match count - 1 {
            1 => "another process during the multiplies".to_owned(),
            others => format!("{others} other processes during the multiplies"),
        }));
    }
    match (words.is_empty(), &gpu.memory_used_share) {
        (false, _) => Fact::Known(words.join(", ")),
        (true, _) if asked_late && !is_ours_alone => Fact::unknown(
            GapKind::TimedOut,
            "NVML answered only once the multiplies ran, and nobody saw who else was there",
        ),
        // In phase live somebody is expected, so what cannot be had leaves it open.
        (true, Fact::Unknown(gap)) if is_live => Fact::Unknown(gap.clone()),
        _ => Fact::Absent,
    }
}

/// What showed before we worked.
fn before(gpu: &Gpu, is_live: bool) -> Vec<String> {
    let used = gpu.memory_bytes.known().zip(gpu.memory_free_bytes.known()).map(|(all, free)| all.saturating_sub(*free));
    let is_full = gpu.memory_used_share.known().is_some_and(|share| *share > IDLE_SHARE);
    if gpu.mig_enabled == Fact::Known(true) {
        // What is said of the whole GPU is also of its other slices.
        let held = used.filter(|_| is_full && is_live);
        return held.map(|bytes| format!("{} in use", gib(bytes))).into_iter().collect();
    }
    let processes = gpu.processes.known().map_or(&[][..], Vec::as_slice);
    let mut words: Vec<String> = processes
        .iter()
        .take(3)
        .map(|process| match process.memory_bytes.known() {
            Some(bytes) => format!("process {} with {}", process.pid, gib(*bytes)),
            None => format!("process {}", process.pid),
        })
        .collect();
    let count = gpu.process_count.known().map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX));
    if count > words.len() {
        words.push(format!("{} more", count - words.len()));
    }
    if words.is_empty() {
        let reserved = gpu.memory_reserved_bytes.known().copied().unwrap_or(0);
        let others = used.map(|bytes| bytes.saturating_sub(reserved));
        let held = others.filter(|bytes| if reserved > 0 { *bytes > CONTEXT_BYTES } else { is_full });
        words.extend(held.map(|bytes| format!("{} in use by nobody that NVML shows", gib(bytes))));
    }
    // A driver that is loaded for us alone scrubs memory, which looks like work.
    let stays = gpu.persistence == Fact::Known(true);
    let busy = gpu.utilization_percent.known().filter(|percent| **percent >= BUSY_PERCENT);
    if let Some(percent) = busy.filter(|_| stays || !words.is_empty()) {
        words.push(format!("at work in {percent} % of the time before"));
    }
    words
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64)
}

#[cfg(test)]
#[path = "neighbours_tests.rs"]
mod tests;
