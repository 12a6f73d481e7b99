//! libnvidia-ml: what the crate that speaks to it does not offer.
//!
//! Signatures and structures are those of `nvml.h`. The library has to be initialised already, in this process.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_void};

use super::{CallFailed, Library, symbols, text};

symbols! {
    struct Symbols {
        handle = "nvmlDeviceGetHandleByIndex_v2": fn(c_uint, *mut *mut c_void);
        fabric = "nvmlDeviceGetGpuFabricInfo": fn(*mut c_void, *mut FabricInfo);
        fabric_health = "nvmlDeviceGetGpuFabricInfoV": fn(*mut c_void, *mut FabricInfoV2);
        confidential = "nvmlSystemGetConfComputeState": fn(*mut ConfidentialState);
        confidential_ready = "nvmlSystemGetConfComputeGpusReadyState": fn(*mut c_uint);
        error_text = "nvmlErrorString": fn(c_int) -> *const c_char;
    }
}

/// `nvmlGpuFabricInfo_t`
#[repr(C)]
#[derive(Default)]
struct FabricInfo {
    cluster: [u8; 16],
    status: c_uint,
    clique: c_uint,
    state: u8,
}

/// `nvmlGpuFabricInfo_v2_t`, which is told its version and says how the fabric does.
#[repr(C)]
#[derive(Default)]
struct FabricInfoV2 {
    version: c_uint,
    cluster: [u8; 16],
    status: c_uint,
    clique: c_uint,
    state: u8,
    health: c_uint,
}

/// `nvmlConfComputeSystemState_t`
#[repr(C)]
#[derive(Default)]
struct ConfidentialState {
    environment: c_uint,
    feature: c_uint,
    devtools: c_uint,
}

/// Size of the structure, and its version above it: how `nvml.h` marks them.
const FABRIC_INFO_V2: c_uint = 0x24 | 2 << 24;

/// Where a GPU stands with the NVLink fabric of its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fabric {
    /// 0: it has none, 1: not started, 2: in progress, 3: completed.
    pub state: u8,
    /// When completed: 0 for success, else the code of what went wrong.
    pub status: u32,
}

/// The management library beside the wrapper's own handle of it.
pub struct Management {
    symbols: Symbols,
}

impl Management {
    /// Opens it by soname. The error is in the loader's words.
    pub fn open(soname: &str) -> Result<Self, String> {
        let library = Library::open(soname)?;
        Ok(Self { symbols: Symbols::of(&library) })
    }

    /// Where the GPU of this index stands with the fabric.
    pub fn fabric(&self, index: u32) -> Result<Fabric, CallFailed> {
        let mut device = std::ptr::null_mut();
        // SAFETY: writes one pointer.
        self.symbols.handle.call(|get| unsafe { get(index, &raw mut device) }, |code| self.code_text(code))?;
        // The first version of the structure, with room behind it for a library that writes more.
        let mut room: [FabricInfo; 4] = Default::default();
        // SAFETY: the handle is the library's own; it writes one structure, and the array has room for four.
        self.symbols.fabric.call(|get| unsafe { get(device, room.as_mut_ptr()) }, |code| self.code_text(code))?;
        let [info, ..] = room;
        Ok(Fabric { state: info.state, status: info.status })
    }

    /// The health mask of the fabric as this GPU sees it.
    pub fn fabric_health(&self, index: u32) -> Result<u32, CallFailed> {
        let mut device = std::ptr::null_mut();
        // SAFETY: writes one pointer.
        self.symbols.handle.call(|get| unsafe { get(index, &raw mut device) }, |code| self.code_text(code))?;
        let mut info = FabricInfoV2 { version: FABRIC_INFO_V2, ..FabricInfoV2::default() };
        let get = |get: unsafe extern "C" fn(*mut c_void, *mut FabricInfoV2) -> c_int| {
            // SAFETY: the handle is the library's own; it writes no more than the size that it is told.
            unsafe { get(device, &raw mut info) }
        };
        self.symbols.fabric_health.call(get, |code| self.code_text(code))?;
        Ok(info.health)
    }

    /// `ccFeature` of the whole system: 0 when confidential computing is off, 1 when it is on.
    pub fn confidential(&self) -> Result<u32, CallFailed> {
        // The structure has no version, so there is room behind it for a library that writes more.
        let mut room: [ConfidentialState; 4] = Default::default();
        // SAFETY: writes one structure, and the array has room for four.
        self.symbols.confidential.call(|get| unsafe { get(room.as_mut_ptr()) }, |code| self.code_text(code))?;
        let [state, ..] = room;
        Ok(state.feature)
    }

    /// Whether GPUs in confidential mode accept work: 0 for no, 1 for yes.
    pub fn confidential_ready(&self) -> Result<u32, CallFailed> {
        let mut ready = 0;
        // SAFETY: writes one number.
        self.symbols.confidential_ready.call(|get| unsafe { get(&raw mut ready) }, |code| self.code_text(code))?;
        Ok(ready)
    }

    fn code_text(&self, code: i32) -> String {
        let Ok(words) = &self.symbols.error_text.function else { return String::new() };
        // SAFETY: gives a text of its own for every number.
        unsafe { text(words(code)) }
    }
}
