//! Services that do not run yet and that something here will start.
//!
//! At an entrypoint no service listens so far, so the ports alone would look
//! clean. What will be started is read from supervisors' files and from the
//! command that is handed over to, some scripts deep.

use super::command::{self, Effect, Started};
use super::jupyter_args::{Options, bind_of};
use super::jupyter_config::{self, Configured};
use super::ssh_args::SshArgs;
use super::{shell, sshd_config, supervisors};
use crate::facts::{Auth, Bind, DeclaredBy, DeclaredKind, DeclaredService, Fact, Gap, Listener, RootLogin};
use crate::probe::network::cut;
use crate::world::World;

/// Bytes of a script that are looked at.
const SCRIPT_LIMIT: u64 = 64 << 10;
/// How many scripts deep is looked: an entrypoint runs a script that runs a script.
const DEPTH: usize = 3;
/// Scripts that are looked into at most, whoever calls them.
const SCRIPTS: usize = 64;
/// Services that are listed at most.
const LIMIT: usize = 64;

/// Everything declared, and the arguments of the SSH servers among it. A list that may be incomplete and holds nothing
/// is unknown.
pub fn find(
    world: &World,
    command: Option<&[String]>,
    listeners: &Fact<Vec<Listener>>,
) -> (Fact<Vec<DeclaredService>>, Vec<SshArgs>) {
    let mut finder =
        Finder { world, ssh_args: Vec::new(), listeners, jupyter: None, found: Vec::new(), gap: None, scripts: 0 };
    match command {
        Some(words) => finder.command(words),
        None => finder.first_process(),
    }
    let declarations = supervisors::read(world, command);
    for declaration in &declarations.found {
        finder.text(&declaration.text, declaration.by, &declaration.path);
    }
    let found = match declarations.gap.or(finder.gap) {
        Some(gap) if finder.found.is_empty() => Fact::Unknown(gap),
        _ => Fact::Known(finder.found),
    };
    (found, finder.ssh_args)
}

struct Finder<'a> {
    world: &'a World,
    ssh_args: Vec<SshArgs>,
    listeners: &'a Fact<Vec<Listener>>,
    /// Read when the first Jupyter is declared.
    jupyter: Option<Configured>,
    found: Vec<DeclaredService>,
    gap: Option<Gap>,
    /// Scripts that were looked into.
    scripts: usize,
}

impl Finder<'_> {
    fn command(&mut self, words: &[String]) {
        if let Some(effect) = command::effect(words) {
            self.effect(effect, DeclaredBy::Command, "command", 0);
        }
    }

    /// What process 1 supervises; whatever else it starts runs by now.
    fn first_process(&mut self) {
        let Fact::Known(line) = self.world.read_bytes("/proc/1/cmdline", 64 << 10) else { return };
        let effects = match command::effect(&super::hints::split(&line)) {
            Some(Effect::Shell(text, args)) => command::effects_of_text(&text, &args),
            other => other.into_iter().collect(),
        };
        for effect in effects {
            if let Effect::Supervises(by, place) = effect {
                self.supervised(by, &place, "/proc/1/cwd", 0);
            }
        }
    }

    fn supervised(&mut self, by: DeclaredBy, place: &str, folder: &str, depth: usize) {
        if depth >= DEPTH {
            return;
        }
        let place = match self.world.link(folder) {
            Fact::Known(folder) => folder.join(place).to_string_lossy().into_owned(),
            _ => place.to_owned(),
        };
        let declarations = supervisors::read_at(self.world, by, &place);
        if let Some(gap) = declarations.gap {
            self.gap.get_or_insert(gap);
        }
        for declaration in declarations.found {
            for effect in command::effects_of_text(&declaration.text, &[]) {
                self.effect(effect, declaration.by, &declaration.path, depth + 1);
            }
        }
    }

    fn text(&mut self, text: &str, by: DeclaredBy, path: &str) {
        for effect in command::effects_of_text(text, &[]) {
            self.effect(effect, by, path, 0);
        }
    }

    fn effect(&mut self, effect: Effect, by: DeclaredBy, path: &str, depth: usize) {
        if self.found.len() >= LIMIT {
            return;
        }
        match effect {
            Effect::Starts(started) => {
                let service = match started.kind {
                    DeclaredKind::Jupyter => self.jupyter(&started, by, path),
                    DeclaredKind::Ssh => self.ssh(&started, by, path),
                };
                if !self.found.contains(&service) {
                    self.found.push(service);
                }
            }
            Effect::Runs(program, args) => self.script(&program, args, by, depth, false),
            Effect::Supervises(by, place) => self.supervised(by, &place, "/proc/self/cwd", depth),
            Effect::Reads(file, args) => self.script(&file, args, by, depth, true),
            Effect::Shell(text, args) => {
                for inner in command::effects_of_text(&text, &args) {
                    self.effect(inner, by, path, depth + 1);
                }
            }
        }
    }

    /// What a shell script of this image starts. A shell reads any text that it is told to, while the kernel runs only
    /// what says so in its first line.
    fn script(&mut self, program: &str, mut args: Vec<String>, by: DeclaredBy, depth: usize, is_told: bool) {
        if depth >= DEPTH || self.scripts >= SCRIPTS {
            return;
        }
        let Some(path) = self.locate(program, is_told) else { return };
        let bytes = match self.world.read_bytes(&path, SCRIPT_LIMIT) {
            Fact::Known(bytes) => bytes,
            Fact::Absent => return,
            Fact::Unknown(gap) => {
                self.gap.get_or_insert(gap);
                return;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        if !is_told && !is_shell_script(&text) {
            return;
        }
        self.scripts += 1;
        args.insert(0, path.clone());
        for inner in command::effects_of_text(&text, &args) {
            // What the script of a command starts is the command's; the path says where it stands.
            self.effect(inner, by, &path, depth + 1);
        }
    }

    fn locate(&self, program: &str, is_told: bool) -> Option<String> {
        if program.starts_with('/') {
            return Some(program.to_owned());
        }
        let here = || {
            let Fact::Known(folder) = self.world.link("/proc/self/cwd") else { return None };
            Some(folder.join(program).to_string_lossy().into_owned())
        };
        if program.contains('/') {
            return here();
        }
        // A shell that is told to read `start.sh` looks here first.
        let own = if is_told { here().filter(|path| self.world.exists(path) == Fact::Known(true)) } else { None };
        own.or_else(|| {
            let path = self.world.env("PATH")?;
            let mut places = path.split(':').filter(|folder| folder.starts_with('/'));
            places
                .find(|folder| self.world.executable(format!("{folder}/{program}")) == Fact::Known(true))
                .map(|folder| format!("{folder}/{program}"))
        })
    }

    fn jupyter(&mut self, started: &Started, by: DeclaredBy, path: &str) -> DeclaredService {
        let world = self.world;
        let mut args = started.args.clone();
        // The start scripts of the Jupyter images take more arguments from there.
        let more = world.env("NOTEBOOK_ARGS").filter(|_| started.program.starts_with("start-"));
        args.extend(more.iter().flat_map(|more| shell::commands(more)).flatten());
        let options = Options::read(&args);
        let configured = self.jupyter.get_or_insert_with(|| jupyter_config::read(world));
        let port = options.port.unwrap_or(super::jupyter::PORT);
        let auth = options.auth(&started.program, configured).or_else(|| configured.auth.clone());
        let bind = options.bind().or_else(|| configured.bind.clone());
        DeclaredService {
            kind: DeclaredKind::Jupyter,
            by,
            path: cut(path),
            port,
            bind: bind.unwrap_or(Fact::Known(Bind::Loopback)),
            // Without a setting the server makes up a token.
            auth: auth.unwrap_or(Fact::Known(Auth::Required)),
            allow_root: Fact::Known(options.allow_root),
            running: self.running(port, "jupyter"),
        }
    }

    fn ssh(&mut self, started: &Started, by: DeclaredBy, path: &str) -> DeclaredService {
        let args = SshArgs::read(&started.program, &started.args);
        let parsed = sshd_config::of(self.world, &args);
        let port = parsed.known().and_then(|parsed| parsed.config.ports.first().copied()).unwrap_or(22);
        let bind = match &parsed {
            Fact::Known(parsed) => match (widest(&parsed.listen_addresses), &parsed.gap) {
                // With no address sshd listens everywhere, and one more can only widen.
                (Fact::Known(bind), Some(gap)) if bind != Bind::Any || parsed.listen_addresses.is_empty() => {
                    Fact::Unknown(gap.clone())
                }
                (bind, _) => bind,
            },
            Fact::Absent => Fact::Known(Bind::Any),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        };
        let allow_root = match parsed {
            Fact::Known(parsed) => parsed.config.root_login.map(|login| login != RootLogin::No),
            Fact::Absent => Fact::Known(true),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        };
        if !self.ssh_args.contains(&args) {
            self.ssh_args.push(args);
        }
        DeclaredService {
            kind: DeclaredKind::Ssh,
            by,
            path: cut(path),
            port,
            bind,
            auth: Fact::Known(Auth::Required),
            allow_root,
            running: self.running(port, &started.program),
        }
    }

    /// Whether somebody listens on the port already; when the listener's process is known it must fit.
    fn running(&self, port: u16, program: &str) -> Fact<bool> {
        self.listeners.clone().map(|listeners| {
            listeners.iter().any(|listener| {
                let named = listener.process.known().is_none_or(|name| {
                    name.starts_with(program) || name.starts_with("python") || name.starts_with("systemd")
                });
                listener.port == port && named
            })
        })
    }
}

fn is_shell_script(text: &str) -> bool {
    let is_shell = ["sh", "bash", "dash", "ash", "zsh", "with-contenv", "execlineb"];
    let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    interpreter.split_ascii_whitespace().any(|word| is_shell.contains(&command::base_name(word)))
}

/// From where a server with several addresses can be reached; none means every interface.
fn widest(addresses: &[String]) -> Fact<Bind> {
    // An address may carry a port: `0.0.0.0:22`, `[::]:22`, but `::1` does not.
    let bare = |address: &String| match address.rsplit_once(':') {
        Some((host, _)) if host.ends_with(']') || !host.contains(':') => bind_of(host),
        _ => bind_of(address),
    };
    let binds: Vec<Fact<Bind>> = addresses.iter().map(bare).collect();
    let has = |bind| binds.contains(&Fact::Known(bind));
    if binds.is_empty() || has(Bind::Any) {
        Fact::Known(Bind::Any)
    } else if let Some(unknown) = binds.iter().find(|bind| bind.is_unknown()) {
        unknown.clone()
    } else if has(Bind::Specific) {
        Fact::Known(Bind::Specific)
    } else {
        Fact::Known(Bind::Loopback)
    }
}

#[cfg(test)]
mod tests;
