//! Under limits that are too small for us the workload starts all the same, and a look ends with a code and one line.

use std::process::{Command, Output, Stdio};

/// What a workload says that starts.
const STARTED: &str = "started\n";
const EXEC: &str = "exec --mode=report --no-gpu --only=limits -- echo started";
const BLOCK: &str = "exec --block-on-incomplete --no-gpu --only=limits -- echo started";
const CHECK: &str = "check --no-gpu --only=limits";

/// How a run ends under a limit of the shell: `-v 30000`.
fn under(limit: &str, arguments: &str) -> Output {
    Command::new("sh")
        .args(["-c", &format!("ulimit {limit}; exec \"$0\" {arguments}"), env!("CARGO_BIN_EXE_gpu-preflight")])
        .stdin(Stdio::null())
        // What is in the environment lies on the stack.
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("sh runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether the look was lost under this limit. The workload starts, whatever becomes of the look.
fn is_lost(limit: &str) -> bool {
    let started = under(limit, EXEC);
    let said = text(&started.stderr);
    assert_eq!((started.status.code(), text(&started.stdout).as_str()), (Some(0), STARTED), "{limit}: {said}");
    let told =
        |line: &str| line.starts_with("gpu-preflight: ") && line.ends_with("; the workload is started all the same");
    let is_lost = said.lines().any(told);
    assert!(!is_lost || said.lines().count() == 1, "{limit}: {said}");

    let checked = under(limit, CHECK);
    let said = text(&checked.stderr);
    match checked.status.code() {
        Some(70) => {
            assert!(said.starts_with("gpu-preflight: ") && said.lines().count() == 1, "{limit}: {said}");
            assert!(checked.stdout.is_empty(), "{limit}");
        }
        code => assert!(matches!(code, Some(0..=2)), "{limit}: {:?} {said}", checked.status),
    }
    is_lost
}

/// The smallest limit of this kind under which the loader has room for the program, in kilobytes: what is below it, no
/// program sees.
fn floor(kind: &str) -> u32 {
    // Too little for any program; enough for this one by far.
    let (mut too_small, mut enough) = (64, 1 << 20);
    while enough - too_small > 64 {
        let middle = u32::midpoint(too_small, enough);
        let is_loaded = under(&format!("{kind} {middle}"), "--version").stdout.starts_with(b"gpu-preflight ")
            || text(&under(&format!("{kind} {middle}"), EXEC).stdout) == STARTED;
        *(if is_loaded { &mut enough } else { &mut too_small }) = middle;
    }
    enough
}

#[test]
fn memory_that_is_refused_stops_no_workload_and_is_told_in_one_line() {
    for kind in ["-v", "-d"] {
        // The loader's need is not the same to the page every time.
        let floor = floor(kind) + 128;
        let lost = (0..12).filter(|step| is_lost(&format!("{kind} {}", floor + step * 160))).count();
        assert!(lost >= 3, "{kind}: only {lost} from {floor} on");
    }
}

#[test]
fn a_stack_that_may_not_grow_stops_no_workload_and_is_told_in_one_line() {
    let lost = ["32", "64", "96", "128", "192", "256"].iter().filter(|size| is_lost(&format!("-s {size}"))).count();
    assert!(lost >= 2, "{lost}");
}

#[test]
fn who_is_to_block_on_incomplete_blocks_where_the_look_is_lost() {
    let output = under("-s 64", BLOCK);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(70), ""), "{}", text(&output.stderr));
    let line = "gpu-preflight: ended by SIGSEGV while it looked; the workload was not started\n";
    assert_eq!(text(&output.stderr), line);
    // Nothing blocks where somebody only wants to read.
}

#[test]
fn a_workload_that_is_not_there_is_told_by_its_code() {
    let code = |program: &str| under("-s 64", &EXEC.replace("echo", program)).status.code();
    assert_eq!((code("/no/such/program"), code("/etc/passwd")), (Some(127), Some(126)));
}

#[test]
fn a_variable_for_the_stacks_of_the_workloads_threads_is_none_for_ours() {
    for size in ["1", "20000"] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
        let output = check.args(CHECK.split(' ')).env("RUST_MIN_STACK", size).output().expect("it runs");
        assert!(matches!(output.status.code(), Some(0..=2)), "{size}: {:?} {}", output.status, text(&output.stderr));
        assert!(!output.stdout.is_empty(), "{size}");
    }
}
