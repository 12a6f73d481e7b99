//! Mistakes in files that the user can correct, each with its place and the nearest right name.

use std::fmt;

use crate::lang::suggestion;

/// A mistake in a file that the user can correct.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Line, from 1; 0 when the mistake is the whole file's.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong and what might have been meant.
    pub message: String,
    /// What else is wrong, each told in a line of its own.
    pub also: Vec<Self>,
}

impl ConfigError {
    /// All of these as one, or nothing where there is none.
    pub fn all(errors: impl IntoIterator<Item = Self>) -> Result<(), Self> {
        let mut errors = errors.into_iter().flat_map(Self::each);
        match errors.next() {
            None => Ok(()),
            Some(mut first) => {
                first.also.extend(errors);
                Err(first)
            }
        }
    }

    /// Itself, and what else is wrong.
    pub fn each(mut self) -> Vec<Self> {
        let also = std::mem::take(&mut self.also);
        [self].into_iter().chain(also).collect()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = crate::text::plain(&self.file);
        if self.line == 0 {
            write!(f, "{file}: {}", self.message)?;
        } else {
            write!(f, "{file}:{}:{}: {}", self.line, self.column, self.message)?;
        }
        self.also.iter().try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl std::error::Error for ConfigError {}

/// Reads TOML into a type; a mistake comes with its place and, for a wrong name, the nearest right one.
pub fn parse_toml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = error.span().map_or((0, 0), |span| place(text, span.start));
        ConfigError { file: file.to_owned(), line, column, message: in_words(error.message()), also: Vec::new() }
    })
}

/// Right names that a message lists at most.
const NAMED: usize = 24;

/// What serde says, in words of ours: the nearest name for an unknown one, and what was written where something else is
/// expected.
pub fn in_words(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    unknown_name(line).or_else(|| wrong_type(line)).unwrap_or_else(|| line.to_owned())
}

/// "unknown field `x`, expected one of `a`, `b`".
fn unknown_name(line: &str) -> Option<String> {
    let names: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
    let (wrong, right) = names.split_first().filter(|(_, right)| line.starts_with("unknown") && !right.is_empty())?;
    let near = suggestion(wrong, right.iter().copied());
    let more = if right.len() > NAMED { format!(" and {} more", right.len() - NAMED) } else { String::new() };
    let listed = right.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let near = if near.is_empty() { format!(", expected one of {listed}{more}") } else { near };
    let kind = match line.split(' ').nth(1) {
        Some("variant") => "word",
        Some(kind) => kind,
        None => "name",
    };
    Some(format!("unknown {kind} `{}`{near}", crate::text::plain(wrong)))
}

/// "invalid type: string "x", expected u64", and "invalid value: …".
fn wrong_type(line: &str) -> Option<String> {
    let (found, expected) = line
        .strip_prefix("invalid type: ")
        .or_else(|| line.strip_prefix("invalid value: "))?
        .rsplit_once(", expected ")?;
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "text in quotes",
        "a sequence" => "a list in [ ]",
        "a map" => "a table",
        other => other.strip_prefix("struct ").map_or(other, |_| "a table"),
    };
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    let kind = match kind {
        "string" => "the text",
        "integer" | "floating" => "the number",
        "boolean" => "the word",
        "sequence" => "a list",
        "map" => "a table",
        other => other,
    };
    let value = value.trim_start_matches("point ").replace('`', "");
    let found = format!("{kind} {}", crate::text::plain(&value));
    Some(format!("{} stands where {expected} is expected", found.trim_end()))
}

pub(super) fn whole(file: &str, message: String) -> ConfigError {
    ConfigError { file: file.to_owned(), message, ..ConfigError::default() }
}

/// The place of byte `at` of the value of `key`.
pub fn at_key(file: &str, text: &str, key: &str, value: &str, at: usize, message: String) -> ConfigError {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let is_key = line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
        if is_key {
            let inside = text[start..].find(value).map_or(start, |offset| start + offset + at);
            let (line, column) = place(text, inside);
            return ConfigError { file: file.to_owned(), line, column, message, also: Vec::new() };
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
