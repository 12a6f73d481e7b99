//! Containers in which no process can be started, or in which we are stopped: by real flags and real seccomp profiles.

use std::path::Path;
use std::time::Duration;

use super::gpu::with_fake_gpu;
use crate::support::docker::{BASE, PATIENT, Recipe, available, text};
use crate::support::real_parts::note;
use crate::support::report::Report;

/// EPERM, as an old libseccomp answers to calls that it does not know.
const EPERM: i32 = 1;
const ENOMEM: i32 = 12;
/// As an engine answers to calls that it does not know at all.
const ENOSYS: i32 = 38;

/// A profile that refuses these calls with this errno.
fn refusing(folder: &Path, calls: &[&str], errno: i32) -> String {
    let profile = serde_json::json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": calls, "action": "SCMP_ACT_ERRNO", "errnoRet": errno }],
    });
    let path = folder.join(format!("{}-{errno}.json", calls.join("-")));
    std::fs::write(&path, profile.to_string()).expect("a file");
    format!("--security-opt=seccomp={}", path.display())
}

/// Whether this check failed, and everything that is said.
fn assert_fails(report: &Report, check: &str, what: &str) {
    assert!(report.with_outcome("fails").contains(&check), "{what}: {}", report.troubles());
}

#[test]
fn a_call_that_an_old_engine_refuses_is_the_nodes_and_no_bug() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // Where prctl is refused, runc starts no container at all: "unable to apply bounding set".
    for call in ["clone3", "pipe2", "dup2", "fcntl"] {
        let recipe = with_fake_gpu(Recipe::plain(BASE).with([refusing(folder.path(), &[call], EPERM)]));
        let output = recipe.run(&["gpu-preflight", "check", PATIENT, "--format=json", "--tier=quick"]);
        assert!(!text(&output.stderr).contains("panicked"), "{call}: {}", text(&output.stderr));
        let report = Report::read(&output);
        assert_eq!(report.fact("process.start_errno"), "EPERM", "{call}: {}", report.troubles());
        assert_fails(&report, "isolation.calls-allowed", call);
        for accused in report.with_outcome("fails") {
            assert!(
                !["driver.", "library.", "compute."].iter().any(|room| accused.starts_with(room)),
                "{call}: {accused}"
            );
        }
    }
}

#[test]
fn faccessat2_refused_is_no_answer() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let report = Recipe::plain(BASE).with([refusing(folder.path(), &["faccessat2"], EPERM)]).check(&["--no-gpu"]);
    assert_eq!(report.fact("identity.home_writable"), true, "{}", report.troubles());
}

#[test]
fn where_nobody_may_poll_the_workload_starts_and_a_look_ends_with_a_code() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let exec = ["gpu-preflight", "exec", PATIENT, "--mode=report", "--no-gpu", "--", "echo", "started"];
    for errno in [EPERM, ENOSYS] {
        for calls in [&["poll"][..], &["ppoll"], &["poll", "ppoll"]] {
            let recipe = Recipe::plain(BASE).with([refusing(folder.path(), calls, errno)]);
            let output = recipe.run(&exec);
            let told = (output.status.code(), text(&output.stdout));
            assert_eq!(told, (Some(0), "started\n".to_owned()), "{calls:?}: {}", text(&output.stderr));
            let output = recipe.run(&["gpu-preflight", "check", PATIENT, "--no-gpu"]);
            let said = text(&output.stderr);
            match output.status.code() {
                // The runtime of the language cannot begin without it.
                Some(70) => assert!(calls.contains(&"poll") && said.lines().count() == 1, "{calls:?}: {said}"),
                code => assert!(matches!(code, Some(0..=2)), "{calls:?}: {code:?} {said}"),
            }
        }
    }
}

#[test]
fn who_may_not_poll_waits_without_keeping_a_core_busy() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = with_fake_gpu(Recipe::plain(BASE).with([refusing(folder.path(), &["ppoll"], EPERM)]));
    let hang = ["--env=FAKE_GPU=hang=cuInit"];
    let script = "gpu-preflight check --deadline=8 >/dev/null; read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ user system rest \
                  </proc/$$/stat; echo $((user + system))";
    let output = recipe.with(hang).run(&["sh", "-c", script]);
    let ticks: u32 = text(&output.stdout).trim().parse().unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    // There are a hundred in a second, and two children are waited for the whole time.
    assert!(ticks < 200, "{ticks} ticks of eight seconds");
}

#[test]
fn a_limit_that_leaves_no_room_for_a_process_is_named_with_its_errno() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // A kernel that is out of memory answers so to whoever forks.
    let short = refusing(folder.path(), &["clone3", "clone", "fork", "vfork"], ENOMEM);
    let flags = [("--pids-limit=1", "EAGAIN"), ("--ulimit=nofile=12:12", "EMFILE"), (&short, "ENOMEM")];
    for (flag, errno) in flags {
        let recipe = with_fake_gpu(Recipe::plain(BASE).with([flag, "--memory=2g"]));
        let report = recipe.check(&["--tier=quick"]);
        assert_eq!(report.fact("limits.memory_bytes"), 2_u64 << 30, "{flag}: the limits are read all the same");
        assert_eq!(report.fact("process.start_errno"), errno, "{flag}: {}", report.troubles());
        assert_fails(&report, "limits.processes-startable", flag);
        assert!(
            !report.with_outcome("fails").iter().any(|check| check.starts_with("driver.")),
            "{}",
            report.troubles()
        );
    }
}

#[test]
fn process_1_is_stopped_by_no_library() {
    if !available() {
        return;
    }
    let recipe = with_fake_gpu(Recipe::plain(BASE)).with(["--env=FAKE_GPU=raise_parent=cuInit:19"]);
    let report = recipe.check(&["--tier=quick"]);
    assert_eq!(report.fact("cuda.init_code"), 0, "{}", report.troubles());
}

#[test]
fn a_pause_longer_than_the_deadline_accuses_nobody() {
    if !available() {
        return;
    }
    let recipe = with_fake_gpu(Recipe::plain(BASE)).with(["--env=FAKE_GPU=context_ms=3000"]);
    let try_to_pause = || {
        let look = "gpu-preflight check --deadline=8 --format=json >/report; sleep 600";
        let container = recipe.start(&["sh", "-c", look]);
        container.until("it looks", "grep -sq gpu-preflight /proc/[0-9]*/comm");
        std::thread::sleep(Duration::from_millis(1500));
        container.paused(Duration::from_secs(12)).map(|()| container)
    };
    let tried = (0..5).find_map(|_| try_to_pause().map_err(|why| note(&format!("docker pause: {why}"))).ok());
    let container = tried.expect("it can be paused");
    container.until("the report is written", "test -s /report && ! grep -sq gpu-preflight /proc/[0-9]*/comm");
    let report = Report::read(&container.exec(&["cat", "/report"]));
    let stood = report.fact("run.stood_still_seconds").as_f64().unwrap_or_default();
    assert!(stood > 11.0, "{stood}: {}", report.troubles());
    assert!(
        report.json["notes"][0].as_str().is_some_and(|note| note.contains("stood still")),
        "{}",
        report.json["notes"]
    );
    for accused in report.with_outcome("fails") {
        assert!(!["driver.", "compute.", "memory."].iter().any(|room| accused.starts_with(room)), "{accused}");
    }
}

#[test]
fn where_little_cpu_time_is_had_a_part_of_the_deadline_is_kept_for_the_report() {
    if !available() {
        return;
    }
    let look = || Recipe::plain(BASE).with(["--cpus=0.01"]).check(&["--no-gpu", "--deadline=8"]);
    // A quota is given out in slices: who gets a whole one at first has not yet noticed that the next will be late.
    let of = |report: &Report| report.fact("run.kept_seconds").as_f64();
    let report = (0..4).map(|_| look()).find(|report| of(report).is_some()).expect("it is noticed");
    let kept = of(&report).expect("seconds");
    assert!((0.25..=4.0).contains(&kept), "{kept}");
    assert_eq!(report.fact("run.deadline_seconds"), 8.0);
    assert!(report.json["notes"].to_string().contains("little CPU time was had"), "{}", report.json["notes"]);
}
