//! The kernel's answers as readings: what stat and statvfs say, and what each errno means.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::facts::{Fact, GapKind};

/// What stat says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its type.
    pub kind: FileType,
    /// Permission bits, setuid and setgid included.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Bytes that it takes on disk.
    pub allocated_bytes: u64,
    /// Device that it lies on.
    pub device: u64,
    /// Inode.
    pub inode: u64,
    /// Major and minor number, for device nodes.
    pub device_number: (u32, u32),
    /// Last change of the content, seconds since 1970-01-01 UTC.
    pub modified_seconds: i64,
}

/// What statvfs says of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Bytes that an ordinary user may still write.
    pub free_bytes: u64,
    /// Files that it can hold, 0 where it does not count.
    pub total_inodes: u64,
    /// Files that an ordinary user may still make.
    pub free_inodes: u64,
    /// Whether it is mounted read-only.
    pub read_only: bool,
    /// Whether no program may be run and no library loaded from it.
    pub no_exec: bool,
}

/// Stat as a reading.
pub(super) fn from_stat(result: Result<rustix::fs::Stat, Errno>, path: &Path) -> Fact<Stat> {
    match result {
        Ok(s) => Fact::Known(Stat {
            kind: FileType::from_raw_mode(s.st_mode),
            mode: s.st_mode & 0o7777,
            uid: s.st_uid,
            gid: s.st_gid,
            size_bytes: u64::try_from(s.st_size).unwrap_or_default(),
            allocated_bytes: u64::try_from(s.st_blocks).unwrap_or_default() * 512,
            device: s.st_dev,
            inode: s.st_ino,
            device_number: (rustix::fs::major(s.st_rdev), rustix::fs::minor(s.st_rdev)),
            modified_seconds: s.st_mtime,
        }),
        Err(errno) => from_errno(errno, path),
    }
}

/// An input or output error as a reading.
pub(super) fn from_io<T>(error: &std::io::Error, path: &Path) -> Fact<T> {
    match Errno::from_io_error(error) {
        Some(errno) => from_errno(errno, path),
        None => Fact::unknown(GapKind::Malformed, format!("{}: {error}", path.display())),
    }
}

/// Not there is absent; everything else is a gap that names file and errno.
pub(super) fn from_errno<T>(errno: Errno, path: &Path) -> Fact<T> {
    let kind = match errno {
        Errno::NOENT | Errno::NOTDIR => return Fact::Absent,
        Errno::ACCESS | Errno::PERM => GapKind::NotPermitted,
        Errno::NOSYS | Errno::OPNOTSUPP => GapKind::NotSupported,
        _ => GapKind::Malformed,
    };
    let path = String::from_utf8_lossy(path.as_os_str().as_bytes());
    Fact::unknown(kind, format!("{path}: {}", errno_name(errno)))
}

/// The C name of the errno behind an error of input or output, where one is.
pub fn io_errno_name(error: &std::io::Error) -> Option<String> {
    Errno::from_io_error(error).map(errno_name)
}

/// The C name of the errnos that matter here, else its number.
pub fn errno_name(errno: Errno) -> String {
    let name = match errno {
        Errno::PERM => "EPERM",
        Errno::ACCESS => "EACCES",
        Errno::NOENT => "ENOENT",
        Errno::NOTDIR => "ENOTDIR",
        Errno::IO => "EIO",
        Errno::NXIO => "ENXIO",
        Errno::NODEV => "ENODEV",
        Errno::BUSY => "EBUSY",
        Errno::INVAL => "EINVAL",
        Errno::LOOP => "ELOOP",
        Errno::STALE => "ESTALE",
        Errno::ROFS => "EROFS",
        Errno::MFILE => "EMFILE",
        Errno::NOMEM => "ENOMEM",
        Errno::AGAIN => "EAGAIN",
        Errno::NOSYS => "ENOSYS",
        Errno::OPNOTSUPP => "EOPNOTSUPP",
        Errno::ISDIR => "EISDIR",
        Errno::TIMEDOUT => "ETIMEDOUT",
        Errno::CONNREFUSED => "ECONNREFUSED",
        other => return format!("errno {}", other.raw_os_error()),
    };
    name.to_owned()
}
