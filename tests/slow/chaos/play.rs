//! One run from its start to its end, and what is seen of it from outside.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::draw::{Draw, Stream};
use super::place::{GOING, Place};
use crate::support::patience::allowed;

/// No run may take so long.
const FOR_EVER: Duration = Duration::from_secs(40);

/// What was seen of one run.
#[derive(Clone)]
pub struct Seen {
    pub draw: Draw,
    /// None where it had to be ended.
    pub status: Option<ExitStatus>,
    /// From its start to its end, without the time that it was stopped.
    pub wall: Duration,
    /// What it may take beyond its deadline, on a machine as busy as this one.
    pub grace: Duration,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The file that the report was to go to.
    pub file: Option<Vec<u8>>,
    /// The descriptors that the workload found, once for each time that it was started.
    pub started: Vec<String>,
    /// Those that it finds without us.
    pub usual: String,
    /// The files of the run's own folder, before and after.
    pub files: [BTreeMap<PathBuf, u64>; 2],
    /// Processes that were left.
    pub left: Vec<String>,
    /// Signals that it was sent while it ran.
    pub sent: Vec<i32>,
}

/// Plays a run; none where this machine or the drawn surroundings let nothing of ours begin, not even `--version`.
pub fn play(draw: &Draw) -> Option<Seen> {
    let mut place = Place::new(draw)?;
    if !draw.settings.is_empty() && !place.lets_us_begin() {
        return None;
    }
    let usual = place.control()?;
    place.renew();
    let before = place.files();
    let mut command = place.command(&draw.settings, &place.words());
    command.stdout(place.stream(0)).stderr(place.stream(1));
    let grace = allowed(0.5);
    let started = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    drop(command);
    let streams = [
        child.stdout.take().filter(|_| draw.streams[0] == Stream::Read).map(heard),
        child.stderr.take().filter(|_| draw.streams[1] == Stream::Read).map(heard),
    ];
    let pid = Pid::from_child(&child);
    let (mut signals, mut sent) = (draw.signals.iter().peekable(), Vec::new());
    let (mut stopped, mut since) = (Duration::ZERO, None);
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break Some(status);
        }
        let at = started.elapsed();
        if at > FOR_EVER {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        // Not before it is mounted: without the folder nothing would be started.
        if place.mount.is_some() && draw.silent_home.is_some_and(|silent| at > silent) && has_dead_mount(pid) {
            place.mount = None;
        }
        if let Some((_, signal)) = signals.next_if(|(when, _)| *when <= at) {
            kill_process(pid, *signal).expect("it is not waited for yet");
            sent.push(signal.as_raw());
            match *signal {
                Signal::STOP => since = since.or(Some(at)),
                Signal::CONT => stopped += since.take().map_or(Duration::ZERO, |since| at.saturating_sub(since)),
                _ => {}
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = started.elapsed().saturating_sub(stopped);
    // Who still waits for the file system is let go.
    place.mount = None;
    let left = place.left();
    let [stdout, stderr] = streams.map(|stream| stream.map_or(Vec::new(), |stream| all_of(&stream)));
    let file = std::fs::read(place.folder.path().join("report")).ok();
    Some(Seen {
        draw: draw.clone(),
        status,
        wall,
        grace: grace.max(allowed(0.5)),
        stdout,
        stderr,
        file,
        started: place.started(),
        usual,
        files: [before, place.files()],
        left,
        sent,
    })
}

/// What a stream says, as it comes: a process that is left may keep it open.
fn heard(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (tell, hear) = channel();
    std::thread::spawn(move || {
        let mut piece = vec![0; 1 << 16];
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            if tell.send(piece[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    hear
}

fn all_of(stream: &Receiver<Vec<u8>>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok(piece) = stream.recv_timeout(GOING) {
        all.extend(piece);
    }
    all
}

fn has_dead_mount(pid: Pid) -> bool {
    let mounts = std::fs::read_to_string(format!("/proc/{}/mountinfo", pid.as_raw_pid()));
    mounts.is_ok_and(|mounts| mounts.contains("dead@server"))
}
