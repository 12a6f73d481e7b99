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
        /// 64-bit floats.
        Float64 = "float64",
        /// 8-bit integers, 32-bit accumulators, through cuBLASLt.
        Int8 = "int8",
        /// 8-bit floats with 4 bits of exponent and 3 of mantissa, 32-bit accumulators, through cuBLASLt.
        Float8 = "float8",
    }

    /// What the proof of a product showed.
    pub enum Proof {
        /// Every element is what exact arithmetic gives.
        Exact = "exact",
        /// At least one element is wrong.
        Wrong = "wrong",
    }

    /// What kind of trouble a failed call met.
    pub enum FailureKind {
        /// Any other, also a hang or crash.
        Other = "other",
        /// Too little memory was free.
        Memory = "memory",
        /// The library has no code for this GPU.
        NoKernel = "no-kernel",
        /// The driver is too old to compile or load what the library brings.
        Toolchain = "toolchain",
        /// The GPU gives out no context.
        Unavailable = "unavailable",
        /// The GPU met a hardware error.
        Hardware = "hardware",
        /// The MPS daemon or server refuses.
        Mps = "mps",
        /// Someone outside killed the process, most often the kernel for lack of memory.
        Killed = "killed",
    }

    /// Who can do something about a code, where its row in the reference table says so.
    pub enum FailureOwner {
        /// The program or its environment.
        Workload = "workload",
        /// Whoever builds the image.
        Image = "image",
        /// Whoever starts the container.
        Pod = "pod",
    }
}

record! {
    /// Matrix multiplies through the libraries that the workload would get.
    pub struct Compute {
        /// Every GPU, and every precision that it and its libraries have.
        pub multiplies: Fact<Vec<Multiply>>,
        /// Copies on every GPU whose multiplies all ran.
        pub copies: Fact<Vec<MemoryCopy>>,
    }

    /// Copies on one GPU: on its own memory, and to and from the host. Rates are medians in 10^9 bytes a second, timed by
    /// events of the device around `cudaMemcpy`.
    pub struct MemoryCopy {
        /// CUDA ordinal.
        pub gpu: u32,
        /// Product name, `cuDeviceGetName`.
        pub gpu_name: Fact<String>,
        /// Bytes of each copy between host and device.
        pub host_bytes: Fact<u64>,
        /// Bytes of each timed copy on the device.
        pub device_bytes: Fact<u64>,
        /// Whether random bytes that went to the device, across it and back came back as they were.
        pub proof: Fact<Proof>,
        /// What was wrong, for a person; absent when nothing was.
        pub proof_detail: Fact<String>,
        /// The call that failed, for example `cudaMemcpy`; absent when none did.
        pub failed_call: Fact<String>,
        /// Its return code with its name, or how the process ended in it; absent when none failed.
        pub failed_code: Fact<String>,
        /// Rate of copies on the device, reads and writes counted.
        pub device_gb_per_second: Fact<f64>,
        /// The rate of the first look, where a low one was taken once more and the better one kept; absent otherwise.
        pub first_device_gb_per_second: Fact<f64>,
        /// Rate from pinned memory of the host (`cudaMallocHost`) to the device.
        pub host_to_device_pinned_gb_per_second: Fact<f64>,
        /// Rate from the device to pinned memory of the host.
        pub device_to_host_pinned_gb_per_second: Fact<f64>,
        /// Rate from ordinary memory of the host to the device.
        pub host_to_device_pageable_gb_per_second: Fact<f64>,
        /// Rate from the device to ordinary memory of the host.
        pub device_to_host_pageable_gb_per_second: Fact<f64>,
        /// Rate of copies on the device that is expected of this model, from its memory bandwidth; absent for models that
        /// are not in the table, MIG instances and copies below 128 MiB. Derived.
        pub expected_device_gb_per_second: Fact<f64>,
        /// Where `expected_device_gb_per_second` comes from. Derived.
        pub expected_from: Fact<String>,
        /// `device_gb_per_second` / `expected_device_gb_per_second`. Derived.
        pub share_of_expected: Fact<f64>,
        /// `device_gb_per_second` over the median of the other GPUs of the same name; absent with fewer than three. Derived.
        pub share_of_siblings: Fact<f64>,
    }

    /// One precision on one GPU.
    pub struct Multiply {
        /// CUDA ordinal.
        pub gpu: u32,
        /// Product name, `cuDeviceGetName`.
        pub gpu_name: Fact<String>,
        /// PCI address, `cuDeviceGetPCIBusId`.
        pub pci_address: Fact<String>,
        /// Arithmetic.
        pub precision: Precision,
        /// Rows and columns of the square operands that were timed; absent when nothing was timed.
        pub size: Fact<u64>,
        /// Rows and columns of the square operands of the proof.
        pub proof_size: Fact<u64>,
        /// What the proof showed; unknown when the multiply could not be run.
        pub proof: Fact<Proof>,
        /// What was wrong, for a person; absent when nothing was.
        pub proof_detail: Fact<String>,
        /// Digest of the product of fixed random operands of 512 rows, to the last bit; comparable between GPUs of one
        /// model with the same driver and libraries.
        pub fingerprint: Fact<String>,
        /// Whether it is the digest that most GPUs of the same name and SMs give here; absent with fewer than three, and
        /// where no digest is that of most. Derived.
        pub fingerprint_common: Fact<bool>,
        /// Whether cuBLAS used TF32 although it was off, as after `NVIDIA_TF32_OVERRIDE=1`; absent for the other
        /// precisions. The proof is then that of TF32 arithmetic.
        pub tf32_substituted: Fact<bool>,
        /// The call that failed, for example `cublasCreate_v2`; absent when none did.
        pub failed_call: Fact<String>,
        /// Its return code with its name, or how the process ended in it; absent when none failed.
        pub failed_code: Fact<String>,
        /// What that code means in a container, from the reference table, and what the other facts say for or against
        /// it; absent when none failed. Derived.
        pub failed_meaning: Fact<String>,
        /// What kind of trouble it was; absent when no call failed. Derived.
        pub failure_kind: Fact<FailureKind>,
        /// Who can do something about the code of the call that failed, by the reference table; absent where that is the
        /// node, where the kind has a finding of its own, and for success. Derived.
        pub failed_owner: Fact<FailureOwner>,
        /// What to do about that code, by the reference table; absent where the code alone does not tell. Derived.
        pub failed_remedy: Fact<String>,
        /// Rate in 10^12 operations per second, median of the timed multiplies, of which each takes other operands where
        /// they would stay in a cache.
        pub tflops: Fact<f64>,
        /// The rate of the first look, where a low one was taken once more and the better one kept; absent otherwise.
        pub first_tflops: Fact<f64>,
        /// Slowest to fastest timed multiply, as a share of the median.
        pub spread: Fact<f64>,
        /// Proven and timed again so often, in the tiers that do; absent in the others.
        pub repeated_count: Fact<u64>,
        /// The lowest of the rates when it was repeated; absent where it was not.
        pub slowest_tflops: Fact<f64>,
        /// `slowest_tflops` / `tflops`. Derived.
        pub slowest_share: Fact<f64>,
        /// Device time of one multiply in milliseconds, median.
        pub wall_ms: Fact<f64>,
        /// Highest SM clock of the device in MHz, `cudaDevAttrClockRate`.
        pub sm_clock_mhz: Fact<u32>,
        /// Streaming multiprocessors of the device.
        pub sm_count: Fact<u32>,
        /// Compute capability as `9.0`.
        pub compute_capability: Fact<String>,
        /// Rate that a healthy GPU of this model reaches in practice; absent below 2048 rows, and where neither the
        /// model nor its capability is in the tables. Derived.
        pub expected_tflops: Fact<f64>,
        /// Where `expected_tflops` comes from. Derived.
        pub expected_from: Fact<String>,
        /// `tflops` / `expected_tflops`. Derived.
        pub share_of_expected: Fact<f64>,
        /// `tflops` over the median of the other GPUs of the same name; absent with fewer than three. Derived.
        pub share_of_siblings: Fact<f64>,
        /// The lowest `share_of_expected` of all precisions of this GPU; absent where none is expected. Derived.
        pub gpu_share_of_expected: Fact<f64>,
        /// Whether NVML showed that heat or a power brake held this GPU's clocks down while it multiplied; false where it
        /// showed nothing of the kind. Derived.
        pub throttled: Fact<bool>,
        /// What NVML showed of this GPU while it multiplied, for example `SwThermalSlowdown in 96 % of the time, SM clock
        /// 690 of 1980 MHz, 310 of 700 W, 91 °C`; absent when it showed nothing. Derived.
        pub meanwhile: Fact<String>,
        /// Bytes that were free before anything was allocated, `cudaMemGetInfo`.
        pub memory_free_bytes: Fact<u64>,
        /// Whether too little memory was free for context, handle or matrices.
        pub memory_short: Fact<bool>,
        /// Who holds memory on this GPU, as far as NVML shows it to us, for example `process 4242 with 120.0 GiB`; absent
        /// when it shows nobody, and where it cannot be told which of NVML's GPUs this is. Derived.
        pub memory_holders: Fact<String>,
    }
}
