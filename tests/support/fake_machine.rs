//! A fake machine: a root of files with fake GPU libraries in it, at which the real probes look.
//!
//! The children load libraries through the real file system, so the root holds a link to itself under its own path:
//! seen from inside as from outside, `LD_LIBRARY_PATH` names the same folder. Afterwards its path is taken out of the
//! readings, which then look as if the root had been `/`.
#![allow(clippy::disallowed_methods)] // a test is no probe

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gpu_preflight::collect::{Input, collect};
use gpu_preflight::facts::{Fact, Facts, Phase, Tier, recording};
use gpu_preflight::world::World;
use serde_json::Value;

use super::failures::{Damage, Scenario};
use super::fakes;
use super::patience::{allowed, load};

/// Where the driver's libraries are mounted, and with them those of the image.
const LIBRARIES: &str = "/usr/local/nvidia/lib64";
/// Seconds until the verdict, where the scenario does not say: more than the slowest machine needs for what does not
/// hang.
const DEADLINE: f64 = 120.0;
/// Seconds beyond the deadline until everything must have been read.
const GRACE: f64 = 0.5;
const VERSION: &str = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (root)\n";
/// Every node is a link to `/dev/null`, whose major is 1.
const DEVICES: &str = "Character devices:\n  1 mem\n  1 nvidia-uvm\n  1 nvidia\n\nBlock devices:\n  8 sd\n";

/// A machine on which a scenario is played.
pub struct FakeMachine {
    /// The door to it, with the scenario's environment and deadline.
    pub world: World,
    scenario: Scenario,
    root: PathBuf,
    /// Where the libraries write down every call, one a line.
    log: PathBuf,
    _place: tempfile::TempDir,
}

/// What was learnt on a fake machine, and how long that took.
pub struct Collected {
    /// The readings, nothing derived.
    pub facts: Facts,
    /// Every call that the libraries heard, in order.
    pub calls: Vec<String>,
    /// Wall time of collecting in seconds.
    pub wall: f64,
    /// Whether that was longer than its deadline and what a machine as busy as this one may be late by.
    pub is_late: bool,
}

impl FakeMachine {
    /// The healthy machine with the changes of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let root = place.path().join("root");
        std::fs::create_dir(&root).expect("a folder");
        let root = root.canonicalize().expect("a path");
        furnish(&root, scenario.gpus.unwrap_or(1));
        change(&root, scenario);
        let log = place.path().join("calls");
        let deadline = Duration::from_secs_f64(deadline(scenario));
        let environment = environment(&root, scenario, &log);
        let world = World::at(&root, environment, deadline).with_program(env!("CARGO_BIN_EXE_gpu-preflight"));
        Self { world, scenario: scenario.clone(), root, log, _place: place }
    }

    /// One with nothing changed but what its GPU libraries play, see `tests/fakes/scenario.rs`.
    pub fn plays(fake: &str) -> Self {
        Self::new(&Scenario { fake: fake.to_owned(), ..Scenario::default() })
    }

    /// The same with libraries from this folder and nowhere else.
    pub fn with_libraries(folder: &Path, fake: &str) -> Self {
        let env = [("LD_LIBRARY_PATH".to_owned(), folder.to_str().expect("UTF-8").to_owned())].into();
        Self::new(&Scenario { fake: fake.to_owned(), env, ..Scenario::default() })
    }

    /// Every call that the libraries have heard so far, in order.
    pub fn calls(&self) -> Vec<String> {
        std::fs::read_to_string(&self.log).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Whether a process still runs that was started on it: each has the log in its environment.
    pub fn is_looked_at(&self) -> bool {
        let log = self.log.to_str().expect("UTF-8").as_bytes();
        std::fs::read_dir("/proc").expect("/proc").flatten().any(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.windows(log.len()).any(|window| window == log)
        })
    }

    /// Everything that the probes can learn of it.
    pub fn collect(&self) -> Collected {
        let scenario = &self.scenario;
        let phase: Phase = scenario.phase.as_deref().unwrap_or("live").parse().expect("a phase");
        let tier: Tier = scenario.tier.as_deref().unwrap_or("standard").parse().expect("a tier");
        let deadline = self.world.budget().as_secs_f64();
        let input = Input { phase, tier, soak: scenario.soak.map(Duration::from_secs), ..Input::default() };
        let started = Instant::now();
        let read = collect(&self.world, &input);
        let wall = started.elapsed().as_secs_f64();
        let is_late = wall > deadline && wall > deadline + allowed(GRACE).as_secs_f64();
        Collected { facts: settled(&read, &self.root, scenario), calls: self.calls(), wall, is_late }
    }
}

/// Seconds until the verdict. What hangs takes its share of them, and on a busy machine the rest has to do for all that does
/// not.
fn deadline(scenario: &Scenario) -> f64 {
    scenario.deadline.unwrap_or(DEADLINE) * load().clamp(1.0, 4.0)
}

/// Everything that the probes can learn where a scenario is played.
pub fn collect_on(scenario: &Scenario) -> Collected {
    FakeMachine::new(scenario).collect()
}

fn at(root: &Path, path: &str) -> PathBuf {
    let path = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    path
}

/// The root of a healthy machine.
fn furnish(root: &Path, gpus: u64) {
    symlink(root, at(root, &root.to_string_lossy())).expect("a link");
    let numbered = (0..gpus).map(|gpu| format!("nvidia{gpu}"));
    for node in ["nvidiactl", "nvidia-uvm"].map(str::to_owned).into_iter().chain(numbered) {
        symlink("/dev/null", at(root, &format!("/dev/{node}"))).expect("a node");
    }
    for gpu in 0..gpus {
        let information = format!("/proc/driver/nvidia/gpus/0000:{:02x}:00.0/information", gpu + 16);
        std::fs::write(at(root, &information), "").expect("a file");
    }
    let mounts = format!(
        "36 35 98:0 / / rw - overlay overlay rw\n37 36 98:0 /x {LIBRARIES} ro - ext4 /dev/root rw\n\
         38 36 0:5 /null /dev/nvidiactl rw - devtmpfs devtmpfs rw\n"
    );
    for (path, text) in
        [("/proc/driver/nvidia/version", VERSION), ("/proc/devices", DEVICES), ("/proc/self/mountinfo", &mounts)]
    {
        std::fs::write(at(root, path), text).expect("a file");
    }
    for entry in std::fs::read_dir(fakes::folder()).expect("the fakes").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains(".so.") {
            put(root, &format!("{LIBRARIES}/{name}"), &entry.path());
        }
    }
}

/// Another name for a file; links stay links.
fn put(root: &Path, path: &str, source: &Path) {
    let place = at(root, path);
    match std::fs::read_link(source) {
        Ok(target) => symlink(target, place).expect("a link"),
        Err(_) => {
            std::fs::hard_link(source, &place).or_else(|_| std::fs::copy(source, place).map(drop)).expect("a copy");
        }
    }
}

fn change(root: &Path, scenario: &Scenario) {
    for path in &scenario.remove {
        let place = at(root, path);
        let removed = if place.is_dir() && !place.is_symlink() {
            std::fs::remove_dir_all(&place)
        } else {
            std::fs::remove_file(&place)
        };
        removed.unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    for (path, text) in &scenario.files {
        std::fs::write(at(root, path), text.replace("{root}", &root.to_string_lossy())).expect("a file");
    }
    for (path, library) in &scenario.libraries {
        let source = fakes::folder().join(library).canonicalize().unwrap_or_else(|e| panic!("{library}: {e}"));
        put(root, path, &source);
    }
    for (path, target) in &scenario.links {
        symlink(target, at(root, path)).expect("a link");
    }
    for (path, damage) in &scenario.damage {
        let place = at(root, path).canonicalize().unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut bytes = std::fs::read(&place).expect("a file");
        match damage {
            Damage::Truncated => bytes.truncate(bytes.len() / 2),
            // `e_machine`: 8 is MIPS.
            Damage::OtherMachine => bytes[18..20].copy_from_slice(&[8, 0]),
        }
        // The file is another name of one that all tests share.
        std::fs::remove_file(&place).expect("a file");
        std::fs::write(&place, bytes).expect("a file");
    }
}

fn environment(root: &Path, scenario: &Scenario, log: &Path) -> Vec<(OsString, OsString)> {
    // What the scenario says of the number of GPUs comes first, and counts.
    let fake = format!("{};count={};log={}", scenario.fake, scenario.gpus.unwrap_or(1), log.display());
    let mut environment = vec![
        ("LD_LIBRARY_PATH".to_owned(), format!("{{root}}{LIBRARIES}")),
        ("OMP_NUM_THREADS".to_owned(), "1".to_owned()),
        ("FAKE_GPU".to_owned(), fake),
    ];
    environment.retain(|(name, _)| !scenario.env.contains_key(name));
    environment.extend(scenario.env.clone());
    environment
        .into_iter()
        .map(|(name, value)| (name.into(), value.replace("{root}", &root.to_string_lossy()).into()))
        .collect()
}

/// The healthy recording with the GPU's rooms as they were read, and with what the scenario puts over them.
fn settled(read: &Facts, root: &Path, scenario: &Scenario) -> Facts {
    let text = serde_json::to_string(read).expect("JSON").replace(&*root.to_string_lossy(), "");
    let read: Facts = serde_json::from_str(&text).expect("facts");
    let name = if scenario.gpus.unwrap_or(1) == 1 { "healthy-h200-fake" } else { "healthy-8xh200-fake" };
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines").join(name).join("facts.json");
    let text = std::fs::read_to_string(base).expect("a recording");
    let mut facts = recording::read(&text).expect("a recording").facts;
    facts.run.phase = read.run.phase;
    facts.run.tier = read.run.tier;
    facts.run.soak_seconds = read.run.soak_seconds;
    facts.run.deadline_seconds = read.run.deadline_seconds;
    facts.run.wall_ms = read.run.wall_ms;
    facts.driver = read.driver;
    facts.nvml = read.nvml;
    facts.gpus = read.gpus;
    facts.cuda = read.cuda;
    facts.libraries = read.libraries;
    facts.linking = read.linking;
    facts.compute = read.compute;
    facts.memory = read.memory;
    facts.links = read.links;
    facts.compile = read.compile;
    // No process is played, so there is no script of a workload to read.
    (facts.workload.script, facts.workload.script_uses_torch) = (Fact::Absent, Fact::Absent);
    facts.framework.packages = read.framework.packages;
    facts.storage.caches = read.storage.caches;
    facts.environment = read.environment;
    facts.network.several_nodes = read.network.several_nodes;
    facts.network.own_name = read.network.own_name;
    facts.network.verbs = read.network.verbs;
    facts.probes = read.probes;
    let Some(patch) = &scenario.patch else { return facts };
    let mut value = serde_json::to_value(facts).expect("JSON");
    merge(&mut value, patch);
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}: {patch}"))
}

/// Records are merged by name and lists by place; what else the patch has takes the place of what was read.
fn merge(value: &mut Value, patch: &Value) {
    match (value, patch) {
        (Value::Object(value), Value::Object(patch)) if !patch.contains_key("unknown") => {
            for (name, patch) in patch {
                // TOML has no null.
                let patch = if patch == "absent" { &Value::Null } else { patch };
                merge(value.entry(name.clone()).or_insert(Value::Null), patch);
            }
        }
        (Value::Array(value), Value::Array(patch)) if value.len() >= patch.len() => {
            value.iter_mut().zip(patch).for_each(|(value, patch)| merge(value, patch));
        }
        (value, patch) => *value = patch.clone(),
    }
}
