//! The disks that a workload writes to.
//!
//! A file system on a dead server does not answer, and a process that asks it
//! cannot even be killed. So what is mounted where is read here, and the disks
//! themselves are asked in a child, which says each call before it makes it.

mod caches;

use std::time::Instant;

use serde_json::Value;

use super::identity;
use super::procfs::mounts::Mounts;
use super::procfs::required;
use crate::facts::{Disk, DiskRole, Fact, Gaps, ProbeRun, Storage, cut};
use crate::world::World;
use crate::world::child::{Progress, probe};

/// The name under which [`serve`] is reached.
pub const NAME: &str = "storage";

/// Asks the disks in a child, until `deadline`.
pub fn collect(world: &World, deadline: Instant) -> (Storage, ProbeRun) {
    let mut plan = plan(world);
    let probed = probe::<Storage>(world, NAME, None, &plan, deadline);
    let storage = probed.reading.unwrap_or_else(|| {
        // It died before its first word: the folders are known all the same, and why nothing else is.
        if let Some(gap) = &probed.gap {
            plan.fill_gaps(gap);
        }
        plan
    });
    (storage, probed.run)
}

/// The child's side: fills in the plan that it is given.
pub fn serve(world: &World, input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let mut storage: Storage = serde_json::from_value(input)?;
    let count = storage.disks.known().map_or(0, Vec::len);
    for index in 0..count {
        let Fact::Known(disks) = &mut storage.disks else { break };
        let Some(disk) = disks.get_mut(index) else { break };
        progress.at(&format!("statvfs {}", disk.path));
        ask_volume(world, disk);
        progress.so_far(&storage);
        let Fact::Known(disks) = &mut storage.disks else { break };
        let Some(disk) = disks.get_mut(index) else { break };
        progress.at(&format!("faccessat {}", disk.path));
        disk.writable = world.writable(&disk.path);
        progress.so_far(&storage);
    }
    let count = storage.caches.known().map_or(0, Vec::len);
    for index in 0..count {
        let Fact::Known(caches) = &mut storage.caches else { break };
        let Some(cache) = caches.get_mut(index) else { break };
        progress.at(&format!("faccessat {}", cache.path));
        caches::ask(world, cache);
        progress.so_far(&storage);
    }
    progress.done(&storage);
    Ok(())
}

fn ask_volume(world: &World, disk: &mut Disk) {
    let volume = world.volume(&disk.path);
    disk.total_bytes = volume.as_ref().map(|volume| volume.total_bytes);
    disk.free_bytes = volume.as_ref().map(|volume| volume.free_bytes);
    disk.free_inodes = volume.and_then(|volume| Fact::present((volume.total_inodes > 0).then_some(volume.free_inodes)));
}

/// Which folders will be asked, those that cannot hang first.
fn plan(world: &World) -> Storage {
    let mounts = Mounts::read(world);
    let temporary = world.env("TMPDIR").filter(|folder| !folder.is_empty()).unwrap_or_else(|| "/tmp".to_owned());
    let mut folders = vec![(DiskRole::Root, "/".to_owned()), (DiskRole::Temporary, temporary)];
    // A user without a home has no third disk; who could not look it up has the gap in `identity.home`.
    if let Fact::Known(home) = identity::own_home(world) {
        folders.push((DiskRole::Home, home));
    }
    folders.sort_by_key(|(_, path)| {
        mounts.known().is_some_and(|mounts| mounts.of(path).is_none_or(|mount| mount.point != "/" && !mount.is_local()))
    });
    let disks = folders.into_iter().map(|(role, path)| {
        let found = |mounts: Mounts| Fact::present(mounts.of(&path).map(|mount| cut(&mount.kind)));
        Disk {
            role,
            kind: required(mounts.clone(), "mountinfo").and_then(found),
            path: path.clone(),
            ..Disk::default()
        }
    });
    Storage { disks: Fact::Known(disks.collect()), caches: Fact::Known(caches::plan(world)), ..Storage::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{GapKind, ProbeEnd};
    use crate::world::FakeRoot;
    use std::time::Duration;

    const TABLE: (&str, &str) =
        ("/proc/self/mountinfo", "1 0 0:3 / / rw - overlay o rw\n2 1 0:9 / /net rw - nfs4 s:/x rw\n");

    #[test]
    fn the_plan_names_root_temporary_and_home_and_leaves_the_network_for_last() {
        let world = FakeRoot::of(&[TABLE], &[("TMPDIR", "/net/tmp"), ("HOME", "/home/me")]);
        let disks = plan(&world).disks.known().cloned().expect("a plan");
        let seen: Vec<_> =
            disks.iter().map(|disk| (disk.role, disk.path.as_str(), disk.kind.known().cloned())).collect();
        assert_eq!(
            seen,
            [
                (DiskRole::Root, "/", Some("overlay".to_owned())),
                (DiskRole::Home, "/home/me", Some("overlay".to_owned())),
                (DiskRole::Temporary, "/net/tmp", Some("nfs4".to_owned())),
            ]
        );
    }

    #[test]
    fn a_child_that_cannot_start_leaves_the_folders_with_the_reason() {
        let world = World::clone(&FakeRoot::of(&[TABLE], &[])).with_program("/nonexistent/program");
        let (storage, run) = collect(&world, Instant::now() + Duration::from_secs(1));
        assert_eq!(run.end, ProbeEnd::NotStarted);
        let disks = storage.disks.known().cloned().expect("the plan");
        assert_eq!(disks.len(), 2);
        for disk in disks {
            let Fact::Unknown(gap) = disk.free_bytes else { panic!("nothing was asked: {disk:?}") };
            assert_eq!(gap.kind, GapKind::NotStarted);
            assert!(gap.detail.contains("could not be started"), "{gap}");
        }
    }

    #[test]
    fn the_childs_side_fills_in_every_disk_and_a_missing_folder_is_absent() {
        let world = FakeRoot::of(&[TABLE], &[]);
        let mut there = Disk { path: "/".to_owned(), ..Disk::default() };
        ask_volume(&world, &mut there);
        assert!(there.total_bytes.known().is_some_and(|bytes| *bytes > 0) && there.free_bytes.known().is_some());
        let mut missing = Disk { path: "/none".to_owned(), ..Disk::default() };
        ask_volume(&world, &mut missing);
        assert_eq!((missing.total_bytes, missing.free_inodes), (Fact::Absent, Fact::Absent));
    }
}
