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
        /// None of these: what a scanner's report names beside them, as programs of Go. Nothing here reads its packages.
        Other = "other",
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

words! {
    /// How bad a vulnerability is: by its CVSS vector, else by the word of whoever wrote the advisory.
    pub enum VulnerabilitySeverity {
        /// A score of 9 or more.
        Critical = "critical",
        /// A score of 7 or more.
        High = "high",
        /// A score of 4 or more.
        Medium = "medium",
        /// A lower score.
        Low = "low",
        /// Nobody said.
        Unrated = "unrated",
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
        /// Whether packages were held against advisories: only where `--osv` or `--vulnerabilities` names
        /// something. Derived.
        pub advisories_asked: Fact<bool>,
        /// The advisories that `--osv` names, or the report that `--vulnerabilities` names. Without either nobody looked, which
        /// says nothing of the packages.
        pub advisories: Fact<Advisories>,
        /// Known vulnerabilities of installed packages, by these advisories, the worst first, at most 64. Those that were
        /// withdrawn are left out, and those with one alias are one.
        pub vulnerabilities: Fact<Vec<Vulnerability>>,
        /// What the documents of `--vex` excuse of them; absent where none is named. What is excused is in no list and no
        /// count of this record but this one.
        pub vex: Fact<Vex>,
        /// How many are critical.
        pub critical_vulnerability_count: Fact<u64>,
        /// How many are high.
        pub high_vulnerability_count: Fact<u64>,
        /// How many are neither: medium, low or not rated.
        pub other_vulnerability_count: Fact<u64>,
        /// The critical ones that are listed, in words. Derived.
        pub critical_vulnerabilities: Fact<Vec<String>>,
        /// The high ones that are listed, in words. Derived.
        pub high_vulnerabilities: Fact<Vec<String>>,
        /// The others that are listed, in words. Derived.
        pub other_vulnerabilities: Fact<Vec<String>>,
    }

    /// Advisories that packages were held against, or the report of a scanner.
    pub struct Advisories {
        /// How many were read; of a report, how many vulnerabilities it tells.
        pub count: u64,
        /// When the newest of them was changed, as it says; absent of a report.
        pub newest: Fact<String>,
        /// The scanner whose report it is, with its version where it says one; absent of advisories.
        pub scanner: Fact<String>,
        /// When the report was made, as it says.
        pub taken: Fact<String>,
        /// Whose packages were held against them, as `python (PyPI)`.
        pub matched: Vec<String>,
        /// Whose packages were not, or not all, and why.
        pub unmatched: Vec<String>,
    }

    /// A known vulnerability of an installed package.
    pub struct Vulnerability {
        /// Identifier of the advisory.
        pub id: String,
        /// Its other names, CVE numbers among them, at most 16.
        pub aliases: Vec<String>,
        /// The package; of dpkg the source package, which advisories speak of.
        pub package: String,
        /// Who installed it.
        pub manager: PackageManager,
        /// What kind of package it is, as `npm` or `golang`, of those that only a scanner reads; absent of all others, and
        /// where the report does not say it.
        pub kind: Fact<String>,
        /// The version that is installed.
        pub installed: String,
        /// The first version after it that has a fix; absent where the advisory names none.
        pub fixed_in: Fact<String>,
        /// How bad it is.
        pub severity: VulnerabilitySeverity,
    }

    /// What `OpenVEX` documents say.
    pub struct Vex {
        /// Statements in them, those that excuse nothing by what they say too.
        pub statement_count: u64,
        /// Vulnerabilities that are excused.
        pub excused_count: u64,
        /// Those, at most 64.
        pub excused: Vec<ExcusedVulnerability>,
        /// Statements that would excuse something and excuse nothing here.
        pub idle_count: u64,
        /// Those, with where they stand and why, at most 64.
        pub idle: Vec<String>,
    }

    /// A known vulnerability of an installed package that a statement calls no trouble.
    pub struct ExcusedVulnerability {
        /// Identifier of the advisory.
        pub id: String,
        /// The package.
        pub package: String,
        /// The version that is installed.
        pub installed: String,
        /// How bad it would be.
        pub severity: VulnerabilitySeverity,
        /// Why it is none: a justification of VEX, its words for the impact, or `fixed`.
        pub reason: String,
        /// The statement that says so, as `vex.json, statement 3`.
        pub statement: String,
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
