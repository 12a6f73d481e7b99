//! Probes in children: the real binary, and programs that misbehave in every way a vendor library can.

use std::path::Path;
use std::time::{Duration, Instant};

use gpu_preflight::collect::{Input, collect};
use gpu_preflight::facts::{DiskRole, Fact, FailedHow, GapKind, ProbeEnd, Storage};
use gpu_preflight::world::World;
use gpu_preflight::world::child::{Gate, Probed, Working, prepare, probe, probe_at_work, probe_while, settle};

use crate::support::own_process::is_own;
use crate::support::patience::{allowed, until};

const BINARY: &str = env!("CARGO_BIN_EXE_gpu-preflight");

/// One disk of a storage reading whose size is known and whose free space is not.
const SO_FAR: &str = r#"{"disks":[{"role":"root","path":"/","total_bytes":7,"free_bytes":{"unknown":"not-asked"}}]}"#;

/// A shell script in the place of our own program; it talks on standard output as a probe does.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/quick/child-program.sh");

/// Runs a script as a probe for at most `patience`.
fn run(text: &str, patience: Duration) -> (Probed<Storage>, Duration, tempfile::TempDir) {
    run_at(None, text, patience)
}

/// The same with a gate that it may have to wait at.
fn run_at(gate: Option<&Gate>, text: &str, patience: Duration) -> (Probed<Storage>, Duration, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = vec![
        ("PATH".into(), "/usr/bin:/bin".into()),
        ("HERE".into(), folder.path().as_os_str().to_owned()),
        ("SCRIPT".into(), text.into()),
    ];
    let world = World::at("/", environment, patience).with_program(SCRIPT);
    let started = Instant::now();
    let probed = probe_at_work(&world, "any", Some(0), &"input", gate, started + patience);
    (probed, started.elapsed(), folder)
}

/// Whether the process whose number is in `file` is gone, or a zombie that nobody but its parent can remove.
fn is_gone(file: &Path) -> bool {
    let pid = std::fs::read_to_string(file).expect("a process id");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[test]
fn the_real_binary_asks_the_disks() {
    let world = World::here(Duration::from_mins(2)).with_program(BINARY);
    let facts = collect(&world, &Input { no_gpu: true, ..Input::default() });
    let run = facts.probes.iter().find(|run| run.name == "readings").expect("a child reads");
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    let disks = facts.storage.disks.known().expect("disks");
    let root = disks.iter().find(|disk| disk.role == DiskRole::Root).expect("the root");
    assert!(root.total_bytes.known().is_some_and(|bytes| *bytes > 0), "{root:?}");
    assert!(root.free_bytes.known().is_some() && root.writable.known().is_some() && root.kind.known().is_some());
}

#[test]
fn who_is_ready_before_it_is_asked_serves_the_world_it_was_made_for_and_else_is_ended() {
    // There is one such child in a process, and the other tests end it.
    if !is_own("child::who_is_ready_before_it_is_asked_serves_the_world_it_was_made_for_and_else_is_ended") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("echo $$ >> \"$HERE/pids\"\nread -r input\necho '{{\"done\":{SO_FAR}}}'\nsleep 60");
    let environment = vec![
        ("PATH".into(), "/usr/bin:/bin".into()),
        ("HERE".into(), folder.path().as_os_str().to_owned()),
        ("SCRIPT".into(), text.into()),
    ];
    let patience = Duration::from_mins(1);
    let world = World::at("/", environment.clone(), patience).with_program(SCRIPT);
    let pids = || std::fs::read_to_string(folder.path().join("pids")).unwrap_or_default();
    let started = |count: usize| until("they start", || pids().lines().count() == count);
    let ask = |world: &World, name: &str| {
        let probed: Probed<Storage> = probe(world, name, None, &"input", Instant::now() + patience);
        assert_eq!(probed.run.end, ProbeEnd::Completed);
    };
    prepare(&world, "any");
    prepare(&world, "any"); // one is enough
    started(1);
    ask(&world, "any");
    assert_eq!(pids().lines().count(), 1, "the one that was ready is asked");
    ask(&world, "any");
    started(2);
    prepare(&world, "any");
    started(3);
    let elsewhere = [environment, vec![("ANOTHER".into(), "1".into())]].concat();
    ask(&World::at("/", elsewhere, patience).with_program(SCRIPT), "any");
    ask(&world, "another");
    started(5);
    settle();
    let last = folder.path().join("last");
    std::fs::write(&last, pids().lines().nth(2).expect("the third")).expect("written");
    until("it ends that nobody asked anything", || is_gone(&last));
}

#[test]
fn what_hangs_before_its_gate_is_blamed_for_nothing_and_what_hangs_behind_it_is() {
    let hangs = "read -r input\n[ -z \"$WAITS\" ] || cat >/dev/null\necho '{\"at\":\"cudaSetDevice\"}'\nsleep 60";
    let patience = Duration::from_secs(3);
    let (before, _, _folder) = run_at(Some(&Gate::default()), hangs, patience);
    assert_eq!((before.run.end, before.got_through, before.lost), (ProbeEnd::TimedOut, false, None));
    let gate = Gate::default();
    gate.admit(1, Instant::now() + patience);
    let (behind, _, _folder) = run_at(Some(&gate), &format!("WAITS=1\n{hangs}"), Duration::from_mins(2));
    assert_eq!((behind.run.end, behind.got_through), (ProbeEnd::TimedOut, true), "the gate says until when");
    assert_eq!(behind.lost.map(|lost| (lost.call, lost.how)), Some(("cudaSetDevice".to_owned(), FailedHow::TimedOut)));
}

#[test]
fn who_is_let_through_is_told_until_when_and_who_is_not_is_ended_at_once() {
    let waits = format!("read -r input\nuntil=$(cat)\n[ \"$until\" -gt 0 ] && echo '{{\"done\":{SO_FAR}}}'\nsleep 60");
    let gate = Gate::default();
    gate.admit(1, Instant::now() + Duration::from_mins(1));
    let (probed, _, _folder) = run_at(Some(&gate), &waits, Duration::from_mins(1));
    assert_eq!((probed.run.end, probed.got_through, probed.reading.is_some()), (ProbeEnd::Completed, true, true));
    let gate = Gate::default();
    gate.close();
    let (probed, wall, _folder) = run_at(Some(&gate), &waits, Duration::from_mins(1));
    assert_eq!((probed.got_through, probed.lost), (false, None));
    assert!(wall < allowed(1.0), "{wall:?}");
}

#[test]
fn a_child_that_hangs_is_ended_at_the_deadline_and_what_it_said_is_kept() {
    let text = format!(
        "echo $$ > $HERE/pid\ntrap '' TERM\necho '{{\"so_far\":{SO_FAR}}}'\necho '{{\"at\":\"cuInit\"}}'\nsleep 60\nsleep 60"
    );
    let (probed, wall, folder) = run(&text, Duration::from_secs(3));
    assert_eq!(probed.run.end, ProbeEnd::TimedOut);
    assert_eq!(probed.run.at, Fact::Known("cuInit".to_owned()));
    assert!(wall >= Duration::from_secs(3) && wall < Duration::from_secs(3) + allowed(0.5), "{wall:?}");
    assert!(is_gone(&folder.path().join("pid")));
    let disks = probed.reading.expect("a reading").disks;
    let disk = disks.known().and_then(|disks| disks.first()).expect("a disk").clone();
    assert_eq!(disk.total_bytes, Fact::Known(7));
    let Fact::Unknown(gap) = disk.free_bytes else { panic!("{:?}", disk.free_bytes) };
    assert_eq!(gap.kind, GapKind::TimedOut);
    assert!(gap.detail.contains("cuInit"), "{gap}");
}

#[test]
fn a_child_that_crashes_says_which_signal_in_which_call() {
    let (probed, ..) = run("echo '{\"at\":\"cublasCreate\"}'\nkill -SEGV $$", Duration::from_secs(20));
    assert_eq!(probed.run.end, ProbeEnd::Crashed);
    let gap = probed.gap.expect("a gap");
    assert_eq!((gap.kind, gap.detail.as_str()), (GapKind::Crashed, "cublasCreate ended in SIGSEGV"));
    let lost = probed.lost.expect("a lost call");
    assert_eq!((lost.call.as_str(), lost.how), ("cublasCreate", FailedHow::Crashed));
    assert_eq!(lost.signal, Fact::Known("SIGSEGV".to_owned()));
    assert!(probed.reading.is_none());
}

#[test]
fn a_child_that_leaves_without_an_answer_has_not_completed() {
    for code in [0, 7] {
        let (probed, ..) = run(&format!("exit {code}"), Duration::from_secs(20));
        assert_eq!(probed.run.end, ProbeEnd::Exited);
        let detail = probed.run.detail.known().cloned().expect("a detail");
        assert!(detail.contains(&format!("exit code {code}")), "{detail}");
    }
}

#[test]
fn an_answer_is_enough_and_nobody_waits_for_the_exit() {
    let (probed, wall, folder) =
        run(&format!("echo $$ > $HERE/pid\necho '{{\"done\":{SO_FAR}}}'\nsleep 60"), Duration::from_secs(30));
    assert_eq!(probed.run.end, ProbeEnd::Completed);
    assert!(probed.reading.is_some() && probed.gap.is_none());
    assert!(wall < allowed(2.0), "{wall:?}");
    assert!(is_gone(&folder.path().join("pid")));
}

#[test]
fn what_a_child_forked_neither_holds_us_up_nor_survives() {
    let (probed, wall, folder) = run("sleep 60 &\necho $! > $HERE/pid\nexit 3", Duration::from_secs(30));
    assert_eq!(probed.run.end, ProbeEnd::Exited);
    assert!(wall < allowed(2.0), "{wall:?}");
    until("what it forked ends", || is_gone(&folder.path().join("pid")));
}

#[test]
fn a_flood_is_cut_off() {
    for flood in ["yes", "exec cat /dev/zero"] {
        let (probed, wall, _folder) = run(flood, Duration::from_mins(1));
        assert_eq!(probed.run.end, ProbeEnd::Exited, "{flood}");
        assert!(wall < allowed(6.0), "{flood}: {wall:?}");
    }
}

#[test]
fn what_is_not_ours_on_the_pipe_is_passed_over() {
    let text = format!(
        "echo 'Loading libraries …'\nprintf '\\377\\n[1]\\n{{\"done\":'\nsleep 0.1\necho '{SO_FAR}}}'\nsleep 60"
    );
    let (probed, ..) = run(&text, Duration::from_secs(30));
    assert_eq!(probed.run.end, ProbeEnd::Completed);
    assert!(probed.reading.is_some());
}

/// Runs a script as a probe that watches work, which is over some time after the script has made the file `begun`.
fn watch(text: &str, work: Duration) -> (Probed<Storage>, Duration) {
    watch_until(text, work, Working::end)
}

/// The same for work that ends in another way.
fn watch_until(text: &str, work: Duration, end: fn(&Working)) -> (Probed<Storage>, Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = vec![
        ("PATH".into(), "/usr/bin:/bin".into()),
        ("HERE".into(), folder.path().as_os_str().to_owned()),
        ("SCRIPT".into(), text.into()),
    ];
    let world = World::at("/", environment, Duration::from_mins(5)).with_program(SCRIPT);
    let working = Working::default();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| probe_while(&world, "any", None, &(), &working, world.deadline()));
        until("it watches", || folder.path().join("begun").exists());
        std::thread::sleep(work);
        end(&working);
        let over = Instant::now();
        let probed = watcher.join().expect("a reading");
        (probed, over.elapsed())
    })
}

#[test]
fn who_watches_ends_with_the_work_and_what_it_said_last_is_its_answer() {
    let text = format!("while :; do echo '{{\"so_far\":{SO_FAR}}}'; echo >$HERE/begun; sleep 0.02; done");
    let (probed, late) = watch(&text, Duration::ZERO);
    assert_eq!((probed.run.end, probed.run.at), (ProbeEnd::Completed, Fact::Absent));
    assert!(probed.gap.is_none() && probed.reading.is_some_and(|reading| reading.disks.known().is_some()));
    assert!(late < allowed(0.5), "{late:?}");
}

#[test]
fn work_that_is_over_at_once_leaves_nothing_to_say() {
    let (probed, late) = watch("echo >$HERE/begun; sleep 600", Duration::ZERO);
    assert_eq!(probed.run.end, ProbeEnd::Completed);
    assert!(probed.reading.is_none() && probed.gap.is_none());
    assert!(late < allowed(0.5), "{late:?}");
}

#[test]
fn where_work_has_failed_who_watches_looks_once_more() {
    let text = format!("echo >$HERE/begun; while read line; do :; done; echo '{{\"done\":{SO_FAR}}}'; sleep 600");
    let (probed, _) = watch_until(&text, Duration::ZERO, Working::ask_for_last_word);
    assert_eq!(probed.run.end, ProbeEnd::Completed);
    assert!(probed.reading.is_some_and(|reading| reading.disks.known().is_some()));
    // Who has nothing to say, or hangs, is waited for so long and no longer.
    let (probed, late) = watch_until("echo >$HERE/begun; sleep 600", Duration::ZERO, Working::ask_for_last_word);
    assert_eq!(probed.run.end, ProbeEnd::Completed);
    assert!(probed.reading.is_none() && late < allowed(2.5), "{late:?}");
}

#[test]
fn who_hangs_while_it_watches_is_said_to() {
    let text = "trap '' TERM\necho '{\"at\":\"nvmlInit_v2\"}'\necho >$HERE/begun\nsleep 600";
    // Longer than the silence after which a watcher counts as stuck.
    let (probed, late) = watch(text, Duration::from_secs(6));
    assert_eq!((probed.run.end, probed.run.at), (ProbeEnd::TimedOut, Fact::Known("nvmlInit_v2".to_owned())));
    assert!(probed.gap.is_some_and(|gap| gap.kind == GapKind::TimedOut));
    assert!(late < allowed(0.5), "{late:?}");
}

#[test]
fn a_program_that_cannot_be_started_is_a_reading() {
    let world = World::at("/", Vec::new(), Duration::from_secs(1)).with_program("/nonexistent");
    let probed: Probed<Storage> = probe(&world, "any", Some(3), &(), world.deadline());
    assert_eq!((probed.run.end, probed.run.gpu), (ProbeEnd::NotStarted, Fact::Known(3)));
    let gap = probed.gap.expect("a gap");
    assert_eq!(gap.kind, GapKind::NotStarted);
    assert!(gap.detail.contains("could not be started"), "{gap}");
    assert!(probed.lost.is_none(), "no call was made");
}

#[test]
fn an_answer_that_makes_no_sense_leaves_a_reason() {
    let (probed, ..) = run("echo '{\"done\":7}'", Duration::from_secs(20));
    assert_eq!((probed.run.end, probed.reading), (ProbeEnd::Completed, None));
    assert!(probed.gap.is_some_and(|gap| gap.kind == GapKind::Malformed && gap.detail.contains("made no sense")));
}

#[test]
fn a_name_that_is_no_probe_is_refused() {
    let world = World::here(Duration::from_secs(20)).with_program(BINARY);
    let probed: Probed<Storage> = probe(&world, "nonsense", None, &(), world.deadline());
    assert_eq!(probed.run.end, ProbeEnd::Exited, "{probed:?}");
}

#[test]
fn what_a_child_says_last_is_heard_even_if_it_is_gone_at_once() {
    // The window lies between our listening and our asking after the process, so it takes many tries to hit it.
    let script = format!(
        "i=0; while [ $i -lt 40 ]; do echo '{{\"at\":\"a\"}}'; i=$((i + 1)); done; echo '{{\"done\":{SO_FAR}}}'"
    );
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for _ in 0..80 {
                    let (probed, ..) = run(&script, Duration::from_secs(20));
                    assert_eq!(probed.run.end, ProbeEnd::Completed, "{:?}", probed.run);
                }
            });
        }
    });
}
