//! The slow tests: the whole program on fake machines, in real containers, and with the real libraries and servers of
//! others. What is missing for the latter is skipped aloud, except where `.ci/run` requires it.
#![allow(clippy::disallowed_methods)] // a test looks from outside, past the door

#[path = "../support/mod.rs"]
mod support;

mod chaos;
mod containers;
mod dead_mounts;
mod failures;
mod formats;
mod fuzzed;
mod gpu_faults;
mod interrupted;
mod jupyter;
mod library_daemon;
mod linking;
mod lost_look;
mod many_gpus;
mod odd_machines;
mod osv;
mod pages;
mod pipelines;
mod real_libraries;
mod real_mixtures;
mod refused_calls;
mod sbom;
mod stopped;
mod tiers;
mod watch;
mod wrong_bits;
