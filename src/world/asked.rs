//! Which path is asked at this moment, and which are not asked at all.
//!
//! A file system whose server has gone never answers, and whoever asks it is held in the kernel, where no signal reaches.
//! So paths are asked in a child, and each thread of it notes the path before it asks: [`pending`] tells which have not
//! come back. What one child was held by the next leaves out, and every link that leads there.

use std::cell::Cell;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What every thread is asking.
static PLACES: Mutex<Vec<Arc<Place>>> = Mutex::new(Vec::new());
/// Calls that were begun so far.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Links that are followed on one way, as the kernel does.
const LINKS_MAX: usize = 40;

/// How long it may take to find the step of a path that does not answer. The steps before it come from the kernel's memory.
const STEPS_PATIENCE: Duration = Duration::from_millis(200);

/// What one thread is asking.
#[derive(Default)]
struct Place {
    /// The call's number; 0 between two calls.
    call: AtomicU64,
    path: Mutex<PathBuf>,
}

/// A thread's place, taken off the list when the thread ends.
struct Own {
    place: Arc<Place>,
    asks: Cell<bool>,
}

impl Own {
    fn new() -> Self {
        let place = Arc::<Place>::default();
        held(&PLACES).push(Arc::clone(&place));
        Self { place, asks: Cell::new(false) }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        held(&PLACES).retain(|place| !Arc::ptr_eq(place, &self.place));
    }
}

thread_local! {
    static OWN: Own = Own::new();
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call about a path that has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The call's number, which no other call has.
    pub call: u64,
    /// The path, as it was asked for.
    pub path: PathBuf,
}

/// Every call about a path that has not come back yet.
pub fn pending() -> Vec<Pending> {
    let places = held(&PLACES);
    let now = places.iter().map(|place| (place.call.load(Ordering::Acquire), place));
    now.filter(|(call, _)| *call != 0).map(|(call, place)| Pending { call, path: held(&place.path).clone() }).collect()
}

/// Says that this thread is asking a path, as long as it lives. Inside another one the outer one counts.
#[derive(Debug)]
pub struct Asking {
    is_outer: bool,
}

impl Asking {
    /// Begins to ask.
    pub fn of(path: &Path) -> Self {
        let begin = |own: &Own| {
            let is_outer = !own.asks.replace(true);
            if is_outer {
                let mut noted = held(&own.place.path);
                noted.clear();
                noted.push(path);
                own.place.call.store(CALLS.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Release);
            }
            is_outer
        };
        // While a thread ends it has no place any more.
        Self { is_outer: OWN.try_with(begin).unwrap_or(false) }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if self.is_outer {
            let _ = OWN.try_with(|own| {
                own.place.call.store(0, Ordering::Release);
                own.asks.set(false);
            });
        }
    }
}

/// The first of these places that the way to `path` leads to, links followed; none of them is asked.
pub fn leads_to<'p>(path: &Path, places: &'p [PathBuf]) -> Option<&'p PathBuf> {
    let mut found = None;
    follow(path, &mut |step| {
        found = places.iter().find(|place| step.starts_with(place));
        found.is_none()
    });
    found
}

/// The step of a path at which whoever asks it is held, links followed: the whole of it where only the last call is.
///
/// A thread of its own goes there, and stays where it is held.
pub fn held_at(path: &Path) -> PathBuf {
    let step = Arc::new(Mutex::new((path.to_path_buf(), false)));
    let (theirs, path) = (Arc::clone(&step), path.to_path_buf());
    let go = move || {
        follow(&path, &mut |next| {
            held(&theirs).0 = next.to_path_buf();
            true
        });
        held(&theirs).1 = true;
    };
    // Without a thread the path itself has to do.
    if super::thread().spawn(go).is_ok() {
        let until = Instant::now() + STEPS_PATIENCE;
        while !held(&step).1 && Instant::now() < until {
            super::pause(Duration::from_millis(2));
        }
    }
    held(&step).0.clone()
}

/// Goes along a path from the root, link by link, and asks `enter` before it looks at a step; no further than it allows.
fn follow(path: &Path, enter: &mut dyn FnMut(&Path) -> bool) {
    let mut left = names(path);
    let mut done = if path.is_absolute() { PathBuf::from("/") } else { std::env::current_dir().unwrap_or_default() };
    let mut links = 0;
    while let Some(name) = left.pop() {
        if name == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&name);
        if !enter(&next) {
            return;
        }
        match std::fs::read_link(&next) {
            Ok(target) if links < LINKS_MAX => {
                links += 1;
                if target.is_absolute() {
                    done = PathBuf::from("/");
                }
                left.extend(names(&target));
            }
            _ => done = next,
        }
    }
}

/// The names in a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_call_is_pending_while_it_lasts_and_the_outer_one_counts() {
        let path = Path::new("/a/path/of/this/test/alone");
        let own = move || pending().into_iter().filter(|call| call.path == path).count();
        let outer = Asking::of(path);
        drop(Asking::of(Path::new("/another")));
        assert_eq!(own(), 1);
        assert_eq!(std::thread::spawn(own).join().expect("no panic"), 1, "others see it");
        drop(outer);
        assert_eq!(own(), 0);
    }

    #[test]
    fn a_link_into_a_place_leads_to_it_and_one_past_it_does_not() {
        let root = tempfile::tempdir().expect("a folder");
        let real = std::fs::canonicalize(root.path()).expect("a path");
        for folder in ["dead/in", "deadly", "home"] {
            std::fs::create_dir_all(real.join(folder)).expect("a folder");
        }
        symlink("../dead/in", real.join("home/link")).expect("a link");
        symlink("loop", real.join("loop")).expect("a link");
        let places = [real.join("dead")];
        for (path, leads) in [
            ("dead", true),
            ("dead/in/x", true),
            ("home/link/x", true),
            ("home/../dead", true),
            ("deadly", false),
            ("home", false),
            ("home/link/../../../home", true),
            ("loop/x", false),
        ] {
            assert_eq!(leads_to(&real.join(path), &places).is_some(), leads, "{path}");
        }
        assert_eq!(held_at(&real.join("home/link")), real.join("dead/in"));
    }
}
