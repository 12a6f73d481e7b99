//! Resource limits that hold for this container.

use super::Fact;
use super::shape::record;

record! {
    /// Resource limits that hold for this container. A limit that is not set is absent.
    pub struct Limits {
        /// Memory limit in bytes: the smallest `memory.max` (v1 `memory.limit_in_bytes`) of the visible
        /// control groups, on v1 also `hierarchical_memory_limit`; absent when none is below the host's memory.
        pub memory_bytes: Fact<u64>,
        /// A memory limit that is set and is no smaller than the host's memory, in bytes, so that it bounds nothing; absent
        /// when there is none.
        pub memory_beyond_host_bytes: Fact<u64>,
        /// How the memory is left unbounded, in words: `no memory limit`, or one that bounds nothing; absent when a limit
        /// bounds it. Derived.
        pub memory_unbounded: Fact<String>,
        /// Memory in use in bytes, `memory.current` (v1 `memory.usage_in_bytes`).
        pub memory_used_bytes: Fact<u64>,
        /// Times the kernel killed a process of this control group for lack of memory, `memory.events` `oom_kill`.
        pub oom_kills: Fact<u64>,
        /// The same, read again at the end of a look in which somebody outside killed one of its processes; absent where
        /// nobody did.
        pub oom_kills_after: Fact<u64>,
        /// CPU quota in cores, `cpu.max` (v1 `cpu.cfs_quota_us` / `cpu.cfs_period_us`).
        pub cpu_quota_cores: Fact<f64>,
        /// CPUs this process may run on, from `Cpus_allowed_list` in `/proc/self/status`.
        pub cpu_allowed_count: Fact<u64>,
        /// Cores a workload can really use: the smaller of quota and allowed CPUs. Derived.
        pub cpu_cores: Fact<f64>,
        /// Whether fewer cores are usable than the host has. Derived.
        pub cpu_limited: Fact<bool>,
        /// How the CPUs are left unbounded, in words: `no CPU limit`, or one that bounds nothing; absent when they are
        /// bounded. Derived.
        pub cpu_unbounded: Fact<String>,
        /// Share of CPU periods in which the quota stopped the container, 0 to 1,
        /// `cpu.stat` `nr_throttled` / `nr_periods` of the group that sets the quota; absent without one and
        /// in the first 300 periods, about half a minute.
        pub cpu_throttled_share: Fact<f64>,
        /// Processes and threads allowed, `pids.max`.
        pub pids: Fact<u64>,
        /// Processes and threads there are, `pids.current`.
        pub pids_used: Fact<u64>,
        /// Soft limit of open files, `/proc/self/limits`.
        pub open_files_soft: Fact<u64>,
        /// Hard limit of open files, `/proc/self/limits`; absent means unlimited.
        pub open_files_hard: Fact<u64>,
        /// Memory that may be locked, in bytes (soft limit); absent means unlimited.
        pub locked_memory_bytes: Fact<u64>,
        /// Address space of a process in bytes (soft limit, `ulimit -v`); absent means unlimited.
        pub address_space_bytes: Fact<u64>,
        /// Stack size in bytes (soft limit); absent means unlimited.
        pub stack_bytes: Fact<u64>,
        /// Processes of this user (soft limit); absent means unlimited.
        pub user_processes: Fact<u64>,
        /// Processes and threads that this user may have here: the smaller of `pids` and `user_processes`, of which the
        /// second does not hold for user 0; absent means unlimited. Derived.
        pub processes_allowed: Fact<u64>,
        /// Processes and threads that a workload on the visible GPUs and CPUs commonly has: 64, and for each GPU, at least
        /// one, 32 and as many as there are allowed CPUs. Derived.
        pub processes_wanted: Fact<u64>,
        /// The first call to CUDA that a limit made fail, with that limit, for example `cudaSetDevice gives 46
        /// cudaErrorDevicesUnavailable: only 32 files may be open (RLIMIT_NOFILE)`: one of the codes that CUDA gives then,
        /// and a limit that is too small for it, or for code 2 of `cuInit` one of the address space that is not known.
        /// Absent where no call failed so. Derived.
        pub short_call: Fact<String>,
        /// Size of a core file in bytes (soft limit); absent means unlimited.
        pub core_file_bytes: Fact<u64>,
        /// Whether a core file of unlimited size would be written as a plain file, from
        /// `/proc/sys/kernel/core_pattern`: false when it is piped to a program or sent to a socket.
        pub core_pattern_is_file: Fact<bool>,
        /// Size of `/dev/shm` in bytes, statvfs; absent when it is not mounted.
        pub shm_bytes: Fact<u64>,
        /// Free space of `/dev/shm` in bytes, statvfs.
        pub shm_free_bytes: Fact<u64>,
        /// Permission bits of `/dev/shm` in octal, as `1777`; absent when it is not mounted.
        pub shm_mode: Fact<String>,
        /// The errno with which faccessat refuses this user to write into `/dev/shm` (`EROFS`, `EACCES`); absent when it does
        /// not, and when nothing is mounted there.
        pub shm_write_errno: Fact<String>,
        /// Whether who may write there was asked at all: recordings of 0.1.0 did not. Derived.
        pub shm_write_asked: Fact<bool>,
        /// File-system type of `/dev/shm`, from `/proc/self/mountinfo`.
        pub shm_type: Fact<String>,
        /// Shared memory that a workload on the visible GPUs commonly needs: 1 GiB per GPU, at least 1 GiB. Derived.
        pub shm_wanted_bytes: Fact<u64>,
        /// The package that talks through NCCL: a server or trainer, else a PyTorch that was built for CUDA. Derived.
        pub nccl_user: Fact<String>,
        /// The same with the number of GPUs, as `vllm 0.10.1 across 8 GPUs`; absent on one GPU. Derived.
        pub nccl_across: Fact<String>,
        /// The package that passes data through shared memory: that one, else PyTorch for its data loaders. Derived.
        pub shm_user: Fact<String>,
        /// Who passes data through shared memory, in words; absent where nothing that is installed does. Derived.
        pub shm_use: Fact<String>,
        /// Whether RDMA devices are here (`/dev/infiniband/uverbs*`), which need locked memory.
        pub rdma_present: Fact<bool>,
    }
}
