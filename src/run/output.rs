//! Where a report goes, and how wide and coloured it may be there.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::{Failure, errand, files, message};
use crate::cli::{Color, OutputArgs, ReportArgs, ReportTo};
use crate::exit::{self, Style};
use crate::report::Report;
use crate::report::formats::{self, Format, Options};
use crate::report::text::Layout;
use crate::text::{Shown, plain};
pub use crate::world::terminal::Stream as Target;
use crate::world::{World, terminal};

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 100;

/// The path that means standard output.
const STDOUT: &str = "-";

/// The file of GitHub Actions that a step appends its summary to, and the bytes that it may have.
const STEP_SUMMARY: (&str, u64) = ("GITHUB_STEP_SUMMARY", 1 << 20);

/// Whether all reports have a place of their own; asked before anything is looked at.
pub fn agree(arguments: &OutputArgs, style: Style) -> Result<(), Failure> {
    let wrong = |message: String| Err(Failure::new(exit::USAGE, message));
    // One file by two names would hold the later report alone.
    let plain_path = |path: &Path| -> PathBuf {
        if is_stdout(path) {
            PathBuf::from(STDOUT)
        } else {
            path.components().filter(|part| *part != Component::CurDir).collect()
        }
    };
    let mut paths: Vec<PathBuf> = arguments.file().map(plain_path).into_iter().collect();
    for ReportTo { format, path } in &arguments.reports.to {
        if paths.contains(&plain_path(path)) {
            return wrong(format!("--report {format}={0}: {0} has a report already", plain(&path.to_string_lossy())));
        }
        paths.push(plain_path(path));
    }
    let on_stdout = arguments.reports.to.iter().find(|report| is_stdout(&report.path));
    let usual = arguments.format != Format::Text && arguments.file().is_none() && !arguments.quiet;
    match on_stdout {
        Some(report) if style.wants_a_line() => {
            wrong(format!("--report {}=-: --exit-style {style} has standard output to itself", report.format))
        }
        Some(report) if usual => {
            wrong(format!("--format {} and --report {}=- both want standard output", arguments.format, report.format))
        }
        None if usual && style.wants_a_line() => wrong(format!(
            "--format {}: --exit-style {style} has standard output to itself; see --output",
            arguments.format
        )),
        _ => Ok(()),
    }
}

/// Whether a path means standard output.
pub fn is_stdout(path: &Path) -> bool {
    path == Path::new(STDOUT) || files::inherited(path) == Some(1)
}

/// Writes a report wherever it is asked for: the usual one to a file, else to `target`, where a `line` may stand in its
/// place, which is told whether all others could be written; then the others. One that cannot be written keeps none from being written.
pub fn report(
    world: &World,
    report: &Report,
    arguments: &OutputArgs,
    target: Target,
    line: Option<&dyn Fn(bool) -> Shown>,
) -> Result<(), Failure> {
    let ReportArgs { to, sarif_anchor } = &arguments.reports;
    let text = |format: Format, to_file: bool| {
        let usual = layout(target, to_file);
        let color = match arguments.color {
            Color::Auto => usual.color,
            Color::Always => true,
            Color::Never => false,
        };
        let layout = Layout { verbose: arguments.verbose, color, ..usual };
        let options = Options { layout, anchor: sarif_anchor.clone() };
        formats::render(report, format, &options).map_err(|error| Failure::new(exit::BUG, error))
    };
    let write = |format: Format, file: Option<&Path>| deliver(world, &text(format, file.is_some())?, file, target);
    let mut failures = Vec::new();
    let stdout_is_taken = to.iter().any(|report| is_stdout(&report.path));
    let is_silent = arguments.quiet || line.is_some() || stdout_is_taken;
    if arguments.file().is_some() || !is_silent {
        failures.extend(write(arguments.format, arguments.file()).err());
    }
    for ReportTo { format, path } in to {
        let file = (!is_stdout(path)).then_some(path.as_path());
        let failed =
            |failure: Failure| Failure { message: format!("--report {format}: {}", failure.message), ..failure };
        failures.extend(write(*format, file).map_err(failed).err());
    }
    if (arguments.format == Format::Github || to.iter().any(|report| report.format == Format::Github))
        && let Err(failure) = summarize(world, report)
    {
        message::say(&failure.message); // the annotations are what was asked for; a summary is GitHub's to lose
    }
    if let Some(line) = line {
        failures.extend(deliver(world, &line(!failures.is_empty()), None, target).err());
    }
    let last = failures.pop();
    for failure in failures {
        message::say(&failure.message);
    }
    last.map_or(Ok(()), Err)
}

/// Appends the whole table to the summary of the step that GitHub Actions runs us in, if it does.
fn summarize(world: &World, report: &Report) -> Result<(), Failure> {
    let (variable, limit) = STEP_SUMMARY;
    // It is our own environment that says so, whosever we look with.
    match World::here(Duration::ZERO).env(variable).filter(|path| !path.is_empty()) {
        Some(path) => errand::append(world, Path::new(&path), &formats::step_summary(report), limit),
        None => Ok(()),
    }
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
pub fn as_json(document: &impl serde::Serialize) -> Result<Shown, Failure> {
    Shown::json(document).map_err(|error| Failure::new(exit::BUG, error))
}

/// Writes text to a file, which is replaced whole or not at all, else to `target`.
pub fn deliver(world: &World, text: &Shown, file: Option<&Path>, target: Target) -> Result<(), Failure> {
    let target = match file {
        None => target,
        Some(path) if path == Path::new(STDOUT) => target,
        // By these names a copy of ourselves would write to streams of its own, which nobody reads.
        Some(path) => match files::inherited(path) {
            Some(1) => Target::Stdout,
            Some(2) => Target::Stderr,
            _ => return errand::write(world, path, text),
        },
    };
    match terminal::write(target, text) {
        Ok(()) => Ok(()),
        // Whoever read has seen enough; the verdict stands.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(exit::OUTPUT, format!("standard output: {error}"))),
    }
}
