//! Grype's report: one match for each vulnerability of a package. What it looked at and found sound it does not list, so only
//! the distribution that it saw tells that it saw the packages of one.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::kinds::kind;
use super::system::{System, brings};
use super::{Scan, severity};
use crate::facts::{Fact, PackageManager, Vulnerability, cut};
use crate::probe::framework::packages::normal_name;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    matches: Vec<Match>,
    /// Those that its own rules left out.
    ignored_matches: Option<Vec<IgnoredAny>>,
    distro: Option<Distro>,
    descriptor: Descriptor,
}

#[derive(Deserialize)]
struct Distro {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Descriptor {
    name: Option<String>,
    version: Option<String>,
    timestamp: Option<String>,
    configuration: Option<Configuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Configuration {
    only_fixed: Option<bool>,
    only_notfixed: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    vulnerability: Told,
    related_vulnerabilities: Option<Vec<Related>>,
    artifact: Artifact,
}

#[derive(Deserialize)]
struct Told {
    id: String,
    severity: Option<String>,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    versions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Related {
    id: String,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    version: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    purl: Option<String>,
}

/// Reads a report.
pub fn read(bytes: &[u8]) -> Result<Scan, serde_json::Error> {
    let report: Report = serde_json::from_slice(bytes)?;
    let Descriptor { name, version, timestamp, configuration } = report.descriptor;
    let words =
        [name.filter(|name| name != "grype").unwrap_or_else(|| "Grype".to_owned()), version.unwrap_or_default()];
    let mut scan = Scan { scanner: words.join(" ").trim_end().to_owned(), taken: timestamp, ..Scan::default() };
    let distro = report.distro.map(|Distro { name, version }| System {
        family: name.unwrap_or_default(),
        version: version.unwrap_or_default(),
    });
    let distro = distro.filter(|system| !system.family.is_empty());
    for manager in PackageManager::ALL {
        if brings(*manager) && distro.is_none() {
            scan.uncovered.insert(*manager, "the report names no distribution".to_owned());
        } else {
            scan.covered.insert(*manager, None);
        }
    }
    let ignored = report.ignored_matches.map_or(0, |ignored| ignored.len());
    let is_part = configuration.is_some_and(|asked| [asked.only_fixed, asked.only_notfixed].contains(&Some(true)));
    if ignored > 0 {
        scan.left_out = Some(format!("the report left out {ignored} of its matches by rules of its own"));
    } else if is_part {
        scan.left_out =
            Some("the report tells only of those that have a fix, or only of those that have none".to_owned());
    }
    scan.systems.extend(distro);
    scan.told = report.matches.into_iter().map(vulnerability).collect();
    Ok(scan)
}

fn vulnerability(one: Match) -> Vulnerability {
    let manager = match one.artifact.kind.as_deref() {
        Some("deb") => PackageManager::Dpkg,
        Some("apk") => PackageManager::Apk,
        Some("rpm") => PackageManager::Rpm,
        // What a lock file names is of Python too: it is missed where it is not installed.
        Some("python" | "wheel" | "egg") => PackageManager::Python,
        Some("conda") => PackageManager::Conda,
        _ => PackageManager::Other,
    };
    let name = &one.artifact.name;
    let fixes = one.vulnerability.fix.and_then(|fix| fix.versions).unwrap_or_default();
    let id = cut(&one.vulnerability.id);
    let related = one.related_vulnerabilities.into_iter().flatten().map(|related| cut(&related.id));
    Vulnerability {
        aliases: related.filter(|alias| *alias != id).collect(),
        id,
        package: if manager == PackageManager::Python { normal_name(name) } else { cut(name) },
        manager,
        kind: kind(manager, one.artifact.purl.as_deref(), one.artifact.kind.as_deref()),
        installed: cut(one.artifact.version.as_deref().unwrap_or_default()),
        fixed_in: Fact::present((!fixes.is_empty()).then(|| cut(&fixes.join(", ")))),
        severity: severity(one.vulnerability.severity.as_deref()),
    }
}
