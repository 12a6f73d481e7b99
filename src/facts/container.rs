//! The container and the machine underneath.

use super::Fact;
use super::shape::{record, words};

words! {
    /// What made this container.
    pub enum ContainerKind {
        /// No sign of a container.
        None = "none",
        /// Docker or a Docker-compatible engine.
        Docker = "docker",
        /// Podman.
        Podman = "podman",
        /// A container of a Kubernetes pod, whatever the runtime.
        Kubernetes = "kubernetes",
        /// containerd without Kubernetes.
        Containerd = "containerd",
        /// CRI-O without a visible Kubernetes.
        Crio = "cri-o",
        /// LXC or Incus.
        Lxc = "lxc",
        /// systemd-nspawn.
        Nspawn = "systemd-nspawn",
        /// Apptainer or Singularity.
        Apptainer = "apptainer",
        /// A container, but its maker left no mark.
        Other = "other",
    }

    /// Which control-group hierarchy is mounted.
    pub enum Cgroup {
        /// None visible.
        None = "none",
        /// The legacy hierarchies.
        V1 = "v1",
        /// The unified hierarchy.
        V2 = "v2",
        /// Legacy controllers beside an empty unified tree.
        Hybrid = "hybrid",
    }
}

record! {
    /// What kind of container this is.
    pub struct Container {
        /// What made it, from marker files, mounts and environment names.
        pub kind: Fact<ContainerKind>,
        /// What `kind` was concluded from, for example `/.dockerenv`.
        pub evidence: Vec<String>,
        /// Whether it looks like a virtual machine built from a container image (Kata, Firecracker):
        /// container marks, yet every namespace and the mount table are the kernel's initial ones, or Kata's agent is here.
        /// Then there is no host to share with, and the facts `isolation.host_*` and `isolation.privileged` are false.
        pub micro_vm: Fact<bool>,
        /// Control-group hierarchy, from the file-system types mounted at and below `/sys/fs/cgroup` in
        /// `/proc/self/mountinfo`.
        pub cgroup: Fact<Cgroup>,
    }

    /// The machine underneath, as the kernel shows it.
    pub struct Host {
        /// Total memory in bytes, from sysinfo (`MemTotal` of `/proc/meminfo`); the host's, not the container's.
        pub memory_bytes: Fact<u64>,
        /// Logical processors of the host, `/sys/devices/system/cpu/online`; sysinfo would read `/proc/cpuinfo`, which takes
        /// milliseconds on big hosts.
        pub logical_cpus: Fact<u64>,
        /// Kernel release, from sysinfo.
        pub kernel_version: Fact<String>,
        /// Machine type as in `uname -m`, from sysinfo.
        pub machine: Fact<String>,
        /// Seconds since the kernel started, from sysinfo.
        pub uptime_seconds: Fact<u64>,
    }
}
