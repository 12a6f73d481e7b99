//! A line on the terminal that says what a long run is waiting for.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::text::Shown;
use crate::world::terminal::{self, Stream};
use crate::world::thread;

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
    /// Begins to watch the clock, where nobody else `tells` what is waited for.
    pub fn begin(tells: bool) -> Self {
        let shared = Arc::new((Mutex::new(State { on: "this container".to_owned(), over: false }), Condvar::new()));
        let is_told = tells && terminal::is_terminal(Stream::Stderr);
        let teller = is_told.then_some(()).and_then(|()| {
            let shared = Arc::clone(&shared);
            // Nobody need hear it: where no thread is to be had, it is silent.
            thread().spawn(move || tell(&shared)).ok()
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

/// Nobody there to hear it is no failure.
fn say(text: &str) {
    let _ = terminal::write_over_line(&Shown::line(text));
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
            say(&format!("waiting for {} … {:.0} s", now.on, started.elapsed().as_secs_f64()));
        }
    }
    if told {
        say("");
    }
}
