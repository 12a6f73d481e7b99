//! The binary in real containers, as a person would meet it.
//!
//! Needs Docker and the images of `tests/containers/build`; without them every
//! test says aloud that it was skipped, except where `.ci/run` requires them.

#![allow(clippy::disallowed_methods, reason = "tests build the machine that the door is tried on")]

#[path = "support/containers.rs"]
mod containers;

#[path = "containers/capabilities.rs"]
mod capabilities;
#[path = "containers/faults.rs"]
mod faults;
#[path = "containers/gpu.rs"]
mod gpu;
#[path = "containers/handover.rs"]
mod handover;
#[path = "containers/isolation.rs"]
mod isolation;
#[path = "containers/misfortune.rs"]
mod misfortune;
#[path = "containers/remedies.rs"]
mod remedies;
#[path = "containers/services.rs"]
mod services;
