//! File systems that do not answer: which mount it is, and what of it has to be left out.

use std::path::{Path, PathBuf};

use crate::facts::{Fact, StuckFolder, cut};
use crate::probe::procfs::mounts::{Mount, Mounts};
use crate::world::World;

/// The kernel's own file systems. One that holds us up there is held by the process or the device that it is asked about,
/// and says nothing of the others.
const OF_THE_KERNEL: &[&str] = &[
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "hugetlbfs",
    "mqueue",
    "proc",
    "pstore",
    "securityfs",
    "sysfs",
    "tmpfs",
    "tracefs",
];

/// The file system that holds up whoever asks for `path`; `step` is where on the way, links resolved.
pub fn stuck_folder(world: &World, path: &Path, step: &Path) -> StuckFolder {
    let step = step.to_string_lossy();
    let mount = Mounts::read(world).map(|mounts| mounts.of(&step).cloned());
    let of = |part: fn(&Mount) -> String| mount.as_ref().and_then(|mount| Fact::present(mount.as_ref().map(part)));
    let point = match &mount {
        Fact::Known(Some(mount)) if is_whole(mount) => cut(&mount.point),
        _ => cut(&step),
    };
    StuckFolder {
        point,
        kind: of(|mount| cut(&mount.kind)),
        source: of(|mount| cut(&without_password(&mount.source))),
        path: cut(&path.to_string_lossy()),
        ..StuckFolder::default()
    }
}

/// Whether all of a mount is dead where one path on it does not answer.
fn is_whole(mount: &Mount) -> bool {
    mount.point != "/" && !is_kernels(&mount.kind)
}

/// Whether it is the kernel itself that does not answer, for example for a process that is held in it: no file system is dead.
pub fn is_of_the_kernel(folder: &StuckFolder) -> bool {
    folder.kind.known().is_some_and(|kind| is_kernels(kind))
}

fn is_kernels(kind: &str) -> bool {
    OF_THE_KERNEL.contains(&kind)
}

/// The place that is left out from now on.
pub fn left_out(folder: &StuckFolder) -> PathBuf {
    PathBuf::from(&folder.point)
}

/// Every mount that may never answer, for whoever has no child to ask from.
pub fn foreign(world: &World) -> Vec<PathBuf> {
    let mounts = Mounts::read(world);
    let all = mounts.known().into_iter().flat_map(Mounts::iter);
    let may_be_dead = |mount: &&Mount| is_whole(mount) && !mount.is_local();
    all.filter(may_be_dead).map(|mount| PathBuf::from(&mount.point)).collect()
}

/// What is mounted, without the user and the password that a URL may carry.
fn without_password(source: &str) -> String {
    let Some((scheme, rest)) = source.split_once("://") else { return source.to_owned() };
    let host_ends = rest.find('/').unwrap_or(rest.len());
    match rest.get(..host_ends).and_then(|host| host.rfind('@')) {
        Some(at) => format!("{scheme}://{}", rest.get(at + 1..).unwrap_or_default()),
        None => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const TABLE: (&str, &str) = (
        "/proc/self/mountinfo",
        "1 0 0:3 / / rw - overlay o rw\n2 1 0:9 / /net rw - nfs4 s:/x rw\n3 1 0:4 / /proc rw - proc proc rw\n\
         4 1 0:8 / /dav rw - fuse https://me:secret@host/dav rw\n6 1 0:7 / /sys/fs/cgroup/pids rw - cgroup c rw\n\
         7 1 0:6 / /sys/fs/cgroup rw - cgroup2 c rw\n8 1 0:6 / /sys rw - sysfs s rw\n5 1 8:1 / /data rw - ext4 /dev/sdb rw\n",
    );

    #[test]
    fn a_mount_is_dead_as_a_whole_and_a_path_of_the_root_or_the_kernel_by_itself() {
        let world = FakeRoot::of(&[TABLE], &[]);
        let found = |step: &str| stuck_folder(&world, Path::new("/home/me/x"), Path::new(step));
        let net = found("/net/me");
        assert_eq!((net.point.as_str(), net.path.as_str()), ("/net", "/home/me/x"));
        assert_eq!((net.kind, net.source), (Fact::Known("nfs4".to_owned()), Fact::Known("s:/x".to_owned())));
        assert!(net.answered.is_unknown());
        assert_eq!(found("/data/x").point, "/data", "a disk may be dead too");
        assert_eq!(found("/proc/7/environ").point, "/proc/7/environ");
        assert_eq!(found("/usr/lib/x").point, "/usr/lib/x");
        assert_eq!(found("/dav/x").source, Fact::Known("https://host/dav".to_owned()));
    }

    #[test]
    fn without_a_child_all_that_may_not_answer_is_left_out() {
        let found = foreign(&FakeRoot::of(&[TABLE], &[]));
        assert_eq!(found, [PathBuf::from("/net"), PathBuf::from("/dav")]);
    }
}
