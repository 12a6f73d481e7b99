//! What the workload says that it needs.

use super::shape::record;
use super::{Fact, Precision};

record! {
    /// What the workload needs, as its `gpu-preflight.toml` says; all of it at least. It is given when a recording is judged,
    /// and is no reading. Absent is what it does not ask for.
    pub struct Contract {
        /// The file; absent where there is none.
        pub file: Fact<String>,
        /// GPUs.
        pub gpu_count: Fact<u64>,
        /// Memory of each of its GPUs, in bytes.
        pub gpu_memory_bytes: Fact<u64>,
        /// Compute capability of each, as `9.0`.
        pub gpu_capability: Fact<String>,
        /// CUDA release that the driver takes, as `12.4`.
        pub cuda: Fact<String>,
        /// Memory of the container, in bytes.
        pub memory_bytes: Fact<u64>,
        /// Size of `/dev/shm`, in bytes.
        pub shm_bytes: Fact<u64>,
        /// CPU cores.
        pub cpu_cores: Fact<f64>,
        /// Processes and threads.
        pub pids: Fact<u64>,
        /// Open files.
        pub open_files: Fact<u64>,
        /// TCP ports that it opens.
        pub ports: Vec<u16>,
        /// Folders that are there; one that ends in `:rw` may be written.
        pub folders: Vec<String>,
        /// Variables that are set.
        pub variables: Vec<String>,
        /// Python packages.
        pub packages: Vec<WantedPackage>,
        /// Rates of the multiply on each GPU.
        pub rates: Vec<WantedRate>,
        /// Memory of the smallest GPU here, in bytes; unknown where one is cut into slices of MIG. Derived.
        pub smallest_gpu_bytes: Fact<u64>,
        /// The lowest compute capability of the GPUs here. Derived.
        pub lowest_capability: Fact<String>,
        /// Memory that the container may use, in bytes: its limit, or that of the machine where it has none. Derived.
        pub memory_here_bytes: Fact<u64>,
        /// GPUs that CUDA shows; those that NVML lists where CUDA was not asked. Derived.
        pub gpus_here: Fact<u64>,
        /// Folders of it that are not there, or may not be written. Derived.
        pub missing_folders: Fact<Vec<String>>,
        /// Variables of it that are not set, or empty. Derived.
        pub missing_variables: Fact<Vec<String>>,
        /// Ports of it on which nobody listens. Derived.
        pub silent_ports: Fact<Vec<u16>>,
        /// Ports of it on which somebody listens, with the process where it is known, as `8000 (nginx)`. Derived.
        pub taken_ports: Fact<Vec<String>>,
        /// Ports that others than this machine reach and that it does not name. Derived; absent where it names none.
        pub other_ports: Fact<Vec<u16>>,
    }

    /// A Python package that a workload needs.
    pub struct WantedPackage {
        /// Its name in the normal form of PEP 503.
        pub name: String,
        /// Its version at least, as `2.5`.
        pub version: String,
        /// The version that is installed; absent where none is. Derived.
        pub installed: Fact<String>,
    }

    /// A rate of multiplies that a workload needs.
    pub struct WantedRate {
        /// The precision.
        pub precision: Precision,
        /// TFLOP/s (TOP/s for int8) at least.
        pub tflops: f64,
        /// What the slowest GPU reached. Derived.
        pub reached_tflops: Fact<f64>,
        /// That GPU. Derived.
        pub slowest_gpu: Fact<u32>,
    }
}

impl Contract {
    /// The folders that it names, without what is asked of them.
    pub fn named_folders(&self) -> Vec<String> {
        self.folders.iter().map(|folder| folder.strip_suffix(":rw").unwrap_or(folder).to_owned()).collect()
    }
}
