//! The namespaces of a process, and which of them are the kernel's own.

use super::required;
use crate::facts::Fact;
use crate::world::World;

/// The namespaces that have had the same inode in the kernel's initial set ever since they exist
/// (`include/linux/proc_ns.h`; `enum init_ns_ino` of `include/uapi/linux/nsfs.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// Process ids.
    Pid,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// Host name.
    Uts,
    /// Control groups.
    Cgroup,
    /// User ids.
    User,
    /// Mounts; fixed since Linux 6.18.
    Mount,
    /// The network; fixed since Linux 6.18.
    Network,
}

impl Namespace {
    /// Its name below `/proc/self/ns`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::Cgroup => "cgroup",
            Self::User => "user",
            Self::Mount => "mnt",
            Self::Network => "net",
        }
    }

    /// The inode of the initial one.
    pub fn initial_inode(self) -> u64 {
        match self {
            Self::Mount => 4_026_531_832,
            Self::Network => 4_026_531_833,
            Self::Cgroup => 4_026_531_835,
            Self::Pid => 4_026_531_836,
            Self::User => 4_026_531_837,
            Self::Uts => 4_026_531_838,
            Self::Ipc => 4_026_531_839,
        }
    }

    /// Its inode for `process`: a number, or `self`.
    pub fn inode(self, world: &World, process: &str) -> Fact<u64> {
        let path = format!("/proc/{process}/ns/{}", self.name());
        required(world.link(&path), &path).and_then(|target| {
            let text = target.to_string_lossy();
            let inode = text.strip_prefix(self.name()).and_then(|rest| rest.strip_prefix(":[")?.strip_suffix(']'));
            match inode.map(str::parse) {
                Some(Ok(inode)) => Fact::Known(inode),
                _ => super::malformed(&path, &text),
            }
        })
    }

    /// Whether we are in the kernel's initial one, by its inode.
    pub fn is_initial(self, world: &World) -> Fact<bool> {
        self.inode(world, "self").map(|inode| inode == self.initial_inode())
    }
}

/// Whether this kernel gives the initial network and mount namespaces a fixed inode: Linux 6.18 and later do.
/// Older ones may by backport, so an equal inode proves a namespace initial and another proves nothing.
pub fn has_fixed_inodes(world: &World) -> bool {
    let release = world.read_line("/proc/sys/kernel/osrelease");
    let Some(release) = release.known() else { return false };
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 18)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn the_initial_namespace_is_known_by_its_inode() {
        let world = FakeRoot::new();
        world.link("/proc/self/ns/pid", "pid:[4026531836]");
        world.link("/proc/self/ns/ipc", "ipc:[4026532182]");
        world.link("/proc/self/ns/uts", "pid:[4026531838]");
        assert_eq!(Namespace::Pid.is_initial(&world), Fact::Known(true));
        assert_eq!(Namespace::Ipc.is_initial(&world), Fact::Known(false));
        assert!(Namespace::Uts.is_initial(&world).is_unknown(), "a foreign link is no answer");
        assert!(Namespace::Cgroup.is_initial(&world).is_unknown(), "no link is no answer");
    }

    #[test]
    fn fixed_inodes_came_with_linux_6_18() {
        for (release, fixed) in
            [("6.18.44-fc", true), ("7.0", true), ("6.8.0-31-generic", false), ("5.15.0", false), ("", false)]
        {
            let world = FakeRoot::of(&[("/proc/sys/kernel/osrelease", release)], &[]);
            assert_eq!(has_fixed_inodes(&world), fixed, "{release}");
        }
    }
}
