//! Whether what people write in a notebook outlives the container.

use crate::facts::Fact;
use crate::probe::procfs::mounts::Mounts;
use crate::probe::procfs::{command_line, seen_from};
use crate::world::World;

/// Options that name the folder of the notebooks.
const OPTIONS: [&str; 5] = [
    "--notebook-dir=",
    "--ServerApp.root_dir=",
    "--ServerApp.notebook_dir=",
    "--NotebookApp.notebook_dir=",
    "--root-dir=",
];

/// Whether the folder of this server lies on a mount of its own that keeps what is written.
pub fn kept(world: &World, pid: &Fact<u32>) -> Fact<bool> {
    pid.clone().and_then(|pid| {
        let words = command_line(world, pid);
        let named = words.known().into_iter().flatten().find_map(|word| {
            OPTIONS.iter().find_map(|option| word.strip_prefix(option)).filter(|folder| !folder.is_empty())
        });
        // `seen_from` takes an absolute path as it is.
        let folder = seen_from(world, &pid.to_string(), named.unwrap_or("."));
        folder.and_then(|folder| {
            Mounts::read(world).map(|mounts| {
                let folder = folder.trim_end_matches("/.");
                mounts.of(folder).is_some_and(|mount| mount.point != "/" && mount.kind != "tmpfs")
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::GapKind;
    use crate::world::FakeRoot;

    #[test]
    fn work_is_kept_on_a_mount_and_lost_in_the_layer_of_the_container_and_in_memory() {
        let mounts = "1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 / /notes rw - ext4 /dev/sda1 rw\n3 1 0:2 / /tmp rw - tmpfs t rw\n";
        let of = |folder: &str, args: &str| {
            let root = FakeRoot::of(&[("proc/self/mountinfo", mounts)], &[]);
            root.file("proc/7/cmdline", format!("jupyter-lab\0{args}\0")).link("proc/7/cwd", folder);
            kept(&root, &Fact::Known(7))
        };
        assert_eq!(of("/root", "--ip=*"), Fact::Known(false));
        assert_eq!(of("/notes/a", "--ip=*"), Fact::Known(true));
        assert_eq!(of("/tmp", "--ip=*"), Fact::Known(false));
        assert_eq!(of("/root", "--ServerApp.root_dir=/notes"), Fact::Known(true));
        assert_eq!(of("/notes", "--notebook-dir=b"), Fact::Known(true));
    }

    #[test]
    fn of_a_server_that_cannot_be_seen_nothing_is_known() {
        let root = FakeRoot::new();
        assert_eq!(kept(&root, &Fact::Absent), Fact::Absent);
        assert!(kept(&root, &Fact::unknown(GapKind::NotPermitted, "hidden")).is_unknown());
        assert!(!kept(&root, &Fact::Known(7)).known().is_some_and(|kept| *kept));
    }
}
