//! What the program says of a machine, as tests ask for it: judged in this process, or read from a run's output.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Output;
use std::sync::OnceLock;

use gpu_preflight::check::load::SiteRoom;
use gpu_preflight::check::{Catalogue, Outcome};
use gpu_preflight::facts::Facts;
use gpu_preflight::facts::recording::DID_NOT_ASK;
use gpu_preflight::run::{Plan, report_on};
use gpu_preflight::weigh::{Finding, Profile};
use gpu_preflight::{exit, report};
use serde_json::Value;

/// A report in JSON with the exit code that it came with.
pub struct Report {
    /// The exit code.
    pub code: i32,
    /// The whole report.
    pub json: Value,
}

impl Report {
    /// What is said of these facts under profile production.
    pub fn of(facts: &Facts) -> Self {
        static PRODUCTION: OnceLock<Plan> = OnceLock::new();
        Self::under(PRODUCTION.get_or_init(|| plan(&[], "production")), facts)
    }

    /// What is said of them under this plan.
    pub fn under(plan: &Plan, facts: &Facts) -> Self {
        Self::from(&report_on(facts.clone(), plan, None, &[]))
    }

    /// Reads what a run wrote to its standard output.
    pub fn read(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("no report ({error}): {}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
        });
        Self { code: output.status.code().expect("no signal ended it"), json: whole(json) }
    }

    /// `ready`, `not-ready` or `incomplete`.
    pub fn verdict(&self) -> &str {
        self.json["verdict"].as_str().expect("a verdict")
    }

    /// The fact under this path, for example `identity.uid`.
    pub fn fact(&self, path: &str) -> &Value {
        let pointer = format!("/facts/{}", path.replace('.', "/"));
        self.json.pointer(&pointer).unwrap_or_else(|| panic!("no fact {path}"))
    }

    /// The findings, the most important first.
    pub fn findings(&self) -> impl Iterator<Item = &Value> {
        self.json["findings"].as_array().expect("findings").iter()
    }

    /// The findings that fail.
    pub fn failing(&self) -> Vec<&Value> {
        self.findings().filter(|finding| finding["outcome"] == "fails").collect()
    }

    /// Outcomes of one check, one for each subject.
    pub fn outcomes(&self, check: &str) -> Vec<&str> {
        let outcomes: Vec<_> = self
            .findings()
            .filter(|finding| finding["check"] == check)
            .map(|finding| finding["outcome"].as_str().expect("an outcome"))
            .collect();
        assert!(!outcomes.is_empty(), "no finding of {check}");
        outcomes
    }

    /// Ids of all checks with a finding of this outcome, in the report's order.
    pub fn with_outcome(&self, outcome: &str) -> Vec<&str> {
        self.findings()
            .filter(|finding| finding["outcome"] == outcome)
            .map(|finding| finding["check"].as_str().expect("a check"))
            .collect()
    }

    /// Check and subject of every finding of this outcome.
    pub fn subjects(&self, outcome: &str) -> BTreeSet<(String, String)> {
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        self.findings().filter(|f| f["outcome"] == outcome).map(|f| (word(f, "check"), word(f, "subject"))).collect()
    }

    /// Everything that was accused, blocked or not decided, one line each, for the message of an assertion.
    pub fn troubles(&self) -> String {
        let mut lines = String::new();
        for finding in self.findings().filter(|f| !matches!(f["outcome"].as_str(), Some("holds" | "not-applicable"))) {
            let word = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
            let [check, outcome, severity, message] = ["check", "outcome", "severity", "message"].map(word);
            writeln!(lines, "  {check} {outcome} ({severity}): {message}").expect("memory");
        }
        lines
    }
}

/// A report in which what holds and what does not apply is a finding too, of which no more is known.
pub fn whole(mut report: Value) -> Value {
    for (list, outcome) in [("holding", "holds"), ("not_applicable", "not-applicable")] {
        let named = report[list].as_array().cloned().unwrap_or_default();
        let findings = report["findings"].as_array_mut().expect("findings");
        let is_new = |check: &Value| !findings.iter().any(|finding| finding["check"] == *check);
        let named: Vec<Value> = named.into_iter().filter(is_new).collect();
        findings.extend(named.into_iter().map(|check| serde_json::json!({ "check": check, "outcome": outcome })));
    }
    report
}

impl From<&report::Report> for Report {
    fn from(report: &report::Report) -> Self {
        let code = exit::Exit::from(report.verdict).code;
        Self { code: code.into(), json: serde_json::to_value(report).expect("a report is JSON") }
    }
}

/// The same plan without the checks that only a newer recording could decide: a check on a fact that these facts were
/// recorded without must not change what is recorded of them.
pub fn answerable(plan: &Plan, facts: &Facts) -> Plan {
    let report = report_on(facts.clone(), plan, None, &[]);
    let is_new = |finding: &&Finding| finding.outcome == Outcome::Unknown && finding.message.contains(DID_NOT_ASK);
    let new: BTreeSet<&str> = report.findings.iter().filter(is_new).map(|finding| finding.check.as_str()).collect();
    let mut catalogue = plan.catalogue.clone();
    catalogue.checks.retain(|check| !new.contains(check.id.as_str()));
    Plan::of(catalogue, plan.profile.clone())
}

/// How to judge and weigh by one of our profiles, with these checks beside ours: file, id and text of each.
pub fn plan(beside: &[(String, String, String)], profile: &str) -> Plan {
    let site = SiteRoom { shared: None, checks: beside.to_vec() };
    let catalogue = Catalogue::load(&[site]).unwrap_or_else(|error| panic!("{error}"));
    let text = Profile::embedded(profile).expect("a profile of ours");
    let profile = Profile::read(profile, profile, text, &catalogue).unwrap_or_else(|error| panic!("{error}"));
    Plan::of(catalogue, profile)
}
