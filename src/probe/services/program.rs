//! Which service a program is, by its name and its arguments.
//!
//! That is what the command line of a running process shows. A Python interpreter is seen through, for Jupyter is a
//! Python program. Shells, wrappers and supervisors are not: they do not listen themselves, and what they will start is
//! read in [`crate::probe::startup`]. What the arguments mean is not decided here.

use crate::facts::DeclaredKind;
use crate::probe::paths::base_name;

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

/// The service that a process is, from the words of its command line.
pub fn running(words: &[String]) -> Option<Started> {
    let (path, args) = words.split_first()?;
    let (path, args) = if is_python(base_name(path)) { through_python(args)? } else { (path.as_str(), args) };
    named(base_name(path), args)
}

/// The service that a program of this name is with these arguments.
pub fn named(name: &str, args: &[String]) -> Option<Started> {
    let starts =
        |kind, program: &str, args: &[String]| Some(Started { kind, program: program.to_owned(), args: args.to_vec() });
    let has = |options: &[&str]| args.iter().any(|arg| options.contains(&arg.as_str()));
    match name {
        "jupyter" => {
            let (command, args) = args.split_first()?;
            let program = format!("jupyter-{command}");
            (SERVERS.contains(&command.as_str()) && serves(args)).then_some(())?;
            starts(DeclaredKind::Jupyter, &program, args)
        }
        _ if SERVER_PROGRAMS.contains(&name) && serves(args) => starts(DeclaredKind::Jupyter, name, args),
        // -t, -T and -G only look at the configuration.
        "sshd" if !has(&["-t", "-T", "-G", "-V"]) => starts(DeclaredKind::Ssh, name, args),
        "dropbear" if !has(&["-V"]) => starts(DeclaredKind::Ssh, name, args),
        _ => None,
    }
}

/// Whether a Jupyter program with these arguments serves.
fn serves(args: &[String]) -> bool {
    let is_other = |arg: &String| NOT_SERVING.contains(&arg.as_str());
    !args.first().is_some_and(is_other) && !args.iter().any(|arg| NOT_SERVING_OPTIONS.contains(&arg.as_str()))
}

/// Whether a program of this name is a Python interpreter.
pub fn is_python(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The script that Python runs with these arguments, or the program that stands for the module of `-m`, and what it is
/// given. `None` for code on the command line, for a module that serves nothing, and where nothing is run.
pub fn through_python(args: &[String]) -> Option<(&str, &[String])> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-') else { return Some((word, words.as_slice())) };
        // Letters may stand together, and the value follows the last: `-um notebook`, `-mnotebook`.
        let Some(at) = letters.find(['m', 'c', 'W', 'X']).filter(|_| !letters.starts_with('-')) else { continue };
        let (letter, value) = letters.split_at(at).1.split_at(1);
        let value = if value.is_empty() { words.next()? } else { value };
        match letter {
            "m" => return Some((of_module(value)?, words.as_slice())),
            "c" => return None,
            _ => {}
        }
    }
    None
}

fn of_module(module: &str) -> Option<&'static str> {
    Some(match module {
        "jupyter" | "jupyter_core" => "jupyter",
        "jupyterlab" | "jupyterlab.labapp" => "jupyter-lab",
        "notebook" | "notebook.notebookapp" | "notebook.app" => "jupyter-notebook",
        "jupyter_server" | "jupyter_server.serverapp" => "jupyter-server",
        "jupyterhub.singleuser" => "jupyterhub-singleuser",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Option<String> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        running(&words).map(|started| format!("{} {}", started.program, started.args.join(" ")).trim_end().to_owned())
    }

    #[test]
    fn a_running_process_is_known_by_its_command_line() {
        for (text, expected) in [
            ("/v/bin/python3.12 /v/bin/jupyter-lab --ip=0.0.0.0", "jupyter-lab --ip=0.0.0.0"),
            ("python3 -u -m jupyter notebook", "jupyter-notebook"),
            ("jupyterhub-singleuser --port=1", "jupyterhub-singleuser --port=1"),
            ("/usr/sbin/sshd -D", "sshd -D"),
            ("dropbear -F", "dropbear -F"),
        ] {
            assert_eq!(program(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_names_a_service_is_none() {
        for text in
            ["", "ssh host", "sshd -t", "jupyter lab list", "jupyter", "python3 -c jupyter-lab", "sh -c jupyter-lab"]
        {
            assert_eq!(program(text), None, "{text}");
        }
    }
}
