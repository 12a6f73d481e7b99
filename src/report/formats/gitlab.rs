//! `GitLab`'s code quality report: a list of what is wrong. There is no official schema; the fields are those of
//! <https://docs.gitlab.com/ci/testing/code_quality/>.

use serde_json::{Value, json};

use super::fingerprint::Fingerprints;
use super::place::{Place, place};
use super::{Finding, Report, is_open, words};
use crate::check::{Outcome, Severity};
use crate::text::{plain, plain_long};

/// The list. What is waived is no trouble; what keeps the verdict open is told, and accuses nobody.
pub fn document(report: &Report, anchor: &Place) -> Value {
    let mut fingerprints = Fingerprints::default();
    let told = report.findings.iter().filter(|finding| finding.counts() || is_open(finding));
    let issues = told.map(|finding| {
        let place = place(finding, anchor);
        json!({
            "type": "issue",
            "check_name": plain(&finding.check),
            "description": plain_long(&words(std::slice::from_ref(finding))),
            "fingerprint": fingerprints.of(finding),
            "severity": severity(finding),
            "location": { "path": plain(&place.file), "lines": { "begin": place.line } },
        })
    });
    Value::Array(issues.collect())
}

/// In `GitLab`'s words.
fn severity(finding: &Finding) -> &'static str {
    match (finding.outcome, finding.severity) {
        (Outcome::Fails, Severity::Critical) => "blocker",
        (Outcome::Fails, Severity::High) => "critical",
        (Outcome::Fails, Severity::Medium) => "major",
        (Outcome::Fails, Severity::Low) => "minor",
        _ => "info",
    }
}
