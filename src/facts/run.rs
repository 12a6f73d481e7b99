//! How a recording was made, and how each probe ended.

use super::Fact;
use super::shape::{record, words};

words! {
    /// When in the life of a container we look.
    pub enum Phase {
        /// Services are up: what listens now is what there is.
        Live = "live",
        /// We are the entrypoint: nothing of the workload runs yet.
        Start = "start",
        /// An image in CI: no GPU, no limits, no services.
        Build = "build",
        /// There is no image yet: a Dockerfile, a compose file or a manifest was read, and nothing else.
        Written = "written",
    }

    /// How deep a look goes.
    pub enum Tier {
        /// Multiplies on every GPU, timed and proven.
        Standard = "standard",
        /// Asks drivers and libraries, and makes no CUDA context.
        Quick = "quick",
        /// Standard, repeated for a while; then the memory of every GPU and the links between them.
        Deep = "deep",
        /// Deep, where the multiplies are repeated for as long as was asked.
        Soak = "soak",
    }

    /// How a probe ended.
    pub enum ProbeEnd {
        /// It ran to its end.
        Completed = "completed",
        /// It was still running at its deadline and was killed.
        TimedOut = "timed-out",
        /// It was stopped by a signal.
        Crashed = "crashed",
        /// It left on its own before it had answered.
        Exited = "exited",
        /// No process could be started for it.
        NotStarted = "not-started",
        /// We were asked to end, by Ctrl-C or SIGTERM, before it had answered.
        Interrupted = "interrupted",
        /// There was nothing to look at, or it was not asked for.
        Skipped = "skipped",
    }
}

record! {
    /// How a recording was made.
    pub struct Run {
        /// Version of the program that recorded.
        pub tool_version: String,
        /// When the recording was made, seconds since 1970-01-01 UTC.
        pub taken_at_seconds: u64,
        /// When in the life of the container it was made; checks outside their phases do not apply.
        pub phase: Phase,
        /// How deep the look went; `quick` makes no CUDA context, so what needs one does not apply. A recording that does
        /// not say it is a standard one.
        pub tier: Tier,
        /// Seconds for which the tier `soak` was to repeat its multiplies; absent in the other tiers.
        pub soak_seconds: Fact<f64>,
        /// Whether an image was looked at that does not run (`--root`, `--oci`): its files are there, and nothing that runs was asked.
        pub image_only: bool,
        /// Whether this container is meant to have a GPU: false after `--no-gpu`.
        pub gpu_expected: bool,
        /// GPUs that the profile wants the image to run on.
        pub wanted_gpus: Vec<String>,
        /// GPU that `--assume` names; absent without.
        pub assumed_gpu: Fact<String>,
        /// Driver that `--assume` names; absent without.
        pub assumed_driver: Fact<String>,
        /// Seconds that the whole run was given.
        pub deadline_seconds: f64,
        /// Wall time of collecting in milliseconds.
        pub wall_ms: f64,
        /// Seconds for which this process stood still, and all that it had started with it: a paused container, a virtual
        /// machine that was stopped, or a CPU quota that was used up. Deadlines wait so much longer. Absent where it never
        /// stood still for a second.
        pub stood_still_seconds: Fact<f64>,
        /// Seconds of the deadline that were kept for the report, because little CPU time was had; absent where enough was.
        pub kept_seconds: Fact<f64>,
        /// The process whose environment was looked with, as `1 (python3)`; absent where it was our own.
        pub environment_of: Fact<String>,
        /// Name of the program that `exec` was asked to start; absent for other commands.
        pub command: Fact<String>,
    }

    /// How one probe ended.
    pub struct ProbeRun {
        /// The probe, as in `src/probe/`.
        pub name: String,
        /// The GPU it looked at, for probes that run once per GPU.
        pub gpu: Fact<u32>,
        /// How it ended.
        pub end: ProbeEnd,
        /// The call it was in when it did not complete.
        pub at: Fact<String>,
        /// Signal, exit code or kernel state, for a person.
        pub detail: Fact<String>,
        /// The errno for which no process or thread could be started for it; absent for any other end.
        pub errno: Fact<String>,
        /// The signal that ended it, for example `SIGKILL`; absent where none did. A kill at its deadline is none.
        pub signal: Fact<String>,
        /// Wall time in milliseconds.
        pub wall_ms: f64,
    }
}
