//! What is asked for, by the command line and by variables, and which of them says what.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command as Parser, CommandFactory, Error, FromArgMatches};

use super::Cli;
use super::variables::{self, Stranger, Variables};
use crate::lang::suggestion;
use crate::text::plain;

/// The command line as it is parsed and documented.
pub fn command() -> Parser {
    variables::told(Cli::command())
}

/// What is asked for.
#[derive(Debug)]
pub struct Asked {
    /// The command with its options.
    pub cli: Cli,
    /// Every option of the command.
    pub options: Vec<Given>,
    /// Variables that mean nothing.
    pub strangers: Vec<Stranger>,
}

/// One option of the command that is asked for.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its long name.
    pub name: String,
    /// What it is; none where nobody says it and it has no default.
    pub value: Option<String>,
    /// Who says it.
    pub by: By,
}

/// Who says what an option is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The command line.
    CommandLine,
    /// The variable of this name.
    Variable(String),
    /// Nobody.
    Nobody,
}

impl Asked {
    /// Reads the command line and what variables say beside it.
    pub fn read(arguments: &[OsString], variables: &Variables) -> Result<Self, Error> {
        let word = arguments.get(1).and_then(|word| word.to_str());
        let mut parser = variables.given(command(), word);
        let matches = match parser.try_get_matches_from_mut(arguments) {
            Ok(matches) => matches,
            Err(error) => return Err(named(error, arguments, chosen(&parser, word).clone())),
        };
        let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut parser))?;
        let strangers = variables.strangers(&parser);
        let (matches, parser) = match matches.subcommand() {
            Some((name, matches)) => (matches, chosen(&parser, Some(name))),
            None => (&matches, &parser),
        };
        let of = parser.get_name().to_owned();
        let options = parser.get_arguments().filter_map(|option| given(&of, option, matches, variables)).collect();
        Ok(Self { cli, options, strangers })
    }

    /// Which options come from variables, to stand behind a mistake: who reads it may never have seen them. Empty where
    /// none does.
    pub fn by_variables(&self) -> String {
        let named = |given: &Given| match &given.by {
            By::Variable(variable) => Some((format!("--{}", given.name), variable.clone())),
            _ => None,
        };
        by_variables(self.options.iter().filter_map(named))
    }
}

/// The first line of what the parser of the command line says, with the list that follows it where it ends in a colon.
pub fn first_line(error: &Error) -> String {
    let text = error.to_string();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ");
    if !first.ends_with(':') {
        return first.to_owned();
    }
    let names: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
    format!("{first} {}", names.join(", "))
}

/// The command that a word names, else the whole.
fn chosen<'a>(parser: &'a Parser, word: Option<&str>) -> &'a Parser {
    word.and_then(|word| parser.find_subcommand(word)).unwrap_or(parser)
}

fn given(command: &str, option: &Arg, matches: &ArgMatches, variables: &Variables) -> Option<Given> {
    let name = option.get_long().filter(|_| variables::is_option(option))?;
    let id = option.get_id().as_str();
    let variable = variables::name(command, option);
    let by = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => By::CommandLine,
        Some(ValueSource::EnvVariable) => By::Variable(variable?),
        // A flag that its variable says is not set.
        _ => match variable.filter(|variable| variables::is_flag(option) && variables.get(variable).is_some()) {
            Some(variable) => By::Variable(variable),
            None => By::Nobody,
        },
    };
    let value = if variables::is_flag(option) {
        Some(if matches.get_flag(id) { "yes" } else { "no" }.to_owned())
    } else {
        let text = |value: &OsStr| value.to_string_lossy().into_owned();
        matches.get_raw(id).map(|values| values.map(text).collect::<Vec<_>>().join(", "))
    };
    Some(Given { name: name.to_owned(), value, by })
}

/// A mistake that a variable made or has a part in, told with its name. What the command line has wrong by itself is told
/// as ever.
fn named(error: Error, arguments: &[OsString], mut parser: Parser) -> Error {
    if !error.use_stderr() {
        return error;
    }
    let alone = match Cli::command().try_get_matches_from(arguments) {
        // What is missing there a variable may give.
        Err(own) if own.kind() != ErrorKind::MissingRequiredArgument || words(&own) == words(&error) => return own,
        alone => alone.ok(),
    };
    let on_the_line = alone.as_ref().map(|alone| alone.subcommand().map_or(alone, |(_, matches)| matches));
    let is_on_the_line = |option: &Arg| {
        let source = on_the_line.and_then(|matches| matches.value_source(option.get_id().as_str()));
        source == Some(ValueSource::CommandLine)
    };
    let by_variable = |option: &Arg| {
        let variable = option.get_env().filter(|_| !is_on_the_line(option))?;
        Some((option.to_string(), variable.to_string_lossy().into_owned()))
    };
    let spoken_of = words(&error);
    let all = parser.get_arguments().filter_map(by_variable);
    let (mut guilty, others): (Vec<_>, Vec<_>) = all.partition(|(option, _)| spoken_of.contains(option));
    if guilty.is_empty() {
        guilty = others;
    }
    let Some((_, variable)) = guilty.first() else { return error };
    let message = wrong_value(&error, variable)
        .unwrap_or_else(|| format!("{}{}", first_line(&error), by_variables(guilty.iter().cloned())));
    parser.error(error.kind(), message)
}

/// The options that a mistake speaks of.
fn words(error: &Error) -> Vec<String> {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(all)) => all.clone(),
        _ => Vec::new(),
    };
    [of(ContextKind::InvalidArg), of(ContextKind::PriorArg)].concat()
}

fn wrong_value(error: &Error, variable: &str) -> Option<String> {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return None };
    let why = match (error.kind(), error.get(ContextKind::ValidValue)) {
        (ErrorKind::InvalidValue, Some(ContextValue::Strings(known))) => {
            format!(", none of {}{}", known.join(", "), suggestion(value, known.iter().map(String::as_str)))
        }
        _ => format!(": {}", std::error::Error::source(error)?),
    };
    Some(format!("{variable} is `{}`{why}", plain(value)))
}

/// `; --for comes from GPU_PREFLIGHT_FOR, --tier from GPU_PREFLIGHT_TIER`.
fn by_variables(options: impl IntoIterator<Item = (String, String)>) -> String {
    let mut said = String::new();
    for (option, variable) in options {
        let words = if said.is_empty() { ("; ", "comes from") } else { (", ", "from") };
        said = format!("{said}{}{option} {} {variable}", words.0, words.1);
    }
    said
}
