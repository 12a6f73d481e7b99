//! A fake `libnvidia-ml.so.1`. What it plays: see `scenario.rs`.
#![allow(non_snake_case)]

mod scenario;

use scenario::{enter, names, number, put, text};
use std::ffi::{c_char, c_int, c_uint, c_ulonglong};

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
    if names("lost", index(device)) { 15 } else { 0 }
}

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
    put(&format!("GPU-{:04x}c0de-0000-1111-2222-333344445555", index(device)), uuid, length as usize);
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

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: Device, memory: *mut Memory) -> c_int {
    let memory = unsafe { &mut *memory };
    memory.total = if garbage() { 0 } else { number("memory", 150_754_820_096) as u64 };
    memory.free = number("free", 149_000_000_000) as u64;
    memory.reserved = 0;
    memory.used = memory.total.saturating_sub(memory.free);
    about("nvmlDeviceGetMemoryInfo_v2", device)
}

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

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMigMode(device: Device, current: *mut c_uint, pending: *mut c_uint) -> c_int {
    unsafe {
        current.write(number("mig", 0) as c_uint);
        pending.write(number("mig", 0) as c_uint);
    }
    about("nvmlDeviceGetMigMode", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMaxMigDeviceCount(device: Device, count: *mut c_uint) -> c_int {
    unsafe { count.write(7) };
    about("nvmlDeviceGetMaxMigDeviceCount", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(_device: Device, _index: c_uint, _mig: *mut Device) -> c_int {
    6
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetEccMode(device: Device, current: *mut c_uint, pending: *mut c_uint) -> c_int {
    unsafe {
        current.write(1);
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
    unsafe { count.write(if garbage() { u64::MAX } else { 0 }) };
    about("nvmlDeviceGetTotalEccErrors", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetTemperature(device: Device, _sensor: c_uint, celsius: *mut c_uint) -> c_int {
    unsafe { celsius.write(if garbage() { u32::MAX } else { 34 }) };
    about("nvmlDeviceGetTemperature", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetEnforcedPowerLimit(device: Device, milliwatts: *mut c_uint) -> c_int {
    unsafe { milliwatts.write(if garbage() { u32::MAX } else { 700_000 }) };
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
    unsafe { mode.write(0) };
    about("nvmlDeviceGetComputeMode", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: Device,
    count: *mut c_uint,
    _processes: *mut u8,
) -> c_int {
    unsafe { count.write(0) };
    about("nvmlDeviceGetComputeRunningProcesses_v3", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPersistenceMode(device: Device, mode: *mut c_uint) -> c_int {
    unsafe { mode.write(1) };
    about("nvmlDeviceGetPersistenceMode", device)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCurrentClocksThrottleReasons(device: Device, reasons: *mut c_ulonglong) -> c_int {
    unsafe { reasons.write(1) };
    about("nvmlDeviceGetCurrentClocksThrottleReasons", device)
}
