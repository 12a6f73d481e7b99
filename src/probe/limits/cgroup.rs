//! Our control groups, and the limits that they and their visible ancestors set.
//!
//! `/proc/self/cgroup` says where we are in each hierarchy and the mount table
//! where that hierarchy is seen. What lies above the mounted folder cannot be
//! seen from inside; only v1 says what it comes to, for memory
//! (`hierarchical_memory_limit`).

use crate::facts::{Fact, Gap, GapKind};
use crate::probe::procfs::mounts::{Mount, Mounts};
use crate::probe::procfs::{malformed, required};
use crate::world::World;

/// Where a controller's files are.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    /// Whether its files have the names of the unified hierarchy.
    unified: bool,
    /// Our own folder and those above it, as far as they are mounted; our own first.
    folders: Vec<String>,
}

/// v1 writes "no limit" as the largest multiple of a page; no machine has an exbibyte of memory.
const NO_LIMIT: u64 = 1 << 60;
/// CPU periods (of a tenth of a second as a rule) before a share of them says something.
const PERIODS_MIN: u64 = 300;

/// The control groups of this process.
pub struct Groups {
    memory: Fact<Group>,
    cpu: Fact<Group>,
    pids: Fact<Group>,
}

/// A CPU quota and the folder that sets it.
pub struct Quota {
    /// Quota divided by period.
    pub cores: f64,
    /// Where it is set, and so where its throttling is counted.
    pub folder: String,
}

impl Groups {
    /// Finds our groups.
    pub fn find(world: &World, mounts: &Fact<Mounts>) -> Self {
        let path = "/proc/self/cgroup";
        let table = required(world.read(path), path);
        let of = |controller: &str| {
            table.as_ref().and_then(|table| mounts.as_ref().and_then(|mounts| group(world, table, mounts, controller)))
        };
        Self { memory: of("memory"), cpu: of("cpu"), pids: of("pids") }
    }

    /// The smallest memory limit, where it is below `host_bytes`, and where it is not.
    pub fn memory_limit(&self, world: &World, host_bytes: Option<u64>) -> (Fact<u64>, Fact<u64>) {
        let limit = self.memory.as_ref().and_then(|group| {
            let file = if group.unified { "memory.max" } else { "memory.limit_in_bytes" };
            let own = smallest(group.folders.iter().map(|folder| bytes(world, &format!("{folder}/{file}"))));
            if group.unified { own } else { smallest([own, hierarchical_limit(world, group)].into_iter()) }
        });
        let limit = limit.and_then(|limit| Fact::present((limit < NO_LIMIT).then_some(limit)));
        let bounds = |limit: u64| host_bytes.is_none_or(|host| limit < host);
        let below =
            |wanted: bool| limit.as_ref().and_then(|limit| Fact::present((bounds(*limit) == wanted).then_some(*limit)));
        (below(true), below(false))
    }

    /// Memory in use.
    pub fn memory_used(&self, world: &World) -> Fact<u64> {
        own(&self.memory, "memory.current", "memory.usage_in_bytes", |path| bytes(world, path))
    }

    /// Times the kernel killed here for lack of memory.
    pub fn oom_kills(&self, world: &World) -> Fact<u64> {
        own(&self.memory, "memory.events", "memory.oom_control", |path| {
            world.read(path).and_then(|text| keyed(&text, "oom_kill"))
        })
    }

    /// The smallest CPU quota.
    pub fn cpu_quota(&self, world: &World) -> Fact<Quota> {
        self.cpu.as_ref().and_then(|group| {
            let mut least: Fact<Quota> = Fact::Absent;
            for folder in &group.folders {
                let cores = if group.unified { quota_v2(world, folder) } else { quota_v1(world, folder) };
                let quota = cores.map(|cores| Quota { cores, folder: folder.clone() });
                least = match (least, quota) {
                    (Fact::Known(a), Fact::Known(b)) => Fact::Known(if b.cores < a.cores { b } else { a }),
                    (Fact::Known(a), _) => Fact::Known(a),
                    (_, Fact::Known(b)) => Fact::Known(b),
                    (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
                    (Fact::Absent, Fact::Absent) => Fact::Absent,
                };
            }
            least
        })
    }

    /// Share of periods in which the quota of `folder` stopped it; absent while they are few, for then those count
    /// most that our own look takes.
    pub fn throttled_share(world: &World, folder: &str) -> Fact<f64> {
        world.read(format!("{folder}/cpu.stat")).and_then(|text| {
            keyed(&text, "nr_periods").and_then(|periods| {
                keyed(&text, "nr_throttled").and_then(|throttled| {
                    Fact::present((periods >= PERIODS_MIN).then(|| (throttled as f64 / periods as f64).min(1.0)))
                })
            })
        })
    }

    /// The smallest limit of processes and threads.
    pub fn pids_limit(&self, world: &World) -> Fact<u64> {
        self.pids
            .as_ref()
            .and_then(|group| smallest(group.folders.iter().map(|folder| bytes(world, &format!("{folder}/pids.max")))))
    }

    /// Processes and threads there are.
    pub fn pids_used(&self, world: &World) -> Fact<u64> {
        own(&self.pids, "pids.current", "pids.current", |path| bytes(world, path))
    }
}

/// Our group for `controller`: the legacy hierarchy that has it, else the unified one.
fn group(world: &World, table: &str, mounts: &Mounts, controller: &str) -> Fact<Group> {
    let mut unified_path = None;
    for line in table.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        if controllers.is_empty() {
            unified_path = Some(path);
        } else if controllers.split(',').any(|name| name == controller) {
            let mounted = mounts.iter().rev().filter(|mount| mount.kind == "cgroup" && mount.has(controller));
            return locate(world, mounted, path, controller).map(|folders| Group { unified: false, folders });
        }
    }
    let Some(path) = unified_path else {
        return Fact::unknown(GapKind::Malformed, format!("/proc/self/cgroup names no hierarchy with {controller}"));
    };
    let mounted = mounts.iter().rev().filter(|mount| mount.kind == "cgroup2");
    locate(world, mounted, path, controller).map(|folders| Group { unified: true, folders })
}

/// Our folder and the visible ones above it, below the first mount that shows it.
fn locate<'a>(
    world: &World,
    mounted: impl Iterator<Item = &'a Mount>,
    path: &str,
    controller: &str,
) -> Fact<Vec<String>> {
    let mut gap = Gap::new(GapKind::NotSupported, format!("no control-group hierarchy with {controller} is mounted"));
    for mount in mounted {
        // `/..` means outside of our control-group namespace: whose folder this is cannot be told.
        if mount.root.starts_with("/..") {
            gap = Gap::new(GapKind::NotSupported, format!("{} shows another control-group namespace", mount.point));
            continue;
        }
        // A path that is not below the mounted folder is the case of a container in the host's control-group
        // namespace that was moved after its start; what is mounted is then still the container's own folder.
        let inner = mount.inner(path).filter(|inner| !inner.contains("/..")).unwrap_or_default();
        let mut folder = format!("{}{}", mount.point.trim_end_matches('/'), inner.trim_end_matches('/'));
        match world.list(&folder) {
            Fact::Known(_) => {}
            Fact::Absent => {
                gap = Gap::new(GapKind::NotSupported, format!("{folder} is not there"));
                continue;
            }
            Fact::Unknown(why) => {
                gap = why;
                continue;
            }
        }
        let mut folders = vec![folder.clone()];
        while folder.len() > mount.point.len()
            && let Some(end) = folder.rfind('/')
        {
            folder.truncate(end);
            folders.push(folder.clone());
        }
        return Fact::Known(folders);
    }
    Fact::Unknown(gap)
}

/// A reading of our own folder, under its name in the unified or in the legacy hierarchy.
fn own<T>(group: &Fact<Group>, unified: &str, legacy: &str, read: impl FnOnce(&str) -> Fact<T>) -> Fact<T> {
    group.as_ref().and_then(|group| match group.folders.first() {
        Some(folder) => read(&format!("{folder}/{}", if group.unified { unified } else { legacy })),
        None => Fact::Absent,
    })
}

/// The smallest known value; without one a gap, if there was any; else absent.
fn smallest(values: impl Iterator<Item = Fact<u64>>) -> Fact<u64> {
    values.fold(Fact::Absent, |least, value| match (least, value) {
        (Fact::Known(a), Fact::Known(b)) => Fact::Known(a.min(b)),
        (Fact::Known(a), _) | (_, Fact::Known(a)) => Fact::Known(a),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
        (Fact::Absent, Fact::Absent) => Fact::Absent,
    })
}

/// A file with one number; `max`, and no file at all (as in a root group), mean no limit.
fn bytes(world: &World, path: &str) -> Fact<u64> {
    world.read_line(path).and_then(|text| match text.as_str() {
        "max" => Fact::Absent,
        text => text.parse().map_or_else(|_| malformed(path, text), Fact::Known),
    })
}

/// The number behind a key in a file of keys and numbers; absent on kernels without the key.
fn keyed(text: &str, key: &str) -> Fact<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    match line.map(|value| value.trim().parse()) {
        None => Fact::Absent,
        Some(Ok(value)) => Fact::Known(value),
        Some(Err(_)) => malformed(key, line.unwrap_or_default()),
    }
}

fn hierarchical_limit(world: &World, group: &Group) -> Fact<u64> {
    let Some(folder) = group.folders.first() else { return Fact::Absent };
    world.read(format!("{folder}/memory.stat")).and_then(|text| keyed(&text, "hierarchical_memory_limit"))
}

fn quota_v2(world: &World, folder: &str) -> Fact<f64> {
    let path = format!("{folder}/cpu.max");
    world.read_line(&path).and_then(|text| {
        let mut words = text.split_whitespace();
        match (words.next(), words.next().map(str::parse::<f64>)) {
            (Some("max"), _) => Fact::Absent,
            (Some(quota), Some(Ok(period))) => cores(&path, quota.parse().unwrap_or(f64::NAN), period),
            _ => malformed(&path, &text),
        }
    })
}

fn quota_v1(world: &World, folder: &str) -> Fact<f64> {
    let path = format!("{folder}/cpu.cfs_quota_us");
    world.read_line(&path).and_then(|quota| {
        if quota.starts_with('-') {
            return Fact::Absent;
        }
        let period = world.read_line(format!("{folder}/cpu.cfs_period_us"));
        period.and_then(|period| cores(&path, quota.parse().unwrap_or(f64::NAN), period.parse().unwrap_or(f64::NAN)))
    })
}

fn cores(path: &str, quota: f64, period: f64) -> Fact<f64> {
    let cores = quota / period;
    if cores.is_finite() && cores > 0.0 { Fact::Known(cores) } else { malformed(path, &format!("{quota} {period}")) }
}

#[cfg(test)]
mod tests;
