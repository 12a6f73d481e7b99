//! Numbers to multiply: integers for the proof, random values for the timing, and their device formats.
//!
//! The integers are chosen so that a product can be checked to the last bit:
//! every element and every partial sum is an exact 32-bit float whatever the
//! order of additions, and since all factors are odd but one column of A, every
//! element of the product is odd. So none is zero, zero has no second spelling
//! that could hide a flipped sign, and every bit pattern but one is wrong.

use crate::{Element, Random};

/// Which integers a proof multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Up to ±7: exact in every format down to brain floats.
    Narrow,
    /// A up to ±8189, B ±1: exact in 32-bit floats, changed by TF32, so that a silent use of TF32 is seen.
    Wide,
    /// Both up to ±8189: exact in 64-bit floats, and in no narrower ones.
    Long,
    /// Both up to ±127: exact in 32-bit integers.
    Bytes,
    /// A up to ±7, B ±1: exact also where 8-bit floats are added up in 14 bits, as the tensor cores of Hopper do between
    /// two additions to the accumulator.
    Few,
}

impl Range {
    /// The largest size whose partial sums stay exact, and whose readback stays cheap.
    pub const fn largest(self) -> usize {
        match self {
            Self::Narrow | Self::Bytes => 4096,
            Self::Wide | Self::Long => 2048, // 2048 · 8189 < 2^24
            Self::Few => 1024,               // 1024 · 7 < 2^13
        }
    }

    /// The largest factors on both sides.
    const fn factors(self) -> (i64, i64) {
        match self {
            Self::Narrow => (7, 7),
            Self::Wide => (8189, 1),
            Self::Long => (8189, 8189),
            Self::Bytes => (127, 127),
            Self::Few => (7, 1),
        }
    }
}

/// Two square column-major matrices of integers.
pub struct Operands {
    /// Rows and columns; even.
    pub size: usize,
    /// The left one.
    pub a: Vec<i16>,
    /// The right one.
    pub b: Vec<i16>,
    /// No element of the product is larger.
    pub bound: i64,
}

impl Operands {
    /// Fresh integers.
    pub fn new(size: usize, range: Range, random: &mut Random) -> Self {
        let mut left = |_| match range {
            Range::Narrow | Range::Few => odd_digit(random),
            Range::Wide | Range::Long => wide(random),
            Range::Bytes => odd_byte(random),
        };
        let mut a: Vec<i16> = (0..size * size).map(&mut left).collect();
        // One even column makes every element a sum of an odd number of odd numbers and an even one.
        a.iter_mut().take(size).for_each(|value| *value = if *value < 0 { -2 } else { 2 });
        let right = |_| match range {
            Range::Narrow => odd_digit(random),
            Range::Wide | Range::Few => 1 - 2 * i16::from(random.next_u32() & 1 == 1),
            Range::Long => wide(random),
            Range::Bytes => odd_byte(random),
        };
        let b = (0..size * size).map(right).collect();
        let (left, right) = range.factors();
        Self { size, a, b, bound: i64::try_from(size).unwrap_or(i64::MAX).saturating_mul(left * right) }
    }

    /// The same operands as a TF32 multiply would see them: the lower bits of A cut off.
    ///
    /// The wide values are one above a multiple of four, so cutting and rounding give the same.
    #[must_use]
    pub fn as_tf32(&self) -> Self {
        let cut = |value: &i16| if value.unsigned_abs() < 4096 { *value } else { *value - value.signum() };
        Self { size: self.size, a: self.a.iter().map(cut).collect(), b: self.b.clone(), bound: self.bound }
    }
}

/// ±1, ±3, ±5 or ±7
fn odd_digit(random: &mut Random) -> i16 {
    let random = random.next_u32();
    let magnitude = i16::from(random.to_le_bytes()[1] & 6 | 1);
    if random & 1 == 0 { magnitude } else { -magnitude }
}

/// An odd number up to ±127
fn odd_byte(random: &mut Random) -> i16 {
    let random = random.next_u32();
    let magnitude = i16::from(random.to_le_bytes()[1] & 0x7e | 1);
    if random & 1 == 0 { magnitude } else { -magnitude }
}

/// ±4097, ±4101 … ±8189
fn wide(random: &mut Random) -> i16 {
    let random = random.next_u32();
    let steps = i16::from_le_bytes([random.to_le_bytes()[1], random.to_le_bytes()[2] & 3]);
    let magnitude = 4097 + steps * 4;
    if random & 1 == 0 { magnitude } else { -magnitude }
}

/// Rows as columns.
pub fn transposed(values: &[i16], size: usize) -> Vec<i16> {
    (0..size * size).map(|at| values.get(at % size * size + at / size).copied().unwrap_or_default()).collect()
}

/// Integers in a device format; all of ours are exact in it.
pub fn encode_integers(values: &[i16], element: Element) -> Vec<u8> {
    encode(values.iter().map(|value| f32::from(*value)), values.len(), element)
}

/// What brings 32 random bits into the step between two values, about 2^-7.
const STEPS_BETWEEN: f64 = (1_u64 << 39) as f64;

/// Random values around zero in a device format: sums of four uniform ones, close enough to a normal distribution.
pub fn random_values(count: usize, element: Element, random: &mut Random) -> Vec<u8> {
    let value = |random: &mut Random| {
        let [one, two, three, four] = random.next_u32().to_le_bytes();
        let sum = u16::from(one) + u16::from(two) + u16::from(three) + u16::from(four);
        // Integers have no fractions to be spread over.
        (f32::from(sum) - 510.0) / if element == Element::Int8 { 4.1 } else { 148.0 }
    };
    if element == Element::Float64 {
        // Between two such values lie the bits that only a mantissa of 53 has.
        let finer = |_| (f64::from(value(random)) + f64::from(random.next_u32()) / STEPS_BETWEEN).to_le_bytes();
        return (0..count).flat_map(finer).collect();
    }
    encode((0..count).map(|_| value(random)), count, element)
}

fn encode(values: impl Iterator<Item = f32>, count: usize, element: Element) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count * element.bytes());
    match element {
        Element::Float64 => values.for_each(|value| bytes.extend_from_slice(&f64::from(value).to_le_bytes())),
        Element::Float32 => values.for_each(|value| bytes.extend_from_slice(&value.to_le_bytes())),
        Element::Float16 => values.for_each(|value| bytes.extend_from_slice(&half(value).to_le_bytes())),
        Element::Bfloat16 => values.for_each(|value| bytes.extend_from_slice(&brain(value).to_le_bytes())),
        Element::Int8 => values.for_each(|value| bytes.extend_from_slice(&byte(value).to_le_bytes())),
        Element::Float8 => values.for_each(|value| bytes.push(quarter(value))),
    }
    bytes
}

/// The upper half of a 32-bit float, rounded half up in magnitude.
fn brain(value: f32) -> u16 {
    (value.to_bits().wrapping_add(0x8000) >> 16) as u16
}

/// A 16-bit float, rounded half up in magnitude. Only for magnitudes below 65504; tiny ones become zero.
#[expect(clippy::cast_possible_truncation, reason = "the masks leave 16 bits")]
fn half(value: f32) -> u16 {
    let bits = value.to_bits().wrapping_add(0x1000);
    let sign = bits >> 16 & 0x8000;
    let exponent = bits >> 23 & 0xff;
    if exponent <= 112 {
        return sign as u16;
    }
    (sign | (exponent - 112) << 10 & 0x7c00 | bits >> 13 & 0x3ff) as u16
}

/// An 8-bit integer, towards zero.
#[expect(clippy::cast_possible_truncation, reason = "it is clamped")]
fn byte(value: f32) -> i8 {
    value.clamp(-127.0, 127.0) as i8
}

/// An 8-bit float (E4M3), rounded half up in magnitude. Only for magnitudes below 448; tiny ones become zero.
#[expect(clippy::cast_possible_truncation, reason = "the masks leave 8 bits")]
fn quarter(value: f32) -> u8 {
    let bits = value.to_bits().wrapping_add(0x8_0000);
    let sign = bits >> 24 & 0x80;
    let exponent = bits >> 23 & 0xff;
    if exponent <= 120 {
        return sign as u8;
    }
    (sign | (exponent - 120) << 3 & 0x78 | bits >> 20 & 7) as u8
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // exactness is what is tested
#[path = "operands_tests.rs"]
mod tests;
