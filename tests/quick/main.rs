//! The quick tests: laws, documents, recordings and the command line. They need no GPU, real or fake, and no container.
#![allow(clippy::disallowed_methods)] // a test looks from outside, past the door

#[path = "../support/mod.rs"]
mod support;

mod bundle;
mod child;
mod cli;
mod config;
mod contract;
mod descendants;
mod docs;
mod failure_page;
mod fingerprints;
mod gates;
mod gpu_code;
mod guard;
mod guides;
mod harden;
mod images;
mod language;
mod language_page;
mod laws;
mod machines;
mod mended;
mod packages;
mod real_machines;
mod recordings;
mod remedies;
mod reports;
mod rooms;
mod selection;
mod shell;
mod shown;
mod watch;
mod written;
