//! Options for whoever goes by the exit code or reads reports by machine: CI, monitoring, schedulers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::report_to;
use super::{JudgingArgs, TableFormat};
use crate::exit::Style;
use crate::report::formats::{Format, Place};

/// Reports beside the usual one.
#[derive(Debug, Clone, Default, Args)]
pub struct ReportArgs {
    /// Write the report in this format too, for example junit=report.xml; as often as wanted. The path - is standard output,
    /// once and in place of the usual report. What --format takes is what this takes
    #[arg(long = "report", value_name = "FORMAT=PATH", value_parser = report_to)]
    pub to: Vec<ReportTo>,
    /// The place in the repository at which sarif, github and gitlab show a finding
    #[arg(long, value_name = "FILE:LINE", default_value = "Dockerfile:1")]
    pub sarif_anchor: Place,
}

/// One report: how and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTo {
    /// How it is written.
    pub format: Format,
    /// To which file; `-` is standard output.
    pub path: PathBuf,
}

/// What the exit code says.
#[derive(Debug, Clone, Args)]
pub struct GateArgs {
    /// What makes the verdict NOT READY, and the exit code 1: failures of this severity and of worse ones; never: no
    /// verdict does, and the exit code is 0 but for mistakes in usage, configuration and output [default: what the profile
    /// says, else high]
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Whose exit codes to use
    #[arg(long, value_name = "STYLE", default_value = "default")]
    pub exit_style: Style,
}

/// An earlier report to hold this one against.
#[derive(Debug, Clone, Args)]
pub struct BaselineArgs {
    /// Say what is new, as before and fixed since this recording, or report as JSON
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Let nothing gate that was so in the baseline: neither what failed there and is no worse, nor what could be told as
    /// little. Worse is: more severe, excused no longer, or with more items in a list
    #[arg(long, requires = "baseline")]
    pub fail_on_new_only: bool,
}

/// From which severity on a failure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Critical failures alone
    Critical,
    /// High and critical ones
    High,
    /// Medium ones and worse
    Medium,
    /// Low ones and worse: everything but info
    Low,
    /// None
    Never,
}

/// Options of `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The earlier recording or report, or that of one machine
    #[arg(value_name = "A.json")]
    pub before: PathBuf,
    /// The later one, or that of another machine
    #[arg(value_name = "B.json")]
    pub after: PathBuf,
    /// How the table is written
    #[arg(long, default_value = "text")]
    pub format: TableFormat,
    #[command(flatten)]
    pub judging: JudgingArgs,
}
