//! The binary in real containers, as a person would meet it.
//!
//! Needs Docker and the images of `tests/containers/build`; without them every test says aloud that it was skipped,
//! except where `.ci/run` requires them.

mod article;
mod article_hardened;
mod capabilities;
mod faults;
mod gpu;
mod handover;
mod harden;
mod images;
mod isolation;
mod misfortune;
mod packages;
mod remedies;
mod services;
mod starts;
mod userland;
