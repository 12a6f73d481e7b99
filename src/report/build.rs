//! From judged checks and a profile to a report.

use super::{EvidenceItem, Finding, Fix, Report, SCHEMA, Tool};
use crate::check::{Catalogue, Judged, Outcome, Owner, Severity};
use crate::facts::{ContainerKind, Facts, Phase};
use crate::profile::Profile;
use crate::score::{Verdict, Weighed, is_capped, score};

/// Fixes that a report proposes at most.
const FIXES: usize = 3;

/// Weighs what was judged and says it.
pub fn build(facts: Facts, judged: Vec<Judged>, catalogue: &Catalogue, profile: &Profile, phase: Phase) -> Report {
    let now = facts.run.taken_at_seconds;
    let mut findings: Vec<Finding> =
        judged.into_iter().filter_map(|judged| weigh(judged, catalogue, profile, now)).collect();
    let order = Order::of(&findings);
    findings.sort_by_key(|finding| order.key(finding));
    let verdict = verdict(&findings);
    let weights = weighed(&findings, &[]);
    let mut score = score(&weights);
    if is_capped(&weights) {
        score.capped_by =
            findings.iter().filter(|f| f.outcome == Outcome::Fails).min_by_key(|f| f.severity).map(|f| f.check.clone());
    }
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "gpu-preflight".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        profile: profile.name.clone(),
        phase,
        verdict,
        score,
        fix_first: fixes(&findings, &facts),
        notes: notes(&findings, profile, now),
        probes: facts.probes.clone(),
        findings,
        facts,
    }
}

fn weigh(judged: Judged, catalogue: &Catalogue, profile: &Profile, now: u64) -> Option<Finding> {
    let check = catalogue.get(&judged.check)?;
    let severity = profile.severity(&check.id, check.file.severity)?;
    let waiver = profile.waiver(&check.id, judged.subject.as_deref(), now).filter(|_| judged.outcome == Outcome::Fails);
    Some(Finding {
        severity,
        dimension: check.dimension,
        owner: check.owner,
        gating: profile.gates(severity),
        remedy: check.file.remedy.clone(),
        evidence: judged.evidence.into_iter().map(|e| EvidenceItem { path: e.path, value: e.value }).collect(),
        waived: waiver.map(|waiver| format!("{} ({}, until {})", waiver.reason, waiver.owner, waiver.expires)),
        check: judged.check,
        subject: judged.subject,
        outcome: judged.outcome,
        message: judged.message,
        blocked_by: judged.blocked_by,
    })
}

/// The order in which findings are told: what fails and gates first, by severity; then what explains most others.
struct Order {
    blocked: std::collections::BTreeMap<String, usize>,
    place: std::collections::BTreeMap<String, usize>,
}

impl Order {
    fn of(findings: &[Finding]) -> Self {
        let mut blocked = std::collections::BTreeMap::new();
        let mut place = std::collections::BTreeMap::new();
        for (index, finding) in findings.iter().enumerate() {
            place.entry(finding.check.clone()).or_insert(index);
            if let Some(cause) = &finding.blocked_by {
                *blocked.entry(cause.clone()).or_insert(0) += 1;
            }
        }
        Self { blocked, place }
    }

    fn key(&self, finding: &Finding) -> impl Ord + use<> {
        let outcome = match (finding.outcome, finding.waived.is_some()) {
            (Outcome::Fails, false) => 0,
            (Outcome::Fails, true) => 1,
            (Outcome::Unknown, _) => 2,
            (Outcome::Blocked, _) => 3,
            (Outcome::Holds, _) => 4,
            (Outcome::NotApplicable, _) => 5,
        };
        let explains = self.blocked.get(&finding.check).copied().unwrap_or(0);
        let place = self.place.get(&finding.check).copied().unwrap_or(0);
        (outcome, finding.severity, finding.dimension, std::cmp::Reverse(explains), place)
    }
}

fn verdict(findings: &[Finding]) -> Verdict {
    let gating = || findings.iter().filter(|finding| finding.gating);
    let told = findings.iter().any(|finding| matches!(finding.outcome, Outcome::Holds | Outcome::Fails));
    if gating().any(Finding::counts) {
        Verdict::NotReady
    } else if !told || gating().any(|f| matches!(f.outcome, Outcome::Unknown | Outcome::Blocked)) {
        Verdict::Incomplete
    } else {
        Verdict::Ready
    }
}

/// One entry per check, with the checks in `fixed` counted as holding and whatever they block as unknown.
fn weighed(findings: &[Finding], fixed: &[&str]) -> Vec<Weighed> {
    let mut checks: Vec<(&str, &Finding, Vec<Outcome>)> = Vec::new();
    for finding in findings {
        let outcome = if fixed.contains(&finding.check.as_str()) && finding.outcome == Outcome::Fails {
            Outcome::Holds
        } else {
            finding.outcome
        };
        match checks.iter_mut().find(|(id, ..)| *id == finding.check) {
            Some((_, _, outcomes)) => outcomes.push(outcome),
            None => checks.push((&finding.check, finding, vec![outcome])),
        }
    }
    let entry = |(_, finding, outcomes): (&str, &Finding, Vec<Outcome>)| {
        Weighed::new(finding.severity, finding.dimension, outcomes)
    };
    checks.into_iter().map(entry).collect()
}

/// At each step the fix that raises the score most; where caps make them equal, the more urgent one.
fn fixes(findings: &[Finding], facts: &Facts) -> Vec<Fix> {
    let mut left: Vec<&Finding> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.outcome == Outcome::Fails) {
        if finding.severity != Severity::Info && !left.iter().any(|known| known.check == finding.check) {
            left.push(finding);
        }
    }
    let mut fixed: Vec<&str> = Vec::new();
    let mut proposed = Vec::new();
    while proposed.len() < FIXES && !left.is_empty() {
        let after = |finding: &Finding| {
            let with: Vec<&str> = fixed.iter().copied().chain([finding.check.as_str()]).collect();
            score(&weighed(findings, &with)).high
        };
        // `max_by_key` takes the last of equals, so the urgent ones are asked last.
        let Some((index, score_after)) =
            left.iter().map(|finding| after(finding)).enumerate().rev().max_by_key(|(_, after)| *after)
        else {
            break;
        };
        let finding = left.remove(index);
        fixed.push(&finding.check);
        proposed.push(Fix {
            check: finding.check.clone(),
            subject: finding.subject.clone(),
            owner: finding.owner,
            remedy: remedy(finding, facts),
            score_after,
        });
    }
    proposed
}

/// The instruction that fits this container: the orchestrator's words for its owner, else any there is.
pub(super) fn remedy(finding: &Finding, facts: &Facts) -> String {
    let in_kubernetes = facts.container.kind.known() == Some(&ContainerKind::Kubernetes);
    let engine = if in_kubernetes { ["kubernetes", "docker"] } else { ["docker", "kubernetes"] };
    let preferred: &[&str] = match finding.owner {
        Owner::Pod => &engine,
        Owner::Image => &["image"],
        Owner::Workload => &["workload"],
        Owner::Node => &["node"],
        Owner::Hardware => &["hardware", "node"],
    };
    let found = preferred.iter().find_map(|place| finding.remedy.get(*place));
    found.or_else(|| finding.remedy.values().next()).cloned().unwrap_or_default()
}

fn notes(findings: &[Finding], profile: &Profile, now: u64) -> Vec<String> {
    let mut notes = Vec::new();
    for waiver in &profile.file.waive {
        let expired = profile.waiver(&waiver.check, waiver.subject.as_deref(), now).is_none();
        let used = findings.iter().any(|f| f.check == waiver.check && f.waived.is_some());
        if expired {
            notes.push(format!("the waiver of {} expired on {}", waiver.check, waiver.expires));
        } else if !used {
            notes.push(format!("the waiver of {} excuses nothing: it does not fail", waiver.check));
        }
    }
    notes
}
