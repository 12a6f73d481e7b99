//! Every check over one recording.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::written::{Places, is_unwritten};
use super::{Catalogue, Check, Outcome, Severity};
use crate::facts::{Phase, Place};
use crate::lang::eval::{Evidence, Scope};
use crate::lang::value::{Found, Truth};

/// What came of one check, for one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The check.
    pub check: String,
    /// The item of its list; `None` for a check on the whole.
    pub subject: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How much it matters here, unless the profile says otherwise.
    pub severity: Severity,
    /// What is wrong, or why it could not be told.
    pub message: String,
    /// The facts that were read.
    pub evidence: Vec<Evidence>,
    /// The failed check that keeps this one from being judged.
    pub blocked_by: Option<String>,
    /// Whether it was asked at all: not outside of its phases, and not of a text that says nothing of it.
    pub asked: bool,
    /// Where the facts that were read stand in the files that were given.
    pub places: Vec<Place>,
}

/// Judges `facts` (a [`crate::facts::Facts`] as JSON) by every check of the catalogue.
pub fn judge(catalogue: &Catalogue, facts: &Value, phase: Phase) -> Vec<Judged> {
    let scope = Scope::new(facts);
    let places = Places::of(facts);
    let mut all: Vec<Judged> = Vec::new();
    let mut failed = Failed::new();
    for check in &catalogue.checks {
        let mut judged = one(check, &scope, phase);
        for finding in &mut judged {
            if finding.outcome != Outcome::NotApplicable {
                finding.places = places.of_facts(&finding.evidence);
            }
            let is_open = phase == Phase::Written && finding.outcome == Outcome::Unknown;
            if is_open && is_unwritten(facts, check, &finding.evidence) {
                (finding.outcome, finding.asked) = (Outcome::NotApplicable, false);
                "the text does not say it".clone_into(&mut finding.message);
                finding.places.clear();
            }
            if matches!(finding.outcome, Outcome::Fails | Outcome::Unknown)
                && let Some(cause) = cause_of(catalogue, check, finding, &failed)
            {
                finding.outcome = Outcome::Blocked;
                finding.message = format!("not judged, because {cause} fails");
                finding.blocked_by = Some(cause);
            }
        }
        let failures = judged.iter().filter(|finding| finding.outcome == Outcome::Fails);
        let subjects: BTreeSet<Option<String>> = failures.map(|finding| finding.subject.clone()).collect();
        if !subjects.is_empty() {
            failed.insert(check.id.clone(), subjects);
        }
        all.append(&mut judged);
    }
    all
}

/// The subjects for which each check failed; none for a failure of the whole.
type Failed = BTreeMap<String, BTreeSet<Option<String>>>;

/// The first cause in the chain that fails, for the same subject or for the whole. Items of another list, as libraries
/// are to GPUs, concern every item of this one. A cause that matters less explains what could not be told, but hides no
/// failure that was seen.
fn cause_of(catalogue: &Catalogue, check: &Check, finding: &Judged, failed: &Failed) -> Option<String> {
    let subject = finding.subject.as_deref();
    let fails = |cause: &&String| {
        failed.get(*cause).is_some_and(|subjects| {
            let same_list = catalogue.get(cause).is_some_and(|cause| cause.each == check.each);
            let whole = subject.is_none() || subjects.contains(&None);
            whole || !same_list || subjects.contains(&subject.map(str::to_owned))
        })
    };
    let quieter = check.quieter_causes.iter().filter(|_| finding.outcome == Outcome::Unknown);
    check.causes.iter().chain(quieter).find(fails).cloned()
}

fn one(check: &Check, scope: &Scope<'_>, phase: Phase) -> Vec<Judged> {
    if !check.phases.contains(&phase) {
        let judged = plain(check, Outcome::NotApplicable, format!("not judged in phase {phase}"));
        return vec![Judged { asked: false, ..judged }];
    }
    let Some(path) = &check.each else { return vec![judge_in(check, scope, None)] };
    match scope.lookup(path) {
        Found::Known(Value::Array(items)) if !items.is_empty() => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let scope = scope.with("it", item, format!("{}[{index}]", path.join(".")));
                let subject = check.subject.as_ref().map(|template| template.render(&scope));
                judge_in(check, &scope, subject)
            })
            .collect(),
        // The list could not be read. Where the check would not apply anyway, that is no gap.
        Found::Unknown(why) => {
            let item = serde_json::json!({ "unknown": "not-asked" });
            let scope = scope.with("it", &item, String::new());
            let applies = check.when.as_ref().map_or(Truth::True, |when| scope.truth(&when.expr, &mut Vec::new()));
            vec![match applies {
                Truth::False => plain(check, Outcome::NotApplicable, "does not apply here".to_owned()),
                _ => plain(check, Outcome::Unknown, format!("could not tell: {}: {why}", path.join("."))),
            }]
        }
        _ => vec![plain(check, Outcome::NotApplicable, format!("{}: none", path.join(".")))],
    }
}

fn plain(check: &Check, outcome: Outcome, message: String) -> Judged {
    let (check, severity) = (check.id.clone(), check.file.severity);
    Judged {
        check,
        subject: None,
        outcome,
        severity,
        message,
        evidence: Vec::new(),
        blocked_by: None,
        asked: true,
        places: Vec::new(),
    }
}

/// How much a failure matters here. The facts that raise it are evidence too.
fn severity_in(check: &Check, scope: &Scope<'_>, evidence: &mut Vec<Evidence>) -> Severity {
    for (severity, when) in &check.raised {
        let mut read = Vec::new();
        if scope.truth(when, &mut read) == Truth::True {
            evidence.append(&mut read);
            return *severity;
        }
    }
    check.file.severity
}

fn judge_in<'a>(check: &'a Check, scope: &Scope<'a>, subject: Option<String>) -> Judged {
    let mut evidence = Vec::new();
    let applies = check.when.as_ref().map_or(Truth::True, |when| scope.truth(&when.expr, &mut evidence));
    let (outcome, message) = match applies {
        Truth::False => (Outcome::NotApplicable, "does not apply here".to_owned()),
        Truth::Unknown(why) => (Outcome::Unknown, format!("could not tell: {why}")),
        Truth::True => match scope.truth(&check.expect, &mut evidence) {
            Truth::True => (Outcome::Holds, check.file.title.clone()),
            Truth::False => (Outcome::Fails, check.message.render(scope)),
            Truth::Unknown(why) => (Outcome::Unknown, format!("could not tell: {why}")),
        },
    };
    let severity = severity_in(check, scope, &mut evidence);
    let message = crate::text::plain_long(&message);
    Judged {
        check: check.id.clone(),
        subject,
        outcome,
        severity,
        message,
        evidence,
        blocked_by: None,
        asked: true,
        places: Vec::new(),
    }
}

/// The outcome of a check over a whole recording: its worst, so that one bad GPU of eight is not outvoted.
pub fn worst(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::NotApplicable => 0,
        Outcome::Holds => 1,
        Outcome::Blocked => 2,
        Outcome::Unknown => 3,
        Outcome::Fails => 4,
    };
    outcomes.into_iter().max_by_key(rank).unwrap_or(Outcome::NotApplicable)
}
