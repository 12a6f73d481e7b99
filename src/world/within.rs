//! Paths inside a folder that plays the root: every link is resolved there, and none leads out.
//!
//! The kernel would resolve an absolute link, or one with enough `..`, against our own root, and so read a file of the
//! machine as if it were one of the image. So the way is gone here step by step: each name is asked whether it is a link,
//! an absolute target begins at the folder again, and `..` ends at it, as it does at `/`. What is asked in the end is a
//! path without a link in it. There is one way for all kernels, `openat2` with `RESOLVE_IN_ROOT` would be a second one that
//! old kernels and filters of calls refuse. An image does not change while it is looked at: against somebody who moves
//! folders about meanwhile this is no defence.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

use crate::facts::Gap;

/// Links that are followed on one way, as the kernel does.
const LINKS_MAX: usize = 40;
/// Steps of one way, so that links full of names end too.
const STEPS_MAX: usize = 4096;
/// Bytes of a path, as the kernel takes them.
const PATH_MAX: usize = 4096;
/// Folders whose way is remembered.
const REMEMBERED_MAX: usize = 65_536;

/// Why a way does not lead anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// What the kernel would say.
    Errno(Errno),
    /// It is not asked, for this reason.
    Gap(Gap),
}

/// What a step is: the target of a link, or `None` for anything else that is there.
pub type Step<'a> = dyn FnMut(&Path) -> Result<Option<PathBuf>, Miss> + 'a;

/// Whether the last step is followed where it is a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// As stat does.
    Followed,
    /// As lstat does.
    Itself,
}

/// Ways to folders that were gone before.
#[derive(Debug, Default)]
pub struct Ways(Mutex<HashMap<PathBuf, Result<PathBuf, Miss>>>);

impl Ways {
    /// The way to `path` from the root, as an absolute path inside without a link in it; the last step may be one where it
    /// is not followed.
    pub fn to(&self, path: &Path, last: Last, step: &mut Step) -> Result<PathBuf, Miss> {
        if path.as_os_str().len() > PATH_MAX {
            return Err(Miss::Errno(Errno::NAMETOOLONG));
        }
        match (path.parent(), path.components().next_back()) {
            (Some(folder), Some(Component::Normal(name))) => {
                resolved(self.folder(folder, step)?, vec![name.to_owned()], last, step)
            }
            _ => self.folder(path, step),
        }
    }

    /// The way to a folder, from the nearest one above it that is known.
    fn folder(&self, folder: &Path, step: &mut Step) -> Result<PathBuf, Miss> {
        let ways = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |folder: &Path| ways().get(folder).cloned();
        let (mut new, mut way) = (Vec::new(), Ok(PathBuf::from("/")));
        for above in folder.ancestors() {
            if let Some(known) = known(above) {
                way = known;
                break;
            }
            new.push(above);
        }
        for next in new.into_iter().rev() {
            let name = names(next).into_iter().next();
            way = way.and_then(|way| resolved(way, name.into_iter().collect(), Last::Followed, step));
            let mut ways = ways();
            if ways.len() >= REMEMBERED_MAX {
                ways.clear();
            }
            ways.insert(next.to_owned(), way.clone());
        }
        way
    }
}

/// The way from `done`, a path inside without a link, along `left`, the last name first.
fn resolved(mut done: PathBuf, mut left: Vec<OsString>, last: Last, step: &mut Step) -> Result<PathBuf, Miss> {
    let (mut links, mut steps) = (0, 0);
    while let Some(name) = left.pop() {
        steps += 1;
        if steps > STEPS_MAX {
            return Err(Miss::Errno(Errno::LOOP));
        }
        if name == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&name);
        if left.is_empty() && last == Last::Itself {
            return Ok(next);
        }
        match step(&next) {
            Ok(Some(target)) => {
                links += 1;
                if links > LINKS_MAX {
                    return Err(Miss::Errno(Errno::LOOP));
                }
                if target.is_absolute() {
                    done = PathBuf::from("/");
                }
                left.extend(names(&target));
            }
            Ok(None) => done = next,
            Err(miss) => return Err(miss),
        }
    }
    Ok(done)
}

/// The names in a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let name = |component: Component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    path.components().rev().filter_map(name).collect()
}

#[cfg(test)]
#[path = "within_tests.rs"]
mod tests;
