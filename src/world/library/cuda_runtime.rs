//! libcudart: devices, memory and events; [`peers`] is the way from one device to another.
//!
//! Signatures are those of `cuda_runtime_api.h` and have not changed since CUDA 11. `cudaDeviceProp` has, so
//! devices are described through attributes instead. Memory is plain `cudaMalloc`; nothing here changes a setting.
#![allow(unsafe_code)]

mod peers;

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::marker::PhantomData;

use super::{CallFailed, Library, symbols, text};

symbols! {
    struct Symbols {
        device_count = "cudaGetDeviceCount": fn(*mut c_int);
        set_device = "cudaSetDevice": fn(c_int);
        memory = "cudaMemGetInfo": fn(*mut usize, *mut usize);
        attribute = "cudaDeviceGetAttribute": fn(*mut c_int, c_int, c_int);
        allocate = "cudaMalloc": fn(*mut *mut c_void, usize);
        free = "cudaFree": fn(*mut c_void);
        allocate_host = "cudaMallocHost": fn(*mut *mut c_void, usize);
        free_host = "cudaFreeHost": fn(*mut c_void);
        fill = "cudaMemset": fn(*mut c_void, c_int, usize);
        copy = "cudaMemcpy": fn(*mut c_void, *const c_void, usize, c_int);
        can_access_peer = "cudaDeviceCanAccessPeer": fn(*mut c_int, c_int, c_int);
        enable_peer_access = "cudaDeviceEnablePeerAccess": fn(c_int, c_uint);
        copy_peer = "cudaMemcpyPeer": fn(*mut c_void, c_int, *const c_void, c_int, usize);
        synchronize = "cudaDeviceSynchronize": fn();
        event_create = "cudaEventCreate": fn(*mut *mut c_void);
        event_record = "cudaEventRecord": fn(*mut c_void, *mut c_void);
        event_elapsed = "cudaEventElapsedTime": fn(*mut f32, *mut c_void, *mut c_void);
        event_destroy = "cudaEventDestroy": fn(*mut c_void);
        error_name = "cudaGetErrorName": fn(c_int) -> *const c_char;
    }
}

/// `cudaErrorMemoryAllocation`
pub const OUT_OF_MEMORY: i32 = 2;

const HOST_TO_DEVICE: c_int = 1;
const DEVICE_TO_HOST: c_int = 2;
const DEVICE_TO_DEVICE: c_int = 3;

/// What can be asked about a device, by the numbers of `cudaDeviceAttr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Highest SM clock in kHz.
    ClockKhz = 13,
    /// Streaming multiprocessors.
    SmCount = 16,
    /// Compute capability before the dot.
    CapabilityMajor = 75,
    /// Compute capability after the dot.
    CapabilityMinor = 76,
}

/// Memory on the device. [`CudaRuntime::free`] gives it back.
pub struct DeviceMemory {
    address: *mut c_void,
    bytes: usize,
}

impl DeviceMemory {
    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A part of it; `None` when it does not lie inside.
    pub fn slice(&self, offset: usize, bytes: usize) -> Option<DeviceSlice<'_>> {
        let inside = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        inside.then(|| DeviceSlice { address: self.address.wrapping_byte_add(offset), bytes, memory: PhantomData })
    }
}

/// A part of device memory that is still allocated.
#[derive(Clone, Copy)]
pub struct DeviceSlice<'memory> {
    pub(super) address: *mut c_void,
    pub(super) bytes: usize,
    memory: PhantomData<&'memory DeviceMemory>,
}

impl DeviceSlice<'_> {
    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Memory of the host that the device reaches by itself. [`CudaRuntime::free_pinned`] gives it back.
pub struct PinnedMemory {
    address: *mut u8,
    bytes: usize,
}

impl PinnedMemory {
    /// All of it.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `cudaMallocHost` gave this many bytes, they were set once since, and only we have their address.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.bytes) }
    }
}

/// A moment on the device's own clock.
pub struct Event(*mut c_void);

/// The CUDA runtime.
pub struct CudaRuntime {
    symbols: Symbols,
}

impl CudaRuntime {
    /// Opens a copy by path. The error is in the loader's words.
    pub fn open(path: &str) -> Result<Self, String> {
        let library = Library::open(path)?;
        Ok(Self { symbols: Symbols::of(&library) })
    }

    /// `cudaGetDeviceCount`, which starts the driver and makes no context.
    pub fn device_count(&self) -> Result<i32, CallFailed> {
        let mut count = 0;
        // SAFETY: writes one number.
        self.symbols.device_count.call(|get| unsafe { get(&raw mut count) }, |code| self.code_name(code))?;
        Ok(count)
    }

    /// `cudaSetDevice`; since CUDA 12 this makes the context.
    pub fn set_device(&self, ordinal: i32) -> Result<(), CallFailed> {
        // SAFETY: takes a number.
        self.symbols.set_device.call(|set| unsafe { set(ordinal) }, |code| self.code_name(code))
    }

    /// Free and total bytes on the device; makes the context where nothing did before.
    pub fn memory(&self) -> Result<(usize, usize), CallFailed> {
        let (mut free, mut total) = (0, 0);
        // SAFETY: writes two sizes.
        let get =
            |get: unsafe extern "C" fn(*mut usize, *mut usize) -> c_int| unsafe { get(&raw mut free, &raw mut total) };
        self.symbols.memory.call(get, |code| self.code_name(code))?;
        Ok((free, total))
    }

    /// One attribute of a device.
    pub fn attribute(&self, attribute: Attribute, ordinal: i32) -> Result<i32, CallFailed> {
        let mut value = 0;
        // SAFETY: writes one int.
        self.symbols
            .attribute
            .call(|get| unsafe { get(&raw mut value, attribute as c_int, ordinal) }, |code| self.code_name(code))?;
        Ok(value)
    }

    /// `cudaMalloc`.
    pub fn allocate(&self, bytes: usize) -> Result<DeviceMemory, CallFailed> {
        let mut address = std::ptr::null_mut();
        // SAFETY: writes one pointer.
        self.symbols.allocate.call(|get| unsafe { get(&raw mut address, bytes) }, |code| self.code_name(code))?;
        Ok(DeviceMemory { address, bytes })
    }

    /// `cudaFree`.
    #[expect(clippy::needless_pass_by_value, reason = "the memory is gone afterwards")]
    pub fn free(&self, memory: DeviceMemory) -> Result<(), CallFailed> {
        // SAFETY: the address came from `cudaMalloc`, and no slice outlives the memory.
        self.symbols.free.call(|free| unsafe { free(memory.address) }, |code| self.code_name(code))
    }

    /// `cudaMallocHost`; every byte is zero.
    pub fn allocate_pinned(&self, bytes: usize) -> Result<PinnedMemory, CallFailed> {
        let mut address = std::ptr::null_mut();
        // SAFETY: writes one pointer.
        let get = |get: unsafe extern "C" fn(*mut *mut c_void, usize) -> c_int| unsafe { get(&raw mut address, bytes) };
        self.symbols.allocate_host.call(get, |code| self.code_name(code))?;
        let address: *mut u8 = address.cast();
        if address.is_null() {
            return Err(CallFailed::refused("cudaMallocHost", "it gave no address"));
        }
        // SAFETY: so many bytes were just given to us.
        unsafe { address.write_bytes(0, bytes) };
        Ok(PinnedMemory { address, bytes })
    }

    /// `cudaFreeHost`.
    #[expect(clippy::needless_pass_by_value, reason = "the memory is gone afterwards")]
    pub fn free_pinned(&self, memory: PinnedMemory) -> Result<(), CallFailed> {
        // SAFETY: the address came from `cudaMallocHost`, and every slice of it has ended with the borrow.
        self.symbols.free_host.call(|free| unsafe { free(memory.address.cast()) }, |code| self.code_name(code))
    }

    /// Sets every byte.
    pub fn fill(&self, target: DeviceSlice<'_>, byte: u8) -> Result<(), CallFailed> {
        // SAFETY: the slice lies inside allocated memory.
        let fill = |fill: unsafe extern "C" fn(*mut c_void, c_int, usize) -> c_int| unsafe {
            fill(target.address, c_int::from(byte), target.bytes)
        };
        self.symbols.fill.call(fill, |code| self.code_name(code))
    }

    /// Copies from the host; the sizes must agree.
    pub fn upload(&self, from: &[u8], to: DeviceSlice<'_>) -> Result<(), CallFailed> {
        self.copy(to.address, to.bytes, from.as_ptr().cast(), from.len(), HOST_TO_DEVICE)
    }

    /// Copies to the host; the sizes must agree.
    pub fn download(&self, from: DeviceSlice<'_>, to: &mut [u8]) -> Result<(), CallFailed> {
        self.copy(to.as_mut_ptr().cast(), to.len(), from.address, from.bytes, DEVICE_TO_HOST)
    }

    /// Copies on the device; the sizes must agree and the parts must not overlap.
    pub fn copy_on_device(&self, from: DeviceSlice<'_>, to: DeviceSlice<'_>) -> Result<(), CallFailed> {
        self.copy(to.address, to.bytes, from.address, from.bytes, DEVICE_TO_DEVICE)
    }

    fn copy(
        &self,
        to: *mut c_void,
        room: usize,
        from: *const c_void,
        bytes: usize,
        direction: c_int,
    ) -> Result<(), CallFailed> {
        if room != bytes {
            return Err(CallFailed::refused("cudaMemcpy", "source and target differ in size"));
        }
        // SAFETY: both sides were borrowed with this size by the callers above.
        self.symbols.copy.call(|copy| unsafe { copy(to, from, bytes, direction) }, |code| self.code_name(code))
    }

    /// Waits until the device has done all it was given.
    pub fn synchronize(&self) -> Result<(), CallFailed> {
        // SAFETY: takes nothing.
        self.symbols.synchronize.call(|wait| unsafe { wait() }, |code| self.code_name(code))
    }

    /// A new event.
    pub fn event(&self) -> Result<Event, CallFailed> {
        let mut event = std::ptr::null_mut();
        // SAFETY: writes one handle.
        self.symbols.event_create.call(|create| unsafe { create(&raw mut event) }, |code| self.code_name(code))?;
        Ok(Event(event))
    }

    /// Marks this moment in the default stream.
    pub fn record(&self, event: &Event) -> Result<(), CallFailed> {
        // SAFETY: the handle is live; null is the default stream.
        let record = |record: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int| unsafe {
            record(event.0, std::ptr::null_mut())
        };
        self.symbols.event_record.call(record, |code| self.code_name(code))
    }

    /// Milliseconds between two events that the device has passed.
    pub fn elapsed_ms(&self, from: &Event, to: &Event) -> Result<f64, CallFailed> {
        let mut elapsed = 0.0_f32;
        // SAFETY: both handles are live; writes one float.
        let get = |get: unsafe extern "C" fn(*mut f32, *mut c_void, *mut c_void) -> c_int| unsafe {
            get(&raw mut elapsed, from.0, to.0)
        };
        self.symbols.event_elapsed.call(get, |code| self.code_name(code))?;
        Ok(f64::from(elapsed))
    }

    /// Gives an event back.
    #[expect(clippy::needless_pass_by_value, reason = "the event is gone afterwards")]
    pub fn destroy(&self, event: Event) -> Result<(), CallFailed> {
        // SAFETY: the handle is live and given away here.
        self.symbols.event_destroy.call(|destroy| unsafe { destroy(event.0) }, |code| self.code_name(code))
    }

    /// The C name of a code, in the library's own words; empty when it has none.
    pub fn code_name(&self, code: i32) -> String {
        match self.symbols.error_name.function {
            // SAFETY: takes a number and returns a constant string.
            Ok(get) => unsafe { text(get(code)) },
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_slice_leaves_its_memory() {
        let memory = DeviceMemory { address: std::ptr::null_mut(), bytes: 100 };
        assert!(memory.slice(0, 100).is_some() && memory.slice(100, 0).is_some());
        assert!(memory.slice(50, 51).is_none() && memory.slice(101, 0).is_none());
        assert!(memory.slice(usize::MAX, 2).is_none());
    }
}
