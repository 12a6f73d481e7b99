//! What is seen of GPUs while they work.

use std::time::{Duration, Instant};

use gpu_preflight::facts::{Fact, GapKind, Gpu, GpuLoad, ProbeEnd, ProbeRun, ThrottleReason};
use gpu_preflight::probe::nvml::watch;
use gpu_preflight::world::child::Working;

use super::{FakeMachine, PATIENCE, gap_kind, known, soon};
use crate::support::failures::Scenario;
use crate::support::fake_machine::collect_on;
use crate::support::patience::{self, allowed};

/// Looks at the GPUs of a scenario until each has been looked at some ten times: the GPUs, how the look ended, and how
/// long it went on afterwards.
fn watched(scenario: &str) -> (Vec<Gpu>, ProbeRun, Duration) {
    // Every look at a GPU begins with this call; none of these scenarios has more than three.
    watched_until(scenario, |calls| calls >= 30)
}

/// The same until `enough` holds of the number of looks, or the look has ended by itself.
fn watched_until(scenario: &str, enough: impl Fn(usize) -> bool) -> (Vec<Gpu>, ProbeRun, Duration) {
    let machine = FakeMachine::plays(scenario);
    let (mut nvml, mut gpus, _) = machine.nvml();
    let working = Working::default();
    let (seen, run, late) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch::collect(&machine.world, &working, soon(PATIENCE)));
        let looks = || machine.calls().iter().filter(|call| *call == "nvmlEventSetWait_v2").count();
        patience::until("the GPUs are looked at", || enough(looks()) || watcher.is_finished());
        working.end();
        let over = Instant::now();
        let (seen, run) = watcher.join().expect("a reading");
        (seen, run, over.elapsed())
    });
    watch::adopt(&mut nvml, &mut gpus, seen);
    assert_eq!(nvml.load_watched, Fact::Known(run.end == ProbeEnd::Completed));
    (known(&gpus), run, late)
}

fn load(gpu: &Gpu) -> GpuLoad {
    known(&gpu.load)
}

#[test]
fn a_gpu_at_work_is_seen_many_times_and_its_power_cap_is_a_bit_of_its_own() {
    let (gpus, run, late) = watched("count=2;held=1:c8");
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    assert!(late < allowed(0.5), "nobody waits for it: {late:?}");
    let (healthy, held) = (load(&gpus[0]), load(&gpus[1]));
    assert!(healthy.sample_count >= 3, "{healthy:?}");
    assert_eq!((known(&healthy.sm_clock_mhz), known(&healthy.power_watts)), (1732, 692.0));
    assert_eq!((known(&healthy.pcie_generation), known(&healthy.pcie_width)), (5, 16));
    let reasons = |load: &GpuLoad| load.throttles.iter().map(|throttle| throttle.reason).collect::<Vec<_>>();
    assert_eq!(reasons(&healthy), [ThrottleReason::SwPowerCap]);
    let three = [ThrottleReason::HwSlowdown, ThrottleReason::HwThermalSlowdown, ThrottleReason::HwPowerBrakeSlowdown];
    assert_eq!(reasons(&held), three);
    assert!(held.throttles.iter().all(|throttle| throttle.share > 0.9), "{held:?}");
    assert_eq!((known(&held.sm_clock_mhz), known(&held.temperature_celsius)), (660, 93));
}

#[test]
fn power_is_that_of_the_moment_and_else_the_mean() {
    let (gpus, ..) = watched("instant=0");
    assert_eq!(load(&gpus[0]).power_watts, Fact::Known(346.0));
}

#[test]
fn an_idle_gpu_was_not_at_work() {
    let (gpus, ..) = watched("held=0:1");
    assert_eq!((&gpus[0].load, &gpus[0].xids), (&Fact::Absent, &Fact::Known(Vec::new())));
}

#[test]
fn an_xid_belongs_to_the_gpu_that_met_it() {
    let (gpus, ..) = watched("count=3;xid=1:79");
    let xids: Vec<_> = gpus.iter().map(|gpu| known(&gpu.xids)).collect();
    assert_eq!(xids, [vec![], vec![79], vec![]]);
}

#[test]
fn what_no_gpu_can_have_is_no_load() {
    let (gpus, ..) = watched("garbage=1");
    let load = load(&gpus[0]);
    assert_eq!(gap_kind(&load.sm_clock_mhz), GapKind::Malformed);
    assert_eq!(
        (gap_kind(&load.temperature_celsius), gap_kind(&load.pcie_width)),
        (GapKind::Malformed, GapKind::Malformed)
    );
}

#[test]
fn a_gpu_that_is_lost_meanwhile_says_so_and_hides_no_other() {
    let (gpus, ..) = watched("count=2;vanish=nvmlDeviceRegisterEvents:1");
    assert!(gpus[0].load.known().is_some());
    assert!(gpus[1].load.is_unknown() && gpus[1].xids.is_unknown(), "{:?}", gpus[1]);
}

#[test]
fn a_library_that_ends_the_process_costs_only_what_was_not_yet_said() {
    let (gpus, run, _) = watched_until("crash=nvmlDeviceRegisterEvents", |_| false);
    assert_eq!(run.end, ProbeEnd::Crashed, "{run:?}");
    assert_eq!((gap_kind(&gpus[0].load), gap_kind(&gpus[0].xids)), (GapKind::Crashed, GapKind::Crashed));
}

#[test]
fn a_library_that_hangs_is_not_waited_for() {
    let (_, _, late) = watched_until("hang=nvmlEventSetWait_v2", |looks| looks > 0);
    assert!(late < allowed(0.5), "{late:?}");
}

#[test]
fn the_cause_that_is_reported_when_a_multiply_fails_is_heard() {
    // Who watches has not heard the driver yet when the multiply is over.
    let fake = "xid=0:79;fail=cudaDeviceSynchronize:999;after=nvmlEventSetWait_v2:cudaDeviceSynchronize".to_owned();
    let collected = collect_on(&Scenario { fake, gpus: Some(1), ..Scenario::default() });
    assert_eq!(known(&known(&collected.facts.gpus)[0].xids), [79]);
}
