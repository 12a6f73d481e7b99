//! Which process holds a socket: the links in `/proc/*/fd`.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::facts::{Fact, Gap, GapKind, cut};
use crate::probe::procfs::mounts::Mounts;
use crate::world::{Spawned, World, spawn_or_run};

/// Processes that are looked into before asking whether all owners are found; fewer are not worth a thread.
const BLOCK: usize = 256;
/// How long owners are looked for. Which user made a socket is known without.
const PATIENCE: Duration = Duration::from_millis(50);
/// Threads that look at the same time.
const THREADS: usize = 4;

/// The processes behind sockets.
#[derive(Debug)]
pub struct Owners {
    found: HashMap<u64, (u32, Fact<String>)>,
    /// Why a socket that was not found may be held all the same.
    blind: Option<Gap>,
}

impl Owners {
    /// Process and name behind a socket.
    pub fn of(&self, inode: u64) -> (Fact<u32>, Fact<String>) {
        match (self.found.get(&inode), &self.blind) {
            (Some((pid, name)), _) => (Fact::Known(*pid), name.clone()),
            (None, Some(gap)) => (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone())),
            (None, None) => (Fact::Absent, Fact::Absent),
        }
    }
}

/// Looks through the descriptors of every process until each socket has an owner.
///
/// Of several processes that share a socket the lowest process number is kept: the one that forked the others.
pub fn find(world: &World, inodes: &HashSet<u64>) -> Owners {
    let mut owners = Owners { found: HashMap::new(), blind: None };
    // Inode 0 stands for a socket that nobody can hold any more.
    let wanted = inodes.iter().filter(|inode| **inode != 0).count();
    if wanted == 0 {
        return owners;
    }
    let mut pids: Vec<u32> = match world.list("/proc") {
        Fact::Known(names) => names.iter().filter_map(|name| name.parse().ok()).collect(),
        Fact::Absent => Vec::new(),
        Fact::Unknown(gap) => {
            owners.blind = Some(gap);
            return owners;
        }
    };
    pids.sort_unstable();
    let mut hidden = 0_u32;
    let until = Instant::now() + PATIENCE;
    for block in pids.chunks(BLOCK) {
        if owners.found.len() == wanted {
            return owners;
        }
        if until < Instant::now() || world.time_left().is_zero() {
            owners.blind = Some(Gap::new(GapKind::TimedOut, "/proc/*/fd: not all processes were looked at"));
            return owners;
        }
        for (pid, held) in look_into(world, block) {
            let Some(held) = held else {
                hidden += 1;
                continue;
            };
            for inode in held.into_iter().filter(|inode| inodes.contains(inode)) {
                let name = || world.read_line(format!("/proc/{pid}/comm")).map(|name| cut(&name));
                owners.found.entry(inode).or_insert_with(|| (pid, name()));
            }
        }
    }
    if hidden > 0 {
        let noun = if hidden == 1 { "process" } else { "processes" };
        let detail = format!("/proc/*/fd: {hidden} {noun} could not be looked into");
        owners.blind = Some(Gap::new(GapKind::NotPermitted, detail));
    } else if hides_processes(world) {
        owners.blind = Some(Gap::new(GapKind::NotPermitted, "/proc is mounted with hidepid"));
    }
    owners
}

/// The sockets of each of these processes, in their order; large blocks are shared among threads.
fn look_into(world: &World, pids: &[u32]) -> Vec<(u32, Option<Vec<u64>>)> {
    let look = |pids: &[u32]| pids.iter().map(|pid| (*pid, sockets(world, *pid))).collect::<Vec<_>>();
    if pids.len() < BLOCK {
        return look(pids);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    std::thread::scope(|scope| {
        let look = &look;
        let parts = pids.chunks(pids.len().div_ceil(threads));
        let running: Vec<_> = parts.map(|part| spawn_or_run(scope, move || look(part))).collect();
        let whole =
            |part: Spawned<'_, Vec<_>>| part.join().unwrap_or_else(|| panic!("looking into processes panicked"));
        running.into_iter().flat_map(whole).collect()
    })
}

/// Inodes of the sockets that a process holds; `None` when that may not be seen. A process that has ended holds none.
fn sockets(world: &World, pid: u32) -> Option<Vec<u64>> {
    let folder = format!("/proc/{pid}/fd");
    let names = match world.list(&folder) {
        Fact::Known(names) => names,
        Fact::Absent => return Some(Vec::new()),
        Fact::Unknown(_) => return None,
    };
    let mut held = Vec::new();
    for name in names {
        match world.link(format!("{folder}/{name}")) {
            Fact::Known(target) => held.extend(target.to_str().and_then(inode)),
            Fact::Absent => {}
            // The folder was opened and its links are refused: a process with more capabilities than ours.
            Fact::Unknown(_) => return None,
        }
    }
    Some(held)
}

fn inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Whether `/proc` leaves out processes of other users.
fn hides_processes(world: &World) -> bool {
    let mounts = Mounts::read(world);
    let at_proc = mounts.known().into_iter().flat_map(Mounts::iter).filter(|mount| mount.point == "/proc");
    let mut how = at_proc.flat_map(|mount| mount.super_options.split(',').filter_map(|o| o.strip_prefix("hidepid=")));
    // 0 hides nothing; 1 shows the processes and refuses their content, which was seen above.
    how.any(|how| !matches!(how, "0" | "off" | "1" | "noaccess"))
}
