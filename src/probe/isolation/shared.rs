//! Which namespaces are the host's.
//!
//! Only asked where there is a host beside us: in a virtual machine of our own
//! the initial namespaces are ours.

use crate::facts::{Fact, GapKind};
use crate::probe::procfs::namespaces::{Namespace, has_fixed_inodes};
use crate::world::World;

/// Whether we share the host's process namespace: by its inode, and where that cannot be read by `kthreadd`.
pub fn host_pid(world: &World) -> Fact<bool> {
    match Namespace::Pid.is_initial(world) {
        Fact::Unknown(gap) => {
            if world.read_line("/proc/2/comm") == Fact::Known("kthreadd".to_owned()) {
                Fact::Known(true)
            } else {
                Fact::Unknown(gap)
            }
        }
        known => known,
    }
}

/// Whether we share the host's network namespace.
///
/// Exact where the kernel gives the initial one a fixed inode, or where process 1 is the host's and shows its own.
/// Elsewhere concluded from what the namespace holds: sockets of programs that only a host runs and whose files are not
/// in our own root, or links that all have their other end elsewhere. Neither: not known.
pub fn host_network(world: &World) -> Fact<bool> {
    Namespace::Network.inode(world, "self").and_then(|inode| {
        if inode == Namespace::Network.initial_inode() {
            return Fact::Known(true);
        }
        if has_fixed_inodes(world) {
            return Fact::Known(false);
        }
        if Namespace::Pid.is_initial(world) == Fact::Known(true)
            && let Fact::Known(first) = Namespace::Network.inode(world, "1")
        {
            return Fact::Known(first == inode);
        }
        if has_host_sockets(world) {
            Fact::Known(true)
        } else if has_only_far_links(world) {
            Fact::Known(false)
        } else {
            let detail =
                "this kernel gives the host's network namespace no fixed inode, and its interfaces do not tell";
            Fact::unknown(GapKind::NotSupported, detail)
        }
    })
}

/// Whether the network namespace has sockets of a service manager or of a container runtime that are not ours:
/// abstract names of containerd's shims, or paths that do not exist in our root.
fn has_host_sockets(world: &World) -> bool {
    let table = world.read("/proc/net/unix");
    table.known().into_iter().flat_map(|text| text.lines().skip(1)).any(|line| {
        let name = line.split_whitespace().nth(7).unwrap_or_default();
        let is_hosts = name.starts_with("/run/systemd/") || name.starts_with("/run/containerd/");
        name.starts_with("@/containerd-shim/") || is_hosts && world.exists(name) == Fact::Known(false)
    })
}

/// Whether every interface but loopback is one end of a pair or rides on another interface: a host has a card.
fn has_only_far_links(world: &World) -> bool {
    let names = world.list("/sys/class/net");
    let Some(names) = names.known() else { return false };
    let is_far = |name: &String| {
        let index = world.read_line(format!("/sys/class/net/{name}/ifindex"));
        let link = world.read_line(format!("/sys/class/net/{name}/iflink"));
        index.known().is_some() && link.known().is_some() && index != link
    };
    names.iter().any(|name| name == "lo") && names.iter().filter(|name| *name != "lo").all(is_far)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const OLD: (&str, &str) = ("/proc/sys/kernel/osrelease", "5.15.0-91-generic\n");
    const HEAD: &str = "Num RefCount Protocol Flags Type St Inode Path\n";

    fn network(inode: u64, files: &[(&str, &str)]) -> Fact<bool> {
        let root = FakeRoot::of(files, &[]);
        host_network(root.link("/proc/self/ns/net", &format!("net:[{inode}]")))
    }

    #[test]
    fn fixed_inodes_decide_both_ways() {
        assert_eq!(network(4_026_531_833, &[]), Fact::Known(true));
        assert_eq!(network(4_026_532_184, &[("/proc/sys/kernel/osrelease", "6.18.1\n")]), Fact::Known(false));
    }

    #[test]
    fn an_old_kernel_is_told_by_sockets_and_links_or_not_at_all() {
        let shim = format!("{HEAD}0: 2 0 10000 1 1 23 @/containerd-shim/ab.sock@\n");
        assert_eq!(network(4_026_531_992, &[OLD, ("/proc/net/unix", &shim)]), Fact::Known(true));
        let systemd = format!("{HEAD}0: 2 0 10000 1 1 23 /run/systemd/private\n");
        assert_eq!(network(4_026_531_992, &[OLD, ("/proc/net/unix", &systemd)]), Fact::Known(true));
        let own = [OLD, ("/proc/net/unix", systemd.as_str()), ("/run/systemd/private", "")];
        assert!(network(4_026_532_184, &own).is_unknown(), "a systemd of the container's own proves nothing");
        let pair = [
            OLD,
            ("/sys/class/net/lo/ifindex", "1"),
            ("/sys/class/net/eth0/ifindex", "2"),
            ("/sys/class/net/eth0/iflink", "17"),
        ];
        assert_eq!(network(4_026_532_184, &pair), Fact::Known(false));
        let card = [
            OLD,
            ("/sys/class/net/lo/ifindex", "1"),
            ("/sys/class/net/e/ifindex", "2"),
            ("/sys/class/net/e/iflink", "2"),
        ];
        assert!(network(4_026_532_184, &card).is_unknown());
        assert!(network(4_026_532_184, &[OLD]).is_unknown());
    }

    #[test]
    fn the_process_namespace_is_told_by_inode_and_else_by_kthreadd() {
        let world = FakeRoot::of(&[("/proc/2/comm", "kthreadd\n")], &[]);
        assert_eq!(host_pid(&world), Fact::Known(true));
        world.link("/proc/self/ns/pid", "pid:[4026532183]");
        assert_eq!(host_pid(&world), Fact::Known(false), "anybody may call a program kthreadd");
        assert!(host_pid(&FakeRoot::new()).is_unknown());
    }
}
