//! Each capability of the kernel alone, as root and as a user.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::docker::{BASE, Container, PATIENT, Recipe, available, text};
use crate::support::real_parts::note;
use crate::support::report::Report;

/// Capabilities by number, as `linux/capability.h` has them.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Those with which a process can take over the node.
const HARMFUL: [&str; 7] = ["SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "SYS_BOOT", "BPF", "MAC_ADMIN"];

/// Those that the baseline level of the Kubernetes Pod Security Standards allows.
const BASELINE: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Those that are tried by docker's flags too, which take a container each: of every kind one. What the flags set, the
/// others set by `setpriv`.
const DOCKERS_OWN: [&str; 4] = ["CHOWN", "NET_ADMIN", "SYS_ADMIN", "SYS_MODULE"];

/// Capabilities that docker here knows and may give: one it lacks itself it cannot give.
pub fn grantable() -> Vec<&'static str> {
    CAPABILITIES
        .into_iter()
        .enumerate()
        .filter(|(number, _)| held(*number) && known(*number))
        .map(|(_, name)| name)
        .collect()
}

/// Whether it is in our own bounding set, which is docker's too on a machine without nesting.
fn held(number: usize) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).expect("a bounding set");
    u64::from_str_radix(line.trim(), 16).expect("a mask") >> number & 1 == 1
}

/// Docker before 23 refuses the three youngest by name.
fn known(number: usize) -> bool {
    static MAJOR: OnceLock<u32> = OnceLock::new();
    let major = MAJOR.get_or_init(|| {
        let output = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
        let version = text(&output.expect("docker").stdout);
        version.split('.').next().and_then(|major| major.parse().ok()).expect("a version")
    });
    number < 38 || *major >= 23
}

/// Runs `look` on every capability of this kernel, two at once: three tests do, each beside others.
fn for_each(look: impl Fn(usize, &str) + Sync) {
    let last: usize =
        std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").expect("proc").trim().parse().expect("a number");
    assert!(last < CAPABILITIES.len(), "this kernel knows capability {last}, the list ends earlier");
    let look = &look;
    std::thread::scope(|scope| {
        for worker in 0..2 {
            scope.spawn(move || (worker..=last).step_by(2).for_each(|number| look(number, CAPABILITIES[number])));
        }
    });
}

/// A container with every capability that docker here can give.
fn with_all() -> Container {
    let capabilities = grantable().into_iter().map(|name| format!("--cap-add={name}"));
    Recipe::plain(BASE).with(capabilities).start(&["sleep", "600"])
}

/// The report of a process that has no other capability than this one in its bounding set.
fn bounded(container: &Container, number: usize, more: &str) -> Report {
    let become_bounded = format!(
        "exec setpriv --bounding-set=-all,+cap_{number} {more} gpu-preflight check {PATIENT} --no-gpu --format=json"
    );
    Report::read(&container.exec(&["sh", "-c", &become_bounded]))
}

/// The report of a process that has this one capability and was started by root.
fn alone(container: &Container, number: usize, name: &str) -> Option<Report> {
    if !held(number) {
        note(&format!("CAP_{name} cannot be given here: this machine's own bounding set lacks it"));
        return None;
    }
    if DOCKERS_OWN.contains(&name) && known(number) {
        let flags = ["--cap-drop=ALL".to_owned(), format!("--cap-add={name}")];
        return Some(Recipe::plain(BASE).with(flags).check(&["--no-gpu"]));
    }
    if known(number) {
        return Some(bounded(container, number, "--inh-caps=-all"));
    }
    // Too young for this docker: the same sets, without the container.
    let sets = [format!("--bounding-set=-all,+cap_{number}"), "--inh-caps=-all".to_owned()];
    let output = Command::new("setpriv")
        .args(sets)
        .args([env!("CARGO_BIN_EXE_gpu-preflight"), "check", PATIENT, "--no-gpu", "--format=json"])
        .output()
        .expect("setpriv");
    Some(Report::read(&output))
}

/// Whether a fact lists exactly these capabilities.
fn assert_lists(report: &Report, fact: &str, expected: &[&str]) {
    let expected: Vec<Value> = expected.iter().map(|name| json!(name)).collect();
    assert_eq!(report.fact(fact), &Value::Array(expected), "{fact}");
}

/// One finding for a capability beyond the baseline, the graver one for a harmful one, none for the others.
fn assert_accused(report: &Report, name: &str) {
    let (harmless, baseline) = match name {
        _ if HARMFUL.contains(&name) => ("fails", "blocked"),
        _ if BASELINE.contains(&name) => ("holds", "holds"),
        _ => ("holds", "fails"),
    };
    assert_eq!(report.outcomes("identity.capabilities-harmless"), [harmless], "CAP_{name}");
    assert_eq!(report.outcomes("identity.capabilities-baseline"), [baseline], "CAP_{name}");
    let beyond: &[&str] = if BASELINE.contains(&name) { &[] } else { &[name] };
    assert_lists(report, "identity.capabilities_beyond_baseline", beyond);
}

#[test]
fn root_with_one_capability_is_judged_by_that_one() {
    if !available() {
        return;
    }
    let container = with_all();
    for_each(|number, name| {
        let Some(report) = alone(&container, number, name) else { return };
        assert_lists(&report, "identity.capabilities_effective", &[name]);
        assert_lists(&report, "identity.capabilities_bounding", &[name]);
        assert_eq!(report.fact("identity.all_capabilities"), false);
        assert_eq!(report.fact("isolation.privileged"), false, "CAP_{name}");
        assert_accused(&report, name);
    });
}

#[test]
fn a_user_with_one_bounding_capability_holds_none() {
    if !available() {
        return;
    }
    let container = with_all();
    for_each(|number, name| {
        if !held(number) || !known(number) {
            return;
        }
        let report = if DOCKERS_OWN.contains(&name) {
            let flags = ["--user=1001".to_owned(), "--cap-drop=ALL".to_owned(), format!("--cap-add={name}")];
            Recipe::plain(BASE).with(flags).check(&["--no-gpu"])
        } else {
            bounded(&container, number, "--reuid=1001 --regid=1001 --clear-groups --inh-caps=-all")
        };
        assert_eq!(report.fact("identity.uid"), 1001);
        assert_lists(&report, "identity.capabilities_effective", &[]);
        assert_lists(&report, "identity.capabilities_bounding", &[name]);
        assert_eq!(report.outcomes("identity.capabilities-baseline"), ["holds"], "CAP_{name}");
    });
}

#[test]
fn a_user_with_one_ambient_capability_is_judged_by_that_one() {
    if !available() {
        return;
    }
    let container = with_all();
    for_each(|number, name| {
        if !held(number) || !known(number) {
            return;
        }
        let sets = format!(
            "--reuid=1001 --regid=1001 --clear-groups --inh-caps=-all,+cap_{number} --ambient-caps=-all,+cap_{number}"
        );
        let report = bounded(&container, number, &sets);
        assert_eq!(report.fact("identity.uid"), 1001);
        assert_lists(&report, "identity.capabilities_effective", &[name]);
        assert_lists(&report, "identity.capabilities_ambient", &[name]);
        assert_accused(&report, name);
    });
}

#[test]
fn without_any_capability_none_is_found() {
    if !available() {
        return;
    }
    for user in ["0", "1001"] {
        let flags = [format!("--user={user}"), "--cap-drop=ALL".to_owned()];
        let report = Recipe::plain(BASE).with(flags).check(&["--no-gpu"]);
        for fact in
            ["identity.capabilities_effective", "identity.capabilities_bounding", "identity.capabilities_ambient"]
        {
            assert_lists(&report, fact, &[]);
        }
    }
}
