//! CUDA libraries that lie in the image several times, byte for byte.
//!
//! A second cuBLAS costs half a gigabyte on every node. Whether two files are the same is not read off the whole of them:
//! after name and size, 16 places of 64 KiB are compared, which for a library of a megabyte is all of it. Two builds of one
//! library differ in most of these places, the build id among them.

use std::collections::{BTreeMap, HashSet};

use rustix::fs::FileType;

use super::{Time, found};
use crate::facts::{Fact, Gap, GapKind, LibraryCopies, cut};
use crate::probe::libraries::folders::{conda_folders, default_folders, library_path, tidy, toolkit_folders};
use crate::world::{OpenFile, Stat, World};

/// Beginnings of the names of CUDA's libraries.
const NAMES: [&str; 16] = [
    "libcublas",
    "libcudart",
    "libcudnn",
    "libcufft",
    "libcufile",
    "libcupti",
    "libcurand",
    "libcusolver",
    "libcusparse",
    "libnccl",
    "libnpp",
    "libnvJitLink",
    "libnvjpeg",
    "libnvrtc",
    "libnvshmem",
    "libcutensor",
];
/// Smaller files are not worth a line.
const BYTES_MIN: u64 = 1 << 20;
/// Files that are looked at.
const FILES_MAX: usize = 1024;
/// Folders that are looked into.
const FOLDERS_MAX: usize = 512;
/// Places of a file that are compared, and bytes of each.
const PLACES: u64 = 16;
const PLACE_BYTES: u64 = 64 << 10;
/// Paths of one library that are told.
const PATHS_MAX: usize = 16;

/// One file, whatever links lead to it.
struct File {
    path: String,
    bytes: u64,
}

/// The libraries with copies, the largest first, and the bytes that all but one of each take.
pub fn find(world: &World, site_packages: &[String]) -> (Fact<Vec<LibraryCopies>>, Fact<u64>) {
    let time = Time::begin(world);
    let (alike, mut gap) = files(&time, site_packages);
    let mut copies = Vec::new();
    for ((name, bytes), files) in alike.into_iter().filter(|(_, files)| files.len() > 1) {
        match same(&time, &files) {
            Ok(groups) => copies.extend(groups.into_iter().map(|paths| (name.clone(), bytes, paths))),
            Err(unread) => {
                gap.get_or_insert(unread);
            }
        }
    }
    let wasted = |(_, bytes, paths): &(String, u64, Vec<String>)| bytes.saturating_mul(paths.len() as u64 - 1);
    copies.sort_by_key(|copy| std::cmp::Reverse(wasted(copy)));
    let total = copies.iter().map(wasted).fold(0, u64::saturating_add);
    let total = match &gap {
        Some(gap) if copies.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Known(total),
    };
    let told = copies.into_iter().map(|(name, file_bytes, mut paths)| {
        paths.truncate(PATHS_MAX);
        LibraryCopies { name, paths: paths.iter().map(|path| cut(path)).collect(), file_bytes }
    });
    (found(told.collect(), gap.as_ref()), total)
}

type Alike = BTreeMap<(String, u64), Vec<File>>;

/// Every file of CUDA's libraries by name and size, and why not all of them.
fn files(time: &Time<'_>, site_packages: &[String]) -> (Alike, Option<Gap>) {
    let world = time.world;
    let of_image = world.stat("/").known().map(|stat| stat.device);
    let mut alike = Alike::new();
    let mut seen = HashSet::new();
    let (mut count, mut unread) = (0, None);
    let folders = folders(world, site_packages);
    for folder in folders.iter().take(FOLDERS_MAX) {
        // Only folders always tell the device of their mount.
        let is_of_image = |stat: Stat| Some(stat.device) == of_image;
        let names = match world.stat(folder).map(is_of_image) {
            Fact::Known(true) => world.list(folder),
            Fact::Known(false) => Fact::Absent,
            other => other.map(|_| Vec::new()),
        };
        let names = match names {
            Fact::Known(names) => names,
            Fact::Absent => continue,
            Fact::Unknown(gap) => {
                unread.get_or_insert(gap);
                continue;
            }
        };
        for name in &names {
            let Some(library) = library(name) else { continue };
            if let Some(gap) = time.up() {
                return (alike, Some(gap));
            }
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            let Fact::Known(stat) = world.stat_link(&path) else { continue };
            let is_new = stat.kind == FileType::RegularFile
                && stat.size_bytes >= BYTES_MIN
                && seen.insert((stat.device, stat.inode));
            if is_new {
                count += 1;
                alike.entry((library, stat.size_bytes)).or_default().push(File { path, bytes: stat.size_bytes });
            }
            if count > FILES_MAX {
                return (alike, Some(beyond(&format!("more than {FILES_MAX} files of CUDA's libraries"))));
            }
        }
    }
    let more = folders.len() > FOLDERS_MAX;
    (alike, unread.or(more.then(|| beyond(&format!("{} folders in which CUDA's libraries may lie", folders.len())))))
}

fn beyond(what: &str) -> Gap {
    Gap::new(GapKind::NotSupported, format!("{what}, more than are looked at"))
}

/// `libcublas` of `libcublas.so.12.6.4.1`, for CUDA's libraries.
fn library(file: &str) -> Option<String> {
    let (stem, _) = file.split_once(".so")?;
    NAMES.iter().any(|name| stem.starts_with(name)).then(|| cut(stem))
}

/// The folders in which they lie, each once however it is written.
fn folders(world: &World, site_packages: &[String]) -> Vec<String> {
    let mut folders = library_path(world);
    for packages in site_packages {
        folders.push(format!("{packages}/torch/lib"));
        let wheels = world.list(format!("{packages}/nvidia")).known().cloned().unwrap_or_default();
        folders.extend(wheels.iter().map(|wheel| format!("{packages}/nvidia/{wheel}/lib")));
    }
    folders.extend(default_folders(world));
    folders.extend(toolkit_folders(world));
    folders.extend(conda_folders(world));
    let mut seen = HashSet::new();
    folders.retain(|folder| match world.real_path(folder) {
        Fact::Known(real) => seen.insert(tidy(&real.to_string_lossy())),
        Fact::Absent => false,
        // Why it cannot be looked into is told by whoever looks.
        Fact::Unknown(_) => true,
    });
    folders
}

/// The files of one name and size, parted into those of the same bytes; what is alone is left out.
fn same(time: &Time<'_>, files: &[File]) -> Result<Vec<Vec<String>>, Gap> {
    let mut groups: Vec<(Vec<u8>, Vec<String>)> = Vec::new();
    for file in files {
        if let Some(gap) = time.up() {
            return Err(gap);
        }
        let sample = match time.world.open(&file.path) {
            Fact::Known(open) => sample(&open, file.bytes)
                .map_err(|error| Gap::new(GapKind::Malformed, format!("{}: {error}", file.path)))?,
            Fact::Absent => continue,
            Fact::Unknown(gap) => return Err(gap),
        };
        match groups.iter_mut().find(|(other, _)| *other == sample) {
            Some((_, paths)) => paths.push(file.path.clone()),
            None => groups.push((sample, vec![file.path.clone()])),
        }
    }
    Ok(groups.into_iter().map(|(_, paths)| paths).filter(|paths| paths.len() > 1).collect())
}

/// What is compared of a file: the beginning, the end, and places between.
fn sample(file: &OpenFile, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut sample = Vec::new();
    if bytes <= PLACES * PLACE_BYTES {
        sample.resize(usize::try_from(bytes).unwrap_or_default(), 0);
        file.read_exact_at(&mut sample, 0)?;
        return Ok(sample);
    }
    let mut place = vec![0; usize::try_from(PLACE_BYTES).unwrap_or_default()];
    for number in 0..PLACES {
        file.read_exact_at(&mut place, (bytes - PLACE_BYTES) / (PLACES - 1) * number)?;
        sample.extend_from_slice(&place);
    }
    Ok(sample)
}
