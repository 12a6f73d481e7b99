//! What others wrote, without the secrets that stand in it: lines of a log, a contract, a profile.
//!
//! A secret is known by the name that it is given (`token=…`, `"password": "…"`, `Authorization: …`), by its own shape
//! (`hf_…`, a private key), or by its place in an address (`//user:password@`) or a command (`curl -u user:password`). Rather too much is taken than too little.
//! What a secret looks like that nobody names and that has no shape, nobody can say.

mod addresses;
mod assigned;
mod commands;
mod following;
mod private_key;
mod shaped;

use serde::{Deserialize, Serialize};

use following::Following;
use private_key::Keys;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A text without its secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redacted {
    /// What is left.
    pub text: String,
    /// How many secrets were taken out.
    pub count: usize,
}

/// A text without its secrets, and without the colours that may stand between a name and its value.
pub fn redacted(text: &str) -> Redacted {
    let (mut keys, mut following, mut count) = (Keys::default(), Following::default(), 0);
    for line in text.lines() {
        let line = without_colours(line);
        let Some(line) = following.line(&line, &mut count) else { continue };
        keys.line(&line, |line| {
            let line = assigned::redacted(line, &mut following, &mut count);
            let line = commands::redacted(&line, &mut count);
            let line = addresses::redacted(&line, &mut count);
            shaped::redacted(&line, &mut count)
        });
    }
    count += keys.count;
    Redacted { text: keys.lines.into_iter().map(|line| line + "\n").collect(), count }
}

/// A line without the sequences by which a terminal is told a colour: `ESC [`, parameters, a letter.
fn without_colours(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let parameters = piece.find(|c: char| !c.is_ascii_digit() && !":;<=>?".contains(c)).unwrap_or(piece.len());
        plain.extend(piece[parameters..].chars().skip(1));
    }
    plain
}

#[cfg(test)]
mod tests;
