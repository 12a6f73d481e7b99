//! Whose word known vulnerabilities are, what statements of VEX excused of them, and which excused nothing: an excuse that
//! nobody sees is none.

use super::Finding;
use crate::facts::{ExcusedVulnerability, Fact, Facts};

/// Vulnerabilities and statements that are named.
const NAMED: usize = 4;

/// How the checks end that ask for known vulnerabilities.
const CHECKS: &str = "vulnerabilities-absent";

/// What is said of them. Where a filter left their checks out nobody asked, and nothing is said.
pub(super) fn told(findings: &[Finding], facts: &Facts) -> Vec<String> {
    if !findings.iter().any(|finding| finding.check.ends_with(CHECKS)) {
        return Vec::new();
    }
    let mut notes: Vec<String> = whose(facts).into_iter().collect();
    notes.extend(excused(facts));
    notes
}

/// The scanner whose report it is, and when that was made: what came to be known since is in none.
fn whose(facts: &Facts) -> Option<String> {
    let advisories = facts.packages.advisories.known()?;
    let scanner = advisories.scanner.known()?;
    let taken = advisories.taken.known().map_or("at a time that it does not say", String::as_str);
    Some(format!("known vulnerabilities are those of a report of {scanner}, made {taken}"))
}

fn excused(facts: &Facts) -> Vec<String> {
    let Fact::Known(vex) = &facts.packages.vex else { return Vec::new() };
    let excused: Vec<String> = vex.excused.iter().map(words).collect();
    let all = vex.statement_count;
    let counted = [
        (vex.excused_count, format!("VEX excuses {} of the known vulnerabilities", vex.excused_count), &excused),
        (vex.idle_count, format!("{} of {all} VEX statements excuse nothing", vex.idle_count), &vex.idle),
    ];
    let some = counted.into_iter().filter(|(count, ..)| *count > 0);
    some.map(|(count, words, named)| format!("{words}: {}", listed(count, named))).collect()
}

/// `CVE-1 in torch 2.7.0 (component_not_present; vex.json, statement 3)`.
fn words(one: &ExcusedVulnerability) -> String {
    format!("{} in {} {} ({}; {})", one.id, one.package, one.installed, one.reason, one.statement)
}

fn listed(count: u64, named: &[String]) -> String {
    let shown = named.len().min(NAMED);
    let more = count.saturating_sub(shown as u64);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", named.iter().take(shown).map(String::as_str).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Advisories, Vex};

    #[test]
    fn a_report_is_told_with_its_scanner_and_time() {
        let mut facts = Facts::default();
        let asked = [Finding { check: "image.vulnerabilities-absent".to_owned(), ..Finding::default() }];
        let mut advisories = Advisories { scanner: Fact::Absent, taken: Fact::Absent, ..Advisories::default() };
        facts.packages.advisories = Fact::Known(advisories.clone());
        assert_eq!(told(&asked, &facts), [""; 0], "advisories are no report");
        (advisories.scanner, advisories.taken) = (Fact::Known("Trivy 1".into()), Fact::Known("2026-01-02".into()));
        facts.packages.advisories = Fact::Known(advisories);
        assert_eq!(told(&asked, &facts), ["known vulnerabilities are those of a report of Trivy 1, made 2026-01-02"]);
    }

    #[test]
    fn what_is_excused_is_told_with_its_statement_and_silent_where_nobody_asked() {
        let mut facts = Facts::default();
        let excused = |number: u64| ExcusedVulnerability {
            id: format!("CVE-{number}"),
            package: "torch".to_owned(),
            installed: "1".to_owned(),
            reason: "fixed".to_owned(),
            statement: format!("vex.json, statement {number}"),
            ..ExcusedVulnerability::default()
        };
        let asked = [Finding { check: "image.vulnerabilities-absent".to_owned(), ..Finding::default() }];
        assert_eq!(told(&asked, &facts), [""; 0], "no document was named");
        facts.packages.vex = Fact::Known(Vex {
            statement_count: 9,
            excused_count: 6,
            excused: (1..=6).map(excused).collect(),
            idle_count: 1,
            idle: vec!["CVE-9 (vex.json, statement 9): no such vulnerability was found".to_owned()],
        });
        let notes = told(&asked, &facts);
        let one = "VEX excuses 6 of the known vulnerabilities: CVE-1 in torch 1 (fixed; vex.json, statement 1); CVE-2";
        assert!(notes[0].starts_with(one) && notes[0].ends_with("; and 2 more"), "{notes:?}");
        assert_eq!(
            notes[1],
            "1 of 9 VEX statements excuse nothing: CVE-9 (vex.json, statement 9): no such vulnerability was found"
        );
        assert_eq!(notes.len(), 2);
        assert_eq!(told(&[Finding::default()], &facts), [""; 0], "a filter left them out");
    }
}
