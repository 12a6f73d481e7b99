//! A fake `libnvidia-ml.so.1`. What it plays: see `scenario.rs`. With `--cfg old` it lacks what drivers before 2020 lack.
#![allow(non_snake_case)]
#![cfg_attr(old, allow(dead_code, unused))]

mod scenario;

use scenario::{enter, names, number, told_of, put, text};
use std::ffi::{c_char, c_int, c_uint, c_ulonglong};
use std::sync::atomic::{AtomicI64, Ordering};

/// A handle is the GPU's number plus one.
type Device = usize;

fn index(device: Device) -> i64 {
    device as i64 - 1
}

fn garbage() -> bool {
    number("garbage", 0) == 1
}

/// Plays the faults of a call about one GPU: 15 when it is lost.
fn about(call: &str, device: Device) -> c_int {
    enter(call);
    let vanish = text("vanish").unwrap_or_default();
    let (last, gpu) = vanish.split_once(':').unwrap_or_default();
    if last == call && gpu.parse() == Ok(index(device)) {
        VANISHED.store(index(device), Ordering::SeqCst);
    }
    let lost = names("lost", index(device)) || VANISHED.load(Ordering::SeqCst) == index(device);
    if lost { 15 } else { 0 }
}

/// How often each GPU was asked what holds its clocks down.
static LOOKS: [AtomicI64; 128] = [const { AtomicI64::new(0) }; 128];
/// How often each was asked how often it repeated transfers.
static REPLAYS: [AtomicI64; 128] = [const { AtomicI64::new(0) }; 128];

fn at_work(device: Device) -> bool {
    LOOKS[device - 1].load(Ordering::SeqCst) > 1
}

/// The bits of what holds its clocks down.
fn held(device: Device) -> c_ulonglong {
    let told = told_of("held", &index(device).to_string());
    told.map_or(4, |bits| c_ulonglong::from_str_radix(&bits, 16).expect("bits"))
}

/// Whether it is heat, or its machine: it is slow then, and draws little.
fn braked(device: Device) -> bool {
    at_work(device) && held(device) & (0x8 | 0x20 | 0x40 | 0x80) != 0
}

static VANISHED: AtomicI64 = AtomicI64::new(-1);

#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> c_int {
    enter("nvmlInit_v2");
    number("nvml_init", 0) as c_int
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> c_int {
    enter("nvmlShutdown");
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> c_int {
    enter("nvmlSystemGetDriverVersion");
    put(&text("driver").unwrap_or("580.65.06".to_owned()), version, length as usize);
    0
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> c_int {
    unsafe { version.write(number("cuda", 13000) as c_int) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> c_int {
    enter("nvmlDeviceGetCount_v2");
    unsafe { count.write(number("count", 1) as c_uint) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetHandleByIndex_v2(gpu: c_uint, device: *mut Device) -> c_int {
    enter("nvmlDeviceGetHandleByIndex_v2");
    unsafe { device.write(gpu as usize + 1) };
    if names("lost", i64::from(gpu)) { 15 } else { 0 }
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetName(device: Device, name: *mut c_char, length: c_uint) -> c_int {
    put(&text("model").unwrap_or("NVIDIA H200".to_owned()), name, length as usize);
    about("nvmlDeviceGetName", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetUUID(device: Device, uuid: *mut c_char, length: c_uint) -> c_int {
    put(&scenario::uuid(index(device)), uuid, length as usize);
    about("nvmlDeviceGetUUID", device)
}

#[repr(C)]
pub struct Pci {
    legacy: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    id: c_uint,
    subsystem: c_uint,
    address: [c_char; 32],
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPciInfo_v3(device: Device, pci: *mut Pci) -> c_int {
    let bus = index(device) as c_uint + 16;
    let pci = unsafe { &mut *pci };
    (pci.domain, pci.bus, pci.device, pci.id, pci.subsystem) = (0, bus, 0, 0x2335_10de, 0);
    put(&format!("00000000:{bus:02X}:00.0"), pci.address.as_mut_ptr(), 32);
    put(&format!("0000:{bus:02X}:00.0"), pci.legacy.as_mut_ptr(), 16);
    about("nvmlDeviceGetPciInfo_v3", device)
}

#[repr(C)]
pub struct Memory {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: Device, memory: *mut Memory) -> c_int {
    let memory = unsafe { &mut *memory };
    memory.total = if garbage() { 0 } else { number("memory", 150_754_820_096) as u64 };
    memory.free = number("free", 149_000_000_000) as u64;
    memory.reserved = number("reserved", 0) as u64;
    memory.used = memory.total.saturating_sub(memory.free);
    about("nvmlDeviceGetMemoryInfo_v2", device)
}

/// Percent of the time in which something ran, and in which memory was used.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetUtilizationRates(device: Device, rates: *mut [c_uint; 2]) -> c_int {
    let percent = number("utilization", 0);
    if percent < 0 {
        return 3;
    }
    unsafe { rates.write([if garbage() { c_uint::MAX } else { percent as c_uint }; 2]) };
    about("nvmlDeviceGetUtilizationRates", device)
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCudaComputeCapability(device: Device, major: *mut c_int, minor: *mut c_int) -> c_int {
    let capability = text("cc").unwrap_or("9.0".to_owned());
    let (before, after) = capability.split_once('.').expect("cc=MAJOR.MINOR");
    unsafe {
        major.write(before.parse().expect("a number"));
        minor.write(after.parse().expect("a number"));
    }
    about("nvmlDeviceGetCudaComputeCapability", device)
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMigMode(device: Device, current: *mut c_uint, pending: *mut c_uint) -> c_int {
    unsafe {
        current.write(number("mig", 0) as c_uint);
        pending.write(number("mig", 0) as c_uint);
    }
    about("nvmlDeviceGetMigMode", device)
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMaxMigDeviceCount(device: Device, count: *mut c_uint) -> c_int {
    unsafe { count.write(7) };
    about("nvmlDeviceGetMaxMigDeviceCount", device)
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(_device: Device, index: c_uint, mig: *mut Device) -> c_int {
    if number("mig_refused", 0) == 1 {
        return 4;
    }
    unsafe { mig.write(1000 + index as usize) };
    if i64::from(index) < number("mig_count", 0) { 0 } else { 6 }
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetEccMode(device: Device, current: *mut c_uint, pending: *mut c_uint) -> c_int {
    unsafe {
        current.write(number("ecc_on", 1) as c_uint);
        pending.write(1);
    }
    if number("ecc", 1) == 0 { 3 } else { about("nvmlDeviceGetEccMode", device) }
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetTotalEccErrors(
    device: Device,
    _kind: c_uint,
    _counter: c_uint,
    count: *mut c_ulonglong,
) -> c_int {
    unsafe { count.write(if garbage() { u64::MAX } else { number("ecc_errors", 0) as u64 }) };
    about("nvmlDeviceGetTotalEccErrors", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetTemperature(device: Device, _sensor: c_uint, celsius: *mut c_uint) -> c_int {
    let told = number("celsius", 34) as c_uint;
    let hot = if braked(device) && held(device) & (0x20 | 0x40) != 0 { 93 } else { 61 };
    let now = if at_work(device) { told.max(hot) } else { told };
    unsafe { celsius.write(if garbage() { u32::MAX } else { now }) };
    about("nvmlDeviceGetTemperature", device)
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetEnforcedPowerLimit(device: Device, milliwatts: *mut c_uint) -> c_int {
    unsafe { milliwatts.write(if garbage() { u32::MAX } else { number("watts", 700) as c_uint * 1000 }) };
    about("nvmlDeviceGetEnforcedPowerLimit", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPowerManagementDefaultLimit(device: Device, milliwatts: *mut c_uint) -> c_int {
    unsafe { milliwatts.write(700_000) };
    about("nvmlDeviceGetPowerManagementDefaultLimit", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMaxClockInfo(device: Device, _clock: c_uint, mhz: *mut c_uint) -> c_int {
    unsafe { mhz.write(number("mhz", 1980) as c_uint) };
    about("nvmlDeviceGetMaxClockInfo", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetComputeMode(device: Device, mode: *mut c_uint) -> c_int {
    unsafe { mode.write(number("compute_mode", 0) as c_uint) };
    about("nvmlDeviceGetComputeMode", device)
}

/// `nvmlProcessInfo_t`
#[repr(C)]
pub struct Process {
    pid: c_uint,
    memory: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: Device,
    count: *mut c_uint,
    processes: *mut Process,
) -> c_int {
    let (mig, refused) = (number("mig", 0) == 1, number("mig_refused", 0) == 1);
    if mig && refused {
        return 4;
    }
    if garbage() {
        unsafe { count.write(c_uint::MAX) };
        return 7;
    }
    let room = unsafe { count.read() };
    let holder = text("holder");
    unsafe { count.write(c_uint::from(holder.is_some())) };
    if let Some(holder) = holder {
        if room == 0 || processes.is_null() {
            return 7;
        }
        let (pid, memory) = holder.split_once(':').expect("holder=PID:BYTES");
        let process = Process {
            pid: pid.parse().expect("a number"),
            memory: memory.parse().expect("a number"),
            gpu_instance: c_uint::MAX,
            compute_instance: c_uint::MAX,
        };
        unsafe { processes.write(process) };
    }
    about("nvmlDeviceGetComputeRunningProcesses_v3", device)
}

/// `nvmlFieldValue_t`
#[repr(C)]
pub struct Field {
    id: c_uint,
    scope: c_uint,
    timestamp: i64,
    latency: i64,
    kind: c_uint,
    code: c_int,
    value: c_ulonglong,
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetFieldValues(device: Device, count: c_int, fields: *mut Field) -> c_int {
    for field in unsafe { std::slice::from_raw_parts_mut(fields, count as usize) } {
        let known = match field.id {
            31 => text("page_pending").map(|value| value.parse().expect("a number")),
            91 => Some(number("nvlinks", 0)),
            // Told once, in the first of two counters.
            29 | 52 => text(if field.id == 29 { "retired" } else { "nvlink_errors" }).map(|n| n.parse().expect("a number")),
            30 | 59 => text(if field.id == 30 { "retired" } else { "nvlink_errors" }).map(|_| 0),
            3 => Some(number("ecc_corrected", 0)),
            6 => Some(number("ecc_errors", 0)),
            142 | 143 => Some(0),
            186 => (number("instant", 1) == 1).then(|| drawn(device)),
            230 => text("recovery").map(|value| value.parse().expect("a number")),
            144 => Some(number("row_remap_pending", 0)),
            145 => Some(number("row_remap_failed", 0)),
            _ => None,
        };
        // 3: an unsigned long long; 3 as a code: not supported.
        (field.kind, field.code) = (3, if known.is_some() { 0 } else { 3 });
        field.value = if garbage() { c_ulonglong::MAX } else { known.unwrap_or_default() as c_ulonglong };
    }
    about("nvmlDeviceGetFieldValues", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetNvLinkState(device: Device, link: c_uint, state: *mut c_uint) -> c_int {
    let down = told_of("nvlinks_down", &index(device).to_string()).map_or(0, |count| count.parse().expect("a number"));
    let up = link >= down;
    unsafe { state.write(c_uint::from(up)) };
    about("nvmlDeviceGetNvLinkState", device)
}

/// State of confidential computing: environment, whether it is on, developers' mode. Not set, no GPU can do it.
#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetConfComputeState(state: *mut [c_uint; 3]) -> c_int {
    enter("nvmlSystemGetConfComputeState");
    let Some(on) = text("confidential") else { return 3 };
    let on = on.split_once(':').map_or(on.as_str(), |(on, _)| on).parse().expect("a number");
    unsafe { state.write([2, on, 0]) };
    0
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetConfComputeGpusReadyState(ready: *mut c_uint) -> c_int {
    enter("nvmlSystemGetConfComputeGpusReadyState");
    let told = text("confidential").unwrap_or_default();
    let Some((_, value)) = told.split_once(':') else { return 3 };
    unsafe { ready.write(value.parse().expect("a number")) };
    0
}

/// `nvmlGpuFabricInfo_t`
#[repr(C)]
pub struct Fabric {
    cluster: [u8; 16],
    status: c_uint,
    clique: c_uint,
    state: u8,
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetGpuFabricInfo(device: Device, fabric: *mut Fabric) -> c_int {
    let Some(told) = text("fabric") else { return 3 };
    let (state, status) = told.split_once(':').expect("fabric=STATE:STATUS");
    let (state, status) = (state.parse().expect("a number"), status.parse().expect("a number"));
    unsafe { fabric.write(Fabric { cluster: [0; 16], status, clique: 0, state }) };
    about("nvmlDeviceGetGpuFabricInfo", device)
}

#[repr(C)]
pub struct FabricV2 {
    version: c_uint,
    cluster: [u8; 16],
    status: c_uint,
    clique: c_uint,
    state: u8,
    health: c_uint,
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetGpuFabricInfoV(device: Device, fabric: &mut FabricV2) -> c_int {
    let Some(told) = text("fabric_health") else { return 3 };
    if fabric.version != size_of::<FabricV2>() as c_uint | 2 << 24 {
        return 25;
    }
    fabric.health = c_uint::from_str_radix(&told, 16).expect("a mask");
    about("nvmlDeviceGetGpuFabricInfoV", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlErrorString(_code: c_int) -> *const c_char {
    c"an error".as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPersistenceMode(device: Device, mode: *mut c_uint) -> c_int {
    unsafe { mode.write(number("persistence", 1) as c_uint) };
    about("nvmlDeviceGetPersistenceMode", device)
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCurrentClocksThrottleReasons(device: Device, reasons: *mut c_ulonglong) -> c_int {
    LOOKS[device - 1].fetch_add(1, Ordering::SeqCst);
    unsafe { reasons.write(if at_work(device) { held(device) } else { 1 }) };
    about("nvmlDeviceGetCurrentClocksThrottleReasons", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetClockInfo(device: Device, _clock: c_uint, mhz: *mut c_uint) -> c_int {
    let most = number("mhz", 1980) as c_uint;
    let now = if braked(device) { most / 3 } else { most * 7 / 8 };
    unsafe { mhz.write(if garbage() { c_uint::MAX } else { now }) };
    about("nvmlDeviceGetClockInfo", device)
}

/// Milliwatts that it draws.
fn drawn(device: Device) -> i64 {
    let limit = number("watts", 700) * 1000;
    if braked(device) { limit / 3 } else { limit - 8000 }
}

/// The mean over a second, which lags behind.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPowerUsage(device: Device, milliwatts: *mut c_uint) -> c_int {
    unsafe { milliwatts.write((drawn(device) / 2) as c_uint) };
    about("nvmlDeviceGetPowerUsage", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCurrPcieLinkGeneration(device: Device, generation: *mut c_uint) -> c_int {
    let told = told_of("generation", &index(device).to_string());
    let most = told.map_or(5, |generation| generation.parse().expect("a number"));
    unsafe { generation.write(if at_work(device) { most } else { 1 }) };
    about("nvmlDeviceGetCurrPcieLinkGeneration", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMaxPcieLinkGeneration(device: Device, generation: *mut c_uint) -> c_int {
    unsafe { generation.write(5) };
    about("nvmlDeviceGetMaxPcieLinkGeneration", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCurrPcieLinkWidth(device: Device, lanes: *mut c_uint) -> c_int {
    let told = told_of("lanes", &index(device).to_string());
    let told = told.map_or(16, |lanes| lanes.parse().expect("a number"));
    unsafe { lanes.write(if garbage() { c_uint::MAX } else { told }) };
    about("nvmlDeviceGetCurrPcieLinkWidth", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMaxPcieLinkWidth(device: Device, lanes: *mut c_uint) -> c_int {
    unsafe { lanes.write(16) };
    about("nvmlDeviceGetMaxPcieLinkWidth", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPcieReplayCounter(device: Device, count: *mut c_uint) -> c_int {
    let each = told_of("replays", &index(device).to_string()).map_or(0, |count| count.parse().expect("a number"));
    let asked = REPLAYS[device - 1].fetch_add(1, Ordering::SeqCst);
    unsafe { count.write((asked * each) as c_uint) };
    about("nvmlDeviceGetPcieReplayCounter", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlEventSetCreate(set: *mut *mut AtomicI64) -> c_int {
    unsafe { set.write(Box::into_raw(Box::new(AtomicI64::new(0)))) };
    0
}

/// A set holds the one GPU that it was made for, and nothing when it has told what there was.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceRegisterEvents(device: Device, _kinds: c_ulonglong, set: *mut AtomicI64) -> c_int {
    enter("nvmlDeviceRegisterEvents");
    unsafe { (*set).store(device as i64, Ordering::SeqCst) };
    if number("mig", 0) == 1 { 3 } else { about("nvmlDeviceRegisterEvents", device) }
}

#[repr(C)]
pub struct Event {
    device: Device,
    kind: c_ulonglong,
    data: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlEventSetWait_v2(set: *mut AtomicI64, event: *mut Event, _milliseconds: c_uint) -> c_int {
    enter("nvmlEventSetWait_v2");
    let device = unsafe { (*set).load(Ordering::SeqCst) } as Device;
    let told = if device > 0 { told_of("xid", &index(device).to_string()) } else { None };
    let Some(code) = told else { return 10 };
    let data = code.parse().expect("a number");
    unsafe {
        (*set).store(0, Ordering::SeqCst);
        event.write(Event { device, kind: 8, data, gpu_instance: c_uint::MAX, compute_instance: c_uint::MAX });
    }
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlEventSetFree(set: *mut AtomicI64) -> c_int {
    drop(unsafe { Box::from_raw(set) });
    0
}
