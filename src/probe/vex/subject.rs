//! What statements are held against: each vulnerability, with what of it is installed.

use std::collections::{BTreeSet, HashMap};

use super::Statement;
use crate::facts::{Installed, Inventory, PackageManager, Vulnerability};

/// A vulnerability, with what is installed of its package.
pub struct Subject<'a> {
    pub one: &'a Vulnerability,
    /// The packages that are it, or that are built from it.
    pub built: &'a [&'a Installed],
    pub inventory: &'a Inventory,
}

/// What is installed, by name and version of the package and of its source. Documents and images are long: each is walked
/// once.
pub struct Installation<'a> {
    inventory: &'a Inventory,
    built: HashMap<(PackageManager, &'a str, &'a str), Vec<&'a Installed>>,
}

impl<'a> Installation<'a> {
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut built: HashMap<_, Vec<&Installed>> = HashMap::new();
        for package in &inventory.packages {
            let own = (package.name.as_str(), package.version.as_str());
            let source = package.source.as_ref().map(|(name, version)| (name.as_str(), version.as_str()));
            for (name, version) in std::iter::once(own).chain(source.filter(|source| *source != own)) {
                built.entry((package.manager, name, version)).or_default().push(package);
            }
        }
        Self { inventory, built }
    }

    pub fn subject<'b>(&'b self, one: &'b Vulnerability) -> Subject<'b> {
        let built = self.built.get(&(one.manager, one.package.as_str(), one.installed.as_str()));
        Subject { one, built: built.map_or(&[], Vec::as_slice), inventory: self.inventory }
    }
}

/// Statements by the names of the vulnerabilities that they are about.
pub struct ByName<'a>(HashMap<&'a str, Vec<(usize, &'a Statement)>>);

impl<'a> ByName<'a> {
    pub fn of(statements: &'a [Statement]) -> Self {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for (number, statement) in statements.iter().enumerate() {
            for name in statement.names.iter().map(String::as_str).collect::<BTreeSet<_>>() {
                all.entry(name).or_default().push((number, statement));
            }
        }
        Self(all)
    }

    /// Those about a vulnerability of one of these names, by number, that mean this package.
    pub fn about(&self, names: &BTreeSet<&str>, subject: &Subject) -> Vec<(usize, &'a Statement)> {
        let all = names.iter().filter_map(|name| self.0.get(name)).flatten();
        let mut all: Vec<_> = all.copied().collect();
        all.sort_by_key(|(number, _)| *number);
        all.dedup_by_key(|(number, _)| *number);
        all.retain(|(_, statement)| statement.means(subject));
        all
    }
}
