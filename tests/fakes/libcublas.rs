//! A fake `libcublas.so.12`: hands multiplies to the fake runtime. What it plays: see `scenario.rs`.
#![allow(non_snake_case)]

mod scenario;

use scenario::{dlopen, dlsym, enter, number, take};
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI32, Ordering};

static MATH_MODE: AtomicI32 = AtomicI32::new(0);

#[used]
#[unsafe(link_section = ".init_array")]
static LOADED: extern "C" fn() = loaded;

/// What the loader calls.
extern "C" fn loaded() {
    take("dlopen libcublas");
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasCreate_v2(handle: *mut *mut c_void) -> c_int {
    enter("cublasCreate_v2");
    // The real one is linked against it; this one may stand alone.
    unsafe { dlopen(c"libcublasLt.so.12".as_ptr(), 2) };
    unsafe { handle.write(std::ptr::without_provenance_mut(0xb1a5)) };
    number("cublas_create", 0) as c_int
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasDestroy_v2(_handle: *mut c_void) -> c_int {
    enter("cublasDestroy_v2");
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasSetMathMode(_handle: *mut c_void, mode: c_int) -> c_int {
    enter("cublasSetMathMode");
    MATH_MODE.store(mode, Ordering::SeqCst);
    0
}

/// 0: major, 1: minor, 2: patch.
#[unsafe(no_mangle)]
pub extern "C" fn cublasGetProperty(which: c_int, value: *mut c_int) -> c_int {
    let version = number("cublas", 120_901) as c_int;
    let part = match which {
        0 => version / 10_000,
        1 => version / 100 % 100,
        2 => version % 100,
        _ => return 7,
    };
    unsafe { value.write(part) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasGetVersion_v2(_handle: *mut c_void, version: *mut c_int) -> c_int {
    unsafe { version.write(number("cublas", 120_901) as c_int) };
    0
}

/// Square, not transposed, alpha 1 and beta 0: all that the probe asks for; anything else is refused.
#[unsafe(no_mangle)]
pub extern "C" fn cublasGemmEx(
    _handle: *mut c_void,
    transposed_a: c_int,
    transposed_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: *const c_void,
    a: usize,
    a_type: c_int,
    lda: c_int,
    b: usize,
    b_type: c_int,
    ldb: c_int,
    beta: *const c_void,
    c: usize,
    c_type: c_int,
    ldc: c_int,
    compute: c_int,
    _algorithm: c_int,
) -> c_int {
    enter("cublasGemmEx");
    if scenario::code("cublasGemmEx") != 0 {
        return scenario::code("cublasGemmEx");
    }
    let square = [n, k, lda, ldb, ldc].iter().all(|side| *side == m);
    let scalars = unsafe {
        match c_type {
            1 => alpha.cast::<f64>().read() == 1.0 && beta.cast::<f64>().read() == 0.0,
            _ => alpha.cast::<f32>().read() == 1.0 && beta.cast::<f32>().read() == 0.0,
        }
    };
    let types = a_type == b_type && matches!((a_type, c_type, compute), (1, 1, 70) | (0 | 2 | 14, 0, 68) | (0, 0, 77));
    if !square || !scalars || !types || transposed_a != 0 || transposed_b != 0 {
        return 15;
    }
    let tf32 = compute == 77 || MATH_MODE.load(Ordering::SeqCst) == 3 || number("tf32", 0) == 1;
    unsafe {
        // 2: now; 4: only if it is loaded already.
        let runtime = dlopen(c"libcudart.so.12".as_ptr(), 2 | 4);
        if runtime.is_null() {
            return 1;
        }
        let multiply = dlsym(runtime, c"fake_multiply".as_ptr());
        let multiply: extern "C" fn(usize, c_int, c_int, c_int, *const [usize; 3]) -> c_int =
            std::mem::transmute(multiply);
        multiply(m as usize, a_type, c_int::from(tf32), 0, &[a, b, c])
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasGetStatusName(status: c_int) -> *const c_char {
    let name = match status {
        0 => c"CUBLAS_STATUS_SUCCESS",
        1 => c"CUBLAS_STATUS_NOT_INITIALIZED",
        3 => c"CUBLAS_STATUS_ALLOC_FAILED",
        7 => c"CUBLAS_STATUS_INVALID_VALUE",
        8 => c"CUBLAS_STATUS_ARCH_MISMATCH",
        13 => c"CUBLAS_STATUS_EXECUTION_FAILED",
        15 => c"CUBLAS_STATUS_NOT_SUPPORTED",
        _ => return std::ptr::null(),
    };
    name.as_ptr()
}
