//! What is said beside a report, on standard error and in the termination log. Nobody there to hear it is no failure.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::time::Duration;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind as ErrorKindOfUsage};

use crate::cli::Cli;
use crate::exit::{self, Exit};
use crate::report::summary;
use crate::text::{Shown, plain};
use crate::world::World;
use crate::world::terminal::{self, Stream};

/// Says something in one line.
pub fn say(message: &str) {
    let _ = terminal::write(Stream::Stderr, &said(message));
}

/// A message as a line of ours.
pub fn said(message: &str) -> Shown {
    [Shown::line(&format!("gpu-preflight: {message}"))].into_iter().collect()
}

/// Says what the parser of the command line has to say, and with which code that ends. A mistake quotes what was written;
/// help is ours, in colours of its own.
pub fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    if error.use_stderr() {
        let text = Shown::lines(&error.to_string());
        let _ = terminal::write(Stream::Stderr, &text);
        if arguments.get(1).is_some_and(|command| command == "exec") {
            stopped(text);
        }
        return exit::USAGE;
    }
    match error.print() {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => {
            say(&format!("standard output: {why}"));
            exit::OUTPUT
        }
        _ => exit::READY,
    }
}

/// An unknown command, called that also where options stand before it.
pub fn plainer(error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let mut cli = Cli::command();
    if error.kind() == ErrorKindOfUsage::InvalidSubcommand || cli.find_subcommand(word).is_some() {
        return error;
    }
    cli.error(ErrorKindOfUsage::InvalidSubcommand, format!("unrecognized subcommand '{word}'"))
}

/// Why a workload was not started, for whoever only sees the termination log.
pub fn stopped(why: Shown) {
    World::here(Duration::ZERO).write_termination_log(&why.cut(summary::LIMIT));
}

/// How the command is called.
pub fn name(command: &[OsString]) -> String {
    command.first().map(|name| plain(&name.to_string_lossy())).unwrap_or_default()
}

/// Lets a bug of ours speak through the door too: its words may quote what was being read.
pub fn speak_for_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let trace = Backtrace::capture();
        let trace = if trace.status() == BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
        let _ = terminal::write(Stream::Stderr, &Shown::lines(&format!("{panic}{trace}\n")));
    }));
}
