//! Where a report goes, and how wide and coloured it may be there.

use std::path::Path;
use std::time::Duration;

use super::{Failure, errand};
use crate::cli::{Format, OutputArgs};
use crate::exit;
use crate::report::text::Layout;
use crate::report::{Report, json, summary, text};
pub use crate::world::terminal::Stream as Target;
use crate::world::{World, terminal};

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 100;

/// Writes a report as asked: to a file, else to `target`.
pub fn report(world: &World, report: &Report, arguments: &OutputArgs, target: Target) -> Result<(), Failure> {
    let text = match arguments.format {
        Format::Json => as_json(report)?,
        Format::Text => {
            let layout = layout(target, arguments.output.is_some());
            text::render(report, Layout { verbose: arguments.verbose, ..layout })
        }
    };
    deliver(world, &text, arguments.output.as_deref(), target)
}

/// How wide and coloured text may be at `target`, or in a file.
pub fn layout(target: Target, to_file: bool) -> Layout {
    Layout {
        width: terminal::width(target).filter(|_| !to_file).unwrap_or(DEFAULT_WIDTH).clamp(60, 140),
        color: !to_file && terminal::may_color(target),
        verbose: false,
    }
}

/// A document as JSON.
pub fn as_json(document: &impl serde::Serialize) -> Result<String, Failure> {
    json::render(document).map_err(|error| Failure::new(exit::BUG, error))
}

/// Writes text to a file, which is replaced whole or not at all, else to `target`.
pub fn deliver(world: &World, text: &str, file: Option<&Path>, target: Target) -> Result<(), Failure> {
    if let Some(path) = file {
        return errand::write(world, path, text);
    }
    match terminal::write(target, text) {
        Ok(()) => Ok(()),
        // Whoever read has seen enough; the verdict stands.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(exit::OUTPUT, format!("standard output: {error}"))),
    }
}

/// Why a workload was not started, for whoever only sees the termination log.
pub fn stopped(why: &str) {
    let mut text = format!("gpu-preflight: {why}\n");
    text.truncate(text.floor_char_boundary(summary::LIMIT));
    World::here(Duration::ZERO).write_termination_log(&text);
}

/// Says something to the person at the terminal. Nobody there to hear it is no failure.
pub fn say(text: &str) {
    let _ = terminal::write(Target::Stderr, text);
}
