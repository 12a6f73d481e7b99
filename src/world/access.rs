//! What may be done with a path and the file system under it, asked without reading or writing anything.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::World;
use super::answers::{Volume, errno_name, from_errno};
use super::doors::{Last, Place};
use super::still::not_running;
use crate::facts::Fact;

impl World {
    /// Size and free space of the file system under a path.
    pub fn volume(&self, path: impl AsRef<Path>) -> Fact<Volume> {
        let path = path.as_ref();
        if self.is_still() {
            return Fact::Unknown(not_running());
        }
        self.on_disk(path, Last::Followed, |place| match rustix::fs::statvfs(place) {
            Ok(v) => Fact::Known(Volume {
                total_bytes: v.f_blocks.saturating_mul(v.f_frsize),
                free_bytes: v.f_bavail.saturating_mul(v.f_frsize),
                total_inodes: v.f_files,
                free_inodes: v.f_favail,
                read_only: v.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
                no_exec: v.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC),
            }),
            Err(errno) => from_errno(errno, path),
        })
    }

    /// The magic number of the file system under a path.
    pub fn file_system_magic(&self, path: impl AsRef<Path>) -> Fact<u64> {
        let path = path.as_ref();
        if self.is_still() {
            return Fact::Unknown(not_running());
        }
        self.on_disk(path, Last::Followed, |place| match rustix::fs::statfs(place) {
            Ok(found) => Fact::Known(u64::try_from(found.f_type).unwrap_or_default()),
            Err(errno) => from_errno(errno, path),
        })
    }

    /// Whether the effective user may write to a path; nothing is written. Absent when there is no such path.
    pub fn writable(&self, path: impl AsRef<Path>) -> Fact<bool> {
        self.allowed(path.as_ref(), Access::WRITE_OK)
    }

    /// The errno with which the effective user is refused to make files in a folder; nothing is made. Absent when it is not
    /// refused.
    pub fn write_errno(&self, path: impl AsRef<Path>) -> Fact<String> {
        let path = path.as_ref();
        if self.is_still() {
            return Fact::Unknown(not_running());
        }
        self.on_disk(path, Last::Followed, |place| match access(place, Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => Fact::Absent,
            Err(errno @ (Errno::ACCESS | Errno::ROFS)) => Fact::Known(errno_name(errno)),
            Err(errno) => from_errno(errno, path),
        })
    }

    /// Whether the effective user may execute a path.
    pub fn executable(&self, path: impl AsRef<Path>) -> Fact<bool> {
        self.allowed(path.as_ref(), Access::EXEC_OK)
    }

    fn allowed(&self, path: &Path, asked: Access) -> Fact<bool> {
        if self.is_still() {
            return self.image_allows(path, if asked == Access::EXEC_OK { 1 } else { 2 });
        }
        self.on_disk(path, Last::Followed, |place| match access(place, asked) {
            Ok(()) => Fact::Known(true),
            Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) => Fact::Known(false),
            Err(errno) => from_errno(errno, path),
        })
    }

    /// Whether a file carries capabilities of its own.
    pub fn has_file_capabilities(&self, path: impl AsRef<Path>) -> bool {
        let mut buffer = [0_u8; 64];
        let length = self.on_disk(path.as_ref(), Last::Itself, |place| {
            Fact::present(rustix::fs::lgetxattr(place, c"security.capability", &mut buffer[..]).ok())
        });
        length.known().is_some()
    }

    /// Opens a device node for reading and writing and closes it at once: `Absent` when that worked,
    /// else the name of the errno. The node must be there.
    pub fn open_device_errno(&self, path: impl AsRef<Path>) -> Fact<String> {
        let path = path.as_ref();
        if self.is_still() {
            return Fact::Unknown(not_running());
        }
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        self.on_disk(path, Last::Followed, |place| match rustix::fs::open(place, flags, Mode::empty()) {
            Ok(_) => Fact::Absent,
            Err(errno) => Fact::Known(errno_name(errno)),
        })
    }
}

impl World {
    /// Asks about a path that lies on a disk; an archive knows nothing of what is asked so.
    fn on_disk<T>(&self, path: &Path, last: Last, ask: impl FnOnce(&Path) -> Fact<T>) -> Fact<T> {
        self.ask(path, last, |place| match place {
            Place::Disk(place) => ask(place),
            Place::Entry(..) => Fact::Unknown(not_running()),
        })
    }
}

fn access(place: &Path, asked: Access) -> Result<(), Errno> {
    match rustix::fs::accessat(CWD, place, asked, AtFlags::EACCESS) {
        // An old engine refuses the call itself (faccessat2), which says nothing of the path. The older call asks for
        // the real user, who is the effective one unless a setuid program started us.
        Err(Errno::PERM | Errno::NOSYS) => rustix::fs::accessat(CWD, place, asked, AtFlags::empty()),
        answer => answer,
    }
}
