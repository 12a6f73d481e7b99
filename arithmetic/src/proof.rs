//! Whether a product is right, to the last bit and over the whole output.
//!
//! Freivalds' check: for random x, `A·(B·x)` must equal `C·x`. It takes n² steps
//! where multiplying again takes n³. Sums are taken modulo 2^64. The entries of x
//! are odd, so none makes a difference vanish: one wrong element in a row is always
//! caught. Of several in one row, whatever all but one of them are, at most one of
//! the 2^16 values of the last entry of x hides them, so both rounds miss them with
//! a chance of at most 2^-32; that holds as long as they differ by less than 2^48,
//! and elements beyond the bound of their product are refused before.

use crate::{Operands, Output, Random};

/// Rounds of Freivalds' check, each with a fresh x.
const ROUNDS: usize = 2;

/// Bits of the entries of x, beside the sign.
const PROBE_BITS: u32 = 16;

/// Elements that are multiplied out on the host beside it, in case Freivalds' check itself were broken.
const SAMPLES: usize = 16;

/// Checks the whole of a column-major product, by its bytes. The error says what is wrong, for a person.
pub fn check(operands: &Operands, output: Output, product: &[u8], random: &mut Random) -> Result<(), String> {
    match output {
        Output::Float32 => {
            let floats = product.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes)));
            check_integers(operands, &integers::<i32>(operands, floats)?, random)
        }
        Output::Int32 => {
            let numbers = product.as_chunks().0.iter().map(|bytes| f64::from(i32::from_le_bytes(*bytes)));
            check_integers(operands, &integers::<i32>(operands, numbers)?, random)
        }
        Output::Float64 => {
            let floats = product.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
            check_integers(operands, &integers::<i64>(operands, floats)?, random)
        }
    }
}

fn check_integers<T: Copy + Into<i64>>(operands: &Operands, product: &[T], random: &mut Random) -> Result<(), String> {
    let size = operands.size;
    for _ in 0..ROUNDS {
        let probe: Vec<i64> = (0..size).map(|_| random.odd(PROBE_BITS)).collect();
        let inner = times(&operands.b, &probe);
        let wanted = times(&operands.a, &inner);
        let found = times(product, &probe);
        let wrong: Vec<usize> = (0..size).filter(|row| wanted.get(*row) != found.get(*row)).collect();
        if let Some(row) = wrong.first() {
            return Err(describe(operands, product, *row, wrong.len()));
        }
    }
    for _ in 0..SAMPLES {
        let (row, column) = (below(random, size), below(random, size));
        let (wanted, found) = (element(operands, row, column), at(product, size, row, column));
        if wanted != found {
            return Err(format!("element ({row}, {column}) is {found}, not {wanted}"));
        }
    }
    Ok(())
}

/// Every element as the integer it must be, or which is none. In memory they take no more than the product itself.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::float_cmp, reason = "below 2^53")]
fn integers<T: TryFrom<i64>>(operands: &Operands, product: impl Iterator<Item = f64>) -> Result<Vec<T>, String> {
    let (size, bound) = (operands.size, operands.bound as f64);
    let mut integers = Vec::with_capacity(size * size);
    for value in product {
        // NaN becomes 0 and differs from it.
        let integer = value as i64;
        match T::try_from(integer) {
            Ok(small) if value.abs() <= bound && integer as f64 == value => integers.push(small),
            _ => {
                let (row, column) = (integers.len() % size.max(1), integers.len() / size.max(1));
                let wanted = element(operands, row, column);
                return Err(format!("element ({row}, {column}) is {value:?}, not {wanted}"));
            }
        }
    }
    if size == 0 || integers.len() != size * size {
        return Err(format!("{} elements came back, {} were expected", integers.len(), size * size));
    }
    Ok(integers)
}

/// A square column-major matrix times a vector.
fn times<T: Copy + Into<i64>>(matrix: &[T], vector: &[i64]) -> Vec<i64> {
    let mut result = vec![0_i64; vector.len()];
    for (column, factor) in matrix.chunks_exact(vector.len().max(1)).zip(vector) {
        for (sum, value) in result.iter_mut().zip(column) {
            *sum = sum.wrapping_add(Into::<i64>::into(*value).wrapping_mul(*factor));
        }
    }
    result
}

fn below(random: &mut Random, size: usize) -> usize {
    random.next_u32() as usize % size
}

fn at<T: Copy + Into<i64>>(matrix: &[T], size: usize, row: usize, column: usize) -> i64 {
    matrix.get(column * size + row).map_or(0, |value| (*value).into())
}

/// One element of the product, multiplied out.
fn element(operands: &Operands, row: usize, column: usize) -> i64 {
    let size = operands.size;
    (0..size).map(|inner| at(&operands.a, size, row, inner) * at(&operands.b, size, inner, column)).sum()
}

/// Names the first wrong element of a row.
fn describe<T: Copy + Into<i64>>(operands: &Operands, integers: &[T], row: usize, wrong_rows: usize) -> String {
    let size = operands.size;
    let differs = |column: &usize| element(operands, row, *column) != at(integers, size, row, *column);
    let rows = if wrong_rows == 1 { "1 row".to_owned() } else { format!("{wrong_rows} rows") };
    match (0..size).find(differs) {
        Some(column) => {
            let (wanted, found) = (element(operands, row, column), at(integers, size, row, column));
            format!("element ({row}, {column}) is {found}, not {wanted}; {rows} of {size} wrong")
        }
        None => format!("row {row} is wrong; {rows} of {size} wrong"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Range;

    const KINDS: [(Range, Output); 5] = [
        (Range::Narrow, Output::Float32),
        (Range::Wide, Output::Float32),
        (Range::Long, Output::Float64),
        (Range::Bytes, Output::Int32),
        (Range::Few, Output::Float32),
    ];

    fn bytes(value: i64, output: Output) -> Vec<u8> {
        match output {
            Output::Float32 => (value as f32).to_le_bytes().to_vec(),
            Output::Float64 => (value as f64).to_le_bytes().to_vec(),
            Output::Int32 => i32::try_from(value).expect("a sum").to_le_bytes().to_vec(),
        }
    }

    fn product(operands: &Operands, output: Output) -> Vec<u8> {
        let size = operands.size;
        (0..size * size).flat_map(|at| bytes(element(operands, at % size, at / size), output)).collect()
    }

    #[test]
    fn the_right_product_passes() {
        for (range, output) in KINDS {
            let mut random = Random::new(7);
            let operands = Operands::new(32, range, &mut random);
            assert_eq!(check(&operands, output, &product(&operands, output), &mut random), Ok(()));
        }
    }

    #[test]
    fn every_single_flipped_bit_is_caught() {
        for (range, output) in KINDS {
            let mut random = Random::new(11);
            let operands = Operands::new(16, range, &mut random);
            let right = product(&operands, output);
            // All bits of all 256 elements: nothing is left to chance.
            for bit in 0..right.len() * 8 {
                let mut wrong = right.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                let index = bit / 8 / output.bytes();
                let found = check(&operands, output, &wrong, &mut random).expect_err("a flipped bit");
                assert!(found.contains(&format!("({}, {})", index % 16, index / 16)), "bit {bit}: {found}");
            }
        }
    }

    #[test]
    fn two_errors_that_cancel_in_a_plain_sum_are_caught() {
        let mut random = Random::new(13);
        let operands = Operands::new(32, Range::Narrow, &mut random);
        let right = product(&operands, Output::Float32);
        for _ in 0..200 {
            let mut wrong = right.clone();
            let (row, first) = (below(&mut random, 32), below(&mut random, 32));
            let second = (first + 1 + below(&mut random, 31)) % 32;
            for (column, change) in [(first, 2), (second, -2)] {
                let value = element(&operands, row, column) + change;
                let place = (column * 32 + row) * 4;
                wrong[place..place + 4].copy_from_slice(&bytes(value, Output::Float32));
            }
            assert!(check(&operands, Output::Float32, &wrong, &mut random).is_err());
        }
    }

    #[test]
    fn an_output_nobody_wrote_is_caught() {
        let mut random = Random::new(17);
        for (range, output, poison) in [
            (Range::Narrow, Output::Float32, 0xff),
            (Range::Long, Output::Float64, 0xff),
            (Range::Bytes, Output::Int32, 0x80),
        ] {
            let operands = Operands::new(8, range, &mut random);
            let mut unwritten = product(&operands, output);
            let last = unwritten.len() - output.bytes();
            unwritten[last..].fill(poison);
            let found = check(&operands, output, &unwritten, &mut random).expect_err("poison");
            assert!(found.contains("(7, 7) is NaN") || found.contains("(7, 7) is -2139062144"), "{found}");
            assert!(check(&operands, output, &[], &mut random).is_err());
        }
    }

    #[test]
    fn a_product_of_tf32_is_told_from_a_wrong_one() {
        let mut random = Random::new(19);
        let operands = Operands::new(32, Range::Wide, &mut random);
        let tf32 = operands.as_tf32();
        let product = product(&tf32, Output::Float32);
        assert!(check(&operands, Output::Float32, &product, &mut random).is_err());
        assert_eq!(check(&tf32, Output::Float32, &product, &mut random), Ok(()));
    }
}
