//! What the image carries.

use super::Fact;
use super::shape::{record, words};

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
        /// Development tools found on `$PATH`.
        pub tools: Fact<Vec<Tool>>,
        /// Bytes in package-manager caches that this user may read (apt lists, apt, dnf and apk caches, conda packages, pip).
        pub cache_bytes: Fact<u64>,
        /// CUDA development files: headers and static libraries of a toolkit.
        pub cuda_headers: Fact<Vec<String>>,
        /// Repositories and notebooks at the top of the working folder (`.git`, `*.ipynb`).
        pub leftovers: Fact<Vec<String>>,
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
        /// CUDA release that PyTorch was built for, from `torch/version.py`; absent in a CPU build.
        pub torch_cuda: Fact<String>,
        /// Folders that hold Python packages.
        pub site_packages: Fact<Vec<String>>,
        /// Folders of programs and of Python packages that `PATH`, `PYTHONPATH` and `VIRTUAL_ENV` name and into which this
        /// user may not look (EACCES), so that whatever they hold is not here for it.
        pub unreadable_folders: Fact<Vec<String>>,
        /// Whether that was asked at all: recordings of 0.1.0 did not. Derived.
        pub folders_asked: Fact<bool>,
        /// Distributions with two `.dist-info` folders of different versions in one site-packages folder.
        pub duplicate_distributions: Fact<Vec<String>>,
        /// Majors of CUDA wheels installed side by side (`-cu11`, `-cu12`, `-cu13`).
        pub cuda_wheel_majors: Fact<Vec<String>>,
    }
}
