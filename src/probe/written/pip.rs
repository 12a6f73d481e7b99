//! What `pip install` and `conda install` bring, as far as their command lines say.

mod bare;
mod index;
mod tables;

pub use bare::bare;
use bare::{assignment, behind_options, is_export, is_script};
use index::Indexes;
use tables::{COMPILERS, COMPILING, OPAQUE, REPLACING, WITH_VALUE};

use super::dockerfile::{Run, is_of_text};
use crate::facts::reference::bases::wheel_cuda;
use crate::facts::version::Version;
use crate::probe::paths::base_name;
use crate::probe::startup::shell_commands;

/// One package on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// Its name in the normal form of PEP 503.
    pub name: String,
    /// The version, where exactly one is asked for, without its local part.
    pub version: Option<String>,
    /// What it is built for.
    pub build: BuiltFor,
    /// What becomes of one that is there already.
    pub over: Over,
    /// The word, to find its line.
    pub word: String,
}

/// What becomes of a package that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It stays where it satisfies what is asked for.
    Keeps,
    /// It is replaced.
    Replaces,
    /// It is taken away, and nothing put in its place.
    Removes,
}

impl Install {
    /// Whether pip takes one of this version for what is asked for, and does nothing.
    pub fn is_satisfied_by(&self, version: Option<&String>) -> bool {
        self.over == Over::Keeps && (self.version.is_none() || self.version.as_ref() == version)
    }
}

/// What a package is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuiltFor {
    /// A CUDA release.
    Cuda(String),
    /// The CPU alone.
    Cpu,
    /// The command line does not say.
    Unsaid,
    /// A variable or a condition decides it while the image is built.
    Elsewhere,
}

/// Everything that the command lines of a script install, and whether one of them reads a list that is not in the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installs {
    /// The packages.
    pub all: Vec<Install>,
    /// Whether packages are named elsewhere: a file of requirements, a project.
    pub elsewhere: bool,
    /// Whether something is compiled: by a compiler, or from a source.
    pub compiles: bool,
    /// Whether something is run that may compile: a script that is not in the text, a tool that builds.
    pub is_opaque: bool,
    indexes: Indexes,
}

/// How deep `sh -c` is followed into itself.
const DEPTH: usize = 3;

impl Installs {
    /// Reads a `RUN`, in the order of its commands.
    pub fn of(run: &Run) -> Self {
        let mut installs = Self { is_opaque: run.is_opaque, ..Self::default() };
        for (name, value) in run.indexes.iter() {
            // What has no value in the text is what a shell would be left with.
            installs.indexes.set(name, value.as_deref().unwrap_or("$"));
        }
        for words in shell_commands(&run.text) {
            installs.read(&words);
        }
        installs
    }

    /// Reads one simple command.
    pub fn read(&mut self, words: &[String]) {
        self.read_within(words, 0);
    }

    fn read_within(&mut self, words: &[String], depth: usize) {
        let command = bare(words);
        let before = words.len() - command.len();
        let set = words.iter().take(before).chain(command.iter().skip(1).filter(|_| is_export(command)));
        for (name, value) in set.filter_map(|word| assignment(word)) {
            self.indexes.set(name, value);
        }
        let Some((program, rest)) = command.split_first() else { return };
        let name = base_name(program);
        self.compiles |= COMPILERS.contains(&name);
        self.is_opaque |= OPAQUE.contains(&name);
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        if name.starts_with("python") {
            self.python(&rest);
        } else if name.starts_with("pip") && name != "pipenv" {
            self.tool(&rest);
        } else {
            match (name, behind_options(&rest)) {
                ("uv", ["pip", rest @ ..]) => self.tool(rest),
                ("uv", ["sync" | "add" | "run" | "build", ..])
                | ("poetry" | "pipenv" | "pdm", [..])
                | ("conda" | "mamba" | "micromamba", ["env", ..]) => self.elsewhere = true,
                ("conda" | "mamba" | "micromamba", ["install" | "create", rest @ ..]) => self.conda(rest),
                ("sh" | "bash" | "dash" | "ash" | "zsh", _) => self.shell(&rest, depth),
                ("source" | ".", [script, ..]) => self.is_opaque |= !script.contains("activate"),
                _ => self.is_opaque |= is_script(program),
            }
        }
    }

    /// `sh -c TEXT`, `sh SCRIPT`, and one that reads what another command gives it.
    fn shell(&mut self, words: &[&str], depth: usize) {
        let text = words.iter().position(|word| is_of_text(word));
        match text.and_then(|at| words.get(at + 1)).filter(|_| depth < DEPTH) {
            Some(text) => {
                for words in shell_commands(text) {
                    self.read_within(&words, depth + 1);
                }
            }
            None => self.is_opaque = true,
        }
    }

    fn python(&mut self, words: &[&str]) {
        let module = words
            .iter()
            .position(|word| *word == "-m")
            .filter(|at| words.iter().take(*at).all(|word| word.starts_with('-')));
        match module.and_then(|at| words.get(at + 1..)) {
            Some(["pip", rest @ ..] | ["uv", "pip", rest @ ..]) => self.tool(rest),
            Some(["build", ..]) => self.is_opaque = true,
            Some(_) => {}
            None if words.first() == Some(&"setup.py") => self.compiles = true,
            None => self.is_opaque |= !matches!(words.first(), Some(&"-c" | &"--version" | &"-V")),
        }
    }

    /// What stands behind `pip`.
    fn tool(&mut self, words: &[&str]) {
        match behind_options(words) {
            ["install" | "sync", rest @ ..] => {
                // Options of the index may stand before the command as well.
                let before: Vec<&str> = words.iter().take(words.len() - rest.len() - 1).copied().collect();
                self.pip(&[before.as_slice(), rest].concat());
            }
            ["uninstall", rest @ ..] => {
                let named = rest.iter().filter(|word| !word.starts_with('-'));
                let removed = named.filter_map(|word| package(word, &Indexes::default()));
                self.all.extend(removed.map(|install| Install { over: Over::Removes, ..install }));
            }
            ["wheel", ..] => self.is_opaque = true,
            ["config", rest @ ..] if rest.contains(&"set") => {
                let is_index = |word: &&&str| word.contains("index") || word.contains("find-links");
                if let Some(name) = rest.iter().find(is_index) {
                    let value = rest.last().copied().unwrap_or_default();
                    self.indexes.add(value, name.contains("extra") || name.contains("find"), false);
                }
            }
            _ => {}
        }
    }

    fn pip(&mut self, words: &[&str]) {
        let indexes = Indexes::of(words, &self.indexes);
        let over = if words.iter().any(|word| REPLACING.contains(word)) { Over::Replaces } else { Over::Keeps };
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let option = word.split('=').next().unwrap_or_default();
            if word.starts_with('-') {
                self.elsewhere |=
                    matches!(option, "-r" | "--requirement" | "-e" | "--editable") || word.starts_with("-r");
                self.compiles |= matches!(option, "-e" | "--editable" | "--no-binary");
                at += usize::from(WITH_VALUE.contains(word));
            } else if word.starts_with('.') || word.starts_with('/') || word.contains("://") || word.starts_with("git+")
            {
                let is_wheel = word.contains(".whl");
                self.compiles |= !is_wheel;
                self.elsewhere |= !is_wheel;
            } else if let Some(install) = package(word, &indexes) {
                self.compiles |= COMPILING.contains(&install.name.as_str());
                self.all.push(Install { over, ..install });
            }
        }
    }

    /// `conda install pytorch=2.5 pytorch-cuda=12.4`.
    fn conda(&mut self, words: &[&str]) {
        let parts = |word: &str| word.split('=').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let named =
            |name: &str| words.iter().map(|word| parts(word)).find(|parts| parts.first().is_some_and(|n| n == name));
        self.elsewhere |= words.iter().any(|word| matches!(*word, "-f" | "--file"));
        let Some(torch) = named("pytorch") else { return };
        let cuda = named("pytorch-cuda").and_then(|parts| parts.get(1).cloned());
        let is_cpu = words.contains(&"cpuonly");
        let build = cuda.map_or(if is_cpu { BuiltFor::Cpu } else { BuiltFor::Unsaid }, BuiltFor::Cuda);
        let version = torch.get(1).filter(|version| version.matches('.').count() == 2).cloned();
        let (name, word) = ("torch".to_owned(), "pytorch".to_owned());
        self.all.push(Install { name, version, build, over: Over::Keeps, word });
    }
}

/// `cu124` or `cpu`.
pub fn of_suffix(word: &str) -> Option<BuiltFor> {
    if word == "cpu" {
        return Some(BuiltFor::Cpu);
    }
    let digits =
        word.strip_prefix("cu").filter(|digits| digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let (major, minor) = digits.split_at(digits.len() - 1);
    Some(BuiltFor::Cuda(format!("{major}.{minor}")))
}

fn package(word: &str, indexes: &Indexes) -> Option<Install> {
    let bare = word.split([';', '@']).next().unwrap_or_default().trim();
    let end =
        bare.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter))).unwrap_or(bare.len());
    let (name, rest) = bare.split_at(end);
    if name.is_empty() || name.contains('$') {
        return None;
    }
    let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((extras, rest)) => (extras, rest),
        None => ("", rest),
    };
    let exact = rest.strip_prefix("===").or_else(|| rest.strip_prefix("=="));
    let exact = exact.map(str::trim).filter(|version| !version.contains([',', '*', '$']));
    let (version, local) = match exact.map(|version| version.split_once('+').unwrap_or((version, ""))) {
        Some((version, local)) => (Some(version).filter(|version| Version::parse(version).is_some()), local),
        None => (None, ""),
    };
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    let is_pytorchs = matches!(name.as_str(), "torch" | "torchvision" | "torchaudio");
    let from_index = || indexes.build(version.is_some()).filter(|_| is_pytorchs);
    let of_extras = || match (name.as_str(), extras) {
        ("jax", extras) if extras.contains("cuda13") => Some(BuiltFor::Cuda("13.0".to_owned())),
        ("jax", extras) if extras.contains("cuda12") => Some(BuiltFor::Cuda("12.9".to_owned())),
        _ => None,
    };
    let of_table = || {
        let cuda = version.filter(|_| name == "torch" && !indexes.is_foreign).and_then(wheel_cuda);
        cuda.map(|cuda| BuiltFor::Cuda(cuda.to_owned()))
    };
    let build = of_suffix(local).or_else(from_index).or_else(of_extras).or_else(of_table).unwrap_or(BuiltFor::Unsaid);
    Some(Install { version: version.map(str::to_owned), build, over: Over::Keeps, word: word.to_owned(), name })
}

#[cfg(test)]
mod tests;
