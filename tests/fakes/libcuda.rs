//! A fake `libcuda.so.1`. What it plays: see `scenario.rs`.
#![allow(non_snake_case)]

mod scenario;

use scenario::{enter, number};
use std::ffi::{c_char, c_int, c_uint};
use std::sync::atomic::{AtomicI64, Ordering};

static CALLS: AtomicI64 = AtomicI64::new(0);

fn init_code() -> c_int {
    let ready = number("cu_init_ready", i64::MAX);
    match number("cu_init", 0) as c_int {
        code if code != 0 && scenario::count("cuInit") < ready => code,
        _ if code_of_the_environment() != 0 => code_of_the_environment(),
        _ if scenario::limit(scenario::ADDRESS_SPACE) < 15 << 30 => 2,
        _ if scenario::visible() == 0 => 100,
        _ => 0,
    }
}

/// What `cu_init_while` says, where its variable holds its text.
fn code_of_the_environment() -> c_int {
    let Some(told) = scenario::text("cu_init_while") else { return 0 };
    let [variable, text, code] = told.splitn(3, ':').collect::<Vec<_>>()[..] else { panic!("VARIABLE:TEXT:CODE") };
    let holds = std::env::var(variable).is_ok_and(|value| value.contains(text));
    if holds { code.parse().expect("a code") } else { 0 }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuInit(_flags: c_uint) -> c_int {
    enter("cuInit");
    CALLS.fetch_add(1, Ordering::SeqCst);
    init_code()
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDriverGetVersion(version: *mut c_int) -> c_int {
    enter("cuDriverGetVersion");
    unsafe { version.write(number("cuda", 13000) as c_int) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetCount(count: *mut c_int) -> c_int {
    enter("cuDeviceGetCount");
    if CALLS.load(Ordering::SeqCst) == 0 {
        return 3;
    }
    unsafe { count.write(scenario::visible() as c_int) };
    init_code()
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, _device: c_int) -> c_int {
    enter("cuDeviceGetName");
    scenario::put(&scenario::text("model").unwrap_or("NVIDIA H200".to_owned()), name, length as usize);
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetPCIBusId(address: *mut c_char, length: c_int, device: c_int) -> c_int {
    // The first entry that `CUDA_VISIBLE_DEVICES` has is device 0, whatever NVML calls it.
    let list = std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
    let gpu = list.split(',').nth(device as usize).and_then(|entry| entry.trim().parse().ok()).unwrap_or(device);
    scenario::put(&format!("0000:{:02x}:00.0", gpu + 16), address, length as usize);
    0
}

/// Knows few names, as an old library would.
#[unsafe(no_mangle)]
pub extern "C" fn cuGetErrorName(code: c_int, name: *mut *const c_char) -> c_int {
    let found = match code {
        0 => c"CUDA_SUCCESS",
        3 => c"CUDA_ERROR_NOT_INITIALIZED",
        100 => c"CUDA_ERROR_NO_DEVICE",
        999 => c"CUDA_ERROR_UNKNOWN",
        _ => return 1,
    };
    unsafe { name.write(found.as_ptr()) };
    0
}
