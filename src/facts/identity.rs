//! Who we are.

use super::Fact;
use super::shape::record;

record! {
    /// Who we are.
    pub struct Identity {
        /// Effective user id, `Uid:` in `/proc/self/status`.
        pub uid: Fact<u32>,
        /// Effective group id, `Gid:` in `/proc/self/status`.
        pub gid: Fact<u32>,
        /// Supplementary groups, `Groups:` in `/proc/self/status`.
        pub groups: Fact<Vec<u32>>,
        /// Name of the user in `/etc/passwd`; absent when the uid has no entry.
        pub user_name: Fact<String>,
        /// The first of the variables `LOGNAME`, `USER`, `LNAME` and `USERNAME` that is set and not empty, by its name: Python's
        /// `getpass.getuser` takes its value before it asks `/etc/passwd`. Absent when none is.
        pub name_variable: Fact<String>,
        /// The home folder, `$HOME` or the passwd entry; absent when neither names one.
        pub home: Fact<String>,
        /// Whether this user may write to the home folder, faccessat; absent when there is none. On a file system that may
        /// not answer it is taken from the storage probe's child.
        pub home_writable: Fact<bool>,
        /// The uid outside the user namespace, from `/proc/self/uid_map`; absent when it is not mapped.
        pub uid_on_host: Fact<u32>,
        /// Whether we are in a user namespace with a map of its own: `/proc/self/uid_map` is not the identity.
        pub user_namespaced: Fact<bool>,
        /// Effective capabilities by name as Docker and Kubernetes write them (`SYS_ADMIN`), `CapEff:`.
        pub capabilities_effective: Fact<Vec<String>>,
        /// Bounding capabilities by name, `CapBnd:`: what a setuid program could regain.
        pub capabilities_bounding: Fact<Vec<String>>,
        /// Ambient capabilities by name, `CapAmb:`.
        pub capabilities_ambient: Fact<Vec<String>>,
        /// Effective or ambient capabilities beyond the Kubernetes Pod Security baseline list.
        pub capabilities_beyond_baseline: Fact<Vec<String>>,
        /// Bounding capabilities beyond the Kubernetes Pod Security baseline list.
        pub bounding_beyond_baseline: Fact<Vec<String>>,
        /// Whether the effective set holds every capability this kernel knows (`/proc/sys/kernel/cap_last_cap`).
        pub all_capabilities: Fact<bool>,
        /// Whether `/etc/passwd` or `/etc/shadow` may be written by this user; absent for root, to whom all is open.
        pub passwd_writable: Fact<bool>,
    }
}
