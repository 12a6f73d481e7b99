//! What would answer the findings of a report: a Dockerfile, a script with the flags of `docker run`, a compose file and a
//! patch of a pod.
//!
//! From a report to text, by values alone; nothing is changed by it, and nothing is asked for that no finding asks. What
//! whoever starts the container is to say is taken from the Docker remedy of the check, which names it as a flag and is
//! tried in the tests ([`flags`]), and told in the words of each platform. What remains is listed with its owner.

mod compose;
mod dockerfile;
pub mod flags;
mod pod;
mod rest;
mod run_line;
mod settings;
mod yaml;

use crate::check::Severity;
use crate::facts::{Fact, Facts};
use crate::report::Report;
use crate::text::Shown;
use crate::weigh::Finding;
use dockerfile::Changes;

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
    let is_answered = |finding: &&Finding| {
        let by_setting = asked.iter().any(|asked| asked.answers.contains(&finding.check));
        by_setting || changes.answer(&finding.check) || pod::is_answered_by_fields(finding)
    };
    let rest: Vec<&Finding> = failing().filter(|finding| !is_answered(finding)).collect();
    let texts = [
        changes.render(facts, options),
        run_line::script(&asked),
        compose::fragment(&asked),
        pod::patch(&asked, failing()),
        rest::list(&rest, facts),
    ];
    FILES.into_iter().zip(texts).map(|(file, text)| Part { file, text }).collect()
}

/// The values of settings, where a remedy only gives an example.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    uid: u32,
    memory: Measure,
    shm: Measure,
    cores: Measure,
    threads: Option<u64>,
    pids: Measure,
    open_files: Option<u64>,
}

/// What there is of something now, and at most.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    now: Option<u64>,
    most: Option<u64>,
}

impl Measure {
    /// The example, or twice of what turned out too little; never more than there is.
    fn choose(self, example: u64) -> u64 {
        let wanted = self.now.map_or(example, |now| example.max(now.saturating_mul(2)));
        self.most.map_or(wanted, |most| wanted.min(most))
    }
}

impl Choices {
    fn of(facts: &Facts, failures: &[&Finding], options: &Options) -> Self {
        let is_root = failures.iter().any(|finding| finding.check == "identity.not-root");
        let uid = if is_root { None } else { facts.identity.uid.known().copied() };
        let limit = |fact: &Fact<u64>| fact.known().copied();
        let machine = facts.host.memory_bytes.known().map(|bytes| bytes / 10 * 9);
        let memory = Measure { now: limit(&facts.limits.memory_bytes), most: machine };
        let cores = facts.limits.cpu_quota_cores.known().map(|cores| whole(*cores));
        Self {
            uid: uid.unwrap_or(options.uid),
            memory,
            // It counts as memory of the container.
            shm: Measure { now: None, most: memory.now.or(machine).map(|bytes| bytes / 2) },
            cores: Measure { now: cores, most: facts.host.logical_cpus.known().copied() },
            threads: facts.limits.cpu_cores.known().map(|cores| whole(*cores)),
            pids: Measure { now: limit(&facts.limits.pids), most: None },
            open_files: limit(&facts.limits.open_files_hard),
        }
    }

    fn memory_bytes(&self, example: u64) -> u64 {
        mebibytes(self.memory.choose(example))
    }

    fn shm_bytes(&self, example: u64) -> u64 {
        mebibytes(self.shm.choose(example))
    }

    /// Cores to give; none where a container that has all of them would not be bounded by so many.
    fn cores(&self, example: u64) -> Option<u64> {
        let cores = self.cores.choose(example).max(1);
        (self.cores.now.is_some() || self.cores.most.is_none_or(|most| cores < most)).then_some(cores)
    }

    /// Threads to compute with.
    fn threads(&self, example: u64) -> u64 {
        self.threads.map_or(example, |cores| example.min(cores))
    }

    fn pids(&self, example: u64) -> u64 {
        self.pids.choose(example)
    }

    /// A hard limit that whoever starts the container can give for sure: not more than it has. None where that is too
    /// little, for an engine that may not give more starts no container at all.
    fn hard_limit(&self, name: &str, soft: i64, hard: i64) -> Option<i64> {
        let Some(has) = self.open_files.filter(|_| name == "nofile") else { return Some(hard) };
        i64::try_from(has).map_or(Some(hard), |has| (has >= soft).then_some(has.min(hard)))
    }
}

/// Whole mebibytes, and whole gibibytes from a few on.
fn mebibytes(bytes: u64) -> u64 {
    let unit = if bytes >= 4 << 30 { 30 } else { 20 };
    bytes >> unit << unit
}

/// A number of cores, rounded up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cores are few and not negative")]
fn whole(cores: f64) -> u64 {
    cores.ceil().clamp(1.0, 65_536.0) as u64
}
