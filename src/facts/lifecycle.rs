//! Until when those who make the parts of an image, and the driver under it, mend them.

use super::Fact;
use super::shape::{record, words};

words! {
    /// What a part is.
    pub enum PartKind {
        /// The distribution.
        Os = "os",
        /// The Python that is first on `$PATH`, where it is not the distribution's own.
        Python = "python",
        /// The CUDA runtime: NVIDIA makes images of a release as long as it mends the driver that came with it.
        Cuda = "cuda",
        /// PyTorch, of which only the newest minor release is mended.
        Pytorch = "pytorch",
    }
}

record! {
    /// Until when those who make its parts mend them, by a table, at the time of the recording.
    pub struct Lifecycle {
        /// The day on which the sources of the table were read. Derived.
        pub table_date: Fact<String>,
        /// Parts of the image that are here and in the table. Derived.
        pub parts: Fact<Vec<MaintainedPart>>,
        /// Branch of the driver, as `535`; absent where there is none, or it is not in the table. Derived.
        pub driver_branch: Fact<String>,
        /// Last day on which that branch is mended, at the latest. Derived.
        pub driver_ends: Fact<String>,
        /// Whether that day has gone. Derived.
        pub driver_over: Fact<bool>,
    }

    /// A part of the image.
    pub struct MaintainedPart {
        /// Its name and release, as `Python 3.10`.
        pub name: String,
        /// What it is.
        pub kind: PartKind,
        /// Last day on which it is mended, at the latest.
        pub ends: Fact<String>,
        /// Whether that day has gone.
        pub over: Fact<bool>,
    }
}
