//! The memory of the fake device: writes wait until somebody reads what they lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::scenario::{is_timed, names, note};
use crate::arithmetic::{Format, element_bytes, multiply};

/// A range of addresses.
pub type Bytes = Range<usize>;

/// What is written somewhere.
pub enum Work {
    /// Already done; it only hides what was written before.
    Done,
    Put(Vec<u8>),
    Set(u8),
    Copy(usize),
    /// From one GPU to another, and whether a bit is flipped on the way.
    Send(usize, bool),
    /// Adds up floats from several places; one of them goes wrong, or not.
    Sum(Vec<usize>, bool),
    Multiply {
        size: usize,
        format: Format,
        /// Whether A is read transposed.
        transposed: bool,
        a: usize,
        b: usize,
    },
}

/// A write that waits for somebody to read.
pub struct Step {
    pub to: Bytes,
    pub work: Work,
}

/// The one device of this process.
pub struct Device {
    pub gpu: i64,
    /// GPUs that have a context.
    pub contexts: BTreeSet<i64>,
    pub clock_ms: f64,
    /// Until when it works, where it takes as long as its clock says.
    pub busy_until: Option<Instant>,
    pub steps: Vec<Step>,
    pub allocated: BTreeMap<usize, usize>,
    /// The first memory that was allocated.
    pub first: Option<usize>,
    /// Memory of the host that was made for copies.
    pub pinned: BTreeMap<usize, usize>,
}

static DEVICE: Mutex<Device> =
    Mutex::new(Device { gpu: 0, contexts: BTreeSet::new(), clock_ms: 0.0, busy_until: None, steps: Vec::new(), allocated: BTreeMap::new(), first: None, pinned: BTreeMap::new() });

/// The device, for one call.
pub fn device() -> std::sync::MutexGuard<'static, Device> {
    DEVICE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Whether two ranges share an address.
pub fn overlap(one: &Bytes, other: &Bytes) -> bool {
    one.start < other.end && other.start < one.end
}

fn without(ranges: Vec<Bytes>, hole: &Bytes) -> Vec<Bytes> {
    let cut = |range: Bytes| [range.start..range.end.min(hole.start), range.start.max(hole.end)..range.end];
    ranges.into_iter().flat_map(cut).filter(|range| range.start < range.end).collect()
}

/// So many steps are kept before those are forgotten that nobody can read any more.
const STEPS: usize = 2000;

impl Device {
    /// Adds a step.
    pub fn push(&mut self, to: Bytes, work: Work) {
        if self.steps.len() >= STEPS {
            let (_, wanted) = self.behind(0..usize::MAX);
            let mut index = 0;
            self.steps.retain(|_| {
                index += 1;
                wanted.contains(&(index - 1))
            });
        }
        self.steps.push(Step { to, work });
    }

    /// Lets the clock go on by the time that some work takes.
    pub fn spend(&mut self, ms: f64) {
        self.clock_ms += ms;
        if is_timed() {
            let from = self.busy_until.map_or_else(Instant::now, |until| until.max(Instant::now()));
            self.busy_until = Some(from + Duration::from_secs_f64(ms / 1000.0));
        }
    }

    /// Waits until it has done what it was given.
    pub fn finish(&mut self) {
        if let Some(until) = self.busy_until.take() {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
    }

    /// The steps that lead to `wanted`, last first: those that wait, and all.
    fn behind(&self, wanted: Bytes) -> (Vec<usize>, BTreeSet<usize>) {
        let (mut needed, mut todo, mut all) = (vec![wanted], Vec::new(), BTreeSet::new());
        for (index, step) in self.steps.iter().enumerate().rev() {
            if !needed.iter().any(|range| overlap(range, &step.to)) {
                continue;
            }
            all.insert(index);
            needed = without(needed, &step.to);
            match &step.work {
                Work::Done => continue,
                Work::Put(_) | Work::Set(_) => {}
                Work::Copy(from) | Work::Send(from, _) => needed.push(*from..from + step.to.len()),
                Work::Sum(from, _) => needed.extend(from.iter().map(|from| *from..from + step.to.len())),
                Work::Multiply { size, format, a, b, .. } => {
                    let bytes = size * size * element_bytes(*format);
                    needed.extend([*a..a + bytes, *b..b + bytes]);
                }
            }
            todo.push(index);
        }
        (todo, all)
    }

    /// Does what must be done so that `wanted` holds what the device would hold there.
    pub fn settle(&mut self, wanted: Bytes) {
        let (todo, _) = self.behind(wanted);
        let started = Instant::now();
        for index in todo.into_iter().rev() {
            let step = &mut self.steps[index];
            let to = step.to.start as *mut u8;
            match std::mem::replace(&mut step.work, Work::Done) {
                Work::Done => {}
                Work::Put(bytes) => unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) },
                Work::Set(byte) => unsafe { to.write_bytes(byte, step.to.len()) },
                Work::Copy(from) => unsafe {
                    std::ptr::copy(from as *const u8, to, step.to.len());
                    if names("flip", self.gpu) {
                        let byte = to.add(step.to.len() / 3);
                        byte.write(byte.read() ^ 4);
                    }
                },
                Work::Send(from, flipped) => unsafe {
                    std::ptr::copy(from as *const u8, to, step.to.len());
                    let byte = to.add(step.to.len() / 3);
                    byte.write(byte.read() ^ if flipped { 4 } else { 0 });
                },
                Work::Sum(from, wrong) => {
                    for at in 0..step.to.len() / 4 {
                        let sum: f32 = from.iter().map(|from| unsafe { (*from as *const f32).add(at).read() }).sum();
                        let added = if wrong && at == 4242 { 1.0 } else { 0.0 };
                        unsafe { to.cast::<f32>().add(at).write(sum + added) };
                    }
                }
                Work::Multiply { size, format, transposed, a, b } => multiply(size, format, transposed, a, b, to, self.gpu),
            }
        }
        if is_timed() {
            note(&format!("emulated {:.3}", started.elapsed().as_secs_f64() * 1000.0));
        }
    }
}
