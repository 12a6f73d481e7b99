//! A fake `libcudart.so.12`, with the device's memory and its clock. What it plays: see `scenario.rs`.
//!
//! The device is lazy: writes are written down and only done when somebody
//! reads what they lead to, so that timed multiplies of any size cost nothing.
//! What is read is honest: the operand bytes, multiplied. Its clock moves by
//! the time that a GPU of this rate would have taken.
#![allow(non_snake_case)]

mod arithmetic;
mod lazy;
mod scenario;

use arithmetic::{Format, output_bytes};
use lazy::{Work, device, overlap};
use scenario::{code, count, dlopen, dlsym, enter, names, note, number, share, take, text};
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// What the driver says: the real runtime loads libcuda, too, and does not forget what it was told first.
fn driver_code() -> c_int {
    static REFUSED: AtomicI32 = AtomicI32::new(0);
    let before = REFUSED.load(Ordering::SeqCst);
    let code = if before == 0 { ask_driver() } else { before };
    REFUSED.store(code, Ordering::SeqCst);
    code
}

fn ask_driver() -> c_int {
    unsafe {
        let cuda = dlopen(c"libcuda.so.1".as_ptr(), 2);
        if cuda.is_null() {
            return 35;
        }
        let init = dlsym(cuda, c"cuInit".as_ptr());
        let init: extern "C" fn(c_uint) -> c_int = std::mem::transmute(init);
        init(0)
    }
}

fn make_context() -> c_int {
    let code = driver_code();
    let mut device = device();
    let gpu = device.gpu;
    if code == 0 && device.contexts.insert(gpu) {
        note("context");
        take("context");
        std::thread::sleep(Duration::from_millis(number("context_ms", 0) as u64));
        while count("context") < number("together", 0) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    code
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaRuntimeGetVersion(version: *mut c_int) -> c_int {
    enter("cudaRuntimeGetVersion");
    unsafe { version.write(number("runtime", 12090) as c_int) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaDriverGetVersion(version: *mut c_int) -> c_int {
    let there = unsafe { !dlopen(c"libcuda.so.1".as_ptr(), 2).is_null() };
    unsafe { version.write(if there { number("cuda", 13000) as c_int } else { 0 }) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaGetDeviceCount(count: *mut c_int) -> c_int {
    enter("cudaGetDeviceCount");
    unsafe { count.write(scenario::visible() as c_int) };
    driver_code()
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaSetDevice(gpu: c_int) -> c_int {
    enter("cudaSetDevice");
    enter(&format!("cudaSetDevice {gpu}"));
    if i64::from(gpu) >= scenario::visible() {
        return 101;
    }
    device().gpu = i64::from(gpu);
    match code("cudaSetDevice") {
        0 if scenario::limit(scenario::OPEN_FILES) < 40 => 46,
        0 => make_context(),
        code => code,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaMemGetInfo(free: *mut usize, total: *mut usize) -> c_int {
    enter("cudaMemGetInfo");
    unsafe {
        free.write(number("free", 149_000_000_000) as usize);
        total.write(number("memory", 150_754_820_096) as usize);
    }
    match code("cudaMemGetInfo") {
        0 => make_context(),
        code => code,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaDeviceGetAttribute(value: *mut c_int, attribute: c_int, _gpu: c_int) -> c_int {
    let capability = text("cc").unwrap_or("9.0".to_owned());
    let (major, minor) = capability.split_once('.').expect("cc=MAJOR.MINOR");
    let found = match attribute {
        13 => number("mhz", 1980) as c_int * 1000,
        16 => number("sms", 132) as c_int,
        75 => major.parse().expect("a number"),
        76 => minor.parse().expect("a number"),
        _ => return 1,
    };
    unsafe { value.write(found) };
    0
}

unsafe extern "C" {
    fn mmap(at: *mut c_void, size: usize, protect: c_int, flags: c_int, file: c_int, offset: i64) -> *mut c_void;
    fn munmap(at: *mut c_void, size: usize) -> c_int;
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaMalloc(address: *mut *mut c_void, size: usize) -> c_int {
    enter("cudaMalloc");
    if code("cudaMalloc") != 0 {
        return code("cudaMalloc");
    }
    if size > number("free", 149_000_000_000) as usize {
        return 2;
    }
    // Read and write, private, anonymous, not reserved: untouched pages cost nothing.
    let memory = unsafe { mmap(std::ptr::null_mut(), size, 3, 0x2 | 0x20 | 0x4000, -1, 0) };
    if memory as isize == -1 {
        return 2;
    }
    let mut device = device();
    device.allocated.insert(memory as usize, size);
    device.first.get_or_insert(memory as usize);
    unsafe { address.write(memory) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaFree(address: *mut c_void) -> c_int {
    enter("cudaFree");
    let mut device = device();
    let Some(size) = device.allocated.remove(&(address as usize)) else { return 1 };
    let freed = address as usize..address as usize + size;
    device.steps.retain(|step| !overlap(&step.to, &freed));
    if let Some(file) = text("slow_until").filter(|_| share("slow", &device.gpu.to_string()) < 1.0) {
        std::fs::write(file, "").expect("the file");
    }
    unsafe { munmap(address, size) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaMemset(to: *mut c_void, byte: c_int, size: usize) -> c_int {
    enter("cudaMemset");
    let to = to as usize;
    device().push(to..to + size, Work::Set(byte as u8));
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaMemcpy(to: *mut c_void, from: *const c_void, size: usize, direction: c_int) -> c_int {
    enter("cudaMemcpy");
    let (target, source) = (to as usize..to as usize + size, from as usize..from as usize + size);
    let mut device = device();
    let takes = size as f64 / copy_rate(direction, &device, (to as usize, from as usize)) / 1e6 + 0.004;
    device.spend(takes);
    if direction == 2 {
        device.finish();
    }
    match direction {
        1 => {
            // What nobody can have read since is forgotten.
            if device.steps.last().is_some_and(|step| step.to == target && matches!(step.work, Work::Put(_))) {
                device.steps.pop();
            }
            let bytes = unsafe { std::slice::from_raw_parts(from.cast(), size) }.to_vec();
            device.push(target, Work::Put(bytes));
            // Only a copy on the device is queued. What the fake itself took to copy is part of it.
            device.finish();
        }
        2 => {
            device.settle(source.clone());
            unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), to.cast(), size) };
            let base = device.allocated.range(..=from as usize).next_back().map(|(base, _)| *base).filter(|base| Some(*base) != device.first);
            let cell = bad_cell(device.gpu).zip(base).map(|(offset, base)| base + offset);
            if let Some(cell) = cell.filter(|cell| source.contains(cell)) {
                let byte = unsafe { to.cast::<u8>().add(cell - source.start) };
                unsafe { byte.write(byte.read() | 0x10) };
            }
        }
        3 => device.push(target, Work::Copy(from as usize)),
        _ => return 21,
    }
    0
}

fn bad_cell(gpu: i64) -> Option<usize> {
    let text = text("bad_cell")?;
    let (bad_gpu, offset) = text.split_once(':').expect("GPU:OFFSET");
    (bad_gpu.parse() == Ok(gpu)).then(|| offset.parse().expect("an offset"))
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaDeviceCanAccessPeer(can: *mut c_int, _gpu: c_int, _peer: c_int) -> c_int {
    enter("cudaDeviceCanAccessPeer");
    unsafe { can.write(number("p2p", 1) as c_int) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaDeviceEnablePeerAccess(peer: c_int, _flags: c_uint) -> c_int {
    enter("cudaDeviceEnablePeerAccess");
    match i64::from(peer) == device().gpu {
        true => 101,
        false => code("cudaDeviceEnablePeerAccess"),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaMemcpyPeer(to: usize, receiver: c_int, from: usize, sender: c_int, size: usize) -> c_int {
    enter("cudaMemcpyPeer");
    let pair = format!("{sender}-{receiver}");
    enter(&format!("cudaMemcpyPeer {pair}"));
    if code("cudaMemcpyPeer") != 0 {
        return code("cudaMemcpyPeer");
    }
    let gb_per_second = if number("p2p", 1) == 1 { 380.0 } else { 25.0 };
    let mut device = device();
    device.spend(size as f64 / gb_per_second / share("slow_peer", &pair) / 1e6 + 0.002);
    device.push(to..to + size, Work::Send(from, text("peer_wrong").as_deref() == Some(&pair)));
    0
}

/// The door for the fake NCCL: the sum of what lies at `sends` is to be at every one of `receives`.
#[unsafe(no_mangle)]
pub extern "C" fn fake_sum(sends: *const usize, receives: *const usize, gpus: usize, count: usize) -> c_int {
    let (sends, receives) =
        unsafe { (std::slice::from_raw_parts(sends, gpus), std::slice::from_raw_parts(receives, gpus)) };
    let mut device = device();
    device.spend((count * 4) as f64 * 2.0 * (gpus - 1) as f64 / gpus as f64 / 370.0 / 1e6 + 0.02);
    for (gpu, to) in receives.iter().enumerate() {
        device.push(*to..to + count * 4, Work::Sum(sends.to_vec(), names("nccl_wrong", gpu as i64)));
    }
    0
}

/// Bytes that a copy moves in one direction, 10^9 a second, as an H200 does.
fn copy_rate(direction: c_int, device: &lazy::Device, (to, from): (usize, usize)) -> f64 {
    let is_pinned = |address| device.pinned.iter().any(|(start, size)| (*start..start + size).contains(&address));
    match direction {
        3 => 2150.0 * share("slow_memory", &device.gpu.to_string()),
        _ if is_pinned(to) || is_pinned(from) => 55.0,
        _ => 11.0,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaMallocHost(address: *mut *mut c_void, size: usize) -> c_int {
    enter("cudaMallocHost");
    if code("cudaMallocHost") != 0 {
        return code("cudaMallocHost");
    }
    let memory = unsafe { mmap(std::ptr::null_mut(), size, 3, 0x2 | 0x20, -1, 0) };
    if memory as isize == -1 {
        return 2;
    }
    device().pinned.insert(memory as usize, size);
    unsafe { address.write(memory) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaFreeHost(address: *mut c_void) -> c_int {
    enter("cudaFreeHost");
    let Some(size) = device().pinned.remove(&(address as usize)) else { return 1 };
    unsafe { munmap(address, size) };
    0
}

/// The door for the fake cuBLAS, which multiplies, and cuBLASLt, which multiplies by the transposed left operand: writes
/// it down and moves the clock.
#[unsafe(no_mangle)]
pub extern "C" fn fake_multiply(size: usize, kind: c_int, tf32: c_int, transposed: c_int, places: *const [usize; 3]) -> c_int {
    let format = match (kind, tf32) {
        (0, 0) => Format::Float32,
        (0, _) => Format::Tf32,
        (1, _) => Format::Float64,
        (2, _) => Format::Float16,
        (3, _) => Format::Int8,
        (14, _) => Format::Bfloat16,
        (28, _) => Format::Float8,
        _ => return 15,
    };
    let [a, b, c] = unsafe { places.read() };
    let mut device = device();
    enter(&format!("cublasGemmEx {}", device.gpu));
    take(&format!("kernels of {format:?}"));
    let takes = 2.0 * (size as f64).powi(3) / rate(format, device.gpu) / 1e9 + 0.004;
    device.spend(takes);
    let work = Work::Multiply { size, format, transposed: transposed == 1, a, b };
    device.push(c..c + size * size * output_bytes(format), work);
    0
}

/// What an H200 reaches in practice, in TFLOP/s, scaled by the scenario's size and clock.
fn rate(format: Format, gpu: i64) -> f64 {
    let healthy = match format {
        Format::Float32 => 52.0,
        Format::Tf32 => number("rate_of_tf32", 410) as f64,
        Format::Float16 => 740.0,
        Format::Bfloat16 => 770.0,
        Format::Float64 => 58.0,
        Format::Int8 => 1250.0,
        Format::Float8 => 1420.0,
    };
    healthy * number("sms", 132) as f64 / 132.0 * number("mhz", 1980) as f64 / 1980.0 * slowness(gpu)
        * share("slow_library", if matches!(format, Format::Int8 | Format::Float8) { "cublaslt" } else { "cublas" })
}

/// The share of its rate that this GPU reaches.
fn slowness(gpu: i64) -> f64 {
    let is_over = text("slow_until").is_some_and(|file| std::path::Path::new(&file).exists());
    if is_over { 1.0 } else { share("slow", &gpu.to_string()) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaDeviceSynchronize() -> c_int {
    enter("cudaDeviceSynchronize");
    device().finish();
    code("cudaDeviceSynchronize")
}

/// An event is a box with the time it was recorded at.
#[unsafe(no_mangle)]
pub extern "C" fn cudaEventCreate(event: *mut *mut f64) -> c_int {
    unsafe { event.write(Box::into_raw(Box::new(f64::NAN))) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaEventRecord(event: *mut f64, _stream: *mut c_void) -> c_int {
    enter("cudaEventRecord");
    unsafe { event.write(device().clock_ms) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaEventElapsedTime(elapsed: *mut f32, from: *mut f64, to: *mut f64) -> c_int {
    unsafe { elapsed.write((to.read() - from.read()) as f32) };
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaEventDestroy(event: *mut f64) -> c_int {
    drop(unsafe { Box::from_raw(event) });
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn cudaGetErrorName(code: c_int) -> *const c_char {
    let name = match code {
        0 => c"cudaSuccess",
        1 => c"cudaErrorInvalidValue",
        2 => c"cudaErrorMemoryAllocation",
        3 => c"cudaErrorInitializationError",
        34 => c"cudaErrorStubLibrary",
        35 => c"cudaErrorInsufficientDriver",
        100 => c"cudaErrorNoDevice",
        101 => c"cudaErrorInvalidDevice",
        46 => c"cudaErrorDevicesUnavailable",
        209 => c"cudaErrorNoKernelImageForDevice",
        214 => c"cudaErrorECCUncorrectable",
        222 => c"cudaErrorUnsupportedPtxVersion",
        700 => c"cudaErrorIllegalAddress",
        719 => c"cudaErrorLaunchFailure",
        802 => c"cudaErrorSystemNotReady",
        803 => c"cudaErrorSystemDriverMismatch",
        804 => c"cudaErrorCompatNotSupportedOnDevice",
        999 => c"cudaErrorUnknown",
        _ => c"unrecognized error code",
    };
    name.as_ptr()
}
