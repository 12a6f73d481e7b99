//! rpm: that its database is here. It is one of `SQLite`, ndb or Berkeley DB, and to read it would bring a whole database
//! engine in C into the program, so it is not read, which is said.

use crate::facts::{Fact, Gap, GapKind, Inventory, PackageManager};
use crate::world::World;

const FOLDERS: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const FILES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];

/// Notes a database that is here.
pub fn read(world: &World, inventory: &mut Inventory) {
    let mut places = FOLDERS.iter().flat_map(|folder| FILES.map(|file| format!("{folder}/{file}")));
    if let Some(place) = places.find(|place| world.exists(place) == Fact::Known(true)) {
        let gap = Gap::new(GapKind::NotSupported, format!("the database of rpm, {place}, is here and is not read"));
        inventory.note(PackageManager::Rpm, Some(gap));
    }
}
