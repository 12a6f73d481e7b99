//! Whether this environment is the workload's: process 1 and its first child, held against ours.
//!
//! A shell by `docker exec`, ssh, cron or `su -` has not what the entrypoint exported, nor its limits. What descends from
//! process 1 without such a step has inherited its environment and changed it on purpose, so there nothing is compared.
//! Values are compared here and go nowhere: a fact has the names alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Compared, Fact, LIST_LIMIT, cut, cut_word};
use crate::world::World;

/// Ancestors that are looked at.
const GENERATIONS: usize = 32;
/// Programs that start others with an environment of their own making.
const ANEW: &[&str] = &["sshd", "cron", "crond", "su", "sudo", "login", "runuser"];
/// Variables that change what a GPU workload does, by the beginning of their names.
const PREFIXES: &[&str] = &["CUDA_", "NVIDIA_", "NCCL_"];
/// And by their whole names.
const NAMES: &[&str] = &["LD_LIBRARY_PATH", "LD_PRELOAD"];
/// Limits, as the kernel calls them and as we do.
const LIMITS: &[(&str, &str)] =
    &[("Max open files", "open files"), ("Max locked memory", "locked memory"), ("Max processes", "processes")];

/// The processes that were compared with us.
pub fn compare(world: &World) -> Vec<Compared> {
    let Some(ancestors) = ancestors(world) else { return Vec::new() };
    let own = Environment::own(world);
    let children = world.read_line("/proc/1/task/1/children").known().cloned().unwrap_or_default();
    let child = children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(|pid| !ancestors.contains(pid));
    let processes = [Some(1), child].into_iter().flatten();
    processes.filter_map(|pid| compared(world, &own, pid)).collect()
}

/// Our ancestors, we among them; `None` where we have inherited what process 1 had, or are process 1.
fn ancestors(world: &World) -> Option<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    let mut anew = false;
    let mut process = "self".to_owned();
    for _ in 0..GENERATIONS {
        let status = world.read(format!("/proc/{process}/status"));
        let status = status.known()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let pid: u32 = field("Pid:")?.parse().ok()?;
        found.insert(pid);
        anew |= field("Name:").is_some_and(|name| ANEW.contains(&name));
        match field("PPid:")?.parse::<u32>().ok()? {
            0 if pid == 1 => return anew.then_some(found),
            // It came into this namespace from outside.
            0 => return Some(found),
            parent => process = parent.to_string(),
        }
    }
    None
}

fn compared(world: &World, own: &Environment, pid: u32) -> Option<Compared> {
    let name = world.read_line(format!("/proc/{pid}/comm")).known().cloned().unwrap_or_default();
    // It holds the namespaces of a pod and is no workload.
    if name == "pause" {
        return None;
    }
    let differing = Environment::of(world, pid).map(|other| own.differing(&other));
    Some(Compared { pid, process: cut_word(&name), differing })
}

/// As much of a process's surroundings as matters here, by name.
#[derive(Default)]
struct Environment(BTreeMap<String, String>);

impl Environment {
    fn own(world: &World) -> Self {
        let mut own = Self::default();
        for name in world.env_names() {
            let value = world.env(&name).unwrap_or_default();
            own.set(&name, &value);
        }
        own.read_limits(world, "self");
        own
    }

    fn of(world: &World, pid: u32) -> Fact<Self> {
        world.process_environment(pid).map(|variables| {
            let mut other = Self::default();
            for (name, value) in variables {
                other.set(&name.to_string_lossy(), &value.to_string_lossy());
            }
            other.read_limits(world, &pid.to_string());
            other
        })
    }

    fn set(&mut self, name: &str, value: &str) {
        if NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    fn read_limits(&mut self, world: &World, process: &str) {
        let limits = world.read(format!("/proc/{process}/limits")).known().cloned().unwrap_or_default();
        for (row, name) in LIMITS {
            let soft = limits.lines().find_map(|line| line.strip_prefix(row)?.split_whitespace().next());
            self.0.extend(soft.map(|soft| ((*name).to_owned(), soft.to_owned())));
        }
        let status = world.read(format!("/proc/{process}/status")).known().cloned().unwrap_or_default();
        let cpus = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        self.0.extend(cpus.map(|cpus| ("allowed CPUs".to_owned(), cpus.trim().to_owned())));
    }

    /// Names of what is set on one side alone, or to something else.
    fn differing(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let differs = names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name));
        differs.take(LIST_LIMIT).map(|name| cut(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const OPEN: &str = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024  4096  files\n";

    fn look(parent: &str, shell: &str) -> Vec<Compared> {
        let status = |name: &str, pid: &str, parent: &str| format!("Name:\t{name}\nPid:\t{pid}\nPPid:\t{parent}\n");
        let environment = [("LD_LIBRARY_PATH", "/a"), ("PATH", "/bin")];
        let root = FakeRoot::of(&[], &environment);
        for (path, text) in [
            ("self/status", status("gpu-preflight", "9", "8")),
            ("8/status", status(shell, "8", parent)),
            ("1/status", status("tini", "1", "0")),
            ("1/comm", "tini\n".to_owned()),
            ("1/environ", "LD_LIBRARY_PATH=/a\0HF_TOKEN=x\0".to_owned()),
            ("1/task/1/children", "7 8\n".to_owned()),
            ("1/limits", OPEN.to_owned()),
            ("7/comm", "python3\n".to_owned()),
            ("7/environ", "LD_LIBRARY_PATH=/b\0NCCL_DEBUG=INFO\0".to_owned()),
            ("7/limits", OPEN.replace("1024", "4096")),
            ("self/limits", OPEN.to_owned()),
        ] {
            root.file(&format!("proc/{path}"), text);
        }
        compare(&root)
    }

    #[test]
    fn a_shell_from_outside_is_held_against_process_1_and_its_first_child() {
        for found in [look("0", "bash"), look("1", "sshd")] {
            let told: Vec<(u32, &str, usize)> = found
                .iter()
                .map(|other| (other.pid, other.process.as_str(), other.differing.known().map_or(9, Vec::len)))
                .collect();
            assert_eq!(told, [(1, "tini", 0), (7, "python3", 3)]);
            let names = ["LD_LIBRARY_PATH", "NCCL_DEBUG", "open files"].map(str::to_owned).to_vec();
            assert_eq!(found[1].differing, Fact::Known(names));
        }
    }

    #[test]
    fn what_process_1_started_has_its_environment_and_is_not_compared() {
        assert_eq!(look("1", "bash"), []);
    }
}
