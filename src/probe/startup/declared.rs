//! The search for what will be started: from the command and the supervisors' files, some scripts deep, to services.

use std::collections::BTreeSet;

use super::command::{self, Effect};
use super::jupyter_config::{self, Configured};
use super::supervised::keeps_ending;
use super::{jupyter, ssh, supervisors};
use crate::facts::{DeclaredBy, DeclaredKind, DeclaredService, Fact, Gap, GapKind, LIST_LIMIT, Listener, cut};
use crate::probe::paths::{base_name, find_program};
use crate::probe::procfs::{command_line, seen_from};
use crate::probe::services::program::Started;
use crate::probe::services::ssh_args::SshArgs;
use crate::world::World;

/// Bytes of a script that are looked at.
const SCRIPT_LIMIT: u64 = 64 << 10;
/// How many scripts deep is looked: an entrypoint runs a script that runs a script. Deeper ones are a gap.
const DEPTH: usize = 8;
/// Scripts that are looked into at most, whoever calls them. Further ones are a gap.
const SCRIPTS: usize = 256;

/// Everything declared, and the arguments of the SSH servers among it. A list that may be incomplete and holds nothing
/// is unknown.
pub fn find(
    world: &World,
    command: Option<&[String]>,
    listeners: &Fact<Vec<Listener>>,
) -> (Fact<Vec<DeclaredService>>, Vec<SshArgs>) {
    let mut finder = Finder {
        world,
        ssh_args: Vec::new(),
        listeners,
        jupyter: None,
        found: Vec::new(),
        gap: None,
        scripts: 0,
        seen: BTreeSet::new(),
    };
    match command {
        Some(words) => finder.command(words),
        None if world.is_still() => {}
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
    /// Those that were met, with their arguments.
    seen: BTreeSet<(String, Vec<String>)>,
}

impl Finder<'_> {
    fn command(&mut self, words: &[String]) {
        if let Some(effect) = command::effect(words) {
            self.effect(effect, DeclaredBy::Command, "command", 0);
        }
    }

    /// What process 1 supervises; whatever else it starts runs by now.
    fn first_process(&mut self) {
        let Fact::Known(words) = command_line(self.world, 1) else { return };
        let effects = match command::effect(&words) {
            Some(Effect::Shell(text, args)) => command::effects_of_text(&text, &args),
            other => other.into_iter().collect(),
        };
        for effect in effects {
            if let Effect::Supervises(by, place) = effect {
                self.supervised(by, &place, "1", 0);
            }
        }
    }

    fn supervised(&mut self, by: DeclaredBy, place: &str, process: &str, depth: usize) {
        if depth >= DEPTH {
            return self.beyond(&format!("{place}: supervisors that start supervisors, more than are looked into"));
        }
        let place = seen_from(self.world, process, place).known().cloned().unwrap_or_else(|| place.to_owned());
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
        if self.found.len() >= LIST_LIMIT {
            return self.beyond("more services are declared than are listed");
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
            Effect::Supervises(by, place) => self.supervised(by, &place, "self", depth),
            Effect::Reads(file, args) => self.script(&file, args, by, depth, true),
            Effect::Shell(_, _) if depth >= DEPTH => {
                self.beyond(&format!("{path}: shells that start shells, more than are looked into"));
            }
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
        let Some(path) = self.locate(program, is_told).filter(|path| !self.is_left_out(path)) else {
            return self.behind_entrypoint(program, &args, by, depth);
        };
        // A script that starts itself anew, as another user for example, says nothing new the second time.
        if !self.seen.insert((path.clone(), args.clone())) {
            return;
        }
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
        if depth >= DEPTH || self.scripts >= SCRIPTS {
            return self.beyond(&format!("{path}: scripts that start scripts, more than are looked into"));
        }
        if bytes.len() as u64 >= SCRIPT_LIMIT {
            self.beyond(&format!("{path}: longer than is read"));
        }
        self.scripts += 1;
        args.insert(0, path.clone());
        for inner in command::effects_of_text(&text, &args) {
            // What the script of a command starts is the command's; the path says where it stands.
            self.effect(inner, by, &path, depth + 1);
        }
    }

    /// Whether only the text is known that copies this file.
    fn is_left_out(&self, path: &str) -> bool {
        self.world.is_text() && self.world.exists(path) != Fact::Known(true)
    }

    /// What an entrypoint starts whose script is copied from elsewhere: such scripts end by becoming their arguments.
    fn behind_entrypoint(&mut self, program: &str, args: &[String], by: DeclaredBy, depth: usize) {
        let name = base_name(program);
        if !self.world.is_text() || !(name.strip_suffix(".sh").is_some() || name.contains("entrypoint")) {
            return;
        }
        let effects = match command::effect(args) {
            Some(Effect::Shell(text, args)) => command::effects_of_text(&text, &args),
            other => other.into_iter().collect(),
        };
        for effect in effects.into_iter().filter(|effect| matches!(effect, Effect::Starts(_))) {
            self.effect(effect, by, "command", depth + 1);
        }
    }

    /// Notes that there is more to look at than is looked at.
    fn beyond(&mut self, what: &str) {
        self.gap.get_or_insert(Gap::new(GapKind::NotSupported, cut(what)));
    }

    fn locate(&self, program: &str, is_told: bool) -> Option<String> {
        if program.starts_with('/') {
            return Some(program.to_owned());
        }
        let here = || seen_from(self.world, "self", program).known().cloned();
        if program.contains('/') {
            return here();
        }
        // A shell that is told to read `start.sh` looks here first.
        let own = if is_told { here().filter(|path| self.world.exists(path) == Fact::Known(true)) } else { None };
        own.or_else(|| find_program(self.world, program))
    }

    fn jupyter(&mut self, started: &Started, by: DeclaredBy, path: &str) -> DeclaredService {
        let configured = self.jupyter.get_or_insert_with(|| jupyter_config::read(self.world));
        let server = jupyter::server(self.world, started, configured);
        let (running, keeps_ending) = (self.running(server.port, "jupyter"), keeps_ending(self.world, path));
        DeclaredService { by, path: cut(path), running, keeps_ending, ..server }
    }

    fn ssh(&mut self, started: &Started, by: DeclaredBy, path: &str) -> DeclaredService {
        let args = SshArgs::read(&started.program, &started.args);
        let server = ssh::server(self.world, &args);
        if !self.ssh_args.contains(&args) {
            self.ssh_args.push(args);
        }
        let (running, keeps_ending) = (self.running(server.port, &started.program), keeps_ending(self.world, path));
        DeclaredService { by, path: cut(path), running, keeps_ending, ..server }
    }

    /// Whether somebody listens on the port already; when the listener's process is known it must fit.
    fn running(&self, port: u16, program: &str) -> Fact<bool> {
        if self.world.is_still() {
            return Fact::Known(false);
        }
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
    interpreter.split_ascii_whitespace().any(|word| is_shell.contains(&base_name(word)))
}

#[cfg(test)]
mod tests;
