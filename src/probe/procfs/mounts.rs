//! The mount table, `/proc/self/mountinfo`. Whoever wants to know of mounts asks here.

use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;

use super::required;
use crate::facts::{Fact, GapKind, cut};
use crate::probe::paths::below;
use crate::world::World;

const TABLE: &str = "/proc/self/mountinfo";
/// Bytes of it that are read: nodes with many pods have megabytes.
const TABLE_BYTES_MAX: u64 = 4 << 20;

/// One line of the mount table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Id of the mount that this one is mounted on.
    pub parent: u64,
    /// Device as `major:minor`.
    pub device: String,
    /// The folder of the file system that is mounted: `/` for the whole of it.
    pub root: String,
    /// Where it is mounted.
    pub point: String,
    /// Options of this mount.
    pub options: String,
    /// File-system type.
    pub kind: String,
    /// What is mounted, in the file system's own words.
    pub source: String,
    /// Options of the file system.
    pub super_options: String,
}

/// All mounts that we see.
#[derive(Debug, Clone, Default)]
pub struct Mounts {
    list: Vec<Mount>,
}

impl Mount {
    /// Whether a mount option is set, either here or on the whole file system.
    pub fn has(&self, option: &str) -> bool {
        let set = |options: &str| options.split(',').any(|word| word == option);
        set(&self.options) || set(&self.super_options)
    }

    /// Whether its file system answers without a network or another process of somebody else's.
    ///
    /// A call to any other may hang in the kernel for ever, so it is made in a child only.
    pub fn is_local(&self) -> bool {
        const LOCAL: &[&str] = &[
            "bcachefs", "btrfs", "devtmpfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "iso9660", "overlay",
            "proc", "ramfs", "rootfs", "squashfs", "sysfs", "tmpfs", "vfat", "xfs", "zfs", "aufs", "devpts", "mqueue",
        ];
        LOCAL.contains(&self.kind.as_str())
    }

    /// The path of the mounted folder below `root`'s own parent: `/a/b` under mount root `/a` is `/b`.
    pub fn inner(&self, path: &str) -> Option<String> {
        below(path, &self.root).map(str::to_owned)
    }
}

impl Mounts {
    /// Reads the table.
    pub fn read(world: &World) -> Fact<Self> {
        required(world.read_bytes(TABLE, TABLE_BYTES_MAX), TABLE).and_then(|bytes| {
            if bytes.len() as u64 >= TABLE_BYTES_MAX {
                return Fact::unknown(GapKind::NotSupported, format!("{TABLE} is longer than is read"));
            }
            let text = String::from_utf8_lossy(&bytes);
            let list: Vec<Mount> = text.lines().filter_map(parse).collect();
            // Something is always mounted, so nothing understood means that this is no mount table.
            if list.is_empty() { super::malformed(TABLE, &text) } else { Fact::Known(Self { list }) }
        })
    }

    /// All of them, in the kernel's order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Mount> {
        self.list.iter()
    }

    /// The mount that `path` lies on: the longest mount point; of several in one place the last, which hides the others.
    pub fn of(&self, path: &str) -> Option<&Mount> {
        // `max_by_key` gives the last of equals.
        self.list.iter().filter(|mount| below(path, &mount.point).is_some()).max_by_key(|mount| mount.point.len())
    }

    /// What is mounted exactly at `point`.
    pub fn at(&self, point: &str) -> Option<&Mount> {
        self.list.iter().rev().find(|mount| mount.point == point)
    }

    /// Whether a path lies on the root file system or on another that cannot hang.
    fn is_safe(&self, path: &str) -> bool {
        self.of(path).is_some_and(|mount| mount.point == "/" || mount.is_local())
    }

    /// `path` with its links resolved, one step at a time, so that no file system that may hang is ever touched.
    /// Where the way leads over one, that is the gap, of the kind [`GapKind::NotSupported`].
    pub fn resolve_safely(&self, world: &World, path: &str) -> Fact<PathBuf> {
        let mut left: Vec<String> = parts(Path::new(path));
        let mut done = PathBuf::from("/");
        let mut steps = 0;
        while let Some(part) = left.pop() {
            steps += 1;
            if steps > 64 {
                return Fact::unknown(GapKind::Malformed, format!("{}: too many links", cut(path)));
            }
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            if !self.is_safe(&next.to_string_lossy()) {
                let detail = format!("{} lies on a file system that may not answer", cut(&next.to_string_lossy()));
                return Fact::unknown(GapKind::NotSupported, detail);
            }
            match world.stat_link(&next) {
                Fact::Known(stat) if stat.kind == FileType::Symlink => match world.link(&next) {
                    Fact::Known(target) => {
                        if target.is_absolute() {
                            done = PathBuf::from("/");
                        }
                        left.extend(parts(&target));
                    }
                    other => return other,
                },
                Fact::Known(_) => done = next,
                other => return other.map(|_| done),
            }
        }
        Fact::Known(done)
    }
}

/// The names in a path, the last one first.
fn parts(path: &Path) -> Vec<String> {
    let names = path.components().rev().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    names.collect()
}

fn parse(line: &str) -> Option<Mount> {
    // Optional fields stand between the options and a lone dash, as many as there are.
    let (own, file_system) = line.split_once(" - ")?;
    let mut own = own.split(' ');
    let mut file_system = file_system.split(' ');
    let (_id, parent) = (own.next()?, own.next()?);
    Some(Mount {
        parent: parent.parse().ok()?,
        device: own.next()?.to_owned(),
        root: unescape(own.next()?),
        point: unescape(own.next()?),
        options: own.next()?.to_owned(),
        kind: file_system.next()?.to_owned(),
        source: unescape(file_system.next()?),
        super_options: file_system.next().unwrap_or_default().to_owned(),
    })
}

/// Undoes the kernel's `\040` for characters that would break the line.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match octal {
            Some(byte) if *first == b'\\' => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const TABLE_TEXT: &str = "71 46 0:39 / / rw,nodev master:2 shared:3 - overlay overlay ro,lowerdir=/a\n\
        72 71 0:41 / /proc rw - proc proc rw\n\
        80 71 254:0 /vol/a\\040b /data\\011x rw,relatime - ext4 /dev/vda rw,discard\n\
        81 71 0:60 / /net rw - nfs4 server:/export rw,hard\n\
        82 71 0:61 / /shm rw - tmpfs first rw\n\
        83 82 0:62 / /shm ro - tmpfs second rw\n\
        nonsense\n";

    fn mounts(files: &[(&str, &str)]) -> (FakeRoot, Mounts) {
        let world = FakeRoot::of(&[(TABLE, TABLE_TEXT)], &[]);
        world.files(files);
        let mounts = Mounts::read(&world).known().cloned().expect("a table");
        (world, mounts)
    }

    #[test]
    fn lines_are_read_with_any_number_of_optional_fields_and_escapes() {
        let (_world, mounts) = mounts(&[]);
        assert_eq!(mounts.iter().count(), 6);
        let data = mounts.at("/data\tx").expect("an escaped mount point");
        assert_eq!((data.root.as_str(), data.kind.as_str(), data.device.as_str()), ("/vol/a b", "ext4", "254:0"));
        let root = mounts.at("/").expect("the root");
        assert!(root.has("ro") && root.has("nodev") && !root.has("nosuid"));
    }

    #[test]
    fn the_longest_and_then_the_last_mount_point_counts() {
        let (_world, mounts) = mounts(&[]);
        assert_eq!(mounts.of("/proc/self").expect("proc").kind, "proc");
        assert_eq!(mounts.of("/procession").expect("root").kind, "overlay");
        assert_eq!(mounts.of("/shm/x").expect("shm").source, "second");
    }

    #[test]
    fn what_is_below_a_mount_root_is_its_inner_path() {
        let (_world, mounts) = mounts(&[]);
        let data = mounts.at("/data\tx").expect("a mount");
        assert_eq!(data.inner("/vol/a b/c"), Some("/c".to_owned()));
        assert_eq!(data.inner("/vol/a b"), Some(String::new()));
        assert_eq!(data.inner("/vol/a bc"), None);
    }

    #[test]
    fn a_path_that_leads_over_the_network_is_not_walked() {
        let (world, mounts) = mounts(&[("/usr/bin/", ""), ("/net/tools/", "")]);
        world.link("/bin", "usr/bin").link("/tools", "/net/tools").link("/loop", "loop");
        assert_eq!(mounts.resolve_safely(&world, "/bin"), Fact::Known("/usr/bin".into()));
        assert_eq!(mounts.resolve_safely(&world, "/usr/../bin"), Fact::Known("/usr/bin".into()));
        assert_eq!(mounts.resolve_safely(&world, "/none/bin"), Fact::Absent);
        for nowhere in ["/tools", "/net/tools", "/loop"] {
            assert!(mounts.resolve_safely(&world, nowhere).is_unknown(), "{nowhere}");
        }
    }

    #[test]
    fn an_empty_or_foreign_table_is_a_gap() {
        assert!(Mounts::read(&FakeRoot::new()).is_unknown());
        assert!(Mounts::read(&FakeRoot::of(&[(TABLE, "")], &[])).is_unknown());
        assert!(Mounts::read(&FakeRoot::of(&[(TABLE, "\u{0}\u{1} - \n- - -")], &[])).is_unknown());
    }
}
