//! What a container is to be started with, whatever starts it.

use super::choices::Choices;
use super::flags::{Flag, Way};
use crate::weigh::Finding;

/// The checks whose Docker remedy is an answer by itself, whatever else the container was started with. What the others
/// want depends on that, or on who has the GPU, and is left to whoever knows.
pub const ANSWERED: &[&str] = &[
    "identity.not-root",
    "identity.capabilities-baseline",
    "identity.bounding-baseline",
    "identity.home-known",
    "identity.home-writable",
    "identity.user-named-for-pytorch",
    "isolation.no-new-privileges",
    "isolation.root-read-only",
    "isolation.setuid-disarmed",
    "limits.cpu-limited",
    "limits.memory-limited",
    "limits.open-files-bounded",
    "limits.pids-limited",
    "limits.shm-sufficient",
    "limits.threads-bounded",
    "limits.threads-fit",
    "recovery.core-files-bounded",
    "recovery.orphans-reaped",
    "startup.terminates",
    "storage.temporary-writable",
];

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
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// What a flag asks for; none where it cannot be given here.
    fn wanted(flag: &Flag, choices: &Choices) -> Option<Self> {
        let value = flag.value.as_deref().unwrap_or_default();
        Some(match flag.name.as_str() {
            "--user" => Self::User(choices.uid?),
            "--read-only" => Self::ReadOnly,
            "--security-opt" if value == "no-new-privileges" => Self::NoNewPrivileges,
            "--cap-drop" if value == "ALL" => Self::NoCapabilities,
            "--memory" => Self::Memory(choices.memory_bytes(size(value)?)?),
            "--shm-size" => Self::SharedMemory(choices.shm_bytes(size(value)?)?),
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
            _ => return None,
        })
    }
}

/// A tmpfs by Docker's words, with the uid of whoever will run there.
fn temporary(value: &str, choices: &Choices) -> Setting {
    let (path, options) = value.split_once(':').unwrap_or((value, ""));
    let own = |option: &str| match choices.runs_as {
        Some(uid) if option.starts_with("uid=") => format!("uid={uid}"),
        _ => option.to_owned(),
    };
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

/// What the failures ask of whoever starts the container, the most urgent first: the first way that the Docker remedy of
/// each offers, where all of it can be given.
pub fn settings<'a>(failures: impl Iterator<Item = &'a Finding>, choices: &Choices) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    for finding in failures.filter(|finding| ANSWERED.contains(&finding.check.as_str())) {
        for setting in finding.remedy.get("docker").and_then(|remedy| answer(remedy, choices)).unwrap_or_default() {
            ask(&mut asked, setting, &finding.check);
        }
    }
    asked
}

/// The settings that a remedy names, if all of them can be given.
fn answer(remedy: &str, choices: &Choices) -> Option<Vec<Setting>> {
    let way = Way::all(remedy).into_iter().next()?;
    way.added.iter().map(|flag| Setting::wanted(flag, choices)).collect()
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
    use crate::check::Catalogue;

    /// A machine on which every example can be given.
    fn roomy() -> Choices {
        Choices { cores_of_host: Some(64), uid: Some(7), runs_as: Some(7), ..Choices::default() }
    }

    #[test]
    fn every_answer_is_a_check_whose_remedy_can_be_given() {
        let catalogue = Catalogue::load(&[]).expect("a catalogue");
        for id in ANSWERED {
            let check = catalogue.get(id).unwrap_or_else(|| panic!("{id}"));
            let remedy = check.file.remedy.get("docker").unwrap_or_else(|| panic!("{id}"));
            let settings = answer(remedy, &roomy()).unwrap_or_default();
            assert!(!settings.is_empty(), "{id}: {remedy}");
            assert!(!format!("{settings:?}").contains(['<', '>', '$', '\'']), "{id}: {settings:?}");
        }
    }

    #[test]
    fn an_example_is_fitted_to_the_machine() {
        let choices = Choices {
            memory_of_host: Some(16 << 30),
            cores_of_host: Some(8),
            threads: Some(4),
            pids_wanted: 5000,
            open_files: Some(1 << 16),
            ..roomy()
        };
        let wanted = |text| Setting::wanted(&Flag::all(text)[0], &choices);
        assert_eq!(wanted("--memory 32g"), Some(Setting::Memory(14 << 30)));
        assert_eq!(wanted("--shm-size=8g"), Some(Setting::SharedMemory(7 << 30)));
        assert_eq!(wanted("--pids-limit 4096"), Some(Setting::Pids(5000)));
        assert_eq!(wanted("--cpus 8"), None, "all there is bounds nobody");
        assert_eq!(wanted("--cpus 4"), Some(Setting::Cores(4)));
        assert_eq!(wanted("--cpus 1"), None, "too few for a GPU");
        let threads = Setting::Variable { name: "OMP_NUM_THREADS".to_owned(), value: "4".to_owned() };
        assert_eq!(wanted("-e OMP_NUM_THREADS=8"), Some(threads));
        let tmp = Setting::Temporary { path: "/tmp".to_owned(), options: vec!["exec".to_owned(), "uid=7".to_owned()] };
        assert_eq!(wanted("--tmpfs /tmp:exec,uid=1000"), Some(tmp));
    }

    #[test]
    fn what_the_workload_takes_now_is_not_taken_from_it() {
        let choices = Choices { memory_used: Some(40 << 30), shm_wanted: Some(16 << 30), ..roomy() };
        let wanted = |text, choices: &Choices| Setting::wanted(&Flag::all(text)[0], choices);
        assert_eq!(wanted("--memory 32g", &choices), Some(Setting::Memory(80 << 30)));
        assert_eq!(wanted("--shm-size 8g", &choices), Some(Setting::SharedMemory(16 << 30)));
        let small = Choices { memory_of_host: Some(40 << 30), memory_now: Some(20 << 30), ..choices };
        assert_eq!(wanted("--memory 32g", &small), None, "so much is not there");
        assert_eq!(wanted("--shm-size 8g", &small), None, "it counts as memory");
    }

    #[test]
    fn no_limit_is_asked_for_that_the_engine_may_not_be_able_to_give() {
        let files = |hard| Setting::ProcessLimit { name: "nofile".to_owned(), soft: 65536, hard };
        let flag = &Flag::all("--ulimit nofile=65536:1048576")[0];
        let may = |open_files| Setting::wanted(flag, &Choices { open_files, ..roomy() });
        let expected = [Some(files(1 << 20)), Some(files(1 << 16)), None];
        assert_eq!([may(None), may(Some(1 << 16)), may(Some(1 << 10))], expected);
    }

    #[test]
    fn what_is_not_ours_to_decide_is_asked_for_by_nobody() {
        for text in ["--publish 80:80", "--gpus all", "-e NAME", "--memory much", "--cap-drop KILL"] {
            assert_eq!(Setting::wanted(&Flag::all(text)[0], &roomy()), None, "{text}");
        }
    }
}
