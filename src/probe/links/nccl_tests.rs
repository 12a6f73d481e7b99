//! What the GPUs bring to the sum, and what comes of it.

use super::*;

#[test]
fn what_is_brought_sums_up_to_what_is_expected() {
    let numbers = |bytes: Vec<u8>| -> Vec<f32> {
        bytes.as_chunks::<4>().0.iter().take(2 * PERIOD).map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let all: Vec<Vec<f32>> = (0..8).map(|gpu| numbers(brought(gpu))).collect();
    for (place, expected) in numbers(expected(8)).into_iter().enumerate() {
        let sum: f32 = all.iter().map(|numbers| numbers[place]).sum();
        assert_eq!(sum.to_bits(), expected.to_bits(), "place {place}");
    }
}

#[test]
fn versions_are_read_before_and_after_2_9() {
    assert_eq!((version_text(22_703), version_text(2708)), ("2.27.3".to_owned(), "2.7.8".to_owned()));
}
