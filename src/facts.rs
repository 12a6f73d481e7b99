//! What can be known: plain data, units in the names, no I/O and no opinion.
//!
//! Each file declares the records of one room with [`shape`]'s macros; the doc
//! comment of a field gives its unit, range and source, and becomes
//! `docs/facts.md`, which also marks what no check reads.
//! The room `derive` fills the fields marked "Derived", which follow from the readings.

mod bounds;
mod compatibility;
mod compile;
mod compute;
mod container;
mod contract;
mod date;
mod driver;
mod environment;
mod fact;
mod failure;
mod gaps;
mod gpu;
mod identity;
mod image;
mod image_config;
mod inventory;
mod isolation;
mod library;
mod lifecycle;
mod limits;
mod linking;
mod links;
mod memory;
mod native;
mod network;
mod packages;
mod process;
pub mod quantity;
pub mod recording;
pub mod reference;
mod run;
mod service;
pub mod shape;
mod storage;
pub mod version;
mod workload;
mod written;

pub use bounds::{GPU_LIMIT, LIST_LIMIT, WORD_LIMIT, cut, cut_word, redacted_uuid};
pub use compatibility::Compatibility;
pub use compile::Compile;
pub use compute::{Compute, MemoryCopy, Multiply, Precision, Proof};
pub use container::{Cgroup, Container, ContainerKind, Host};
pub use contract::{Contract, WantedPackage, WantedRate};
pub use date::{day, moment, timestamp};
pub use driver::{Cuda, DeviceNode, Driver, KernelGpu, Nvml};
pub use environment::{Compared, Environment, Pointer, PointerKind, Requirement, Setting, SettingClass};
pub use fact::{Fact, Gap, GapKind};
pub use failure::{FailedHow, Failure, FailureKind, FailureOwner};
pub use gaps::Gaps;
pub use gpu::{ComputeMode, FabricState, Gpu, GpuLoad, GpuProcess, RecoveryAction, Throttle, ThrottleReason};
pub use identity::Identity;
pub use image::{Framework, GPU_PACKAGES, Image, Package, Tool, ToolKind};
pub use image_config::ImageConfig;
pub use inventory::{Installed, Inventory, Licence};
pub use isolation::{Isolation, RuntimeSocket, Seccomp, TokenKind};
pub use library::{Candidate, FoundBy, Library, LibraryId};
pub use lifecycle::{Lifecycle, MaintainedPart, PartKind};
pub use limits::Limits;
pub use linking::{LinkFault, LinkProblem, Linking};
pub use links::{Links, Nccl, Pair};
pub use memory::{Memory, MemoryPatterns};
pub use native::{CodeFit, CodeSet, LibraryRole, Native, NativeLibrary, Target, TargetOrigin};
pub use network::{Bind, Listener, Network, OwnName, VerbsPart};
pub use packages::{
    Advisories, ExcusedVulnerability, InstalledPackage, LibraryCopies, ManagedPackages, NeedlessKind, NeedlessPackage,
    PackageManager, Packages, Vex, Vulnerability, VulnerabilitySeverity,
};
pub use process::{Process, StreamKind};
pub use run::{Phase, ProbeEnd, ProbeRun, Run, Tier};
pub use service::{
    Auth, DeclaredBy, DeclaredKind, DeclaredService, HostKey, Jupyter, MetricsFormat, PasswordState, RootLogin,
    Services, Ssh, SshdConfig, Undecided, WebServer,
};
pub use storage::{CacheFolder, Disk, DiskRole, Storage, StuckFolder};
pub use workload::{NamedFolder, NamedVariable, SpeedSetting, Workload};
pub use written::{CudaBuild, Place, PlacedFact, PublishedPort, Written, WrittenImage};

use shape::record;

/// The `schema` of a recording that this version writes.
///
/// Its number is raised when a field takes another meaning or another type, or is renamed. A new field, a field that is
/// gone and a new word do not raise it: every version reads around them. Older numbers are upgraded at reading and newer
/// ones read as far as they are known ([`recording`]).
pub const SCHEMA: &str = "gpu-preflight/facts/2";

record! {
    /// Everything that was learnt about one container at one moment.
    pub struct Facts {
        /// Always `gpu-preflight/facts/2`.
        pub schema: String,
        /// How this recording was made.
        pub run: Run,
        /// What kind of container this is.
        pub container: Container,
        /// The machine underneath, as the kernel shows it.
        pub host: Host,
        /// Resource limits that hold for this container.
        pub limits: Limits,
        /// Disks that a workload writes to.
        pub storage: Storage,
        /// Who we are.
        pub identity: Identity,
        /// What separates us from the host.
        pub isolation: Isolation,
        /// Processes that matter for starting and stopping.
        pub process: Process,
        /// Who listens on TCP ports.
        pub network: Network,
        /// The services behind the ports, and those declared but not running yet.
        pub services: Services,
        /// What the workload says of itself.
        pub workload: Workload,
        /// What the workload needs, by its `gpu-preflight.toml`.
        pub contract: Contract,
        /// Environment variables that change how a GPU workload behaves.
        pub environment: Environment,
        /// What the image carries.
        pub image: Image,
        /// What is installed in it.
        pub packages: Packages,
        /// Until when those who make its parts mend them.
        pub lifecycle: Lifecycle,
        /// The machine-learning framework, read from its files.
        pub framework: Framework,
        /// What a workload needs that compiles code while it runs.
        pub compile: Compile,
        /// The NVIDIA kernel driver as files show it.
        pub driver: Driver,
        /// The management library, asked in a child.
        pub nvml: Nvml,
        /// The CUDA driver library, asked in a child.
        pub cuda: Cuda,
        /// The GPUs that NVML lists.
        pub gpus: Fact<Vec<Gpu>>,
        /// NVIDIA libraries that the workload would get.
        pub libraries: Fact<Vec<Library>>,
        /// GPU code in the image's libraries, and the GPUs that it is meant for.
        pub native: Native,
        /// What the image's frameworks load beyond the CUDA libraries.
        pub linking: Linking,
        /// Whether driver, runtime and libraries belong together.
        pub compatibility: Compatibility,
        /// Matrix multiplies through the libraries that the workload would get.
        pub compute: Compute,
        /// Whether the memory of the GPUs keeps what is written to it.
        pub memory: Memory,
        /// The links between the GPUs.
        pub links: Links,
        /// What a text says of an image or a container that is not there yet.
        pub written: Written,
        /// How each probe ended.
        pub probes: Vec<ProbeRun>,
    }
}
