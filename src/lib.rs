//! `gpu-preflight`: will this workload run in this container, and if not, what is the one thing to fix?
//!
//! One path leads through the program, and each room knows only the ones before it:
//!
//! - [`world`] is the only door to the machine.
//! - [`facts`] is what can be known, as plain data.
//! - [`probe`] reads the machine through the door and fills the facts.
//! - [`lang`] is the small language in which checks speak about facts.
//! - [`check`] is the catalogue under `checks/`, and what came of each check.
//! - [`profile`] and [`score`] weigh it.
//! - [`report`] tells it, one pure function per format; [`explain`] tells about a check.
//! - [`cli`], [`run`] and [`exit`] are what is asked, the spine, and what comes out.

pub mod check;
pub mod cli;
pub mod exit;
pub mod explain;
pub mod facts;
pub mod lang;
pub mod probe;
pub mod profile;
pub mod report;
pub mod run;
pub mod score;
pub mod text;
#[allow(clippy::disallowed_methods)] // this is the door that the others are sent to
pub mod world;
