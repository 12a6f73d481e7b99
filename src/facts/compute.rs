//! Matrix multiplies: timed and proven.

use super::shape::{record, words};
use super::{Fact, Failure};

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
}

record! {
    /// Matrix multiplies through the libraries that the workload would get.
    pub struct Compute {
        /// Every GPU, and every precision that it and its libraries have.
        pub multiplies: Fact<Vec<Multiply>>,
        /// Copies on every GPU whose multiplies all ran.
        pub copies: Fact<Vec<MemoryCopy>>,
        /// Share of each GPU's multiprocessors that this process may use, 0 to 1, as a variable says that MPS or a preloaded
        /// library for sharing reads; absent where none says less than all. Derived.
        pub share_limit: Fact<f64>,
        /// What says so, for example `CUDA_DEVICE_SM_LIMIT=30`; absent like `share_limit`. Derived.
        pub share_limited_by: Fact<String>,
        /// How many times faster TF32 is than strict float32 on the same GPU, of the GPU where it brings least; absent where
        /// no GPU ran both. Derived.
        pub tf32_factor: Fact<f64>,
        /// Rate of strict float32 on that GPU in TFLOP/s. Derived.
        pub strict_tflops: Fact<f64>,
        /// Rate of TF32 on that GPU in TFLOP/s. Derived.
        pub tf32_tflops: Fact<f64>,
        /// Files of libcudart, libcublas and libcublasLt that the processes that multiply had mapped, `/proc/self/maps` on
        /// the first GPU that told it; absent where no GPU was there to multiply.
        pub mapped_libraries: Fact<Vec<String>>,
        /// The first of them that is not the file that the workload loads, `libraries[].loaded_path`; absent where all are,
        /// and where a look did not ask for them. Derived.
        pub other_library: Fact<String>,
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
        /// How a call failed; absent when none did.
        pub failure: Fact<Failure>,
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
        /// Whether `share_of_expected` is below 0.75, so that the copy is measured once more; absent where nothing is
        /// expected. Derived.
        pub reduced: Fact<bool>,
        /// Whether `share_of_expected` is below 0.5; absent where nothing is expected. Derived.
        pub slow: Fact<bool>,
        /// Whether `share_of_siblings` is below 0.85; absent with fewer than three. Derived.
        pub behind_siblings: Fact<bool>,
        /// What explains a low rate without the hardware, as that of `multiplies`. Derived.
        pub explained: Fact<String>,
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
        /// Whether it is the digest that `reference/fingerprints.toml` has for this capability, number of SMs and release of
        /// cuBLAS; absent where it has none, and where a setting changes the arithmetic. Derived.
        pub fingerprint_known: Fact<bool>,
        /// Whether it is not that digest and a GPU of the same name and SMs here gives another; absent like
        /// `fingerprint_known`. Derived.
        pub fingerprint_contradicted: Fact<bool>,
        /// Whether cuBLAS used TF32 although it was off, as after `NVIDIA_TF32_OVERRIDE=1`; absent for the other
        /// precisions. The proof is then that of TF32 arithmetic.
        pub tf32_substituted: Fact<bool>,
        /// How a call failed; absent when none did.
        pub failure: Fact<Failure>,
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
        /// Whether `share_of_expected` is below 0.75; absent where nothing is expected. Derived.
        pub reduced: Fact<bool>,
        /// Whether `share_of_expected` is below 0.5, or below 0.35 where some GPU is split by MIG; absent where nothing is
        /// expected. Derived.
        pub slow: Fact<bool>,
        /// Whether `share_of_siblings` is below 0.85; absent with fewer than three. Derived.
        pub behind_siblings: Fact<bool>,
        /// Whether so little memory was free that the matrices had to stay small, and are too small to fill the tensor cores:
        /// nothing is expected then. Derived.
        pub size_limited: Fact<bool>,
        /// What explains a low rate without the hardware: others on the GPU, or a preloaded library that shares it out, for
        /// example `process 4242 with 1.0 GiB on it`; absent when nothing does. Derived.
        pub explained: Fact<String>,
        /// Why a wrong product may come from a library as well as from the GPU: all products of that library into 32 bits are
        /// wrong and none of the other; absent otherwise, and where a sibling multiplies right with it. Derived.
        pub wrong_with_library: Fact<String>,
        /// The same for low rates, at a clock that is not low. Derived.
        pub slow_with_library: Fact<String>,
        /// Whether any precision of this GPU has a `share_of_expected` below 0.5; absent where none is expected. Derived.
        pub gpu_slow: Fact<bool>,
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
