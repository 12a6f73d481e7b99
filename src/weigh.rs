//! The fourth stage: what came of the checks, weighed for one seat.
//!
//! A [`profile`] gives each finding its severity and says what gates and what is excused; [`verdict`] and [`score`]
//! follow from that; [`baseline`] says what is new since an earlier report; [`contract`] reads what the workload needs; [`order`] puts the most urgent first, [`owner`] says whose it is and [`fixes`] what to do about it, in words that [`fitted`] has fitted to the machine. Nothing is read and
//! nothing printed here.

pub mod baseline;
pub mod contract;
mod fitted;
mod fixes;
mod order;
mod owner;
pub mod profile;
pub mod score;
mod standing;
mod verdict;
mod vulnerabilities;
mod waivers;

use std::collections::{BTreeMap, HashMap};

use crate::check::{Catalogue, Check, Dimension, Judged, Outcome, Owner, Severity};
use crate::facts::shape::record;
use crate::facts::{Fact, Facts, Place};

pub use baseline::{Baseline, Since};
pub use fitted::rounded;
pub use fixes::remedy;
pub use profile::Profile;
pub use score::Score;
pub use verdict::Verdict;

use fixes::fixes;
use order::Order;
use profile::Waiver;
use score::{Entry, is_capped, score};
use standing::standings;

record! {
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
        /// How to fix it, by where; empty where nothing is to be fixed.
        pub remedy: BTreeMap<String, String>,
        /// The facts that were read.
        pub evidence: Vec<EvidenceItem>,
        /// The failed check that keeps this one from being judged.
        pub blocked_by: Option<String>,
        /// Why its failure is excused.
        pub waived: Option<String>,
        /// Where the facts that were read stand in the files that were given; none where no file was.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub places: Vec<Place>,
        /// How it stands against an earlier report; not there where none was named, and of what holds.
        pub since: Option<Since>,
    }

    /// What a check is about, in the words of its file.
    pub struct About {
        /// The state that should hold.
        pub title: String,
        /// Why it matters.
        pub why: String,
        /// How it is fixed, by where.
        pub remedy: BTreeMap<String, String>,
        /// Where to read more.
        pub links: Vec<String>,
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

/// What was judged, weighed.
#[derive(Debug, Clone)]
pub struct Weighing {
    /// What is to be done.
    pub verdict: Verdict,
    /// How far it is from production.
    pub score: Score,
    /// What came of every check that the profile keeps, the most urgent first.
    pub findings: Vec<Finding>,
    /// What the checks are about that do not simply hold.
    pub about: BTreeMap<String, About>,
    /// Up to three fixes, in the order that raises the score most.
    pub fix_first: Vec<Fix>,
    /// Things worth saying that are no findings.
    pub notes: Vec<String>,
}

/// Weighs what was judged of these facts.
pub fn weigh(judged: Vec<Judged>, facts: &Facts, catalogue: &Catalogue, profile: &Profile) -> Weighing {
    let now = facts.run.taken_at_seconds;
    // Of many GPUs there are thousands of findings, and each asks for its check.
    let checks: HashMap<&str, &Check> = catalogue.checks.iter().map(|check| (check.id.as_str(), check)).collect();
    let weighed = |judged: Judged| {
        let check = *checks.get(judged.check.as_str())?;
        finding(judged, check, facts, profile)
    };
    let mut findings: Vec<Finding> = judged.into_iter().filter_map(weighed).collect();
    let order = Order::of(&findings);
    findings.sort_by_cached_key(|finding| order.key(finding));
    let entries: Vec<Entry> = standings(&findings).iter().map(|standing| standing.now).collect();
    let mut score = score(&entries);
    if is_capped(&entries) {
        score.capped_by =
            findings.iter().filter(|f| f.outcome == Outcome::Fails).min_by_key(|f| f.severity).map(|f| f.check.clone());
    }
    Weighing {
        verdict: Verdict::of(&findings),
        score,
        fix_first: fixes(&findings, facts),
        notes: notes(&findings, facts, catalogue, profile, now),
        about: about(&findings, catalogue),
        findings,
    }
}

/// What is new in these findings, and the verdict that is left: see [`baseline`].
pub fn since(
    findings: &mut [Finding],
    earlier: &[Finding],
    taken_at_seconds: u64,
    new_only: bool,
) -> (Baseline, Verdict) {
    let baseline = baseline::compare(findings, earlier, taken_at_seconds, new_only);
    (baseline, Verdict::of(findings))
}

/// What the checks are about that somebody will want to read of.
fn about(findings: &[Finding], catalogue: &Catalogue) -> BTreeMap<String, About> {
    let told = findings.iter().filter(|f| matches!(f.outcome, Outcome::Fails | Outcome::Unknown | Outcome::Blocked));
    let of = |finding: &Finding| {
        let file = &catalogue.get(&finding.check)?.file;
        let (title, why, remedy) = (file.title.clone(), file.why.trim().to_owned(), file.remedy.clone());
        Some((finding.check.clone(), About { title, why, remedy, links: file.links.clone() }))
    };
    told.filter_map(of).collect()
}

fn finding(judged: Judged, check: &Check, facts: &Facts, profile: &Profile) -> Option<Finding> {
    let now = facts.run.taken_at_seconds;
    let severity = profile.severity(&check.id, judged.severity)?;
    let excused = judged.outcome == Outcome::Fails && profile.may_waive(severity);
    // Nobody follows the remedy of what holds.
    let is_followed = !matches!(judged.outcome, Outcome::Holds | Outcome::NotApplicable);
    let fitted = |words: &String| fitted::fitted(words, facts, judged.evidence.iter().map(|read| read.path.as_str()));
    let remedies = check.file.remedy.iter().filter(|_| is_followed);
    let waiver = profile.waiver(&check.id, judged.subject.as_deref(), now).filter(|_| excused);
    Some(Finding {
        severity,
        dimension: check.dimension,
        owner: owner::owner(check, &judged.places, facts),
        gating: profile.gates(severity),
        remedy: remedies.map(|(place, words)| (place.clone(), fitted(words))).collect(),
        evidence: judged.evidence.into_iter().map(|e| EvidenceItem { path: e.path, value: e.value }).collect(),
        waived: waiver.map(Waiver::told),
        check: judged.check,
        subject: judged.subject,
        outcome: judged.outcome,
        message: judged.message,
        blocked_by: judged.blocked_by,
        places: judged.places,
        since: None,
    })
}

fn notes(findings: &[Finding], facts: &Facts, catalogue: &Catalogue, profile: &Profile, now: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if let Fact::Known(seconds) = facts.run.stood_still_seconds {
        notes.push(format!(
            "this container or machine stood still for {seconds:.1} s while we looked (paused, stopped, or out of its CPU \
             quota): deadlines waited so much longer"
        ));
    }
    if let Fact::Known(kept) = facts.run.kept_seconds {
        let cores = facts.limits.cpu_quota_cores.known().filter(|cores| **cores < 1.0);
        let why = cores.map_or_else(
            || "a CPU limit, or a busy machine".to_owned(),
            |cores| format!("the CPU limit is {cores} cores"),
        );
        notes.push(format!(
            "little CPU time was had ({why}): of the deadline of {:.1} s, {kept:.1} s were kept for this report",
            facts.run.deadline_seconds
        ));
    }
    notes.extend(waivers::idle(findings, catalogue, profile, now));
    notes.extend(vulnerabilities::told(findings, facts));
    notes
}
