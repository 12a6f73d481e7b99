//! Sourced tables, embedded as TOML and read only when something asks.
//!
//! Each row names its source. A table that cannot be read gives no rows; the tests
//! beside each see to it that it can.

pub mod bases;
pub mod builds;
pub mod cuda_errors;
pub mod drivers;
pub mod end_of_life;
pub mod env_vars;
pub mod fingerprints;
pub mod gemm;
pub mod gpus;
pub mod native;
pub mod needless;
pub mod xids;
