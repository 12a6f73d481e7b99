//! Bytes that are copied or kept: random ones, and where those that came back differ.

use crate::Random;

/// Random bytes made on the host; a prime, so that their repetitions fall on no power of two.
const BLOCK: usize = 262_139;

/// A random block over and over.
pub fn random_bytes(count: usize, random: &mut Random) -> Vec<u8> {
    let block: Vec<u8> = (0..BLOCK.div_ceil(4)).flat_map(|_| random.next_u32().to_le_bytes()).take(BLOCK).collect();
    let mut bytes = block.repeat(count.div_ceil(BLOCK));
    bytes.truncate(count);
    bytes
}

/// The first byte that is not as it should be, by its offset when these begin at `first`.
pub fn difference(expected: &[u8], found: &[u8], first: usize) -> Option<String> {
    if expected == found {
        return None;
    }
    let mut pairs = expected.iter().zip(found).enumerate();
    let (offset, (expected, found)) = pairs.find(|(_, (expected, found))| expected != found)?;
    let offset = first + offset;
    Some(format!("byte {offset:#x} is {found:#04x} instead of {expected:#04x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wrong_byte_is_named() {
        assert_eq!(difference(&[1, 2, 3], &[1, 2, 3], 0), None);
        assert_eq!(difference(&[1, 2, 3], &[1, 6, 4], 16), Some("byte 0x11 is 0x06 instead of 0x02".to_owned()));
    }
}
