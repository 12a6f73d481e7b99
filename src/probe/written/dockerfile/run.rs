//! Commands of `RUN`: a list, text for a shell, or a here-document that a shell reads.

use std::rc::Rc;

use super::instructions::{HereDocument, Instruction, without_marks};
use super::parts::{Run, is_of_text, json, without_flags};
use super::stage::Stage;
use crate::probe::paths::base_name;
use crate::probe::startup::{FileText, shell_writes};

/// Settings of indexes that are kept for a command, and bytes of one.
const INDEXES: usize = 8;
const INDEX: usize = 512;

/// A `RUN`: the text for a shell that it holds, and files that it writes.
pub fn run(stage: &mut Stage, instruction: &Rc<Instruction>) {
    let text = without_flags(&instruction.text);
    let bare = if instruction.documents.is_empty() { text.to_owned() } else { without_marks(text) };
    let mut script = match json(text) {
        // `["bash", "-c", "pip install x"]`: what the shell is told is a text of its own.
        Some(words)
            if words.len() > 2 && is_shell(words.first()) && words.get(1).is_some_and(|word| is_of_text(word)) =>
        {
            words[2..].join(" ")
        }
        Some(words) => words.join(" "),
        None => stage.filled_in(&bare),
    };
    let whole = instruction.documents.iter().fold(text.to_owned(), |whole, document| {
        let HereDocument { text, name, .. } = document;
        format!("{whole}\n{text}{name}")
    });
    stage.expose(&whole);
    let mut files = shell_writes(if json(text).is_some() { &script } else { &whole });
    let mut is_opaque = false;
    for document in &instruction.documents {
        let is_alone = bare.is_empty();
        if files.iter().any(|file| file.text == document.text) {
            continue;
        }
        if (is_alone && is_for_shell(&document.text))
            || bare.split_ascii_whitespace().any(|word| SHELLS.contains(&base_name(word)))
        {
            let told = stage.filled_in(&document.text);
            files.extend(shell_writes(&document.text));
            script = format!("{script}\n{told}");
        } else {
            is_opaque = true;
        }
    }
    for file in files {
        let path = stage.filled_in(&file.path);
        if !path.contains('$') {
            stage.write(FileText { path, ..file });
        }
    }
    let is_index = |name: &str| {
        let of_pip = name.starts_with("PIP_") || name.starts_with("UV_");
        of_pip && ["INDEX", "FIND_LINKS", "TORCH_BACKEND", "CONFIG_FILE"].iter().any(|part| name.contains(part))
    };
    let indexes = stage.variables.iter().filter(|one| is_index(&one.name)).take(INDEXES).map(|one| {
        let value = one.value.clone().and_then(|value| {
            if value.len() > INDEX { Err(format!("the value of {} is too long", one.name)) } else { Ok(value) }
        });
        (one.name.clone(), value)
    });
    let indexes = indexes.collect();
    stage.runs.push(Run { text: Rc::from(script), instruction: Rc::clone(instruction), indexes, is_opaque });
}

/// Shells that read a here-document.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ash", "zsh"];

fn is_shell(word: Option<&String>) -> bool {
    word.is_some_and(|word| SHELLS.contains(&base_name(word)))
}

/// Whether the first line of a script leaves it to a shell.
fn is_for_shell(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let mut words = first.strip_prefix("#!").unwrap_or("sh").split_ascii_whitespace();
    words.any(|word| SHELLS.contains(&base_name(word)))
}
