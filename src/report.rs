//! What is told: the verdict with its cause, and one pure function per format.

pub mod config;
pub mod contract;
pub mod diff;
pub mod formats;
pub mod gpus;
mod legend;
mod nothing;
mod overview;
mod rates;
mod rows;
pub mod sbom;
pub mod summary;
mod table;
mod tally;
pub mod text;
pub mod watch;

use std::collections::BTreeMap;

use crate::check::Outcome;
use crate::check::judge::worst;
use crate::facts::shape::record;
use crate::facts::{Facts, Phase, ProbeRun};
use crate::weigh::{About, Baseline, Finding, Fix, Score, Verdict, Weighing};

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
        /// What `--only` and `--skip` left of the checks, or what a text tells of; absent where all were asked.
        pub selection: Option<Selection>,
        /// What is to be done; the exit code follows from it.
        pub verdict: Verdict,
        /// How far it is from production.
        pub score: Score,
        /// What came of every check, the most urgent first. In JSON what holds and what does not apply is left out, unless
        /// `--verbose` asks for it: it is named in `holding` and `not_applicable`.
        pub findings: Vec<Finding>,
        /// Checks that hold for all that they apply to.
        pub holding: Vec<String>,
        /// Checks that do not apply to anything here.
        pub not_applicable: Vec<String>,
        /// The checks that fail, could not be told or were not judged because another fails: what they are about.
        pub about: BTreeMap<String, About>,
        /// How this stands against an earlier report; not there where none was named.
        pub baseline: Option<Baseline>,
        /// Up to three fixes, in the order that raises the score most.
        pub fix_first: Vec<Fix>,
        /// Things worth saying that are no findings, for example an expired waiver.
        pub notes: Vec<String>,
        /// Everything that was learnt.
        pub facts: Facts,
        /// How each probe ended and how long it took.
        pub probes: Vec<ProbeRun>,
    }

    /// What a filter, or a text, left of the checks: the verdict and the score speak of these alone.
    pub struct Selection {
        /// The patterns of `--only`; none where every check was asked for.
        pub only: Vec<String>,
        /// The patterns of `--skip`.
        pub skip: Vec<String>,
        /// Whether only text was read, of which most checks say nothing.
        pub text_only: bool,
        /// Checks that are left.
        pub check_count: usize,
        /// Checks that the profile has without the filter.
        pub profile_check_count: usize,
    }

    /// What made a report.
    pub struct Tool {
        /// Always `gpu-preflight`.
        pub name: String,
        /// Its version.
        pub version: String,
    }
}

impl Report {
    /// What was weighed under a profile for a phase, and the facts that it rests on.
    pub fn new(facts: Facts, weighing: Weighing, profile: &str, phase: Phase, selection: Option<Selection>) -> Self {
        let mut worst_of: BTreeMap<&str, Outcome> = BTreeMap::new();
        for Finding { check, outcome, .. } in &weighing.findings {
            let known = worst_of.entry(check).or_insert(*outcome);
            *known = worst([*known, *outcome]);
        }
        let whose_worst_is = |wanted: Outcome| {
            worst_of.iter().filter(|(_, worst)| **worst == wanted).map(|(check, _)| (*check).to_owned()).collect()
        };
        let mut report = Self {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "gpu-preflight".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            profile: profile.to_owned(),
            phase,
            selection,
            verdict: weighing.verdict,
            score: weighing.score,
            holding: whose_worst_is(Outcome::Holds),
            not_applicable: whose_worst_is(Outcome::NotApplicable),
            findings: weighing.findings,
            about: weighing.about,
            baseline: None,
            fix_first: weighing.fix_first,
            notes: weighing.notes,
            probes: facts.probes.clone(),
            facts,
        };
        report.notes.extend(nothing::why(&report));
        report
    }

    /// The same without the findings of which nobody has to hear.
    #[must_use]
    pub fn brief(&self) -> Self {
        let told = |finding: &&Finding| !matches!(finding.outcome, Outcome::Holds | Outcome::NotApplicable);
        Self {
            schema: self.schema.clone(),
            tool: self.tool.clone(),
            profile: self.profile.clone(),
            phase: self.phase,
            selection: self.selection.clone(),
            verdict: self.verdict,
            score: self.score.clone(),
            findings: self.findings.iter().filter(told).cloned().collect(),
            holding: self.holding.clone(),
            not_applicable: self.not_applicable.clone(),
            about: self.about.clone(),
            baseline: self.baseline.clone(),
            fix_first: self.fix_first.clone(),
            notes: self.notes.clone(),
            facts: self.facts.clone(),
            probes: self.probes.clone(),
        }
    }

    /// The verdict as people read it, with what a filter left it to speak of: `READY, of 17 of 184 checks`.
    pub fn verdict_words(&self) -> String {
        let verdict = self.verdict.title();
        match &self.selection {
            Some(left) => format!("{verdict}, of {} of {} checks", left.check_count, left.profile_check_count),
            None => verdict.to_owned(),
        }
    }

    /// What the verdict comes from: what keeps it open where it is INCOMPLETE, else the most urgent failure that nothing
    /// excuses.
    pub fn cause(&self) -> Option<&Finding> {
        let undecided = |f: &&Finding| f.gating && matches!(f.outcome, Outcome::Unknown | Outcome::Blocked);
        match self.verdict {
            Verdict::Incomplete => self.findings.iter().find(undecided),
            Verdict::NotReady => self.findings.iter().find(|f| f.counts() && f.gating),
            Verdict::Ready => self.findings.iter().find(|f| f.counts()),
        }
    }

    /// Whether a check fails and all of that is excused.
    pub fn is_waived(&self, check: &str) -> bool {
        let mut own = self.failures().filter(|finding| finding.check == check).peekable();
        own.peek().is_some() && own.all(|finding| finding.waived.is_some())
    }

    /// What is worth mending after the cause.
    pub fn further_fixes(&self) -> impl Iterator<Item = &Fix> {
        let cause = self.cause().map(|cause| cause.check.as_str());
        self.fix_first.iter().filter(move |fix| Some(fix.check.as_str()) != cause)
    }

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
