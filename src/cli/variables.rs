//! Variables: every option has one, so that a pod can say what a command line says. The command line wins over them.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, Command};

use super::Mode;
use crate::lang::nearest;
use crate::text::plain;

/// What the names of variables begin with; the long name of the option follows.
pub const PREFIX: &str = "GPU_PREFLIGHT_";

/// Options without a variable: of these commands, which, and why.
pub const WITHOUT: [(&[&str], &str, &str); 2] = [
    (
        &["bundle", "facts", "init", "sbom", "osv-index"],
        "output",
        "one variable would put an archive, a recording, a contract, a bill of materials and an index in the place of the report",
    ),
    (&["diff", "gpus"], "format", "they print a table, for which the formats of reports have no word"),
];

/// The variable of an option of a command; none for words without a flag, for help, and for those without.
pub fn name(command: &str, option: &Arg) -> Option<String> {
    let long = option.get_long()?;
    let is_without = |(commands, without, _): &(&[&str], &str, &str)| commands.contains(&command) && *without == long;
    (is_option(option) && !WITHOUT.iter().any(is_without))
        .then(|| format!("{PREFIX}{}", long.to_uppercase().replace('-', "_")))
}

/// Whether it sets something: help and version only answer.
pub fn is_option(option: &Arg) -> bool {
    option.get_long().is_some() && (option.get_action().takes_values() || is_flag(option))
}

/// Whether it is set without a value.
pub fn is_flag(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

/// Every variable of a command line, with the commands that heed it.
pub fn all(command: &Command) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sub in command.get_subcommands() {
        for name in sub.get_arguments().filter_map(|option| name(sub.get_name(), option)) {
            found.entry(name).or_default().push(sub.get_name().to_owned());
        }
    }
    found
}

/// The command line with a sentence about variables at the end of each help.
pub fn told(command: Command) -> Command {
    with_sentence(command).mut_subcommands(with_sentence)
}

fn with_sentence(command: Command) -> Command {
    let options = || command.get_arguments().filter_map(|option| Some((option, option.get_long()?)));
    let named = |option| name(command.get_name(), option);
    let without: Vec<String> =
        options().filter(|(option, _)| named(option).is_none()).map(|(_, long)| format!("--{long}")).collect();
    let Some((long, variable)) = options().find_map(|(option, long)| Some((long, named(option)?))) else {
        return command;
    };
    let but = if without.is_empty() { String::new() } else { format!(" but {}", without.join(", ")) };
    let sentence = format!(
        "Every option{but} can come from a variable, as --{long} from {variable}; the command line wins. \
         `gpu-preflight config` prints what is in force."
    );
    let after = |help: Option<&clap::builder::StyledStr>| match help {
        Some(help) => format!("{help}\n\n{sentence}"),
        None => sentence.clone(),
    };
    let short = after(command.get_after_help());
    match command.get_after_long_help() {
        Some(help) => {
            let long = after(Some(help));
            command.after_long_help(long).after_help(short)
        }
        None => command.after_help(short),
    }
}

/// The variables that begin like ours and say something. An empty one says nothing.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

/// A variable that means nothing to any command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Its name.
    pub name: String,
    /// The name that was meant, where one is near.
    pub near: Option<String>,
    /// Whether it is that name with one slip of the hand.
    pub is_slip: bool,
}

impl Stranger {
    /// That it means nothing, and what may have been meant.
    pub fn words(&self) -> String {
        let near = self.near.as_ref().map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        format!("the variable {} means nothing{near}", plain(&self.name))
    }
}

impl Variables {
    /// Those of an environment.
    pub fn of(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_said = |(name, value): &(String, String)| name.starts_with(PREFIX) && !value.trim().is_empty();
        Self(environment.into_iter().filter(is_said).collect())
    }

    /// What one says.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whose exit codes to use, be the rest as wrong as it may.
    pub fn style(&self) -> Option<&str> {
        self.get("GPU_PREFLIGHT_EXIT_STYLE")
    }

    /// The command line with what they say, for the command that its first word names. No other is given any: what is
    /// wrong for one must not stop another.
    pub(super) fn given(&self, command: Command, word: Option<&str>) -> Command {
        if self.0.is_empty() {
            return command;
        }
        match word.filter(|word| command.find_subcommand(word).is_some()) {
            Some(word) => command.mut_subcommands(|sub| if sub.get_name() == word { self.on(sub) } else { sub }),
            None => self.on(command),
        }
    }

    fn on(&self, command: Command) -> Command {
        let of = command.get_name().to_owned();
        command.mut_args(|option| {
            // That of the mode is read by `exec` itself, which hands over in spite of mistakes.
            let variable = name(&of, &option).filter(|variable| variable != Mode::VARIABLE);
            let Some((variable, value)) = variable.and_then(|variable| Some((variable.clone(), self.get(&variable)?)))
            else {
                return option;
            };
            let is_flag = is_flag(&option);
            // One that is not set conflicts with nothing.
            if is_flag && switch(value) == Ok(false) {
                return option;
            }
            let option = if is_flag { option.value_parser(switch) } else { option };
            option.env(&*variable.leak()).hide_env(true) // the parser keeps names for the whole run, and there are few
        })
    }

    /// Those that mean nothing.
    pub fn strangers(&self, command: &Command) -> Vec<Stranger> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let known = all(command);
        let words: Vec<&str> = known.keys().map(|name| &name[PREFIX.len()..]).collect();
        let unknown = self.0.keys().filter(|name| !known.contains_key(*name) && !is_service(name));
        let stranger = |name: &String| {
            let near = nearest(&name[PREFIX.len()..], words.iter().copied());
            let is_slip = near.is_some_and(|(_, slips)| slips == 1);
            Stranger { name: name.clone(), near: near.map(|(word, _)| format!("{PREFIX}{word}")), is_slip }
        };
        unknown.map(stranger).collect()
    }
}

/// Whether it is one of those that Kubernetes sets for a service called `gpu-preflight`, or something that begins so.
fn is_service(name: &str) -> bool {
    let is_port = |rest: &str| {
        let mut parts = rest.split('_');
        let number = parts.next().is_some_and(|number| number.parse::<u16>().is_ok());
        number && parts.next().is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol))
    };
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.split_once("_PORT_").is_some_and(|(_, rest)| is_port(rest))
}

/// What a flag is, by its variable.
pub fn switch(value: &str) -> Result<bool, String> {
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("a flag takes 1, true, yes, on or 0, false, no, off".to_owned()),
    }
}
