//! `exec` as process 1: the workload gets the container as if we had never been there.

use std::os::unix::fs::PermissionsExt;

use super::gpu::with_fake_gpu;
use crate::support::docker::{BASE, PATIENT, Recipe, available, text};

/// As an entrypoint in a container that is far from ready, started all the same.
const REPORT: [&str; 6] = ["gpu-preflight", "exec", PATIENT, "--mode=report", "--no-gpu", "--"];
/// As an entrypoint that stops what is not ready.
const ENFORCE: [&str; 5] = ["gpu-preflight", "exec", PATIENT, "--no-gpu", "--"];

#[test]
fn the_exit_code_is_the_workloads_own() {
    if !available() {
        return;
    }
    let code = |command: &[&str]| Recipe::plain(BASE).run(&[&REPORT[..], command].concat()).status.code();
    assert_eq!(code(&["sh", "-c", "exit 42"]), Some(42));
    assert_eq!(code(&["no-such-program"]), Some(127));
    assert_eq!(code(&["/etc/passwd"]), Some(126));
}

#[test]
fn a_workload_that_is_not_ready_is_not_started() {
    if !available() {
        return;
    }
    let output = Recipe::plain(BASE).run(&[&ENFORCE[..], &["echo", "started"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let off = Recipe::plain(BASE).with(["--env=GPU_PREFLIGHT_MODE=off"]);
    assert_eq!(text(&off.run(&[&ENFORCE[..], &["echo", "started"]].concat()).stdout), "started\n");
}

#[test]
fn the_workload_is_process_1_and_nothing_of_us_is_left() {
    if !available() {
        return;
    }
    let container = Recipe::plain(BASE).start(&[&REPORT[..], &["sleep", "600"]].concat());
    container.until("the workload", "test \"$(cat /proc/1/comm)\" = sleep");
    assert_eq!(container.output(&["sh", "-c", "cd /proc/1/fd && echo *"]), "0 1 2");
    // Field 4 of stat is the parent; a process that `docker exec` starts has none here.
    let children = "for stat in /proc/[0-9]*/stat; do sed 's/.*) . //; s/ .*//' $stat; done 2>/dev/null | grep -cx 1";
    assert_eq!(text(&container.exec(&["sh", "-c", children]).stdout).trim(), "0");
    let others = "for comm in /proc/[0-9]*/comm; do cat $comm; done 2>/dev/null | grep -c gpu-preflight";
    assert_eq!(text(&container.exec(&["sh", "-c", others]).stdout).trim(), "0");
    assert_eq!(container.output(&["sh", "-c", "grep -c gpu-preflight /proc/1/maps || true"]), "0");
}

#[test]
fn a_termination_signal_reaches_the_workload() {
    if !available() {
        return;
    }
    let workload = "trap 'exit 7' TERM; echo listening; while :; do sleep 0.1; done";
    let container = Recipe::plain(BASE).start(&[&REPORT[..], &["sh", "-c", workload]].concat());
    container.until("the workload", "grep -q ^sh$ /proc/1/comm");
    container.until("its trap", "test $((0x$(sed -n 's/^SigCgt:.//p' /proc/1/status) >> 14 & 1)) = 1");
    container.signal("TERM");
    assert_eq!(container.wait(), "7");
    assert!(container.logs().contains("listening"));
}

#[test]
fn a_termination_signal_while_we_look_ends_the_container() {
    if !available() {
        return;
    }
    let recipe = with_fake_gpu(Recipe::plain(BASE)).with(["--env=FAKE_GPU=hang=cuInit"]);
    let exec = ["gpu-preflight", "exec", "--mode=report", "--deadline=60", "--", "echo", "started"];
    let container = recipe.start(&exec);
    container.until("the hanging probe", "grep -qs [c]uda /proc/[0-9]*/cmdline");
    let scores = "for process in $(grep -ls [c]uda /proc/[0-9]*/cmdline); do cat ${process%/*}/oom_score_adj; done";
    assert_eq!(container.output(&["sh", "-c", scores]), "1000", "where memory is short it goes first");
    assert_eq!(container.output(&["cat", "/proc/1/oom_score_adj"]), "0", "and the workload is as it would be");
    container.signal("TERM");
    assert_eq!(container.wait(), "143");
    let logs = container.logs();
    let line = "gpu-preflight: ended by SIGTERM while it looked; the workload was not started";
    assert!(logs.lines().eq([line]), "{logs}");
}

#[test]
fn the_workload_finds_what_it_would_have_found_without_us() {
    if !available() {
        return;
    }
    let look = [
        "sh",
        "-c",
        "env | sort; umask; ulimit -a; ulimit -Ha; pwd; id; nice; ls -l /proc/self/fd | grep -c pipe; ls /proc/self/fd
        grep -E '^(Sig(Blk|Ign|Cgt)|ShdPnd|Cap|NoNewPrivs|Seccomp|Cpus_allowed_list|PPid|NSpgid|NSsid)' /proc/self/status
        cat /proc/self/oom_score_adj /proc/self/coredump_filter /proc/self/personality; cat /proc/self/timerslack_ns",
    ];
    let flags = ["--hostname=same", "--env=EMPTY=", "--env=UTF8=ü", "--workdir=/var"];
    for user in ["--user=0", "--user=1001"] {
        let recipe = Recipe::plain(BASE).with(flags).with([user]);
        let without = text(&recipe.run(&look).stdout);
        assert!(without.contains("EMPTY=") && without.contains("SigIgn"), "{without}");
        let with = text(&recipe.run(&[&REPORT[..], &look].concat()).stdout);
        assert_eq!(with, without);
    }
}

#[test]
fn a_closed_pipe_ends_the_workload_as_it_would_have_without_us() {
    if !available() {
        return;
    }
    let script =
        "gpu-preflight exec --deadline=60 --mode=report --no-gpu -- yes 2>/dev/null | head -n 1; echo ${PIPESTATUS[0]}";
    // 141 is death by SIGPIPE; a program that ignores the signal would end with another code.
    assert_eq!(text(&Recipe::plain(BASE).run(&["bash", "-c", script]).stdout), "y\n141\n");
}

#[test]
fn kubernetes_gets_the_cause_in_its_termination_log() {
    if !available() {
        return;
    }
    let log = tempfile::NamedTempFile::new().expect("a file");
    std::fs::set_permissions(log.path(), PermissionsExt::from_mode(0o666)).expect("permissions");
    let mount = format!("--volume={}:/dev/termination-log", log.path().display());
    let pod = Recipe::plain(BASE).with([mount.as_str(), "--env=KUBERNETES_SERVICE_HOST=10.0.0.1"]);
    let output = pod.run(&[&ENFORCE[..], &["true"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let summary = std::fs::read_to_string(log.path()).expect("a summary");
    assert!((1..=1024).contains(&summary.len()), "{} bytes: {summary}", summary.len());
    assert!(summary.contains("NOT READY"), "{summary}");
}
