//! From one device to another.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};

use super::{CudaRuntime, DeviceSlice};
use crate::world::library::CallFailed;

type CopyPeer = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, c_int, usize) -> c_int;

/// `cudaErrorPeerAccessAlreadyEnabled`
const ALREADY_ENABLED: i32 = 704;
/// `cudaErrorTooManyPeers`: without NVSwitch a device can have eight.
const TOO_MANY: i32 = 711;

impl CudaRuntime {
    /// Whether `device` can reach the memory of `peer` directly.
    pub fn can_access_peer(&self, device: i32, peer: i32) -> Result<bool, CallFailed> {
        let mut can = 0;
        // SAFETY: writes one int.
        self.symbols
            .can_access_peer
            .call(|get| unsafe { get(&raw mut can, device, peer) }, |code| self.code_name(code))?;
        Ok(can != 0)
    }

    /// Lets the current device reach the memory of `peer`, for the life of this process. False where it already reaches as
    /// many as it can.
    pub fn enable_peer_access(&self, peer: i32) -> Result<bool, CallFailed> {
        // SAFETY: takes two numbers; no flag is defined.
        let enable = |enable: unsafe extern "C" fn(c_int, c_uint) -> c_int| unsafe { enable(peer, 0) };
        match self.symbols.enable_peer_access.call(enable, |code| self.code_name(code)) {
            Ok(()) => Ok(true),
            Err(failed) if failed.code == Some(ALREADY_ENABLED) => Ok(true),
            Err(failed) if failed.code == Some(TOO_MANY) => Ok(false),
            Err(failed) => Err(failed),
        }
    }

    /// Copies from one device to another; the sizes must agree. It returns when the work is queued.
    pub fn copy_between(
        &self,
        (from_device, from): (i32, DeviceSlice<'_>),
        (to_device, to): (i32, DeviceSlice<'_>),
    ) -> Result<(), CallFailed> {
        if from.bytes != to.bytes {
            return Err(CallFailed::refused("cudaMemcpyPeer", "source and target differ in size"));
        }
        // SAFETY: both slices lie inside memory that is allocated; a number that is not that of their device is refused.
        let copy = |copy: CopyPeer| unsafe { copy(to.address, to_device, from.address, from_device, from.bytes) };
        self.symbols.copy_peer.call(copy, |code| self.code_name(code))
    }
}
