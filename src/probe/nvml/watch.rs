//! All GPUs while they multiply, in a child of its own that ends when the multiplies do.
//!
//! An idle GPU lowers clocks and links, so only what it does at work can be judged. Some fifty times a second each is
//! asked what holds its clocks down; the looks that find it at work are kept and summed up. Spawned it the driver is
//! asked for the Xid codes that it reports meanwhile.

mod looks;

use std::ffi::OsStr;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::{Device, EventSet, Nvml as Wrapper};
use serde_json::Value;

use looks::{Look, sum};

use super::answer::{fact, failed, mhz, or_absent, or_older};
use super::gpu::celsius;
use super::{health, link};
use crate::facts::shape::record;
use crate::facts::{Fact, GPU_LIMIT, Gap, GapKind, Gpu, GpuLoad, Nvml, ProbeEnd, ProbeRun};
use crate::world::World;
use crate::world::child::{self, Probed, Progress, Working};

/// The name of this probe.
pub const NAME: &str = "watch";

/// From look to look.
const PERIOD: Duration = Duration::from_millis(20);

/// Looks of one GPU that are kept. After that each second one is, then each fourth, and so on.
const LOOKS_KEPT: usize = 1024;

/// Xid codes of one GPU that are kept.
const XIDS_KEPT: usize = 16;

/// Events of one GPU that are heard from one look to the next.
const EVENTS_AT_ONCE: usize = 256;

record! {
    /// What a child answers.
    struct Reading {
        gpus: Fact<Vec<Watched>>,
    }

    /// What was seen of one GPU.
    pub struct Watched {
        index: u32,
        load: Fact<GpuLoad>,
        xids: Fact<Vec<u32>>,
    }
}

/// What was seen of all GPUs.
#[derive(Debug)]
pub struct UnderLoad {
    /// Of each; absent where no multiply ran, or all were over before NVML had started.
    gpus: Fact<Vec<Watched>>,
    /// Whether NVML answered to the end; absent where no multiply ran.
    answered: Fact<bool>,
}

impl UnderLoad {
    /// Where nothing multiplied.
    pub const NONE: Self = Self { gpus: Fact::Absent, answered: Fact::Absent };

    /// Where nobody could look.
    pub fn missed(gap: &Gap) -> Self {
        Self { gpus: Fact::Unknown(gap.clone()), answered: Fact::Unknown(gap.clone()) }
    }
}

/// Looks at all GPUs until `working` says that the work is over.
pub fn collect(world: &World, working: &Working, deadline: Instant) -> (UnderLoad, ProbeRun) {
    let Probed { reading, run, gap, .. } = child::probe_while::<Reading>(world, NAME, None, &(), working, deadline);
    let gpus = match (reading, &gap) {
        (None, None) => Fact::Absent,
        (reading, gap) => super::super::complete(reading, gap.as_ref()).gpus,
    };
    let answered = Fact::Known(run.end == ProbeEnd::Completed && !gpus.is_unknown());
    let answered = super::super::unless_unheard(&run, gap.as_ref(), answered);
    (UnderLoad { gpus, answered }, run)
}

/// Gives each GPU what was seen of it.
pub fn adopt(nvml: &mut Nvml, gpus: &mut Fact<Vec<Gpu>>, under_load: UnderLoad) {
    nvml.load_watched = under_load.answered;
    let Fact::Known(gpus) = gpus else { return };
    for gpu in gpus {
        let seen = under_load.gpus.as_ref().and_then(|all| match all.iter().find(|seen| seen.index == gpu.index) {
            Some(seen) => Fact::Known(seen),
            None => Fact::unknown(GapKind::Malformed, "NVML no longer gave it out when the multiplies ran"),
        });
        gpu.load = seen.clone().and_then(|seen| seen.load.clone());
        gpu.xids = seen.and_then(|seen| seen.xids.clone());
    }
}

/// The child's side. It has no end of its own, and looks once more where it is asked for its last word: what made the work
/// fail is reported when it fails.
pub fn serve(_world: &World, _input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    progress.at("dlopen libnvidia-ml.so.1");
    let refused = |why: String| Reading { gpus: Fact::unknown(GapKind::NotAsked, why) };
    let soname = match super::open() {
        Ok(soname) => soname,
        Err(words) => {
            progress.done(&refused(words));
            return Ok(());
        }
    };
    progress.at("nvmlInit_v2");
    // Never dropped, as in the parent module.
    let wrapper = match Wrapper::builder().lib_path(OsStr::new(soname)).init() {
        Ok(wrapper) => ManuallyDrop::new(wrapper),
        Err(error) => {
            progress.done(&refused(failed("nvmlInit_v2", &error)));
            return Ok(());
        }
    };
    progress.at("nvmlDeviceGetCount_v2");
    let count = match wrapper.device_count() {
        Ok(count) => count.min(GPU_LIMIT),
        Err(error) => {
            progress.done(&refused(failed("nvmlDeviceGetCount_v2", &error)));
            return Ok(());
        }
    };
    let (mut watches, mut lost) = (Vec::new(), Vec::new());
    for index in 0..count {
        const CALL: &str = "nvmlDeviceGetHandleByIndex_v2";
        progress.at(&format!("{CALL}({index})"));
        match fact(CALL, wrapper.device_by_index(index)) {
            Fact::Known(device) => {
                progress.at(&format!("nvmlDeviceRegisterEvents({index})"));
                watches.push(Watch::begin(index, device, &wrapper));
            }
            refused => lost.push(Watched {
                index,
                load: refused.as_ref().and_then(|_| Fact::Absent),
                xids: refused.as_ref().and_then(|_| Fact::Absent),
            }),
        }
    }
    let (mut looks, mut told, mut is_last) = (0_usize, 0_usize, false);
    loop {
        let started = Instant::now();
        let seen = |watches: &[Watch<'_>]| {
            let seen = watches.iter().map(Watch::sum).chain(lost.iter().cloned());
            Reading { gpus: Fact::Known(seen.collect()) }
        };
        progress.at("nvmlEventSetWait_v2");
        let known: usize = watches.iter().map(|watch| watch.xids.len()).sum();
        watches.iter_mut().for_each(Watch::hear);
        // A GPU with a new one may answer nothing more.
        if watches.iter().map(|watch| watch.xids.len()).sum::<usize>() > known {
            progress.so_far(&seen(&watches));
        }
        progress.at("nvmlDeviceGetCurrentClocksThrottleReasons and its like");
        for watch in &mut watches {
            watch.look(looks);
        }
        looks += 1;
        if is_last {
            progress.done(&seen(&watches));
            return Ok(());
        }
        // Often at first, for it may soon be over; later so seldom that the answers stay few.
        if looks <= 25 || looks > told + told / 10 {
            told = looks;
            progress.so_far(&seen(&watches));
        }
        is_last = progress.is_asked_for_last_word(PERIOD.saturating_sub(started.elapsed()));
    }
}

/// One GPU that is looked at.
struct Watch<'nvml> {
    index: u32,
    device: Device<'nvml>,
    /// Never freed: the library that does so may hang, and the process ends with it.
    events: Fact<ManuallyDrop<EventSet<'nvml>>>,
    xids: Vec<u32>,
    looks: Vec<Look>,
    /// Each how manieth look is kept.
    stride: usize,
    /// Why it could not be told whether it works.
    refused: Option<Fact<GpuLoad>>,
    /// The counter at the first and at the last look at work: a link that rises from its rest may repeat some transfers.
    first_replays: Option<Fact<u64>>,
    last_replays: Fact<u64>,
}

impl<'nvml> Watch<'nvml> {
    fn begin(index: u32, device: Device<'nvml>, wrapper: &'nvml Wrapper) -> Self {
        // One set for each GPU: where one of them cannot be registered, the wrapper gives up its whole set.
        let set = wrapper
            .create_event_set()
            .and_then(|set| device.register_events(EventTypes::CRITICAL_XID_ERROR, set).map_err(|error| error.error));
        let events = or_older(fact("nvmlDeviceRegisterEvents", set)).map(ManuallyDrop::new);
        let (xids, looks) = (Vec::new(), Vec::new());
        Self {
            index,
            device,
            events,
            xids,
            looks,
            stride: 1,
            refused: None,
            first_replays: None,
            last_replays: Fact::Absent,
        }
    }

    fn look(&mut self, number: usize) {
        const CALL: &str = "nvmlDeviceGetCurrentClocksThrottleReasons";
        let reasons = match or_older(fact(CALL, self.device.current_throttle_reasons())) {
            Fact::Known(reasons) => reasons,
            Fact::Absent => return self.refused = Some(Fact::Absent),
            Fact::Unknown(gap) => return self.refused = Some(Fact::Unknown(gap)),
        };
        if reasons.contains(ThrottleReasons::GPU_IDLE) || !number.is_multiple_of(self.stride) {
            return;
        }
        let device = &self.device;
        self.last_replays = link::replays(device);
        self.first_replays.get_or_insert_with(|| self.last_replays.clone());
        self.looks.push(Look {
            reasons,
            sm_clock_mhz: or_absent(fact("nvmlDeviceGetClockInfo", device.clock_info(Clock::SM)))
                .and_then(|clock| mhz("nvmlDeviceGetClockInfo", clock)),
            power_watts: health::power(device),
            temperature_celsius: celsius(device),
            pcie_generation: link::generation(device),
            pcie_width: link::width(device),
            process_count: health::process_count(device),
        });
        if self.looks.len() == LOOKS_KEPT {
            let mut nth = 0;
            self.looks.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// Takes up what the driver has reported.
    fn hear(&mut self) {
        let Fact::Known(events) = &self.events else { return };
        // They come in bursts, of which most repeat one code.
        for _ in 0..EVENTS_AT_ONCE {
            let Ok(event) = events.wait(0) else { return };
            if self.xids.len() == XIDS_KEPT {
                return;
            }
            let code = match event.event_data {
                Some(XidError::Value(code)) => u32::try_from(code).unwrap_or(u32::MAX),
                Some(XidError::Unknown) => 999,
                None => continue,
            };
            if !self.xids.contains(&code) {
                self.xids.push(code);
            }
        }
    }

    fn sum(&self) -> Watched {
        let replays = self.first_replays.clone().unwrap_or(Fact::Absent).and_then(|first| {
            // It starts anew when the link does.
            self.last_replays.as_ref().map(|now| now.saturating_sub(first))
        });
        let load = match &self.refused {
            Some(refused) if self.looks.is_empty() => refused.clone(),
            _ => sum(&self.looks, replays),
        };
        let xids = self.events.as_ref().map(|_| self.xids.clone());
        Watched { index: self.index, load, xids }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
