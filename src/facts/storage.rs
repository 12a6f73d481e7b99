//! Disks that a workload writes to.

use super::Fact;
use super::shape::{record, words};

words! {
    /// What a path is for.
    pub enum DiskRole {
        /// The root file system.
        Root = "root",
        /// Temporary files, `$TMPDIR` or `/tmp`.
        Temporary = "temporary",
        /// The home folder.
        Home = "home",
    }
}

record! {
    /// Disks that a workload writes to.
    pub struct Storage {
        /// The root, temporary and home folders.
        pub disks: Fact<Vec<Disk>>,
    }

    /// One folder and the file system it lies on.
    pub struct Disk {
        /// What the folder is for.
        pub role: DiskRole,
        /// The folder.
        pub path: String,
        /// File-system type, from `/proc/self/mountinfo`. On `overlay` the sizes are those of the node's disk.
        pub kind: Fact<String>,
        /// Size in bytes, statvfs.
        pub total_bytes: Fact<u64>,
        /// Bytes that this user may still write, statvfs `f_bavail`.
        pub free_bytes: Fact<u64>,
        /// Files that may still be made, statvfs `f_favail`; absent where the file system does not count them.
        pub free_inodes: Fact<u64>,
        /// Whether this user may write there: faccessat with the effective ids, and no read-only mount.
        pub writable: Fact<bool>,
    }
}
