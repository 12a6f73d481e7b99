//! What kind of container this is, and the machine underneath.
//!
//! [`marks`] gathers the signs that container makers leave; this file concludes.

pub mod marks;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::procfs::mounts::Mounts;
use super::procfs::namespaces::Namespace;
use super::procfs::{count_list, malformed, memory_total_bytes, required};
use crate::facts::{Cgroup, Container, ContainerKind, Fact, GapKind, Host, cut};
use crate::world::World;

/// Reads what kind of container this is.
pub fn collect(world: &World) -> Container {
    let mounts = Mounts::read(world);
    let marks = marks::gather(world, mounts.known());
    let kind = match marks.kind {
        // Without the mount table and the namespaces, no sign found is not the same as no sign there.
        ContainerKind::None if mounts.is_unknown() || Namespace::Pid.is_initial(world).is_unknown() => {
            Fact::unknown(GapKind::NotPermitted, "no marker file, and /proc does not show mounts and namespaces")
        }
        kind => Fact::Known(kind),
    };
    Container {
        micro_vm: mounts.as_ref().map(|mounts| is_micro_vm(world, mounts, &marks)),
        cgroup: mounts.map(|mounts| cgroup(&mounts)),
        kind,
        evidence: marks.evidence,
    }
}

/// Whether a container image runs here as a virtual machine of its own, so that the initial namespaces are ours alone.
///
/// Two forms are known. Firecracker-like: the image is the root of the machine, so its container marks are there while
/// every namespace, the mount namespace too, is the initial one. (A container that was merely given the host's
/// namespaces always has a mount namespace of its own.) Kata: an agent inside the guest makes namespaces for processes
/// and mounts, but the network is the guest's initial one; its shared folder and its boot parameters betray it.
pub fn is_micro_vm(world: &World, mounts: &Mounts, marks: &marks::Marks) -> bool {
    if marks.kata {
        return true;
    }
    let initial = |namespace: Namespace| namespace.is_initial(world) == Fact::Known(true);
    marks.kind != ContainerKind::None
        && marks.kind != ContainerKind::Other
        && [Namespace::Pid, Namespace::Ipc, Namespace::Uts, Namespace::User].into_iter().all(initial)
        && is_first_mount_namespace(world, mounts)
}

/// Whether this is the mount namespace that the kernel started with: by its inode where that is fixed, else because
/// `/` is mounted on mount 1, the kernel's own first mount, which no copied mount namespace has.
pub fn is_first_mount_namespace(world: &World, mounts: &Mounts) -> bool {
    let fixed = Namespace::Mount.is_initial(world) == Fact::Known(true);
    fixed || mounts.iter().any(|mount| mount.point == "/" && mount.parent <= 1)
}

fn cgroup(mounts: &Mounts) -> Cgroup {
    // A root of the host that is mounted here brings its hierarchies along; ours are at their usual place.
    let any = |kind: &str| mounts.iter().any(|mount| mount.kind == kind && mount.point.starts_with("/sys/fs/cgroup"));
    match (any("cgroup"), any("cgroup2")) {
        (false, false) => Cgroup::None,
        (true, false) => Cgroup::V1,
        (false, true) => Cgroup::V2,
        (true, true) => Cgroup::Hybrid,
    }
}

/// Reads the host's own figures: with sysinfo on the real machine, from the same files in any other world.
pub fn host(world: &World) -> Host {
    let cpus = "/sys/devices/system/cpu/online";
    let logical_cpus = required(world.read_line(cpus), cpus)
        .and_then(|list| count_list(&list).map_or_else(|| malformed(cpus, &list), Fact::Known));
    if !world.is_real() {
        let release = "/proc/sys/kernel/osrelease";
        return Host {
            memory_bytes: memory_total_bytes(world),
            logical_cpus,
            kernel_version: required(world.read_line(release), release).map(|text| cut(&text)),
            machine: Fact::unknown(GapKind::NotSupported, "uname cannot be asked about another root"),
            uptime_seconds: uptime(world),
        };
    }
    let memory = MemoryRefreshKind::nothing().with_ram();
    let total = System::new_with_specifics(RefreshKind::nothing().with_memory(memory)).map(|s| s.total_memory());
    Host {
        memory_bytes: match total {
            Ok(bytes) if bytes > 0 => Fact::Known(bytes),
            // sysinfo swallows the reason; the file gives it.
            _ => memory_total_bytes(world),
        },
        logical_cpus,
        kernel_version: from_sysinfo(System::kernel_version()).map(|text| cut(&text)),
        machine: Fact::Known(cut(&System::cpu_arch())),
        uptime_seconds: from_sysinfo(System::uptime()),
    }
}

fn from_sysinfo<T>(answer: Result<T, sysinfo::Error>) -> Fact<T> {
    answer.map_or_else(|error| Fact::unknown(GapKind::NotSupported, format!("sysinfo: {error}")), Fact::Known)
}

fn uptime(world: &World) -> Fact<u64> {
    let path = "/proc/uptime";
    required(world.read_line(path), path).and_then(|text| {
        let seconds = text.split('.').next().and_then(|seconds| seconds.parse().ok());
        seconds.map_or_else(|| malformed(path, &text), Fact::Known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const TABLE: &str = "/proc/self/mountinfo";

    fn namespaces(root: &FakeRoot, initial: bool) {
        for namespace in [Namespace::Pid, Namespace::Ipc, Namespace::Uts, Namespace::User] {
            let shared = initial || namespace == Namespace::User;
            let inode = if shared { namespace.initial_inode() } else { 4_026_532_180 };
            let name = namespace.name();
            root.link(&format!("/proc/self/ns/{name}"), &format!("{name}:[{inode}]"));
        }
    }

    fn container(table: &str, initial: bool, files: &[(&str, &str)], env: &[(&str, &str)]) -> Container {
        let root = FakeRoot::of(&[(TABLE, table)], env);
        namespaces(root.files(files), initial);
        collect(&root)
    }

    #[test]
    fn an_ordinary_docker_container_is_no_micro_vm() {
        let table = "71 46 0:39 / / rw - overlay overlay rw\n\
            76 71 0:45 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n\
            88 71 254:0 /var/lib/docker/containers/98ad/hosts /etc/hosts rw - ext4 /dev/vda rw\n";
        let found = container(table, false, &[("/.dockerenv", "")], &[]);
        assert_eq!(found.kind, Fact::Known(ContainerKind::Docker));
        assert_eq!(found.micro_vm, Fact::Known(false));
        assert_eq!(found.cgroup, Fact::Known(Cgroup::V2));
        assert!(found.evidence.contains(&"/.dockerenv".to_owned()), "{:?}", found.evidence);
    }

    #[test]
    fn a_container_in_all_namespaces_of_the_host_is_no_micro_vm() {
        let found = container("71 46 0:39 / / rw - overlay overlay rw\n", true, &[("/.dockerenv", "")], &[]);
        assert_eq!(found.micro_vm, Fact::Known(false));
    }

    #[test]
    fn an_image_that_is_the_root_of_a_machine_is_a_micro_vm() {
        let found = container("27 1 254:0 / / rw - ext4 /dev/vda rw\n", true, &[("/.dockerenv", "")], &[]);
        assert_eq!((found.kind, found.micro_vm), (Fact::Known(ContainerKind::Docker), Fact::Known(true)));
    }

    #[test]
    fn a_kata_guest_is_a_micro_vm_though_its_processes_are_apart() {
        let table = "71 46 0:39 / / rw - virtiofs none rw\n72 71 0:40 / /etc/hosts rw - virtiofs kataShared rw\n";
        let found = container(table, false, &[], &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]);
        assert_eq!((found.kind, found.micro_vm), (Fact::Known(ContainerKind::Kubernetes), Fact::Known(true)));
    }

    #[test]
    fn a_plain_machine_is_no_container_and_no_micro_vm() {
        let table = "29 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 29 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let found = container(table, true, &[], &[]);
        assert_eq!((found.kind, found.micro_vm), (Fact::Known(ContainerKind::None), Fact::Known(false)));
        assert!(found.evidence.is_empty());
    }

    #[test]
    fn without_proc_nothing_is_concluded_from_silence() {
        let found = collect(&FakeRoot::new());
        assert!(found.kind.is_unknown() && found.micro_vm.is_unknown() && found.cgroup.is_unknown(), "{found:?}");
        let found = collect(&FakeRoot::of(&[("/.dockerenv", "")], &[]));
        assert_eq!(found.kind, Fact::Known(ContainerKind::Docker), "a mark that is there still counts");
    }

    #[test]
    fn legacy_beside_unified_control_groups_are_hybrid() {
        let legacy = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
        let unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        assert_eq!(container(legacy, true, &[], &[]).cgroup, Fact::Known(Cgroup::V1));
        assert_eq!(container(&format!("{legacy}{unified}"), true, &[], &[]).cgroup, Fact::Known(Cgroup::Hybrid));
    }

    #[test]
    fn the_host_of_another_root_is_read_from_its_files() {
        let files = [
            ("/proc/meminfo", "MemTotal: 4 kB\n"),
            ("/proc/sys/kernel/osrelease", "6.8.0\n"),
            ("/proc/uptime", "12.34 5.6\n"),
            ("/sys/devices/system/cpu/online", "0-7\n"),
        ];
        let found = host(&FakeRoot::of(&files, &[]));
        assert_eq!((found.memory_bytes, found.logical_cpus), (Fact::Known(4096), Fact::Known(8)));
        assert_eq!((found.kernel_version, found.uptime_seconds), (Fact::Known("6.8.0".to_owned()), Fact::Known(12)));
        let found = host(&FakeRoot::of(&[("/proc/uptime", "soon")], &[]));
        assert!(
            found.memory_bytes.is_unknown() && found.logical_cpus.is_unknown() && found.uptime_seconds.is_unknown()
        );
    }

    #[test]
    fn the_real_host_has_memory_and_processors() {
        let found = host(&World::at("/", Vec::new(), std::time::Duration::from_secs(1)));
        assert!(found.memory_bytes.known().is_some_and(|bytes| *bytes > 1 << 20), "{found:?}");
        assert!(found.logical_cpus.known().is_some_and(|count| *count >= 1), "{found:?}");
    }
}
