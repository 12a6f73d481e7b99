//! Options for what is written and not built yet.

use std::path::PathBuf;

use clap::Args;

/// Which text to judge, in the place of what runs here.
#[derive(Debug, Clone, Default, Args)]
pub struct WrittenArgs {
    /// Judge the image that this Dockerfile would make, from its text alone; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["as_process", "root", "oci", "image_config", "log", "osv", "vulnerabilities", "vex"])]
    pub dockerfile: Option<PathBuf>,
    /// Judge the services of this compose file that ask for a GPU, or all where none does, from its text alone, each with the
    /// image of --dockerfile where that is given
    #[arg(long, value_name = "FILE", conflicts_with_all = ["as_process", "root", "oci", "image_config", "log", "osv", "vulnerabilities", "vex", "manifest"])]
    pub compose: Option<PathBuf>,
    /// The same of the containers in this manifest of Kubernetes: Pod, Deployment, `StatefulSet`, `DaemonSet`, Job, `CronJob`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["as_process", "root", "oci", "image_config", "log", "osv", "vulnerabilities", "vex"])]
    pub manifest: Option<PathBuf>,
}

impl WrittenArgs {
    /// Whether text is judged at all.
    pub fn is_asked(&self) -> bool {
        self.dockerfile.is_some() || self.compose.is_some() || self.manifest.is_some()
    }
}
