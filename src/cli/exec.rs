//! Options of `exec`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::{CollectingArgs, FailOn, JudgingArgs, OutputArgs};

/// Options of `exec`.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    #[command(flatten)]
    pub collecting: CollectingArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    /// What makes a verdict NOT READY, and so stops the workload: failures of this severity and of worse ones
    /// [default: what the profile says, else high]
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// What to do with the verdict [default: what `GPU_PREFLIGHT_MODE` says, else enforce]
    #[arg(long, value_name = "MODE", ignore_case = true)]
    pub mode: Option<Mode>,
    /// Stop the workload on INCOMPLETE too
    #[arg(long)]
    pub block_on_incomplete: bool,
    /// The command to become, with its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// What `exec` does with the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// NOT READY stops the workload
    Enforce,
    /// Report, then start the workload whatever was found, be it a mistake in the configuration
    Report,
    /// Start the workload at once, without looking
    Off,
}
