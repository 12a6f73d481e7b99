//! apk: `/lib/apk/db/installed`, or under `/usr/lib` since apk 3.

use super::{add, changed, record};
use crate::facts::{Fact, Installed, Inventory, Licence, PackageManager, cut};
use crate::world::World;

const PLACES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// Reads what apk knows to be installed.
pub fn read(world: &World, inventory: &mut Inventory) {
    // With `/lib` a link to `/usr/lib` both are one file.
    let read = PLACES.iter().map(|place| (place, record(world, place))).find(|(_, read)| !read.is_absent());
    match read {
        Some((place, Fact::Known(bytes))) => {
            inventory.note(PackageManager::Apk, None);
            inventory.changed_seconds = changed(world, place);
            paragraphs(&String::from_utf8_lossy(&bytes), inventory);
        }
        Some((_, Fact::Unknown(gap))) => inventory.note(PackageManager::Apk, Some(gap)),
        Some((_, Fact::Absent)) | None => {}
    }
}

/// Lines of a letter, a colon and a value; an empty line ends a package.
fn paragraphs(text: &str, inventory: &mut Inventory) {
    let mut package = Installed::default();
    for line in text.lines() {
        match line.split_once(':') {
            None if line.is_empty() => finish(std::mem::take(&mut package), inventory),
            None => {}
            Some((key, value)) => field(&mut package, key, value),
        }
    }
    finish(package, inventory);
}

fn field(package: &mut Installed, key: &str, value: &str) {
    match key {
        "P" => package.name = cut(value),
        "V" => package.version = cut(value),
        "A" => package.architecture = Some(cut(value)),
        "I" => package.bytes = value.parse().ok(),
        "L" => package.licence = Some(Licence::Named(cut(value))).filter(|_| !value.is_empty()),
        "o" => package.source = Some((cut(value), package.version.clone())),
        "D" => {
            let name = |word: &str| cut(word.split(['<', '>', '=', '~']).next().unwrap_or(word));
            package.requires = value.split_whitespace().filter(|word| !word.starts_with('!')).map(name).collect();
        }
        _ => {}
    }
}

fn finish(mut package: Installed, inventory: &mut Inventory) {
    if package.name.is_empty() || package.version.is_empty() {
        return;
    }
    package.manager = PackageManager::Apk;
    package.source = package.source.filter(|(name, _)| *name != package.name);
    add(inventory, package);
}
