//! Linux capabilities: sets, names, and what the Kubernetes baseline standard allows.

use crate::facts::Fact;
use crate::probe::procfs::{Status, malformed, required};
use crate::world::World;

/// Names by bit, as Docker and Kubernetes write them (`include/uapi/linux/capability.h` without `CAP_`).
const NAMES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What the baseline level of the Kubernetes Pod Security Standards lets a container add.
const BASELINE: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// A set of capabilities, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps(pub u64);

impl Caps {
    /// The set behind `field` of a status file.
    pub fn read(status: &Status, field: &str) -> Fact<Self> {
        status.mask(field).map(Self)
    }

    /// Their names, in the kernel's order; one that is newer than this list by its number.
    pub fn names(self) -> Vec<String> {
        (0..64_usize)
            .filter(|bit| self.0 >> bit & 1 == 1)
            .map(|bit| NAMES.get(bit).map_or_else(|| format!("CAP_{bit}"), |name| (*name).to_owned()))
            .collect()
    }

    /// Those that the baseline standard does not allow.
    pub fn beyond_baseline(self) -> Vec<String> {
        let mut names = self.names();
        names.retain(|name| !BASELINE.contains(&name.as_str()));
        names
    }
}

/// Every capability that this kernel knows.
pub fn all_known(world: &World) -> Fact<Caps> {
    let path = "/proc/sys/kernel/cap_last_cap";
    required(world.read_line(path), path).and_then(|text| match text.parse::<u32>() {
        Ok(last @ 0..=62) => Fact::Known(Caps((1_u64 << (last + 1)) - 1)),
        _ => malformed(path, &text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_the_kernels_names() {
        assert_eq!(Caps(1 << 21 | 1 << 39 | 1).names(), ["CHOWN", "SYS_ADMIN", "BPF"]);
        assert_eq!(Caps(1 << 41).names(), ["CAP_41"]);
        assert_eq!(NAMES.len(), 41);
    }

    #[test]
    fn the_baseline_is_a_set_of_known_names() {
        assert!(BASELINE.iter().all(|name| NAMES.contains(name)));
        assert_eq!(Caps(1 << 10 | 1 << 12).beyond_baseline(), ["NET_ADMIN"]);
    }
}
