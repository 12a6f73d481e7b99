//! The disks that a workload writes to, and the file systems that do not answer.

mod caches;
mod stuck;

use super::identity;
use super::procfs::mounts::Mounts;
use super::procfs::required;
use crate::facts::{Disk, DiskRole, Fact, Storage, cut};
use crate::world::World;

pub use stuck::{foreign, is_of_the_kernel, left_out, stuck_folder};

/// Asks the disks and the folders of caches.
pub fn collect(world: &World) -> Storage {
    let mut disks = disks(world);
    for disk in &mut disks {
        ask_volume(world, disk);
        disk.writable = world.writable(&disk.path);
    }
    let mut caches = caches::plan(world);
    for cache in &mut caches {
        caches::ask(world, cache);
    }
    Storage { disks: Fact::Known(disks), caches: Fact::Known(caches), ..Storage::default() }
}

fn ask_volume(world: &World, disk: &mut Disk) {
    let volume = world.volume(&disk.path);
    disk.total_bytes = volume.as_ref().map(|volume| volume.total_bytes);
    disk.free_bytes = volume.as_ref().map(|volume| volume.free_bytes);
    disk.free_inodes = volume.and_then(|volume| Fact::present((volume.total_inodes > 0).then_some(volume.free_inodes)));
}

/// Which folders are asked.
fn disks(world: &World) -> Vec<Disk> {
    let mounts = Mounts::read(world);
    let temporary = world.env("TMPDIR").filter(|folder| !folder.is_empty()).unwrap_or_else(|| "/tmp".to_owned());
    let mut folders = vec![(DiskRole::Root, "/".to_owned()), (DiskRole::Temporary, temporary)];
    // A user without a home has no third disk; who could not look it up has the gap in `identity.home`.
    if let Fact::Known(home) = identity::own_home(world) {
        folders.push((DiskRole::Home, home));
    }
    let disks = folders.into_iter().map(|(role, path)| {
        let found = |mounts: Mounts| Fact::present(mounts.of(&path).map(|mount| cut(&mount.kind)));
        Disk {
            role,
            kind: required(mounts.clone(), "mountinfo").and_then(found),
            path: path.clone(),
            ..Disk::default()
        }
    });
    disks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const TABLE: (&str, &str) =
        ("/proc/self/mountinfo", "1 0 0:3 / / rw - overlay o rw\n2 1 0:9 / /net rw - nfs4 s:/x rw\n");

    #[test]
    fn root_temporary_and_home_are_asked() {
        let world = FakeRoot::of(&[TABLE], &[("TMPDIR", "/net/tmp"), ("HOME", "/home/me")]);
        let seen: Vec<_> =
            disks(&world).into_iter().map(|disk| (disk.role, disk.path, disk.kind.known().cloned())).collect();
        let kind = |kind: &str| Some(kind.to_owned());
        assert_eq!(
            seen,
            [
                (DiskRole::Root, "/".to_owned(), kind("overlay")),
                (DiskRole::Temporary, "/net/tmp".to_owned(), kind("nfs4")),
                (DiskRole::Home, "/home/me".to_owned(), kind("overlay")),
            ]
        );
    }

    #[test]
    fn a_disk_that_is_left_out_says_why_and_the_others_answer() {
        let root = FakeRoot::of(&[TABLE, ("/tmp/", "")], &[("HOME", "/net/me")]);
        let world = World::clone(&root).leaving_out(vec![root.path().join("net")], "does not answer");
        let storage = collect(&world);
        let disks = storage.disks.known().expect("disks");
        for disk in disks {
            let is_home = disk.role == DiskRole::Home;
            assert_eq!((disk.free_bytes.is_unknown(), disk.writable.is_unknown()), (is_home, is_home), "{disk:?}");
        }
        assert!(world.missed().is_some_and(|gap| gap.detail.starts_with("/net/me: ")), "{:?}", world.missed());
    }

    #[test]
    fn every_disk_is_filled_in_and_a_missing_folder_is_absent() {
        let world = FakeRoot::of(&[TABLE], &[]);
        let mut there = Disk { path: "/".to_owned(), ..Disk::default() };
        ask_volume(&world, &mut there);
        assert!(there.total_bytes.known().is_some_and(|bytes| *bytes > 0) && there.free_bytes.known().is_some());
        let mut missing = Disk { path: "/none".to_owned(), ..Disk::default() };
        ask_volume(&world, &mut missing);
        assert_eq!((missing.total_bytes, missing.free_inodes), (Fact::Absent, Fact::Absent));
    }
}
