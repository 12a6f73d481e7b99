//! What is told: the verdict with its cause, and one pure function per format.

mod build;
mod glance;
pub mod gpus;
pub mod json;
mod rates;
pub mod summary;
mod table;
pub mod text;

use std::collections::BTreeMap;

use crate::check::{Dimension, Outcome, Owner, Severity};
use crate::facts::shape::record;
use crate::facts::{Facts, Phase, ProbeRun};
use crate::score::{Score, Verdict};

pub use build::build;

/// The `schema` of a report that this version writes.
pub const SCHEMA: &str = "gpu-preflight/report/1";

record! {
    /// A report.
    pub struct Report {
        /// Always `gpu-preflight/report/1`.
        pub schema: String,
        /// What made it.
        pub tool: Tool,
        /// The profile it was weighed by.
        pub profile: String,
        /// The phase it was judged for.
        pub phase: Phase,
        /// What is to be done; the exit code follows from it.
        pub verdict: Verdict,
        /// How far it is from production.
        pub score: Score,
        /// What came of every check, the most urgent first.
        pub findings: Vec<Finding>,
        /// Up to three fixes, in the order that raises the score most.
        pub fix_first: Vec<Fix>,
        /// Things worth saying that are no findings, for example an expired waiver.
        pub notes: Vec<String>,
        /// Everything that was learnt.
        pub facts: Facts,
        /// How each probe ended and how long it took.
        pub probes: Vec<ProbeRun>,
    }

    /// What made a report.
    pub struct Tool {
        /// Always `gpu-preflight`.
        pub name: String,
        /// Its version.
        pub version: String,
    }

    /// What came of one check for one subject.
    pub struct Finding {
        /// The check.
        pub check: String,
        /// The item it is about; not there for a check on the whole.
        pub subject: Option<String>,
        /// What came of it.
        pub outcome: Outcome,
        /// How much it matters under this profile.
        pub severity: Severity,
        /// The axis of the score.
        pub dimension: Dimension,
        /// Who can fix it.
        pub owner: Owner,
        /// Whether a failure decides the verdict.
        pub gating: bool,
        /// What is wrong, why it could not be told, or the state that holds.
        pub message: String,
        /// How to fix it, by where.
        pub remedy: BTreeMap<String, String>,
        /// The facts that were read.
        pub evidence: Vec<EvidenceItem>,
        /// The failed check that keeps this one from being judged.
        pub blocked_by: Option<String>,
        /// Why its failure is excused.
        pub waived: Option<String>,
    }

    /// A fact that a finding rests on.
    pub struct EvidenceItem {
        /// Where it stands in the facts.
        pub path: String,
        /// What it said.
        pub value: serde_json::Value,
    }

    /// A fix and what it brings.
    pub struct Fix {
        /// The check that fails.
        pub check: String,
        /// Its first failing subject.
        pub subject: Option<String>,
        /// Who can fix it.
        pub owner: Owner,
        /// The instruction that fits this container.
        pub remedy: String,
        /// The upper end of the score once this and the fixes before it are done.
        pub score_after: Option<u32>,
    }
}

impl Finding {
    /// Whether it fails and nothing excuses it.
    pub fn counts(&self) -> bool {
        self.outcome == Outcome::Fails && self.waived.is_none()
    }
}

impl Report {
    /// The findings that fail, the most urgent first.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.outcome == Outcome::Fails)
    }

    /// How many checks came out like this, each counted once whatever its subjects.
    pub fn count(&self, outcome: Outcome) -> usize {
        let mut ids: Vec<&str> =
            self.findings.iter().filter(|f| f.outcome == outcome).map(|f| f.check.as_str()).collect();
        ids.dedup();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    }
}
