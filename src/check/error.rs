//! Mistakes in files that the user can correct, each with its place and the nearest right name.

use std::fmt;

use crate::lang::suggestion;

/// A mistake in a file that the user can correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Line, from 1; 0 when the mistake is the whole file's.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong and what might have been meant.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = crate::text::plain(&self.file);
        if self.line == 0 {
            write!(f, "{file}: {}", self.message)
        } else {
            write!(f, "{file}:{}:{}: {}", self.line, self.column, self.message)
        }
    }
}

impl std::error::Error for ConfigError {}

/// Reads TOML into a type; a mistake comes with its place and, for a wrong name, the nearest right one.
pub fn parse_toml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = error.span().map_or((0, 0), |span| place(text, span.start));
        ConfigError { file: file.to_owned(), line, column, message: with_suggestion(error.message()) }
    })
}

/// Adds the nearest name to serde's "unknown field `x`, expected one of `a`, `b`".
pub fn with_suggestion(message: &str) -> String {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let line = message.lines().next().unwrap_or_default();
    match names.split_first() {
        Some((wrong, right)) if line.starts_with("unknown") && !right.is_empty() => {
            let near = suggestion(wrong, right.iter().copied());
            let kind = line.split(' ').nth(1).unwrap_or("name");
            format!(
                "unknown {kind} `{}`{}",
                crate::text::plain(wrong),
                if near.is_empty() { format!(", expected one of {}", right.join(", ")) } else { near }
            )
        }
        _ => line.to_owned(),
    }
}

pub(super) fn whole(file: &str, message: String) -> ConfigError {
    ConfigError { file: file.to_owned(), line: 0, column: 0, message }
}

/// The place of byte `at` of the value of `key`.
pub(super) fn at_key(file: &str, text: &str, key: &str, value: &str, at: usize, message: String) -> ConfigError {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let is_key = line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
        if is_key {
            let inside = text[start..].find(value).map_or(start, |offset| start + offset + at);
            let (line, column) = place(text, inside);
            return ConfigError { file: file.to_owned(), line, column, message };
        }
        start += line.len();
    }
    whole(file, message)
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
