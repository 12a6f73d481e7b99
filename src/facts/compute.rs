//! Matrix multiplies: timed and proven.

use super::Fact;
use super::shape::{record, words};

words! {
    /// Arithmetic of a multiply.
    pub enum Precision {
        /// 32-bit floats with TF32 off.
        Float32 = "float32",
        /// 32-bit floats through TF32 tensor cores.
        Tf32 = "tf32",
        /// 16-bit floats, 32-bit accumulators.
        Float16 = "float16",
        /// Brain floats, 32-bit accumulators.
        Bfloat16 = "bfloat16",
    }

    /// What the proof of a product showed.
    pub enum Proof {
        /// Every element is what exact arithmetic gives.
        Exact = "exact",
        /// At least one element is wrong.
        Wrong = "wrong",
    }
}

record! {
    /// Matrix multiplies through the libraries that the workload would get.
    pub struct Compute {
        /// Every GPU and precision.
        pub multiplies: Fact<Vec<Multiply>>,
    }

    /// One precision on one GPU.
    pub struct Multiply {
        /// CUDA ordinal.
        pub gpu: u32,
        /// Product name, `cuDeviceGetName`. Context.
        pub gpu_name: Fact<String>,
        /// Arithmetic.
        pub precision: Precision,
        /// Rows and columns of the square operands that were timed; absent when nothing was timed. Context.
        pub size: Fact<u64>,
        /// Rows and columns of the square operands of the proof. Context.
        pub proof_size: Fact<u64>,
        /// What the proof showed; unknown when the multiply could not be run.
        pub proof: Fact<Proof>,
        /// What was wrong, for a person; absent when nothing was.
        pub proof_detail: Fact<String>,
        /// Whether cuBLAS used TF32 although it was off, as after `NVIDIA_TF32_OVERRIDE=1`; absent for the other
        /// precisions. The proof is then that of TF32 arithmetic. Context.
        pub tf32_substituted: Fact<bool>,
        /// The call that failed, for example `cublasCreate_v2`; absent when none did.
        pub failed_call: Fact<String>,
        /// Its return code with its name, or how the process ended in it; absent when none failed.
        pub failed_code: Fact<String>,
        /// Rate in 10^12 operations per second, median of the timed multiplies.
        pub tflops: Fact<f64>,
        /// Slowest to fastest timed multiply, as a share of the median. Context.
        pub spread: Fact<f64>,
        /// Device time of one multiply in milliseconds, median. Context.
        pub wall_ms: Fact<f64>,
        /// Highest SM clock of the device in MHz, `cudaDevAttrClockRate`. Context.
        pub sm_clock_mhz: Fact<u32>,
        /// Streaming multiprocessors of the device. Context.
        pub sm_count: Fact<u32>,
        /// Compute capability as `9.0`. Context.
        pub compute_capability: Fact<String>,
        /// Rate that a healthy GPU of this model reaches in practice; absent below 2048 rows, and where neither the
        /// model nor its capability is in the tables. Derived.
        pub expected_tflops: Fact<f64>,
        /// Where `expected_tflops` comes from. Derived. Context.
        pub expected_from: Fact<String>,
        /// `tflops` / `expected_tflops`. Derived.
        pub share_of_expected: Fact<f64>,
        /// `tflops` over the median of the other GPUs of the same name; absent with fewer than three. Derived.
        pub share_of_siblings: Fact<f64>,
        /// Whether `cudaMemGetInfo` showed too little free memory for the multiply.
        pub memory_short: Fact<bool>,
    }
}
