//! The files of `/proc` and `/sys` that probes read: which one, then its bytes.
#![no_main]

mod root;

use gpu_preflight::probe::{container, driver, identity, isolation, limits, network, process};
use libfuzzer_sys::fuzz_target;

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

thread_local! {
    static ROOT: root::Root = {
        let root = root::Root::new();
        root.write("/proc/self/mountinfo", b"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n");
        root.write("/proc/self/cgroup", b"0::/\n");
        root
    };
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else { return };
    ROOT.with(|root| {
        root.write(FILES[usize::from(*which) % FILES.len()], rest);
        let world = root.world(&[("HOME", "/root")]);
        let _ = (container::collect(&world), container::host(&world), limits::collect(&world));
        let _ = (identity::collect(&world), process::collect(&world), driver::collect(&world));
        let _ = (isolation::collect(&world), network::collect(&world));
    });
});
