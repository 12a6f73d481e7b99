//! Which fixes to propose first, and the words of a remedy that fit where we are.

use super::score::{Entry, points};
use super::standing::{Standing, standings};
use super::{Finding, Fix};
use crate::check::{Outcome, Owner, Severity};
use crate::facts::{ContainerKind, Facts, Phase};

/// Fixes that a report proposes at most.
const FIXES: usize = 3;

/// At each step the fix that raises the score most; where caps make them equal, the more urgent one.
pub(super) fn fixes(findings: &[Finding], facts: &Facts) -> Vec<Fix> {
    let mut left: Vec<&Finding> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.outcome == Outcome::Fails) {
        if finding.severity != Severity::Info && !left.iter().any(|known| known.check == finding.check) {
            left.push(finding);
        }
    }
    let standings = standings(findings);
    let mut fixed: Vec<&str> = Vec::new();
    let mut proposed = Vec::new();
    while proposed.len() < FIXES && !left.is_empty() {
        let after = |finding: &Finding| {
            let is_fixed = |check: &str| check == finding.check || fixed.contains(&check);
            let entry = |standing: &Standing<'_>| if is_fixed(standing.check) { standing.mended } else { standing.now };
            let entries: Vec<Entry> = standings.iter().map(entry).collect();
            points(&entries, false)
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
pub fn remedy(finding: &Finding, facts: &Facts) -> String {
    let in_kubernetes = facts.container.kind.known() == Some(&ContainerKind::Kubernetes);
    let is_written = facts.run.phase == Phase::Written && facts.written.container.known().is_some();
    let engine = match (in_kubernetes, is_written) {
        (true, _) => ["kubernetes", "docker", "compose"],
        (false, true) => ["compose", "docker", "kubernetes"],
        (false, false) => ["docker", "compose", "kubernetes"],
    };
    // Where nothing but the text of a container was read, it can be mended only there.
    let of_text = &engine[..usize::from(is_written && !facts.image.configured)];
    let of_owner: &[&str] = match finding.owner {
        Owner::Pod => &engine,
        Owner::Image => &["image"],
        Owner::Workload => &["workload"],
        Owner::Node => &["node"],
        Owner::Hardware => &["hardware", "node"],
    };
    let mut preferred = of_text.iter().chain(of_owner);
    let found = preferred.find_map(|place| finding.remedy.get(*place));
    found.or_else(|| finding.remedy.values().next()).cloned().unwrap_or_default()
}
