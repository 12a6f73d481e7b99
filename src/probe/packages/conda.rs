//! conda: one file of JSON a package in `conda-meta` of each environment.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Depth, Time, add};
use crate::facts::{Fact, Gap, GapKind, Installed, Inventory, Licence, PackageManager, cut};

/// Bytes of one of these files that are read: it lists every file of its package.
const FILE_LIMIT: u64 = 32 << 20;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta {
    license: Option<String>,
    channel: Option<String>,
    subdir: Option<String>,
    paths_data: Paths,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Paths {
    paths: Vec<Entry>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    size_in_bytes: Option<u64>,
}

/// Environments that the environment names, the usual one, and those that hold Python packages.
pub fn prefixes(time: &Time<'_>, folders: &[String]) -> BTreeSet<String> {
    let mut prefixes = BTreeSet::from(["/opt/conda".to_owned()]);
    prefixes.extend(time.world.env("CONDA_PREFIX").filter(|prefix| prefix.starts_with('/')));
    prefixes.extend(folders.iter().filter_map(|folder| prefix_of(folder)).map(str::to_owned));
    prefixes.retain(|prefix| time.world.exists(format!("{prefix}/conda-meta")) == Fact::Known(true));
    prefixes
}

/// `/opt/conda` of `/opt/conda/lib/python3.12/site-packages`.
pub fn prefix_of(folder: &str) -> Option<&str> {
    let (above, _) = folder.rsplit_once('/')?;
    let (lib, _) = above.rsplit_once('/')?;
    lib.rsplit_once('/').map(|(prefix, _)| prefix)
}

/// Reads every environment.
pub fn read(time: &Time<'_>, folders: &[String], depth: Depth, inventory: &mut Inventory) {
    for prefix in prefixes(time, folders) {
        let folder = format!("{prefix}/conda-meta");
        match time.world.list(&folder) {
            Fact::Known(names) => {
                inventory.note(PackageManager::Conda, None);
                environment(time, &folder, &names, depth, inventory);
            }
            Fact::Absent => {}
            Fact::Unknown(gap) => inventory.note(PackageManager::Conda, Some(gap)),
        }
    }
}

fn environment(time: &Time<'_>, folder: &str, names: &[String], depth: Depth, inventory: &mut Inventory) {
    for file in names {
        let Some(stem) = file.strip_suffix(".json") else { continue };
        // The name may hold what parts the three: `ca-certificates-2025.1.31-hbd8a1cb_0`.
        let mut parts = stem.rsplitn(3, '-');
        let (Some(build), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let mut package = Installed {
            manager: PackageManager::Conda,
            name: cut(name),
            version: cut(version),
            place: folder.to_owned(),
            ..Installed::default()
        };
        let path = format!("{folder}/{file}");
        let (meta, gap) = if let Some(gap) = time.up() { (None, Some(gap)) } else { meta(time, &path) };
        if gap.is_some() && inventory.gap(PackageManager::Conda).is_none() {
            inventory.note(PackageManager::Conda, gap);
        }
        let meta = meta.unwrap_or_default();
        let channel = meta.channel.as_deref().map_or_else(String::new, channel);
        package.build = Some((cut(build), channel));
        package.architecture = meta.subdir.as_deref().map(cut);
        if depth == Depth::Sizes {
            let sizes = meta.paths_data.paths.iter().filter_map(|entry| entry.size_in_bytes);
            package.bytes = Some(sizes.fold(0, u64::saturating_add)).filter(|bytes| *bytes > 0);
        } else {
            package.licence = meta.license.filter(|text| !text.is_empty()).map(|text| Licence::Named(cut(&text)));
        }
        add(inventory, package);
    }
}

fn meta(time: &Time<'_>, path: &str) -> (Option<Meta>, Option<Gap>) {
    match time.world.read_bytes(path, FILE_LIMIT + 1) {
        Fact::Known(bytes) if bytes.len() as u64 > FILE_LIMIT => {
            (None, Some(Gap::new(GapKind::NotSupported, format!("{path} is longer than is read"))))
        }
        Fact::Known(bytes) => match serde_json::from_slice(&bytes) {
            Ok(meta) => (Some(meta), None),
            Err(error) => (None, Some(Gap::new(GapKind::Malformed, format!("{path}: {error}")))),
        },
        Fact::Absent => (None, None),
        Fact::Unknown(gap) => (None, Some(gap)),
    }
}

/// `conda-forge` of `https://conda.anaconda.org/conda-forge/linux-64`.
fn channel(address: &str) -> String {
    let trimmed = address.trim_end_matches('/');
    let parts: Vec<&str> = trimmed.rsplit('/').take(2).collect();
    let name = match parts.as_slice() {
        [last, before] if last.contains("linux") || *last == "noarch" => before,
        [last, ..] => last,
        [] => "",
    };
    cut(name)
}
