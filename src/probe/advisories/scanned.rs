//! A report of a scanner, in the place of advisories: Trivy (`trivy image -f json`) or Grype (`grype -o json`), known by its
//! shape.
//!
//! What it tells is put into our words, and held against what is installed here: a report of another image, an older one, or
//! one of a scanner that left packages out is no answer for what it does not have.

mod grype;
mod kinds;
mod system;
mod trivy;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Answer;
use crate::facts::{
    Advisories, Fact, Gap, GapKind, Installed, Inventory, PackageManager, Vulnerability, VulnerabilitySeverity, cut,
};
use crate::world::World;
use system::{System, brings};

/// Bytes of a report.
const LIMIT: u64 = 64 << 20;
/// Vulnerabilities, and packages, of one.
const LIST_MAX: usize = 200_000;

/// What a report says, in the words of no scanner.
#[derive(Default)]
struct Scan {
    /// The scanner, with its version where the report says it.
    scanner: String,
    /// When it was made, as it says.
    taken: Option<String>,
    told: Vec<Vulnerability>,
    /// Whose packages were looked at, and those that were where they are listed.
    covered: HashMap<PackageManager, Option<HashSet<(String, String)>>>,
    /// The distributions that it speaks of.
    systems: Vec<System>,
    /// Why the packages of a manager were not.
    uncovered: HashMap<PackageManager, String>,
    /// What it did not tell of all that it found.
    left_out: Option<String>,
}

/// As much as tells whose it is.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "SchemaVersion")]
    schema: Option<u64>,
    matches: Option<Vec<IgnoredAny>>,
    descriptor: Option<IgnoredAny>,
}

/// What a report says of an inventory.
pub fn hold(world: &World, path: &Path, inventory: &Inventory) -> Answer {
    match read(world, path) {
        Ok(scan) => answer(scan, inventory),
        Err(gap) => {
            let (advisories, vulnerabilities) = (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()));
            Answer { advisories, vulnerabilities, gap: Some(gap) }
        }
    }
}

/// Whether a report lies at a path.
pub fn seen(world: &World, path: &Path) -> Result<(), Gap> {
    read(world, path).map(|_| ())
}

fn read(world: &World, path: &Path) -> Result<Scan, Gap> {
    let wrong = |why: &dyn std::fmt::Display| Gap::new(GapKind::Malformed, format!("{}: {why}", path.display()));
    let bytes = match world.read_bytes(path, LIMIT + 1) {
        Fact::Known(bytes) if bytes.len() as u64 > LIMIT => {
            return Err(wrong(&"is larger than the 64 MiB that are read"));
        }
        Fact::Known(bytes) => bytes,
        Fact::Absent => return Err(wrong(&"there is no such file")),
        Fact::Unknown(gap) => return Err(gap),
    };
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| wrong(&error))?;
    let scan = match head {
        Head { schema: Some(2), .. } => trivy::read(&bytes),
        Head { schema: Some(other), .. } => {
            return Err(wrong(&format!("is a report of Trivy in form {other}, and form 2 is read")));
        }
        Head { matches: Some(_), descriptor: Some(_), .. } => grype::read(&bytes),
        _ => {
            return Err(wrong(&"is no report of Trivy or Grype; `trivy image -f json` and `grype -o json` make one"));
        }
    };
    let scan = scan.map_err(|error| wrong(&error))?;
    let listed = scan.covered.values().flatten().map(HashSet::len).sum::<usize>();
    if scan.told.len().max(listed) > LIST_MAX {
        return Err(wrong(&format!("lists more than the {LIST_MAX} vulnerabilities and packages that are read")));
    }
    Ok(scan)
}

/// Holds what a report tells against what is installed.
fn answer(scan: Scan, inventory: &Inventory) -> Answer {
    let count = scan.told.len() as u64;
    let here = by_name(inventory);
    let another = scan.systems.iter().find_map(|system| system.is_another(inventory));
    let mut found = Merged::default();
    let mut strange = Vec::new();
    for one in scan.told {
        let key = (one.manager, one.package.clone(), one.installed.clone());
        match here.get(&key) {
            Some(package) => found.add(of_source(one, package)),
            // What is in another image says nothing of what nobody reads in this one.
            None if another.is_some() && !is_read(inventory, one.manager) => {}
            // Whose packages are not read here, or not all of them, cannot be missed.
            None if !is_read(inventory, one.manager) => found.add(one),
            None => strange.push(format!("{} {}", one.package, one.installed)),
        }
    }
    let (mut matched, mut unmatched) = (Vec::new(), Vec::new());
    // A scanner may have read what we could not, as rpm's database.
    let is_here =
        |manager: &&PackageManager| inventory.of(**manager).next().is_some() || inventory.gap(**manager).is_some();
    for manager in PackageManager::ALL.iter().filter(is_here) {
        let left = match (scan.covered.get(manager), scan.uncovered.get(manager)) {
            // A report of another image, unless it lists what is installed.
            (listed, _) if another.is_some() && (brings(*manager) || listed == Some(&None)) => another.clone(),
            (Some(Some(listed)), _) => left_out(inventory, *manager, listed),
            (Some(None), _) => None,
            (None, Some(why)) => Some(why.clone()),
            (None, None) => Some("the report says nothing of its packages".to_owned()),
        };
        match left {
            None => matched.push(format!("{manager} ({})", scan.scanner)),
            Some(why) => unmatched.push(format!("{manager}: {why}")),
        }
    }
    let is_said = |why: &&String| unmatched.iter().any(|line| line.ends_with(why.as_str()));
    unmatched.extend(another.as_ref().filter(|why| !is_said(why)).cloned());
    unmatched.extend(scan.left_out);
    if scan.covered.is_empty() && unmatched.is_empty() {
        unmatched.push("the report says of no package that it was looked at".to_owned());
    }
    strange.sort();
    strange.dedup();
    if let Some(sample) = strange.first() {
        unmatched.push(format!("{} packages of the report are not installed here, as {sample}", strange.len()));
    }
    let gap = unmatched.first().map(|why| Gap::new(GapKind::NotSupported, cut(why)));
    let found = found.finish();
    let vulnerabilities = match &gap {
        Some(gap) if found.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Known(found),
    };
    let advisories = Advisories {
        count,
        newest: Fact::Absent,
        scanner: Fact::Known(cut(&scan.scanner)),
        taken: Fact::present(scan.taken.as_deref().map(cut)),
        matched: matched.iter().map(|text| cut(text)).collect(),
        unmatched: unmatched.iter().map(|text| cut(text)).collect(),
    };
    Answer { advisories: Fact::Known(advisories), vulnerabilities, gap }
}

type Key = (PackageManager, String, String);

fn by_name(inventory: &Inventory) -> HashMap<Key, &Installed> {
    let key = |package: &Installed| (package.manager, package.name.clone(), package.version.clone());
    inventory.packages.iter().map(|package| (key(package), package)).collect()
}

/// Whether every package of a manager is known here.
fn is_read(inventory: &Inventory, manager: PackageManager) -> bool {
    !matches!(manager, PackageManager::Rpm | PackageManager::Other) && inventory.gap(manager).is_none()
}

/// Advisories speak of source packages; a scanner tells each package that was built from one.
fn of_source(mut one: Vulnerability, package: &Installed) -> Vulnerability {
    if let (PackageManager::Dpkg, Some((name, version))) = (one.manager, &package.source) {
        (one.package, one.installed) = (name.clone(), version.clone());
    }
    one
}

/// What of a manager's packages the report does not list. What another manager brought is that one's.
fn left_out(inventory: &Inventory, manager: PackageManager, listed: &HashSet<(String, String)>) -> Option<String> {
    let own: Vec<&Installed> = inventory.of(manager).filter(|package| package.brought_by.is_none()).collect();
    let is_missing = |package: &&&Installed| !listed.contains(&(package.name.clone(), package.version.clone()));
    let missing: Vec<&&Installed> = own.iter().filter(is_missing).collect();
    let sample = missing.first()?;
    let (count, all) = (missing.len(), own.len());
    Some(format!("{count} of {all} packages are not in the report, as {} {}", sample.name, sample.version))
}

/// Vulnerabilities, those of one package with a common name as one.
#[derive(Default)]
struct Merged {
    all: Vec<Vulnerability>,
    by_name: HashMap<(Key, Option<String>, String), usize>,
}

impl Merged {
    fn add(&mut self, one: Vulnerability) {
        let key = (one.manager, one.package.clone(), one.installed.clone());
        let of = |name: &str| (key.clone(), one.kind.known().cloned(), name.to_owned());
        let names: Vec<String> = std::iter::once(&one.id).chain(&one.aliases).cloned().collect();
        let known = names.iter().find_map(|name| self.by_name.get(&of(name)).copied());
        let entries: Vec<_> = names.iter().map(|name| of(name)).collect();
        let at = known.unwrap_or(self.all.len());
        if let Some(same) = self.all.get_mut(at) {
            let is_new = |name: &&String| **name != same.id && !same.aliases.contains(name);
            let new: Vec<String> = names.iter().filter(is_new).cloned().collect();
            same.aliases.extend(new);
            same.severity = same.severity.min(one.severity);
            if same.fixed_in.is_absent() {
                same.fixed_in = one.fixed_in;
            }
        } else {
            self.all.push(one);
        }
        self.by_name.extend(entries.into_iter().map(|entry| (entry, at)));
    }

    fn finish(mut self) -> Vec<Vulnerability> {
        self.all.sort_by(|a, b| (a.severity, &a.package, &a.id).cmp(&(b.severity, &b.package, &b.id)));
        self.all
    }
}

/// The word of a scanner.
fn severity(word: Option<&str>) -> VulnerabilitySeverity {
    word.and_then(super::osv::word).unwrap_or(VulnerabilitySeverity::Unrated)
}

#[cfg(test)]
#[path = "scanned/tests.rs"]
mod tests;
