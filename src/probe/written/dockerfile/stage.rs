//! What one stage of a Dockerfile leaves: its user, its variables, its command, and what was run for it.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::instructions::{HereDocument, Instruction, raw_words};
use super::parts::{At, Command, Run, Variable, json, without_flags};
use super::words::{Told, expanded, filled_in, pairs, uses};
use crate::facts::LIST_LIMIT;
use crate::probe::environment::{is_secret, is_secret_name};
use crate::probe::startup::FileText;

/// Bytes of a value that are kept; a list of folders has some hundreds.
const VALUE: usize = 16 << 10;
/// Files whose texts are kept.
const FILES: usize = 1000;
/// Ports that are kept, and bytes of one; more than a report shows.
const PORTS: usize = 1000;
const PORT: usize = 64;
/// What a stage leaves.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name.
    pub name: Option<String>,
    /// The image that the first stage under it is made from.
    pub base: At<Told>,
    /// `USER`, the last.
    pub user: Option<At<Told>>,
    /// Variables, each set anew where it is set again.
    pub variables: Vec<Variable>,
    /// `ENTRYPOINT`.
    pub entrypoint: Option<At<Command>>,
    /// `CMD`.
    pub cmd: Option<At<Command>>,
    /// Ports of `EXPOSE`.
    pub exposed: Vec<At<String>>,
    /// Whether a `HEALTHCHECK` is declared.
    pub health: Option<At<bool>>,
    /// `WORKDIR`.
    pub folder: String,
    /// Names of labels.
    pub labels: Vec<String>,
    /// Commands that were run here and in the stages below.
    pub runs: Vec<Run>,
    /// Commands of stages that files were copied from.
    pub copied_runs: Vec<Run>,
    /// Whether a folder was copied from a stage that installs packages, which may be in it.
    pub may_hold_copied: bool,
    /// Variables with a value that looks like a secret, each with its line. Setting one again takes nothing from a history.
    pub secrets: Vec<(String, usize)>,
    /// Instructions that start something, with the text: each stays in the history.
    pub commands: Vec<At<Command>>,
    /// Instructions that stay in the history with their words, or write them into a file.
    pub shown: Vec<Rc<Instruction>>,
    /// Files whose text is in the Dockerfile.
    pub files: Vec<(String, String)>,
    /// The line of its `FROM`.
    pub line: usize,
    shell: Vec<String>,
    /// Build arguments without a value that are to hold a secret, each with its line.
    asked: Vec<(String, usize)>,
    /// Lines of those commands, each of which counts once.
    copied_lines: BTreeSet<usize>,
}

impl Stage {
    /// One made from an image, or from an earlier stage.
    pub fn from(base: At<Told>, below: Option<&Self>, name: Option<String>) -> Self {
        let line = base.line;
        match below {
            // Arguments end with their stage, and the ports and files stay.
            Some(below) => {
                let variables = below.variables.iter().filter(|variable| variable.stays).cloned().collect();
                Self { name, variables, line, asked: Vec::new(), ..below.clone() }
            }
            None => Self {
                name,
                base,
                user: None,
                variables: Vec::new(),
                entrypoint: None,
                cmd: None,
                exposed: Vec::new(),
                health: None,
                folder: String::new(),
                labels: Vec::new(),
                runs: Vec::new(),
                copied_runs: Vec::new(),
                may_hold_copied: false,
                secrets: Vec::new(),
                commands: Vec::new(),
                shown: Vec::new(),
                files: Vec::new(),
                line,
                shell: vec!["/bin/sh".to_owned(), "-c".to_owned()],
                asked: Vec::new(),
                copied_lines: BTreeSet::new(),
            },
        }
    }

    /// Files are copied from a stage for which these commands were run.
    pub fn copy_runs(&mut self, runs: Vec<Run>) {
        for run in runs {
            if self.copied_lines.insert(run.instruction.line) {
                self.copied_runs.push(run);
            }
        }
    }

    fn lookup(&self, name: &str) -> Option<Told> {
        self.variables.iter().find(|variable| variable.name == name).map(|variable| variable.value.clone())
    }

    fn told(&self, raw: &str, escape: char) -> Told {
        expanded(raw, escape, &|name| self.lookup(name))
    }

    /// Text for a shell with what is known filled in.
    pub fn filled_in(&self, text: &str) -> String {
        filled_in(text, &|name| self.lookup(name))
    }

    fn set(&mut self, mut variable: Variable) {
        if let Ok(value) = &variable.value {
            let is_literal = !value.contains('`') && !value.contains("$(");
            let found = (variable.name.clone(), variable.line);
            if is_literal
                && is_secret(&variable.name, value)
                && self.secrets.len() < LIST_LIMIT
                && !self.secrets.contains(&found)
            {
                self.secrets.push(found);
            }
            // Every stage under this one keeps it, and every use copies it.
            if value.len() > VALUE {
                variable.value = Err(format!("the value of {} is longer than {VALUE} bytes", variable.name));
            }
        }
        match self.variables.iter_mut().find(|known| known.name == variable.name) {
            // `ENV` stands before an `ARG` of the same name.
            Some(known) if known.stays && !variable.stays => {}
            Some(known) => *known = variable,
            None => self.variables.push(variable),
        }
    }

    /// Does what an instruction says. `global` are the arguments above the first `FROM`.
    pub fn follow(&mut self, instruction: &Rc<Instruction>, escape: char, global: &[Variable]) {
        let (text, line) = (instruction.text.as_str(), instruction.line);
        if matches!(instruction.keyword.as_str(), "ADD" | "COPY" | "HEALTHCHECK" | "LABEL") {
            self.shown.push(Rc::clone(instruction));
        }
        match instruction.keyword.as_str() {
            "ARG" => self.arguments(instruction, escape, global),
            "ENV" => {
                // All values of one instruction are worked out before one of them holds.
                let pairs = pairs(text);
                let lines = instruction.lines_of(pairs.iter().map(|(name, _)| format!("{name}=")));
                let set: Vec<Variable> = pairs
                    .into_iter()
                    .zip(lines)
                    .map(|((name, raw), line)| Variable { value: self.told(&raw, escape), name, line, stays: true })
                    .collect();
                self.expose(text);
                for variable in set {
                    self.set(variable);
                }
            }
            "USER" => self.user = Some(At { value: self.told(text, escape), line }),
            "WORKDIR" => {
                let folder = self.told(text, escape).unwrap_or_default();
                self.folder = if folder.starts_with('/') {
                    folder
                } else {
                    format!("{}/{folder}", self.folder.trim_end_matches('/'))
                };
            }
            "EXPOSE" => {
                let ports = raw_words(text).into_iter().filter_map(|raw| self.told(&raw, escape).ok());
                let ports = ports.filter(|port| port.len() <= PORT).take(PORTS.saturating_sub(self.exposed.len()));
                let ports: Vec<At<String>> = ports.map(|value| At { value, line }).collect();
                self.exposed.extend(ports);
            }
            "LABEL" => self.labels.extend(pairs(text).into_iter().map(|(name, _)| name.trim_matches('"').to_owned())),
            "HEALTHCHECK" => {
                let is_none = raw_words(text).first().is_some_and(|word| word.eq_ignore_ascii_case("none"));
                self.health = Some(At { value: !is_none, line });
            }
            "SHELL" => self.shell = json(text).unwrap_or_default(),
            "ENTRYPOINT" => {
                let command = At { value: self.command(text), line };
                self.commands.push(command.clone());
                self.entrypoint = Some(command);
                // What a base brought belongs to its own entrypoint.
                self.cmd = self.cmd.take().filter(|cmd| cmd.line > self.line);
            }
            "CMD" => {
                let command = At { value: self.command(text), line };
                self.commands.push(command.clone());
                self.cmd = Some(command);
            }
            "COPY" | "ADD" => self.texts(instruction, escape),
            _ => {}
        }
    }

    /// A build argument that is to hold a secret stays in the image where this text uses it, whatever its value will be.
    pub fn expose(&mut self, text: &str) {
        let given: Vec<(String, usize)> = self.asked.iter().filter(|(name, _)| uses(text, name)).cloned().collect();
        for one in given {
            if self.secrets.len() < LIST_LIMIT && !self.secrets.contains(&one) {
                self.secrets.push(one);
            }
        }
    }

    fn arguments(&mut self, instruction: &Instruction, escape: char, global: &[Variable]) {
        let words = raw_words(&instruction.text);
        let lines = instruction.lines_of(words.iter().cloned());
        for (word, line) in words.into_iter().zip(lines) {
            let (name, value) = if let Some((name, raw)) = word.split_once('=') {
                (name.to_owned(), self.told(raw, escape))
            } else {
                let above = global.iter().find(|variable| variable.name == word).map(|variable| variable.value.clone());
                let value = above.unwrap_or_else(|| Err(format!("the build argument {word} has no default")));
                (word, value)
            };
            if value.is_err() && is_secret_name(&name) && self.asked.len() < LIST_LIMIT {
                self.asked.push((name.clone(), line));
            }
            self.set(Variable { name, value, line, stays: false });
        }
    }

    fn command(&self, text: &str) -> Command {
        if let Some(words) = json(text) {
            return Command { words, is_shell: false };
        }
        let mut words = self.shell.clone();
        // Its variables are those of the container, which may set others; arguments of the build are gone by then.
        words.push(text.to_owned());
        Command { words, is_shell: true }
    }

    /// `COPY <<EOF /path`, and `COPY <<a <<b /folder/`.
    fn texts(&mut self, instruction: &Instruction, escape: char) {
        let words = raw_words(without_flags(&instruction.text));
        let Some(target) = words.last().and_then(|raw| self.told(raw, escape).ok()) else { return };
        for HereDocument { text, expands, name } in &instruction.documents {
            let text = if *expands { self.filled_in(text) } else { text.clone() };
            let is_folder = target.ends_with('/') || words.len() > 2;
            let path = if is_folder { format!("{}/{name}", target.trim_end_matches('/')) } else { target.clone() };
            self.write(FileText { path, text, appends: false });
        }
    }

    /// A file whose text the Dockerfile says.
    pub fn write(&mut self, file: FileText) {
        let path = if file.path.starts_with('/') {
            file.path
        } else {
            format!("{}/{}", self.folder.trim_end_matches('/'), file.path)
        };
        let is_room = self.files.len() < FILES;
        match self.files.iter_mut().find(|(known, _)| *known == path) {
            Some((_, text)) if file.appends => text.push_str(&file.text),
            Some((_, text)) => *text = file.text,
            None if is_room => self.files.push((path, file.text)),
            None => {}
        }
    }
}
