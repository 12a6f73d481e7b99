//! Memory of the host that is pinned, so that the device copies it without the help of the driver.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};

use super::CudaRuntime;
use crate::world::library::CallFailed;

/// Pinned memory. [`CudaRuntime::free_host`] gives it back.
pub struct HostMemory {
    address: *mut u8,
    bytes: usize,
}

impl HostMemory {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `cudaMallocHost` gave so many bytes, which were set to zero and are ours alone. Copies by the device
        // are over when the call that makes them returns.
        unsafe { std::slice::from_raw_parts(self.address, self.bytes) }
    }

    /// The same, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and nobody else holds a reference.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.bytes) }
    }
}

impl CudaRuntime {
    /// `cudaMallocHost`; every byte is zero.
    pub fn allocate_host(&self, bytes: usize) -> Result<HostMemory, CallFailed> {
        let mut address: *mut c_void = std::ptr::null_mut();
        // SAFETY: writes one pointer.
        self.symbols
            .allocate_host
            .call(|allocate| unsafe { allocate(&raw mut address, bytes) }, |code| self.code_name(code))?;
        if address.is_null() {
            return Err(CallFailed::refused("cudaMallocHost", "it gave no memory"));
        }
        let address: *mut u8 = address.cast();
        // SAFETY: the call succeeded, so there are so many bytes, and nobody else knows them.
        unsafe { address.write_bytes(0, bytes) };
        Ok(HostMemory { address, bytes })
    }

    /// `cudaFreeHost`.
    #[expect(clippy::needless_pass_by_value, reason = "the memory is gone afterwards")]
    pub fn free_host(&self, memory: HostMemory) -> Result<(), CallFailed> {
        // SAFETY: the address came from `cudaMallocHost` and is given away here.
        let free = |free: unsafe extern "C" fn(*mut c_void) -> c_int| unsafe { free(memory.address.cast()) };
        self.symbols.free_host.call(free, |code| self.code_name(code))
    }
}
