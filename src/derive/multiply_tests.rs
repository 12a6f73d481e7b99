//! What is expected of a multiply, and who stands out.

use super::*;
use crate::facts::{Gap, GapKind, Precision};

const H200: &str = "NVIDIA H200";

fn multiply(gpu: u32, name: &str, precision: Precision, tflops: f64) -> Multiply {
    Multiply {
        gpu,
        gpu_name: Fact::Known(name.to_owned()),
        precision,
        size: Fact::Known(8192),
        tflops: Fact::Known(tflops),
        ..Multiply::default()
    }
}

fn derived(multiplies: Vec<Multiply>, gpus: Vec<Gpu>) -> Vec<Multiply> {
    let mut facts = Facts { gpus: Fact::Known(gpus), ..Facts::default() };
    facts.compute.multiplies = Fact::Known(multiplies);
    derive(&mut facts);
    let once = facts.compute.multiplies.known().expect("multiplies").clone();
    derive(&mut facts);
    assert_eq!(facts.compute.multiplies, Fact::Known(once.clone()), "deriving twice changes nothing");
    once
}

fn one(multiply: Multiply, gpus: Vec<Gpu>) -> Multiply {
    derived(vec![multiply], gpus).remove(0)
}

fn gap() -> Gap {
    Gap::new(GapKind::Crashed, "cublasGemmEx")
}

#[test]
fn a_known_model_is_held_against_what_its_family_reaches() {
    let found = one(multiply(0, H200, Precision::Bfloat16, 751.64), Vec::new());
    assert_eq!(found.expected_tflops, Fact::Known(751.64));
    assert_eq!(found.share_of_expected, Fact::Known(1.0));
    assert_eq!(found.expected_from.known().map(String::as_str), Some("0.76 of the dense peak 989 of NVIDIA H200"));
}

fn with_settings(multiply: Multiply, settings: &[(&str, &str)]) -> Multiply {
    let setting = |(name, value): &(&str, &str)| crate::facts::Setting {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        ..crate::facts::Setting::default()
    };
    let mut facts = Facts::default();
    facts.environment.settings = Fact::Known(settings.iter().map(setting).collect());
    facts.compute.multiplies = Fact::Known(vec![multiply]);
    crate::derive::share::derive(&mut facts);
    derive(&mut facts);
    facts.compute.multiplies.known().expect("multiplies")[0].clone()
}

#[test]
fn the_variable_that_turns_tf32_off_explains_tf32_and_nothing_else() {
    let expected = |precision, value| {
        let found = with_settings(multiply(0, H200, precision, 50.0), &[("NVIDIA_TF32_OVERRIDE", value)]);
        found.expected_tflops
    };
    assert_eq!(expected(Precision::Tf32, "0"), expected(Precision::Float32, "1"));
    assert!(*expected(Precision::Tf32, "1").known().expect("a rate") > 300.0);
    for precision in [Precision::Float32, Precision::Float16, Precision::Bfloat16, Precision::Float64] {
        assert_eq!(expected(precision, "0"), expected(precision, "1"), "{precision}");
    }
}

#[test]
fn a_share_scales_the_expectation_and_what_mps_has_cut_is_cut_once() {
    let whole = with_settings(multiply(0, H200, Precision::Bfloat16, 200.0), &[]);
    let whole = *whole.expected_tflops.known().expect("a rate");
    for variable in ["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "CUDA_DEVICE_SM_LIMIT"] {
        let found = with_settings(multiply(0, H200, Precision::Bfloat16, 200.0), &[(variable, "30")]);
        assert!((found.expected_tflops.known().expect("a rate") - whole * 0.3).abs() < 0.01);
        assert!(found.expected_from.known().expect("words").ends_with(&format!("{variable}=30")));
    }
    let mut cut = multiply(0, H200, Precision::Bfloat16, 200.0);
    cut.sm_count = Fact::Known(38);
    let found = with_settings(cut, &[("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "30")]);
    assert!((found.expected_tflops.known().expect("a rate") - whole * 38.0 / 132.0).abs() < 0.01, "{found:?}");
}

#[test]
fn nothing_is_expected_of_matrices_that_had_to_be_small() {
    let sized = |precision, size, free| {
        let mut one = multiply(0, H200, precision, 100.0);
        (one.size, one.memory_free_bytes) = (Fact::Known(size), Fact::Known(free));
        one
    };
    let (little, much) = (1_200_000_000, 140_000_000_000);
    let expected = |multiply| one(multiply, Vec::new()).expected_tflops;
    assert_eq!(expected(sized(Precision::Float8, 2048, little / 2)), Fact::Absent);
    assert_eq!(expected(sized(Precision::Float8, 4096, little)), Fact::Absent);
    assert!(expected(sized(Precision::Float8, 4096, much)).known().is_some(), "it was small for it was slow");
    assert!(expected(sized(Precision::Float32, 2048, little / 2)).known().is_some(), "no tensor cores to fill");
}

#[test]
fn a_slice_is_held_against_its_own_sms() {
    let mut slice = multiply(0, "NVIDIA H200 MIG 1g.18gb", Precision::Bfloat16, 90.0);
    slice.sm_count = Fact::Known(16);
    let expected = *one(slice, Vec::new()).expected_tflops.known().expect("a rate");
    assert!((expected - 751.64 * 16.0 / 132.0).abs() < 0.01, "{expected}");
}

#[test]
fn a_lowered_power_limit_lowers_the_expectation_by_its_square_root() {
    let capped = |limit, default| Gpu {
        name: Fact::Known(H200.to_owned()),
        power_limit_watts: limit,
        power_default_watts: default,
        ..Gpu::default()
    };
    let rate =
        |gpu| *one(multiply(0, H200, Precision::Bfloat16, 1.0), vec![gpu]).expected_tflops.known().expect("a rate");
    let full = rate(capped(Fact::Known(700.0), Fact::Known(700.0)));
    assert!((rate(capped(Fact::Known(350.0), Fact::Known(700.0))) / full - 0.5_f64.sqrt()).abs() < 0.001);
    assert!(
        (rate(capped(Fact::Known(350.0), Fact::Absent)) / full - 0.5_f64.sqrt()).abs() < 0.001,
        "the table's limit"
    );
    assert!((rate(capped(Fact::Absent, Fact::Known(700.0))) - full).abs() < 0.001);
    assert!((rate(capped(Fact::Known(900.0), Fact::Known(0.0))) - full).abs() < 0.001);
}

#[test]
fn an_unknown_model_is_held_against_half_of_what_it_is_made_of() {
    let mut found = multiply(0, "NVIDIA X9000", Precision::Float16, 100.0);
    found.sm_count = Fact::Known(100);
    found.compute_capability = Fact::Known("9.0".to_owned());
    assert_eq!(one(found.clone(), Vec::new()).expected_tflops, Fact::Absent, "no clock");
    let gpu =
        Gpu { name: Fact::Known("NVIDIA X9000".to_owned()), sm_clock_max_mhz: Fact::Known(1000), ..Gpu::default() };
    let derived = one(found.clone(), vec![gpu.clone()]);
    assert_eq!(derived.expected_tflops, Fact::Known(0.5 * 100.0 * 4096.0 * 1000.0 / 1e6));
    found.compute_capability = Fact::Known("99.0".to_owned());
    assert_eq!(one(found, vec![gpu]).share_of_expected, Fact::Absent);
}

#[test]
fn nothing_is_expected_of_small_multiplies_or_without_the_hardware() {
    let mut small = multiply(0, H200, Precision::Bfloat16, 100.0);
    small.size = Fact::Known(1024);
    assert_eq!(one(small.clone(), Vec::new()).expected_tflops, Fact::Absent);
    small.size = Fact::Absent;
    assert_eq!(one(small.clone(), Vec::new()).expected_from, Fact::Absent);
    small.size = Fact::Unknown(gap());
    assert_eq!(one(small, Vec::new()).expected_tflops, Fact::Unknown(gap()));
    let volta = multiply(0, "Tesla V100-SXM2-16GB", Precision::Bfloat16, 10.0);
    assert_eq!(one(volta, Vec::new()).expected_tflops, Fact::Absent);
}

#[test]
fn a_rate_that_nobody_measured_has_no_share() {
    let mut lost = multiply(0, H200, Precision::Bfloat16, 0.0);
    lost.tflops = Fact::Unknown(gap());
    let found = one(lost.clone(), Vec::new());
    assert_eq!((found.share_of_expected, found.share_of_siblings), (Fact::Unknown(gap()), Fact::Unknown(gap())));
    lost.tflops = Fact::Absent;
    assert_eq!(one(lost, Vec::new()).share_of_expected, Fact::Absent);
}

#[test]
fn a_slow_gpu_stands_out_among_three_and_not_among_two() {
    let of = |rates: &[f64]| {
        let gpus = (0..).zip(rates).map(|(gpu, rate)| multiply(gpu, H200, Precision::Tf32, *rate)).collect();
        derived(gpus, Vec::new()).into_iter().map(|multiply| multiply.share_of_siblings).collect::<Vec<_>>()
    };
    assert_eq!(of(&[300.0, 300.0, 100.0])[2], Fact::Known(0.333));
    assert_eq!(of(&[300.0, 300.0, 300.0, 100.0])[0], Fact::Known(1.0));
    assert_eq!(of(&[300.0, 100.0]), [Fact::Absent, Fact::Absent]);
    assert_eq!(of(&[0.0, 0.0, 0.0])[0], Fact::Absent);
}

#[test]
fn bits_that_only_one_of_three_gives_stand_out() {
    let of = |digests: &[&str]| {
        let with = |(gpu, digest): (u32, &&str)| {
            let fingerprint = Fact::Known((*digest).to_owned());
            Multiply { fingerprint, ..multiply(gpu, H200, Precision::Float16, 700.0) }
        };
        let all = derived((0..).zip(digests).map(with).collect(), Vec::new());
        all.into_iter().map(|multiply| multiply.fingerprint_common).collect::<Vec<_>>()
    };
    assert_eq!(of(&["a", "b", "a"]), [true, false, true].map(Fact::Known));
    assert_eq!(of(&["a", "b"]), [Fact::Absent, Fact::Absent], "either may be the wrong one");
    assert_eq!(of(&["a", "b", "c"]), [Fact::Absent, Fact::Absent, Fact::Absent], "nothing repeats itself here");
    assert_eq!(of(&["a", "a", "b", "b"])[0], Fact::Absent);
    let mut slice = multiply(3, H200, Precision::Float16, 90.0);
    (slice.sm_count, slice.fingerprint) = (Fact::Known(16), Fact::Known("z".to_owned()));
    let whole = Multiply { fingerprint: Fact::Known("a".to_owned()), ..multiply(0, H200, Precision::Float16, 1.0) };
    let mixed = derived(vec![whole.clone(), whole.clone(), whole, slice], Vec::new());
    assert_eq!(mixed[3].fingerprint_common, Fact::Absent, "a slice may use another algorithm");
    let mut lost = multiply(0, H200, Precision::Tf32, 1.0);
    lost.fingerprint = Fact::Unknown(gap());
    assert_eq!(one(lost, Vec::new()).fingerprint_common, Fact::Unknown(gap()));
}

#[test]
fn no_expectation_is_more_than_threefold_away_from_its_family() {
    for precision in Precision::ALL {
        // Per SM, so that big and small boards of one family can be compared.
        let rate = |model: &gpus::GpuModel| {
            let (rate, _) = from_model(&multiply(0, &model.name, *precision, 1.0), &model.name, None)?;
            Some(rate / f64::from(model.sm_count?))
        };
        for model in gpus::gpus() {
            let Some(own) = rate(model) else { continue };
            let family = gpus::gpus().iter().filter(|other| other.family == model.family);
            let siblings = Siblings::new(family.filter_map(rate).map(|rate| ((), 0, rate)));
            let Fact::Known(share) = siblings.share_of_all(&(), own, 1) else { panic!("at least itself") };
            assert!((1.0 / 3.0..=3.0).contains(&share), "{} {precision}: {own} is {share} of the middle", model.name);
        }
    }
}
