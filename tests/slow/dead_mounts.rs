//! File systems that never answer: whatever lies on one, the report comes in time, names it, and a signal is heeded.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::dead_mount::{Dead, DeadMount};
use crate::support::patience::{allowed, until};

const BINARY: &str = env!("CARGO_BIN_EXE_gpu-preflight");
/// Far more than any of these runs may take, and far less than for ever.
const FOR_EVER: Duration = Duration::from_mins(2);

/// Every setting that may name a folder of the workload, and what stands behind the dead folder in it.
const SETTINGS: [(&str, &str); 12] = [
    ("HOME", "/me"),
    ("PATH", "/bin:/usr/bin:/bin"),
    ("PYTHONPATH", "/python"),
    ("VIRTUAL_ENV", "/venv"),
    ("CONDA_PREFIX", "/conda"),
    ("JUPYTER_CONFIG_DIR", "/jupyter"),
    ("JUPYTER_RUNTIME_DIR", "/jupyter"),
    ("JUPYTER_DATA_DIR", "/jupyter"),
    ("JUPYTER_PATH", "/jupyter"),
    ("CUDA_MPS_PIPE_DIRECTORY", "/mps"),
    ("TMPDIR", "/tmp"),
    ("HF_HOME", "/models"),
];

/// Parts of a look without a GPU.
const PARTS: [&str; 14] = [
    "compile",
    "container",
    "environment",
    "framework",
    "host",
    "identity",
    "image",
    "isolation",
    "libraries",
    "limits",
    "network",
    "services",
    "storage",
    "workload",
];

/// Whether a probe came to its end.
fn completed(report: &Value, probe: &str) -> bool {
    let probes = report["facts"]["probes"].as_array().expect("probes");
    probes.iter().any(|run| run["name"] == probe && run["end"] == "completed")
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("env runs")
}

/// Its output; it is ended, and the test failed, where it hangs.
#[track_caller]
fn ended(child: Child, what: &str) -> Output {
    let pid = Pid::from_child(&child);
    let waiter = std::thread::spawn(move || child.wait_with_output());
    let hopeless = Instant::now() + FOR_EVER;
    while !waiter.is_finished() {
        if Instant::now() >= hopeless {
            let _ = kill_process(pid, Signal::KILL);
            panic!("{what} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    waiter.join().expect("no panic").expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

fn finding<'a>(report: &'a Value, check: &str) -> Option<&'a Value> {
    report["findings"].as_array().expect("findings").iter().find(|finding| finding["check"] == check)
}

/// The report of a look with one variable set.
fn check(mount: &mut DeadMount, variable: &str, value: &str) -> Value {
    let set = format!("{variable}={value}");
    let arguments = [&set, BINARY, "check", "--no-gpu", "--deadline=20", "--verbose", "--format=json"];
    json(&ended(start(&mut mount.command("/usr/bin/env", &arguments)), variable))
}

#[test]
fn whatever_setting_leads_there_the_report_comes() {
    let Some(mut mount) = DeadMount::new(Dead::Silent) else { return };
    let dead = mount.path().to_string_lossy().into_owned();
    for (variable, inner) in SETTINGS {
        let report = check(&mut mount, variable, &format!("{dead}{inner}"));
        // Where nothing of Jupyter or of a GPU is, its folders are of no interest.
        let stuck = report["facts"]["storage"]["stuck"].as_array().expect("a list");
        let is_asked = !matches!(variable, "JUPYTER_CONFIG_DIR" | "JUPYTER_PATH" | "CUDA_MPS_PIPE_DIRECTORY");
        assert!(stuck.len() == 1 || !is_asked, "{variable}: {stuck:?}");
        if stuck.is_empty() {
            continue;
        }
        let told = finding(&report, "storage.folders-answer").expect("it is told");
        for part in PARTS {
            assert!(completed(&report, part), "{variable}: {part} was not read: {}", report["facts"]["probes"]);
        }
        assert_eq!((&told["outcome"], &told["subject"]), (&"fails".into(), &dead.as_str().into()), "{variable}");
        let message = told["message"].as_str().expect("a message");
        assert!(message.contains("(fuse.dead from dead@server) does not answer"), "{message}");
        let holds = |check: &str| finding(&report, check).is_some_and(|finding| finding["outcome"] != "unknown");
        assert!(holds("identity.not-root") && holds("isolation.root-read-only"), "{variable}: the rest is known");
    }
}

#[test]
fn where_a_gpu_may_be_its_files_are_read_past_a_dead_folder_of_mps() {
    let Some(mut mount) = DeadMount::new(Dead::Deaf) else { return };
    let folder = format!("CUDA_MPS_PIPE_DIRECTORY={}", mount.path().display());
    let arguments = [&folder, BINARY, "check", "--tier=quick", "--deadline=20", "--verbose", "--format=json"];
    let report = json(&ended(start(&mut mount.command("/usr/bin/env", &arguments)), "MPS"));
    assert_eq!(finding(&report, "storage.folders-answer").expect("told")["outcome"], "fails");
    assert!(completed(&report, "driver"), "{}", report["facts"]["probes"]);
    assert_eq!(
        report["facts"]["driver"]["mps_control_present"]["unknown"], "timed-out",
        "{}",
        report["facts"]["driver"]
    );
}

#[test]
fn what_cannot_be_killed_is_left_behind_and_what_lies_there_is_unknown() {
    let Some(mut mount) = DeadMount::new(Dead::Deaf) else { return };
    let home = mount.path().join("me").to_string_lossy().into_owned();
    let report = check(&mut mount, "HOME", &home);
    assert_eq!(finding(&report, "storage.folders-answer").expect("told")["outcome"], "fails");
    let facts = &report["facts"];
    for unknown in [&facts["identity"]["home_writable"], &facts["framework"]["torch_version"], &facts["libraries"]] {
        assert_eq!(unknown["unknown"], "timed-out", "{unknown}");
        assert!(unknown["detail"].as_str().is_some_and(|detail| detail.contains("does not answer")), "{unknown}");
    }
    let disks = facts["storage"]["disks"].as_array().expect("disks");
    let free = |role: &str| &disks.iter().find(|disk| disk["role"] == role).expect("a disk")["free_bytes"];
    assert!(free("root").is_number() && free("home")["unknown"] == "timed-out", "{disks:?}");
}

#[test]
fn a_link_into_it_is_as_dead_and_a_folder_beside_it_is_not() {
    let Some(mut mount) = DeadMount::new(Dead::Silent) else { return };
    let (link, beside) = (mount.beside().join("home"), mount.beside().join("other"));
    std::os::unix::fs::symlink(mount.path(), &link).expect("a link");
    std::fs::create_dir(&beside).expect("a folder");
    let report = check(&mut mount, "HOME", &link.to_string_lossy());
    assert_eq!(report["facts"]["storage"]["stuck"][0]["point"], mount.path().to_string_lossy().as_ref());
    let report = check(&mut mount, "HOME", &beside.to_string_lossy());
    assert_eq!(report["facts"]["storage"]["stuck"], Value::Array(Vec::new()), "it is mounted and nobody needs it");
    assert_eq!(report["facts"]["identity"]["home_writable"], true);
}

#[test]
fn a_dead_working_folder_holds_up_nobody() {
    let Some(mut mount) = DeadMount::new(Dead::Deaf) else { return };
    let folder = format!("--chdir={}", mount.path().display());
    let arguments = [folder.as_str(), BINARY, "check", "--no-gpu", "--deadline=20", "--verbose", "--format=json"];
    let report = json(&ended(start(&mut mount.command("/usr/bin/env", &arguments)), "the working folder"));
    assert_eq!(finding(&report, "storage.folders-answer").expect("told")["outcome"], "fails");
}

#[test]
fn files_that_the_command_line_names_are_given_up() {
    let Some(mut mount) = DeadMount::new(Dead::Deaf) else { return };
    let path = |name: &str| mount.path().join(name).to_string_lossy().into_owned();
    let (file, folder) = (path("file"), path("folder"));
    let cases: [(&[&str], i32); 8] = [
        (&["check", "--no-gpu", "--profile", &file], 78),
        (&["check", "--no-gpu", "--checks", &folder], 78),
        (&["check", "--no-gpu", "--output", &file], 74),
        (&["facts", "--no-gpu", "--output", &file], 74),
        (&["judge", &file], 78),
        (&["gpus", "--from", &file], 78),
        (&["list", "--checks", &folder], 78),
        (&["explain", "limits.memory-limited", "--checks", &folder], 78),
    ];
    for (arguments, code) in cases {
        let output = ended(start(&mut mount.command(BINARY, arguments)), arguments[0]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains("does not answer") && errors.lines().count() == 1, "{arguments:?}: {errors}");
    }
}

#[test]
fn the_workload_is_started_by_the_deadline_whatever_hangs() {
    let Some(mut mount) = DeadMount::new(Dead::Deaf) else { return };
    let dead = mount.path().to_string_lossy().into_owned();
    let (home, path, file) = (format!("HOME={dead}"), format!("PATH={dead}:/usr/bin:/bin"), format!("{dead}/file"));
    for (set, more) in
        [(&*home, &[][..]), (&*path, &[]), ("A=b", &["--profile", &*file]), ("A=b", &["--output", &*file])]
    {
        let before = [set, BINARY, "exec", "--no-gpu", "--mode=report", "--deadline=4"];
        let arguments = [&before[..], more, &["--", "sh", "-c", "echo started; exit 42"]].concat();
        let output = ended(start(&mut mount.command("/usr/bin/env", &arguments)), set);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(42), "started\n"), "{set} {more:?}");
    }
}

#[test]
fn on_which_gpus_an_image_runs_is_said_without_what_does_not_answer() {
    let Some(mut mount) = DeadMount::new(Dead::Silent) else { return };
    let home = format!("HOME={}", mount.path().display());
    let output = ended(start(&mut mount.command("/usr/bin/env", &[&home, BINARY, "gpus", "H100"])), "gpus");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

/// A look with a deadline of an hour, once its child hangs.
fn hanging(mount: &mut DeadMount) -> Child {
    let home = format!("HOME={}", mount.path().display());
    let arguments = [&home, BINARY, "check", "--no-gpu", "--deadline=3600", "--format=json"];
    let child = start(&mut mount.command("/usr/bin/env", &arguments));
    until("a child hangs", || hangs(Pid::from_child(&child)));
    child
}

/// Whether a child of this process is held in the kernel, in state D: who asks a dead FUSE is.
fn hangs(parent: Pid) -> bool {
    let pid = parent.as_raw_nonzero().get().to_string();
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes.into_iter().any(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        let is_child = stat.rsplit_once(')').is_some_and(|(_, rest)| rest.split_whitespace().nth(1) == Some(&pid));
        is_child
            && std::fs::read_dir(process.path().join("task")).into_iter().flatten().flatten().any(|thread| {
                let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('D'))
            })
    })
}

#[test]
fn the_first_signal_ends_with_what_is_known_and_the_second_at_once() {
    for dead in [Dead::Silent, Dead::Deaf] {
        let Some(mut mount) = DeadMount::new(dead) else { return };
        let child = hanging(&mut mount);
        kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
        let started = Instant::now();
        let report = json(&ended(child, "the first signal"));
        assert!(started.elapsed() < allowed(1.0), "{dead:?}: {:?}", started.elapsed());
        assert_eq!(report["facts"]["schema"], "gpu-preflight/facts/2", "{dead:?}");

        let child = hanging(&mut mount);
        let pid = Pid::from_child(&child);
        // While it stands still both wait for it, so that nothing comes between them.
        for signal in [Signal::STOP, Signal::INT, Signal::TERM, Signal::CONT] {
            kill_process(pid, signal).expect("it runs");
        }
        let started = Instant::now();
        let output = ended(child, "the second signal");
        assert!(started.elapsed() < allowed(0.2), "{dead:?}: {:?}", started.elapsed());
        assert!(matches!(output.status.code(), Some(130 | 143)), "{:?}", output.status);
        assert!(output.stdout.is_empty(), "there was no time for a report");
    }
}

#[test]
fn a_workload_that_is_told_to_end_before_it_began_leaves_a_line() {
    let Some(mut mount) = DeadMount::new(Dead::Deaf) else { return };
    let home = format!("HOME={}", mount.path().display());
    let arguments = [&home, BINARY, "exec", "--no-gpu", "--deadline=3600", "--", "echo", "started"];
    let child = start(&mut mount.command("/usr/bin/env", &arguments));
    until("a child hangs", || hangs(Pid::from_child(&child)));
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    let output = ended(child, "exec");
    let line = "gpu-preflight: ended by SIGTERM while it looked; the workload was not started\n";
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), ("", line));
    assert_eq!(output.status.signal(), Some(15), "{:?}", output.status);
}
