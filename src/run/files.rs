//! Files that the user named, as whoever may wait for them reads them.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::check::load::SiteRoom;
use crate::check::room;
use crate::exit;
use crate::facts::Fact;
use crate::text::plain;
use crate::world::World;
use rustix::fs::FileType;

/// A file that the user named and that is of no use.
pub fn wrong(path: &Path, message: impl Into<String>) -> Failure {
    Failure::new(exit::CONFIG, format!("{}: {}", plain(&path.to_string_lossy()), message.into()))
}

fn size(bytes: u64) -> String {
    crate::text::bytes(bytes as f64)
}

/// The text of a file that the user named; none where there is no such file. Only a copy of ourselves may ask.
pub fn read(world: &World, path: &Path, limit: u64) -> Result<Option<String>, Failure> {
    match world.read_bytes(path, limit + 1) {
        Fact::Known(bytes) => utf8(path, bytes, limit).map(Some),
        Fact::Absent => Ok(None),
        Fact::Unknown(gap) => Err(wrong(path, gap.to_string())),
    }
}

/// Bytes of at most `limit` as text.
pub fn utf8(path: &Path, bytes: Vec<u8>, limit: u64) -> Result<String, Failure> {
    if bytes.len() as u64 > limit {
        return Err(wrong(path, format!("is larger than {}", size(limit))));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong(path, "is not UTF-8"))?;
    // Some editors begin a file with a byte order mark, which says nothing in UTF-8.
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

/// The descriptor that was inherited and that this path names: `/dev/stdin`, or what a shell makes of `<(command)`.
/// A copy of ourselves has other descriptors, so only we can read or write it.
pub fn inherited(path: &Path) -> Option<u32> {
    match path.to_str()? {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        path => {
            let folders = ["/dev/fd/", "/proc/self/fd/"];
            folders.iter().find_map(|folder| path.strip_prefix(folder))?.parse().ok()
        }
    }
}

/// Refuses a command line that reads standard input twice: the second reader would find it empty.
pub fn one_reader<'a>(paths: impl IntoIterator<Item = Option<&'a Path>>) -> Result<(), Failure> {
    let readers = paths.into_iter().flatten().filter(|path| *path == Path::new("-") || inherited(path) == Some(0));
    match readers.count() {
        0 | 1 => Ok(()),
        _ => Err(Failure::new(exit::USAGE, "standard input can be read once: name a file for the other")),
    }
}

/// The text of a file that has to be there.
pub fn there(path: &Path, text: Option<String>) -> Result<String, Failure> {
    text.ok_or_else(|| wrong(path, "there is no such file"))
}

/// Where a folder really lies, which has to be there and may be read. Only a copy of ourselves may ask.
pub fn folder(world: &World, path: &Path) -> Result<PathBuf, Failure> {
    let real = world.real_path(path).and_then(|real| world.list(&real).map(|_| real));
    match real {
        Fact::Known(real) => Ok(real),
        Fact::Absent => Err(wrong(path, "there is no such folder")),
        Fact::Unknown(gap) => Err(wrong(path, gap.to_string())),
    }
}

/// The checks of a folder, `DIR/ROOM/STATE.toml`, and what they share, `DIR/ROOM/room.toml`. Only a copy of ourselves
/// may ask.
pub fn site_checks(world: &World, folder: &Path) -> Result<Vec<SiteRoom>, Failure> {
    let names = |path: &Path| match world.list(path) {
        Fact::Known(names) => Ok(names),
        Fact::Absent => Err(wrong(path, "there is no such folder")),
        Fact::Unknown(gap) => Err(wrong(path, gap.to_string())),
    };
    // What an editor or a version control keeps beside, and whatever explains the checks to people, is passed over.
    let is_hidden = |name: &String| name.starts_with('.');
    let mut found = Vec::new();
    for room in names(folder)?.into_iter().filter(|name| !is_hidden(name)) {
        let room_folder = folder.join(&room);
        if room.strip_suffix(".toml").is_some() {
            return Err(wrong(&room_folder, "a check lies in a room: DIR/ROOM/STATE.toml"));
        }
        if !matches!(world.stat(&room_folder), Fact::Known(stat) if stat.kind == FileType::Directory) {
            continue;
        }
        let mut site = SiteRoom { shared: None, checks: Vec::new() };
        for file in names(&room_folder)?.into_iter().filter(|name| !is_hidden(name)) {
            if let Some(state) = file.strip_suffix(".toml") {
                let path = room_folder.join(&file);
                let text = there(&path, read(world, &path, crate::world::READ_LIMIT)?)?;
                let path = path.to_string_lossy().into_owned();
                if file == room::FILE {
                    site.shared = Some((path, text));
                } else {
                    site.checks.push((path, format!("{room}.{state}"), text));
                }
            }
        }
        found.push(site);
    }
    if found.iter().all(|site| site.checks.is_empty()) {
        return Err(wrong(folder, "holds no check: DIR/ROOM/STATE.toml"));
    }
    Ok(found)
}
