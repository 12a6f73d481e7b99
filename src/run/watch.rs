//! `check --watch`: looks again and again, and says what changed.
//!
//! Each look is one like any other, in the tier quick, so nothing of ours works on a GPU. What it started is gone before
//! the next begins; where the kernel holds one of ours nobody is sent after it, or they would become ever more.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::look::{begun, seen};
use super::output::{self, Target};
use super::plan::{self, Plan};
use super::{Failure, message};
use crate::cli::{CheckArgs, FailOn};
use crate::collect::Input;
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
    let first = begun(&arguments.look)?;
    let plan = Plan::load_gated(&first.0, &arguments.look.judging, plan::PROFILE, arguments.gate.fail_on)?;
    let mut began = Instant::now();
    let mut last = {
        let _descendants = Descendants::watch();
        seen(&arguments.look, first, &plan)?.1
    };
    let mut voice = Voice::new(arguments, &last);
    voice.begin(&last, arguments)?;
    let start = last.findings.clone();
    // A look that takes as long as the time between two, or longer, is followed by a rest all the same.
    while rests(&watching, every.saturating_sub(began.elapsed()).max(every / 4)) {
        began = Instant::now();
        let report = match again(arguments, &plan) {
            Ok(report) => report,
            Err(_) if watching.is_asked() => break,
            Err(why) => {
                voice.cannot(why);
                continue;
            }
        };
        if watching.is_asked() {
            break; // what it did not come to is no change
        }
        voice.tell(&watch::changes(&start, &last, &report), &report)?;
        last = report;
    }
    voice.end();
    let never = arguments.gate.fail_on == Some(FailOn::Never);
    Ok(match (never, voice.blind) {
        (true, _) => exit::READY,
        (false, Some(_)) => exit::INCOMPLETE, // how it is by now nobody knows
        (false, None) => last.verdict.into(),
    })
}

/// Waits so long; not where somebody asks for an end, or nobody reads any more.
fn rests(watching: &interrupt::Watch, time: Duration) -> bool {
    const EACH: Duration = Duration::from_secs(1);
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if !watching.waits(left.min(EACH)) || !terminal::is_heard() {
            return false;
        }
        if left <= EACH {
            return true;
        }
    }
}

/// A later look, or why there is none. A log that was just moved away, or a process that has ended, ends no watch.
fn again(arguments: &CheckArgs, plan: &Plan) -> Result<Report, String> {
    if child::left_behind() {
        return Err("the kernel still holds a process of an earlier look".to_owned());
    }
    let _descendants = Descendants::watch();
    let (world, input) = begun(&arguments.look).map_err(|failure| failure.message)?;
    let silent = Input { is_silent: true, ..input };
    seen(&arguments.look, (world, silent), plan).map(|(_, report)| report).map_err(|failure| failure.message)
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
    /// Why there was no look the last time.
    blind: Option<String>,
}

impl Voice {
    fn new(arguments: &CheckArgs, first: &Report) -> Self {
        let on_terminal = terminal::is_terminal(Target::Stdout) && terminal::is_terminal(Target::Stderr);
        Self {
            format: arguments.output.format,
            quiet_since: on_terminal.then_some(first.facts.run.taken_at_seconds),
            looks: 0,
            shows_line: false,
            blind: None,
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

    /// Says once why nobody looks, for silence is what no change is.
    fn cannot(&mut self, why: String) {
        if self.blind.as_ref() != Some(&why) {
            self.end();
            message::say(&format!("--watch cannot look: {why}"));
            self.blind = Some(why);
        }
    }

    fn tell(&mut self, changes: &[Watched], report: &Report) -> Result<(), Failure> {
        self.looks += 1;
        if self.blind.take().is_some() {
            message::say("--watch looks again");
        }
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
