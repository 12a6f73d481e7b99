//! What the workload says of itself: on its command line, in its script and in its log.

use super::Fact;
use super::shape::{record, words};

words! {
    /// A setting that lets PyTorch multiply faster than in strict 32-bit floats.
    pub enum SpeedSetting {
        /// TF32: `allow_tf32`, `set_float32_matmul_precision`, `fp32_precision`.
        Tf32 = "tf32",
        /// `torch.backends.cudnn.benchmark`.
        CudnnBenchmark = "cudnn-benchmark",
        /// Mixed or half precision: `autocast`, `bfloat16`, `float16`, `.half()`.
        MixedPrecision = "mixed-precision",
    }
}

record! {
    /// What the workload says of itself: the command of `exec`, else the processes that are visible.
    pub struct Workload {
        /// The option or variable that bounds how much GPU memory a process takes, as it is called, for example
        /// `--gpu-memory-utilization` on a command line; absent where none was found.
        pub gpu_memory_option: Fact<String>,
        /// What bounds the GPU memory of this container: that option, or MIG; absent where nothing was found. Derived.
        pub gpu_memory_bounded_by: Fact<String>,
        /// The Python file that the workload runs; absent where none was found.
        pub script: Fact<String>,
        /// Whether that file imports PyTorch, or something of it.
        pub script_uses_torch: Fact<bool>,
        /// What that file sets for speed, by its words outside of comments. Files that it imports are not read.
        pub script_settings: Fact<Vec<SpeedSetting>>,
        /// Folders that the contract names, as this user finds them.
        pub folders: Fact<Vec<NamedFolder>>,
        /// Variables that the contract names. Their values are not looked at but for whether there is one.
        pub variables: Fact<Vec<NamedVariable>>,
        /// The log that was looked at: the file of `--log`, else the file that the standard output of process 1 goes to;
        /// absent where that is no file.
        pub log_path: Fact<String>,
        /// Whole lines in the last 128 KiB of it, at most 2,000.
        pub log_line_count: Fact<u64>,
        /// Share of these lines that are JSON records, 0 to 1.
        pub log_json_share: Fact<f64>,
        /// Share of them that say how grave they are, by a key or a word such as `INFO`, 0 to 1.
        pub log_level_share: Fact<f64>,
        /// Share of them that say when, by a key or a time in ISO 8601, 0 to 1.
        pub log_time_share: Fact<f64>,
    }

    /// A folder that the contract names.
    pub struct NamedFolder {
        /// The folder.
        pub path: String,
        /// Whether it is there, and a folder.
        pub present: Fact<bool>,
        /// Whether this user may write there.
        pub writable: Fact<bool>,
    }

    /// A variable that the contract names.
    pub struct NamedVariable {
        /// Its name.
        pub name: String,
        /// Whether it is set to something.
        pub filled: bool,
    }
}
