//! What the image carries.

use super::Fact;
use super::image_config::ImageConfig;
use super::shape::{record, words};

/// Python packages that use a GPU by themselves and are told, beside PyTorch and every `cupy-cuda…` and `jax-cuda…-plugin`.
pub const GPU_PACKAGES: [&str; 22] = [
    "triton",
    "vllm",
    "sglang",
    "onnxruntime",
    "onnxruntime-gpu",
    "jax",
    "jaxlib",
    "tensorflow",
    "tensorflow-cpu",
    "cupy",
    "llama-cpp-python",
    "ctranslate2",
    "xformers",
    "flash-attn",
    "flashinfer-python",
    "bitsandbytes",
    "deepspeed",
    "faiss-cpu",
    "faiss-gpu",
    "numba",
    "paddlepaddle",
    "paddlepaddle-gpu",
];

words! {
    /// What a program is for.
    pub enum ToolKind {
        /// Text editors.
        Editor = "editor",
        /// Compilers and build tools.
        Compiler = "compiler",
        /// Debuggers and tracers.
        Debugger = "debugger",
        /// Programs that fetch or probe over the network.
        Network = "network",
        /// Programs that change the user.
        Privilege = "privilege",
        /// Package managers.
        Packages = "packages",
        /// Clients of container engines and clusters.
        Orchestration = "orchestration",
    }
}

record! {
    /// What the image carries.
    pub struct Image {
        /// Name and version, from `/etc/os-release`.
        pub os: Fact<String>,
        /// Minor release of the Python that is first on `$PATH`, as `3.10`, from the name of the file that it is a link to;
        /// absent where there is none, or its name does not say.
        pub python_version: Fact<String>,
        /// Whether that file lies in `/usr/bin`, where distributions put their own.
        pub python_of_distribution: Fact<bool>,
        /// Product of NVIDIA's catalogue (NGC) that the image is made from, as `PyTorch`, from `NVIDIA_PRODUCT_NAME`; absent
        /// where that is not set.
        pub ngc_product: Fact<String>,
        /// Its release, year and month as `25.04`, from `NVIDIA_PYTORCH_VERSION` and its like.
        pub ngc_release: Fact<String>,
        /// Whole months from that release to the recording. Derived.
        pub ngc_age_months: Fact<u64>,
        /// Development tools found on `$PATH`.
        pub tools: Fact<Vec<Tool>>,
        /// Servers through which people log in and work, by the names of their programs in the folders of `$PATH` and in the
        /// usual ones, whether anything starts them or not: SSH, Jupyter, Telnet, VNC.
        pub remote_access: Fact<Vec<String>>,
        /// Names of the text editors among the tools. Derived.
        pub editors: Fact<Vec<String>>,
        /// Names of the compilers and build tools among the tools. Derived.
        pub compilers: Fact<Vec<String>>,
        /// Names of the debuggers and tracers among the tools. Derived.
        pub debuggers: Fact<Vec<String>>,
        /// Names of the programs among the tools that reach out over the network; `curl` and `wget` are not counted. Derived.
        pub network_tools: Fact<Vec<String>>,
        /// Names of the programs among the tools that give the rights of another user; `su` is not counted. Derived.
        pub privilege_tools: Fact<Vec<String>>,
        /// Names of the clients of container engines and clusters among the tools. Derived.
        pub orchestration_clients: Fact<Vec<String>>,
        /// Bytes in package-manager caches that this user may read (apt lists, apt, dnf and apk caches, conda packages, pip).
        pub cache_bytes: Fact<u64>,
        /// CUDA development files: headers and static libraries of a toolkit.
        pub cuda_headers: Fact<Vec<String>>,
        /// Repositories and notebooks at the top of the working folder (`.git`, `*.ipynb`).
        pub leftovers: Fact<Vec<String>>,
        /// Entries of the archive (`--oci`) that were left out of the image, with the reason: what leads out of it, what is of
        /// a kind that is not known. The first 16, and how many more there are.
        pub left_out: Vec<String>,
        /// Whether its configuration was given, with `--image-config` or by the archive.
        pub configured: bool,
        /// Its configuration; absent where none is given.
        pub config: Fact<ImageConfig>,
    }

    /// A development tool.
    pub struct Tool {
        /// Name of the program.
        pub name: String,
        /// What it is for.
        pub kind: ToolKind,
        /// Where it is.
        pub path: String,
    }

    /// The machine-learning framework, read from its files without running it.
    pub struct Framework {
        /// Version of PyTorch, from `torch/version.py`; absent when there is no PyTorch.
        pub torch_version: Fact<String>,
        /// What a report calls it: `PyTorch` with its version, where that is known. Derived.
        pub torch_called: Fact<String>,
        /// CUDA release that PyTorch was built for, from `torch/version.py`; absent in a CPU build.
        pub torch_cuda: Fact<String>,
        /// Folders that hold Python packages.
        pub site_packages: Fact<Vec<String>>,
        /// Folders of programs, Python packages and libraries that `PATH`, `PYTHONPATH`, `VIRTUAL_ENV` and `LD_LIBRARY_PATH`
        /// name and into which this user may not look (EACCES), so that whatever they hold is not here for it.
        pub unreadable_folders: Fact<Vec<String>>,
        /// The first of them that is no folder of programs: a framework or its libraries surely lie there, so what was found
        /// nowhere else is not known to be absent.
        pub hiding_folder: Fact<String>,
        /// Whether that was asked at all: recordings of 0.1.0 did not. Derived.
        pub folders_asked: Fact<bool>,
        /// Distributions with two `.dist-info` folders of different versions in one site-packages folder.
        pub duplicate_distributions: Fact<Vec<String>>,
        /// Majors of CUDA wheels installed side by side (`-cu11`, `-cu12`, `-cu13`).
        pub cuda_wheel_majors: Fact<Vec<String>>,
        /// Installed Python packages that use a GPU by themselves, from the names of their `.dist-info` folders; of one that
        /// lies in several folders the first. Packages that are not known to us are not listed.
        pub packages: Fact<Vec<Package>>,
        /// Whether this recording holds the packages: false where the version that made it did not ask. Derived.
        pub packages_asked: Fact<bool>,
    }

    /// A Python package that uses a GPU.
    pub struct Package {
        /// Its name in the normal form of PEP 503.
        pub name: String,
        /// Its version.
        pub version: String,
        /// Folder of packages that it lies in.
        pub folder: String,
        /// Whether this copy was built for CUDA, by its files or its version; absent where that does not tell.
        pub cuda_build: Fact<bool>,
        /// CUDA major that it was built for, likewise; absent in a CPU build and where nothing tells.
        pub cuda_major: Fact<u64>,
        /// Whether nothing else in the image is a CUDA build, so that the workload has no other way to the GPU. Derived.
        pub is_alone: Fact<bool>,
        /// Whether the driver runs its CUDA major; absent where no major is known or no driver is here. Derived.
        pub driver_sufficient: Fact<bool>,
        /// Whether libraries of its CUDA major are here; absent where no major is known, and for packages that bring their
        /// own. Derived.
        pub libraries_found: Fact<bool>,
        /// The oldest driver that runs its CUDA major; absent where no major is known. Derived.
        pub minimum_driver: Fact<String>,
        /// The command that puts a build in its place that fits; absent where we know none. Derived.
        pub install: Fact<String>,
    }
}
