//! Services that do not run yet and that something here will start.
//!
//! At an entrypoint no service listens so far, so the ports alone would look
//! clean. What will be started is read from supervisors' files and from the
//! command that is handed over to, some scripts deep.

use super::command::{self, Effect, Started};
use super::jupyter_args::{Options, bind_of};
use super::jupyter_config::{self, Configured};
use super::sshd_config::Parsed;
use super::supervisors;
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

/// Everything declared. A list that may be incomplete and holds nothing is unknown.
pub fn find(
    world: &World,
    command: Option<&[String]>,
    sshd: &Fact<Parsed>,
    listeners: &Fact<Vec<Listener>>,
) -> Fact<Vec<DeclaredService>> {
    let mut finder = Finder { world, sshd, listeners, jupyter: None, found: Vec::new(), gap: None, scripts: 0 };
    if let Some(words) = command {
        finder.command(words);
    }
    let declarations = supervisors::read(world, command);
    for declaration in &declarations.found {
        finder.text(&declaration.text, declaration.by, &declaration.path);
    }
    match declarations.gap.or(finder.gap) {
        Some(gap) if finder.found.is_empty() => Fact::Unknown(gap),
        _ => Fact::Known(finder.found),
    }
}

struct Finder<'a> {
    world: &'a World,
    sshd: &'a Fact<Parsed>,
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
        match command::effect(words) {
            Some(Effect::Shell(text)) => self.text(&text, DeclaredBy::Command, "command"),
            Some(effect) => self.effect(effect, DeclaredBy::Command, "command", 0),
            None => {}
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
            Effect::Runs(program, args) if depth < DEPTH && self.scripts < SCRIPTS => {
                let Some((script, text)) = self.script(&program) else { return };
                self.scripts += 1;
                for inner in command::effects_of_text(&text, &args) {
                    // What the script of a command starts is the command's; the path says where it stands.
                    self.effect(inner, by, &script, depth + 1);
                }
            }
            Effect::Shell(text) => {
                for inner in command::effects_of_text(&text, &[]) {
                    self.effect(inner, by, path, depth + 1);
                }
            }
            Effect::Runs(..) => {}
        }
    }

    /// A shell script of this image, with its path.
    fn script(&mut self, program: &str) -> Option<(String, String)> {
        let path = self.locate(program)?;
        let bytes = match self.world.read_bytes(&path, SCRIPT_LIMIT) {
            Fact::Known(bytes) => bytes,
            Fact::Absent => return None,
            Fact::Unknown(gap) => {
                self.gap.get_or_insert(gap);
                return None;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let interpreter = text.lines().next()?.strip_prefix("#!")?;
        let is_shell = ["sh", "bash", "dash", "ash", "zsh", "with-contenv", "execlineb"];
        let words = interpreter.split_ascii_whitespace().map(command::base_name);
        words.into_iter().any(|word| is_shell.contains(&word)).then(|| (cut(&path), text.into_owned()))
    }

    fn locate(&self, program: &str) -> Option<String> {
        if program.starts_with('/') {
            return Some(program.to_owned());
        }
        if program.contains('/') {
            let Fact::Known(folder) = self.world.link("/proc/self/cwd") else { return None };
            return Some(folder.join(program).to_string_lossy().into_owned());
        }
        let path = self.world.env("PATH")?;
        let mut places = path.split(':').filter(|folder| folder.starts_with('/'));
        places
            .find(|folder| self.world.executable(format!("{folder}/{program}")) == Fact::Known(true))
            .map(|folder| format!("{folder}/{program}"))
    }

    fn jupyter(&mut self, started: &Started, by: DeclaredBy, path: &str) -> DeclaredService {
        let options = Options::read(&started.args);
        let world = self.world;
        let configured = self.jupyter.get_or_insert_with(|| jupyter_config::read(world));
        let port = options.port.unwrap_or(super::jupyter::PORT);
        let auth = options.auth(&started.program).or_else(|| configured.auth.clone());
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

    fn ssh(&self, started: &Started, by: DeclaredBy, path: &str) -> DeclaredService {
        let args = SshArgs::read(&started.args);
        let is_sshd = started.program == "sshd";
        // Without a configuration sshd has its defaults, dropbear knows none.
        let parsed = if is_sshd { self.sshd.clone() } else { Fact::Absent };
        let configured_port = parsed.known().and_then(|parsed| parsed.config.ports.first().copied());
        let port = args.port.or(configured_port).unwrap_or(22);
        let bind = match (&args.address, &parsed) {
            (Some(address), _) => bind_of(address),
            (None, Fact::Known(parsed)) => widest(&parsed.listen_addresses),
            (None, Fact::Absent) => Fact::Known(Bind::Any),
            (None, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        };
        let allow_root = match parsed {
            _ if args.root_refused => Fact::Known(false),
            Fact::Known(parsed) => parsed.config.root_login.map(|login| login != RootLogin::No),
            Fact::Absent => Fact::Known(true),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        };
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

/// What the arguments of sshd and dropbear say.
#[derive(Default)]
struct SshArgs {
    port: Option<u16>,
    address: Option<String>,
    root_refused: bool,
}

impl SshArgs {
    fn read(args: &[String]) -> Self {
        let mut found = Self::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let value = |rest: &str, words: &mut std::slice::Iter<'_, String>| {
                if rest.is_empty() { words.next().cloned().unwrap_or_default() } else { rest.to_owned() }
            };
            if let Some(rest) = word.strip_prefix("-p") {
                // dropbear takes `[address:]port`.
                let text = value(rest, &mut words);
                let (address, port) = text.rsplit_once(':').map_or((None, text.as_str()), |(a, p)| (Some(a), p));
                found.port = found.port.or(port.parse().ok());
                found.address = found.address.or(address.map(str::to_owned));
            } else if let Some(rest) = word.strip_prefix("-o") {
                let text = value(rest, &mut words);
                let Some((key, value)) = text.split_once(['=', ' ']) else { continue };
                match key.to_ascii_lowercase().as_str() {
                    "port" => found.port = found.port.or(value.parse().ok()),
                    "listenaddress" => found.address = Some(value.to_owned()),
                    "permitrootlogin" => found.root_refused = value.eq_ignore_ascii_case("no"),
                    _ => {}
                }
            } else if word == "-w" {
                found.root_refused = true; // dropbear
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
