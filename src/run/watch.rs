//! `check --watch`: looks again and again, and says what changed.
//!
//! Each look is one like any other, in the tier quick, so nothing of ours works on a GPU. What it started is gone before
//! the next begins; where the kernel holds one of ours nobody is sent after it, or they would become ever more.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::Failure;
use super::look::{begun, seen};
use super::output::{self, Target};
use super::plan::{self, Plan};
use crate::cli::{CheckArgs, FailOn};
use crate::exit::{self, Exit};
use crate::facts::{Tier, timestamp};
use crate::report::Report;
use crate::report::formats::Format;
use crate::report::watch::{self, Watched};
use crate::text::{Shown, count};
use crate::world::child::{self, Descendants};
use crate::world::{World, interrupt, terminal};

/// Looks until somebody asks for an end, or nobody reads any more.
pub fn run(arguments: &CheckArgs, every: Duration) -> Result<Exit, Failure> {
    let watching = interrupt::Watch::begin();
    let begun_first = begun(&arguments.look)?;
    let plan = Plan::load_gated(&begun_first.0, &arguments.look.judging, plan::PROFILE, arguments.gate.fail_on)?;
    let mut began = Instant::now();
    let mut last = {
        let _descendants = Descendants::watch();
        seen(&arguments.look, begun_first, &plan)?.1
    };
    let mut voice = Voice::new(arguments, &last);
    voice.begin(&last, arguments)?;
    let start = last.findings.clone();
    // A look that takes longer than the time between two is followed by a rest of that time all the same.
    while watching.waits(every.saturating_sub(began.elapsed()).max(began.elapsed().min(every))) && terminal::is_heard()
    {
        began = Instant::now();
        if child::left_behind() {
            voice.wait("the kernel still holds a process of an earlier look");
            continue;
        }
        let report = {
            let _descendants = Descendants::watch();
            seen(&arguments.look, begun(&arguments.look)?, &plan)?.1
        };
        if watching.is_asked() {
            break; // what it did not come to is no change
        }
        voice.tell(&watch::changes(&start, &last, &report), &report)?;
        last = report;
    }
    voice.end();
    let never = arguments.gate.fail_on == Some(FailOn::Never);
    Ok(if never { exit::READY } else { last.verdict.into() })
}

/// Refuses what makes no sense again and again.
pub fn agree(arguments: &CheckArgs) -> Result<(), Failure> {
    let (tier, format) = (arguments.look.collecting.tier, arguments.output.format);
    let message = if tier != Tier::Quick {
        format!("--watch looks in the tier quick, which disturbs no GPU, and this is {tier}")
    } else if !matches!(format, Format::Text | Format::Line | Format::Json) {
        format!("--watch prints lines: --format text, line or json, and this is {format}")
    } else {
        return Ok(());
    };
    Err(Failure::new(exit::USAGE, message))
}

/// Who says it: lines on standard output, and on a terminal one line over itself meanwhile.
struct Voice {
    format: Format,
    /// When something was said last; none where nobody sees that line.
    quiet_since: Option<u64>,
    looks: usize,
    shows_line: bool,
}

impl Voice {
    fn new(arguments: &CheckArgs, first: &Report) -> Self {
        let on_terminal = terminal::is_terminal(Target::Stdout) && terminal::is_terminal(Target::Stderr);
        Self {
            format: arguments.output.format,
            quiet_since: on_terminal.then_some(first.facts.run.taken_at_seconds),
            looks: 0,
            shows_line: false,
        }
    }

    /// The first look is told as any other, but for programs, which get lines alone.
    fn begin(&mut self, report: &Report, arguments: &CheckArgs) -> Result<(), Failure> {
        match self.format {
            Format::Json if arguments.output.quiet => Ok(()),
            Format::Json => self.say(&watch::first(report)),
            _ => output::report(&World::here(Duration::ZERO), report, &arguments.output, Target::Stdout, None),
        }
    }

    fn tell(&mut self, changes: &[Watched], report: &Report) -> Result<(), Failure> {
        self.looks += 1;
        if !changes.is_empty() {
            self.end();
            self.looks = 0;
            self.quiet_since = self.quiet_since.map(|_| report.facts.run.taken_at_seconds);
        }
        for change in changes {
            self.say(change)?;
        }
        if let Some(since) = self.quiet_since {
            let since = timestamp(since).unwrap_or_default();
            self.wait(&format!(
                "{}, no change since {since}; looked {} since",
                report.verdict.title(),
                count(self.looks, "time")
            ));
        }
        Ok(())
    }

    fn say(&self, watched: &Watched) -> Result<(), Failure> {
        let text = match self.format {
            Format::Json => Shown::json_line(watched).map_err(|error| Failure::new(exit::BUG, error))?,
            _ => [watch::text(watched)].into_iter().collect(),
        };
        match terminal::write(Target::Stdout, &text) {
            // Whoever read has seen enough, and is missed before the next look.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::new(exit::OUTPUT, format!("standard output: {error}"))),
        }
    }

    /// Says on a terminal how it stands, over itself. Nobody there to hear it is no failure.
    fn wait(&mut self, words: &str) {
        if self.quiet_since.is_some() {
            self.shows_line = true;
            let width = usize::from(output::layout(Target::Stderr, false).width);
            let _ = terminal::write_over_line(&Shown::line(words).cut(width.saturating_sub(1)));
        }
    }

    /// Clears that line.
    fn end(&mut self) {
        if std::mem::take(&mut self.shows_line) {
            let _ = terminal::write_over_line(&Shown::default());
        }
    }
}
