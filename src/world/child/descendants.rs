//! Processes that libraries leave behind.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};

use super::{MARK, REAP_PATIENCE, lingering, pause};

/// Process groups of the probes that were started.
static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Whether orphans come to us only because we watch.
static WATCHING: AtomicBool = AtomicBool::new(false);

/// Remembers the process group of a probe.
pub(super) fn note_group(group: u32) {
    if let Ok(mut groups) = GROUPS.lock() {
        groups.push(group);
    }
}

/// A watch over what descends from our probes.
///
/// A library may fork a daemon out of its process group. While this guard lives such orphans come to us and not to
/// process 1, and when it goes they are ended, so that the workload inherits none of them. Others may be orphaned to us
/// meanwhile, a daemon that the entrypoint started before us for one: they are known by not carrying our mark, and
/// left alone.
pub struct Descendants(());

impl Descendants {
    /// Starts to watch.
    pub fn watch() -> Self {
        let was_subreaper = rustix::process::child_subreaper().ok().flatten().is_some();
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        WATCHING.store(!was_subreaper, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Descendants {
    fn drop(&mut self) {
        // What a child has forked comes to us when it is gone.
        lingering::settle();
        let until = Instant::now() + REAP_PATIENCE;
        let mut ours: Vec<i32> = Vec::new();
        loop {
            let left = children();
            ours.retain(|pid| left.contains(pid));
            // Those that the kernel takes down are waited for by whoever has to.
            ours.extend(left.iter().filter(|pid| !lingering::holds(**pid) && is_ours(**pid)));
            for pid in ours.iter().filter_map(|pid| Pid::from_raw(*pid)) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
                let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
            }
            if ours.is_empty() || Instant::now() >= until {
                break;
            }
            pause(Duration::from_micros(300));
        }
        stop_watching();
        if ours.is_empty() {
            forget_groups();
        }
    }
}

/// Forgets the groups of probes that are gone: the kernel gives their numbers to others, in time.
fn forget_groups() {
    if let Ok(mut groups) = GROUPS.lock() {
        groups.retain(|group| i32::try_from(*group).is_ok_and(lingering::holds));
        groups.shrink_to_fit();
    }
}

/// Whether one of ours is still there that was ended, for the kernel holds it. Who is gone meanwhile is taken in.
pub fn left_behind() -> bool {
    lingering::settle();
    let ours: Vec<i32> = children().into_iter().filter(|pid| is_ours(*pid)).collect();
    let is_left = |pid: &i32| {
        let Some(pid) = Pid::from_raw(*pid) else { return false };
        let _ = rustix::process::kill_process(pid, Signal::KILL);
        matches!(rustix::process::waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
    };
    // Each is asked, for each that is gone is taken in.
    let left = ours.iter().filter(|pid| is_left(pid)).count() > 0;
    if !left {
        forget_groups();
    }
    left
}

fn stop_watching() {
    if WATCHING.swap(false, Ordering::Relaxed) {
        let _ = rustix::process::set_child_subreaper(None);
    }
}

/// Ends the probes where all else is lost: no memory is asked for, and no thread is waited for. A daemon that a library has
/// forked out of its group is not found so.
pub(in crate::world) fn end_all() {
    stop_watching();
    let Ok(groups) = GROUPS.try_lock() else { return };
    let until = Instant::now() + REAP_PATIENCE;
    for group in groups.iter().filter_map(|group| Pid::from_raw(i32::try_from(*group).ok()?)) {
        // Only a child of ours that nobody has waited for still bears its number.
        while let Ok(None) = rustix::process::waitpid(Some(group), WaitOptions::NOHANG) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
            if Instant::now() >= until {
                break;
            }
            pause(Duration::from_micros(300));
        }
    }
}

/// Whether a process descends from a probe: it carries our mark, or is of a probe's group (a zombie carries nothing).
fn is_ours(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let group = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)?.parse::<u32>().ok());
    // The memory of a process that is held in the kernel may not be had, so its environment is asked last.
    GROUPS.lock().is_ok_and(|groups| group.is_some_and(|group| groups.contains(&group))) || is_marked(pid)
}

fn is_marked(pid: i32) -> bool {
    let mark = format!("{MARK}=1");
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

/// Our children: what the kernel lists for each of our threads, else by the parent column of `/proc/*/stat`.
///
/// Not every kernel has the list, and the column costs a look at every process there is.
fn children() -> Vec<i32> {
    listed().unwrap_or_else(by_parent)
}

fn listed() -> Option<Vec<i32>> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let mut found = Vec::new();
    for thread in threads.flatten() {
        let text = std::fs::read_to_string(thread.path().join("children")).ok()?;
        found.extend(text.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    Some(found)
}

fn by_parent() -> Vec<i32> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        parent == Some(own)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same_children() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("sleep starts");
        let pid = i32::try_from(child.id()).expect("a process id");
        assert!(by_parent().contains(&pid));
        if let Some(listed) = listed() {
            assert!(listed.contains(&pid), "{listed:?}");
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
}
