//! What a container is to be started with, whatever starts it.

use super::Choices;
use super::flags::{Flag, Way};
use crate::weigh::Finding;

/// One thing that the start of a container says.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// The user and group, by number.
    User(u32),
    /// The image is not written to.
    ReadOnly,
    /// Nothing that is started gains a right.
    NoNewPrivileges,
    /// No capability is given.
    NoCapabilities,
    /// Bytes of memory.
    Memory(u64),
    /// Cores.
    Cores(u64),
    /// Processes and threads.
    Pids(u64),
    /// Bytes of `/dev/shm`.
    SharedMemory(u64),
    /// A folder in memory, with mount options.
    Temporary { path: String, options: Vec<String> },
    /// An environment variable.
    Variable { name: String, value: String },
    /// A limit of each process, soft and hard; -1 is none.
    ProcessLimit { name: String, soft: i64, hard: i64 },
    /// A small process 1 that reaps and passes signals on.
    Init,
    /// All GPUs of the machine, or one each in a cluster.
    Gpus,
    /// What must not be given any more.
    Without(Given),
}

/// What opens a container to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    Privileged,
    HostPid,
    HostIpc,
    HostNetwork,
    AddedCapabilities,
    NoSeccomp,
}

/// A setting and the checks that it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub setting: Setting,
    pub answers: Vec<String>,
}

impl Setting {
    /// Whether both say the same thing, perhaps with another value.
    fn is_about(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Temporary { path, .. }, Self::Temporary { path: other, .. }) => path == other,
            (Self::Variable { name, .. }, Self::Variable { name: other, .. })
            | (Self::ProcessLimit { name, .. }, Self::ProcessLimit { name: other, .. }) => name == other,
            (Self::Without(given), Self::Without(other)) => given == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// What a flag asks for; none where that is not ours to decide, as which ports or volumes there are.
    fn wanted(flag: &Flag, choices: &Choices) -> Option<Self> {
        let value = flag.value.as_deref().unwrap_or_default();
        Some(match flag.name.as_str() {
            "--user" => Self::User(choices.uid),
            "--read-only" => Self::ReadOnly,
            "--security-opt" if value == "no-new-privileges" => Self::NoNewPrivileges,
            "--cap-drop" if value == "ALL" => Self::NoCapabilities,
            "--memory" => Self::Memory(choices.memory_bytes(size(value)?)),
            "--shm-size" => Self::SharedMemory(choices.shm_bytes(size(value)?)),
            "--cpus" => Self::Cores(choices.cores(value.parse().ok()?)?),
            "--pids-limit" => Self::Pids(choices.pids(value.parse().ok()?)),
            "--tmpfs" => temporary(value, choices),
            "--env" | "-e" => {
                let (name, value) = value.split_once('=')?;
                let threads = || value.parse().ok().map(|threads| choices.threads(threads).to_string());
                let value = if name == "OMP_NUM_THREADS" { threads()? } else { value.to_owned() };
                Self::Variable { name: name.to_owned(), value }
            }
            "--ulimit" => {
                let (name, limits) = value.split_once('=')?;
                let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
                let (soft, hard) = (soft.parse().ok()?, hard.parse().ok()?);
                Self::ProcessLimit { name: name.to_owned(), soft, hard: choices.hard_limit(name, soft, hard)? }
            }
            "--init" => Self::Init,
            "--gpus" if value == "all" => Self::Gpus,
            _ => return None,
        })
    }

    /// What a flag that is to be taken away gave.
    fn unwanted(flag: &Flag) -> Option<Self> {
        let given = match (flag.name.as_str(), flag.value.as_deref().unwrap_or_default()) {
            ("--privileged", _) => Given::Privileged,
            ("--pid", "host") => Given::HostPid,
            ("--ipc", "host") => Given::HostIpc,
            ("--network", "host") => Given::HostNetwork,
            ("--cap-add", _) => Given::AddedCapabilities,
            ("--security-opt", "seccomp=unconfined") => Given::NoSeccomp,
            _ => return None,
        };
        Some(Self::Without(given))
    }
}

/// A tmpfs by Docker's words, with the uid of whoever will run there.
fn temporary(value: &str, choices: &Choices) -> Setting {
    let (path, options) = value.split_once(':').unwrap_or((value, ""));
    let own =
        |option: &str| if option.starts_with("uid=") { format!("uid={}", choices.uid) } else { option.to_owned() };
    let options = options.split(',').filter(|option| !option.is_empty()).map(own).collect();
    Setting::Temporary { path: path.to_owned(), options }
}

/// Bytes by Docker's words: `32g`.
fn size(words: &str) -> Option<u64> {
    let (number, shift) = match words.strip_suffix(['g', 'G']) {
        Some(number) => (number, 30),
        None => (words.strip_suffix(['m', 'M'])?, 20),
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// What the failures ask of whoever starts the container, the most urgent first: the first way that each Docker remedy
/// offers, where all of it can be said.
pub fn settings<'a>(failures: impl Iterator<Item = &'a Finding>, choices: &Choices) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    for finding in failures {
        let Some(way) = finding.remedy.get("docker").and_then(|remedy| Way::all(remedy).into_iter().next()) else {
            continue;
        };
        let added = way.added.iter().map(|flag| Setting::wanted(flag, choices));
        let removed = way.removed.iter().filter_map(Setting::unwanted).map(Some);
        let Some(wanted) = added.chain(removed).collect::<Option<Vec<Setting>>>() else { continue };
        for setting in wanted {
            ask(&mut asked, setting, &finding.check);
        }
    }
    asked
}

/// Adds a setting, or its check and its options to the one that says it already.
fn ask(asked: &mut Vec<Asked>, setting: Setting, check: &str) {
    let Some(known) = asked.iter_mut().find(|known| known.setting.is_about(&setting)) else {
        return asked.push(Asked { setting, answers: vec![check.to_owned()] });
    };
    if let (Setting::Temporary { options: known, .. }, Setting::Temporary { options, .. }) =
        (&mut known.setting, setting)
    {
        for option in options {
            if !known.contains(&option) {
                known.push(option);
            }
        }
    }
    if !known.answers.iter().any(|answered| answered == check) {
        known.answers.push(check.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harden::Measure;

    fn choices() -> Choices {
        let measure = |now, most| Measure { now, most: Some(most) };
        Choices {
            uid: 7,
            memory: measure(None, 16 << 30),
            shm: measure(None, 2 << 30),
            cores: measure(None, 8),
            threads: Some(4),
            pids: measure(Some(4096), 1 << 20),
            open_files: Some(1 << 16),
        }
    }

    fn wanted(text: &str, choices: &Choices) -> Option<Setting> {
        Setting::wanted(&Flag::all(text)[0], choices)
    }

    #[test]
    fn an_example_is_fitted_to_the_machine_and_to_what_was_too_little() {
        let choices = choices();
        let wanted = |text| wanted(text, &choices);
        assert_eq!(wanted("--memory 32g"), Some(Setting::Memory(16 << 30)));
        assert_eq!(wanted("--shm-size=8g"), Some(Setting::SharedMemory(2 << 30)));
        assert_eq!(wanted("--pids-limit 4096"), Some(Setting::Pids(8192)));
        assert_eq!(wanted("--cpus 8"), None, "all there is bounds nobody");
        assert_eq!(wanted("--cpus 4"), Some(Setting::Cores(4)));
        let threads = Setting::Variable { name: "OMP_NUM_THREADS".to_owned(), value: "4".to_owned() };
        assert_eq!(wanted("-e OMP_NUM_THREADS=8"), Some(threads));
        let tmp = Setting::Temporary { path: "/tmp".to_owned(), options: vec!["exec".to_owned(), "uid=7".to_owned()] };
        assert_eq!(wanted("--tmpfs /tmp:exec,uid=1000"), Some(tmp));
    }

    #[test]
    fn no_limit_is_asked_for_that_the_engine_may_not_be_able_to_give() {
        let files = |hard| Setting::ProcessLimit { name: "nofile".to_owned(), soft: 65536, hard };
        let may = |has| wanted("--ulimit nofile=65536:1048576", &Choices { open_files: has, ..choices() });
        assert_eq!(
            [may(None), may(Some(1 << 16)), may(Some(1 << 10))],
            [Some(files(1 << 20)), Some(files(1 << 16)), None]
        );
    }

    #[test]
    fn what_is_not_ours_to_decide_is_asked_for_by_nobody() {
        for text in
            ["--publish 80:80", "--group-add 44", "--device /dev/x", "-e NAME", "--memory much", "--cap-drop KILL"]
        {
            assert_eq!(wanted(text, &choices()), None, "{text}");
        }
        assert_eq!(Setting::unwanted(&Flag::all("--pid=host")[0]), Some(Setting::Without(Given::HostPid)));
        assert_eq!(Setting::unwanted(&Flag::all("-p 22:22")[0]), None);
    }
}
