//! Who listens on TCP ports.

use super::Fact;
use super::shape::{record, words};

words! {
    /// From where an address can be reached.
    pub enum Bind {
        /// Every interface.
        Any = "any",
        /// One address that is not loopback.
        Specific = "specific",
        /// This network namespace only.
        Loopback = "loopback",
    }
}

record! {
    /// Who listens on TCP ports, from `/proc/net/tcp` and `/proc/net/tcp6`.
    pub struct Network {
        /// Every listening TCP socket of this network namespace.
        pub listeners: Fact<Vec<Listener>>,
        /// Whether some listener belongs to a process that could not be seen.
        pub owners_hidden: Fact<bool>,
    }

    /// One listening TCP socket.
    pub struct Listener {
        /// Port.
        pub port: u16,
        /// Address it is bound to.
        pub address: String,
        /// From where it can be reached; `::` counts as every interface.
        pub bind: Bind,
        /// User that made the socket, in our user namespace.
        pub uid: Fact<u32>,
        /// Process that holds it; absent when every process could be seen and none holds it (another container
        /// of the pod), unknown when processes were hidden.
        pub pid: Fact<u32>,
        /// Name of that process.
        pub process: Fact<String>,
    }
}
