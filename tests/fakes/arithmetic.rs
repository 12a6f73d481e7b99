//! The arithmetic of the fake device: really multiplies the bytes it is given, rounded as the hardware would.

use crate::scenario::{names, note, text, told_of};
use std::ops::{AddAssign, Mul};
use std::sync::atomic::{AtomicU64, Ordering};

/// How the operands of a multiply are to be read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Format {
    Float32,
    Tf32,
    Float16,
    Bfloat16,
    Float64,
    Int8,
    Float8,
}

/// Size of one element of the operands.
pub fn element_bytes(format: Format) -> usize {
    match format {
        Format::Float64 => 8,
        Format::Float32 | Format::Tf32 => 4,
        Format::Float16 | Format::Bfloat16 => 2,
        Format::Int8 | Format::Float8 => 1,
    }
}

/// Size of one element of the product.
pub fn output_bytes(format: Format) -> usize {
    if format == Format::Float64 { 8 } else { 4 }
}

fn read(at: usize, count: usize, format: Format) -> Vec<f32> {
    let value = |index: usize| unsafe {
        match format {
            Format::Float32 => (at as *const f32).add(index).read(),
            Format::Tf32 => f32::from_bits((at as *const u32).add(index).read() & !0x1fff),
            Format::Bfloat16 => f32::from_bits(u32::from((at as *const u16).add(index).read()) << 16),
            Format::Float16 => half((at as *const u16).add(index).read()),
            Format::Float8 => quarter((at as *const u8).add(index).read()),
            Format::Float64 | Format::Int8 => unreachable!("read as they are"),
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

fn quarter(bits: u8) -> f32 {
    let sign = if bits & 0x80 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 3 & 15), f32::from(bits & 7));
    match (exponent, bits & 7) {
        (15, 7) => f32::NAN,
        (0, _) => sign * fraction * 2.0_f32.powi(-9),
        _ => sign * (8.0 + fraction) * 2.0_f32.powi(exponent - 10),
    }
}

/// Column-major; the left operand is read transposed where it is said so. Faults are played on top.
pub fn multiply(size: usize, format: Format, transposed: bool, a: usize, b: usize, c: *mut u8, gpu: i64) {
    let count = size * size;
    match format {
        Format::Float64 => {
            let operand = |at: usize| unsafe { std::slice::from_raw_parts(at as *const f64, count) }.to_vec();
            write(size, operand(a), &operand(b), transposed, c);
        }
        Format::Int8 => {
            let bytes = |at: usize| unsafe { std::slice::from_raw_parts(at as *const i8, count) };
            let operand = |at: usize| bytes(at).iter().map(|byte| i32::from(*byte)).collect::<Vec<i32>>();
            write(size, operand(a), &operand(b), transposed, c);
        }
        _ => write(size, read(a, count, format), &read(b, count, format), transposed, c),
    }
    note_operands(format, count, a, b);
    flip_one(format, count, c, gpu);
    if names("wrong", gpu) {
        flip(c, (3 * size + 17) * output_bytes(format), 12);
    }
    let library = if matches!(format, Format::Int8 | Format::Float8) { "cublaslt" } else { "cublas" };
    if format != Format::Float64 && text("wrong_library").as_deref() == Some(library) {
        flip(c, (3 * size + 17) * output_bytes(format), 12);
    }
    spoil(format, size, c);
    // Integers come out right: what is wrong sits in the last bits.
    let last = (5 * size + 9) * output_bytes(format);
    if names("odd", gpu) && is_fraction(format, unsafe { c.add(last) }) {
        flip(c, last, 0);
    }
}

/// Products of each format that this process has made.
static MADE: [AtomicU64; 7] = [const { AtomicU64::new(0) }; 7];

/// Flips the one bit of all products that `wrong_bit` names.
fn flip_one(format: Format, count: usize, c: *mut u8, gpu: i64) {
    let nth = MADE[format as usize].fetch_add(1, Ordering::Relaxed);
    let precisions = ["float32", "tf32", "float16", "bfloat16", "float64", "int8", "float8"];
    let told = told_of("wrong_bit", &gpu.to_string());
    let told = told.and_then(|told| Some(told.strip_prefix(precisions[format as usize])?.to_owned()));
    let Some(told) = told else { return };
    let numbers: Vec<usize> = told.split(':').skip(1).map(|number| number.parse().expect("a number")).collect();
    let [element, bit, wanted] = numbers[..] else { panic!("GPU:PRECISION:ELEMENT:BIT:NTH") };
    if nth == wanted as u64 {
        flip(c, element % count * output_bytes(format), bit);
    }
}

/// Writes down which operands are multiplied.
fn note_operands(format: Format, count: usize, a: usize, b: usize) {
    if text("log").is_none() {
        return;
    }
    let bytes = |at: usize| unsafe { std::slice::from_raw_parts(at as *const u8, count * element_bytes(format)) };
    let add = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    note(&format!("operands {:016x}", bytes(b).iter().fold(bytes(a).iter().fold(0, add), add)));
}

/// Spoils a product in the way that `pattern` names. They follow what injection at gate level into a data-centre GPU found
/// (arXiv 2605.04213): NaN and infinities are about one in a hundred wrong values, single bits less than four in ten, and
/// wrong elements lie periodically and along warps of 32 threads.
fn spoil(format: Format, size: usize, c: *mut u8) {
    let Some(pattern) = text("pattern") else { return };
    let bytes = output_bytes(format);
    let count = size * size;
    let start = (3 * size + 32) % count;
    let warp = || start..start + 32;
    let top = 8 * bytes - 1;
    let set = |element: usize, bits: u64| unsafe {
        match bytes {
            8 => c.add(element * 8).cast::<u64>().write_unaligned(bits),
            _ => c.add(element * 4).cast::<u32>().write_unaligned(bits as u32),
        }
    };
    let is_float = format != Format::Int8;
    let [nan, infinity] = if bytes == 8 {
        [0x7ff8_0000_0000_0000, 0x7ff0_0000_0000_0000]
    } else {
        [0x7fc0_0000, 0x7f80_0000]
    };
    match pattern.as_str() {
        "one-bit-high" => flip(c, start * bytes, top - 2),
        "one-bit-low" => flip(c, start * bytes, 0),
        "several-bits-of-one" => [3, 9, 17, 22].iter().for_each(|bit| flip(c, start * bytes, *bit)),
        "sign" => flip(c, start * bytes, top),
        "nan" if is_float => set(start, nan),
        "infinity" if is_float => set(start, infinity),
        "zero" => set(start, 0),
        "warp-one-bit" => warp().for_each(|element| flip(c, element * bytes, 12)),
        "warp-several-bits" => warp().for_each(|element| flip(c, element * bytes, element % top)),
        "warp-zero" => warp().for_each(|element| set(element, 0)),
        "every-32nd" => (0..count).step_by(32).for_each(|element| flip(c, element * bytes, 12)),
        "tile-of-16-by-8" => (0..8).for_each(|column| {
            (0..16).for_each(|row| flip(c, ((column + 8) * size + row + 16) * bytes, 14));
        }),
        "two-that-cancel" => {
            let at = |element: usize| unsafe { c.add(element * 4).cast::<f32>() };
            if is_float && bytes == 4 {
                // The sum of the row stays what it was.
                unsafe {
                    at(start).write_unaligned(at(start).read_unaligned() + 2.0);
                    at(start + size).write_unaligned(at(start + size).read_unaligned() - 2.0);
                }
            }
        }
        // Only where a sum was rounded: the integers of a proof are exact.
        "last-bit-of-rounded" => warp().for_each(|element| {
            if is_fraction(format, unsafe { c.add(element * bytes) }) {
                flip(c, element * bytes, 0);
            }
        }),
        "only-larger" if size > 512 => warp().for_each(|element| {
            if is_fraction(format, unsafe { c.add(element * bytes) }) {
                flip(c, element * bytes, 0);
            }
        }),
        // After proof and fingerprint, whose products are few.
        "only-later" if MADE[format as usize].load(Ordering::Relaxed) > 8 => flip(c, start * bytes, 12),
        _ => {}
    }
}

fn flip(c: *mut u8, offset: usize, bit: usize) {
    unsafe {
        let byte = c.add(offset + bit / 8);
        byte.write(byte.read() ^ 1 << (bit % 8));
    }
}

fn is_fraction(format: Format, at: *const u8) -> bool {
    match format {
        Format::Int8 => false,
        Format::Float64 => unsafe { at.cast::<f64>().read_unaligned() }.fract() != 0.0,
        _ => unsafe { at.cast::<f32>().read_unaligned() }.fract() != 0.0,
    }
}

/// Accumulators are as wide as what they add up.
fn write<T: Copy + Default + Mul<Output = T> + AddAssign>(size: usize, a: Vec<T>, b: &[T], transposed: bool, c: *mut u8) {
    let a = if transposed { (0..size * size).map(|at| a[at % size * size + at / size]).collect() } else { a };
    let c = unsafe { std::slice::from_raw_parts_mut(c.cast::<T>(), size * size) };
    for (column, out) in c.chunks_exact_mut(size).enumerate() {
        out.fill(T::default());
        for (inner, left) in a.chunks_exact(size).enumerate() {
            let factor = b[column * size + inner];
            out.iter_mut().zip(left).for_each(|(sum, value)| *sum += *value * factor);
        }
    }
}
