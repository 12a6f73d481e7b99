//! A fake `libnccl.so.2`: hands sums to the fake runtime. What it plays: see `scenario.rs`.
#![allow(non_snake_case)]

mod scenario;

use scenario::{code, dlopen, dlsym, enter, number};
use std::ffi::{c_char, c_int, c_void};
use std::sync::Mutex;

/// What the GPUs of an open group send and receive, and how much.
static GROUP: Mutex<Vec<(usize, usize, usize)>> = Mutex::new(Vec::new());

fn group() -> std::sync::MutexGuard<'static, Vec<(usize, usize, usize)>> {
    GROUP.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[unsafe(no_mangle)]
pub extern "C" fn ncclGetVersion(version: *mut c_int) -> c_int {
    enter("ncclGetVersion");
    unsafe { version.write(number("nccl", 22703) as c_int) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn ncclCommInitAll(communicators: *mut *mut c_void, count: c_int, _devices: *const c_int) -> c_int {
    enter("ncclCommInitAll");
    if i64::from(count) > scenario::visible() {
        return 4;
    }
    for gpu in 0..count as usize {
        unsafe { communicators.add(gpu).write(std::ptr::without_provenance_mut(0x1000 + gpu)) };
    }
    code("ncclCommInitAll")
}

#[unsafe(no_mangle)]
pub extern "C" fn ncclGroupStart() -> c_int {
    enter("ncclGroupStart");
    group().clear();
    0
}

/// 32-bit floats and their sum: all that the probe asks for; anything else is refused.
#[unsafe(no_mangle)]
pub extern "C" fn ncclAllReduce(
    send: usize,
    receive: usize,
    count: usize,
    kind: c_int,
    operation: c_int,
    _communicator: *mut c_void,
    _stream: *mut c_void,
) -> c_int {
    enter("ncclAllReduce");
    if kind != 7 || operation != 0 {
        return 4;
    }
    group().push((send, receive, count));
    code("ncclAllReduce")
}

#[unsafe(no_mangle)]
pub extern "C" fn ncclGroupEnd() -> c_int {
    enter("ncclGroupEnd");
    let group = group();
    let (sends, receives): (Vec<usize>, Vec<usize>) = group.iter().map(|(send, receive, _)| (*send, *receive)).unzip();
    let Some((.., count)) = group.first() else { return 0 };
    unsafe {
        // 2: now; 4: only if it is loaded already.
        let runtime = dlopen(c"libcudart.so.12".as_ptr(), 2 | 4);
        if runtime.is_null() {
            return 1;
        }
        let sum = dlsym(runtime, c"fake_sum".as_ptr());
        let sum: extern "C" fn(*const usize, *const usize, usize, usize) -> c_int = std::mem::transmute(sum);
        sum(sends.as_ptr(), receives.as_ptr(), sends.len(), *count)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn ncclCommDestroy(_communicator: *mut c_void) -> c_int {
    enter("ncclCommDestroy");
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn ncclGetErrorString(code: c_int) -> *const c_char {
    let words = match code {
        0 => c"no error",
        1 => c"unhandled cuda error",
        2 => c"unhandled system error",
        3 => c"internal error",
        4 => c"invalid argument",
        _ => c"unknown result code",
    };
    words.as_ptr()
}
