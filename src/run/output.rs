//! Where a report goes, and how wide and coloured it may be there.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Failure;
use crate::cli::{Format, OutputArgs};
use crate::exit;
use crate::report::text::Layout;
use crate::report::{Report, json, text};
use crate::text::plain;
use crate::world::terminal;
pub use crate::world::terminal::Stream as Target;

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 100;

/// Writes a report as asked: to a file, else to `target`.
pub fn report(report: &Report, arguments: &OutputArgs, target: Target) -> Result<(), Failure> {
    let text = match arguments.format {
        Format::Json => as_json(report)?,
        Format::Text => {
            let layout = layout(target, arguments.output.is_some());
            text::render(report, Layout { verbose: arguments.verbose, ..layout })
        }
    };
    deliver(&text, arguments.output.as_deref(), target)
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
pub fn deliver(text: &str, file: Option<&Path>, target: Target) -> Result<(), Failure> {
    let (place, written) = match file {
        Some(path) => (plain(&path.to_string_lossy()), terminal::replace_file(path, text)),
        None => ("standard output".to_owned(), terminal::write(target, text)),
    };
    match written {
        Ok(()) => Ok(()),
        // Whoever read has seen enough; the verdict stands.
        Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(exit::OUTPUT, format!("{place}: {error}"))),
    }
}

/// Says something to the person at the terminal. Nobody there to hear it is no failure.
pub fn say(text: &str) {
    let _ = terminal::write(Target::Stderr, text);
}

/// Says on a terminal what a long run is waiting for; silent in logs, and in short runs.
pub struct Waiting {
    shared: Arc<(Mutex<State>, Condvar)>,
    teller: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    on: String,
    over: bool,
}

/// Runs shorter than this say nothing.
const PATIENCE: Duration = Duration::from_millis(400);

impl Waiting {
    /// Begins to watch the clock.
    pub fn begin() -> Self {
        let shared = Arc::new((Mutex::new(State { on: "this container".to_owned(), over: false }), Condvar::new()));
        let teller = terminal::is_terminal(Target::Stderr).then_some(()).and_then(|()| {
            let shared = Arc::clone(&shared);
            // Nobody need hear it: where no thread is to be had, it is silent.
            std::thread::Builder::new().spawn(move || tell(&shared)).ok()
        });
        Self { shared, teller }
    }

    /// What it is waiting for now.
    pub fn on(&self, what: impl Into<String>) {
        if let Ok(mut state) = self.shared.0.lock() {
            state.on = what.into();
        }
    }

    /// Ends, and clears the line.
    pub fn end(self) {
        if let Ok(mut state) = self.shared.0.lock() {
            state.over = true;
        }
        self.shared.1.notify_all();
        if let Some(teller) = self.teller {
            let _ = teller.join();
        }
    }
}

fn tell((state, ended): &(Mutex<State>, Condvar)) {
    let started = Instant::now();
    let mut told = false;
    let Ok(mut now) = state.lock() else { return };
    while !now.over {
        let Ok((next, _)) = ended.wait_timeout(now, PATIENCE) else { return };
        now = next;
        if !now.over {
            told = true;
            say(&format!("\r\u{1b}[Kwaiting for {} … {:.0} s", now.on, started.elapsed().as_secs_f64()));
        }
    }
    if told {
        say("\r\u{1b}[K");
    }
}
