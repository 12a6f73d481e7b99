//! What separates us from the host.

use super::Fact;
use super::shape::{record, words};

words! {
    /// The system-call filter.
    pub enum Seccomp {
        /// No filter.
        Disabled = "disabled",
        /// Only read, write, exit and sigreturn.
        Strict = "strict",
        /// A filter program; which one cannot be told from inside.
        Filter = "filter",
    }

    /// What a Kubernetes service-account token is.
    pub enum TokenKind {
        /// It has an expiry and an audience.
        Bound = "bound",
        /// It has no expiry.
        Legacy = "legacy",
        /// It is there but is no readable token.
        Unreadable = "unreadable",
    }
}

record! {
    /// What separates us from the host.
    pub struct Isolation {
        /// Whether execve can no longer raise privileges, `NoNewPrivs:` in `/proc/self/status`.
        pub no_new_privileges: Fact<bool>,
        /// The system-call filter, `Seccomp:` in `/proc/self/status`.
        pub seccomp: Fact<Seccomp>,
        /// AppArmor profile, `/proc/self/attr/apparmor/current`; absent when AppArmor is off.
        pub apparmor_profile: Fact<String>,
        /// SELinux label, `/proc/self/attr/current`; absent when SELinux is off.
        pub selinux_label: Fact<String>,
        /// Whether we share the host's process namespace: inode 4026531836, or `kthreadd` is visible where the inode
        /// cannot be read. False in a micro-VM, as all `host_*`.
        pub host_pid: Fact<bool>,
        /// Whether we share the host's network namespace: inode 4026531833 on Linux 6.18 and later; before, by process 1
        /// when it is the host's, by sockets that only a host has, or by links that all lead elsewhere.
        pub host_network: Fact<bool>,
        /// Whether we share the host's IPC namespace (inode 4026531839).
        pub host_ipc: Fact<bool>,
        /// Whether we share the host's UTS namespace (inode 4026531838).
        pub host_uts: Fact<bool>,
        /// Whether we share the host's control-group namespace (inode 4026531835).
        pub host_cgroup: Fact<bool>,
        /// Whether at least three of the signs of privileged mode are there together, outside of a user namespace; false in
        /// a micro-VM.
        pub privileged: Fact<bool>,
        /// The signs of privileged mode that were seen.
        pub privileged_signs: Fact<Vec<String>>,
        /// Whether the root file system is mounted read-only.
        pub root_read_only: Fact<bool>,
        /// Setuid and setgid programs on the root file system that a mount option does not disarm, from a bounded walk over
        /// the program folders; on a slow file system not always all of them.
        pub setuid_files: Fact<Vec<String>>,
        /// Container-runtime sockets mounted here.
        pub runtime_sockets: Fact<Vec<RuntimeSocket>>,
        /// Folders of the host mounted here that give control over it (`/`, `/etc`, `/boot`, `/var/lib/kubelet` …), from
        /// `/proc/self/mountinfo` and a file that shows that it is the host's; the outermost of those in one another.
        pub sensitive_mounts: Fact<Vec<String>>,
        /// The Kubernetes service-account token; absent when none is mounted.
        pub service_account_token: Fact<TokenKind>,
    }

    /// A control socket of a container runtime.
    pub struct RuntimeSocket {
        /// Where it is.
        pub path: String,
        /// Whether this user may write to it, and so command the runtime.
        pub writable: Fact<bool>,
    }
}
