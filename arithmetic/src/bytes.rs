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

/// Every word of eight bytes is its own address, when the first one is at `first`.
pub fn fill_with_addresses(bytes: &mut [u8], first: u64) {
    for (index, word) in (0_u64..).zip(bytes.as_chunks_mut::<8>().0) {
        *word = (first + 8 * index).to_le_bytes();
    }
}

/// FNV-1a over 64 bits: no adversary forges a product.
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
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
    fn words_are_their_addresses() {
        let mut bytes = [9; 17];
        fill_with_addresses(&mut bytes, 0x100);
        assert_eq!(bytes[..8], 0x100_u64.to_le_bytes());
        assert_eq!(bytes[8..16], 0x108_u64.to_le_bytes());
        assert_eq!(bytes[16], 9, "half a word is left as it is");
    }

    #[test]
    fn the_digest_is_the_published_one_and_sees_every_bit() {
        // Test vectors of the FNV authors.
        assert_eq!(digest(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest(b"foobar"), 0x8594_4171_f739_67e8);
        let right = vec![7_u8; 64];
        for bit in 0..512 {
            let mut wrong = right.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(digest(&wrong), digest(&right), "bit {bit}");
        }
    }

    #[test]
    fn the_first_wrong_byte_is_named() {
        assert_eq!(difference(&[1, 2, 3], &[1, 2, 3], 0), None);
        assert_eq!(difference(&[1, 2, 3], &[1, 6, 4], 16), Some("byte 0x11 is 0x06 instead of 0x02".to_owned()));
    }
}
