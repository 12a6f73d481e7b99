//! The cheap readings, made in children: a file system that does not answer holds them up, and never us.
//!
//! The first child reads everything. When it says that a path does not answer, a second one reads what is still missing
//! and leaves that file system out, and so on. The first goes on meanwhile: what was only slow is an answer all the same.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::held::{NAME, Order, Place, Told};
use super::log::Log;
use super::look::{Asked, Part, parts, unreadable};
use crate::facts::{Fact, Facts, Gap, GapKind, Gaps, ProbeEnd, ProbeRun, StuckFolder};
use crate::probe::storage::{foreign, is_of_the_kernel, left_out};
use crate::world::child::{Working, follow};
use crate::world::{World, spawn_or_run};

/// How long a path may take before others are read without it, at most; where there is little time, a quarter of it. A
/// disk under load is slow and not dead, so whoever gives more time has it waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one that does not answer is waited for when all else is known.
const SILENCE: Duration = Duration::from_secs(5);
/// What is not waited for so long is not said to be dead.
const CERTAIN: Duration = Duration::from_secs(2);
/// Children that are sent at most, one after the other.
const CHILDREN_MAX: usize = 8;
/// How often it is looked whether to go on waiting.
const TICK: Duration = Duration::from_millis(20);

/// The readings, as they come in.
pub struct Readings<'a> {
    world: &'a World,
    asked: Asked,
    /// An image that does not run.
    image: Option<Place>,
    wanted: Working,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// Each part, and the number of the child that told it: the first leaves nothing out.
    parts: BTreeMap<String, (usize, Part)>,
    children: Vec<Sent>,
    /// Why what is missing is missing.
    gap: Option<Gap>,
    /// How the children ended.
    runs: Vec<ProbeRun>,
}

/// One child.
#[derive(Default)]
struct Sent {
    is_over: bool,
    stuck: Vec<Stuck>,
}

/// What holds up a child.
struct Stuck {
    folder: StuckFolder,
    since: Instant,
    stood_before: Duration,
    answered_after: Option<f64>,
}

impl Stuck {
    fn waited(&self, world: &World) -> Duration {
        let before = Duration::try_from_secs_f64(self.folder.waited_seconds).unwrap_or_default();
        let stood = world.stood_still().saturating_sub(self.stood_before);
        before + self.since.elapsed().saturating_sub(stood)
    }
}

/// A child that is heard to its end, whatever becomes of who hears it: nobody waits for one that nobody hears.
struct Over<'a, 'w> {
    readings: &'a Readings<'w>,
    number: usize,
}

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.readings.state();
        if let Some(sent) = state.children.get_mut(self.number) {
            sent.is_over = true;
        }
        if std::thread::panicking() {
            state.gap = Some(Gap::new(GapKind::Crashed, "a bug in gpu-preflight"));
        }
        self.readings.news.notify_all();
    }
}

impl<'a> Readings<'a> {
    /// None yet.
    pub fn new(world: &'a World, asked: Asked) -> Self {
        let (state, news) = (Mutex::default(), Condvar::new());
        Self { world, asked, image: None, wanted: Working::default(), state, news }
    }

    /// The same of an image that does not run.
    #[must_use]
    pub fn of_image(mut self, image: Option<Place>) -> Self {
        self.image = image;
        self
    }

    /// Sends the first child.
    pub fn begin<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        self.state().children.push(Sent::default());
        let asked = self.asked.clone();
        spawn_or_run(scope, move || self.send(scope, 0, asked, Vec::new()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a child and hears it to its end.
    fn send<'s>(&'s self, scope: &'s Scope<'s, '_>, number: usize, asked: Asked, left_out: Vec<PathBuf>) {
        let order = Order {
            asked,
            root: self.world.root().to_path_buf(),
            image: self.image.clone(),
            seconds_left: self.world.time_left().as_secs_f64(),
            patience_seconds: PATIENCE.min(self.world.budget() / 4).as_secs_f64(),
            left_out,
        };
        let _over = Over { readings: self, number };
        let mut hear = |told: Value| match serde_json::from_value(told) {
            Ok(Told::Part(part)) => self.keep(number, part),
            Ok(Told::Stuck(folder)) => self.go_on_without(scope, number, folder),
            Ok(Told::Answered(point, seconds)) => self.note_answer(number, &point, seconds),
            Err(_) => {}
        };
        let deadline = self.world.deadline();
        let probed = follow(self.world, NAME, &order, &self.wanted, deadline, &mut hear);
        if probed.run.end == ProbeEnd::NotStarted && number == 0 {
            // Whoever cannot start a process still wants to know why. What may never answer is left out.
            let world = if self.image.is_some() { order.world() } else { Ok(self.world.clone()) };
            let told = match world {
                Ok(world) => parts(&world.leaving_out(foreign(self.world), "may never answer"), &order.asked),
                Err(gap) => unreadable(&order.asked, &gap),
            };
            for part in told {
                self.keep(number, part);
            }
        }
        let mut state = self.state();
        state.gap = probed.gap.or(state.gap.take());
        state.runs.push(probed.run);
    }

    /// Keeps a part, unless one is there that left out less.
    fn keep(&self, number: usize, part: Part) {
        let mut state = self.state();
        if state.parts.get(&part.field).is_none_or(|(before, _)| number < *before) {
            state.parts.insert(part.field.clone(), (number, part));
        }
        self.news.notify_all();
    }

    /// What is still missing is read by another child, without this file system.
    fn go_on_without<'s>(&'s self, scope: &'s Scope<'s, '_>, number: usize, folder: StuckFolder) {
        let mut state = self.state();
        let stuck =
            Stuck { folder, since: Instant::now(), stood_before: self.world.stood_still(), answered_after: None };
        if let Some(sent) = state.children.get_mut(number) {
            sent.stuck.push(stuck);
        }
        let next = state.children.len();
        // An older child that is held up once more tells nothing new: the newest goes by its own experience.
        if number + 1 < next || next >= CHILDREN_MAX {
            return;
        }
        state.children.push(Sent::default());
        let all = state.children.iter().flat_map(|sent| &sent.stuck);
        let places = all.filter(|stuck| stuck.answered_after.is_none()).map(|stuck| left_out(&stuck.folder)).collect();
        let mut asked = self.asked.clone();
        asked.fields.retain(|field| !state.parts.contains_key(field));
        drop(state);
        spawn_or_run(scope, move || self.send(scope, next, asked, places));
    }

    fn note_answer(&self, number: usize, point: &str, seconds: f64) {
        let mut state = self.state();
        let stuck = state.children.get_mut(number).map(|sent| &mut sent.stuck);
        for stuck in stuck.into_iter().flatten().filter(|stuck| stuck.folder.point == point) {
            stuck.answered_after = Some(seconds);
        }
        self.news.notify_all();
    }

    /// One part, as soon as it is there; with the reason in all of it where it does not come.
    pub fn wait<T: DeserializeOwned + Default + Gaps>(&self, field: &str) -> T {
        let mut state = self.state();
        loop {
            if let Some((_, part)) = state.parts.get(field) {
                return serde_json::from_value(part.value.clone()).unwrap_or_default();
            }
            if state.children.iter().all(|sent| sent.is_over) {
                return state.gap.as_ref().map(T::all_unknown).unwrap_or_default();
            }
            state = self.news.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// One part, where it is there by now.
    pub fn now<T: DeserializeOwned>(&self, field: &str) -> Option<T> {
        let state = self.state();
        state.parts.get(field).and_then(|(_, part)| serde_json::from_value(part.value.clone()).ok())
    }

    /// Waits for what is still to come, and ends the children.
    pub fn finish(&self) {
        let mut state = self.state();
        while !self.is_complete(&state) {
            state = self.news.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.wanted.end();
    }

    /// Whether every child is over, or everything is there and those that are not over wait for what is dead.
    fn is_complete(&self, state: &State) -> bool {
        let is_dead = |stuck: &Stuck| stuck.answered_after.is_none() && stuck.waited(self.world) >= SILENCE;
        let is_done = |sent: &Sent| sent.is_over || sent.stuck.iter().any(is_dead);
        let is_there = |field: &String| state.parts.contains_key(field);
        state.children.iter().all(|sent| sent.is_over)
            || (self.asked.fields.iter().all(is_there) && state.children.iter().all(is_done))
    }

    /// The facts, with how each probe ended.
    pub fn into_facts(self, log: &Log) -> Facts {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        log.extend(state.runs);
        let missing = state.gap.map(|gap| serde_json::to_value(Facts::all_unknown(&gap)).unwrap_or_default());
        let mut found = Map::new();
        for field in self.asked.fields {
            if let Some(value) = missing.as_ref().and_then(|missing| missing.get(&field)) {
                found.insert(field, value.clone());
            }
        }
        for (field, (_, part)) in state.parts {
            found.insert(field, part.value);
            log.extend(part.run);
        }
        let mut facts: Facts = serde_json::from_value(Value::Object(found)).unwrap_or_default();
        let stuck = state.children.iter().flat_map(|sent| &sent.stuck);
        let of_mounts = stuck.filter(|stuck| !is_of_the_kernel(&stuck.folder));
        facts.storage.stuck = of_mounts.map(|stuck| told(stuck, self.world)).collect();
        facts
    }
}

/// What is recorded of a file system that did not answer in time.
fn told(stuck: &Stuck, world: &World) -> StuckFolder {
    let waited = stuck.waited(world);
    let (waited_seconds, answered) = match stuck.answered_after {
        Some(seconds) => (seconds, Fact::Known(true)),
        None if waited >= CERTAIN => (waited.as_secs_f64(), Fact::Known(false)),
        None => {
            let gap = Gap::new(GapKind::TimedOut, format!("it was waited for {:.1} s only", waited.as_secs_f64()));
            (waited.as_secs_f64(), Fact::Unknown(gap))
        }
    };
    StuckFolder { waited_seconds, answered, ..stuck.folder.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Network;

    #[test]
    fn nobody_waits_for_a_child_whose_listener_has_panicked() {
        let world = World::at("/", Vec::new(), Duration::from_secs(10));
        let readings = Readings::new(&world, Asked { fields: vec!["network".to_owned()], ..Asked::default() });
        readings.state().children.push(Sent::default());
        let heard = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _over = Over { readings: &readings, number: 0 };
            panic!("as a test");
        }));
        assert!(heard.is_err());
        readings.finish();
        let network: Network = readings.wait("network");
        let Fact::Unknown(gap) = &network.listeners else { panic!("{network:?}") };
        assert_eq!(gap.kind, GapKind::Crashed);
    }
}
