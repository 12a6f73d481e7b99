//! What a machine is made of: libraries, the loader's cache, the files of `/proc`, `/sys` and `/etc`.

use gpu_preflight::facts::Framework;
use gpu_preflight::probe::{container, driver, identity, isolation, libraries, limits, network, process};

use super::root::Root;

/// An ELF file that lies where the loader looks.
pub fn library(bytes: &[u8], root: &Root) {
    root.write("/opt/lib/libcublas.so.12", bytes);
    let _ = libraries::census(&root.world(&[("LD_LIBRARY_PATH", "/opt/lib")]), &Framework::default());
}

/// `/etc/ld.so.cache`.
pub fn loader_cache(bytes: &[u8], root: &Root) {
    root.write("/etc/ld.so.cache", bytes);
    let _ = libraries::census(&root.world(&[]), &Framework::default());
}

/// The files that probes read, the first byte tells which, the others are in it.
const FILES: &[&str] = &[
    "/proc/self/mountinfo",
    "/proc/self/cgroup",
    "/proc/self/status",
    "/proc/self/limits",
    "/proc/1/status",
    "/proc/1/stat",
    "/proc/1/cmdline",
    "/proc/net/tcp",
    "/proc/net/tcp6",
    "/proc/net/unix",
    "/proc/self/uid_map",
    "/proc/devices",
    "/proc/driver/nvidia/version",
    "/etc/passwd",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/cpu.stat",
];

/// One of [`FILES`].
pub fn proc_files(bytes: &[u8], root: &Root) {
    let Some((which, rest)) = bytes.split_first() else { return };
    if !root.has("/proc/self/mountinfo") {
        root.write("/proc/self/mountinfo", b"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n");
        root.write("/proc/self/cgroup", b"0::/\n");
    }
    root.write(FILES[usize::from(*which) % FILES.len()], rest);
    let world = root.world(&[("HOME", "/root")]);
    let _ = (container::collect(&world), container::host(&world), limits::collect(&world));
    let _ = (identity::collect(&world), process::collect(&world), driver::collect(&world));
    let _ = (isolation::collect(&world), network::collect(&world));
}
