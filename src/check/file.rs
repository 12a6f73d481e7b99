//! What a check file may say.

use std::collections::BTreeMap;

use crate::facts::Phase;
use crate::facts::shape::{record, words};

words! {
    /// How much a failure matters.
    pub enum Severity {
        /// The workload cannot run, or anyone can take it over.
        Critical = "critical",
        /// Production will be hurt by it.
        High = "high",
        /// It will hurt sooner or later.
        Medium = "medium",
        /// Worth tidying.
        Low = "low",
        /// Worth knowing.
        Info = "info",
    }

    /// The axis of the score that a check speaks for.
    pub enum Dimension {
        /// What others can do to the container, and it to them.
        Security = "security",
        /// Driver, libraries and GPUs belong together and answer.
        GpuStack = "gpu stack",
        /// The GPU computes what it should, as fast as it should.
        Compute = "compute",
        /// What the container may use is bounded and enough.
        ResourceControl = "resource control",
        /// It starts and stops as an orchestrator expects.
        Startup = "startup",
        /// What happens inside can be seen from outside.
        Observability = "observability",
        /// The image can be kept up.
        Maintenance = "maintenance",
        /// It comes back after a fault.
        Recovery = "recovery",
    }

    /// Who can fix it.
    pub enum Owner {
        /// The program, its arguments or its environment.
        Workload = "workload",
        /// Whoever builds the image.
        Image = "image",
        /// Whoever writes the `docker run` line or the pod manifest.
        Pod = "pod",
        /// Whoever runs the machine.
        Node = "node",
        /// Whoever replaces parts.
        Hardware = "hardware",
    }

    /// What came of a check.
    pub enum Outcome {
        /// The state holds.
        Holds = "holds",
        /// It does not.
        Fails = "fails",
        /// It could not be told.
        Unknown = "unknown",
        /// It was not asked, because something it depends on fails.
        Blocked = "blocked",
        /// It does not apply here.
        NotApplicable = "not-applicable",
    }
}

record! {
    /// A check file.
    pub struct CheckFile {
        /// The state that should hold, as a sentence without full stop.
        pub title: String,
        /// How much a failure matters, unless the profile says otherwise.
        pub severity: Severity,
        /// Where a failure matters more, from the most severe on: the first whose condition holds gives the severity.
        pub raised: Vec<Raised>,
        /// The axis of the score it speaks for; that of `room.toml` where it is left out.
        pub dimension: Option<Dimension>,
        /// Who can fix it; as `room.toml` says where it is left out.
        pub owner: Option<Owner>,
        /// When it can be judged; outside these it does not apply. As `room.toml` says where it is left out.
        pub phases: Vec<Phase>,
        /// Checks whose failure makes this one blocked, beside those that `room.toml` names.
        pub requires: Vec<String>,
        /// A condition; when it or that of `room.toml` is false the check does not apply.
        pub when: Option<String>,
        /// Whether nothing in `room.toml` holds for this check.
        pub ignore_room: bool,
        /// A list in the facts; the check is judged for each item, which is called `it`.
        pub each: Option<String>,
        /// How an item of `each` is called in the report.
        pub subject: Option<String>,
        /// What should hold.
        pub expect: String,
        /// What is wrong when it does not hold; `{path}` and `{path|filter}` quote facts.
        pub message: String,
        /// Why it matters.
        pub why: String,
        /// Which files or calls it is read from, and when they can mislead.
        pub detect: String,
        /// Where to read more.
        pub links: Vec<String>,
        /// How to fix it, by where: docker, compose, kubernetes, image, workload, node, hardware.
        pub remedy: BTreeMap<String, String>,
        /// Facts with the outcome they must give.
        pub example: Vec<Example>,
    }

    /// Where a failure matters more than elsewhere, by what is installed or by how many GPUs there are.
    pub struct Raised {
        /// How much.
        pub severity: Severity,
        /// Where, as an expression; where it is unknown nothing is raised.
        pub when: String,
    }

    /// Facts with the outcome they must give.
    pub struct Example {
        /// The facts that matter; all others are unknown.
        pub given: serde_json::Value,
        /// What must come of it.
        pub then: Outcome,
        /// The message that must be given, to the letter.
        pub message: Option<String>,
        /// The severity that must be given, where it is not that of the check.
        pub severity: Option<Severity>,
    }
}

/// Where a remedy may apply.
pub const PLACES: [&str; 7] = ["docker", "compose", "kubernetes", "image", "workload", "node", "hardware"];
