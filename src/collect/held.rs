//! The child that makes the cheap readings: it tells each part as it is there, and which path does not answer.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::look::{Asked, Part, look, unreadable};
use crate::facts::{Fact, Gap, GapKind, StuckFolder};
use crate::probe::image_config::Given;
use crate::probe::storage::stuck_folder;
use crate::world::asked::{held_at, pending};
use crate::world::child::{Progress, environment};
use crate::world::{Still, World, archive, pause, thread};

/// The name under which [`serve`] is reached.
pub const NAME: &str = "readings";

/// How often it is looked whether a call has come back.
const TICK: Duration = Duration::from_millis(20);

/// What the child is sent for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// What it reads.
    pub asked: Asked,
    /// The root of what runs: `/`, or a folder that plays it.
    pub root: PathBuf,
    /// An image that does not run; none where we look at what runs.
    pub image: Option<Place>,
    /// Seconds that it has.
    pub seconds_left: f64,
    /// Seconds after which a call counts as one that does not come back.
    pub patience_seconds: f64,
    /// Places that it leaves out.
    pub left_out: Vec<PathBuf>,
}

impl Order {
    /// What is read; the reason why it cannot be.
    pub fn world(&self) -> Result<World, Gap> {
        let time = Duration::try_from_secs_f64(self.seconds_left).unwrap_or_default();
        match &self.image {
            None => Ok(World::at(&self.root, environment(), time)),
            Some(place) => place.world(self.asked.config.as_ref(), time),
        }
    }
}

/// Where an image lies that does not run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Place {
    /// It is unpacked in this folder.
    Folder(PathBuf),
    /// An OCI layout, or an archive of one or of `docker save`.
    Archive(PathBuf),
}

impl Place {
    /// The image, as its configuration says where that is known; the reason why it cannot be read. Only a copy of ourselves
    /// may ask: the layers of an archive are read here.
    pub fn world(&self, config: Option<&Given>, time: Duration) -> Result<World, Gap> {
        let begun = Instant::now();
        let image = match self {
            Self::Folder(folder) => World::image(folder, Vec::new(), Still::default(), time),
            Self::Archive(path) => {
                let tree = archive::find(path).and_then(|found| found.tree());
                let tree = tree.map_err(|why| Gap::new(GapKind::Malformed, format!("{}: {why}", path.display())))?;
                World::archived(tree, time.saturating_sub(begun.elapsed()))
            }
        };
        Ok(match config {
            Some(config) => config.applied(image),
            None => image,
        })
    }
}

/// Why a place is left out.
const WHY: &str = "does not answer";

/// What the child tells.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A part that it has read.
    Part(Part),
    /// A file system that does not answer.
    Stuck(StuckFolder),
    /// One that has answered after all: its point, and the seconds that it took.
    Answered(String, f64),
}

/// The child's side. Whether it understood what it is sent for.
pub fn serve(input: Value, progress: Progress) -> bool {
    let Ok(order) = serde_json::from_value::<Order>(input) else { return false };
    let world = match order.world() {
        Ok(world) => world.leaving_out(order.left_out.clone(), WHY),
        Err(gap) => {
            let mut progress = progress;
            for part in unreadable(&order.asked, &gap) {
                progress.told(&Told::Part(part));
            }
            progress.done(&Value::Null);
            return true;
        }
    };
    let world = match parent(&world) {
        Fact::Known(parent) => world.reading_for(parent),
        _ => world,
    };
    let progress = Arc::new(Mutex::new(progress));
    let patience = Duration::try_from_secs_f64(order.patience_seconds).unwrap_or_default();
    let theirs = Arc::clone(&progress);
    // Without a thread nobody notices what does not answer before the time is up.
    let _ = thread().spawn(move || watch(&theirs, patience));
    look(&world, &order.asked, &|part| say(&progress, |progress| progress.told(&Told::Part(part.clone()))));
    say(&progress, |progress| progress.done(&Value::Null));
    true
}

/// The process for which we read, as its `/proc` numbers it.
fn parent(world: &World) -> Fact<u32> {
    if !world.is_real() {
        return Fact::Absent;
    }
    world.read("/proc/self/status").and_then(|status| {
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
        Fact::present(parent.filter(|parent| *parent > 0))
    })
}

fn say(progress: &Mutex<Progress>, what: impl FnOnce(&mut Progress)) {
    what(&mut progress.lock().unwrap_or_else(PoisonError::into_inner));
}

/// A call that has not come back for some time.
struct Call {
    waited: Duration,
    /// Where it is held, once that was told.
    point: Option<String>,
}

/// Tells of every call that does not come back, and when it does after all. While this process stands still no time passes.
fn watch(progress: &Mutex<Progress>, patience: Duration) {
    // Which file system a path lies on is the same for every root: what is asked is the real place.
    let here = World::at("/", Vec::new(), Duration::ZERO);
    let mut calls: HashMap<u64, Call> = HashMap::new();
    let mut last = Instant::now();
    loop {
        pause(TICK);
        let passed = last.elapsed().min(TICK * 2);
        last = Instant::now();
        let now = pending();
        let back: Vec<u64> =
            calls.keys().filter(|known| !now.iter().any(|call| call.call == **known)).copied().collect();
        for call in back {
            let Some(call) = calls.remove(&call) else { continue };
            let is_last = |point: &String| !calls.values().any(|other| other.point.as_ref() == Some(point));
            if let Some(point) = call.point.filter(is_last) {
                say(progress, |progress| progress.told(&Told::Answered(point, call.waited.as_secs_f64())));
            }
        }
        let mut told: Vec<String> = calls.values().filter_map(|known| known.point.clone()).collect();
        for call in now {
            let known = calls.entry(call.call).or_insert(Call { waited: Duration::ZERO, point: None });
            known.waited += passed;
            if known.point.is_none() && known.waited >= patience {
                let waited_seconds = known.waited.as_secs_f64();
                let folder = StuckFolder { waited_seconds, ..stuck_folder(&here, &call.path, &held_at(&call.path)) };
                known.point = Some(folder.point.clone());
                // Several calls may wait for one file system, which is one trouble.
                if told.contains(&folder.point) {
                    continue;
                }
                told.push(folder.point.clone());
                say(progress, |progress| {
                    progress.at(&format!("asking {}", folder.path));
                    progress.told(&Told::Stuck(folder));
                });
            }
        }
    }
}
