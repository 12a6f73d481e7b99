//! Private keys as PEM writes them, which go over many lines.

use super::REDACTED;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const PRIVATE: &str = "PRIVATE KEY";

/// Lines of a key at most, by which one that was cut off ends: one of 16,384 bits has two hundred.
const LINES: usize = 256;

/// Lines that were kept, and whether a key goes on.
#[derive(Default)]
pub struct Keys {
    pub lines: Vec<String>,
    /// Keys that were taken out.
    pub count: usize,
    left: usize,
}

impl Keys {
    /// Takes a line, of which what is no key goes through `other`.
    pub fn line(&mut self, line: &str, mut other: impl FnMut(&str) -> String) {
        let mut rest = line;
        if self.left > 0 {
            let Some(at) = end_of_key(rest) else {
                self.left -= 1;
                return;
            };
            (self.left, rest) = (0, &rest[at..]);
            if rest.trim().is_empty() {
                return;
            }
        } else if let Some(at) = end_of_key(rest)
            && begin_of_key(rest).is_none_or(|begin| begin > at)
        {
            // It began before what we were given begins.
            while self.lines.last().is_some_and(|line| is_base64(line)) {
                self.lines.pop();
            }
            self.lines.push(REDACTED.to_owned());
            self.count += 1;
            rest = &rest[at..];
            if rest.trim().is_empty() {
                return;
            }
        }
        let mut kept = String::new();
        while let Some(begin) = begin_of_key(rest) {
            kept += &other(&rest[..begin]);
            kept += REDACTED;
            self.count += 1;
            let end = end_of_key(&rest[begin..]);
            self.left = if end.is_none() { LINES } else { 0 };
            rest = end.map_or("", |end| &rest[begin + end..]);
        }
        kept += &other(rest);
        self.lines.push(kept);
    }
}

/// Where a private key begins.
fn begin_of_key(text: &str) -> Option<usize> {
    text.match_indices(BEGIN).map(|(at, _)| at).find(|at| is_private(&text[at + BEGIN.len()..]))
}

/// The place behind the line that ends one.
fn end_of_key(text: &str) -> Option<usize> {
    let mut marks = text.match_indices(END).map(|(at, _)| at + END.len());
    let at = marks.find(|at| is_private(&text[*at..]))?;
    Some(text[at..].find("-----").map_or(text.len(), |close| at + close + 5))
}

/// Whether what stands behind the mark is the name of a private key: `RSA PRIVATE KEY`, `PGP PRIVATE KEY BLOCK`.
fn is_private(name: &str) -> bool {
    name.split_once("-----").map_or(name, |(name, _)| name).contains(PRIVATE)
}

fn is_base64(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
}
