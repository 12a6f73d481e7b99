//! Who is joined with whom, and what is said of a load.

use super::*;
use crate::facts::{Gap, Multiply};

fn gpu(index: u32, address: &str, load: Fact<GpuLoad>) -> Gpu {
    Gpu {
        index,
        name: Fact::Known("NVIDIA H200".to_owned()),
        pci_address: Fact::Known(address.to_owned()),
        sm_clock_max_mhz: Fact::Known(1980),
        power_limit_watts: Fact::Known(700.0),
        load,
        ..Gpu::default()
    }
}

fn held(reason: ThrottleReason, share: f64) -> Fact<GpuLoad> {
    Fact::Known(GpuLoad {
        sm_clock_mhz: Fact::Known(690),
        power_watts: Fact::Known(310.4),
        temperature_celsius: Fact::Known(91),
        throttles: vec![Throttle { reason, share }],
        ..GpuLoad::default()
    })
}

fn multiply(ordinal: u32, address: Fact<String>) -> Multiply {
    Multiply { gpu: ordinal, pci_address: address, ..Multiply::default() }
}

fn derived(gpus: Vec<Gpu>, multiply: Multiply) -> Facts {
    let mut facts = Facts { gpus: Fact::Known(gpus), ..Facts::default() };
    facts.environment.cuda_visible_count = Fact::Absent;
    facts.nvml.load_watched = Fact::Known(true);
    facts.compute.multiplies = Fact::Known(vec![multiply]);
    derive(&mut facts);
    facts
}

fn one(gpus: Vec<Gpu>, multiply: Multiply) -> Multiply {
    derived(gpus, multiply).compute.multiplies.known().expect("a multiply")[0].clone()
}

#[test]
fn a_multiply_is_joined_by_its_pci_address_and_not_by_its_number() {
    let hot = held(ThrottleReason::HwThermalSlowdown, 0.96);
    let gpus = || vec![gpu(0, "00000000:1B:00.0", hot.clone()), gpu(1, "00000001:1B:00.0", Fact::Absent)];
    let first = one(gpus(), multiply(0, Fact::Known("0001:1b:00.0".to_owned())));
    assert_eq!((first.throttled, first.meanwhile), (Fact::Known(false), Fact::Absent));
    let second = one(gpus(), multiply(1, Fact::Known("0000:1b:00.0".to_owned())));
    assert_eq!(second.throttled, Fact::Known(true));
    assert_eq!(
        second.meanwhile.known().map(String::as_str),
        Some("HwThermalSlowdown in 96 % of the time, SM clock 690 of 1980 MHz, 310 of 700 W, 91 °C")
    );
    let nowhere = one(gpus(), multiply(0, Fact::Known("0002:1b:00.0".to_owned())));
    assert_eq!((nowhere.throttled, nowhere.meanwhile), (Fact::Known(false), Fact::Absent));
}

#[test]
fn heat_that_nobody_is_told_of_excuses_no_rate() {
    let hot = held(ThrottleReason::HwThermalSlowdown, 0.96);
    let mut facts = derived(vec![gpu(0, "00000000:1B:00.0", hot)], multiply(0, Fact::Absent));
    facts.nvml.load_watched = Fact::Known(false);
    derive(&mut facts);
    assert_eq!(facts.compute.multiplies.known().expect("a multiply")[0].throttled, Fact::Known(false));
}

#[test]
fn what_a_gpu_of_somebody_else_goes_through_is_not_ours() {
    let hot = || held(ThrottleReason::HwThermalSlowdown, 0.96);
    let gpus = vec![gpu(0, "00000000:1B:00.0", hot()), gpu(1, "00000000:1C:00.0", hot())];
    let facts = derived(gpus, multiply(0, Fact::Known("0000:1c:00.0".to_owned())));
    let shares: Vec<_> = facts.gpus.known().expect("two").iter().map(|gpu| gpu.heat_slowdown_share.clone()).collect();
    assert_eq!(shares, [Fact::Absent, Fact::Known(0.96)]);
}

#[test]
fn without_an_address_only_what_leaves_no_choice_is_joined() {
    let hot = held(ThrottleReason::HwThermalSlowdown, 0.96);
    let old = || Fact::unknown(GapKind::NoSymbol, "cuDeviceGetPCIBusId");
    let gpus = || vec![gpu(0, "00000000:1B:00.0", Fact::Absent), gpu(1, "00000000:1C:00.0", hot.clone())];
    assert_eq!(one(gpus(), multiply(1, old())).throttled, Fact::Known(true));
    assert_eq!(one(gpus(), multiply(0, old())).throttled, Fact::Known(false));
    let mut unlike = gpus();
    unlike[0].name = Fact::Known("NVIDIA L4".to_owned());
    assert_eq!(one(unlike, multiply(1, old())).throttled, Fact::Known(false));
}

#[test]
fn a_power_cap_and_a_short_hold_accuse_nobody() {
    let found = |load| one(vec![gpu(0, "00000000:1B:00.0", load)], multiply(0, Fact::Absent));
    let capped = found(held(ThrottleReason::SwPowerCap, 1.0));
    assert_eq!(capped.throttled, Fact::Known(false));
    assert!(capped.meanwhile.known().is_some_and(|words| words.starts_with("SwPowerCap in 100 %")), "{capped:?}");
    let Fact::Known(mut usual) = held(ThrottleReason::SwPowerCap, 1.0) else { unreachable!("it is known") };
    usual.sm_clock_mhz = Fact::Known(1700);
    let usual = found(Fact::Known(usual));
    assert!(usual.meanwhile.known().is_some_and(|words| words.starts_with("SM clock 1700")), "{usual:?}");
    let short = found(held(ThrottleReason::HwPowerBrakeSlowdown, 0.05));
    assert_eq!(short.throttled, Fact::Known(false));
    assert!(short.meanwhile.known().is_some_and(|words| words.starts_with("SM clock 690")), "{short:?}");
}

#[test]
fn shares_follow_the_load_and_what_could_not_be_read_stays_a_gap() {
    let shares = |load| {
        let facts = derived(vec![gpu(0, "00000000:1B:00.0", load)], multiply(0, Fact::Absent));
        let gpu = facts.gpus.known().expect("a GPU")[0].clone();
        (gpu.heat_slowdown_share, gpu.power_brake_share)
    };
    let brake = held(ThrottleReason::HwPowerBrakeSlowdown, 0.5);
    assert_eq!(shares(brake), (Fact::Known(0.0), Fact::Known(0.5)));
    assert_eq!(shares(Fact::Absent), (Fact::Absent, Fact::Absent));
    let gap = Gap::new(GapKind::TimedOut, "nvmlInit_v2");
    assert_eq!(shares(Fact::Unknown(gap.clone())).0, Fact::Unknown(gap));
    assert_eq!(shares(Fact::unknown(GapKind::NotPermitted, "nvmlDeviceGetPowerUsage")).0, Fact::Absent);
}

#[test]
fn only_faults_of_the_gpu_are_named() {
    let faults = |codes: &[u32]| {
        let mut one = gpu(0, "00000000:1B:00.0", Fact::Absent);
        one.xids = Fact::Known(codes.to_vec());
        derived(vec![one], multiply(0, Fact::Absent)).gpus.known().expect("a GPU")[0].xid_faults.clone()
    };
    assert_eq!(faults(&[]), Fact::Absent);
    assert_eq!(faults(&[31, 43, 45, 4711]), Fact::Absent);
    let Fact::Known(words) = faults(&[45, 79]) else { panic!("79 is a fault") };
    assert!(words.starts_with("Xid 79, GPU fell off the bus (") && !words.contains("45"), "{words}");
}
