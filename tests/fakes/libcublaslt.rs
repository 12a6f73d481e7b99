//! A fake `libcublasLt.so.12`: only its version. What it plays: see `scenario.rs`.
#![allow(non_snake_case)]

mod scenario;

use std::ffi::c_int;

fn version() -> i64 {
    scenario::number("cublaslt", scenario::number("cublas", 120_901))
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasLtGetVersion() -> usize {
    scenario::enter("cublasLtGetVersion");
    version() as usize
}

/// 0: major, 1: minor, 2: patch.
#[unsafe(no_mangle)]
pub extern "C" fn cublasLtGetProperty(which: c_int, value: *mut c_int) -> c_int {
    let version = version() as c_int;
    let part = match which {
        0 => version / 10_000,
        1 => version / 100 % 100,
        2 => version % 100,
        _ => return 7,
    };
    unsafe { value.write(part) };
    0
}
