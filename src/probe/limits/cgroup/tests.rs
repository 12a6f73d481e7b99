//! Control groups of each kind, as real containers show them.

use super::*;
use crate::world::FakeRoot;

const CGROUP: &str = "/proc/self/cgroup";
const MOUNTS: &str = "/proc/self/mountinfo";
const V2_TABLE: &str = "30 29 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n";

fn with<T>(files: &[(&str, &str)], read: impl FnOnce(&World, &Groups) -> T) -> T {
    let world = FakeRoot::of(files, &[]);
    let groups = Groups::find(&world, &Mounts::read(&world));
    read(&world, &groups)
}

#[test]
fn a_container_of_the_unified_hierarchy_has_its_limits_at_the_mount() {
    let base = "/sys/fs/cgroup";
    let files = [
        (CGROUP, "0::/\n"),
        (MOUNTS, V2_TABLE),
        (&*format!("{base}/memory.max"), "2147483648\n"),
        (&*format!("{base}/memory.current"), "4096\n"),
        (&*format!("{base}/memory.events"), "low 0\noom 7\noom_kill 3\noom_group_kill 0\n"),
        (&*format!("{base}/cpu.max"), "150000 100000\n"),
        (&*format!("{base}/cpu.stat"), "usage_usec 9\nnr_periods 800\nnr_throttled 200\n"),
        (&*format!("{base}/pids.max"), "256\n"),
        (&*format!("{base}/pids.current"), "5\n"),
    ];
    with(&files, |world, groups| {
        assert_eq!(groups.memory_limit(world, Some(8 << 30)).0, Fact::Known(2 << 30));
        assert_eq!(groups.memory_used(world), Fact::Known(4096));
        assert_eq!(groups.oom_kills(world), Fact::Known(3));
        let quota = groups.cpu_quota(world);
        let quota = quota.known().expect("a quota");
        assert!((quota.cores - 1.5).abs() < 1e-9);
        assert_eq!(Groups::throttled_share(world, &quota.folder), Fact::Known(0.25));
        assert_eq!((groups.pids_limit(world), groups.pids_used(world)), (Fact::Known(256), Fact::Known(5)));
    });
}

#[test]
fn the_tightest_visible_ancestor_counts() {
    let files = [
        (CGROUP, "0::/pod/box\n"),
        (MOUNTS, V2_TABLE),
        ("/sys/fs/cgroup/pod/memory.max", "100"),
        ("/sys/fs/cgroup/pod/box/memory.max", "max"),
        ("/sys/fs/cgroup/pod/cpu.max", "50000 100000"),
        ("/sys/fs/cgroup/pod/box/cpu.max", "200000 100000"),
        ("/sys/fs/cgroup/pod/cpu.stat", "nr_periods 299\nnr_throttled 298\n"),
    ];
    with(&files, |world, groups| {
        assert_eq!(groups.memory_limit(world, None).0, Fact::Known(100));
        let quota = groups.cpu_quota(world);
        let quota = quota.known().expect("a quota");
        assert!((quota.cores - 0.5).abs() < 1e-9 && quota.folder == "/sys/fs/cgroup/pod", "{}", quota.folder);
        assert_eq!(Groups::throttled_share(world, &quota.folder), Fact::Absent, "too few periods");
    });
}

#[test]
fn legacy_hierarchies_are_stripped_of_the_mounted_root() {
    let files = [
        (CGROUP, "8:pids:/docker/ab\n4:memory:/docker/ab\n1:cpu,cpuacct:/docker/ab\n0::/docker/ab\n"),
        (
            MOUNTS,
            "77 76 0:29 /docker/ab /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n\
             80 76 0:32 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
             84 76 0:36 /docker/ab /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n",
        ),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("/sys/fs/cgroup/memory/memory.stat", "cache 0\nhierarchical_memory_limit 4096\n"),
        ("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
        ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("/sys/fs/cgroup/pids/pids.max", "max\n"),
    ];
    with(&files, |world, groups| {
        assert_eq!(groups.memory_limit(world, Some(1 << 30)).0, Fact::Known(4096), "an ancestor that we cannot see");
        assert_eq!(groups.oom_kills(world), Fact::Known(2));
        assert!(groups.cpu_quota(world).is_absent());
        assert_eq!(groups.pids_limit(world), Fact::Absent);
    });
}

#[test]
fn the_legacy_word_for_unlimited_and_a_limit_above_the_host_are_no_limit() {
    for limit in ["9223372036854771712", "2000"] {
        let files = [
            (CGROUP, "4:memory:/\n"),
            (MOUNTS, "80 76 0:32 / /m ro - cgroup cgroup rw,memory\n"),
            ("/m/memory.limit_in_bytes", limit),
        ];
        let beyond = if limit == "2000" { Fact::Known(2000) } else { Fact::Absent };
        with(&files, |world, groups| {
            assert_eq!(groups.memory_limit(world, Some(2000)), (Fact::Absent, beyond), "{limit}");
            let below = if limit == "2000" { Fact::Known(2000) } else { Fact::Absent };
            assert_eq!(groups.memory_limit(world, Some(2001)), (below, Fact::Absent), "{limit}");
        });
    }
}

#[test]
fn a_root_group_has_no_limit_files_and_no_limits() {
    let files = [(CGROUP, "0::/\n"), (MOUNTS, V2_TABLE), ("/sys/fs/cgroup/cgroup.procs", "1\n")];
    with(&files, |world, groups| {
        assert_eq!(groups.memory_limit(world, None).0, Fact::Absent);
        assert!(groups.cpu_quota(world).is_absent());
        assert_eq!(groups.pids_limit(world), Fact::Absent);
    });
}

#[test]
fn in_a_hybrid_each_controller_is_where_the_kernel_says() {
    let files = [
        (CGROUP, "4:memory:/\n0::/\n"),
        (
            MOUNTS,
            "80 76 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        ),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "77"),
        ("/sys/fs/cgroup/unified/pids.max", "9"),
    ];
    with(&files, |world, groups| {
        assert_eq!(groups.memory_limit(world, None).0, Fact::Known(77));
        assert_eq!(groups.pids_limit(world), Fact::Known(9));
    });
}

#[test]
fn what_cannot_be_seen_is_a_gap_and_not_unlimited() {
    let unmounted: &[(&str, &str)] = &[(CGROUP, "0::/\n"), (MOUNTS, "1 0 8:1 / / rw - ext4 d rw\n")];
    let foreign: &[(&str, &str)] = &[
        (CGROUP, "0::/\n"),
        (MOUNTS, "30 29 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
        ("/sys/fs/cgroup/memory.max", "12"),
    ];
    let garbage: &[(&str, &str)] = &[(CGROUP, "\u{0}garbage"), (MOUNTS, V2_TABLE)];
    let unreadable: &[(&str, &str)] = &[(CGROUP, "0::/\n"), (MOUNTS, V2_TABLE), ("/sys/fs/cgroup/memory.max/", "")];
    for files in [&[], unmounted, foreign, garbage, unreadable] {
        with(files, |world, groups| {
            let (limit, beyond) = groups.memory_limit(world, None);
            assert!(limit.is_unknown() && beyond.is_unknown(), "{files:?}: {limit:?}");
        });
    }
}

#[test]
fn nonsense_in_limit_files_is_a_gap() {
    let files = [
        (CGROUP, "0::/\n"),
        (MOUNTS, V2_TABLE),
        ("/sys/fs/cgroup/memory.max", "-12 much"),
        ("/sys/fs/cgroup/cpu.max", "100000 0"),
        ("/sys/fs/cgroup/pids.max", ""),
        ("/sys/fs/cgroup/memory.events", "oom_kill never"),
    ];
    with(&files, |world, groups| {
        assert!(groups.memory_limit(world, None).0.is_unknown());
        assert!(groups.cpu_quota(world).is_unknown());
        assert!(groups.pids_limit(world).is_unknown());
        assert!(groups.oom_kills(world).is_unknown());
    });
}
