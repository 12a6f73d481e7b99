//! The child's side of a probe.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::CapabilitySet;
use serde::Serialize;
use serde_json::Value;

use super::{Line, MARK};
use crate::world::handover::forget_handlers;
use crate::world::pause;

/// The child's side: says where it is and what it knows.
pub struct Progress {
    out: File,
    /// The rest of the input, of which a part may have come already. It ends when the child may go on, or has to end.
    gate: Option<(Vec<u8>, File)>,
}

impl Progress {
    /// Prepares this process to be the child and takes over its streams.
    ///
    /// From here on standard output and error are `/dev/null`: what a library
    /// prints must not reach the report. The input is one line.
    pub fn begin() -> std::io::Result<(Self, Value)> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        forget_handlers();
        // Where memory is short the kernel takes this process, and neither who reports nor the workload.
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = rustix::process::setrlimit(Resource::Core, none);
        let gate = File::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 10)?);
        let (input, more) = line(&gate)?;
        let out = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 10)?;
        let null = File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        Ok((Self { out: File::from(out), gate: Some((more, gate)) }, serde_json::from_slice(&input)?))
    }

    /// Says why this process cannot be the child, which is no bug of ours: a system call is refused, or a limit is reached.
    pub fn cannot_begin(error: &std::io::Error) {
        if let Ok(mut text) = serde_json::to_vec(&Line::CannotBegin(error.raw_os_error().unwrap_or_default())) {
            text.push(b'\n');
            // Who hears nothing sees at least that it ended.
            let _ = std::io::stdout().write_all(&text);
        }
    }

    /// A progress that nobody hears, to run a probe without a child.
    pub fn unheard() -> std::io::Result<Self> {
        Ok(Self { out: File::options().write(true).open("/dev/null")?, gate: None })
    }

    /// Waits until it may go on, and gives the time that is left then. Whoever may not go on is ended.
    pub fn wait_at_gate(&mut self) -> Duration {
        let (mut told, mut gate) = self.gate.take().unwrap_or_else(|| std::process::exit(0));
        let until = gate.read_to_end(&mut told).ok().and_then(|_| String::from_utf8(told).ok()?.parse().ok());
        // Nobody is there any more who would have let it go on.
        let until: u64 = until.unwrap_or_else(|| std::process::exit(0));
        Duration::from_millis(until.saturating_sub(clock()))
    }

    /// Waits for so long, or until it is asked for its last word. Whether it is.
    pub fn is_asked_for_last_word(&self, patience: Duration) -> bool {
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(patience.subsec_nanos()) };
        let wait = |(_, gate): &(_, File)| poll(&mut [PollFd::new(gate, PollFlags::IN)], Some(&timeout)).ok();
        let Some(ready) = self.gate.as_ref().and_then(wait) else {
            // Whoever may not poll waits all the same.
            pause(patience);
            return false;
        };
        ready > 0
    }

    /// Says that it was asked too early: another one is to be asked when it is time.
    pub fn too_early(&mut self) {
        self.say(&Line::TooEarly);
    }

    /// Says which call comes next. Without a parent to hear it there is nothing left to do.
    pub fn at(&mut self, call: &str) {
        self.say(&Line::At(call.to_owned()));
    }

    /// Hands over what is known so far.
    pub fn so_far(&mut self, reading: &impl Serialize) {
        if let Ok(value) = serde_json::to_value(reading) {
            self.say(&Line::SoFar(value));
        }
    }

    /// Hands over one thing of several.
    pub fn told(&mut self, thing: &impl Serialize) {
        if let Ok(value) = serde_json::to_value(thing) {
            self.say(&Line::Told(value));
        }
    }

    /// Hands over the whole answer. The parent ends this process when it has heard it, so that no exit handler
    /// of a library gets the chance to hang.
    pub fn done(&mut self, reading: &impl Serialize) {
        if let Ok(value) = serde_json::to_value(reading) {
            self.say(&Line::Done(value));
        }
    }

    fn say(&mut self, line: &Line) {
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        if self.out.write_all(&text).is_err() {
            std::process::exit(0);
        }
    }
}

/// The input up to the end of its first line, and what came with it.
fn line(mut input: &File) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let mut line = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            let more = line.split_off(end + 1);
            return Ok((line, more));
        }
        match input.read(&mut chunk) {
            Ok(0) => return Ok((line, Vec::new())),
            Ok(count) => line.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Milliseconds of the clock that parent and child have in common.
fn clock() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let millis = |number: i64| u64::try_from(number).unwrap_or(0);
    millis(now.tv_sec) * 1000 + millis(now.tv_nsec) / 1_000_000
}

/// A moment by that clock.
pub(super) fn on_its_clock(moment: Instant) -> u64 {
    let left = moment.saturating_duration_since(Instant::now());
    clock() + u64::try_from(left.as_millis()).unwrap_or(0)
}

/// The environment that whoever is looked for was started with: this process's own but for our mark.
pub fn environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name != MARK).collect()
}

/// Gives up the right to make device nodes.
///
/// NVIDIA's libraries make `/dev/nvidiactl` when they run as root and it is not there. A look that leaves a node
/// behind would change the machine, and be the wrong cause of the next look.
pub fn forbid_device_nodes() {
    let _ = rustix::thread::remove_capability_from_bounding_set(CapabilitySet::MKNOD);
    if let Ok(mut sets) = rustix::thread::capabilities(None) {
        sets.effective.remove(CapabilitySet::MKNOD);
        sets.permitted.remove(CapabilitySet::MKNOD);
        sets.inheritable.remove(CapabilitySet::MKNOD);
        let _ = rustix::thread::set_capabilities(None, sets);
    }
}
