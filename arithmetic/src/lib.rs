//! The arithmetic of the proofs: integers whose products can be checked to the last bit, their formats on the device, and
//! the check itself.
//!
//! It reaches for nothing: no file, no library, no GPU. It is a crate of its own because it is the only part of
//! gpu-preflight that must be compiled optimised even for tests, which prove whole matrices; everything else then builds
//! in seconds.

pub mod bytes;
pub mod format;
pub mod operands;
pub mod proof;
pub mod random;

pub use format::{Element, Output};
pub use operands::{Operands, Range};
pub use random::Random;
