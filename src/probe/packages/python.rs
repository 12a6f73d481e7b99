//! Python packages: `.dist-info` and `.egg-info` in the folders that interpreters look into.

use std::collections::BTreeSet;

use super::{Depth, Time, add, conda};
use crate::facts::{Fact, Gap, GapKind, Installed, Inventory, Licence, PackageManager, cut};
use crate::probe::framework::packages::{distributions, normal_name};
use crate::world::World;

/// Bytes of `METADATA` that are read: its fields come first, then a description of any length.
const FIELDS_LIMIT: u64 = 256 << 10;
/// Bytes of `RECORD` that are read. PyTorch's has one and a half million.
const RECORD_LIMIT: u64 = 16 << 20;
/// What installs for a user, as `INSTALLER` calls it; in a folder of the system anything else is the system's.
const OF_USERS: [&str; 5] = ["pip", "uv", "poetry", "pdm", "installer"];

/// Reads every folder.
pub fn read(time: &Time<'_>, folders: &[String], depth: Depth, inventory: &mut Inventory) {
    let system = [PackageManager::Dpkg, PackageManager::Apk, PackageManager::Rpm];
    let system = system.into_iter().find(|manager| inventory.managers.contains(manager));
    let conda = conda::prefixes(time, folders);
    for folder in folders {
        let found = match entries(time.world, folder) {
            Fact::Known(found) => found,
            Fact::Absent => continue,
            Fact::Unknown(gap) => {
                inventory.note(PackageManager::Python, Some(gap));
                continue;
            }
        };
        if !found.is_empty() {
            inventory.note(PackageManager::Python, None);
        }
        let is_of_conda = conda::prefix_of(folder).is_some_and(|prefix| conda.contains(prefix));
        let owner = Owner { system: system.filter(|_| is_of_system(folder)), is_of_conda };
        for (name, version, entry) in found {
            if let Some(gap) = time.up() {
                inventory.note(PackageManager::Python, Some(gap));
                return;
            }
            let place = format!("{folder}/{entry}");
            let brought_by = owner.of(time.world, &place);
            let mut package =
                Installed { manager: PackageManager::Python, name, version, place, brought_by, ..Installed::default() };
            match depth {
                Depth::Sizes if brought_by.is_none() => package.bytes = recorded_bytes(time.world, &package.place),
                Depth::Sizes => {}
                Depth::Licences => {
                    package.licence = fields(time.world, &package.place).and_then(|fields| licence(&fields));
                }
            }
            add(inventory, package);
        }
    }
}

/// Whether the system's package manager installs into this folder; `dist-packages` under `/usr/local` is pip's.
fn is_of_system(folder: &str) -> bool {
    folder.starts_with("/usr/lib/python3") || folder.starts_with("/usr/lib64/python3")
}

/// Who else may have installed what lies in a folder.
struct Owner {
    system: Option<PackageManager>,
    is_of_conda: bool,
}

impl Owner {
    fn of(&self, world: &World, place: &str) -> Option<PackageManager> {
        if self.system.is_none() && !self.is_of_conda {
            return None;
        }
        let installer = world.read_line(format!("{place}/INSTALLER"));
        let installer = installer.known().map_or("", String::as_str);
        match self.system {
            _ if installer == "conda" => Some(PackageManager::Conda),
            Some(system) if !OF_USERS.contains(&installer) => Some(system),
            _ => None,
        }
    }
}

/// Name, version and entry of each distribution, each once.
fn entries(world: &World, folder: &str) -> Fact<Vec<(String, String, String)>> {
    let whole = distributions(world, folder);
    whole.and_then(|whole| {
        let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
        let mut found = Vec::new();
        for one in whole {
            if seen.insert((one.name.clone(), one.version.clone())) {
                found.push((one.name, one.version, one.entry));
            }
        }
        world.list(folder).map(|names| {
            for entry in names.into_iter().filter(|name| name.ends_with(".egg-info")) {
                if let Some((name, version)) = egg(world, folder, &entry)
                    && seen.insert((name.clone(), version.clone()))
                {
                    found.push((name, version, entry));
                }
            }
            found
        })
    })
}

/// `name-1.0-py3.11.egg-info`; what was installed from a working copy says its version only inside.
fn egg(world: &World, folder: &str, entry: &str) -> Option<(String, String)> {
    let stem = entry.strip_suffix(".egg-info")?;
    if stem.starts_with('~') {
        return None;
    }
    if let Some((name, rest)) = stem.split_once('-').filter(|(name, _)| !name.is_empty()) {
        let version = rest.split_once("-py").map_or(rest, |(version, _)| version);
        return Some((normal_name(name), cut(version)));
    }
    let fields = fields(world, &format!("{folder}/{entry}"))?;
    Some((normal_name(stem), cut(field(&fields, "Version").next()?)))
}

/// The fields of `METADATA` or `PKG-INFO`, which end at the first empty line; an old `.egg-info` is that file itself. None
/// where they cannot be read, or go on beyond what is read.
fn fields(world: &World, place: &str) -> Option<String> {
    let places = [format!("{place}/METADATA"), format!("{place}/PKG-INFO"), place.to_owned()];
    let bytes = places.iter().find_map(|place| match world.read_bytes(place, FIELDS_LIMIT) {
        Fact::Known(bytes) => Some(Some(bytes)),
        Fact::Unknown(gap) if gap.kind == GapKind::NotPermitted => Some(None),
        Fact::Absent | Fact::Unknown(_) => None,
    });
    // Without a file nothing is said, and nothing is hidden.
    let Some(bytes) = bytes else { return Some(String::new()) };
    let bytes = bytes?;
    let text = String::from_utf8_lossy(&bytes);
    let end = text.find("\n\n").or_else(|| text.find("\n\r\n"));
    let is_whole = end.is_some() || (bytes.len() as u64) < FIELDS_LIMIT;
    is_whole.then(|| text.get(..end.unwrap_or(text.len())).unwrap_or_default().to_owned())
}

/// The values of a field.
fn field<'a>(fields: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let value = move |line: &'a str| line.strip_prefix(name)?.strip_prefix(':').map(str::trim);
    fields.lines().filter_map(value).filter(|value| !value.is_empty() && *value != "UNKNOWN")
}

/// The expression of SPDX, else the licence in words where they are few: some put the whole text there.
fn licence(fields: &str) -> Option<Licence> {
    if let Some(expression) = field(fields, "License-Expression").next() {
        return Some(Licence::Expression(cut(expression)));
    }
    let words = field(fields, "License").next().filter(|words| words.chars().count() <= 64);
    words.map(|words| Licence::Named(words.to_owned()))
}

/// Names of the distributions that it requires without being asked for more; none where that cannot be read.
pub fn requires(world: &World, place: &str) -> Option<Vec<String>> {
    let fields = fields(world, place)?;
    let required = field(&fields, "Requires-Dist").filter(|required| !required.contains("extra ==")).map(|required| {
        let end = required.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        normal_name(required.get(..end.unwrap_or(required.len())).unwrap_or_default())
    });
    Some(required.collect())
}

/// The sizes that `RECORD` says of files in its own folder; what it says of others, as `../../etc`, is nobody's business.
fn recorded_bytes(world: &World, place: &str) -> Option<u64> {
    let bytes = world.read_bytes(format!("{place}/RECORD"), RECORD_LIMIT + 1).known()?.clone();
    if bytes.len() as u64 > RECORD_LIMIT {
        return None;
    }
    let text = String::from_utf8_lossy(&bytes);
    let size = |line: &str| {
        let (rest, size) = line.rsplit_once(',')?;
        let is_outside = rest.starts_with('/') || rest.split([',', '/', '"']).any(|part| part == "..");
        size.trim().parse::<u64>().ok().filter(|_| !is_outside)
    };
    let total = text.lines().filter_map(size).fold(0_u64, u64::saturating_add);
    Some(total).filter(|total| *total > 0)
}

/// The gap where somebody's requirements cannot be read.
pub fn unread() -> Gap {
    Gap::new(GapKind::NotSupported, "it could not be read which Python packages require which")
}
