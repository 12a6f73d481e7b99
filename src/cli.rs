//! What the command line can say. No work is done here.

mod asked;
mod bundle;
mod exec;
mod gate;
mod harden;
mod look;
mod values;
pub mod variables;
mod written;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::facts::Phase;
use crate::report::formats::Format;
use crate::text::legend;
pub use asked::{Asked, By, Given, command, first_line};
pub use bundle::BundleArgs;
pub use exec::{ExecArgs, Mode};
pub use gate::{BaselineArgs, DiffArgs, FailOn, GateArgs, ReportArgs, ReportTo};
pub use harden::HardenArgs;
pub use look::{AssumingArgs, Assumption, CollectingArgs, EnvironmentArgs, ImageArgs, LookArgs, VulnerabilitiesArgs};
pub use written::WrittenArgs;

/// Says, from inside a GPU container, whether a workload will run there in production.
#[derive(Debug, Parser)]
#[command(name = "gpu-preflight", version = env!("GPU_PREFLIGHT_VERSION"), args_conflicts_with_subcommands = true, max_term_width = 100)]
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

/// Whether a word on the command line is not the name of a command that knows no exit style.
pub fn may_ask_for_style(word: &str) -> bool {
    let cli = command();
    let command = cli.find_subcommand(word);
    command.is_none_or(|command| command.get_arguments().any(|one| one.get_id() == "exit_style"))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at this container, judge it, report
    #[command(after_long_help = legend::whole())]
    Check(CheckArgs),
    /// Print what is in force for `check` with these options and variables, and who says it; nothing is looked at, and
    /// nothing is written but to standard output, as JSON with --format json
    Config(CheckArgs),
    /// The same as an entrypoint, then become the command
    Exec(ExecArgs),
    /// Record what can be known about this container, as JSON
    Facts(FactsArgs),
    /// Report from a recording
    #[command(after_long_help = legend::whole())]
    Judge(JudgeArgs),
    /// Say what changed between two recordings or reports; exit code 0 where nothing did that matters, else 1;
    /// with --only or --skip findings alone decide that
    Diff(DiffArgs),
    /// Say why a check matters, how it is found and how it is fixed; find the checks that speak of a code or of words
    Explain {
        /// A check (limits.memory-limited), a room (limits), a code (803, Xid 79, cudaErrorNoDevice) or words of a log
        #[arg(required = true, value_name = "CHECK|ROOM|CODE|WORDS")]
        asked: Vec<String>,
        /// Look among the checks of this folder too
        #[arg(long, value_name = "DIR")]
        checks: Vec<PathBuf>,
    },
    /// List all checks
    List(JudgingArgs),
    /// Write a contract to begin with: everything that the workload could ask for, with what is here as its value
    Init(InitArgs),
    /// Write what answers the findings: a Dockerfile, flags of docker run, a compose file and a patch of a pod
    Harden(HardenArgs),
    /// Look, and write one archive to attach to a ticket: the recording, the reports, the end of the log, contract and
    /// profile, what looks like a secret taken out, with a list of what is inside; exit code 0 where it was written,
    /// whatever the verdict
    Bundle(BundleArgs),
    /// Say on which GPUs this image can run, from its files alone; exit code 2 where that cannot be told of any
    Gpus(GpusArgs),
    /// List every installed package as `CycloneDX` 1.6 JSON; exit code 2 where not all could be read
    Sbom(SbomArgs),
    /// Make an index of an export of OSV, which `--osv` reads much faster
    OsvIndex(OsvIndexArgs),
}

/// Options of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub look: LookArgs,
    #[command(flatten)]
    pub written: WrittenArgs,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub baseline: BaselineArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Look again every second, or every so many, in the tier quick, and say on a line each what changed, and how that
    /// stands against the first look; until Ctrl-C, which gives the exit code of the last look. With --format json every
    /// line is an object
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = values::interval)]
    #[arg(conflicts_with_all = ["root", "oci", "image_config", "osv", "vulnerabilities", "vex", "dockerfile", "compose", "manifest", "baseline", "exit_style", "output", "to"])]
    pub watch: Option<Duration>,
}

/// Options of `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    #[command(flatten)]
    pub collecting: CollectingArgs,
    /// Write to this file instead of standard output; it is replaced whole or not at all
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
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
    /// Write to this file instead of standard output; it is replaced whole or not at all. - is standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Options of `judge`.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// A recording made by `facts`; - reads standard input to its end, however long that takes
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
    pub gate: GateArgs,
    #[command(flatten)]
    pub baseline: BaselineArgs,
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["as_process", "root", "oci", "image_config"])]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub surroundings: EnvironmentArgs,
    #[command(flatten)]
    pub image: ImageArgs,
    /// How the table is written
    #[arg(long, default_value = "text")]
    pub format: TableFormat,
}

/// Options of `sbom`.
#[derive(Debug, Clone, Args)]
pub struct SbomArgs {
    #[command(flatten)]
    pub surroundings: EnvironmentArgs,
    #[command(flatten)]
    pub image: ImageArgs,
    /// Write to this file instead of standard output; it is replaced whole or not at all. - is standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Options of `osv-index`.
#[derive(Debug, Clone, Args)]
pub struct OsvIndexArgs {
    /// The export: a folder, or a zip of one ecosystem
    #[arg(value_name = "EXPORT")]
    pub export: PathBuf,
    /// Where the index is written; it is replaced whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
}

/// How to judge.
#[derive(Debug, Clone, Args)]
pub struct JudgingArgs {
    /// A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]
    #[arg(long, value_name = "FILE")]
    pub contract: Option<PathBuf>,
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
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Write to this file instead of the terminal; it is replaced whole or not at all. - is the terminal
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub reports: ReportArgs,
    /// List what holds and what does not apply too, in text and in JSON
    #[arg(long, short, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print no report; the exit code, files that are named and mistakes say it all
    #[arg(long, short)]
    pub quiet: bool,
    /// Whether text has colours: auto where a terminal shows it and `NO_COLOR` is not set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

impl OutputArgs {
    /// The file that the report goes to, where it is one.
    pub fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }
}

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Where it is shown on a terminal
    Auto,
    /// Also in a file or a pipe
    Always,
    /// Nowhere
    Never,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[cfg(test)]
mod tests;
