//! What instructions leave: values with their lines, variables, commands.

use std::rc::Rc;

use super::instructions::{Instruction, raw_words};
use super::words::Told;

/// A command that was run while building.
#[derive(Debug, Clone)]
pub struct Run {
    /// The text for a shell, known variables filled in.
    pub text: Rc<str>,
    /// Where it stands.
    pub instruction: Rc<Instruction>,
    /// Variables that tell pip and uv where packages are.
    pub indexes: Rc<[(String, Told)]>,
    /// Whether it holds a text for a program that is no shell.
    pub is_opaque: bool,
}

/// A value with its line.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// What it is.
    pub value: T,
    /// Where it stands.
    pub line: usize,
}

/// A variable.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Told,
    /// Where it is set.
    pub line: usize,
    /// Whether it stays in the image: `ENV`, not `ARG`.
    pub stays: bool,
}

/// `ENTRYPOINT` or `CMD`.
#[derive(Debug, Clone)]
pub struct Command {
    /// The words; in the form for a shell those of the shell, and the text.
    pub words: Vec<String>,
    /// Whether a shell reads it.
    pub is_shell: bool,
}

/// The value of a flag in front of an instruction.
pub fn flag(text: &str, name: &str) -> Option<String> {
    let mut flags = raw_words(text).into_iter().take_while(|word| word.starts_with("--"));
    flags.find_map(|word| word.strip_prefix(&format!("--{name}=")).map(str::to_owned))
}

/// The text behind the flags.
pub fn without_flags(text: &str) -> &str {
    let mut rest = text.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}

/// A list in JSON; none where it is text for a shell, as builders decide it.
pub fn json(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[') { serde_json::from_str(text).ok() } else { None }
}

/// Whether a shell takes the word behind this option as its text: `-c`, `-lc`, `-ec`.
pub fn is_of_text(option: &str) -> bool {
    option.starts_with('-') && !option.starts_with("--") && option.ends_with('c')
}
