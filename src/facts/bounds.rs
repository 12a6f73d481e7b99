//! How much of what comes from outside a fact takes in: characters of a text, entries of a list, GPUs of a machine.
//!
//! Files, libraries and sockets may hold anything of any length. Whoever fills a fact from them cuts here, so that every
//! fact has the same bounds and a recording stays small.

/// Characters of a text that a fact keeps: a path, a name, a sentence of a library.
const TEXT_LIMIT: usize = 255;

/// Characters of a word that a fact keeps: a version, an address, the value of a variable.
pub const WORD_LIMIT: usize = 64;

/// Entries of a list of names that a fact keeps.
pub const LIST_LIMIT: usize = 64;

/// GPUs that one container can have; a count above it is garbage. Most machines have at most 8, the largest of a single
/// board 16, and a few dozen can be joined over PCIe switches.
pub const GPU_LIMIT: u32 = 64;

/// As much of a text as a fact keeps.
pub fn cut(text: &str) -> String {
    text.chars().take(TEXT_LIMIT).collect()
}

/// As much of a word as a fact keeps.
pub fn cut_word(word: &str) -> String {
    word.chars().take(WORD_LIMIT).collect()
}

/// Enough of a UUID, such as `GPU-5a7f0c11-1111-2222-3333-444455556666`, to tell GPUs apart in one report.
pub fn redacted_uuid(uuid: &str) -> String {
    uuid.chars().take("GPU-".len() + 4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(cut(&"ä".repeat(300)).chars().count(), TEXT_LIMIT);
        assert_eq!(cut_word(&"ä".repeat(300)).chars().count(), WORD_LIMIT);
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn a_uuid_is_cut_to_four_characters() {
        assert_eq!(redacted_uuid("GPU-5a7f0c11-1111-2222-3333-444455556666"), "GPU-5a7f");
        assert_eq!(redacted_uuid("GPU"), "GPU");
    }
}
