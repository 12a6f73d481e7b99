//! Which service a command line starts, through the wrappers that people put around it.
//!
//! What the arguments of that service mean is not decided here.

use super::shell;
use super::wrappers::unwrapped;
use crate::facts::DeclaredKind;

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
    /// It hands over to this text of shell commands.
    Shell(String),
    /// It runs this program, which may be a script that starts something.
    Runs(String),
}

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "busybox"];
/// Subcommands of `jupyter` that serve.
const SERVERS: [&str; 4] = ["lab", "notebook", "server", "nbclassic"];
/// Programs that serve notebooks.
const SERVER_PROGRAMS: [&str; 9] = [
    "jupyter-lab",
    "jupyter-notebook",
    "jupyter-server",
    "jupyter-nbclassic",
    "jupyterhub-singleuser",
    "start-notebook.sh",
    "start-notebook.py",
    "start-singleuser.sh",
    "start-singleuser.py",
];
/// Words after which a Jupyter program does something else than serve.
const NOT_SERVING: [&str; 16] = [
    "list",
    "stop",
    "build",
    "clean",
    "path",
    "paths",
    "password",
    "extension",
    "workspaces",
    "licenses",
    "--version",
    "--help",
    "--help-all",
    "-h",
    "--generate-config",
    "--show-config",
];

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
    Some(named_effect(first, name, args))
}

/// A service that an already running process is, from its arguments.
pub fn running(argv: &[String]) -> Option<Started> {
    match effect(argv)? {
        Effect::Starts(started) => Some(started),
        Effect::Shell(_) | Effect::Runs(_) => None,
    }
}

fn shell_effect(args: &[String]) -> Option<Effect> {
    for (at, arg) in args.iter().enumerate() {
        if arg.starts_with("--") {
            continue;
        }
        match arg.strip_prefix('-') {
            Some(flags) if flags.contains('c') => return args.get(at + 1).cloned().map(Effect::Shell),
            Some(_) => {}
            None => return Some(Effect::Runs(arg.clone())),
        }
    }
    None
}

fn python_effect(args: &[String]) -> Option<Effect> {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        let rest = args.get(at + 1..).unwrap_or_default();
        match arg.as_str() {
            "-m" => {
                let (module, args) = rest.split_first()?;
                let program = match module.as_str() {
                    "jupyter" | "jupyter_core" => "jupyter",
                    "jupyterlab" | "jupyterlab.labapp" => "jupyter-lab",
                    "notebook" | "notebook.notebookapp" | "notebook.app" => "jupyter-notebook",
                    "jupyter_server" | "jupyter_server.serverapp" => "jupyter-server",
                    "jupyterhub.singleuser" => "jupyterhub-singleuser",
                    _ => return None,
                };
                return Some(named_effect(program, program, args));
            }
            "-c" => return None,
            "-W" | "-X" => at += 2,
            _ if arg.starts_with('-') => at += 1,
            script => return Some(named_effect(script, base_name(script), rest)),
        }
    }
    None
}

/// What a program does, by its name.
fn named_effect(path: &str, name: &str, args: &[String]) -> Effect {
    let runs = || Effect::Runs(path.to_owned());
    let starts = |kind, program: &str, args: &[String]| {
        Effect::Starts(Started { kind, program: program.to_owned(), args: args.to_vec() })
    };
    let jupyter = |program: &str, args: &[String]| {
        if args.iter().any(|arg| NOT_SERVING.contains(&arg.as_str())) {
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
        // -t, -T and -G only look at the configuration.
        "sshd" if !args.iter().any(|arg| matches!(arg.as_str(), "-t" | "-T" | "-G" | "-V")) => {
            starts(DeclaredKind::Ssh, name, args)
        }
        "dropbear" if !args.iter().any(|arg| arg == "-V") => starts(DeclaredKind::Ssh, name, args),
        "service" | "rc-service" if is_first(&["ssh", "sshd"]) && starts_it(args.get(1)) => {
            starts(DeclaredKind::Ssh, "sshd", &[])
        }
        "service" | "rc-service" if is_first(&["dropbear"]) && starts_it(args.get(1)) => {
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

/// Every service that shell text starts, through nested `sh -c`, and the scripts that it runs.
pub fn effects_of_text(text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    collect(text, 0, &mut effects);
    effects
}

fn collect(text: &str, depth: usize, effects: &mut Vec<Effect>) {
    /// How deep `sh -c` is followed into itself.
    const DEPTH: usize = 4;
    for words in shell::commands(text) {
        match effect(&words) {
            Some(Effect::Shell(inner)) if depth < DEPTH => collect(&inner, depth + 1, effects),
            Some(Effect::Shell(_)) | None => {}
            Some(found) => effects.push(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(text: &str) -> Vec<(String, String)> {
        let starts = effects_of_text(text).into_iter().filter_map(|effect| match effect {
            Effect::Starts(started) => Some((started.program, started.args.join(" "))),
            _ => None,
        });
        starts.collect()
    }

    fn one(text: &str) -> (String, String) {
        let found = started(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn a_service_is_found_through_its_wrappers() {
        for (text, program, args) in [
            ("jupyter lab --ip=0.0.0.0", "jupyter-lab", "--ip=0.0.0.0"),
            ("exec /opt/conda/bin/jupyter-notebook", "jupyter-notebook", ""),
            ("python3 -m jupyter lab --x", "jupyter-lab", "--x"),
            ("python -u -m notebook", "jupyter-notebook", ""),
            ("/v/bin/python3.12 /v/bin/jupyter-server --port=1", "jupyter-server", "--port=1"),
            ("sh -c \"cd /w && exec jupyter server\"", "jupyter-server", ""),
            ("bash -lc 'sh -c \"jupyter lab\"'", "jupyter-lab", ""),
            ("tini -g -- start-notebook.sh --port=1", "start-notebook.sh", "--port=1"),
            ("sudo -E -u jovyan PATH=/x HOME=/y jupyter lab", "jupyter-lab", ""),
            ("FOO=1 env -u A B=2 gosu nobody jupyter lab", "jupyter-lab", ""),
            ("conda run --no-capture-output -n ml jupyter lab", "jupyter-lab", ""),
            ("s6-setuidgid user nice -n 5 nohup jupyter lab &", "jupyter-lab", ""),
            ("/usr/sbin/sshd -D -p 2222", "sshd", "-D -p 2222"),
            ("service ssh start", "sshd", ""),
            ("/etc/init.d/ssh start", "sshd", ""),
            ("if true; then dropbear -F; fi", "dropbear", "-F"),
        ] {
            assert_eq!(one(text), (program.to_owned(), args.to_owned()), "{text}");
        }
    }

    #[test]
    fn talk_about_a_service_is_no_start() {
        for text in [
            "pip install jupyter lab",
            "sudo apt-get install -y openssh-server sshd",
            "echo jupyter lab",
            "command -v sshd",
            "jupyter --version",
            "jupyter nbconvert x.ipynb",
            "jupyter lab list",
            "jupyter-server --generate-config",
            "python -m ipykernel_launcher -f /root/.local/share/jupyter/runtime/kernel-1.json",
            "python -m pip install notebook",
            "sshd -t",
            "service ssh stop",
            "ssh host",
            "# jupyter lab",
            "",
            "tini",
            "env",
            "sh -c",
        ] {
            assert_eq!(started(text), [], "{text}");
        }
    }

    #[test]
    fn a_script_that_is_run_is_named() {
        assert_eq!(effects_of_text("exec bash -e /start.sh x"), [Effect::Runs("/start.sh".to_owned())]);
        assert_eq!(effects_of_text("/start.sh"), [Effect::Runs("/start.sh".to_owned())]);
    }

    #[test]
    fn shells_that_nest_without_end_are_left_at_a_depth() {
        let mut text = "jupyter lab".to_owned();
        for _ in 0..8 {
            text = format!("sh -c {text:?}");
        }
        assert_eq!(started(&text), []);
    }
}
