//! The answers everybody looks for first, one line each, whatever was found.

mod contract;
mod gpu;

use gpu::{NO_RUNTIME, NOT_BUILT, NOT_EXPECTED, NOT_RUN, cuda, driver, libraries, links, memory, multiply};

use super::Report;
use crate::check::{Dimension, Outcome, Severity, matches};
use crate::facts::{Auth, ContainerKind, DeclaredService, Fact, Facts, Jupyter, Listener, Phase};

use crate::text::{bytes, number, plain};
use crate::weigh::Finding;
use crate::weigh::score::DimensionScore;
pub use gpu::gpu_words;

/// One line: what it is about, how it stands, and the figures.
pub struct Row {
    /// What it is about.
    pub name: &'static str,
    /// The worst of its findings.
    pub mark: Mark,
    /// The figures.
    pub text: String,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing to judge.
    None,
    /// It holds.
    Good,
    /// It could not be told.
    Unknown,
    /// It fails and does not gate.
    Warning,
    /// It fails and gates.
    Bad,
}

impl Mark {
    /// The sign of this mark.
    pub fn sign(self) -> &'static str {
        match self {
            Self::None => "·",
            Self::Good => "✓",
            Self::Unknown => "?",
            Self::Warning => "!",
            Self::Bad => "✗",
        }
    }
}

/// How a line begins whose figures are not known.
const COULD_NOT_TELL: &str = "could not tell";
/// The line that says as whom the container runs, and the checks that ask whether that is right.
const USER: &str = "user";
const WHO_RUNS: [&str; 2] = ["identity.not-root", "image.user-not-root"];

/// The lines whose marks rest on what is assumed, where anything is; their figures are those that were read.
const RESTING_ON_ASSUMED: [&str; 3] = ["driver", "CUDA", "libraries"];

type Source = (&'static str, &'static [&'static str], fn(&Report) -> String);

/// The lines, with the checks that give each its mark.
const ROWS: [Source; 11] = [
    ("port 8888", &["service.jupyter*", "service.port-8888*"], |report| port(report, 8888)),
    ("port 22", &["service.ssh*", "service.port-22*"], |report| port(report, 22)),
    (USER, &["identity", "image.user-not-root", "isolation.no-new-privileges", "isolation.not-privileged"], |report| {
        user(&report.facts)
    }),
    ("limits", &["limits"], |report| limits(&report.facts)),
    ("driver", &["driver", "gpu"], driver),
    ("CUDA", &["driver.runtime*", "library.cudart*", "library.cuda-*", "framework"], |report| cuda(&report.facts)),
    ("libraries", &["library"], |report| libraries(&report.facts)),
    ("multiply", &["compute", "gpu.cool-under-load", "gpu.power-brake-released"], |report| multiply(&report.facts)),
    ("memory", &["memory"], |report| memory(&report.facts)),
    ("links", &["links", "gpu.nvlink*", "gpu.pcie*", "gpu.fabric*"], |report| links(&report.facts)),
    ("contract", &["contract"], |report| contract::needs(&report.facts.contract)),
];

/// Every line for this report. One that has nothing to say is left out.
pub fn lines(report: &Report) -> Vec<Row> {
    if report.phase == Phase::Written {
        // Of several containers no line could tell, and what fails says more.
        return Vec::new();
    }
    let line = |(name, patterns, text): &Source| {
        let text = text(report);
        let (mark, reason) = mark(report, patterns);
        let mark = if mark == Mark::Good && !is_judged(report, name, &text) { Mark::None } else { mark };
        let text = if RESTING_ON_ASSUMED.contains(name) { text + &assumed(&report.facts) } else { text };
        // A line that has nothing to say is left out, whatever its mark.
        let reason = reason.filter(|_| !text.is_empty()).map_or(String::new(), |reason| format!(" — {reason}"));
        Row { name, mark, text: format!("{text}{reason}") }
    };
    ROWS.iter().map(line).filter(|line| !line.text.is_empty()).collect()
}

/// Whether what a line says was judged at all. What is not expected, was not run or could not be told is not well because
/// of something else that holds, nor is root where nobody asks whether that is right.
fn is_judged(report: &Report, name: &str, text: &str) -> bool {
    let asked = |id: &str| report.findings.iter().any(|f| f.check == id && f.outcome != Outcome::NotApplicable);
    let is_said = text != NOT_EXPECTED && ![NOT_RUN, COULD_NOT_TELL].iter().any(|words| text.starts_with(words));
    is_said && !text.contains(NO_RUNTIME) && (name != USER || WHO_RUNS.iter().any(|id| asked(id)))
}

/// That a line is judged for what is not here.
fn assumed(facts: &Facts) -> String {
    let assumed = [&facts.run.assumed_gpu, &facts.run.assumed_driver].map(Fact::known);
    if assumed == [None, None] { String::new() } else { " · judged for what is assumed".to_owned() }
}

/// The score as `score 39`, `score 61–88`, or that there is none.
pub fn score_words(report: &Report) -> String {
    match (report.score.low, report.score.high) {
        (Some(low), Some(high)) if low == high => format!("score {high}"),
        (Some(low), Some(high)) => format!("score {low}–{high}"),
        _ => "no score".to_owned(),
    }
}

/// The score of each dimension, and of which nothing was judged.
pub fn dimension_words(report: &Report) -> String {
    let words = |dimension: &Dimension| {
        let score = report.score.dimensions.iter().find(|score| score.dimension == *dimension);
        // A filter leaves out what nobody asked about.
        let nothing = report.selection.is_none().then(|| "not judged".to_owned());
        score.map(DimensionScore::words).or(nothing).map(|words| format!("{dimension} {words}"))
    };
    Dimension::ALL.iter().filter_map(words).collect::<Vec<_>>().join(" · ")
}

fn mark(report: &Report, patterns: &[&str]) -> (Mark, Option<String>) {
    // What is only worth knowing makes nothing worse.
    let counts = |finding: &&Finding| finding.severity != Severity::Info || finding.outcome == Outcome::Holds;
    let of_row = |own: &&[Finding]| patterns.iter().any(|pattern| matches(pattern, &own[0].check));
    let own = || report.findings.chunk_by(|a, b| a.check == b.check).filter(of_row).flatten().filter(counts);
    let mark = |finding: &Finding| match finding.outcome {
        Outcome::Fails if finding.gating && finding.waived.is_none() => Mark::Bad,
        Outcome::Fails => Mark::Warning,
        Outcome::Unknown | Outcome::Blocked => Mark::Unknown,
        Outcome::Holds => Mark::Good,
        Outcome::NotApplicable => Mark::None,
    };
    let worst = own().map(mark).max().unwrap_or(Mark::None);
    (worst, reason(worst, own().filter(|finding| mark(finding) == worst)))
}

/// Why a line has its mark: the most urgent of the findings that give it, and how many more checks do.
fn reason<'a>(mark: Mark, worst: impl Iterator<Item = &'a Finding>) -> Option<String> {
    let verb = match mark {
        Mark::Bad | Mark::Warning => "fails",
        Mark::Unknown => "could not be told",
        Mark::Good | Mark::None => return None,
    };
    let mut checks: Vec<&str> = Vec::new();
    for finding in worst {
        if !checks.contains(&finding.check.as_str()) {
            checks.push(&finding.check);
        }
    }
    let (first, others) = checks.split_first()?;
    let more = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
    Some(format!("{first} {verb}{more}"))
}

fn say<T>(fact: &Fact<T>, known: impl Fn(&T) -> String, absent: &str) -> String {
    match fact {
        Fact::Known(value) => known(value),
        Fact::Absent => absent.to_owned(),
        Fact::Unknown(gap) => format!("{COULD_NOT_TELL} ({})", plain(&gap.to_string())),
    }
}

fn port(report: &Report, port: u16) -> String {
    let facts = &report.facts;
    if report.phase == Phase::Build {
        let nothing = |_: &Vec<DeclaredService>| "nothing is declared to listen".to_owned();
        return declared(facts, port).unwrap_or_else(|| say(&facts.services.declared, nothing, NOT_BUILT));
    }
    let Fact::Known(listeners) = &facts.network.listeners else {
        return say(&facts.network.listeners, |_| String::new(), "no listeners");
    };
    let here: Vec<&Listener> = listeners.iter().filter(|listener| listener.port == port).collect();
    if here.is_empty() {
        let soon = declared(facts, port).map_or(String::new(), |words| format!("; {words}"));
        let yet = if report.phase == Phase::Start { " yet" } else { "" };
        return format!("nobody listens{yet}{soon}");
    }
    let jupyter = facts.services.jupyter.known().and_then(|all| all.iter().find(|server| server.port == port));
    let ssh = facts.services.ssh.known().and_then(|all| all.iter().find(|server| server.port == port));
    let addresses: Vec<String> = here.iter().map(|listener| listener.address.clone()).collect();
    let uid = say(&here[0].uid, |uid| format!("uid {uid}"), "no uid");
    let what = match (jupyter, ssh) {
        (Some(server), _) => jupyter_words(server),
        (_, Some(server)) => say(&server.banner, |banner| plain(banner), "an SSH server"),
        _ => say(&here[0].process, |name| plain(name), "a process outside this container"),
    };
    format!("{what} on {}, {uid}", addresses.join(" and "))
}

fn jupyter_words(server: &Jupyter) -> String {
    let version = server.version.known().map_or(String::new(), |version| format!(" {}", plain(version)));
    let auth = match &server.auth {
        Fact::Known(Auth::Open) => "answers anyone",
        Fact::Known(Auth::Required) => "asks for a token",
        _ => "authentication could not be told",
    };
    format!("Jupyter{version}, {auth},")
}

fn declared(facts: &Facts, port: u16) -> Option<String> {
    let all = facts.services.declared.known()?;
    let service = all.iter().find(|service| service.port == port && service.running.known() != Some(&true))?;
    let how = if service.keeps_ending == Fact::Known(true) { "does not stay up" } else { "will start" };
    Some(format!("{} {how} ({}: {})", service.kind, service.by, plain(&service.path)))
}

fn user(facts: &Facts) -> String {
    let identity = &facts.identity;
    let name = identity.user_name.known().map_or(String::new(), |name| format!(" ({})", plain(name)));
    let uid =
        say(&identity.uid, |uid| if *uid == 0 { "root".to_owned() } else { format!("uid {uid}{name}") }, "no uid");
    if facts.run.image_only {
        return uid;
    }
    let capabilities = say(
        &identity.capabilities_effective,
        |list| crate::text::count_noun(list.len(), "capability", "capabilities"),
        "no capabilities",
    );
    let gain = match facts.isolation.no_new_privileges.known() {
        Some(true) => "can gain no more",
        Some(false) => "may gain more",
        None => "gaining more: could not tell",
    };
    format!("{uid}, {capabilities}, {gain}")
}

fn limits(facts: &Facts) -> String {
    if facts.run.image_only {
        return String::new();
    }
    let limits = &facts.limits;
    let host = facts.host.memory_bytes.known().map_or(String::new(), |all| format!(" ({} host)", size(*all)));
    let none = match limits.memory_beyond_host_bytes.known() {
        Some(limit) => format!("{}, which bounds nothing{host}", size(*limit)),
        None => format!("none{host}"),
    };
    let memory = say(&limits.memory_bytes, |limit| size(*limit), &none);
    let cpus = match (&limits.cpu_limited, &limits.cpu_allowed_count) {
        (Fact::Known(true), Fact::Known(count)) => format!("{count} by cpuset"),
        _ => "none".to_owned(),
    };
    let cpu = say(&limits.cpu_quota_cores, |cores| number(*cores), &cpus);
    let pids = say(&limits.pids, ToString::to_string, "none");
    let shm = say(&limits.shm_bytes, |shm| size(*shm), "none");
    format!("memory {memory} · cpu {cpu} · pids {pids} · shm {shm}")
}

fn size(count: u64) -> String {
    bytes(count as f64)
}

/// What this is, for the first line: `docker, cgroup v2`.
pub fn place(facts: &Facts) -> String {
    if facts.run.phase == Phase::Written {
        return format!("only the text of {} was read", plain(&facts.written.files.join(" and ")));
    }
    if facts.run.image_only {
        return "an image that does not run".to_owned();
    }
    let kind = match facts.container.kind.known() {
        Some(ContainerKind::None) => "no container".to_owned(),
        Some(kind) => kind.to_string(),
        None => "container kind unknown".to_owned(),
    };
    let cgroup = facts.container.cgroup.known().map_or(String::new(), |cgroup| format!(", cgroup {cgroup}"));
    format!("{kind}{cgroup}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Catalogue;

    #[test]
    fn every_pattern_matches_a_check() {
        let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
        let named = ROWS.iter().flat_map(|(_, patterns, _)| *patterns).chain(&WHO_RUNS);
        for pattern in named.chain([&gpu::KERNEL_LOADED]) {
            assert_eq!(catalogue.require_match(pattern), Ok(()));
        }
    }
}
