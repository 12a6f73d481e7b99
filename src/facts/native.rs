//! GPU code in the image's libraries, and whether it can run on the GPUs that it is meant for.

use super::Fact;
use super::shape::{record, words};

words! {
    /// What a library with GPU code is to the workload.
    pub enum LibraryRole {
        /// Its kernels run for every workload of its framework, on every GPU: cuBLAS, or the framework's own kernels.
        Core = "core",
        /// The framework does without it, or uses it on some GPUs only.
        Optional = "optional",
    }

    /// How the image's code runs on a GPU.
    pub enum CodeFit {
        /// Machine code for this GPU is there.
        Native = "native",
        /// The driver has to compile PTX first.
        Compiled = "compiled",
        /// A core library has neither.
        Missing = "missing",
    }

    /// Why a GPU is looked at.
    pub enum TargetOrigin {
        /// It is here.
        Present = "present",
        /// The profile wants the image to run on it.
        Wanted = "wanted",
        /// `--assume` named it.
        Assumed = "assumed",
    }
}

record! {
    /// GPU code in the image's libraries.
    pub struct Native {
        /// Libraries with GPU code in the folders of Python packages, of `LD_LIBRARY_PATH` and of cuBLAS; of cuBLAS the
        /// copies that the workload would get. Read from the headers of their `.nv_fatbin`; nothing is loaded.
        pub libraries: Fact<Vec<NativeLibrary>>,
        /// The image on the GPUs that are here, one for each model, as NVML or, where that cannot be asked, CUDA names them.
        /// Derived.
        pub present: Fact<Vec<Target>>,
        /// The image on the GPUs that the profile wants and on those that `--assume` asks about. Derived.
        pub targets: Vec<Target>,
    }

    /// A library with GPU code.
    pub struct NativeLibrary {
        /// Where it lies.
        pub path: String,
        /// What it is to the workload.
        pub role: LibraryRole,
        /// Objects with GPU code that it was linked from.
        pub object_count: Fact<u64>,
        /// Everything that they carry together, in the compiler's words: `sm_90` is machine code, `compute_90` PTX; `a`
        /// behind it binds it to that architecture, `f` to its family.
        pub architectures: Fact<Vec<String>>,
        /// What each of them carries, the commonest set of architectures first.
        pub sets: Fact<Vec<CodeSet>>,
    }

    /// Objects that carry their kernels for the same architectures.
    pub struct CodeSet {
        /// The architectures, in the compiler's words.
        pub architectures: Vec<String>,
        /// Number of objects.
        pub object_count: u64,
    }

    /// The image on one model of GPU.
    pub struct Target {
        /// Product name.
        pub gpu: String,
        /// Why it is looked at.
        pub origin: TargetOrigin,
        /// Compute capability as `9.0`.
        pub compute_capability: Fact<String>,
        /// How the image's code runs on it, by its core libraries. Where no core library has GPU code it is absent for a GPU
        /// that is here, and unknown for one that the image is meant for. Derived.
        pub code: Fact<CodeFit>,
        /// The core library that decides: the first that has no code for it, or none but PTX. Derived.
        pub deciding_library: Fact<String>,
        /// Optional libraries without code for it. Derived.
        pub missing_optional: Fact<Vec<String>>,
        /// Oldest driver that runs the image on it: that of the CUDA major and of the GPU, and where PTX has to be
        /// compiled that of the toolkit that wrote it. Derived.
        pub minimum_driver: Fact<String>,
        /// Last driver branch that supports it; absent where there is none yet. Derived.
        pub last_driver_branch: Fact<u64>,
        /// Oldest driver branch below the minimum on which the `cuda-compat` package of the image's CUDA release makes
        /// up for the rest; absent where none does, or the board is none for data centres. Derived.
        pub forward_compatible_branch: Fact<u64>,
        /// Driver that `--assume` names; absent without. Derived.
        pub assumed_driver: Fact<String>,
        /// Whether that driver runs the image on it; absent without. Derived.
        pub assumed_driver_sufficient: Fact<bool>,
    }
}
