//! Options of `bundle`.

use std::path::PathBuf;

use clap::Args;

use super::LookArgs;

/// Options of `bundle`.
#[derive(Debug, Clone, Args)]
pub struct BundleArgs {
    #[command(flatten)]
    pub look: LookArgs,
    /// Bundle a recording or a report as JSON instead of looking at this container; of logs only the one that --log names
    #[arg(long, value_name = "FILE", conflicts_with_all = ["as_process", "root", "oci", "image_config", "osv", "vulnerabilities", "vex"])]
    pub from: Option<PathBuf>,
    /// Write to this file, which is replaced whole or not at all; - is standard output [default:
    /// gpu-preflight-bundle.tar.gz in the working folder, where none is yet]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
