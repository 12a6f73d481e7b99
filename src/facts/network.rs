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

words! {
    /// Where a host's own name leads to.
    pub enum OwnName {
        /// To an address that others can reach.
        Address = "address",
        /// To loopback alone.
        Loopback = "loopback",
        /// To no address.
        Nowhere = "nowhere",
    }
}

record! {
    /// Who listens on TCP ports, from `/proc/net/tcp` and `/proc/net/tcp6`.
    pub struct Network {
        /// Every listening TCP socket of this network namespace.
        pub listeners: Fact<Vec<Listener>>,
        /// Whether some listener belongs to a process that could not be seen.
        pub owners_hidden: Fact<bool>,
        /// Whether a launcher's variables (`WORLD_SIZE`, `NNODES`, `SLURM_NNODES`) say that the job runs on several nodes.
        pub several_nodes: bool,
        /// Where our own host name leads to by `/etc/hosts`; unknown where only a name server could tell.
        pub own_name: Fact<OwnName>,
        /// The parts through which programs use InfiniBand and RoCE: libibverbs and a provider. None where no adapter was
        /// granted, which is a node `/dev/infiniband/uverbsN`.
        pub verbs: Vec<VerbsPart>,
    }

    /// A part through which programs use adapters.
    pub struct VerbsPart {
        /// What it is.
        pub name: String,
        /// Where it was found; absent where it was not.
        pub path: Fact<String>,
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
