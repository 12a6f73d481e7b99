//! The floor that all work on GPUs stands on, and that knows none of it.
//!
//! [`session`] is the time and the voice of a child, [`bench`] the libraries, handles and memory that it works with on its
//! GPU; [`precision`] is how each precision is computed, and work is timed ([`timing`]). The numbers come from the crate
//! `gpu_preflight_arithmetic`. Multiplies, copies and patterns stand on it in [`super::compute`], pairs of GPUs and NCCL
//! in [`super::links`].

pub mod bench;
pub mod precision;
pub mod session;
pub mod timing;
