//! Which integers prove what, and that they are exact in their formats.

use super::*;

const RANGES: [Range; 5] = [Range::Narrow, Range::Wide, Range::Long, Range::Bytes, Range::Few];

#[test]
fn all_factors_are_odd_but_one_column() {
    for range in RANGES {
        let operands = Operands::new(64, range, &mut Random::new(1));
        assert!(operands.a.iter().take(64).all(|value| value % 2 == 0));
        assert!(operands.a.iter().skip(64).chain(&operands.b).all(|value| value % 2 != 0));
    }
}

#[test]
fn no_sum_leaves_the_exact_integers_of_its_accumulator() {
    let bits = |range| match range {
        Range::Narrow | Range::Wide => 24,
        Range::Long => 53,
        Range::Bytes => 31,
        Range::Few => 13,
    };
    for range in RANGES {
        let operands = Operands::new(64, range, &mut Random::new(2));
        let (left, right) = range.factors();
        let most = |values: &[i16]| values.iter().map(|value| i64::from(value.unsigned_abs())).max().expect("values");
        assert!(most(&operands.a) <= left && most(&operands.b) <= right, "{range:?}");
        assert_eq!(operands.bound, 64 * left * right);
        let size = i64::try_from(range.largest()).expect("a size");
        assert!(size * left * right < 1 << bits(range), "{range:?}");
    }
}

#[test]
fn wide_integers_are_changed_by_tf32_and_narrow_ones_are_not() {
    let tf32 = |value: i16| f32::from_bits(f32::from(value).to_bits() & !0x1fff);
    let wide = Operands::new(8, Range::Wide, &mut Random::new(3));
    for (value, cut) in wide.a.iter().zip(wide.as_tf32().a) {
        assert_eq!(tf32(*value), f32::from(cut));
        assert_eq!(*value == cut, value.unsigned_abs() == 2);
    }
    let narrow = Operands::new(8, Range::Narrow, &mut Random::new(3));
    assert!(narrow.a.iter().all(|value| tf32(*value) == f32::from(*value)));
}

#[test]
fn integers_are_exact_in_the_device_formats() {
    for value in -7_i16..=7 {
        let wanted = f32::from(value);
        assert_eq!(f32::from_bits(u32::from(brain(wanted)) << 16), wanted);
    }
    assert_eq!([half(1.0), half(-2.0), half(7.0), half(0.0)], [0x3c00, 0xc000, 0x4700, 0]);
    assert_eq!(half(1.0 / 3.0), 0x3555);
    assert_eq!(encode_integers(&[1, -1], Element::Bfloat16), [0x80, 0x3f, 0x80, 0xbf]);
}

#[test]
fn bytes_are_what_their_formats_say() {
    // 1 2 7 240 1/64, and what is too small: OCP 8-bit floating point specification, E4M3.
    let found = [1.0, -2.0, 7.0, 240.0, 1.0 / 64.0, 1.0 / 4096.0, 3.3].map(quarter);
    assert_eq!(found, [0x38, 0xc0, 0x4e, 0x77, 0x08, 0x00, 0x45]);
    assert_eq!(encode_integers(&[1, -1, 127, -127], Element::Int8), [1, 255, 127, 129]);
    assert_eq!(encode_integers(&[-3], Element::Float64), (-3.0_f64).to_le_bytes());
}

#[test]
fn rows_become_columns() {
    assert_eq!(transposed(&[1, 2, 3, 4], 2), [1, 3, 2, 4]);
}

#[test]
fn fresh_numbers_are_others_each_time() {
    let first: std::collections::BTreeSet<u32> = (0..100).map(|_| Random::fresh().next_u32()).collect();
    assert!(first.len() > 95, "{first:?}");
}

#[test]
fn random_values_are_spread_around_zero() {
    let bytes = random_values(10_000, Element::Float32, &mut Random::new(4));
    let values: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four"))).collect();
    let mean = values.iter().sum::<f32>() / 10_000.0;
    let variance = values.iter().map(|value| value * value).sum::<f32>() / 10_000.0;
    assert!(mean.abs() < 0.05 && (0.9..1.1).contains(&variance), "{mean} {variance}");
}
