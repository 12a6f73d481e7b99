//! Options of `harden`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::LookArgs;

/// Options of `harden`.
#[derive(Debug, Clone, Args)]
pub struct HardenArgs {
    #[command(flatten)]
    pub look: LookArgs,
    /// Answer a recording or a report as JSON instead of looking at this container
    #[arg(long, value_name = "FILE", conflicts_with_all = ["as_process", "root", "oci", "image_config", "osv", "vulnerabilities", "vex"])]
    pub from: Option<PathBuf>,
    /// Write the files into this folder, which is made where it is not there, instead of printing them
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
    /// Print this file alone
    #[arg(long, value_name = "FILE", value_parser = clap::builder::PossibleValuesParser::new(crate::harden::FILES), conflicts_with = "into")]
    pub file: Option<String>,
    /// The user that the workload is to run as, where it runs as root now
    #[arg(long, value_name = "NUMBER", default_value_t = 10001, value_parser = clap::value_parser!(u32).range(1..))]
    pub uid: u32,
    /// The command of the workload, which the image then starts through a preflight
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
