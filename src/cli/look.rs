//! Options of a look: at what, how deep, and by what it is judged.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::ArgPredicate;

use super::JudgingArgs;
use super::values::{assumption, deadline, duration, process};
use crate::facts::{Phase, Tier};

/// A look and its judgement.
#[derive(Debug, Clone, Args)]
pub struct LookArgs {
    #[command(flatten)]
    pub collecting: CollectingArgs,
    #[command(flatten)]
    pub surroundings: EnvironmentArgs,
    #[command(flatten)]
    pub image: ImageArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub assuming: AssumingArgs,
}

/// Whose environment to look with. `exec` has none of this: it becomes the workload, which inherits ours.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentArgs {
    /// Look with the environment of this process, for a shell has not the workload's: 1, or what `ps` shows
    #[arg(long, value_name = "PID", value_parser = process)]
    pub as_process: Option<u32>,
}

/// Which image to look at, where it is not the one that runs here.
#[derive(Debug, Clone, Default, Args)]
pub struct ImageArgs {
    /// Look at the image that is unpacked in this folder and does not run, in the phase build
    #[arg(long, value_name = "DIR", conflicts_with = "as_process")]
    pub root: Option<PathBuf>,
    /// Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere
    #[arg(long, value_name = "PATH", conflicts_with_all = ["as_process", "root"])]
    pub oci: Option<PathBuf>,
    /// The image's configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input
    /// to its end, however long that takes
    #[arg(long, value_name = "FILE")]
    pub image_config: Option<PathBuf>,
}

/// What to take for given.
#[derive(Debug, Clone, Args)]
pub struct AssumingArgs {
    /// Judge as if there were this GPU or this driver: gpu=NAME, driver=VERSION, or both with a comma
    #[arg(long, value_name = "WHAT=VALUE", value_delimiter = ',', value_parser = assumption)]
    pub assume: Vec<Assumption>,
}

impl AssumingArgs {
    /// What is taken for given; of each kind at most one, for of two only one could hold.
    pub fn assumed(&self) -> Result<&[Assumption], String> {
        for (index, one) in self.assume.iter().enumerate() {
            let same = |other: &&Assumption| std::mem::discriminant(*other) == std::mem::discriminant(one);
            if let Some(other) = self.assume[index + 1..].iter().find(same) {
                return Err(format!("--assume cannot take `{one}` and `{other}` at once: judge one after the other"));
            }
        }
        Ok(&self.assume)
    }
}

impl std::fmt::Display for Assumption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gpu(name) => write!(f, "gpu={name}"),
            Self::Driver(version) => write!(f, "driver={version}"),
        }
    }
}

/// Something taken for given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assumption {
    /// A GPU, by the name in the reference table.
    Gpu(String),
    /// A driver version.
    Driver(String),
}

/// How to look.
#[derive(Debug, Clone, Args)]
pub struct CollectingArgs {
    /// When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI)
    /// [default: exec: start; profile image: build; else live]
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<Phase>,
    /// Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]
    #[arg(long, value_name = "TIME", value_parser = deadline)]
    pub deadline: Option<Duration>,
    /// How deep to look
    #[arg(
        long,
        value_name = "TIER",
        default_value = "standard",
        default_value_if("watch", ArgPredicate::IsPresent, "quick")
    )]
    pub tier: Tier,
    /// How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub soak: Option<Duration>,
    /// This container is not meant to have a GPU
    #[arg(long)]
    pub no_gpu: bool,
    /// Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    #[command(flatten)]
    pub vulnerabilities: VulnerabilitiesArgs,
}

/// What known vulnerabilities are told by.
#[derive(Debug, Clone, Default, Args)]
pub struct VulnerabilitiesArgs {
    /// Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index
    /// that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities
    #[arg(long, value_name = "PATH", group = "sought")]
    pub osv: Option<PathBuf>,
    /// Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far
    /// as it speaks of what is installed here
    #[arg(long, value_name = "FILE", group = "sought")]
    pub vulnerabilities: Option<PathBuf>,
    /// Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and
    /// the installed package; may be given several times
    #[arg(long, value_name = "FILE", requires = "sought")]
    pub vex: Vec<PathBuf>,
}

impl CollectingArgs {
    /// How long the multiplies are repeated in the tier soak; `None` in the others, which have no use for `--for`.
    pub fn soak(&self) -> Result<Option<Duration>, String> {
        match (self.tier, self.soak) {
            (Tier::Soak, asked) => Ok(Some(asked.unwrap_or(SOAK))),
            (_, None) => Ok(None),
            (tier, Some(_)) => Err(format!("--for goes with --tier soak, and this is {tier}")),
        }
    }

    /// Time until the verdict: as asked, else what the tier needs.
    pub fn deadline(&self) -> Duration {
        let usual = match self.tier {
            Tier::Quick | Tier::Standard => Duration::from_secs(10),
            Tier::Deep => Duration::from_secs(90),
            Tier::Soak => self.soak.unwrap_or(SOAK) + Duration::from_secs(75),
        };
        self.deadline.unwrap_or(usual)
    }
}

/// How long the tier soak repeats its multiplies where nothing is said.
const SOAK: Duration = Duration::from_mins(10);
