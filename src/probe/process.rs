//! Processes that matter for starting and stopping: process 1 and the orphans that fall to it.

use super::procfs::{Status, after_name, process_ids, required};
use std::time::{Duration, Instant};

use crate::facts::{Fact, GapKind, Process, StreamKind, cut};
use crate::world::{World, pause};

/// Programs that reap orphans and pass signals on, by the name that the kernel keeps (at most 15 characters).
const INITS: &[&str] = &[
    "tini",
    "tini-static",
    "dumb-init",
    "docker-init",
    "podman-init",
    "catatonit",
    "s6-svscan",
    "s6-linux-init",
    "runit",
    "runit-init",
    "runsvdir",
    "my_init",
    "systemd",
    "init",
    "openrc-init",
    "pause",
    "appinit",
    "sinit",
    "go-init",
    "supervisord",
];

/// Bit of SIGTERM, signal 15, in the masks of a status file.
const SIGTERM: u64 = 1 << 14;

/// How long zombies are looked for in a crowd.
const PATIENCE: Duration = Duration::from_millis(30);

/// Processes that are no crowd: they are all looked at, however slow the machine is.
const FEW: usize = 128;

/// How long process 1 may take to collect one.
const COLLECTION: Duration = Duration::from_millis(20);

/// Reads about process 1 and the processes that are visible.
pub fn collect(world: &World) -> Process {
    let is_first = Status::read(world, "self").number::<u32>("Pid", 0).map(|pid| pid == 1);
    let first_name = visible(world, world.read_line("/proc/1/comm"), "/proc/1/comm").map(|name| cut(&name));
    let processes = process_ids(world);
    let first_is_init = first_name.as_ref().map(|name| INITS.contains(&name.as_str()));
    Process {
        first_handles_sigterm: first_handles_sigterm(world, &is_first, first_is_init == Fact::Known(true)),
        first_is_init,
        orphaned_zombies: processes.as_ref().and_then(|pids| orphaned_zombies(world, pids, Instant::now() + PATIENCE)),
        null_device_present: world.exists("/dev/null"),
        start_errno: Fact::default(),
        killed_call: Fact::default(),
        visible_count: processes.map(|pids| pids.len() as u64),
        first_stdout: first_stdout(world),
        is_first,
        first_name,
    }
}

/// There always is a process 1, so what is not there was hidden from us.
fn visible<T>(world: &World, fact: Fact<T>, path: &str) -> Fact<T> {
    match fact {
        Fact::Absent if process_ids(world).is_unknown() => required(Fact::Absent, path),
        Fact::Absent => Fact::unknown(GapKind::NotPermitted, format!("{path} is hidden from this user")),
        other => other,
    }
}

/// A handler counts, and so does a blocked signal: the kernel never drops what is blocked, and inits fetch it with a
/// signalfd. Those that wait in `sigtimedwait`, such as tini, show in neither mask, because the kernel opens the mask
/// while they wait; so a known init counts as well.
fn first_handles_sigterm(world: &World, is_first: &Fact<bool>, is_init: bool) -> Fact<bool> {
    is_first.as_ref().and_then(|is_first| {
        if *is_first {
            return Fact::unknown(GapKind::NotSupported, "process 1 is this program; the workload comes after it");
        }
        if is_init {
            return Fact::Known(true);
        }
        let status = Status::read(world, "1");
        status.mask("SigCgt").and_then(|caught| status.mask("SigBlk").map(|held| (caught | held) & SIGTERM != 0))
    })
}

/// Counts them, in a crowd only until then. Some kernels take a tenth of a millisecond for each process of another user,
/// and a preflight that takes long in a crowd is removed from it.
fn orphaned_zombies(world: &World, pids: &[u32], until: Instant) -> Fact<u64> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    for pid in pids {
        if looked_at >= FEW && Instant::now() > until {
            break;
        }
        looked_at += 1;
        if is_orphaned_zombie(world, *pid) {
            found.push(*pid);
        }
    }
    if looked_at < pids.len() && found.is_empty() {
        let detail = format!("{looked_at} of {} processes were looked at in {} ms", pids.len(), PATIENCE.as_millis());
        return Fact::unknown(GapKind::TimedOut, detail);
    }
    // Every process is a zombie between its end and its collection.
    if !found.is_empty() {
        pause(COLLECTION);
        found.retain(|pid| is_orphaned_zombie(world, *pid));
    }
    Fact::Known(found.len() as u64)
}

fn is_orphaned_zombie(world: &World, pid: u32) -> bool {
    // A process that has gone meanwhile is no zombie.
    let stat = world.read_bytes(format!("/proc/{pid}/stat"), 512);
    let stat = stat.known().map(|stat| String::from_utf8_lossy(stat).into_owned());
    pid != 1 && stat.is_some_and(|stat| state_and_parent(&stat) == Some(("Z", 1)))
}

/// State and parent of a stat line.
fn state_and_parent(stat: &str) -> Option<(&str, u32)> {
    let mut words = after_name(stat)?;
    Some((words.next()?, words.next()?.parse().ok()?))
}

fn first_stdout(world: &World) -> Fact<StreamKind> {
    let path = "/proc/1/fd/1";
    match world.link(path) {
        Fact::Known(target) => Fact::Known(stream_kind(&target.to_string_lossy())),
        // The folder of descriptors is there, and the first of them is not.
        Fact::Absent if world.list("/proc/1/fd").known().is_some() => Fact::Known(StreamKind::Closed),
        other => visible(world, other.map(|_| StreamKind::Closed), path),
    }
}

fn stream_kind(target: &str) -> StreamKind {
    match target.trim_end_matches(" (deleted)") {
        "/dev/null" | "/null" => StreamKind::Null,
        path if path.starts_with("pipe:") => StreamKind::Pipe,
        path if path.starts_with("socket:") => StreamKind::Socket,
        path if path.starts_with("/dev/pts/") || path.starts_with("/dev/tty") || path == "/dev/console" => {
            StreamKind::Terminal
        }
        _ => StreamKind::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const SELF: (&str, &str) = ("/proc/self/status", "Pid:\t77\n");

    fn process(files: &[(&str, &str)]) -> Process {
        collect(&FakeRoot::of(files, &[]))
    }

    #[test]
    fn only_a_crowd_is_not_looked_through_when_time_is_short() {
        let world = FakeRoot::new();
        let pids: Vec<u32> = (2..).take(FEW + 1).collect();
        let past = Instant::now().checked_sub(Duration::from_secs(1)).expect("a clock");
        assert_eq!(orphaned_zombies(&world, &pids[1..], past), Fact::Known(0));
        assert!(orphaned_zombies(&world, &pids, past).is_unknown());
    }

    #[test]
    fn a_shell_as_process_1_ignores_sigterm_and_leaves_zombies() {
        let files = [
            SELF,
            ("/proc/1/comm", "sh\n"),
            ("/proc/1/status", "SigBlk:\t0000000000000000\nSigCgt:\t0000000000010002\n"),
            ("/proc/1/stat", "1 (sh) S 0 1 1"),
            ("/proc/8/stat", "8 (a) Z) S (x) Z 1 1"),
            ("/proc/9/stat", "9 (b) Z 8 1"),
            ("/proc/10/stat", "10 (c) S 1 1"),
            ("/proc/11/stat", "\u{0}garbage"),
            ("/proc/12/", ""),
        ];
        let found = process(&files);
        assert_eq!((found.is_first, found.first_name), (Fact::Known(false), Fact::Known("sh".to_owned())));
        assert_eq!((found.first_is_init, found.first_handles_sigterm), (Fact::Known(false), Fact::Known(false)));
        assert_eq!((found.orphaned_zombies, found.visible_count), (Fact::Known(1), Fact::Known(6)));
    }

    #[test]
    fn a_program_that_catches_or_blocks_sigterm_handles_it() {
        for status in ["SigBlk:\t7be3c0fe28014a03\nSigCgt:\t0\n", "SigBlk:\t0\nSigCgt:\t4000\n"] {
            let found = process(&[SELF, ("/proc/1/comm", "app\n"), ("/proc/1/status", status)]);
            assert_eq!((found.first_is_init, found.first_handles_sigterm), (Fact::Known(false), Fact::Known(true)));
        }
    }

    #[test]
    fn an_init_that_waits_for_sigterm_shows_in_no_mask_and_handles_it() {
        let status = "SigBlk:\t0000000000000000\nSigCgt:\t0000000000000000\n";
        let found = process(&[SELF, ("/proc/1/comm", "docker-init\n"), ("/proc/1/status", status)]);
        assert_eq!((found.first_is_init, found.first_handles_sigterm), (Fact::Known(true), Fact::Known(true)));
    }

    #[test]
    fn our_own_handlers_as_process_1_are_not_the_workloads() {
        let found = process(&[("/proc/self/status", "Pid:\t1\n"), ("/proc/1/status", "SigCgt:\t4000\nSigBlk:\t0\n")]);
        assert_eq!(found.is_first, Fact::Known(true));
        assert!(found.first_handles_sigterm.is_unknown());
    }

    #[test]
    fn a_hidden_process_1_is_a_gap() {
        let found = process(&[SELF, ("/proc/77/", "")]);
        assert!(found.first_name.is_unknown() && found.first_is_init.is_unknown() && found.first_stdout.is_unknown());
        assert!(found.first_handles_sigterm.is_unknown());
        assert_eq!(found.visible_count, Fact::Known(1));
    }

    #[test]
    fn without_proc_all_is_a_gap() {
        let found = process(&[]);
        assert!(found.is_first.is_unknown() && found.visible_count.is_unknown() && found.orphaned_zombies.is_unknown());
    }

    #[test]
    fn where_standard_output_goes_is_told_by_its_link() {
        for (target, kind) in [
            ("pipe:[123]", StreamKind::Pipe),
            ("socket:[9]", StreamKind::Socket),
            ("/dev/null", StreamKind::Null),
            ("/dev/pts/0", StreamKind::Terminal),
            ("/var/log/app.log (deleted)", StreamKind::File),
        ] {
            let root = FakeRoot::new();
            root.link("/proc/1/fd/1", target);
            assert_eq!(collect(&root).first_stdout, Fact::Known(kind), "{target}");
        }
        assert_eq!(process(&[("/proc/1/fd/", "")]).first_stdout, Fact::Known(StreamKind::Closed));
    }
}
