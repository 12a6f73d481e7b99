//! What is installed, by the records that package managers leave.

use super::Fact;
use super::shape::{record, words};

words! {
    /// Who installed a package, and keeps a record of it.
    pub enum PackageManager {
        /// Debian's dpkg, also in distroless images.
        Dpkg = "dpkg",
        /// Alpine's apk.
        Apk = "apk",
        /// RPM.
        Rpm = "rpm",
        /// Python's installers: `.dist-info` and `.egg-info`.
        Python = "python",
        /// conda, mamba and pixi: `conda-meta`.
        Conda = "conda",
    }

    /// What a package is for that a workload does not need while it runs.
    pub enum NeedlessKind {
        /// Notebooks and their servers.
        Notebook = "notebook",
        /// Plots and dashboards for people.
        Plotting = "plotting",
        /// Frameworks for tests.
        Testing = "testing",
        /// Formatters, linters and type checkers.
        Linting = "linting",
        /// Makers of documentation.
        Documentation = "documentation",
        /// Text editors.
        Editor = "editor",
        /// Manual pages and their readers.
        Manuals = "manuals",
    }
}

record! {
    /// What is installed, by the records that package managers leave. Names and sizes are what the records say.
    pub struct Packages {
        /// Whether this recording was asked for packages: false where the version that made it did not ask. Derived.
        pub asked: Fact<bool>,
        /// Every package manager that left a record: dpkg (`/var/lib/dpkg`), apk (`/lib/apk/db`), rpm, Python's installers
        /// and conda.
        pub managers: Fact<Vec<ManagedPackages>>,
        /// The ten largest packages, the largest first, of those whose record says how large they are.
        pub largest: Fact<Vec<InstalledPackage>>,
        /// Installed packages that no workload needs while it runs, by a table; those that another package requires are not
        /// among them, unless nobody needs that one either. The largest first, at most 64.
        pub needless: Fact<Vec<NeedlessPackage>>,
        /// Bytes that they take together, as far as their records say.
        pub needless_bytes: Fact<u64>,
        /// CUDA libraries of which the image has several files of the same bytes: name and size agree, and so does what was
        /// compared, at most 1 MiB of each in 16 places. The largest first, at most 64. Links to one file are no copies,
        /// and what is mounted is not the image's.
        pub library_copies: Fact<Vec<LibraryCopies>>,
        /// Bytes that all but one of each of them take.
        pub library_copies_bytes: Fact<u64>,
        /// Last change of the record of dpkg or apk, seconds since 1970-01-01 UTC: when a package of the system was last
        /// installed or updated. Absent without such a record, and where an image sets all times to one of before 2015.
        pub system_changed_seconds: Fact<u64>,
        /// Days from then to this recording. Derived.
        pub system_age_days: Fact<u64>,
    }

    /// The packages of one package manager.
    pub struct ManagedPackages {
        /// The package manager.
        pub manager: PackageManager,
        /// How many are installed.
        pub count: Fact<u64>,
        /// Bytes installed, of those whose record says it: `Installed-Size` of dpkg, `I:` of apk, the sizes in `RECORD` and in
        /// `conda-meta`; absent where none does. Python packages that another manager installed are not counted.
        pub installed_bytes: Fact<u64>,
    }

    /// An installed package.
    pub struct InstalledPackage {
        /// Its name; of Python packages in the normal form of PEP 503.
        pub name: String,
        /// Its version.
        pub version: String,
        /// Who installed it.
        pub manager: PackageManager,
        /// Bytes installed, as the record says.
        pub installed_bytes: u64,
    }

    /// An installed package that no workload needs while it runs.
    pub struct NeedlessPackage {
        /// Its name.
        pub name: String,
        /// Who installed it.
        pub manager: PackageManager,
        /// What it is for.
        pub kind: NeedlessKind,
        /// Bytes installed; absent where the record does not say.
        pub installed_bytes: Fact<u64>,
    }

    /// Files of the same bytes.
    pub struct LibraryCopies {
        /// Name of the library without its version, as `libcublasLt`.
        pub name: String,
        /// Where they are, at most 16.
        pub paths: Vec<String>,
        /// Bytes that one takes.
        pub file_bytes: u64,
    }
}
