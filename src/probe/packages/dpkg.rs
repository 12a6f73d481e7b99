//! dpkg: `/var/lib/dpkg/status`, and one file a package under `status.d` in distroless images.

use super::{add, changed, record};
use crate::facts::{Fact, Gap, GapKind, Installed, Inventory, PackageManager, cut};
use crate::world::World;

const STATUS: &str = "/var/lib/dpkg/status";
const PIECES: &str = "/var/lib/dpkg/status.d";
/// Packages of `status.d` that are read; each has two files at most.
const PIECES_MAX: usize = 10_000;

/// Reads what dpkg knows to be installed.
pub fn read(world: &World, inventory: &mut Inventory) {
    match record(world, STATUS) {
        Fact::Known(bytes) => {
            inventory.note(PackageManager::Dpkg, None);
            inventory.changed_seconds = changed(world, STATUS);
            stanzas(&String::from_utf8_lossy(&bytes), inventory);
        }
        Fact::Absent => {}
        Fact::Unknown(gap) => inventory.note(PackageManager::Dpkg, Some(gap)),
    }
    let names = match world.list(PIECES) {
        Fact::Known(names) => names,
        Fact::Absent => return,
        Fact::Unknown(gap) => return inventory.note(PackageManager::Dpkg, Some(gap)),
    };
    let more = names.len() > 2 * PIECES_MAX;
    let gap = more.then(|| Gap::new(GapKind::NotSupported, format!("{PIECES} holds more than is read")));
    inventory.note(PackageManager::Dpkg, gap);
    for name in names.iter().take(2 * PIECES_MAX).filter(|name| !name.ends_with(".md5sums")) {
        match world.read(format!("{PIECES}/{name}")) {
            Fact::Known(text) => stanzas(&text, inventory),
            Fact::Absent => {}
            Fact::Unknown(gap) => inventory.note(PackageManager::Dpkg, Some(gap)),
        }
    }
}

/// Paragraphs that an empty line ends.
fn stanzas(text: &str, inventory: &mut Inventory) {
    let mut stanza = Stanza::default();
    for line in text.lines() {
        if line.trim().is_empty() {
            std::mem::take(&mut stanza).finish(inventory);
        } else if let Some((name, value)) = line.split_once(':') {
            // What continues a field begins with a space, and none of these fields is continued.
            stanza.field(name, value.trim());
        }
    }
    stanza.finish(inventory);
}

#[derive(Default)]
struct Stanza {
    package: Installed,
    /// Its state is no other than installed.
    is_gone: bool,
}

impl Stanza {
    fn field(&mut self, name: &str, value: &str) {
        let package = &mut self.package;
        match name {
            "Package" => package.name = cut(value),
            "Version" => package.version = cut(value),
            "Architecture" => package.architecture = Some(cut(value)),
            "Status" => self.is_gone = value.split_whitespace().nth(2) != Some("installed"),
            // In KiB, as `du` counts.
            "Installed-Size" => package.bytes = value.parse::<u64>().ok().and_then(|size| size.checked_mul(1024)),
            "Source" => {
                let (name, version) = value.split_once('(').unwrap_or((value, ""));
                package.source = Some((cut(name.trim()), cut(version.trim_end_matches(')').trim())));
            }
            "Depends" | "Pre-Depends" => package.requires.extend(required(value)),
            _ => {}
        }
    }

    fn finish(mut self, inventory: &mut Inventory) {
        let package = &mut self.package;
        if self.is_gone || package.name.is_empty() || package.version.is_empty() {
            return;
        }
        package.manager = PackageManager::Dpkg;
        if let Some((_, version)) = &mut package.source
            && version.is_empty()
        {
            version.clone_from(&package.version);
        }
        add(inventory, self.package);
    }
}

/// Every name in a list such as `libc6 (>= 2.34), vim | nano:any`.
fn required(value: &str) -> impl Iterator<Item = String> {
    let name = |one: &str| one.trim().split([' ', '(', ':']).next().map(cut);
    value.split([',', '|']).filter_map(name).filter(|name| !name.is_empty())
}
