//! The answers everybody looks for first, one line each, whatever was found.

use super::Report;
use crate::check::{Outcome, matches};
use crate::facts::{Auth, ContainerKind, Fact, Facts, GapKind, Jupyter, Listener, Multiply, Phase, Precision, Proof};
use crate::score::Verdict;
use crate::text::{bytes, number, plain};

/// One line: what it is about, how it stands, and the figures.
pub struct Glance {
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

type Row = (&'static str, &'static [&'static str], fn(&Report) -> String);

/// The lines, with the checks that give each its mark.
const ROWS: [Row; 8] = [
    ("port 8888", &["service.jupyter*", "service.port-8888*"], |report| port(report, 8888)),
    ("port 22", &["service.ssh*", "service.port-22*"], |report| port(report, 22)),
    ("user", &["identity", "isolation.privilege*", "isolation.not-privileged"], |report| user(&report.facts)),
    ("limits", &["limits"], |report| limits(&report.facts)),
    ("driver", &["driver", "gpu"], driver),
    ("CUDA", &["driver.runtime*", "library.cudart*", "library.cuda-*", "framework"], |report| cuda(&report.facts)),
    ("libraries", &["library"], |report| libraries(&report.facts)),
    ("multiply", &["compute"], |report| multiply(&report.facts)),
];

/// Every line for this report.
pub fn lines(report: &Report) -> Vec<Glance> {
    let line = |(name, patterns, text): &Row| {
        let text = text(report);
        // What is not expected cannot be well.
        let mark = Some(mark(report, patterns)).filter(|mark| *mark != Mark::Good || text != NOT_EXPECTED);
        Glance { name, mark: mark.unwrap_or(Mark::None), text }
    };
    ROWS.iter().map(line).collect()
}

/// READY, NOT READY or INCOMPLETE.
pub fn verdict_word(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Ready => "READY",
        Verdict::NotReady => "NOT READY",
        Verdict::Incomplete => "INCOMPLETE",
    }
}

/// The score as `score 39`, `score 61–88`, or that there is none.
pub fn score_words(report: &Report) -> String {
    match (report.score.low, report.score.high) {
        (Some(low), Some(high)) if low == high => format!("score {high}"),
        (Some(low), Some(high)) => format!("score {low}–{high}"),
        _ => "no score".to_owned(),
    }
}

fn mark(report: &Report, patterns: &[&str]) -> Mark {
    let own = report.findings.iter().filter(|f| patterns.iter().any(|pattern| matches(pattern, &f.check)));
    let mark = |finding: &super::Finding| match finding.outcome {
        Outcome::Fails if finding.gating && finding.waived.is_none() => Mark::Bad,
        Outcome::Fails => Mark::Warning,
        Outcome::Unknown | Outcome::Blocked => Mark::Unknown,
        Outcome::Holds => Mark::Good,
        Outcome::NotApplicable => Mark::None,
    };
    own.map(mark).max().unwrap_or(Mark::None)
}

fn say<T>(fact: &Fact<T>, known: impl Fn(&T) -> String, absent: &str) -> String {
    match fact {
        Fact::Known(value) => known(value),
        Fact::Absent => absent.to_owned(),
        Fact::Unknown(gap) => format!("could not tell ({})", plain(&gap.to_string())),
    }
}

fn port(report: &Report, port: u16) -> String {
    let facts = &report.facts;
    if report.phase == Phase::Build {
        return declared(facts, port).unwrap_or_else(|| NOT_BUILT.to_owned());
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
    Some(format!("{} will start ({}: {})", service.kind, service.by, plain(&service.path)))
}

fn user(facts: &Facts) -> String {
    let identity = &facts.identity;
    let name = identity.user_name.known().map_or(String::new(), |name| format!(" ({})", plain(name)));
    let uid =
        say(&identity.uid, |uid| if *uid == 0 { "root".to_owned() } else { format!("uid {uid}{name}") }, "no uid");
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
    let limits = &facts.limits;
    let host = facts.host.memory_bytes.known().map_or(String::new(), |all| format!(" ({} host)", size(*all)));
    let memory = say(&limits.memory_bytes, |limit| size(*limit), &format!("none{host}"));
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

/// What is said of the GPU where none is wanted.
const NOT_EXPECTED: &str = "not expected here (--no-gpu)";
/// What is said of what an image cannot show.
const NOT_BUILT: &str = "not looked at while building";

/// Why the GPU is not spoken of at all.
fn no_gpu_asked(facts: &Facts) -> Option<String> {
    let words = (!facts.run.gpu_expected).then_some(NOT_EXPECTED);
    let building = facts.run.phase == Phase::Build && facts.cuda.init_code.is_unknown();
    words.or(building.then_some(NOT_BUILT)).map(str::to_owned)
}

fn driver(report: &Report) -> String {
    let facts = &report.facts;
    if let Some(words) = no_gpu_asked(facts) {
        return words;
    }
    // Where `/proc/driver` is hidden NVML still knows.
    let version = facts.compatibility.driver_version.known().map(|version| plain(version));
    // No file and no library names it; that alone does not mean that it is not there.
    let is_missing = |f: &super::Finding| f.check == "driver.kernel-loaded" && f.outcome == Outcome::Fails;
    let nothing = if report.findings.iter().any(is_missing) { "not loaded" } else { "version not known" };
    let version = version.unwrap_or_else(|| say(&facts.driver.kernel_version, |version| plain(version), nothing));
    let gpus = match &facts.gpus {
        Fact::Known(gpus) => format!(", {}", gpu_words(gpus.len(), gpus.first().and_then(|gpu| gpu.name.known()))),
        Fact::Absent => ", no GPU".to_owned(),
        Fact::Unknown(_) => ", GPUs could not be listed".to_owned(),
    };
    let init = match facts.cuda.init_code.known() {
        Some(0) | None => String::new(),
        Some(code) => format!(", cuInit {code}"),
    };
    format!("{version}{gpus}{init}")
}

/// `1 × NVIDIA H200`, `no GPU`.
pub fn gpu_words(count: usize, name: Option<&String>) -> String {
    match (count, name) {
        (0, _) => "no GPU".to_owned(),
        (count, Some(name)) => format!("{count} × {}", plain(name)),
        (count, None) => crate::text::count(count, "GPU"),
    }
}

fn cuda(facts: &Facts) -> String {
    if !facts.run.gpu_expected {
        return NOT_EXPECTED.to_owned();
    }
    let driver = say(&facts.cuda.version, |version| format!("driver supports {}", plain(version)), "no driver library");
    let driver = if facts.cuda.library.is_absent() { "no driver library".to_owned() } else { driver };
    let runtime =
        say(&facts.compatibility.runtime_version, |version| format!("runtime {}", plain(version)), "no runtime");
    let torch = facts.framework.torch_version.known().map_or(String::new(), |v| format!(" · PyTorch {}", plain(v)));
    if no_gpu_asked(facts).is_some() { format!("{runtime}{torch}") } else { format!("{driver} · {runtime}{torch}") }
}

fn libraries(facts: &Facts) -> String {
    let Fact::Known(all) = &facts.libraries else { return say(&facts.libraries, |_| String::new(), "none found") };
    let chosen = all.iter().filter(|library| library.chosen && library.winner.known().is_some());
    let words: Vec<String> = chosen
        .map(|library| {
            let version = library.version.known().map_or(String::new(), |version| format!(" {}", plain(version)));
            format!("{}{version}", library.id.as_str().trim_start_matches("lib"))
        })
        .collect();
    if words.is_empty() { "none found".to_owned() } else { words.join(", ") }
}

fn multiply(facts: &Facts) -> String {
    if let Some(words) = no_gpu_asked(facts) {
        return words;
    }
    let all = match &facts.compute.multiplies {
        Fact::Known(all) => all,
        Fact::Unknown(gap) if gap.kind == GapKind::NotAsked && !gap.detail.is_empty() => {
            return format!("not run: {}", plain(&gap.detail));
        }
        other => return say(other, |_| String::new(), "not run: no GPU"),
    };
    let wrong = all.iter().find(|multiply| multiply.proof.known() == Some(&Proof::Wrong));
    if let Some(multiply) = wrong {
        return format!("wrong product on GPU {}, {}", multiply.gpu, multiply.precision);
    }
    let slowest = |precision: Precision| {
        let own = all.iter().filter(move |multiply| multiply.precision == precision);
        own.filter(|multiply| multiply.tflops.known().is_some())
            .min_by(|a, b| a.tflops.known().partial_cmp(&b.tflops.known()).unwrap_or(std::cmp::Ordering::Equal))
    };
    let shown = Precision::ALL.iter().rev().find_map(|precision| slowest(*precision));
    let Some(first) = shown else { return "not run".to_owned() };
    let gain = match (slowest(Precision::Tf32).map(rate), slowest(Precision::Float32).map(rate)) {
        (Some(tf32), Some(float32)) if float32 > 0.0 => format!(" · TF32 {:.1} × float32", tf32 / float32),
        _ => String::new(),
    };
    format!("{}{gain}", multiply_words(first))
}

fn rate(multiply: &Multiply) -> f64 {
    multiply.tflops.known().copied().unwrap_or_default()
}

fn multiply_words(multiply: &Multiply) -> String {
    let share = multiply.share_of_expected.known();
    let share = share.map_or(String::new(), |share| format!(", {:.0} % of expected", share * 100.0));
    let proof = match &multiply.proof {
        Fact::Known(Proof::Exact) => ", exact",
        _ => ", not proven",
    };
    format!("{} {} TFLOP/s{share}{proof}", multiply.precision, number_short(rate(multiply)))
}

fn number_short(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// What this is, for the first line: `docker, cgroup v2`.
pub fn place(facts: &Facts) -> String {
    let kind = match facts.container.kind.known() {
        Some(ContainerKind::None) => "no container".to_owned(),
        Some(kind) => kind.to_string(),
        None => "container kind unknown".to_owned(),
    };
    let cgroup = facts.container.cgroup.known().map_or(String::new(), |cgroup| format!(", cgroup {cgroup}"));
    format!("{kind}{cgroup}")
}
