//! Secrets that show by their own shape: keys of well-known services, and signed tokens.

use super::REDACTED;
use crate::probe::environment::secrets;

/// Beginnings of keys beside those that a variable is suspected by, and how long such a key is at least.
const SHAPES: [(&str, usize); 9] = [
    ("AIza", 35),
    ("npm_", 36),
    ("pypi-", 40),
    ("dckr_pat_", 20),
    ("dop_v1_", 40),
    ("ghu_", 30),
    ("ghr_", 30),
    ("sk_test_", 20),
    ("rk_live_", 20),
];
/// How a JSON Web Token begins, which has three parts, and how long one is at least.
const SIGNED: (&str, usize) = ("eyJ", 40);

/// The line without them.
pub fn redacted(line: &str, count: &mut usize) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let (mut kept, mut rest) = (String::new(), line);
    while let Some(start) = rest.find(is_part) {
        kept += &rest[..start];
        rest = &rest[start..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        word(&rest[..end], &mut kept, count);
        rest = &rest[end..];
    }
    kept + rest
}

/// Keeps of a word what is no secret. A key begins it, or stands behind a mark in it: `token-hf_…`.
fn word(word: &str, kept: &mut String, count: &mut usize) {
    if word.starts_with(SIGNED.0) && word.len() >= SIGNED.1 && word.matches('.').count() == 2 {
        *kept += REDACTED;
        *count += 1;
        return;
    }
    let (mut rest, mut is_boundary) = (word, true);
    while let Some(first) = rest.chars().next() {
        if is_boundary && let Some(length) = key(rest) {
            *kept += REDACTED;
            *count += 1;
            rest = &rest[length..];
        } else {
            kept.push(first);
            rest = &rest[first.len_utf8()..];
        }
        is_boundary = !first.is_ascii_alphanumeric();
    }
}

/// Bytes of the key that a text begins with.
fn key(text: &str) -> Option<usize> {
    secrets::SHAPES.iter().chain(&SHAPES).find_map(|(start, least)| {
        let begins = text.starts_with(start) && !start.starts_with('-');
        let ends = |c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c);
        begins.then(|| text.find(ends).unwrap_or(text.len())).filter(|length| length >= least)
    })
}
