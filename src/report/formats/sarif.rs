//! SARIF 2.1.0, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>: a result for everything that fails, a rule for each of
//! their checks.
//!
//! What could not be told is no result, for nothing was found: it is a notification of the run, which is where SARIF puts
//! what kept a tool from seeing. What was fixed since the baseline is not there, as it is not here.

use serde_json::{Map, Value, json};

use super::fingerprint::Fingerprints;
use super::place::{Place, place};
use super::{Finding, Level, Report, is_open, level, words};
use crate::check::{Dimension, Outcome, Severity};
use crate::text::{Shown, plain, plain_long};
use crate::weigh::baseline::Since;
use crate::weigh::{Verdict, remedy};

/// Results that GitHub takes.
const RESULTS: usize = 25_000;

/// The document.
pub fn document(report: &Report, anchor: &Place) -> Value {
    let failures: Vec<&Finding> = report.failures().take(RESULTS).collect();
    // Of each check the worst finding, for a severity is asked of the rule too.
    let mut rules: Vec<&Finding> = Vec::new();
    let mut fingerprints = Fingerprints::default();
    let results: Vec<Value> = failures
        .iter()
        .map(|finding| {
            let rule = rules.iter().position(|known| known.check == finding.check).unwrap_or_else(|| {
                rules.push(finding);
                rules.len() - 1
            });
            if finding.severity < rules[rule].severity {
                rules[rule] = finding;
            }
            result(finding, rule, &fingerprints.of(finding), report, anchor)
        })
        .collect();
    let rules: Vec<Value> = rules.iter().map(|worst| rule(worst, report)).collect();
    let unknown = report.findings.iter().filter(|finding| finding.outcome == Outcome::Unknown);
    let notifications: Vec<Value> = unknown.map(|finding| notification(finding, report.verdict)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "rules": rules,
            } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "automationDetails": { "id": format!("gpu-preflight/{}/", plain(&report.profile)) },
            "properties": {
                "verdict": report.verdict.as_str(),
                "score": [report.score.low, report.score.high],
                "coverage": report.score.coverage,
            },
            "results": results,
        }],
    })
}

/// The rule of a check, of which `worst` is the worst finding.
fn rule(worst: &Finding, report: &Report) -> Value {
    let mut rule = Map::new();
    rule.insert("id".to_owned(), json!(plain(&worst.check)));
    rule.insert("properties".to_owned(), properties(worst));
    let Some(about) = report.about.get(&worst.check) else { return Value::Object(rule) };
    rule.insert("shortDescription".to_owned(), json!({ "text": plain_long(&about.title) }));
    if !about.why.is_empty() {
        rule.insert("fullDescription".to_owned(), json!({ "text": &*Shown::line(&about.why) }));
    }
    // `Shown` takes its line feeds: each paragraph is one.
    let cures: Vec<String> =
        about.remedy.iter().map(|(place, remedy)| format!("{}: {}", plain(place), &*Shown::line(remedy))).collect();
    if !cures.is_empty() {
        rule.insert("help".to_owned(), json!({ "text": cures.join("\n") }));
    }
    if let Some(link) = about.links.iter().find(|link| is_uri(link)) {
        rule.insert("helpUri".to_owned(), json!(link));
    }
    Value::Object(rule)
}

/// Whether a link is one that may stand in a document as it is.
pub fn is_uri(link: &str) -> bool {
    let is_plain = link.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte));
    link.starts_with("https://") && is_plain && link.len() < 2000
}

fn result(finding: &Finding, rule: usize, fingerprint: &str, report: &Report, anchor: &Place) -> Value {
    let place = place(finding, anchor);
    let cure = Shown::line(&remedy(finding, &report.facts));
    let mut result = json!({
        "ruleId": plain(&finding.check),
        "ruleIndex": rule,
        "kind": "fail",
        "level": match level(finding) {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        },
        "message": { "text": format!("{}\n{}: {cure}", plain_long(&words(std::slice::from_ref(finding))), finding.owner) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": place.uri(), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": place.line },
        } }],
        "partialFingerprints": { "gpuPreflight/v1": fingerprint },
        "suppressions": finding.waived.iter().map(|waiver| {
            json!({ "kind": "external", "status": "accepted", "justification": plain_long(waiver) })
        }).collect::<Vec<_>>(),
        "properties": {
            "severity": finding.severity.as_str(),
            "owner": finding.owner.as_str(),
            "gating": finding.gating,
        },
    });
    if let (Some(since), Value::Object(fields)) = (finding.since, &mut result) {
        let state = match since {
            Since::New => "new",
            Since::Unchanged => "unchanged",
        };
        fields.insert("baselineState".to_owned(), json!(state));
    }
    result
}

/// What code scanning on GitHub reads of a rule: it shows a `security-severity` and takes the result for one of security;
/// of others a `problem.severity`.
fn properties(worst: &Finding) -> Value {
    let tags = [worst.dimension.as_str().replace(' ', "-")];
    if worst.dimension == Dimension::Security {
        return json!({ "tags": tags, "security-severity": security(worst.severity) });
    }
    let severity = match level(worst) {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "recommendation",
    };
    json!({ "tags": tags, "problem.severity": severity })
}

/// GitHub's scale, where 9 and more is critical, 7 high, 4 medium.
fn security(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

fn notification(finding: &Finding, verdict: Verdict) -> Value {
    json!({
        "level": if is_open(finding, verdict) { "warning" } else { "note" },
        "descriptor": { "id": plain(&finding.check) },
        "message": { "text": plain_long(&words(std::slice::from_ref(finding))) },
    })
}
