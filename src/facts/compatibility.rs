//! Whether driver, runtime and libraries belong together. All derived, by the room `derive`.

use super::Fact;
use super::shape::record;

record! {
    /// Whether driver, runtime and libraries belong together. Every field is derived.
    pub struct Compatibility {
        /// CUDA runtime that the workload would get, as `12.9`: what it says of itself, else the release in its file
        /// name, else the one PyTorch was built for; absent when no runtime was found or it does not load. Derived.
        pub runtime_version: Fact<String>,
        /// Kernel driver in force, from `/proc/driver/nvidia/version` or NVML. Derived.
        pub driver_version: Fact<String>,
        /// Oldest driver that runs this CUDA major (minor-version compatibility). Derived.
        pub minimum_driver: Fact<String>,
        /// Whether the driver is new enough for the runtime's CUDA major, or a forward-compatibility libcuda
        /// in use makes up for it; absent without a driver or a runtime. Derived.
        pub driver_new_enough: Fact<bool>,
        /// Whether the runtime's minor release is newer than the driver's, so that PTX cannot be compiled here. Derived.
        pub jit_unavailable: Fact<bool>,
        /// Whether the winning libcuda has the version of the kernel driver, or is a newer
        /// forward-compatibility copy; absent when there is none or its file name has no version. Derived.
        pub driver_library_matches: Fact<bool>,
        /// Whether cuBLAS and cuBLASLt that would be loaded together are of one release, by their files, else by
        /// what they say of themselves; absent when one of them is missing. Derived.
        pub cublas_pair_matches: Fact<bool>,
        /// Release of cuBLAS: what its file tells, else what it says of itself. Derived.
        pub cublas_version: Fact<String>,
        /// Release of cuBLASLt, likewise. Derived.
        pub cublaslt_version: Fact<String>,
        /// Whether the CUDA major of PyTorch is among the runtimes found; absent without PyTorch or in a CPU build. Derived.
        pub torch_runtime_found: Fact<bool>,
        /// Whether a libcudart is here at all; unknown where none was found and a folder that the environment names may not be
        /// looked into. Derived.
        pub cudart_found: Fact<bool>,
        /// The same of libcublas. Derived.
        pub cublas_found: Fact<bool>,
        /// The command that installs the newest build of the framework (vLLM, else PyTorch, else JAX) that runs on this driver
        /// and on every GPU here, or that there is none and which driver would be needed; absent without any of them, or
        /// without GPUs. Derived.
        pub framework_remedy: Fact<String>,
        /// GPUs that CUDA shows less than NVML does, though `CUDA_VISIBLE_DEVICES` does not hide them; absent where MIG
        /// is on, for CUDA counts slices. Derived.
        pub hidden_gpu_count: Fact<u64>,
        /// The first entry of `CUDA_VISIBLE_DEVICES` that names no GPU of NVML's, where CUDA shows fewer GPUs than are
        /// asked for; absent when each names one, or MIG is on. CUDA drops it and all after it. Derived.
        pub missing_visible_device: Fact<String>,
        /// MIG instances that are visible here and that CUDA passes by, for it uses the first alone; absent where
        /// `CUDA_VISIBLE_DEVICES` chooses, or no instance is here. Derived.
        pub unused_mig_count: Fact<u64>,
        /// IMEX channels under `/dev/nvidia-caps-imex-channels`; absent where no GPU is one of a rack that is joined by NVLink
        /// (GB200, GB300). Derived.
        pub imex_channel_count: Fact<u64>,
        /// GPUs that NVML shows beyond those that `NVIDIA_VISIBLE_DEVICES` names; absent where that is no list. Derived.
        pub ungranted_gpu_count: Fact<u64>,
        /// GPUs that `NVIDIA_VISIBLE_DEVICES` names and NVML does not show: UUIDs that no GPU has, or more entries than there
        /// are GPUs, for an index is that of the node; absent where that is no list, or speaks of MIG. Derived.
        pub absent_granted_count: Fact<u64>,
        /// The first channel of `NVIDIA_IMEX_CHANNELS` without a node here; absent where each has one, or no GPU is one of
        /// a rack that is joined by NVLink. Derived.
        pub missing_imex_channel: Fact<String>,
        /// The first condition of `NVIDIA_REQUIRE_*` that driver and GPUs do not meet, as
        /// `NVIDIA_REQUIRE_CUDA=cuda>=13.0`; absent where all are met. Unknown where the brand of the GPU decides, which is
        /// not asked. Derived.
        pub unmet_requirement: Fact<String>,
    }
}
