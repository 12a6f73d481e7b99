//! What the image's frameworks load beyond the CUDA libraries, as the loader would find it.

use super::Fact;
use super::shape::{record, words};

words! {
    /// How a library that is needed fails its user.
    pub enum LinkProblem {
        /// The loader finds no copy that it can take.
        Missing = "missing",
        /// The copy that it ends at is damaged.
        Damaged = "damaged",
        /// The copy that it ends at defines no such version, as `GLIBCXX_3.4.30`.
        NoVersion = "no-version",
        /// The copy that it ends at lacks a symbol.
        NoSymbol = "no-symbol",
        /// It is a part of a library, and of another release than that.
        OtherRelease = "other-release",
    }
}

record! {
    /// What the image's frameworks load, followed from their own files by what each says that it needs. Nothing is loaded.
    pub struct Linking {
        /// Whether this recording holds the room: false where the version that made it did not ask, and where nobody asked
        /// because no GPU is meant to be here. Derived.
        pub was_asked: Fact<bool>,
        /// What was followed, for example `PyTorch 2.7.0+cu126`.
        pub frameworks: Fact<Vec<String>>,
        /// Files that were looked at.
        pub file_count: Fact<u64>,
        /// Every library that would fail its user; unknown where none was found and not all could be followed.
        pub faults: Fact<Vec<LinkFault>>,
    }

    /// A library that would fail its user. libcuda, NVML, the CUDA runtime, cuBLAS and cuBLASLt have facts of their own and
    /// are none of these.
    pub struct LinkFault {
        /// Who loads it, for example `PyTorch 2.7.0+cu126`.
        pub framework: String,
        /// Whether that is PyTorch, or a CUDA build beside which nothing else uses a GPU. Derived.
        pub is_main: Fact<bool>,
        /// The name by which it is asked for, for example `libnvJitLink.so.12`.
        pub library: String,
        /// The file that needs it.
        pub needed_by: String,
        /// How it fails.
        pub problem: LinkProblem,
        /// The version or the first symbol that it lacks, or the release that it should be of; absent where it is missing.
        pub wanted: Fact<String>,
        /// The file that the loader ends at; absent where it is missing.
        pub found: Fact<String>,
        /// Why the loader ends there, as the end of a sentence; absent where it is missing.
        pub found_by: Fact<String>,
        /// A copy in the folders of Python packages that the loader does not come to; absent where there is none.
        pub other_copy: Fact<String>,
        /// The same library of another major, in the folders of Python packages or where the loader looks; absent where there
        /// is none.
        pub other_major: Fact<String>,
        /// What the framework does then, as the rest of a sentence. Derived.
        pub effect: Fact<String>,
        /// All of it as the end of a sentence. Derived.
        pub words: Fact<String>,
        /// What mends it, as an order. Derived.
        pub mend: Fact<String>,
    }
}
