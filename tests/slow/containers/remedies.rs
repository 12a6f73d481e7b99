//! Every remedy works: the flags that a Docker remedy names, given to a container that has the finding, take it away
//! and bring no new one.
//!
//! The flags are read from the remedy's own text. It names them in backticks, with their values, so that they can be
//! given as they stand: `` `--cpus 8 -e OMP_NUM_THREADS=8` ``. What follows "without" or "in place of" is taken away;
//! a clause after ", or " is another way, and must work alone. Remedies that are a line of a Dockerfile, a field of a
//! pod or a command on the node are not tried.

mod flags;
mod scenarios;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use gpu_preflight::check::{Catalogue, CheckFile};
use gpu_preflight::harden::flags::{Flag, Way};

use self::flags::{arguments, covers, may_be_refused, needs_a_gpu_runtime};
use self::scenarios::{BUSY, Gpu, NEED_A_GPU_RUNTIME, SCENARIOS, Scenario};
use self::seen::{Seen, WORKLOAD};
use super::gpu::{fakes, with_fake_gpu, with_fake_libraries};
use super::isolation::almost_privileged;
use crate::support::docker::{BASE, PATIENT, Recipe, available, text};
use crate::support::real_parts::note;

/// The Docker remedies that name a flag, by check.
fn remedies() -> BTreeMap<String, String> {
    let catalogue = Catalogue::load(&[]).unwrap_or_else(|error| panic!("{error}"));
    let remedy = |file: &CheckFile| file.remedy.get("docker").cloned();
    let all = catalogue.checks.iter().filter_map(|check| Some((check.id.clone(), remedy(&check.file)?)));
    all.filter(|(_, text)| !Way::all(text).is_empty()).collect()
}

#[test]
fn every_docker_remedy_with_a_flag_is_tried_or_needs_a_gpu() {
    let remedies = remedies();
    let needs = |text: &String| Way::all(text).iter().any(|way| way.flags().any(needs_a_gpu_runtime));
    let needing: Vec<&str> = remedies.iter().filter(|(_, text)| needs(text)).map(|(id, _)| id.as_str()).collect();
    let listed: Vec<&str> = NEED_A_GPU_RUNTIME.iter().map(|(id, _)| *id).collect();
    assert_eq!(listed, needing, "exactly those whose flags need a GPU runtime");
    let tried: BTreeSet<&str> = SCENARIOS.iter().map(|scenario| scenario.check).collect();
    let wanted: BTreeSet<&str> = remedies.keys().map(String::as_str).filter(|id| !needing.contains(id)).collect();
    assert_eq!(tried, wanted, "each check whose remedy is a flag of `docker run` has a scenario, and no other has one");
    for scenario in SCENARIOS {
        for (example, _) in scenario.fill {
            let remedy = &remedies[scenario.check];
            assert!(remedy.contains(example), "{}: `{example}` is not in: {remedy}", scenario.check);
        }
    }
}

/// Why a container said nothing.
#[derive(Clone)]
enum Silence {
    /// Docker here may not give it what it asks for.
    Refused(String),
    /// It could not be run.
    Broken(String),
}

impl Scenario {
    /// The flags that bring the finding about.
    fn cause(&self) -> Vec<Flag> {
        let place = |flag: &str| match flag {
            _ if flag.contains("{fakes}") => flag.replace("{fakes}", &fakes().to_string_lossy()),
            _ if flag.contains("{files}") => flag.replace("{files}", &files().to_string_lossy()),
            _ => flag.to_owned(),
        };
        self.cause.iter().flat_map(|flag| Flag::all(&place(flag))).collect()
    }

    /// The flags of a remedy, with what is right for this container in place of what its text calls an example.
    fn fill(&self, remedy: &str) -> String {
        self.fill.iter().fold(remedy.to_owned(), |text, (example, right)| text.replace(example, right))
    }

    fn recipe(&self) -> Recipe {
        match self.gpu {
            Gpu::None => Recipe::plain(self.image),
            Gpu::Libraries => with_fake_libraries(Recipe::plain(self.image)),
            Gpu::Whole => with_fake_gpu(Recipe::plain(self.image)),
        }
    }

    fn command(&self) -> String {
        let check = format!("gpu-preflight check --format=json --verbose --deadline=60 {}", self.options);
        WORKLOAD.to_owned() + &self.script.replace("{check}", &check)
    }

    /// What a container with these flags says of itself.
    fn look(&self, flags: &[Flag]) -> Result<Seen, Silence> {
        let recipe = self.recipe().with(flags.iter().flat_map(arguments));
        let output = recipe.run(&["sh", "-c", &self.command()]);
        if !output.stdout.is_empty() {
            return Ok(Seen::of(&output));
        }
        let errors = text(&output.stderr);
        let is_refusal = ["operation not permitted", "unable to apply caps"].iter().any(|words| errors.contains(words));
        let first = errors.lines().find(|line| !line.is_empty()).unwrap_or_default().to_owned();
        Err(if is_refusal && flags.iter().any(may_be_refused) {
            Silence::Refused(first)
        } else {
            Silence::Broken(first)
        })
    }

    /// Why the finding cannot come about on this machine, whatever Docker is told.
    fn impossible(&self) -> Option<&'static str> {
        let pattern = || std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
        (self.check == "recovery.core-files-bounded" && pattern().starts_with('|'))
            .then_some("the host hands core files to a program")
    }

    /// What is wrong with a way that the remedy offers, a line each.
    fn faults(&self, way: &Way) -> Vec<String> {
        if let Some(why) = self.impossible() {
            return self.skip(why);
        }
        let mut flags = self.cause();
        let before = match self.before(&flags) {
            Ok(before) => before,
            Err(silence) => return self.silent(silence),
        };
        if !before.ids(&["fails"]).contains(self.check) {
            return vec![format!("the finding does not come about: {}", before.report.troubles())];
        }
        for removed in &way.removed {
            let count = flags.len();
            flags.retain(|flag| !covers(removed, flag));
            if flags.len() == count {
                return vec![format!("there is no {removed:?} to take away")];
            }
        }
        flags.extend(way.added.iter().cloned());
        let mut after = self.look(&flags);
        // Other containers run beside this one: that something could not be told in time proves nothing once.
        for _ in 0..2 {
            if after.as_ref().is_ok_and(|after| !before.lost(after).is_empty()) {
                after = self.look(&flags);
            }
        }
        after.map_or_else(|silence| self.silent(silence), |after| before.faults_of(&after, self.check))
    }

    /// The container with the finding. Many remedies are tried on the same one.
    fn before(&self, flags: &[Flag]) -> Result<Arc<Seen>, Silence> {
        type Known = BTreeMap<(String, Vec<Flag>), Arc<OnceLock<Result<Arc<Seen>, Silence>>>>;
        static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
        let key = (format!("{} {:?} {}", self.image, self.gpu, self.command()), flags.to_vec());
        let cell = KNOWN.lock().expect("no panic").entry(key).or_default().clone();
        let look = || match self.look(flags) {
            // Put together from its parts where Docker may not give the whole.
            Err(Silence::Refused(_)) if self.check == "isolation.not-privileged" => {
                Ok(Arc::new(Seen::of(&almost_privileged().run(&["sh", "-c", &self.command()]))))
            }
            other => other.map(Arc::new),
        };
        cell.get_or_init(look).clone()
    }

    fn silent(&self, silence: Silence) -> Vec<String> {
        match silence {
            Silence::Refused(why) => self.skip(&why),
            Silence::Broken(why) => vec![format!("the container does not run: {why}")],
        }
    }

    fn skip(&self, why: &str) -> Vec<String> {
        note(&format!("SKIPPED: the remedy of {} cannot be tried here: {why}", self.check));
        Vec::new()
    }
}

/// A folder with a device node that only root and group 4444 may open, and a list of users of whom one has no home. A
/// container makes them, which is root.
fn files() -> &'static Path {
    const MAKE: &str = "mknod /files/closed c 1 3 && chgrp 4444 /files/closed && chmod 0660 /files/closed &&
        echo 'homeless:x:1000:1000:::/bin/sh' >/files/homeless";
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    MADE.get_or_init(|| made("/files", MAKE)).path()
}

/// A folder of this machine in which the shell of a container, as root, has made what it is told to.
fn made(inside: &str, script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mount = format!("--volume={}:{inside}", folder.path().display());
    let output = Recipe::plain(BASE).with([mount]).run(&["sh", "-c", script]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

#[test]
fn every_docker_remedy_takes_its_finding_away_and_brings_no_other() {
    if !available() {
        return;
    }
    let remedies = remedies();
    let mut tries: Vec<(&Scenario, Way)> = Vec::new();
    for scenario in SCENARIOS {
        let filled = scenario.fill(&remedies[scenario.check]);
        tries.extend(Way::all(&filled).into_iter().map(|way| (scenario, way)));
    }
    // The one that takes longest begins first.
    tries.sort_by_key(|(scenario, _)| scenario.script != BUSY);
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // A container mostly waits, so more than there are cores.
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((scenario, way)) = tries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = scenario.faults(way);
                    let told = found.iter().map(|fault| format!("{} {way:?}: {fault}", scenario.check));
                    faults.lock().expect("no panic").extend(told);
                }
            });
        }
    });
    let faults = faults.into_inner().expect("no panic");
    assert!(faults.is_empty(), "{} faults in {} tries:\n{}", faults.len(), tries.len(), faults.join("\n"));
}

#[test]
fn a_user_that_may_not_read_the_program_is_let_in_by_what_the_remedy_says() {
    const CLOSED: &str = "cp /bin/echo /opt/serve/serve && chmod 0700 /opt/serve /opt/serve/serve";
    if !available() {
        return;
    }
    let program = made("/opt/serve", CLOSED);
    let recipe = Recipe::plain(BASE).with([format!("--volume={}:/opt/serve", program.path().display())]);
    let serve = |flags: &[&str]| {
        let exec =
            ["gpu-preflight", "exec", PATIENT, "--mode=report", "--no-gpu", "--", "/opt/serve/serve", "it serves"];
        let output = recipe.clone().with(flags.iter().copied()).run(&exec);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, _) = serve(&[]);
    assert_eq!((code, &*said), (Some(0), "it serves\n"), "root may read it");

    let remedy = &remedies()["identity.not-root"];
    let user: Vec<String> = Way::all(remedy)[0].added.iter().flat_map(arguments).collect();
    let user: Vec<&str> = user.iter().map(String::as_str).collect();
    let (code, said, error) = serve(&user);
    assert_eq!((code, &*said), (Some(126), ""), "{error}");
    assert!(error.contains("/opt/serve/serve: Permission denied"), "{error}");

    let opens = remedy.split('`').find(|code| code.starts_with("chmod")).expect("the remedy says how to open it");
    let output = recipe.run(&["sh", "-c", &format!("{opens} /opt/serve")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (code, said, error) = serve(&user);
    assert_eq!((code, &*said), (Some(0), "it serves\n"), "{error}");
}
