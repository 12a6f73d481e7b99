//! What is installed, under the names by which advisories speak of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::order::{Parsed, Scheme};
use super::osv::PYPI;
use crate::facts::{Inventory, PackageManager};

/// A package whose version is held against advisories.
#[derive(Debug)]
pub struct Subject {
    /// Who installed it.
    pub manager: PackageManager,
    /// Its name, of dpkg that of the source package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The same, to be compared.
    pub parsed: Option<Parsed>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Wanted {
    /// By ecosystem and name.
    subjects: HashMap<String, HashMap<String, Vec<Subject>>>,
    /// The ecosystem of the system's packages.
    system: Option<String>,
}

impl Wanted {
    /// The packages of an inventory that have an ecosystem of advisories whose versions are compared.
    pub fn of(inventory: &Inventory) -> Self {
        let mut wanted = Self { system: system(inventory), ..Self::default() };
        let mut seen = HashSet::new();
        for package in &inventory.packages {
            let (ecosystem, scheme) = match (package.manager, &wanted.system) {
                // A distribution mends a package without raising its version, and has advisories of its own.
                (PackageManager::Python, _) if is_of_system(package.brought_by) => continue,
                (PackageManager::Python, _) => (PYPI.to_owned(), Scheme::Pep440),
                (PackageManager::Dpkg, Some(system)) => (system.clone(), Scheme::Dpkg),
                _ => continue,
            };
            let own = (package.name.clone(), package.version.clone());
            let (name, version) = package.source.clone().unwrap_or(own);
            if seen.insert((package.manager, name.clone(), version.clone())) {
                let parsed = Parsed::read(scheme, &version);
                let subject = Subject { manager: package.manager, name: name.clone(), version, parsed };
                wanted.subjects.entry(ecosystem).or_default().entry(name).or_default().push(subject);
            }
        }
        wanted
    }

    /// Whether a package of this name is installed.
    pub fn has(&self, ecosystem: &str, name: &str) -> bool {
        self.subjects.get(ecosystem).is_some_and(|names| names.contains_key(name))
    }

    /// Its versions.
    pub fn subjects(&self, ecosystem: &str, name: &str) -> &[Subject] {
        self.subjects.get(ecosystem).and_then(|names| names.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Whose packages were held against advisories of these ecosystems, and whose were not, and why.
    pub fn matched(&self, inventory: &Inventory, ecosystems: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
        let (mut matched, mut unmatched) = (Vec::new(), Vec::new());
        for manager in PackageManager::ALL.iter().filter(|manager| inventory.of(**manager).next().is_some()) {
            let ecosystem = match manager {
                PackageManager::Python => Ok(PYPI),
                PackageManager::Dpkg => self.system.as_deref().ok_or("no release of Debian or Ubuntu is named here"),
                PackageManager::Apk => Err("its versions are not compared"),
                PackageManager::Rpm | PackageManager::Other => Err("its packages are not read"),
                PackageManager::Conda => Err("only its Python packages are looked at, as those of PyPI"),
            };
            match ecosystem {
                Ok(ecosystem) if ecosystems.contains(ecosystem) => matched.push(format!("{manager} ({ecosystem})")),
                Ok(ecosystem) => unmatched.push(format!("{manager}: the advisories have none of {ecosystem}")),
                Err(why) => unmatched.push(format!("{manager}: {why}")),
            }
        }
        (matched, unmatched)
    }
}

fn is_of_system(brought_by: Option<PackageManager>) -> bool {
    brought_by.is_some_and(|manager| manager != PackageManager::Conda)
}

/// `Debian:12` or `Ubuntu:24.04`.
fn system(inventory: &Inventory) -> Option<String> {
    let name = match inventory.system.as_str() {
        "debian" => "Debian",
        "ubuntu" => "Ubuntu",
        _ => return None,
    };
    let version = &inventory.system_version;
    (!version.is_empty()).then(|| format!("{name}:{version}"))
}
