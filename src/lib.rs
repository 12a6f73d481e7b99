//! `gpu-preflight`: will this workload run in this container, and if not, what is the one thing to fix?
//!
//! One path leads through the program, and each room knows only the ones before it:
//!
//! - [`world`] is the only door to the machine.
//! - [`facts`] is what can be known, as plain data.
//! - [`probe`] reads the machine through the door, and [`collect`] says which probes, in which children, until when.
//! - [`derive`] adds what follows from the readings.
//! - [`lang`] is the small language in which checks speak about facts.
//! - [`check`] is the catalogue under `checks/`, and what came of each check.
//! - [`weigh`] gives it severity, verdict and score.
//! - [`report`] tells it, one pure function per format; [`explain`] tells about a check.
//! - [`harden`] makes the files that answer a report, [`bundle`] those that are attached to a ticket.
//! - [`text`] is the only door for what is printed.
//! - [`cli`], [`run`] and [`exit`] are what is asked, the spine, and what comes out.

pub mod bundle;
pub mod check;
pub mod cli;
pub mod collect;
pub mod derive;
pub mod exit;
pub mod explain;
pub mod facts;
pub mod harden;
pub mod lang;
pub mod probe;
pub mod report;
pub mod run;
pub mod text;
pub mod weigh;
#[allow(clippy::disallowed_methods)] // this is the door that the others are sent to
pub mod world;
