//! What both test programs share. Each uses a part.
#![allow(dead_code, reason = "the quick tests use one part, the slow ones another")]

pub mod bless;
pub mod context;
pub mod dead_mount;
pub mod docker;
pub mod failures;
pub mod fake_machine;
pub mod fakes;
pub mod hostile;
pub mod outcome;
pub mod own_process;
pub mod patience;
pub mod program;
pub mod random;
pub mod real_parts;
pub mod report;
