//! NVIDIA libraries that the workload would get.

use super::Fact;
use super::shape::{record, words};

words! {
    /// Which library.
    pub enum LibraryId {
        /// The CUDA driver library.
        Cuda = "libcuda",
        /// The management library.
        Nvml = "libnvidia-ml",
        /// The CUDA runtime.
        Cudart = "libcudart",
        /// Dense linear algebra.
        Cublas = "libcublas",
        /// The engine under cuBLAS.
        CublasLt = "libcublasLt",
    }

    /// How a copy was found, in the order in which the loader asks.
    pub enum FoundBy {
        /// A folder of `LD_LIBRARY_PATH`.
        LibraryPath = "LD_LIBRARY_PATH",
        /// A folder of Python wheels (`site-packages/nvidia/*/lib`, `torch/lib`), or one that PyTorch's run path names.
        SitePackages = "site-packages",
        /// `/etc/ld.so.cache`.
        Cache = "ld.so.cache",
        /// A folder the loader always asks.
        DefaultFolder = "default folder",
        /// A toolkit folder, which the loader does not ask by itself.
        Toolkit = "toolkit",
        /// A conda environment.
        Conda = "conda",
        /// A file that is mounted by itself, `/proc/self/mountinfo`.
        Mounted = "mount",
    }
}

record! {
    /// One library by soname, with every copy of it.
    pub struct Library {
        /// Which library.
        pub id: LibraryId,
        /// Soname, for example `libcublas.so.12`.
        pub soname: String,
        /// CUDA major in the soname; absent for driver libraries.
        pub major: Fact<u32>,
        /// Whether the workload uses this soname: the one of PyTorch's CUDA major, else the newest major that a
        /// loader finds, else the newest major found.
        pub chosen: bool,
        /// Every copy, the winner first.
        pub candidates: Vec<Candidate>,
        /// Path of the copy that the workload's loader ends at, usable or damaged; absent when it finds none: copies
        /// in toolkit and conda folders win nothing unless a loader path or PyTorch's run path names them.
        pub winner: Fact<String>,
        /// Why it wins, as the end of a sentence.
        pub reason: String,
        /// File that was really mapped when a child loaded it, from `/proc/self/maps`; absent when it could not be
        /// loaded. Asked of the chosen copies only.
        pub loaded_path: Fact<String>,
        /// Why it could not be loaded, in the loader's words; absent when it was.
        pub load_error: Fact<String>,
        /// The library that it needs and the loader does not find; absent when nothing is missing. Derived.
        pub missing_dependency: Fact<String>,
        /// Version that the loaded library gives for itself: `12.9` from `cudaRuntimeGetVersion`, `12.9.1` from
        /// `cublasGetProperty` and `cublasLtGetVersion` (cuBLAS 12 gives that of the cuBLASLt loaded with it); absent when
        /// it could not be loaded. The runtime of CUDA 11 does not say without a driver.
        pub version: Fact<String>,
    }

    /// One copy of a library.
    pub struct Candidate {
        /// Path as found.
        pub path: String,
        /// Path with links resolved.
        pub real_path: Fact<String>,
        /// How it was found.
        pub found_by: FoundBy,
        /// Version in the name of the real file, else of NVIDIA's wheel that brought it; absent when neither tells one.
        pub file_version: Fact<String>,
        /// `DT_SONAME`.
        pub soname: Fact<String>,
        /// ELF class in bits, 32 or 64.
        pub elf_bits: Fact<u32>,
        /// ELF machine, `x86_64` or `aarch64` ….
        pub machine: Fact<String>,
        /// Whether it is a shared object for this machine whose segments and sections all lie within the file.
        pub loadable: Fact<bool>,
        /// Whether it is a link-time stub: under a `stubs` folder, or a driver library below 128 KiB.
        pub is_stub: Fact<bool>,
        /// Whether it is a forward-compatibility copy of libcuda: under a `compat` or `cuda-compat` folder.
        pub is_compat: Fact<bool>,
        /// Whether it is mounted into the container rather than part of the image.
        pub is_mounted: Fact<bool>,
        /// Size in bytes.
        pub size_bytes: Fact<u64>,
    }
}
