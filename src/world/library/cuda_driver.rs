//! libcuda: the functions that tell whether CUDA starts here.
//!
//! Signatures and codes are those of `cuda.h`. Which file was loaded is the business of the parent module.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint};

use super::{CallFailed, Library, Symbol, symbols, text};
use crate::facts::reference::cuda_errors;

symbols! {
    struct Symbols {
        init = "cuInit": fn(c_uint);
        version = "cuDriverGetVersion": fn(*mut c_int);
        device_count = "cuDeviceGetCount": fn(*mut c_int);
        device_name = "cuDeviceGetName": fn(*mut c_char, c_int, c_int);
        pci_address = "cuDeviceGetPCIBusId": fn(*mut c_char, c_int, c_int);
        error_name = "cuGetErrorName": fn(c_int, *mut *const c_char);
    }
}

/// A function that writes a text about a device: where to, how much at most, and of which.
type DeviceText = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;

/// The CUDA driver library, opened as the workload would open it.
pub struct CudaDriver {
    symbols: Symbols,
}

impl CudaDriver {
    /// The soname that every CUDA program asks for.
    pub const SONAME: &'static str = "libcuda.so.1";

    /// Opens it by soname. The error is in the loader's words.
    pub fn open() -> Result<Self, String> {
        let library = Library::open(Self::SONAME)?;
        Ok(Self { symbols: Symbols::of(&library) })
    }

    /// `cuInit(0)`.
    pub fn init(&self) -> Result<(), CallFailed> {
        // SAFETY: takes flags, which must be zero.
        self.symbols.init.call(|init| unsafe { init(0) }, |code| self.code_name(code))
    }

    /// Newest CUDA release, as `12080`. May be asked before [`Self::init`].
    pub fn version(&self) -> Result<i32, CallFailed> {
        let mut version = 0;
        // SAFETY: writes one int.
        self.symbols.version.call(|get| unsafe { get(&raw mut version) }, |code| self.code_name(code))?;
        Ok(version)
    }

    /// Number of GPUs that CUDA shows to this process.
    pub fn device_count(&self) -> Result<i32, CallFailed> {
        let mut count = 0;
        // SAFETY: writes one int.
        self.symbols.device_count.call(|get| unsafe { get(&raw mut count) }, |code| self.code_name(code))?;
        Ok(count)
    }

    /// Product name of a GPU by ordinal.
    pub fn device_name(&self, ordinal: i32) -> Result<String, CallFailed> {
        self.device_text(&self.symbols.device_name, ordinal)
    }

    /// PCI address of a GPU by ordinal, as `0000:1b:00.0`.
    pub fn pci_address(&self, ordinal: i32) -> Result<String, CallFailed> {
        self.device_text(&self.symbols.pci_address, ordinal)
    }

    /// One of the texts that tell what a GPU is.
    fn device_text(&self, about: &Symbol<DeviceText>, ordinal: i32) -> Result<String, CallFailed> {
        let mut name: [c_char; 256] = [0; 256];
        // SAFETY: writes at most the length it is given; the last byte stays zero.
        about.call(|get| unsafe { get(name.as_mut_ptr(), 255, ordinal) }, |code| self.code_name(code))?;
        // SAFETY: the array is ours and ends in a zero.
        Ok(unsafe { text(name.as_ptr()) })
    }

    /// The C name of a code: the library's own word for it, else that of the reference table; empty for others.
    pub fn code_name(&self, code: i32) -> String {
        let mut name: *const c_char = std::ptr::null();
        if let Ok(get) = self.symbols.error_name.function {
            // SAFETY: writes one pointer to a constant string, or null for codes it does not know.
            unsafe { get(code, &raw mut name) };
        }
        // SAFETY: null or a constant string of the library.
        let own = unsafe { text(name) };
        match own.is_empty() {
            true if code == 0 => "CUDA_SUCCESS".to_owned(),
            true => cuda_errors::error(code.into()).and_then(|row| row.driver.clone()).unwrap_or_default(),
            false => own,
        }
    }
}
