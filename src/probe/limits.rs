//! Resource limits that hold for this container.
//!
//! [`cgroup`] finds our control groups and the limits in force there, [`ulimit`]
//! reads the process limits. What follows from both is derived elsewhere.

mod cgroup;
mod ulimit;

use self::cgroup::Groups;
use self::ulimit::Ulimits;
use super::procfs::mounts::Mounts;
use super::procfs::{Status, count_list, malformed, memory_total_bytes, required};
use crate::facts::{Fact, Limits, cut};
use crate::world::World;

/// Reads the limits.
pub fn collect(world: &World) -> Limits {
    let mounts = Mounts::read(world);
    let groups = Groups::find(world, &mounts);
    let ulimits = Ulimits::read(world);
    let quota = groups.cpu_quota(world);
    let (memory_bytes, memory_beyond_host_bytes) =
        groups.memory_limit(world, memory_total_bytes(world).known().copied());
    let shm = shm_mounted(&mounts).and_then(|()| world.volume("/dev/shm"));
    Limits {
        memory_bytes,
        memory_beyond_host_bytes,
        memory_used_bytes: groups.memory_used(world),
        oom_kills: groups.oom_kills(world),
        cpu_throttled_share: quota.as_ref().and_then(|quota| Groups::throttled_share(world, &quota.folder)),
        cpu_quota_cores: quota.map(|quota| quota.cores),
        cpu_allowed_count: cpu_allowed_count(world),
        pids: groups.pids_limit(world),
        pids_used: groups.pids_used(world),
        open_files_soft: ulimits.soft("Max open files"),
        open_files_hard: ulimits.hard("Max open files"),
        locked_memory_bytes: ulimits.soft("Max locked memory"),
        address_space_bytes: ulimits.soft("Max address space"),
        stack_bytes: ulimits.soft("Max stack size"),
        user_processes: ulimits.soft("Max processes"),
        core_file_bytes: ulimits.soft("Max core file size"),
        core_pattern_is_file: core_pattern_is_file(world),
        shm_bytes: shm.as_ref().map(|volume| volume.total_bytes),
        shm_mode: shm.as_ref().and_then(|_| world.stat("/dev/shm").map(|stat| format!("{:o}", stat.mode))),
        shm_write_errno: shm.as_ref().and_then(|_| world.write_errno("/dev/shm")),
        shm_free_bytes: shm.map(|volume| volume.free_bytes),
        shm_type: mounts.and_then(|mounts| Fact::present(mounts.at("/dev/shm").map(|mount| cut(&mount.kind)))),
        rdma_present: rdma_present(world),
        oom_kills_after: Fact::Absent,
        // Derived from these and from other rooms.
        processes_allowed: Fact::default(),
        processes_wanted: Fact::default(),
        short_call: Fact::default(),
        cpu_cores: Fact::default(),
        cpu_limited: Fact::default(),
        cpu_unbounded: Fact::default(),
        memory_unbounded: Fact::default(),
        shm_wanted_bytes: Fact::default(),
        nccl_user: Fact::default(),
        nccl_across: Fact::default(),
        shm_user: Fact::default(),
        shm_use: Fact::default(),
        shm_write_asked: Fact::default(),
    }
}

/// How often the kernel has killed here for lack of memory by now.
pub fn oom_kills(world: &World) -> Fact<u64> {
    Groups::find(world, &Mounts::read(world)).oom_kills(world)
}

/// Whether `/dev/shm` is a mount of its own. Without a mount table its size is still worth asking for.
fn shm_mounted(mounts: &Fact<Mounts>) -> Fact<()> {
    match mounts {
        Fact::Known(mounts) => Fact::present(mounts.at("/dev/shm").map(|_| ())),
        _ => Fact::Known(()),
    }
}

fn cpu_allowed_count(world: &World) -> Fact<u64> {
    let status = Status::read(world, "self");
    status
        .field("Cpus_allowed_list")
        .and_then(|list| count_list(list).map_or_else(|| malformed("/proc/self/status", list), Fact::Known))
}

fn core_pattern_is_file(world: &World) -> Fact<bool> {
    let path = "/proc/sys/kernel/core_pattern";
    // `|` pipes the core to a program; `@`, since Linux 6.16, sends it to a socket.
    required(world.read_line(path), path).map(|pattern| !pattern.starts_with(['|', '@']))
}

fn rdma_present(world: &World) -> Fact<bool> {
    match world.list("/dev/infiniband") {
        Fact::Known(names) => Fact::Known(names.iter().any(|name| name.starts_with("uverbs"))),
        Fact::Absent => Fact::Known(false),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn nothing_readable_is_all_gaps() {
        let found = collect(&FakeRoot::new());
        assert!(found.memory_bytes.is_unknown() && found.pids.is_unknown() && found.cpu_quota_cores.is_unknown());
        assert!(found.open_files_soft.is_unknown() && found.cpu_allowed_count.is_unknown());
        assert!(found.core_pattern_is_file.is_unknown());
        assert_eq!(found.rdma_present, Fact::Known(false));
        assert_eq!(found.shm_bytes, Fact::Absent, "no folder, no shared memory");
    }

    #[test]
    fn shared_memory_that_is_no_mount_of_its_own_is_absent() {
        let table = ("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 d rw\n");
        let found = collect(&FakeRoot::of(&[table, ("/dev/shm/", "")], &[]));
        assert_eq!((found.shm_bytes, found.shm_type), (Fact::Absent, Fact::Absent));
        let table = ("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 d rw\n2 1 0:9 / /dev/shm rw - tmpfs shm rw\n");
        let found = collect(&FakeRoot::of(&[table, ("/dev/shm/", "")], &[]));
        assert_eq!(found.shm_type, Fact::Known("tmpfs".to_owned()));
        assert!(found.shm_bytes.known().is_some() && found.shm_free_bytes.known().is_some());
        assert!(found.shm_mode.known().is_some());
        assert_eq!(found.shm_write_errno, Fact::Absent, "it is our own");
    }

    #[test]
    fn a_core_is_a_file_unless_it_is_piped() {
        for (pattern, is_file) in
            [("core", true), ("/tmp/core.%p\n", true), ("|/usr/lib/apport %p", false), ("@/s", false)]
        {
            let world = FakeRoot::of(&[("/proc/sys/kernel/core_pattern", pattern)], &[]);
            assert_eq!(core_pattern_is_file(&world), Fact::Known(is_file), "{pattern}");
        }
    }

    #[test]
    fn rdma_is_there_when_a_verbs_device_is() {
        assert_eq!(rdma_present(&FakeRoot::of(&[("/dev/infiniband/rdma_cm", "")], &[])), Fact::Known(false));
        assert_eq!(rdma_present(&FakeRoot::of(&[("/dev/infiniband/uverbs0", "")], &[])), Fact::Known(true));
    }

    #[test]
    fn allowed_processors_are_counted() {
        let status = ("/proc/self/status", "Cpus_allowed_list:\t0-3,8\n");
        assert_eq!(cpu_allowed_count(&FakeRoot::of(&[status], &[])), Fact::Known(5));
    }
}
