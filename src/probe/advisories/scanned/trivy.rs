//! Trivy's report, `SchemaVersion` 2: a result for each kind of packages that it found.

use std::collections::HashSet;

use serde::Deserialize;

use super::kinds::kind;
use super::system::System;
use super::{Scan, severity};
use crate::facts::{Fact, PackageManager, Vulnerability, cut};
use crate::probe::framework::packages::normal_name;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    created_at: Option<String>,
    trivy: Option<Scanner>,
    metadata: Option<Metadata>,
    results: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scanner {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "OS")]
    system: Option<Os>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Os {
    family: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    class: Option<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    packages: Option<Vec<Package>>,
    vulnerabilities: Option<Vec<Told>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Package {
    name: String,
    version: Option<String>,
    release: Option<String>,
    epoch: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    #[serde(rename = "VendorIDs")]
    vendor_ids: Option<Vec<String>>,
    pkg_name: String,
    pkg_identifier: Option<Identifier>,
    installed_version: Option<String>,
    fixed_version: Option<String>,
    severity: Option<String>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(rename = "PURL")]
    purl: Option<String>,
}

impl Package {
    /// `1:2.36-9`, as the package manager writes it.
    fn version(&self) -> String {
        let epoch = self.epoch.filter(|epoch| *epoch > 0).map_or(String::new(), |epoch| format!("{epoch}:"));
        let release = self.release.as_ref().filter(|release| !release.is_empty());
        let release = release.map_or(String::new(), |release| format!("-{release}"));
        format!("{epoch}{}{release}", self.version.as_deref().unwrap_or_default())
    }
}

/// Reads a report.
pub fn read(bytes: &[u8]) -> Result<Scan, serde_json::Error> {
    let report: Report = serde_json::from_slice(bytes)?;
    let version = report.trivy.and_then(|trivy| trivy.version);
    let scanner = version.map_or_else(|| "Trivy".to_owned(), |version| format!("Trivy {version}"));
    let mut scan = Scan { scanner, taken: report.created_at, ..Scan::default() };
    let system = report.metadata.and_then(|metadata| metadata.system);
    let system = system
        .map(|Os { family, name }| System { family: family.unwrap_or_default(), version: name.unwrap_or_default() });
    for part in report.results.into_iter().flatten() {
        let manager = match part.class.as_deref() {
            Some("os-pkgs") => of_system(part.kind.as_deref()),
            Some("lang-pkgs") => of_language(part.kind.as_deref()),
            _ => PackageManager::Other,
        };
        if part.class.as_deref() == Some("os-pkgs") {
            let family = part.kind.clone().unwrap_or_default();
            let known = system.as_ref().filter(|system| system.family == family);
            scan.systems.push(known.cloned().unwrap_or_else(|| System { family, ..System::default() }));
        }
        let is_lock =
            matches!(manager, PackageManager::Python | PackageManager::Conda) && !is_record(part.kind.as_deref());
        let name = |name: &str| if manager == PackageManager::Python { normal_name(name) } else { cut(name) };
        let is_of_packages = part.class.as_deref().is_some_and(|class| ["os-pkgs", "lang-pkgs"].contains(&class));
        if is_of_packages && !is_lock {
            let listed = part.packages.map(|all| all.iter().map(|one| (name(&one.name), one.version())).collect());
            let known = scan.covered.entry(manager).or_insert_with(|| listed.is_some().then(HashSet::new));
            match (known, listed) {
                (Some(known), Some(listed)) => known.extend::<HashSet<(String, String)>>(listed),
                // One that does not list them may have looked at all.
                (known, _) => *known = None,
            }
        }
        let told = part.vulnerabilities.into_iter().flatten().map(|told| Vulnerability {
            id: cut(&told.id),
            aliases: told.vendor_ids.into_iter().flatten().map(|id| cut(&id)).collect(),
            package: name(&told.pkg_name),
            manager,
            kind: kind(manager, told.pkg_identifier.and_then(|all| all.purl).as_deref(), part.kind.as_deref()),
            installed: cut(told.installed_version.as_deref().unwrap_or_default()),
            fixed_in: Fact::present(told.fixed_version.as_deref().filter(|fix| !fix.is_empty()).map(cut)),
            severity: severity(told.severity.as_deref()),
        });
        scan.told.extend(told);
    }
    scan.systems.extend(system);
    Ok(scan)
}

/// Whose packages these are. A lock file names what may be installed: it is held against what is.
fn of_language(kind: Option<&str>) -> PackageManager {
    match kind.unwrap_or_default() {
        "python-pkg" | "pip" | "pipenv" | "poetry" | "uv" | "pylock" | "pdm" => PackageManager::Python,
        "conda-pkg" | "conda-environment" => PackageManager::Conda,
        _ => PackageManager::Other,
    }
}

/// Whether what is told is what is installed, and not what a lock file names.
fn is_record(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| ["python-pkg", "conda-pkg"].contains(&kind))
}

/// Who installs the packages of a distribution, as Trivy calls them.
fn of_system(family: Option<&str>) -> PackageManager {
    match family.unwrap_or_default() {
        "debian" | "ubuntu" => PackageManager::Dpkg,
        "alpine" | "wolfi" | "chainguard" => PackageManager::Apk,
        "" => PackageManager::Other,
        _ => PackageManager::Rpm,
    }
}
