//! A machine whose GPU libraries play a scenario.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use gpu_preflight::world::World;

/// The real machine, with the environment of a workload that finds its GPU libraries in a folder and nowhere else.
pub fn with(libraries: &Path, scenario: &str) -> World {
    let environment: Vec<(OsString, OsString)> =
        vec![("LD_LIBRARY_PATH".into(), libraries.into()), ("FAKE_GPU".into(), scenario.into())];
    World::at("/", environment, Duration::from_mins(1)).with_program(env!("CARGO_BIN_EXE_gpu-preflight"))
}
