//! Linux capabilities: sets, names, and what the Kubernetes baseline standard allows.

use rustix::thread::CapabilitySet;

use crate::facts::Fact;
use crate::probe::procfs::{Status, malformed, required};
use crate::world::World;

/// What the baseline level of the Kubernetes Pod Security Standards lets a container add.
const BASELINE: CapabilitySet = CapabilitySet::AUDIT_WRITE
    .union(CapabilitySet::CHOWN)
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SYS_CHROOT);

/// A set of capabilities, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps(pub u64);

impl Caps {
    /// The set behind `field` of a status file.
    pub fn read(status: &Status, field: &str) -> Fact<Self> {
        status.mask(field).map(Self)
    }

    /// Their names without `CAP_`, as Docker and Kubernetes write them, in the kernel's order; one that rustix does not
    /// name yet by its number.
    pub fn names(self) -> Vec<String> {
        let mut flags = CapabilitySet::from_bits_retain(self.0).iter_names();
        let mut names: Vec<String> = flags.by_ref().map(|(name, _)| name.to_owned()).collect();
        let nameless = flags.remaining().bits();
        names.extend((0..u64::BITS).filter(|bit| nameless >> bit & 1 == 1).map(|bit| format!("CAP_{bit}")));
        names
    }

    /// Those that the baseline standard does not allow.
    pub fn beyond_baseline(self) -> Vec<String> {
        Self(self.0 & !BASELINE.bits()).names()
    }
}

/// Whether the baseline standard does not allow this one; one without a known name is not allowed.
pub fn is_beyond_baseline(name: &str) -> bool {
    CapabilitySet::from_name(name).is_none_or(|set| !BASELINE.contains(set))
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
        assert_eq!(Caps(1 << 63 | 1 << 41 | 1 << 40).names(), ["CHECKPOINT_RESTORE", "CAP_41", "CAP_63"]);
        assert_eq!(Caps(0).names(), Vec::<String>::new());
    }

    /// The order and the words of `include/uapi/linux/capability.h`, which recordings and checks spell out.
    #[test]
    fn every_bit_up_to_the_newest_known_one_has_a_name() {
        let names = Caps((1 << 41) - 1).names();
        assert_eq!(names.len(), 41);
        assert!(names.iter().all(|name| !name.starts_with("CAP_")), "{names:?}");
        let at = |bit: usize| names[bit].as_str();
        assert_eq!(
            [at(5), at(10), at(27), at(31), at(37)],
            ["KILL", "NET_BIND_SERVICE", "MKNOD", "SETFCAP", "AUDIT_READ"]
        );
    }

    #[test]
    fn what_the_baseline_allows_is_not_beyond_it() {
        assert_eq!(Caps(1 << 10 | 1 << 12).beyond_baseline(), ["NET_ADMIN"]);
        assert_eq!(Caps(BASELINE.bits()).beyond_baseline(), Vec::<String>::new());
        // What Docker gives a container that asks for nothing: all of it but raw sockets is within the baseline.
        assert_eq!(Caps(0xa804_25fb).beyond_baseline(), ["NET_RAW"]);
        assert_eq!(Caps(1 << 41).beyond_baseline(), ["CAP_41"]);
    }
}
