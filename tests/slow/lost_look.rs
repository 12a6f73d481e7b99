//! A look that is lost while libraries are asked: the workload starts, and nothing of the look is left with it.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use rustix::process::{Resource, Rlimit, Signal, prlimit};

use crate::interrupted::Hanging;
use crate::support::patience::allowed;

/// What a process was given: its children, its signals and its descriptors.
const STATE: &str = "read children </proc/$$/task/$$/children; echo \"children: $children\"; \
                     grep -E '^Sig(Blk|Ign|Cgt)|^NSpgid' /proc/$$/status | sed 's/^NSpgid.*/group/'; echo /proc/$$/fd/*";

fn exec(workload: &str) -> [&str; 7] {
    ["exec", "--mode=report", "--deadline=6", "--", "sh", "-c", workload]
}

fn text(bytes: &[u8]) -> String {
    // Process ids differ from run to run.
    String::from_utf8_lossy(bytes).split("/proc/").map(|part| part.trim_start_matches(char::is_numeric)).collect()
}

fn state_without_us() -> Output {
    Command::new("env")
        .args(["--default-signal=INT,TERM", "sh", "-c", STATE])
        .stdin(Stdio::null())
        .output()
        .expect("sh runs")
}

#[test]
fn the_workload_of_a_look_that_is_lost_finds_what_it_would_have_found_without_us() {
    let hanging = Hanging::in_call("cuInit", "", &exec(STATE));
    // Less than we have, so that we get no more; enough for a shell.
    let small = Rlimit { current: Some(12 << 20), maximum: None };
    prlimit(Some(hanging.pid()), Resource::As, small).expect("a limit");
    let (output, _) = hanging.ended();
    // It may be the stack that gets no more.
    let told = |cause| format!("gpu-preflight: {cause} while it looked; the workload is started all the same\n");
    let said = text(&output.stderr);
    assert!(said == told("out of memory") || said == told("ended by SIGSEGV"), "{said}");
    assert_eq!(text(&output.stdout), text(&state_without_us().stdout));
}

#[test]
fn whoever_ends_us_with_the_signal_of_a_crash_has_ended_us() {
    for signal in [Signal::ABORT, Signal::SEGV, Signal::BUS] {
        let hanging = Hanging::in_call("cuInit", "", &exec("echo started"));
        hanging.signal(signal);
        let (output, wall) = hanging.ended();
        assert_eq!(output.status.signal(), Some(signal.as_raw()), "{signal:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty() && wall < allowed(1.0), "{signal:?}: {wall:?}");
    }
}
