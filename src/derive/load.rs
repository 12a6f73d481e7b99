//! What NVML showed of GPUs at work.

use std::collections::HashSet;

use super::boards::Boards;
use super::{both, rounded};
use crate::facts::reference::xids;
use crate::facts::{Fact, Facts, GapKind, Gpu, GpuLoad, Throttle, ThrottleReason};

/// Share of the looks from which on something held the clocks down. A GPU that starts to work may be held for a moment.
const HELD_SHARE: f64 = 0.1;

/// Fills the derived fields about load.
pub fn derive(facts: &mut Facts) {
    let own = own_gpus(facts);
    if let Fact::Known(gpus) = &mut facts.gpus {
        for gpu in gpus {
            let is_own = own.is_empty() || own.contains(&gpu.index);
            let [heat, brake] = [ThrottleReason::HwThermalSlowdown, ThrottleReason::HwPowerBrakeSlowdown];
            gpu.heat_slowdown_share = if is_own { share(gpu, heat) } else { Fact::Absent };
            gpu.power_brake_share = if is_own { share(gpu, brake) } else { Fact::Absent };
            gpu.xid_faults = if is_own { xid_faults(gpu) } else { Fact::Absent };
        }
    }
    // Where NVML was lost nobody is told of heat by itself, so it excuses no rate either.
    let is_told = facts.nvml.load_watched == Fact::Known(true);
    let boards = Boards::of(facts);
    let derived = facts.compute.multiplies.as_ref().map(|multiplies| {
        let of = |multiply| boards.under(multiply);
        let one = |multiply| (is_told && throttled(&of(multiply)), meanwhile(of(multiply)));
        multiplies.iter().map(one).collect::<Vec<_>>()
    });
    let (Fact::Known(derived), Fact::Known(multiplies)) = (derived, &mut facts.compute.multiplies) else { return };
    for (multiply, (throttled, meanwhile)) in multiplies.iter_mut().zip(derived) {
        multiply.throttled = Fact::Known(throttled);
        multiply.meanwhile = meanwhile;
    }
}

/// The GPUs that we multiplied on, by NVML's numbers; none where that cannot be told. NVML shows others too, where a part
/// of a machine is hidden from CUDA alone, and what they go through is not ours.
fn own_gpus(facts: &Facts) -> HashSet<u32> {
    let boards = Boards::of(facts);
    let multiplies = facts.compute.multiplies.known().map_or(&[][..], Vec::as_slice);
    multiplies.iter().filter_map(|multiply| boards.under(multiply).known().map(|gpu| gpu.index)).collect()
}

/// In how much of the time that it worked this held its clocks down.
fn share(gpu: &Gpu, reason: ThrottleReason) -> Fact<f64> {
    shown(gpu, gpu.load.as_ref()).map(|load| {
        load.throttles.iter().find(|throttle| throttle.reason == reason).map_or(0.0, |throttle| rounded(throttle.share))
    })
}

/// What this container or this GPU may not be asked is no gap: it is nobody's to mend from there.
fn shown<T>(gpu: &Gpu, reading: Fact<T>) -> Fact<T> {
    let is_refusal = |kind| matches!(kind, GapKind::NotPermitted | GapKind::NotSupported | GapKind::NoSymbol);
    match reading {
        Fact::Unknown(gap) if is_refusal(gap.kind) || gpu.mig_enabled == Fact::Known(true) => Fact::Absent,
        other => other,
    }
}

fn throttled(gpu: &Fact<&Gpu>) -> bool {
    let held = |share: &Fact<f64>| share.known().is_some_and(|share| *share >= HELD_SHARE);
    gpu.known().is_some_and(|gpu| held(&gpu.heat_slowdown_share) || held(&gpu.power_brake_share))
}

/// What held it down, most of the time first, and how it was.
fn meanwhile(gpu: Fact<&Gpu>) -> Fact<String> {
    gpu.and_then(|gpu| {
        gpu.load.as_ref().and_then(|load| {
            let parts: Vec<String> = held(gpu, load).into_iter().chain(numbers(gpu, load)).collect();
            Fact::present((!parts.is_empty()).then(|| parts.join(", ")))
        })
    })
}

/// The power cap holds every healthy GPU under full load a little, so it is only named where the clock is low.
fn held(gpu: &Gpu, load: &GpuLoad) -> Vec<String> {
    let clock = both(load.sm_clock_mhz.clone(), gpu.sm_clock_max_mhz.clone(), |clock, most| clock * 4 >= most * 3);
    let is_usual = |throttle: &Throttle| throttle.reason == ThrottleReason::SwPowerCap && clock == Fact::Known(true);
    let tells = |throttle: &&Throttle| throttle.share >= HELD_SHARE && !is_usual(throttle);
    let mut throttles: Vec<_> = load.throttles.iter().filter(tells).collect();
    throttles.sort_by(|one, other| other.share.total_cmp(&one.share));
    throttles.iter().map(|held| format!("{} in {:.0} % of the time", held.reason, held.share * 100.0)).collect()
}

fn numbers(gpu: &Gpu, load: &GpuLoad) -> Vec<String> {
    let clock = load.sm_clock_mhz.known().map(|clock| match gpu.sm_clock_max_mhz.known() {
        Some(most) => format!("SM clock {clock} of {most} MHz"),
        None => format!("SM clock {clock} MHz"),
    });
    let power = load.power_watts.known().map(|power| match gpu.power_limit_watts.known() {
        Some(limit) => format!("{power:.0} of {limit:.0} W"),
        None => format!("{power:.0} W"),
    });
    let heat = load.temperature_celsius.known().map(|celsius| format!("{celsius} °C"));
    [clock, power, heat].into_iter().flatten().collect()
}

/// The reported faults of the GPU or its links, each with what is to be done.
fn xid_faults(gpu: &Gpu) -> Fact<String> {
    shown(gpu, gpu.xids.as_ref()).and_then(|codes| {
        let rows = codes.iter().filter_map(|code| xids::fault(*code));
        let words: Vec<String> = rows.map(|row| format!("Xid {}, {} ({})", row.code, row.name, row.action)).collect();
        Fact::present((!words.is_empty()).then(|| words.join("; ")))
    })
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
