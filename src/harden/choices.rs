//! The values of settings, where a remedy only gives an example.

use super::Options;
use crate::facts::{Fact, Facts};
use crate::weigh::{Finding, rounded};

/// What the machine has, and what the workload is seen to take. What is not known bounds nothing.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The user to run as; none where the one it has is right, or root is excused.
    pub uid: Option<u32>,
    /// The user that it runs as then.
    pub runs_as: Option<u32>,
    pub memory_now: Option<u64>,
    pub memory_used: Option<u64>,
    pub memory_of_host: Option<u64>,
    pub shm_wanted: Option<u64>,
    pub cores_of_host: Option<u64>,
    pub threads: Option<u64>,
    pub pids_wanted: u64,
    pub open_files: Option<u64>,
}

/// Fewer cores are too few for a GPU, as `limits.cpu-sufficient` has it.
const LEAST_CORES: u64 = 2;

impl Choices {
    /// By what is known of a container.
    pub fn of(facts: &Facts, failures: &[&Finding], options: &Options) -> Self {
        let known = |fact: &Fact<u64>| fact.known().copied();
        let is_asked = failures.iter().any(|finding| finding.check == "identity.not-root");
        let uid = is_asked.then_some(options.uid);
        let limits = &facts.limits;
        let used = known(&limits.pids_used).unwrap_or_default().saturating_mul(2);
        Self {
            uid,
            runs_as: uid.or(facts.identity.uid.known().copied()),
            memory_now: known(&limits.memory_bytes),
            memory_used: known(&limits.memory_used_bytes),
            memory_of_host: known(&facts.host.memory_bytes),
            shm_wanted: known(&limits.shm_wanted_bytes),
            cores_of_host: known(&facts.host.logical_cpus),
            threads: limits.cpu_cores.known().map(|cores| whole(*cores)),
            pids_wanted: known(&limits.processes_wanted).unwrap_or_default().max(used),
            open_files: known(&limits.open_files_hard),
        }
    }

    /// Twice of what it takes now, at least the example, and not all that the machine has; none where that is too little.
    pub fn memory_bytes(&self, example: u64) -> Option<u64> {
        let used = self.memory_used.unwrap_or_default();
        let most = self.memory_of_host.map_or(u64::MAX, |bytes| bytes / 10 * 9);
        let bytes = rounded(example.max(used.saturating_mul(2)).min(most));
        (bytes >= 1 << 29 && bytes / 10 * 9 > used).then_some(bytes)
    }

    /// What is wanted, at least the example. It counts as memory of the container, so no more than half of that; none where
    /// that is less than what is wanted.
    pub fn shm_bytes(&self, example: u64) -> Option<u64> {
        let wanted = self.shm_wanted.unwrap_or_default();
        let memory = self.memory_now.or(self.memory_of_host.map(|bytes| bytes / 10 * 9)).unwrap_or(u64::MAX);
        let bytes = rounded(example.max(wanted).min(memory / 2));
        (bytes > 0 && bytes >= wanted).then_some(bytes)
    }

    /// Cores to give; none where all there are would not be bounded by so many, or where so few could not keep a GPU busy.
    pub fn cores(&self, example: u64) -> Option<u64> {
        self.cores_of_host.filter(|all| (LEAST_CORES..*all).contains(&example)).map(|_| example)
    }

    /// Threads to compute with.
    pub fn threads(&self, example: u64) -> u64 {
        self.threads.map_or(example, |cores| example.min(cores))
    }

    /// Processes and threads to allow.
    pub fn pids(&self, example: u64) -> u64 {
        example.max(self.pids_wanted)
    }

    /// A hard limit that whoever starts the container can give for sure: not more than it has. None where that is too
    /// little, for an engine that may not give more starts no container at all.
    pub fn hard_limit(&self, name: &str, soft: i64, hard: i64) -> Option<i64> {
        let Some(has) = self.open_files.filter(|_| name == "nofile") else { return Some(hard) };
        i64::try_from(has).map_or(Some(hard), |has| (has >= soft).then_some(has.min(hard)))
    }
}

/// A number of cores, rounded up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cores are few and not negative")]
fn whole(cores: f64) -> u64 {
    cores.ceil().clamp(1.0, 65_536.0) as u64
}
