//! Which service a command line starts, through the wrappers that people put around it.
//!
//! What the arguments of that service mean is not decided here.

use super::shell;
use super::wrappers::{skip_options, unwrapped};
use crate::facts::{DeclaredBy, DeclaredKind};

/// A service that a command line starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// What it is.
    pub kind: DeclaredKind,
    /// The program's name without its folder; for `jupyter lab` it is `jupyter-lab`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
}

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
/// Subcommands of `jupyter` that serve.
const SERVERS: [&str; 5] = ["lab", "labhub", "notebook", "server", "nbclassic"];
/// Programs that serve notebooks.
const SERVER_PROGRAMS: [&str; 10] = [
    "jupyter-lab",
    "jupyter-labhub",
    "jupyter-notebook",
    "jupyter-server",
    "jupyter-nbclassic",
    "jupyterhub-singleuser",
    "start-notebook.sh",
    "start-notebook.py",
    "start-singleuser.sh",
    "start-singleuser.py",
];
/// First words with which a Jupyter program does something else than serve. Further on they are values: `--dir build`.
const NOT_SERVING: [&str; 10] =
    ["list", "stop", "build", "clean", "path", "paths", "password", "extension", "workspaces", "licenses"];
/// Options with which it does something else, wherever they stand.
const NOT_SERVING_OPTIONS: [&str; 6] =
    ["--version", "--help", "--help-all", "-h", "--generate-config", "--show-config"];

/// What a command line does; `None` when it is empty or only sets variables.
pub fn effect(words: &[String]) -> Option<Effect> {
    let words = unwrapped(words);
    let (first, args) = words.split_first()?;
    let name = base_name(first);
    if SHELLS.contains(&name) {
        return shell_effect(if name == "busybox" { args.get(1..).unwrap_or_default() } else { args });
    }
    if is_python(name) {
        return python_effect(args);
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
    Some(named_effect(first, name, args))
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

/// A service that an already running process is, from its arguments.
pub fn running(argv: &[String]) -> Option<Started> {
    match effect(argv)? {
        Effect::Starts(started) => Some(started),
        Effect::Shell(..) | Effect::Reads(..) | Effect::Supervises(..) | Effect::Runs(..) => None,
    }
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

fn python_effect(args: &[String]) -> Option<Effect> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-') else {
            return Some(named_effect(word, base_name(word), words.as_slice()));
        };
        // Letters may stand together, and the value follows the last: `-um notebook`, `-mnotebook`.
        let Some(at) = letters.find(['m', 'c', 'W', 'X']).filter(|_| !letters.starts_with('-')) else { continue };
        let (letter, value) = letters.split_at(at).1.split_at(1);
        let value = if value.is_empty() { words.next()? } else { value };
        match letter {
            "m" => return module_effect(value, words.as_slice()),
            "c" => return None,
            _ => {}
        }
    }
    None
}

fn module_effect(module: &str, args: &[String]) -> Option<Effect> {
    let program = match module {
        "jupyter" | "jupyter_core" => "jupyter",
        "jupyterlab" | "jupyterlab.labapp" => "jupyter-lab",
        "notebook" | "notebook.notebookapp" | "notebook.app" => "jupyter-notebook",
        "jupyter_server" | "jupyter_server.serverapp" => "jupyter-server",
        "jupyterhub.singleuser" => "jupyterhub-singleuser",
        _ => return None,
    };
    Some(named_effect(program, program, args))
}

/// What a program does, by its name.
fn named_effect(path: &str, name: &str, args: &[String]) -> Effect {
    let runs = || Effect::Runs(path.to_owned(), args.to_vec());
    let starts = |kind, program: &str, args: &[String]| {
        Effect::Starts(Started { kind, program: program.to_owned(), args: args.to_vec() })
    };
    let jupyter = |program: &str, args: &[String]| {
        let is_other = |arg: &String| NOT_SERVING.contains(&arg.as_str());
        if args.first().is_some_and(is_other) || args.iter().any(|arg| NOT_SERVING_OPTIONS.contains(&arg.as_str())) {
            runs()
        } else {
            starts(DeclaredKind::Jupyter, program, args)
        }
    };
    let is_first = |words: &[&str]| args.first().is_some_and(|arg| words.contains(&arg.as_str()));
    match name {
        "jupyter" => match args.split_first() {
            Some((command, args)) if SERVERS.contains(&command.as_str()) => {
                jupyter(&format!("jupyter-{command}"), args)
            }
            _ => runs(),
        },
        _ if SERVER_PROGRAMS.contains(&name) => jupyter(name, args),
        "supervisord" => given(args, &["-c", "--configuration"])
            .map_or_else(runs, |file| Effect::Supervises(DeclaredBy::Supervisord, file)),
        "runsvdir" => match skip_options(args, &[]) {
            [folder, ..] => Effect::Supervises(DeclaredBy::Runit, folder.clone()),
            [] => runs(),
        },
        "s6-svscan" => match skip_options(args, &["-c", "-C", "-d", "-i", "-s", "-t", "-X"]) {
            [folder, ..] => Effect::Supervises(DeclaredBy::S6, folder.clone()),
            [] => runs(),
        },
        "sshd" | "dropbear" if path.contains("init.d/") => {
            if starts_it(args.first()) {
                starts(DeclaredKind::Ssh, name, &[])
            } else {
                runs()
            }
        }
        // -t, -T and -G only look at the configuration.
        "sshd" if !args.iter().any(|arg| matches!(arg.as_str(), "-t" | "-T" | "-G" | "-V")) => {
            starts(DeclaredKind::Ssh, name, args)
        }
        "dropbear" if !args.iter().any(|arg| arg == "-V") => starts(DeclaredKind::Ssh, name, args),
        "service" | "rc-service" | "invoke-rc.d" if is_first(&["ssh", "sshd"]) && starts_it(args.get(1)) => {
            starts(DeclaredKind::Ssh, "sshd", &[])
        }
        "service" | "rc-service" | "invoke-rc.d" if is_first(&["dropbear"]) && starts_it(args.get(1)) => {
            starts(DeclaredKind::Ssh, "dropbear", &[])
        }
        "ssh" if path.ends_with("init.d/ssh") && starts_it(args.first()) => starts(DeclaredKind::Ssh, "sshd", &[]),
        _ => runs(),
    }
}

fn starts_it(word: Option<&String>) -> bool {
    word.is_some_and(|word| matches!(word.as_str(), "start" | "restart" | "force-reload"))
}

fn is_python(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
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
            Some(Effect::Shell(..)) | None => {}
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
