//! One probe in a copy of ourselves, with a deadline.
//!
//! Vendor libraries crash, hang in the kernel, print, fork and exit. So whatever
//! loads one runs in a child: its own process group, killed with us, no core
//! file, standard streams on `/dev/null`. It says each call before it makes it,
//! and its answers travel as JSON lines on a private descriptor, so that what it
//! learnt before it died is kept. At the deadline it is killed and not waited
//! for: a process in state `D` cannot be, and that state is a reading too.

mod descendants;
mod ended;
mod gate;
mod killed;
mod lingering;
mod listening;
mod progress;
mod standby;
mod transcript;
mod working;

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::standstill::Waiter;
use super::{World, interrupt, pause};
use crate::facts::{Fact, FailedHow, Failure, Gap, GapKind, Gaps, ProbeRun};

use ended::{End, Ended};
use killed::{end_group, is_uninterruptible};
use listening::{Listening, listen};
use transcript::Transcript;

pub(super) use descendants::end_all;
pub use descendants::{Descendants, left_behind};
pub use gate::Gate;
pub use lingering::settle;
pub use progress::{Progress, environment, forbid_device_nodes};
pub use standby::prepare;
pub use working::Working;

/// The hidden command under which a copy of ourselves serves a probe.
pub const COMMAND: &str = "__probe";

/// The environment variable by which everything that descends from a probe is known as ours.
pub const MARK: &str = "GPU_PREFLIGHT_PROBE";

/// How long a child that was killed at the deadline, or when we were interrupted, is given to be gone before it is left behind.
const REAP_PATIENCE: Duration = Duration::from_millis(150);
/// How long one that answered is waited for before it is left to the kernel.
const BRIEFLY: Duration = Duration::from_millis(5);
/// How long one that answered or died is given: the driver takes its context down, and the workload wants the memory.
const TEARDOWN_PATIENCE: Duration = Duration::from_secs(3);
/// A call is stuck that took the greater part of the time, or longer than this, however much time there was.
const LONG_CALL: Duration = Duration::from_secs(20);
/// One that was let through shortly before the deadline is slow, perhaps, and not stuck.
const LEAST_SILENCE: Duration = Duration::from_secs(1);

/// What came of a probe in a child.
#[derive(Debug)]
pub struct Probed<T> {
    /// Its answer. After a crash or at the deadline: what it had learnt until then, with every fact it had not
    /// reached set to the gap that says why.
    pub reading: Option<T>,
    /// Whether it came through its gate, where it had one.
    pub got_through: bool,
    /// How it ended.
    pub run: ProbeRun,
    /// Why facts are missing; `None` when it completed and its answer made sense.
    pub gap: Option<Gap>,
    /// Whether it was in state `D`, uninterruptible in the kernel, at the end.
    pub hung_in_kernel: bool,
    /// The failure of the call that it was lost in. None where it ran out of time call by call and was not stuck in the
    /// last one: it was slow, which is nobody's fault that it names. None either where it did not come through its gate.
    pub lost: Option<Failure>,
}

/// One line from the child.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The errno for which it cannot begin.
    CannotBegin(i32),
    /// The call it makes next.
    At(String),
    /// What it knows so far.
    SoFar(Value),
    /// One thing of several.
    Told(Value),
    /// Its whole answer.
    Done(Value),
    /// It was asked before there was an answer.
    TooEarly,
}

/// Runs probe `name` in a child with `input` and waits for it until `deadline`.
pub fn probe<T: DeserializeOwned + Gaps>(
    world: &World,
    name: &str,
    gpu: Option<u32>,
    input: &impl Serialize,
    deadline: Instant,
) -> Probed<T> {
    ask(world, name, gpu, input, &mut Listening::default(), deadline)
}

/// The same for one that works on GPUs, which waits until the kernel has taken down those that did before. With a gate it
/// waits there, when it has done what disturbs nobody.
pub fn probe_at_work<T: DeserializeOwned + Gaps>(
    world: &World,
    name: &str,
    gpu: Option<u32>,
    input: &impl Serialize,
    gate: Option<&Gate>,
    deadline: Instant,
) -> Probed<T> {
    settle();
    ask(world, name, gpu, input, &mut Listening { gate: gate.zip(gpu), ..Listening::default() }, deadline)
}

/// The same for a child that tells one thing after the other, each of which `hear` is given as it comes, until `working`
/// says that this is over.
pub fn follow(
    world: &World,
    name: &str,
    input: &impl Serialize,
    working: &Working,
    deadline: Instant,
    hear: &mut dyn FnMut(Value),
) -> Probed<Value> {
    ask(
        world,
        name,
        None,
        input,
        &mut Listening { working: Some(working), hear: Some(hear), ..Listening::default() },
        deadline,
    )
}

/// Sends a child for one thing, which may be as long as a recording.
pub fn send<T: DeserializeOwned + Gaps>(
    world: &World,
    name: &str,
    input: &impl Serialize,
    deadline: Instant,
) -> Probed<T> {
    ask(world, name, None, input, &mut Listening { limit: usize::MAX, ..Listening::default() }, deadline)
}

/// The same for a child that watches the work of others and has no end of its own. It is ended when `working` says so, and
/// what it said last is its answer; nothing, when it had not come to say anything.
pub fn probe_while<T: DeserializeOwned + Gaps>(
    world: &World,
    name: &str,
    gpu: Option<u32>,
    input: &impl Serialize,
    working: &Working,
    deadline: Instant,
) -> Probed<T> {
    ask(world, name, gpu, input, &mut Listening { working: Some(working), ..Listening::default() }, deadline)
}

fn ask<T: DeserializeOwned + Gaps>(
    world: &World,
    name: &str,
    gpu: Option<u32>,
    input: &impl Serialize,
    listening: &mut Listening,
    deadline: Instant,
) -> Probed<T> {
    let started = Instant::now();
    // From now on, for to start it may take long: where we stand still meanwhile its time stands still too.
    let waiter = Waiter::begin();
    let mut transcript = Transcript::new(listening.limit);
    let mut hung_in_kernel = false;
    // Who was asked to end starts nothing more.
    let waits = listening.gate.is_some() || listening.working.is_some();
    let spawned = if interrupt::is_asked() { Ok(None) } else { spawn(world, name, input, waits).map(Some) };
    let mut gone = true;
    let ended = match spawned {
        Ok(None) => Ended::Forgone,
        Err(error) => Ended::NotStarted(error),
        Ok(Some((mut child, pipe))) => {
            let ended = listen(&mut child, &pipe, &mut transcript, listening, (&waiter, deadline));
            drop(waiter);
            if matches!(ended, Ended::Deadline) {
                hung_in_kernel = is_uninterruptible(child.id());
            }
            let left = deadline.saturating_duration_since(Instant::now()).max(REAP_PATIENCE);
            let patience = match ended {
                Ended::Done => TEARDOWN_PATIENCE,
                Ended::Deadline | Ended::Interrupted | Ended::Over => REAP_PATIENCE,
                _ => TEARDOWN_PATIENCE.min(left),
            };
            if matches!(ended, Ended::Done | Ended::Over | Ended::TooEarly) {
                // Most are gone at once, and no zombie for long enough to be seen; after one that is heard nobody looks.
                let briefly = if listening.hear.is_some() { Duration::ZERO } else { BRIEFLY };
                if !end_group(&mut child, briefly) {
                    lingering::leave(child, patience);
                }
            } else {
                gone = end_group(&mut child, patience);
            }
            ended
        }
    };
    let got_through = listening.gate.is_none() && !matches!(ended, Ended::TooEarly);
    let at = if matches!(ended, Ended::Done | Ended::Over | Ended::TooEarly) { None } else { transcript.at.take() };
    let end = End { ended, at, wall_ms: started.elapsed().as_secs_f64() * 1000.0, hung_in_kernel, gone };
    let failure = end.failure();
    let gap = end.gap(failure.as_ref());
    // What it did before it was let through took no time from what it was let through for.
    let let_through = listening.let_through;
    let worked = let_through.unwrap_or(started).elapsed();
    let is_long = |silence: Duration| {
        let had_time = let_through.is_none() || silence > LEAST_SILENCE;
        silence > LONG_CALL || (silence * 2 > worked && had_time)
    };
    let last_heard = transcript.last_heard.max(let_through);
    let stuck = last_heard.is_none_or(|last| is_long(last.elapsed()));
    let reading = transcript.answer(gap.as_ref());
    // Who watches need not have come to say anything.
    let makes_no_sense = reading.is_none() && listening.working.is_none();
    let malformed = || Gap::new(GapKind::Malformed, format!("the answer of the probe {name} made no sense"));
    let gap = gap.or_else(|| makes_no_sense.then(malformed));
    let (told, detail) = end.told(failure.as_ref());
    Probed {
        reading,
        got_through,
        gap,
        hung_in_kernel,
        run: ProbeRun {
            name: name.to_owned(),
            gpu: Fact::present(gpu),
            end: told,
            at: Fact::present(end.at.clone()),
            detail: Fact::present(detail),
            errno: Fact::present(failure.as_ref().and_then(ended::errno_of)),
            signal: Fact::present(failure.as_ref().and_then(|failure| failure.signal.known().cloned())),
            wall_ms: end.wall_ms,
        },
        lost: failure
            .filter(|failure| got_through && end.at.is_some() && (stuck || failure.how != FailedHow::TimedOut)),
    }
}

/// Gives one its input, and tells it when it may go on, or has to end, where it `waits` for that.
fn spawn(world: &World, name: &str, input: &impl Serialize, waits: bool) -> std::io::Result<(Child, File)> {
    let mut text = serde_json::to_vec(input)?;
    text.push(b'\n');
    let mut child = standby::take(world, name).map_or_else(|| start(world, name), Ok)?;
    if let Some(mut stdin) = child.stdin.take() {
        // The inputs are far smaller than a pipe's buffer, so this cannot block on a child that never reads. A child
        // that has gone already is no error here: how it went is a reading.
        let _ = stdin.write_all(&text);
        child.stdin = waits.then_some(stdin);
    }
    let Some(stdout) = child.stdout.take() else { return Err(std::io::Error::other("no pipe")) };
    let pipe = OwnedFd::from(stdout);
    rustix::io::ioctl_fionbio(&pipe, true)?;
    Ok((child, File::from(pipe)))
}

/// Starts a copy of ourselves, which waits for its input.
fn start(world: &World, name: &str) -> std::io::Result<Child> {
    let child = Command::new(world.program())
        .arg0("gpu-preflight")
        .args([COMMAND, name])
        .env_clear()
        .envs(world.environment().iter().map(|(key, value)| (key, value)))
        .env(MARK, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    descendants::note_group(child.id());
    Ok(child)
}

/// Where the copies of ourselves are started from.
pub(super) fn own_program() -> PathBuf {
    let link = PathBuf::from("/proc/self/exe");
    // The link and not the file, which nobody need ask.
    if std::fs::read_link(&link).is_ok() {
        return link;
    }
    // Without /proc the kernel still told us the path it executed.
    let executed = rustix::param::linux_execfn().to_string_lossy();
    PathBuf::from(executed.into_owned())
}
