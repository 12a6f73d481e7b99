//! System calls that a filter refuses and that the language's own library takes for granted. No container is needed: the
//! filter is set by `launch`, see `tests/fakes/launch.rs`.

use std::process::{Command, Output, Stdio};

use crate::support::fakes;
use crate::support::report::Report;

/// How a run ends whose calls are refused with this errno, while NVML hangs.
fn refused(calls: &[libc::c_long], errno: i32, arguments: &[&str]) -> Output {
    let mut command = Command::new(fakes::folder().join("launch"));
    for call in calls {
        command.args(["refuse", &call.to_string(), &errno.to_string()]);
    }
    command
        .args(["--", env!("CARGO_BIN_EXE_gpu-preflight")])
        .args(arguments)
        .env("LD_LIBRARY_PATH", fakes::folder())
        .env("FAKE_GPU", "hang=nvmlInit_v2")
        .stdin(Stdio::null())
        .output()
        .expect("launch runs")
}

/// Every way to wait for a time.
const WAYS: [&[libc::c_long]; 3] = [
    &[libc::SYS_clock_nanosleep],
    &[libc::SYS_nanosleep],
    &[libc::SYS_clock_nanosleep, libc::SYS_nanosleep, libc::SYS_ppoll],
];

/// Holds what is said of each way and each errno, all at once: most of the time they wait.
fn for_each_way(errnos: &[i32], arguments: &[&str], hold: impl Fn(&str, &Output) + Sync) {
    std::thread::scope(|scope| {
        for (calls, errno) in WAYS.iter().flat_map(|calls| errnos.iter().map(move |errno| (calls, *errno))) {
            let hold = &hold;
            scope.spawn(move || hold(&format!("{calls:?}, {errno}"), &refused(calls, errno, arguments)));
        }
    });
}

#[test]
fn who_may_not_sleep_looks_all_the_same() {
    let check = ["check", "--tier=quick", "--deadline=6", "--format=json"];
    for_each_way(&[libc::EPERM, libc::ENOSYS, libc::EACCES], &check, |what, output| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.is_empty(), "{what}: {said}");
        let report = Report::read(output);
        assert_eq!(report.fact("nvml.hung"), true, "{what}: {}", report.troubles());
    });
}

#[test]
fn the_workload_of_who_may_not_sleep_starts() {
    let exec = ["exec", "--mode=report", "--tier=quick", "--deadline=6", "--", "sh", "-c", "echo started; exit 42"];
    for_each_way(&[libc::EPERM], &exec, |what, output| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*output.stdout), (Some(42), &b"started\n"[..]), "{what}: {said}");
        assert!(!said.contains("panicked"), "{what}: {said}");
    });
}
