//! Each fault of the fake GPU, through the whole program: one cause, its dependants blocked, in time.

use super::gpu::{with_fake_gpu, with_fake_libraries};
use super::isolation::hardened;
use crate::support::docker::{BASE, available};
use crate::support::patience::allowed;
use crate::support::real_parts::note;

/// Seconds that a look is given where nothing hangs, and where something does.
const DEADLINE: f64 = 60.0;
const HUNG: f64 = 8.0;
/// Seconds beyond the deadline until the verdict must be there; starting a container is taken off.
const GRACE: f64 = 0.3;

/// Scenario, the check that must be the cause, whether others must be blocked by it.
const FAULTS: [(&str, &str, bool); 18] = [
    ("cu_init=3", "driver.initialised", true),
    ("cu_init=34", "library.cuda-not-stub", true),
    ("cu_init=100", "driver.devices-visible", true),
    ("cu_init=803", "driver.library-matches-kernel", true),
    ("cu_init=804", "driver.forward-compatible", true),
    ("cu_init=802", "driver.fabric-ready", true),
    ("cu_init=999", "driver.initialised", true),
    ("nvml_init=9;cu_init=100", "driver.kernel-loaded", true),
    ("nvml_init=9", "observability.nvml-answers", true),
    ("nvml_init=18;cu_init=803", "driver.library-matches-kernel", true),
    ("nvml_init=18", "observability.nvml-answers", true),
    ("hang=cuInit", "driver.answers", true),
    ("crash=cuInit", "driver.survives", true),
    ("exit=cuInit", "driver.survives", true),
    ("hang=nvmlInit_v2", "driver.management-answers", true),
    ("hang=cublasCreate_v2", "compute.multiply-runs", true),
    ("crash=cublasCreate_v2", "compute.multiply-runs", true),
    ("slow=0:0.33", "compute.rate-expected", true),
];

#[test]
fn each_fault_has_one_cause_and_blocks_what_depends_on_it() {
    if !available() {
        return;
    }
    // A container mostly waits.
    std::thread::scope(|scope| {
        for worker in 0..3 {
            let faults = FAULTS.into_iter().skip(worker).step_by(3);
            scope.spawn(move || faults.for_each(|(scenario, cause, blocks)| is_told(scenario, cause, blocks)));
        }
    });
}

fn is_told(scenario: &str, cause: &str, blocks: bool) {
    let recipe = with_fake_gpu(hardened(BASE)).with([format!("--env=FAKE_GPU={scenario}")]);
    let deadline = if scenario.contains("hang=") { HUNG } else { DEADLINE };
    let report = recipe.check(&["--deadline", &deadline.to_string()]);
    let wall = report.fact("run.wall_ms").as_f64().expect("a number") / 1000.0;
    assert!(wall < deadline + allowed(GRACE).as_secs_f64(), "{scenario}: the verdict came after {wall} s");
    assert_eq!((report.verdict(), report.code), ("not-ready", 1), "{scenario}: {}", report.troubles());
    let findings: Vec<_> = report.findings().collect();
    assert_eq!(findings[0]["check"], cause, "{scenario}: {}", report.troubles());
    let gating: Vec<_> = findings
        .iter()
        .filter(|finding| finding["outcome"] == "fails" && finding["gating"] == true && finding["check"] != cause)
        .collect();
    assert!(gating.is_empty(), "{scenario} is one trouble, yet {gating:#?}");
    let blocked = findings.iter().filter(|finding| finding["blocked_by"] == cause).count();
    assert_eq!(blocked > 0, blocks, "{scenario}: {blocked} blocked");
}

/// A real device stands for the GPU's, one that containers may not open by themselves and that only root may open.
#[test]
fn a_node_that_cannot_be_opened_tells_by_its_errno_who_refuses() {
    const DEVICE: &str = "/dev/loop-control";
    if !available() {
        return;
    }
    if !std::path::Path::new(DEVICE).exists() {
        return note(&format!("SKIPPED: no {DEVICE} here to stand for a device that is refused"));
    }
    for (rights, user, errno, cause, owner) in [
        // Root may open it, and the device cgroup lets nobody write to it.
        ("r", "0", "EPERM", "driver.nodes-permitted", "node"),
        ("rw", "1001", "EACCES", "driver.nodes-openable", "pod"),
    ] {
        let recipe = with_fake_libraries(hardened(BASE))
            .with([format!("--device={DEVICE}:/dev/nvidiactl:{rights}"), format!("--user={user}")])
            .with(["--env=FAKE_GPU=nvml_init=999;cu_init=304"]);
        let report = recipe.check(&["--deadline", &DEADLINE.to_string()]);
        assert_eq!(report.fact("driver.control_node_errno"), errno, "{}", report.fact("driver"));
        let first = report.findings().next().expect("findings");
        assert_eq!((&first["check"], &first["owner"]), (&cause.into(), &owner.into()), "{}", report.troubles());
        let dependants = report.findings().filter(|finding| finding["blocked_by"] == cause).count();
        assert!(dependants > 0, "{}", report.troubles());
    }
}

#[test]
fn what_a_library_prints_or_forks_is_no_fault_of_the_gpu() {
    if !available() {
        return;
    }
    for scenario in ["flood=cuInit", "fork=cuInit"] {
        let recipe = with_fake_gpu(hardened(BASE)).with([format!("--env=FAKE_GPU={scenario}")]);
        let report = recipe.check(&[]);
        assert_eq!((report.verdict(), report.code), ("ready", 0), "{scenario}: {}", report.troubles());
    }
}

#[test]
fn one_bad_gpu_of_eight_is_named_and_no_other() {
    if !available() {
        return;
    }
    let nodes = (1..8).map(|index| format!("--device=/dev/null:/dev/nvidia{index}"));
    let eight = || with_fake_gpu(hardened(BASE)).with(nodes.clone());
    for (scenario, cause) in [("wrong=3", "compute.product-exact"), ("slow=3:0.33", "compute.rate-expected")] {
        let report = eight().with([format!("--env=FAKE_GPU=count=8;{scenario}")]).check(&["--deadline", "240"]);
        assert_eq!(report.code, 1, "{scenario}: {}", report.troubles());
        let accused: Vec<_> = report
            .findings()
            .filter(|finding| finding["outcome"] == "fails" && finding["gating"] == true)
            .map(|finding| (finding["check"].clone(), finding["subject"].clone()))
            .collect();
        assert!(!accused.is_empty());
        for (check, subject) in accused {
            assert_eq!(check, cause, "{scenario}");
            assert!(subject.as_str().is_some_and(|subject| subject.starts_with("GPU 3 ")), "{scenario}: {subject}");
        }
    }
}

#[test]
fn a_hanging_driver_is_left_behind_and_the_workload_starts_clean() {
    if !available() {
        return;
    }
    // Counted by the shell itself, which starts nobody for it.
    let script = "set -- /proc/[0-9]*; echo $#";
    let recipe = with_fake_gpu(hardened(BASE)).with(["--env=FAKE_GPU=hang=cuInit"]);
    let output =
        recipe.run(&["gpu-preflight", "exec", "--mode", "report", "--deadline", "2", "--", "sh", "-c", script]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    // docker-init and the shell: nothing of ours.
    assert_eq!(words, ["2"], "{text}");
}
