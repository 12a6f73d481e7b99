//! Environment variables that change how a GPU workload behaves.

use super::Fact;
use super::shape::{record, words};

words! {
    /// What the reference table says a setting is for.
    pub enum SettingClass {
        /// Tuning that a site chooses.
        Tuning = "tuning",
        /// Debugging: costs speed or floods the log.
        Debug = "debug",
        /// A debugger, profiler or interposer is loaded into the process.
        Injection = "injection",
        /// It can hang, corrupt or silently slow a job.
        Hazard = "hazard",
        /// It changes the numbers that come out.
        Numerics = "numerics",
    }
}

words! {
    /// What a variable names.
    pub enum PointerKind {
        /// A network interface.
        Interface = "interface",
        /// An InfiniBand or RoCE adapter.
        Adapter = "adapter",
        /// A host.
        Host = "host",
        /// A port that a program listens on or calls.
        Port = "port",
    }
}

record! {
    /// Environment variables that change how a GPU workload behaves. Values of secrets never enter.
    pub struct Environment {
        /// Known variables that are set to something with an effect.
        pub settings: Fact<Vec<Setting>>,
        /// Names of variables that look like secrets, with a value that is not a path. Names only.
        pub secret_names: Fact<Vec<String>>,
        /// The first 64 entries of `LD_LIBRARY_PATH`; absent when unset. The search for libraries reads all of them.
        pub library_path: Fact<Vec<String>>,
        /// Files that `LD_PRELOAD` or `/etc/ld.so.preload` puts into every process.
        pub preloaded: Fact<Vec<String>>,
        /// `NVIDIA_VISIBLE_DEVICES` as `all`, `none`, `void` or `list`; absent when unset.
        pub nvidia_visible_devices: Fact<String>,
        /// Number of GPUs that a list in `NVIDIA_VISIBLE_DEVICES` names, each counted once; absent when it is no list.
        pub nvidia_visible_count: Fact<u64>,
        /// UUIDs in that list, cut as those of the GPUs; empty where it has indices alone, absent where it is no list.
        pub nvidia_visible_uuids: Fact<Vec<String>>,
        /// Channels that `NVIDIA_IMEX_CHANNELS` lists; absent when unset, `all` or `void`, which ask for none.
        pub imex_channels: Fact<Vec<String>>,
        /// What the variables `NVIDIA_REQUIRE_*` demand of driver and GPUs; none where `NVIDIA_DISABLE_REQUIRE` is true.
        pub requirements: Vec<Requirement>,
        /// `NVIDIA_DRIVER_CAPABILITIES`, entry by entry; absent when unset.
        pub nvidia_driver_capabilities: Fact<Vec<String>>,
        /// Number of entries in `CUDA_VISIBLE_DEVICES`, 0 when it hides all; absent when unset.
        pub cuda_visible_count: Fact<u64>,
        /// Those entries, identifiers cut as those of the GPUs; absent when unset.
        pub cuda_visible_devices: Fact<Vec<String>>,
        /// Variables that name something of this machine, and whether it is there: interfaces, adapters, the host of rank 0
        /// and ports that an installed program reads. Those of which only a name server could tell are left out.
        pub pointers: Vec<Pointer>,
        /// Process 1 of the container and its first child, held against this environment; none where we have inherited
        /// that of process 1.
        pub compared: Vec<Compared>,
        /// `OMP_NUM_THREADS` as a number; absent when unset.
        pub omp_threads: Fact<u64>,
        /// Whether `PYTHONUNBUFFERED` is set, so that log lines leave at once.
        pub python_unbuffered: Fact<bool>,
    }

    /// A condition on driver and GPUs, which NVIDIA's runtime asks before it starts a container.
    pub struct Requirement {
        /// Name of the variable.
        pub name: String,
        /// Its words, one of which must hold, as `brand=tesla,driver>=535,driver<536`: what commas join must hold together.
        pub alternatives: Fact<Vec<String>>,
    }

    /// A variable that names something of this machine.
    pub struct Pointer {
        /// Name of the variable.
        pub name: String,
        /// What it names.
        pub kind: PointerKind,
        /// The program that reads it.
        pub reader: String,
        /// What is named and is not there; absent where as much is there as the program needs.
        pub missing: Fact<String>,
        /// What comes of that.
        pub effect: String,
    }

    /// A process whose environment was held against ours.
    pub struct Compared {
        /// Its number.
        pub pid: u32,
        /// Name of its program.
        pub process: String,
        /// What differs: names of variables that change how a GPU workload behaves, limits, the CPUs that it may use. From
        /// `/proc/PID/environ`, `limits` and `status`; values are compared and not kept.
        pub differing: Fact<Vec<String>>,
    }

    /// A known variable that is set.
    pub struct Setting {
        /// Name.
        pub name: String,
        /// Value, escaped and cut to 64 characters.
        pub value: String,
        /// What the reference table says it is for.
        pub class: SettingClass,
        /// What it does.
        pub effect: String,
    }
}
