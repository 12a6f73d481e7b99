//! The examples in a remedy, fitted to the machine: Docker refuses more CPUs than there are, a limit of more memory than
//! there is bounds nothing, and what the container has now is no advice to who has too little.

use crate::facts::{Fact, Facts};

const GIB: u64 = 1 << 30;

/// The facts that say that nothing bounds the CPUs. Who fails for them is told fewer than there are.
const UNBOUNDED: &str = "limits.cpu_limited";

/// What the machine has, and what the container has of it now.
struct Room {
    memory_of_host: Option<u64>,
    memory_now: Option<u64>,
    memory_used: u64,
    shm_wanted: u64,
    cpus_of_host: Option<u64>,
    cores_now: Option<f64>,
    /// Whether the CPUs are to be bounded.
    bounds_cpus: bool,
}

/// A remedy with its examples fitted; `read` are the facts that the finding rests on. What is not known bounds nothing.
pub(super) fn fitted<'a>(remedy: &str, facts: &Facts, mut read: impl Iterator<Item = &'a str>) -> String {
    let known = |fact: &Fact<u64>| fact.known().copied();
    let limits = &facts.limits;
    let room = Room {
        memory_of_host: known(&facts.host.memory_bytes),
        memory_now: known(&limits.memory_bytes),
        memory_used: known(&limits.memory_used_bytes).unwrap_or_default(),
        shm_wanted: known(&limits.shm_wanted_bytes).unwrap_or_default(),
        cpus_of_host: known(&facts.host.logical_cpus),
        cores_now: limits.cpu_cores.known().copied(),
        bounds_cpus: read.any(|path| path == UNBOUNDED),
    };
    // What an example is of: the word before it, in the same code or at the end of the one before.
    let mut of = "";
    let mut pieces = Vec::new();
    for (index, piece) in remedy.split('`').enumerate() {
        if index % 2 == 0 {
            pieces.push(piece.to_owned());
            continue;
        }
        let mut words = Vec::new();
        for word in piece.split(' ') {
            let fitted = match word.split_once('=') {
                Some((name, example)) => room.example(name, example).map(|value| format!("{name}={value}")),
                None => room.example(of, word),
            };
            words.push(fitted.unwrap_or_else(|| word.to_owned()));
            of = word.trim_end_matches(':');
        }
        pieces.push(words.join(" "));
    }
    pieces.join("`")
}

impl Room {
    /// What stands in for an example of this; none where it is no example, or fits as it is.
    fn example(&self, of: &str, example: &str) -> Option<String> {
        match of {
            "--memory" | "resources.limits.memory" => sized(example, |bytes| self.memory(bytes)),
            "--shm-size" | "sizeLimit" => sized(example, |bytes| self.shared_memory(bytes)),
            "--cpus" | "resources.limits.cpu" => self.cores(example.parse().ok()?),
            "--cpuset-cpus" => {
                match self.whole_cores(example.strip_prefix("0-")?.parse::<u64>().ok()?.checked_add(1)?)? {
                    1 => Some("0".to_owned()),
                    count => Some(format!("0-{}", count - 1)),
                }
            }
            "OMP_NUM_THREADS" => self.threads(example.parse().ok()?).map(|threads| threads.to_string()),
            _ => None,
        }
    }

    /// The most that leaves the node something.
    fn memory_at_most(&self) -> u64 {
        self.memory_of_host.map_or(u64::MAX, |bytes| bytes / 10 * 9)
    }

    /// Twice of what it takes or has now, at least the example, and not all that the machine has.
    fn memory(&self, example: u64) -> u64 {
        let now = self.memory_used.max(self.memory_now.unwrap_or_default());
        rounded(example.max(now.saturating_mul(2)).min(self.memory_at_most()))
    }

    /// What is wanted, at least the example, and no more than half of the memory, of which it is a part.
    fn shared_memory(&self, example: u64) -> u64 {
        let memory = self.memory_now.unwrap_or(u64::MAX).min(self.memory_at_most());
        rounded(example.max(self.shm_wanted).min(memory / 2))
    }

    /// Twice of what it has now, at least the example, and no more than there are: fewer where they are to be bounded. Of
    /// the only one a half.
    fn cores(&self, example: u64) -> Option<String> {
        let all = self.cpus_of_host?;
        if self.bounds_cpus && all == 1 {
            return Some("0.5".to_owned());
        }
        self.whole_cores(example).map(|count| count.to_string())
    }

    fn whole_cores(&self, example: u64) -> Option<u64> {
        let all = self.cpus_of_host?.max(1);
        if self.bounds_cpus {
            return Some(example.min(all.saturating_sub(1)).max(1));
        }
        let now = self.cores_now.map_or(0, whole);
        Some(example.max(now.saturating_mul(2)).min(all))
    }

    /// As many as the cores that there will be.
    fn threads(&self, example: u64) -> Option<u64> {
        if self.bounds_cpus {
            return self.whole_cores(example);
        }
        self.cores_now.map(|cores| example.min(whole(cores).max(1)))
    }
}

/// An example of bytes, `32g` or `32Gi`, in the same words with another number.
fn sized(example: &str, fit: impl FnOnce(u64) -> u64) -> Option<String> {
    let end = example.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let number: u64 = example.strip_suffix(end)?.parse().ok()?;
    let (gib, mib) = match end {
        "g" => ("g", "m"),
        "Gi" => ("Gi", "Mi"),
        _ => return None,
    };
    let bytes = fit(number.checked_mul(GIB)?);
    Some(if bytes.is_multiple_of(GIB) { format!("{}{gib}", bytes / GIB) } else { format!("{}{mib}", bytes >> 20) })
}

/// Whole mebibytes, and whole gibibytes from a few on.
pub fn rounded(bytes: u64) -> u64 {
    let unit = if bytes >= 4 * GIB { 30 } else { 20 };
    bytes >> unit << unit
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cores are few and not negative")]
fn whole(cores: f64) -> u64 {
    cores.floor().clamp(0.0, 65_536.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with so many gibibytes and CPUs.
    fn machine(gib: u64, cpus: u64) -> Facts {
        let mut facts = Facts::default();
        (facts.host.memory_bytes, facts.host.logical_cpus) = (Fact::Known(gib * GIB), Fact::Known(cpus));
        facts
    }

    fn bounding(remedy: &str, facts: &Facts) -> String {
        fitted(remedy, facts, [UNBOUNDED].into_iter())
    }

    fn widening(remedy: &str, facts: &Facts) -> String {
        fitted(remedy, facts, std::iter::empty())
    }

    const CPUS: &str = "Run with `--cpus 8 -e OMP_NUM_THREADS=8`, or bind with `--cpuset-cpus 0-7`.";

    #[test]
    fn no_more_is_asked_for_than_there_is() {
        for (cpus, expected) in [
            (2, "Run with `--cpus 1 -e OMP_NUM_THREADS=1`, or bind with `--cpuset-cpus 0`."),
            (8, "Run with `--cpus 7 -e OMP_NUM_THREADS=7`, or bind with `--cpuset-cpus 0-6`."),
            (64, CPUS),
        ] {
            assert_eq!(bounding(CPUS, &machine(64, cpus)), expected);
        }
        assert_eq!(bounding("`--cpus 8`", &machine(64, 1)), "`--cpus 0.5`", "less than the only one");
        assert_eq!(widening("`--cpus 4` or more", &machine(64, 2)), "`--cpus 2` or more", "all that there are");
        let memory = "Run with `--memory 32g`, or what it needs, `--shm-size 8g`.";
        assert_eq!(widening(memory, &machine(512, 8)), memory);
        assert_eq!(widening(memory, &machine(23, 8)), "Run with `--memory 20g`, or what it needs, `--shm-size 8g`.");
        assert_eq!(widening(memory, &machine(2, 8)), "Run with `--memory 1843m`, or what it needs, `--shm-size 921m`.");
        for nothing_known in [CPUS, memory] {
            assert_eq!(bounding(nothing_known, &Facts::default()), nothing_known);
        }
    }

    #[test]
    fn a_cluster_is_told_in_its_own_words() {
        let facts = machine(23, 4);
        let memory = "Set `resources.limits.memory` to what the workload needs, for example `32Gi`.";
        assert!(widening(memory, &facts).ends_with("for example `20Gi`."));
        assert_eq!(
            bounding("Set `resources.limits.cpu`, for example to `8`.", &facts),
            "Set `resources.limits.cpu`, for example to `3`."
        );
        let shm = "Mount an `emptyDir` with `medium: Memory` and `sizeLimit: 8Gi` at `/dev/shm`.";
        assert_eq!(widening(shm, &machine(8, 4)), shm.replace("8Gi", "3686Mi"));
    }

    #[test]
    fn who_has_too_little_is_told_more_than_now() {
        let mut facts = machine(512, 64);
        (facts.limits.memory_bytes, facts.limits.cpu_cores) = (Fact::Known(40 * GIB), Fact::Known(16.0));
        assert_eq!(widening("`--memory 32g`, or more than now", &facts), "`--memory 80g`, or more than now");
        assert_eq!(widening("`--cpus 8`, or more cores than now", &facts), "`--cpus 32`, or more cores than now");
        assert_eq!(widening("`-e OMP_NUM_THREADS=8`", &facts), "`-e OMP_NUM_THREADS=8`");
        facts.limits.cpu_cores = Fact::Known(2.5);
        assert_eq!(widening("`-e OMP_NUM_THREADS=8`", &facts), "`-e OMP_NUM_THREADS=2`", "no more than may run");
        facts.limits.memory_bytes = Fact::Known(GIB);
        assert_eq!(widening("`--shm-size 8g`", &facts), "`--shm-size 512m`", "it is a part of the memory");
    }

    #[test]
    fn nothing_else_is_touched() {
        for words in
            ["Add `--memory` yourself, `8` times.", "Set `--pids-limit 4096` and `--memory much`.", "`a", "", "`=8`"]
        {
            assert_eq!(bounding(words, &machine(1, 1)), words);
        }
    }
}
