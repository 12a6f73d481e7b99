//! Where advisories lie: a file for each in a folder, or an entry for each in a zip.

use std::io::Read as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::FileType;
use zip::unstable::read::ZipIterable;
use zip::{ZipReadOptions, read::Config};

use super::archive::Reader;
use super::{Read, Time, index};
use crate::facts::{Fact, Gap, GapKind};
use crate::world::{OpenFile, World, spawn_or_run};

/// Advisories that are read.
const ADVISORIES_MAX: usize = 500_000;
/// Bytes of one.
const ADVISORY_LIMIT: u64 = 8 << 20;
/// Threads that read an archive or a folder.
const THREADS_MAX: usize = 4;

/// What lies at a path.
pub enum Kind {
    /// An index that we made.
    Index(Arc<OpenFile>),
    /// A zip.
    Archive(Arc<OpenFile>),
    /// A folder.
    Folder,
}

/// What is done with each advisory.
type Step<'a> = &'a (dyn Fn(&mut Read, &[u8]) + Sync);

/// Looks what lies at a path.
pub fn kind(world: &World, path: &Path) -> Result<Kind, Gap> {
    let wrong = |why: &str| Gap::new(GapKind::Malformed, format!("{}: {why}", path.display()));
    match world.stat(path) {
        Fact::Known(stat) if stat.kind == FileType::Directory => return Ok(Kind::Folder),
        Fact::Known(_) => {}
        Fact::Absent => return Err(wrong("there is no such file or folder")),
        Fact::Unknown(gap) => return Err(gap),
    }
    let file = match world.open(path) {
        Fact::Known(file) => Arc::new(file),
        Fact::Absent => return Err(wrong("there is no such file or folder")),
        Fact::Unknown(gap) => return Err(gap),
    };
    let mut start = Vec::new();
    let reader = Reader::new(Arc::clone(&file));
    let read = reader.and_then(|reader| reader.take(index::BEGINNING.len() as u64).read_to_end(&mut start));
    match read {
        Err(error) => Err(wrong(&error.to_string())),
        Ok(_) if start.starts_with(index::BEGINNING.as_bytes()) => Ok(Kind::Index(file)),
        Ok(_) if start.starts_with(b"PK") => Ok(Kind::Archive(file)),
        Ok(_) => Err(wrong("is no export of OSV: a folder or zip of its advisories, or an index of one")),
    }
}

/// Whether anything lies at a path that may be an advisory.
pub fn seen(time: &Time<'_>, path: &Path) -> Result<(), Gap> {
    let has_any = match kind(time.world, path)? {
        Kind::Index(_) => true,
        Kind::Archive(file) => {
            let wrong =
                |error: &dyn std::fmt::Display| Gap::new(GapKind::Malformed, format!("{}: {error}", path.display()));
            let reader = Reader::new(file).map_err(|error| wrong(&error))?;
            let mut archive = ZipIterable::try_new(reader, Config::default()).map_err(|error| wrong(&error))?;
            let files = archive.files().map_err(|error| wrong(&error))?;
            files.into_iter().any(|entry| entry.is_ok_and(|entry| entry.name().is_ok_and(|name| is_advisory(&name))))
        }
        Kind::Folder => {
            let (mut files, mut archives, mut inner) = (Vec::new(), Vec::new(), Vec::new());
            sort(time, path, &mut files, &mut archives, &mut inner)?;
            for folder in inner {
                sort(time, &folder, &mut files, &mut archives, &mut Vec::new())?;
            }
            !files.is_empty() || !archives.is_empty()
        }
    };
    if has_any { Ok(()) } else { Err(Gap::new(GapKind::Malformed, format!("{} holds no advisory", path.display()))) }
}

/// Every entry of a zip whose name ends in `.json`.
pub fn archive(time: &Time<'_>, file: &Arc<OpenFile>, path: &Path, step: Step<'_>) -> Result<Read, Gap> {
    let wrong = |error: &dyn std::fmt::Display| Gap::new(GapKind::Malformed, format!("{}: {error}", path.display()));
    let open = || -> Result<(ZipIterable<Reader>, Reader), Gap> {
        let reader = Reader::new(Arc::clone(file)).map_err(|error| wrong(&error))?;
        let archive = ZipIterable::try_new(reader.clone(), Config::default()).map_err(|error| wrong(&error))?;
        Ok((archive, reader))
    };
    let (first, _) = open()?;
    if first.len() > ADVISORIES_MAX {
        return Err(too_many(path, first.len()));
    }
    let threads = threads(first.len());
    together(threads, &|number| {
        let (mut archive, mut body) = open()?;
        let mut read = Read::default();
        let mut bytes = Vec::new();
        for (at, entry) in archive.files().map_err(|error| wrong(&error))?.enumerate() {
            let entry = entry.map_err(|error| wrong(&error))?;
            if at % threads != number {
                continue;
            }
            if let Some(gap) = time.up() {
                return Err(gap);
            }
            let entry = entry.with_reader(&mut body, ZipReadOptions::default()).map_err(|error| wrong(&error))?;
            if !is_advisory(&entry.name().map_err(|error| wrong(&error))?) {
                continue;
            }
            bytes.clear();
            entry.take(ADVISORY_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
            if bytes.len() as u64 > ADVISORY_LIMIT {
                return Err(too_long(path));
            }
            step(&mut read, &bytes);
        }
        Ok(read)
    })
}

/// Every advisory in a folder, in folders in it, and in the zips of both, as exports are laid out. Links are not followed.
pub fn folder(time: &Time<'_>, path: &Path, step: Step<'_>) -> Result<Read, Gap> {
    let mut files = Vec::new();
    let mut archives = Vec::new();
    let mut inner = Vec::new();
    sort(time, path, &mut files, &mut archives, &mut inner)?;
    for folder in &inner {
        sort(time, folder, &mut files, &mut archives, &mut Vec::new())?;
    }
    let threads = threads(files.len());
    let mut read = together(threads, &|number| {
        let mut read = Read::default();
        for file in files.iter().skip(number).step_by(threads) {
            if let Some(gap) = time.up() {
                return Err(gap);
            }
            match time.world.read_bytes(file, ADVISORY_LIMIT + 1) {
                Fact::Known(bytes) if bytes.len() as u64 > ADVISORY_LIMIT => return Err(too_long(file)),
                Fact::Known(bytes) => step(&mut read, &bytes),
                Fact::Absent => {}
                Fact::Unknown(gap) => return Err(gap),
            }
        }
        Ok(read)
    })?;
    for path in archives {
        if let Kind::Archive(file) = kind(time.world, &path)? {
            read.merge(archive(time, &file, &path, step)?);
        }
    }
    if read.count == 0 {
        return Err(Gap::new(GapKind::Malformed, format!("{} holds no advisory", path.display())));
    }
    Ok(read)
}

fn sort(
    time: &Time<'_>,
    folder: &Path,
    files: &mut Vec<PathBuf>,
    archives: &mut Vec<PathBuf>,
    folders: &mut Vec<PathBuf>,
) -> Result<(), Gap> {
    let names = match time.world.list(folder) {
        Fact::Known(names) => names,
        Fact::Absent => return Ok(()),
        Fact::Unknown(gap) => return Err(gap),
    };
    for name in names {
        if files.len() >= ADVISORIES_MAX {
            return Err(too_many(folder, ADVISORIES_MAX + 1));
        }
        if let Some(gap) = time.up() {
            return Err(gap);
        }
        let path = folder.join(&name);
        let end = path.extension().and_then(|end| end.to_str()).map(str::to_owned);
        let stat = match time.world.stat_link(&path) {
            Fact::Known(stat) => stat,
            Fact::Absent => continue,
            Fact::Unknown(gap) => return Err(gap),
        };
        match (stat.kind, end.as_deref()) {
            (FileType::RegularFile, Some("json")) => files.push(path),
            (FileType::RegularFile, Some("zip")) => archives.push(path),
            (FileType::Directory, _) => folders.push(path),
            _ => {}
        }
    }
    Ok(())
}

fn is_advisory(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "json")
}

fn too_many(path: &Path, count: usize) -> Gap {
    let detail = format!("{} holds {count} entries, more than the {ADVISORIES_MAX} that are read", path.display());
    Gap::new(GapKind::NotSupported, detail)
}

fn too_long(path: &Path) -> Gap {
    Gap::new(GapKind::NotSupported, format!("{}: an advisory is longer than is read", path.display()))
}

fn threads(advisories: usize) -> usize {
    let most = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    // A thread costs more than a few advisories.
    most.min(advisories / 256 + 1)
}

/// Does parts of one work at once, and puts together what comes of them.
fn together(threads: usize, work: &(dyn Fn(usize) -> Result<Read, Gap> + Sync)) -> Result<Read, Gap> {
    let all: Mutex<Result<Read, Gap>> = Mutex::new(Ok(Read::default()));
    let keep = |part: Result<Read, Gap>| {
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        match part {
            Ok(part) => {
                if let Ok(all) = all.as_mut() {
                    all.merge(part);
                }
            }
            Err(gap) => *all = Err(gap),
        }
    };
    std::thread::scope(|scope| {
        for number in 1..threads {
            spawn_or_run(scope, move || keep(work(number)));
        }
        keep(work(0));
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}
