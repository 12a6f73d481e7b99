//! What the command line can say. No work is done here.

mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::facts::{Phase, Tier};
use values::{assumption, duration, seconds};

/// Says, from inside a GPU container, whether a workload will run there in production.
#[derive(Debug, Parser)]
#[command(name = "gpu-preflight", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_help = "Without a command: check. Exit codes: 0 ready, 1 not ready, 2 incomplete, 64 usage, \
                        70 bug, 74 output, 78 configuration.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `check`.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at this container, judge it, report
    Check(CheckArgs),
    /// The same as an entrypoint, then become the command
    Exec(ExecArgs),
    /// Record what can be known about this container, as JSON
    Facts(FactsArgs),
    /// Report from a recording
    Judge(JudgeArgs),
    /// Say why a check matters, how it is found and how it is fixed
    Explain {
        /// The check, for example limits.memory-limited
        check: String,
        /// Look among the checks of this folder too
        #[arg(long, value_name = "DIR")]
        checks: Vec<PathBuf>,
    },
    /// List all checks
    List(JudgingArgs),
    /// Say on which GPUs this image can run, from its files alone; exit code 2 where that cannot be told of any
    Gpus(GpusArgs),
}

/// Options of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
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
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of `exec`.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    #[command(flatten)]
    pub collecting: CollectingArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
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

/// Options of `facts`.
#[derive(Debug, Clone, Args)]
pub struct FactsArgs {
    #[command(flatten)]
    pub collecting: CollectingArgs,
    #[command(flatten)]
    pub surroundings: EnvironmentArgs,
    #[command(flatten)]
    pub image: ImageArgs,
    /// Write to this file instead of standard output; it is replaced whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Options of `judge`.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// A recording made by `facts`; - reads standard input
    #[arg(value_name = "FACTS.json")]
    pub recording: PathBuf,
    /// Judge for this phase instead of the one that was recorded
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<Phase>,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub assuming: AssumingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of `gpus`.
#[derive(Debug, Clone, Args)]
pub struct GpusArgs {
    /// GPUs to show, by name or by words of it such as H100 [default: all that are known]
    #[arg(value_name = "GPU")]
    pub gpus: Vec<String>,
    /// Read the image from this recording instead of this container
    #[arg(long, value_name = "FACTS.json", conflicts_with_all = ["as_process", "root", "oci", "image_config"])]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub surroundings: EnvironmentArgs,
    #[command(flatten)]
    pub image: ImageArgs,
    /// How the table is written
    #[arg(long, default_value = "text")]
    pub format: Format,
}

/// Whose environment to look with. `exec` has none of this: it becomes the workload, which inherits ours.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentArgs {
    /// Look with the environment of this process, for a shell has not the workload's: 1, or what `ps` shows
    #[arg(long, value_name = "PID")]
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
    /// Seconds until the verdict, whatever hangs [default: quick and standard: 10; deep: 90; soak: its time and 75 more]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub deadline: Option<f64>,
    /// How deep to look
    #[arg(long, value_name = "TIER", default_value = "standard")]
    pub tier: Tier,
    /// How long the tier soak repeats its multiplies: 30s, 10m, 1h [default: 10m]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub soak: Option<Duration>,
    /// This container is not meant to have a GPU
    #[arg(long)]
    pub no_gpu: bool,
}

/// How to judge.
#[derive(Debug, Clone, Args)]
pub struct JudgingArgs {
    /// A profile by name (production, training, notebook, image) or a file [default: production; with --root or --oci: image]
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Report only these checks: an id, a room, or a pattern with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these checks out
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Add the checks of this folder: ROOM/STATE.toml
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<PathBuf>,
}

/// How to tell it.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// How the report is written
    #[arg(long, default_value = "text")]
    pub format: Format,
    /// Write to this file instead of the terminal; it is replaced whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// List what holds and what does not apply too
    #[arg(long, short)]
    pub verbose: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
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
        self.deadline.map_or(usual, Duration::from_secs_f64)
    }
}

/// How long the tier soak repeats its multiplies where nothing is said.
const SOAK: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests;
