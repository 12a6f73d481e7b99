//! libnccl: a sum over all devices of this process.
//!
//! Signatures and numbers are those of `nccl.h` since NCCL 2.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

use super::cuda_runtime::DeviceSlice;
use super::{CallFailed, Library, symbols, text};

symbols! {
    struct Symbols {
        version = "ncclGetVersion": fn(*mut c_int);
        init_all = "ncclCommInitAll": fn(*mut *mut c_void, c_int, *const c_int);
        group_start = "ncclGroupStart": fn();
        group_end = "ncclGroupEnd": fn();
        all_reduce = "ncclAllReduce": fn(*const c_void, *mut c_void, usize, c_int, c_int, *mut c_void, *mut c_void);
        destroy = "ncclCommDestroy": fn(*mut c_void);
        error_string = "ncclGetErrorString": fn(c_int) -> *const c_char;
    }
}

type AllReduce =
    unsafe extern "C" fn(*const c_void, *mut c_void, usize, c_int, c_int, *mut c_void, *mut c_void) -> c_int;

/// `ncclFloat32`, `ncclSum`
const FLOAT32: c_int = 7;
const SUM: c_int = 0;

/// NCCL.
pub struct Nccl {
    symbols: Symbols,
}

/// One device's part in a group of devices.
pub struct Communicator(*mut c_void);

impl Nccl {
    /// Opens a copy by soname or path. The error is in the loader's words.
    pub fn open(name: &str) -> Result<Self, String> {
        let library = Library::open(name)?;
        Ok(Self { symbols: Symbols::of(&library) })
    }

    /// `ncclGetVersion`: `22703` is 2.27.3.
    pub fn version(&self) -> Result<i32, CallFailed> {
        let mut version = 0;
        // SAFETY: writes one int.
        self.symbols.version.call(|get| unsafe { get(&raw mut version) }, |code| self.code_text(code))?;
        Ok(version)
    }

    /// `ncclCommInitAll` over devices 0 to `count` - 1.
    pub fn init_all(&self, count: usize) -> Result<Vec<Communicator>, CallFailed> {
        let mut communicators = vec![std::ptr::null_mut(); count];
        let number = c_int::try_from(count).map_err(|_| CallFailed::refused("ncclCommInitAll", "too many devices"))?;
        // SAFETY: writes `number` handles, for which there is room; no list of devices means the first ones.
        let init = |init: unsafe extern "C" fn(*mut *mut c_void, c_int, *const c_int) -> c_int| unsafe {
            init(communicators.as_mut_ptr(), number, std::ptr::null())
        };
        self.symbols.init_all.call(init, |code| self.code_text(code))?;
        Ok(communicators.into_iter().map(Communicator).collect())
    }

    /// `ncclGroupStart`: what follows is begun together at the end of the group.
    pub fn group_start(&self) -> Result<(), CallFailed> {
        // SAFETY: takes nothing.
        self.symbols.group_start.call(|start| unsafe { start() }, |code| self.code_text(code))
    }

    /// `ncclGroupEnd`. It returns when the work is queued.
    pub fn group_end(&self) -> Result<(), CallFailed> {
        // SAFETY: takes nothing; what the group was given is vouched for there.
        self.symbols.group_end.call(|end| unsafe { end() }, |code| self.code_text(code))
    }

    /// The sum of 32-bit floats over all devices, on the default stream of this one; the sizes must agree.
    pub fn all_reduce(
        &self,
        communicator: &Communicator,
        from: DeviceSlice<'_>,
        to: DeviceSlice<'_>,
    ) -> Result<(), CallFailed> {
        if from.bytes != to.bytes {
            return Err(CallFailed::refused("ncclAllReduce", "source and target differ in size"));
        }
        // SAFETY: the handle is live, both slices hold so many floats and stay allocated until the caller has waited for
        // the device; null is the default stream.
        let reduce = |reduce: AllReduce| unsafe {
            reduce(from.address, to.address, from.bytes / 4, FLOAT32, SUM, communicator.0, std::ptr::null_mut())
        };
        self.symbols.all_reduce.call(reduce, |code| self.code_text(code))
    }

    /// `ncclCommDestroy`.
    #[expect(clippy::needless_pass_by_value, reason = "the communicator is gone afterwards")]
    pub fn destroy(&self, communicator: Communicator) -> Result<(), CallFailed> {
        // SAFETY: the handle is live and given away here.
        self.symbols.destroy.call(|destroy| unsafe { destroy(communicator.0) }, |code| self.code_text(code))
    }

    fn code_text(&self, code: i32) -> String {
        match self.symbols.error_string.function {
            // SAFETY: takes a number and returns a constant string.
            Ok(get) => unsafe { text(get(code)) },
            Err(_) => String::new(),
        }
    }
}
