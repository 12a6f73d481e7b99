//! Parse, run, exit.

use std::process::ExitCode;

gpu_preflight::guarded!();

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    ExitCode::from(gpu_preflight::run::run(&arguments).code)
}
