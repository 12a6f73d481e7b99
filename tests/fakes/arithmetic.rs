//! The arithmetic of the fake device: really multiplies the bytes it is given, rounded as the hardware would.

use crate::scenario::names;

/// How the operands of a multiply are to be read.
#[derive(Clone, Copy, PartialEq)]
pub enum Format {
    Float32,
    Tf32,
    Float16,
    Bfloat16,
}

/// Size of one element.
pub fn element_bytes(format: Format) -> usize {
    match format {
        Format::Float32 | Format::Tf32 => 4,
        Format::Float16 | Format::Bfloat16 => 2,
    }
}

fn read(at: usize, count: usize, format: Format) -> Vec<f32> {
    let value = |index: usize| unsafe {
        match format {
            Format::Float32 => (at as *const f32).add(index).read(),
            Format::Tf32 => f32::from_bits((at as *const u32).add(index).read() & !0x1fff),
            Format::Bfloat16 => f32::from_bits(u32::from((at as *const u16).add(index).read()) << 16),
            Format::Float16 => half((at as *const u16).add(index).read()),
        }
    };
    (0..count).map(value).collect()
}

fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2.0_f32.powi(-24),
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2.0_f32.powi(exponent - 25),
    }
}

/// Column-major, with 32-bit accumulators.
pub fn multiply(size: usize, format: Format, a: usize, b: usize, c: *mut f32, gpu: i64) {
    let (a, b) = (read(a, size * size, format), read(b, size * size, format));
    let c = unsafe { std::slice::from_raw_parts_mut(c, size * size) };
    for (column, out) in c.chunks_exact_mut(size).enumerate() {
        out.fill(0.0);
        for (inner, left) in a.chunks_exact(size).enumerate() {
            let factor = b[column * size + inner];
            out.iter_mut().zip(left).for_each(|(sum, value)| *sum += value * factor);
        }
    }
    if names("wrong", gpu) {
        let element = &mut c[3 * size + 17];
        *element = f32::from_bits(element.to_bits() ^ 1 << 12);
    }
    // Integers come out right: what is wrong sits in the last bits.
    let last = &mut c[5 * size + 9];
    if names("odd", gpu) && last.fract() != 0.0 {
        *last = f32::from_bits(last.to_bits() ^ 1);
    }
}
