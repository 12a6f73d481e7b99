//! What would answer the findings of a report: a Dockerfile, a script with the flags of `docker run`, a compose file and a
//! patch of a pod.
//!
//! From a report to text, by values alone; nothing is changed by it, and nothing is asked for that no finding asks. What
//! whoever starts the container is to say is taken from the Docker remedy of the check, which names it as a flag and is
//! tried in the tests ([`flags`]), and told in the words of each platform. What remains is listed with its owner.

mod answers;
mod choices;
mod compose;
mod dockerfile;
pub mod flags;
mod pod;
mod rest;
mod run_line;
mod settings;
mod yaml;

use crate::check::Severity;
use crate::facts::ContainerKind;
use crate::report::Report;
use crate::text::Shown;
use crate::weigh::Finding;
use choices::Choices;
use dockerfile::Changes;
use settings::Asked;

/// What the workload needs and no report knows.
#[derive(Debug, Clone)]
pub struct Options {
    /// The user that it is to run as.
    pub uid: u32,
    /// Its command; empty where that is not known.
    pub command: Vec<String>,
}

/// A file that is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is called.
    pub file: &'static str,
    /// What is in it.
    pub text: Shown,
}

/// The names of the files, in the order in which they are made.
pub const FILES: [&str; 5] =
    ["Dockerfile.hardened", "docker-run.sh", "compose.hardened.yaml", "pod-patch.yaml", "left-to-do.txt"];

/// Everything that answers a report. What is only worth knowing asks for nothing.
pub fn parts(report: &Report, options: &Options) -> Vec<Part> {
    let failures: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.counts() && finding.severity != Severity::Info).collect();
    let failing = || failures.iter().copied();
    let facts = &report.facts;
    let choices = Choices::of(facts, &failures, options);
    let changes = Changes::of(failing(), facts, options);
    let asked = settings::settings(failing(), &choices);
    let in_kubernetes = facts.container.kind.known() == Some(&ContainerKind::Kubernetes);
    let is_answered = |finding: &&Finding| {
        let can_be_said = |asked: &&Asked| !in_kubernetes || pod::says(&asked.setting);
        let by_setting = asked.iter().filter(can_be_said).any(|asked| asked.answers.contains(&finding.check));
        by_setting || changes.answer(&finding.check) || (in_kubernetes && pod::is_answered_by_fields(finding))
    };
    let rest: Vec<&Finding> = failing().filter(|finding| !is_answered(finding)).collect();
    let texts = [
        changes.render(facts, options),
        run_line::script(&asked),
        compose::fragment(&asked),
        pod::patch(&asked, failing()),
        rest::list(&rest, report),
    ];
    FILES.into_iter().zip(texts).map(|(file, text)| Part { file, text }).collect()
}
