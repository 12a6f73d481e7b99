//! Whether a product is right, to the last bit and over the whole output.
//!
//! Freivalds' check: for random x, `A·(B·x)` must equal `C·x`. It takes n² steps
//! where multiplying again takes n³. All sums are exact in 64-bit integers. The
//! entries of x are odd, so never zero: one wrong element is always caught, and
//! several in one row escape two rounds with a chance of one in 2^29.

use super::operands::{Operands, Random};

/// Rounds of Freivalds' check, each with a fresh x.
const ROUNDS: usize = 2;

/// Bits of the entries of x: with it and 2048 · 8189 as the largest sums, nothing leaves 64 bits.
const PROBE_BITS: u32 = 15;

/// Elements that are multiplied out on the host beside it, in case Freivalds' check itself were broken.
const SAMPLES: usize = 16;

/// Checks the whole of `c`, column-major. The error says what is wrong, for a person.
pub fn check(operands: &Operands, c: &[f32], random: &mut Random) -> Result<(), String> {
    let size = operands.size;
    if size == 0 || c.len() != size * size {
        return Err(format!("{} elements came back, {} were expected", c.len(), size * size));
    }
    let integers = integers(operands, c)?;
    for _ in 0..ROUNDS {
        let probe: Vec<i64> = (0..size).map(|_| random.odd(PROBE_BITS)).collect();
        let inner = times(&operands.b, &probe);
        let wanted = times(&operands.a, &inner);
        let found = times(&integers, &probe);
        let wrong: Vec<usize> = (0..size).filter(|row| wanted.get(*row) != found.get(*row)).collect();
        if let Some(row) = wrong.first() {
            return Err(describe(operands, &integers, *row, wrong.len()));
        }
    }
    for _ in 0..SAMPLES {
        let (row, column) = (below(random, size), below(random, size));
        let (wanted, found) = (element(operands, row, column), at(&integers, size, row, column));
        if wanted != found {
            return Err(format!("element ({row}, {column}) is {found}, not {wanted}"));
        }
    }
    Ok(())
}

/// Every element as the integer it must be, or which is none.
#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "whole numbers below 2^24 are exact in both")]
fn integers(operands: &Operands, c: &[f32]) -> Result<Vec<i32>, String> {
    let bound = operands.bound as f32;
    let mut integers = Vec::with_capacity(c.len());
    for value in c {
        // NaN becomes 0 and differs from it.
        let integer = *value as i32;
        if value.abs() > bound || integer as f32 != *value {
            let (row, column) = (integers.len() % operands.size, integers.len() / operands.size);
            let wanted = element(operands, row, column);
            return Err(format!("element ({row}, {column}) is {value:?}, not {wanted}"));
        }
        integers.push(integer);
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
    random.next() as usize % size
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
fn describe(operands: &Operands, integers: &[i32], row: usize, wrong_rows: usize) -> String {
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
    use super::super::operands::Range;
    use super::*;

    fn product(operands: &Operands) -> Vec<f32> {
        let size = operands.size;
        (0..size * size).map(|index| element(operands, index % size, index / size) as f32).collect()
    }

    #[test]
    fn the_right_product_passes() {
        for range in [Range::Narrow, Range::Wide] {
            let mut random = Random::new(7);
            let operands = Operands::new(32, range, &mut random);
            assert_eq!(check(&operands, &product(&operands), &mut random), Ok(()));
        }
    }

    #[test]
    fn every_single_flipped_bit_is_caught() {
        for range in [Range::Narrow, Range::Wide] {
            let mut random = Random::new(11);
            let operands = Operands::new(16, range, &mut random);
            let right = product(&operands);
            // All 32 bits of all 256 elements: nothing is left to chance.
            for (index, bit) in (0..right.len()).flat_map(|index| (0..32).map(move |bit| (index, bit))) {
                let mut wrong = right.clone();
                wrong[index] = f32::from_bits(wrong[index].to_bits() ^ 1 << bit);
                let found = check(&operands, &wrong, &mut random).expect_err("a flipped bit");
                assert!(found.contains(&format!("({}, {})", index % 16, index / 16)), "bit {bit} of {index}: {found}");
            }
        }
    }

    #[test]
    fn two_errors_that_cancel_in_a_plain_sum_are_caught() {
        let mut random = Random::new(13);
        let operands = Operands::new(32, Range::Narrow, &mut random);
        for _ in 0..200 {
            let mut wrong = product(&operands);
            let (row, first) = (below(&mut random, 32), below(&mut random, 32));
            let second = (first + 1 + below(&mut random, 31)) % 32;
            wrong[first * 32 + row] += 2.0;
            wrong[second * 32 + row] -= 2.0;
            assert!(check(&operands, &wrong, &mut random).is_err());
        }
    }

    #[test]
    fn an_output_nobody_wrote_is_caught() {
        let mut random = Random::new(17);
        let operands = Operands::new(8, Range::Narrow, &mut random);
        let poison = vec![f32::from_bits(u32::MAX); 64];
        assert!(check(&operands, &poison, &mut random).expect_err("poison").contains("NaN"));
        assert!(check(&operands, &[], &mut random).is_err());
    }

    #[test]
    fn a_product_of_tf32_is_told_from_a_wrong_one() {
        let mut random = Random::new(19);
        let operands = Operands::new(32, Range::Wide, &mut random);
        let tf32 = operands.as_tf32();
        assert!(check(&operands, &product(&tf32), &mut random).is_err());
        assert_eq!(check(&tf32, &product(&tf32), &mut random), Ok(()));
    }
}
