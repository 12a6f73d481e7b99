//! What a command line does: which service it starts, which text or script a shell reads, which supervisor it becomes.
//!
//! Which service a program is stands in [`crate::probe::services::program`]; what its arguments mean is not decided here.

use super::shell;
use super::wrappers::{skip_options, unwrapped};
use crate::facts::{DeclaredBy, DeclaredKind};
use crate::probe::paths::base_name;
use crate::probe::services::program::{self, Started};

/// What a command line does, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// It starts a service.
    Starts(Started),
    /// It hands over to this text of shell commands, and these words are `$0`, `$1` and so on in it.
    Shell(String, Vec<String>),
    /// A shell reads this file with these arguments, whatever its first line says.
    Reads(String, Vec<String>),
    /// It starts a supervisor that reads this file or folder.
    Supervises(DeclaredBy, String),
    /// It runs this program with these arguments. It may be a script that starts something.
    Runs(String, Vec<String>),
}

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "busybox"];

/// What a command line does; `None` when it is empty or only sets variables.
pub fn effect(words: &[String]) -> Option<Effect> {
    let words = unwrapped(words);
    let (first, args) = words.split_first()?;
    let name = base_name(first);
    if SHELLS.contains(&name) {
        return shell_effect(if name == "busybox" { args.get(1..).unwrap_or_default() } else { args });
    }
    if program::is_python(name) {
        return program::through_python(args).map(|(path, args)| named_effect(path, args));
    }
    match name {
        "eval" => return Some(Effect::Shell(args.join(" "), Vec::new())),
        // `su - user -c "…"`; with another shape the rest is no command of ours.
        "su" | "runuser" => {
            if let Some(text) = given(args, &["-c", "-lc", "--command"]) {
                return Some(Effect::Shell(text, Vec::new()));
            }
        }
        "." | "source" => {
            let (script, args) = args.split_first()?;
            return Some(Effect::Reads(script.clone(), args.to_vec()));
        }
        "tmux" => return tmux_effect(args),
        _ => {}
    }
    Some(named_effect(first, args))
}

/// The value of an option in any of its spellings: `-c X`, `-cX`, `--command X`, `--command=X`.
fn given(args: &[String], spellings: &[&str]) -> Option<String> {
    args.iter().enumerate().find_map(|(at, arg)| {
        let rest = spellings.iter().find_map(|spelling| {
            let rest = arg.strip_prefix(spelling)?;
            if !spelling.starts_with("--") || rest.is_empty() { Some(rest) } else { rest.strip_prefix('=') }
        })?;
        if rest.is_empty() { args.get(at + 1).cloned() } else { Some(rest.to_owned()) }
    })
}

fn shell_effect(args: &[String]) -> Option<Effect> {
    let mut at = 0;
    let mut is_text = false;
    while let Some(arg) = args.get(at) {
        let takes_value = match arg.strip_prefix(['-', '+']) {
            Some("-rcfile" | "-init-file") => true,
            Some(long) if long.starts_with('-') => false,
            // `-o pipefail`, `-euo pipefail`: the name of the option is the next word.
            Some(flags) => {
                is_text |= arg.starts_with('-') && flags.contains('c');
                flags.ends_with(['o', 'O'])
            }
            None => {
                let rest = args.get(at + 1..).unwrap_or_default().to_vec();
                let effect = if is_text { Effect::Shell } else { Effect::Reads };
                return Some(effect(arg.clone(), rest));
            }
        };
        at += 1 + usize::from(takes_value);
    }
    None
}

/// `tmux new-session -d "…"` and `tmux send-keys "…" Enter` start what a shell would.
fn tmux_effect(args: &[String]) -> Option<Effect> {
    let (subcommand, args) = args.split_first()?;
    if !matches!(subcommand.as_str(), "new" | "new-session" | "neww" | "new-window" | "send" | "send-keys") {
        return None;
    }
    match skip_options(args, &["-s", "-n", "-c", "-t", "-x", "-y", "-e", "-F", "-f", "-N"]) {
        [text] => Some(Effect::Shell(text.clone(), Vec::new())),
        [text, ..] if subcommand.starts_with("send") => Some(Effect::Shell(text.clone(), Vec::new())),
        words => effect(words),
    }
}

/// What a program does, by its name.
fn named_effect(path: &str, args: &[String]) -> Effect {
    let name = base_name(path);
    let runs = || Effect::Runs(path.to_owned(), args.to_vec());
    let supervises = |by, folder: &[String]| match folder {
        [folder, ..] => Effect::Supervises(by, folder.clone()),
        [] => runs(),
    };
    match name {
        "supervisord" => given(args, &["-c", "--configuration"])
            .map_or_else(runs, |file| Effect::Supervises(DeclaredBy::Supervisord, file)),
        "runsvdir" => supervises(DeclaredBy::Runit, skip_options(args, &[])),
        "s6-svscan" => supervises(DeclaredBy::S6, skip_options(args, &["-c", "-C", "-d", "-i", "-s", "-t", "-X"])),
        "service" | "rc-service" | "invoke-rc.d" => {
            let script = args.first().map_or("", String::as_str);
            by_init_script(script, args.get(1)).map_or_else(runs, Effect::Starts)
        }
        "ssh" | "sshd" | "dropbear" if path.contains("init.d/") => {
            by_init_script(name, args.first()).map_or_else(runs, Effect::Starts)
        }
        _ => program::named(name, args).map_or_else(runs, Effect::Starts),
    }
}

/// The SSH server that an init script of this name starts when it is told to.
fn by_init_script(name: &str, action: Option<&String>) -> Option<Started> {
    let program = match name {
        "ssh" | "sshd" => "sshd",
        "dropbear" => "dropbear",
        _ => return None,
    };
    let starts = matches!(action?.as_str(), "start" | "restart" | "force-reload");
    starts.then(|| Started { kind: DeclaredKind::Ssh, program: program.to_owned(), args: Vec::new() })
}

/// Every service that shell text starts, through nested `sh -c`, and the scripts that it runs. `args` are its `$0`, `$1`
/// and so on.
pub fn effects_of_text(text: &str, args: &[String]) -> Vec<Effect> {
    let mut effects = Vec::new();
    collect(text, args, 0, &mut effects);
    effects
}

fn collect(text: &str, args: &[String], depth: usize, effects: &mut Vec<Effect>) {
    /// How deep `sh -c` is followed into itself.
    const DEPTH: usize = 4;
    for words in shell::commands(text) {
        match effect(&with_arguments(words, args)) {
            Some(Effect::Shell(inner, args)) if depth < DEPTH => collect(&inner, &args, depth + 1, effects),
            None => {}
            // What lies deeper than this is handed back as it stands, for the caller to follow or to say so.
            Some(found) => effects.push(found),
        }
    }
}

/// The words with the arguments filled in: an entrypoint ends in `exec "$@"`.
fn with_arguments(words: Vec<String>, args: &[String]) -> Vec<String> {
    let filled_in = |word: String| {
        let Some(name) = word.strip_prefix('$') else { return vec![word] };
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        match name {
            "@" | "*" => args.get(1..).unwrap_or_default().to_vec(),
            number => vec![number.parse().ok().and_then(|at: usize| args.get(at).cloned()).unwrap_or(word)],
        }
    };
    words.into_iter().flat_map(filled_in).collect()
}

#[cfg(test)]
mod tests;
