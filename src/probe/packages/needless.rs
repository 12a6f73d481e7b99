//! Packages that no workload needs while it runs, and that no other package requires.

use std::collections::HashSet;

use super::{Time, found, python};
use crate::facts::reference::needless::kind;
use crate::facts::{Fact, Installed, Inventory, NeedlessPackage, PackageManager};
use crate::world::World;

/// The packages, and the bytes that they take together.
pub fn find(world: &World, inventory: &Inventory) -> (Fact<Vec<NeedlessPackage>>, Fact<u64>) {
    let is_candidate = |package: &Installed| kind(package.manager, &package.name).is_some();
    let any = |manager| inventory.of(manager).any(is_candidate);
    let mut needed: HashSet<(PackageManager, String)> = HashSet::new();
    let mut gap = inventory.gaps.first().map(|(_, gap)| gap.clone());
    for package in &inventory.packages {
        // What nobody needs may require what it likes.
        if !is_candidate(package) {
            needed.extend(package.requires.iter().map(|name| (package.manager, name.clone())));
        }
    }
    let mut asked = [PackageManager::Dpkg, PackageManager::Apk].to_vec();
    if any(PackageManager::Python) || any(PackageManager::Conda) {
        match required_by_python(world, inventory) {
            Some(names) => {
                needed.extend(names.iter().map(|name| (PackageManager::Conda, name.clone())));
                needed.extend(names.into_iter().map(|name| (PackageManager::Python, name)));
                asked.extend([PackageManager::Python, PackageManager::Conda]);
            }
            None => gap = gap.or_else(|| Some(python::unread())),
        }
    }
    let own = inventory.packages.iter().filter(|package| package.brought_by.is_none());
    let is_needless = |package: &&Installed| {
        asked.contains(&package.manager) && !needed.contains(&(package.manager, package.name.clone()))
    };
    let mut all: Vec<NeedlessPackage> = own.filter(is_needless).filter_map(told).collect();
    all.sort_by_key(|package| std::cmp::Reverse(package.installed_bytes.known().copied()));
    let bytes =
        all.iter().filter_map(|package| package.installed_bytes.known()).fold(0, |a: u64, b| a.saturating_add(*b));
    let bytes = match &gap {
        Some(gap) if all.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Known(bytes),
    };
    (found(all, gap.as_ref()), bytes)
}

fn told(package: &Installed) -> Option<NeedlessPackage> {
    Some(NeedlessPackage {
        name: package.name.clone(),
        manager: package.manager,
        kind: kind(package.manager, &package.name)?,
        installed_bytes: Fact::present(package.bytes),
    })
}

/// What other Python packages require: one of conda has the same metadata. None where that cannot be read of all.
fn required_by_python(world: &World, inventory: &Inventory) -> Option<Vec<String>> {
    let time = Time::begin(world);
    let mut names = Vec::new();
    for package in inventory.of(PackageManager::Python) {
        if kind(PackageManager::Python, &package.name).is_some() {
            continue;
        }
        if time.up().is_some() {
            return None;
        }
        names.extend(python::requires(world, &package.place)?);
    }
    Some(names)
}
