//! A fake `libcublasLt.so.12`: its version, and square multiplies of 8-bit operands. What it plays: see `scenario.rs`.
#![allow(non_snake_case)]

mod scenario;

use scenario::{code, dlopen, dlsym, enter, take};
use std::ffi::{c_int, c_void};

fn version() -> i64 {
    scenario::number("cublaslt", scenario::number("cublas", 120_901))
}

#[used]
#[unsafe(link_section = ".init_array")]
static LOADED: extern "C" fn() = loaded;

/// What the loader calls.
extern "C" fn loaded() {
    take("dlopen libcublasLt");
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasLtGetVersion() -> usize {
    enter("cublasLtGetVersion");
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

/// A descriptor of any kind: some numbers.
#[derive(Default)]
struct Descriptor {
    numbers: [i64; 4],
}

fn give(at: *mut *mut Descriptor, numbers: [i64; 4]) -> c_int {
    unsafe { at.write(Box::into_raw(Box::new(Descriptor { numbers }))) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasLtCreate(handle: *mut *mut c_void) -> c_int {
    enter("cublasLtCreate");
    unsafe { handle.write(std::ptr::without_provenance_mut(0x17b1a5)) };
    code("cublasLtCreate")
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasLtDestroy(_handle: *mut c_void) -> c_int {
    enter("cublasLtDestroy");
    0
}

/// Numbers: compute type, scale type, whether A is transposed.
#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmulDescCreate(at: *mut *mut Descriptor, compute: c_int, scale: c_int) -> c_int {
    give(at, [compute.into(), scale.into(), 0, 0])
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmulDescSetAttribute(of: *mut Descriptor, which: c_int, value: *const c_int, bytes: usize) -> c_int {
    if (which, bytes) != (3, 4) {
        return 7;
    }
    unsafe { (*of).numbers[2] = value.read().into() };
    0
}

/// Numbers: element type, rows, columns, leading dimension.
#[unsafe(no_mangle)]
extern "C" fn cublasLtMatrixLayoutCreate(at: *mut *mut Descriptor, kind: c_int, rows: u64, columns: u64, ld: i64) -> c_int {
    give(at, [kind.into(), rows as i64, columns as i64, ld])
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmulPreferenceCreate(at: *mut *mut Descriptor) -> c_int {
    give(at, [0; 4])
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmulPreferenceSetAttribute(of: *mut Descriptor, which: c_int, value: *const u64, bytes: usize) -> c_int {
    if (which, bytes) != (1, 8) {
        return 7;
    }
    unsafe { (*of).numbers[0] = value.read() as i64 };
    0
}

fn take_back(descriptor: *mut Descriptor) -> c_int {
    drop(unsafe { Box::from_raw(descriptor) });
    0
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmulDescDestroy(descriptor: *mut Descriptor) -> c_int {
    take_back(descriptor)
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatrixLayoutDestroy(descriptor: *mut Descriptor) -> c_int {
    take_back(descriptor)
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmulPreferenceDestroy(descriptor: *mut Descriptor) -> c_int {
    take_back(descriptor)
}

#[repr(C)]
pub struct Found {
    algorithm: [u64; 8],
    workspace_bytes: usize,
    state: c_int,
    waves: f32,
    reserved: [c_int; 4],
}

/// What the real one takes of it: 8-bit operands, A transposed, products of 32 bits.
fn is_possible(operation: &Descriptor, operand: &Descriptor, product: &Descriptor) -> bool {
    let square = |layout: &Descriptor| layout.numbers[1..].iter().all(|side| *side == operand.numbers[1] && side % 16 == 0);
    let kinds = (operand.numbers[0], product.numbers[0], operation.numbers[0], operation.numbers[1]);
    matches!(kinds, (3, 10, 72, 10) | (28, 0, 68, 0)) && operation.numbers[2] == 1 && square(operand) && square(product)
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmulAlgoGetHeuristic(
    _handle: *mut c_void,
    operation: &Descriptor,
    a: &Descriptor,
    b: &Descriptor,
    c: &Descriptor,
    d: &Descriptor,
    preference: &Descriptor,
    wanted: c_int,
    found: *mut Found,
    count: *mut c_int,
) -> c_int {
    enter("cublasLtMatmulAlgoGetHeuristic");
    let refused = code("cublasLtMatmulAlgoGetHeuristic");
    if refused != 0 {
        return refused;
    }
    if wanted < 1 || a.numbers != b.numbers || c.numbers != d.numbers || !is_possible(operation, a, c) {
        return 15;
    }
    let workspace_bytes = preference.numbers[0] as usize / 2;
    let one = Found { algorithm: [0xa1; 8], workspace_bytes, state: 0, waves: 1.0, reserved: [0; 4] };
    unsafe {
        found.write(one);
        count.write(1);
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtMatmul(
    _handle: *mut c_void,
    operation: &Descriptor,
    alpha: *const u32,
    a: usize,
    a_layout: &Descriptor,
    b: usize,
    _b_layout: &Descriptor,
    beta: *const u32,
    _c: usize,
    c_layout: &Descriptor,
    d: usize,
    _d_layout: &Descriptor,
    algorithm: *const [u64; 8],
    workspace: usize,
    workspace_bytes: usize,
    _stream: *mut c_void,
) -> c_int {
    enter("cublasLtMatmul");
    if code("cublasLtMatmul") != 0 {
        return code("cublasLtMatmul");
    }
    let one = if c_layout.numbers[0] == 10 { 1 } else { 1.0_f32.to_bits() };
    let scalars = unsafe { alpha.read() == one && beta.read() == 0 && *algorithm == [0xa1; 8] };
    if !scalars || workspace == 0 || workspace_bytes == 0 || !is_possible(operation, a_layout, c_layout) {
        return 7;
    }
    unsafe {
        // What it works in is no longer what it was. 2: now; 4: only if it is loaded already.
        let runtime = dlopen(c"libcudart.so.12".as_ptr(), 2 | 4);
        if runtime.is_null() {
            return 1;
        }
        let clear: extern "C" fn(usize, c_int, usize) -> c_int = std::mem::transmute(dlsym(runtime, c"cudaMemset".as_ptr()));
        clear(workspace, 0x5a, workspace_bytes);
        let multiply: extern "C" fn(usize, c_int, c_int, c_int, *const [usize; 3]) -> c_int =
            std::mem::transmute(dlsym(runtime, c"fake_multiply".as_ptr()));
        multiply(a_layout.numbers[1] as usize, a_layout.numbers[0] as c_int, 0, 1, &[a, b, d])
    }
}
