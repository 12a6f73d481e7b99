//! What is heard of a child until it ends, and what ends it.

use std::fs::File;
use std::io::Write;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use super::ended::Ended;
use super::gate::Gate;
use super::lingering;
use super::progress;
use super::transcript::Transcript;
use super::working::Working;
use crate::world::standstill::Waiter;
use crate::world::{interrupt, pause};

/// Bytes that a child may send without a line of ours among them; more is a library gone mad.
const ANSWER_LIMIT: usize = 4 << 20;

/// How long a child that only watches may be silent before it counts as stuck; it says something much more often.
const SILENCE: Duration = Duration::from_secs(5);

/// How long one that was asked for its last word is waited for: it may be starting the driver's library still.
const LAST_WORD: Duration = Duration::from_secs(2);

/// How a child is listened to.
pub struct Listening<'a> {
    /// Who says when it has to end, where it does not end by itself.
    pub working: Option<&'a Working>,
    /// Bytes that it may send at once.
    pub limit: usize,
    /// Who hears what it tells before its answer.
    pub hear: Option<&'a mut dyn FnMut(Value)>,
    /// What it waits at, and for which GPU it does; nothing once that is open.
    pub gate: Option<(&'a Gate, u32)>,
    /// When it was let through.
    pub let_through: Option<Instant>,
}

impl Default for Listening<'_> {
    fn default() -> Self {
        Self { working: None, limit: ANSWER_LIMIT, hear: None, gate: None, let_through: None }
    }
}

impl Listening<'_> {
    fn pass_on(&mut self, transcript: &mut Transcript) {
        let told = transcript.told.drain(..);
        if let Some(hear) = &mut self.hear {
            told.for_each(hear);
        }
    }
}

/// Hears a child until it has said its last word, or must not go on.
pub fn listen(
    child: &mut Child,
    pipe: &File,
    transcript: &mut Transcript,
    listening: &mut Listening,
    (waiter, mut deadline): (&Waiter, Instant),
) -> Ended {
    let working = listening.working;
    let started = Instant::now();
    let is_silent = |transcript: &Transcript| transcript.last_heard.unwrap_or(started).elapsed() >= SILENCE;
    // That nothing comes where a last word was asked for shows nothing: it may be starting still.
    let mut was_silent = false;
    loop {
        // It may have answered while we stood still.
        waiter.wake();
        lingering::reap();
        if let Some((gate, gpu)) = listening.gate
            && let Some(admitted) = gate.admits(gpu)
        {
            let Ok(until) = admitted else { return Ended::Over };
            // What we stood still before is in it already.
            deadline = until.checked_sub(waiter.wake()).unwrap_or(until);
            if let Some(mut input) = child.stdin.take() {
                // One that has gone already is no error here.
                let _ = write!(input, "{}", progress::on_its_clock(until));
            }
            (listening.gate, listening.let_through) = (None, Some(Instant::now()));
        }
        let heard = transcript.hear(pipe);
        listening.pass_on(transcript);
        if let Some(ended) = heard {
            return ended;
        }
        // Its pipe may outlive it, held by something it forked: so ask after the process itself too. What it said
        // between our listening and its end is still in the pipe.
        if let Ok(Some(status)) = child.try_wait() {
            let ended = transcript.hear(pipe).unwrap_or(Ended::Status(status));
            listening.pass_on(transcript);
            return ended;
        }
        if interrupt::is_asked() {
            return Ended::Interrupted;
        }
        if working.is_some_and(Working::is_over) {
            return if is_silent(transcript) { Ended::Deadline } else { Ended::Over };
        }
        // The end of its input asks for it, once.
        if working.is_some_and(Working::wants_last_word) && child.stdin.take().is_some() {
            was_silent = is_silent(transcript);
            let until = Instant::now() + LAST_WORD;
            // What we stood still before is in it already.
            deadline = deadline.min(until.checked_sub(waiter.wake()).unwrap_or(until));
        }
        // Where we stood still it did too.
        let left = (deadline + waiter.wake()).saturating_duration_since(Instant::now());
        if left.is_zero() {
            // The work was not over in time, which is no fault of who watched it.
            let is_stuck = if child.stdin.is_some() { is_silent(transcript) } else { was_silent };
            return if working.is_some() && !is_stuck { Ended::Over } else { Ended::Deadline };
        }
        // Nobody may wait for one that watches after the work is over, nor at a gate that is open.
        let patience = Duration::from_millis(if working.is_some() || listening.gate.is_some() { 3 } else { 20 });
        let nap = left.min(if transcript.closed { Duration::from_millis(1) } else { patience });
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(nap.subsec_nanos()) };
        // Whoever may not poll waits all the same.
        if transcript.closed || poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&timeout)).is_err() {
            pause(nap);
        }
    }
}
