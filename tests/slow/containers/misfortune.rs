//! Containers in which something is missing, full, closed or masked.

use super::gpu::{NODES, fakes};
use crate::support::docker::{BASE, PATIENT, Recipe, available, text};
use crate::support::report::Report;

/// Runs a script that may take mounts away, with the report on its standard output.
fn report_of(script: &str) -> Report {
    // AppArmor and seccomp may forbid umount even to a process with the capability.
    let flags = ["--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined", "--security-opt=seccomp=unconfined"];
    Report::read(&Recipe::plain(BASE).with(flags).run(&["bash", "-c", script]))
}

#[test]
fn without_proc_nothing_is_called_ready() {
    if !available() {
        return;
    }
    let report = report_of("umount --lazy /proc; gpu-preflight check --deadline=60 --no-gpu --verbose --format=json");
    assert_ne!(report.verdict(), "ready", "{}", report.troubles());
    assert!(
        report.fact("network.listeners").is_object(),
        "not looked at is unknown: {}",
        report.fact("network.listeners")
    );
    assert!(report.fact("identity.capabilities_effective").is_object());
}

#[test]
fn without_sys_a_limit_that_cannot_be_read_is_not_a_missing_limit() {
    if !available() {
        return;
    }
    let report =
        report_of("umount --recursive --lazy /sys; gpu-preflight check --deadline=60 --no-gpu --verbose --format=json");
    assert_ne!(report.verdict(), "ready", "{}", report.troubles());
    assert!(!report.fact("limits.memory_bytes").is_number());
}

#[test]
fn without_an_environment_the_report_is_whole() {
    if !available() {
        return;
    }
    let check = [
        "env",
        "--ignore-environment",
        "/usr/local/bin/gpu-preflight",
        "check",
        PATIENT,
        "--no-gpu",
        "--verbose",
        "--format=json",
    ];
    let report = Report::read(&Recipe::plain(BASE).run(&check));
    assert_eq!(report.verdict(), "not-ready", "{}", report.troubles());
    assert_eq!(report.fact("identity.home"), "/root");
}

#[test]
fn a_user_without_a_passwd_entry_is_said_to_have_none() {
    if !available() {
        return;
    }
    let report = Recipe::plain(BASE).with(["--user=54321"]).check(&["--no-gpu"]);
    assert_eq!(report.fact("identity.uid"), 54321);
    assert!(report.fact("identity.user_name").is_null());
}

#[test]
fn a_full_disk_leaves_the_old_report_whole() {
    if !available() {
        return;
    }
    let script = "echo old >/out/report
        head -c 1M /dev/zero >/out/filling 2>/dev/null
        gpu-preflight check --deadline=60 --no-gpu --verbose --format=json --output=/out/report; echo \"code $?\"; cat /out/report; ls /out";
    let output = Recipe::plain(BASE).with(["--tmpfs=/out:size=16k"]).run(&["bash", "-c", script]);
    assert_eq!(text(&output.stdout), "code 74\nold\nfilling\nreport\n", "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("/out/report"), "{}", text(&output.stderr));
}

#[test]
fn a_closed_standard_output_is_an_error_and_no_panic() {
    if !available() {
        return;
    }
    let output = Recipe::plain(BASE).run(&["bash", "-c", "gpu-preflight check --deadline=60 --no-gpu >&-; exit $?"]);
    assert_eq!(output.status.code(), Some(74), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
}

#[test]
fn the_report_of_a_recording_is_the_report_of_the_moment() {
    if !available() {
        return;
    }
    // One container, because process 1 is a part of what is judged.
    let container = Recipe::plain(BASE).start(&["sleep", "600"]);
    container.output(&["gpu-preflight", "facts", PATIENT, "--no-gpu", "--output=/tmp/facts.json"]);
    let judge = ["gpu-preflight", "judge", "--verbose", "--format=json", "/tmp/facts.json"];
    let judged = container.exec(&judge);
    assert_eq!(text(&judged.stdout), text(&container.exec(&judge).stdout));
    let (judged, checked) = (Report::read(&judged), container.check(&["--no-gpu"]));
    for outcome in ["fails", "unknown", "holds", "blocked", "not-applicable"] {
        assert_eq!(judged.with_outcome(outcome), checked.with_outcome(outcome), "{outcome}");
    }
    assert_eq!(judged.json["score"], checked.json["score"]);
}

#[test]
fn without_room_for_a_thread_or_a_process_everything_else_is_still_looked_at() {
    if !available() {
        return;
    }
    for limit in ["1", "2", "5"] {
        let recipe = Recipe::plain(BASE).with([format!("--pids-limit={limit}")]);
        let output = recipe.run(&["gpu-preflight", "check", PATIENT, "--no-gpu", "--verbose", "--format=json"]);
        assert!(!text(&output.stderr).contains("panicked"), "{limit}: {}", text(&output.stderr));
        let report = Report::read(&output);
        assert_eq!((report.verdict(), report.code), ("not-ready", 1), "{limit}: {}", report.troubles());
        assert!(report.with_outcome("fails").contains(&"identity.not-root"), "{limit}: {}", report.troubles());
        assert!(report.fact("network.listeners").is_array(), "{limit}");
        // A plain root container is stopped, as it would be with room to spare.
        let output = recipe.run(&["gpu-preflight", "exec", PATIENT, "--no-gpu", "--", "echo", "started"]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{limit}");
    }
}

/// The driver's libraries where everybody finds them, and a runtime and a PyTorch in the home folder of root, as an image
/// has them that was built as root and runs as somebody else.
const BUILT_UNDER_ROOT: &str = "
    mkdir -p /usr/local/nvidia/lib64 /root/venv/lib/cuda /root/venv/lib/python3.11/site-packages/torch
    cp -a /fakes/*.so* /usr/local/nvidia/lib64
    mv /usr/local/nvidia/lib64/libcudart.so* /usr/local/nvidia/lib64/libcublas*.so* /root/venv/lib/cuda
    printf '__version__ = \"2.7.1+cu126\"\\ncuda = \"12.6\"\\n' >/root/venv/lib/python3.11/site-packages/torch/version.py
    chmod 700 /root/venv /root";
const AS_USER: [&str; 9] = [
    "setpriv",
    "--reuid=1001",
    "--regid=1001",
    "--clear-groups",
    "env",
    "HOME=/home/app",
    "VIRTUAL_ENV=/root/venv",
    "LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/root/venv/lib/cuda",
    "gpu-preflight",
];

#[test]
fn what_lies_under_a_closed_home_is_not_called_absent_and_opening_it_is_the_remedy() {
    if !available() {
        return;
    }
    let container = Recipe::plain(BASE).with(NODES).mount(fakes(), "/fakes").start(&["sleep", "600"]);
    container.output(&["sh", "-c", BUILT_UNDER_ROOT]);
    let check = ["check", PATIENT, "--format=json", "--only=framework,library,driver"];
    let look = || Report::read(&container.exec(&[&AS_USER[..], &check].concat()));

    let report = look();
    assert_eq!(report.fact("framework.torch_version")["unknown"], "not-permitted", "{}", report.troubles());
    assert_eq!(report.fact("compatibility.cudart_found")["unknown"], "not-permitted", "{}", report.troubles());
    assert_eq!(report.with_outcome("fails"), ["framework.packages-readable"], "{}", report.troubles());
    assert_eq!(report.verdict(), "incomplete", "{}", report.troubles());
    let blocked = |report: &Report, id: &str| {
        report.findings().any(|one| one["check"] == id && one["blocked_by"] == "framework.packages-readable")
    };
    for id in ["library.cudart-found", "library.cublas-found", "framework.cuda-build"] {
        assert!(blocked(&report, id), "{id}: {}", report.troubles());
    }
    let cause = report.findings().next().expect("findings");
    assert_eq!(cause["check"], "framework.packages-readable", "{}", report.troubles());
    let remedy = cause["remedy"]["image"].as_str().and_then(|text| text.split('`').nth(1)).expect("a command");

    container.output(&["sh", "-c", remedy.trim_start_matches("RUN ")]);
    let report = look();
    assert_eq!(report.fact("framework.torch_version"), "2.7.1+cu126");
    assert!(report.with_outcome("fails").is_empty(), "{}", report.troubles());
    assert_eq!(report.verdict(), "ready", "{}", report.troubles());
}
