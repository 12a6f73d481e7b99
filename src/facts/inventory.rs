//! Every installed package, for a bill of materials and for advisories. Too much for a recording, so no part of [`Facts`](super::Facts).

use serde::{Deserialize, Serialize};

use super::{Gap, PackageManager};

/// All packages of an image.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// Name of the distribution, `ID` of `/etc/os-release`, as `debian`; empty where nothing says it.
    pub system: String,
    /// Its version, `VERSION_ID`, as `12`; empty likewise.
    pub system_version: String,
    /// The packages, in the order of their managers, names and versions.
    pub packages: Vec<Installed>,
    /// What could not be read whole, and why.
    pub gaps: Vec<(PackageManager, Gap)>,
    /// Managers that left a record, be it one without packages.
    pub managers: Vec<PackageManager>,
    /// Last change of the system's record, seconds since 1970.
    pub changed_seconds: Option<u64>,
}

/// One installed package.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Installed {
    /// Who installed it.
    pub manager: PackageManager,
    /// Its name; of Python packages in the normal form of PEP 503.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Architecture, of dpkg and apk; the `subdir` of conda.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Build string and channel of conda.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<(String, String)>,
    /// Name and version of the source package, where they differ from its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<(String, String)>,
    /// The licence, as the record says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// Bytes installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The other manager that installed this Python package; a distribution fixes what is wrong without raising the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought_by: Option<PackageManager>,
    /// Where its record lies, of Python and conda.
    #[serde(skip)]
    pub place: String,
    /// Names that it requires, where that was asked for.
    #[serde(skip)]
    pub requires: Vec<String>,
}

/// A licence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Licence {
    /// An expression of SPDX: `License-Expression` of Python.
    Expression(String),
    /// In words of its own.
    Named(String),
}

impl Inventory {
    /// The packages of one manager.
    pub fn of(&self, manager: PackageManager) -> impl Iterator<Item = &Installed> {
        self.packages.iter().filter(move |package| package.manager == manager)
    }

    /// Notes that a manager left a record, and what of it could not be read.
    pub fn note(&mut self, manager: PackageManager, gap: Option<Gap>) {
        if !self.managers.contains(&manager) {
            self.managers.push(manager);
        }
        self.gaps.extend(gap.map(|gap| (manager, gap)));
    }

    /// Why not all packages of a manager are here.
    pub fn gap(&self, manager: PackageManager) -> Option<&Gap> {
        self.gaps.iter().find(|(of, _)| *of == manager).map(|(_, gap)| gap)
    }
}
