//! What looks come to, and who gets it.

use super::*;
use crate::facts::{Throttle, ThrottleReason};

fn look(reasons: ThrottleReasons, mhz: u32, watts: f64) -> Look {
    Look {
        reasons,
        sm_clock_mhz: Fact::Known(mhz),
        power_watts: Fact::Known(watts),
        temperature_celsius: Fact::Known(60),
        pcie_generation: Fact::Known(5),
        pcie_width: Fact::unknown(GapKind::NotPermitted, "nvmlDeviceGetCurrPcieLinkWidth"),
        process_count: Fact::Known(1),
    }
}

fn load(looks: &[Look]) -> GpuLoad {
    sum(looks, Fact::Known(0)).known().expect("a load").clone()
}

#[test]
fn a_context_without_work_does_not_count_and_the_rest_is_summed_up() {
    let capped = ThrottleReasons::SW_POWER_CAP;
    let mut looks = vec![look(ThrottleReasons::empty(), 1980, 120.0); 5];
    looks.extend([look(capped, 1700, 690.0), look(capped, 1600, 700.0), look(capped, 1650, 680.0)]);
    looks.push(look(ThrottleReasons::SYNC_BOOST, 1800, 640.0));
    let load = load(&looks);
    assert_eq!((load.sample_count, load.sm_clock_mhz, load.power_watts), (4, Fact::Known(1700), Fact::Known(700.0)));
    let held = [Throttle { reason: ThrottleReason::SwPowerCap, share: 0.75 }];
    assert_eq!(load.throttles, held, "one look alone shows a moment");
    assert!(load.pcie_width.is_unknown(), "what nobody could read is not made up");
}

#[test]
fn a_gpu_that_is_braked_half_way_is_still_seen() {
    let mut looks = vec![look(ThrottleReasons::empty(), 1755, 650.0); 4];
    looks.extend(vec![look(ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, 345, 140.0); 4]);
    assert_eq!(load(&looks).throttles, [Throttle { reason: ThrottleReason::HwPowerBrakeSlowdown, share: 0.5 }]);
}

#[test]
fn two_looks_say_nothing() {
    assert_eq!(sum(&vec![look(ThrottleReasons::HW_SLOWDOWN, 345, 100.0); 2], Fact::Known(0)), Fact::Absent);
    assert_eq!(sum(&[], Fact::Absent), Fact::Absent);
}

#[test]
fn a_gpu_that_does_not_tell_its_power_is_seen_too() {
    let mut dumb = look(ThrottleReasons::empty(), 1000, 0.0);
    dumb.power_watts = Fact::Absent;
    let load = load(&vec![dumb; 3]);
    assert_eq!((load.sample_count, load.power_watts), (3, Fact::Absent));
}

#[test]
fn every_gpu_gets_what_was_seen_of_it_or_why_nothing_was() {
    let two = || Fact::Known(vec![Gpu { index: 0, ..Gpu::default() }, Gpu { index: 1, ..Gpu::default() }]);
    let seen = |watched: Fact<Vec<Watched>>| {
        let mut gpus = two();
        adopt(&mut Nvml::default(), &mut gpus, UnderLoad { gpus: watched, answered: Fact::Known(true) });
        gpus.known().expect("two").iter().map(|gpu| gpu.xids.clone()).collect::<Vec<_>>()
    };
    let one = Watched { index: 1, load: Fact::Absent, xids: Fact::Known(vec![79]) };
    let found = seen(Fact::Known(vec![one]));
    assert!(found[0].is_unknown());
    assert_eq!(found[1], Fact::Known(vec![79]));
    assert_eq!(seen(Fact::Absent), [Fact::Absent, Fact::Absent]);
    let gap = Gap::new(GapKind::TimedOut, "nvmlInit_v2");
    assert_eq!(seen(Fact::Unknown(gap.clone()))[0], Fact::Unknown(gap));
}
