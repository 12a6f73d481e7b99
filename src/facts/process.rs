//! Processes that matter for starting and stopping.

use super::Fact;
use super::shape::{record, words};

words! {
    /// Where a stream goes.
    pub enum StreamKind {
        /// A pipe, as container engines give for logs.
        Pipe = "pipe",
        /// A terminal.
        Terminal = "terminal",
        /// A socket.
        Socket = "socket",
        /// A plain file.
        File = "file",
        /// `/dev/null`.
        Null = "null",
        /// It is closed.
        Closed = "closed",
    }
}

record! {
    /// Processes that matter for starting and stopping.
    pub struct Process {
        /// Whether we are process 1, so that the workload will be.
        pub is_first: Fact<bool>,
        /// Name of process 1, `/proc/1/comm`.
        pub first_name: Fact<String>,
        /// Whether process 1 is an init that reaps orphans (tini, dumb-init, docker-init, s6, systemd, pause …).
        pub first_is_init: Fact<bool>,
        /// Whether process 1 handles SIGTERM: signal 15 is caught or blocked (`SigCgt`, `SigBlk` in `/proc/1/status`), or it
        /// is a known init; without a handler, a first process ignores it. Our own handlers are not counted: unknown while we are process 1.
        pub first_handles_sigterm: Fact<bool>,
        /// Zombie processes whose parent is process 1 and does not collect them for 20 ms; at least so many where there are
        /// very many processes.
        pub orphaned_zombies: Fact<u64>,
        /// Whether `/dev/null` is there, without which hardly a program can start another.
        pub null_device_present: Fact<bool>,
        /// The errno for which a process or thread of this look could not be started, for example `EAGAIN`; absent where
        /// all could. Derived.
        pub start_errno: Fact<String>,
        /// The call in which somebody outside ended a process of this look with SIGKILL, with its GPU where there is one,
        /// for example `cudaMemcpy on GPU 0`; absent where nobody did. Derived.
        pub killed_call: Fact<String>,
        /// Processes visible in `/proc`.
        pub visible_count: Fact<u64>,
        /// Where the standard output of process 1 goes, `/proc/1/fd/1`.
        pub first_stdout: Fact<StreamKind>,
    }
}
