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
        /// Folders in which programs keep what they fetched or compiled: those that variables name, and the home and
        /// temporary folders where compiled code goes without one.
        pub caches: Fact<Vec<CacheFolder>>,
        /// Whether this recording holds the caches: false where the version that made it did not ask. Derived.
        pub caches_asked: Fact<bool>,
        /// File systems that did not answer in time when something on them was asked. Empty where all did.
        pub stuck: Vec<StuckFolder>,
    }

    /// A file system that did not answer in time: whoever asks it waits in the kernel.
    pub struct StuckFolder {
        /// Where it is mounted, from `/proc/self/mountinfo`; the path that was asked where it lies on the root file system.
        pub point: String,
        /// File-system type, from `/proc/self/mountinfo`.
        pub kind: Fact<String>,
        /// What is mounted there in the words of `/proc/self/mountinfo`, for a network its server; without user and
        /// password.
        pub source: Fact<String>,
        /// The path that was asked.
        pub path: String,
        /// Seconds for which it was waited.
        pub waited_seconds: f64,
        /// Whether the answer came in the end; unknown where it was not waited for long enough to tell.
        pub answered: Fact<bool>,
    }

    /// A folder for what a program fetched or compiled.
    pub struct CacheFolder {
        /// The variable that names it; `HOME` and `TMPDIR` also where they are not set.
        pub variable: String,
        /// The folder.
        pub path: String,
        /// Whether the variable is one of caches alone, so that nobody would write there without it.
        pub is_own: bool,
        /// Whether machine code is loaded from it: a library that was just compiled.
        pub holds_code: bool,
        /// The folder, or the nearest one above it that is there; what follows was asked of it.
        pub nearest: Fact<String>,
        /// Whether this user may write there, or make the folder there: faccessat with the effective ids.
        pub writable: Fact<bool>,
        /// Whether libraries may be loaded from there: no mount option `noexec`, from statvfs.
        pub executable: Fact<bool>,
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
