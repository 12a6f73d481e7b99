//! What separates a container from its host, and what does not.

use std::sync::OnceLock;

use serde_json::json;

use crate::support::docker::{BASE, DEV, Recipe, available, text};
use crate::support::real_parts::note;
use crate::support::report::Report;

/// Docker's flags for a container as production wants it.
const HARDENED: [&str; 15] = [
    "--user=1001:1001",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--read-only",
    "--tmpfs=/tmp",
    "--tmpfs=/home/app:uid=1001,gid=1001",
    "--env=HOME=/home/app",
    "--env=OMP_NUM_THREADS=1",
    "--memory=2g",
    "--memory-swap=2g",
    "--cpus=1.9",
    "--pids-limit=512",
    "--shm-size=1g",
    "--ulimit=core=0:0",
    "--init",
];

/// What is true of a plain Debian image.
pub const BASE_ACCUSATIONS: [&str; 1] = ["image.caches-cleared"];
/// What is true of the development image, hardened or not.
pub const DEV_ACCUSATIONS: [&str; 8] = [
    "image.runtime-packages-only",
    "image.remote-access-absent",
    "service.ssh-host-keys-left",
    "image.caches-cleared",
    "image.editors-absent",
    "image.network-tools-absent",
    "image.privilege-tools-absent",
    "image.leftovers-absent",
];

/// Enough open files for a server with many clients.
const OPEN_FILES: &str = "--ulimit=nofile=65536:65536";

/// A container as production wants it.
pub fn hardened(image: &'static str) -> Recipe {
    let recipe = Recipe::plain(image).with(HARDENED);
    if may_raise_open_files() { recipe.with([OPEN_FILES]) } else { recipe }
}

/// Whether docker may give a container that many open files: a daemon whose own limit is lower may not.
fn may_raise_open_files() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    *MAY.get_or_init(|| {
        let may = Recipe::plain(BASE).with([OPEN_FILES]).run(&["true"]).status.success();
        if !may {
            note("docker itself may not open 65536 files here, so no container of it may, and its report says so");
        }
        may
    })
}

/// Whether a hardened container is ready, and accused of nothing that is not so.
pub fn assert_ready(report: &Report, true_accusations: &[&str]) {
    assert_eq!((report.verdict(), report.code), ("ready", 0), "{}", report.troubles());
    assert_eq!(report.with_outcome("unknown"), Vec::<&str>::new(), "{}", report.troubles());
    let mut just = true_accusations.to_vec();
    if !may_raise_open_files() {
        just.push("limits.open-files-sufficient");
    }
    let accused = report.with_outcome("fails");
    assert!(accused.iter().all(|check| just.contains(check)), "{}", report.troubles());
}

#[test]
fn a_container_of_plain_docker_run_is_root_without_limits() {
    if !available() {
        return;
    }
    let report = Recipe::plain(BASE).check(&["--no-gpu"]);
    assert_eq!(report.verdict(), "not-ready", "{}", report.troubles());
    assert_eq!(report.code, 1);
    assert_eq!(report.fact("container.kind"), "docker");
    assert_eq!(report.fact("identity.uid"), 0);
    assert_eq!(report.fact("identity.user_name"), "root");
    assert_eq!(report.fact("identity.all_capabilities"), false);
    assert_eq!(report.fact("limits.memory_bytes"), &json!(null));
    assert_eq!(report.fact("limits.pids"), &json!(null));
    assert_eq!(report.fact("limits.shm_bytes"), 64 << 20);
    assert_eq!(report.fact("isolation.no_new_privileges"), false);
    assert_eq!(report.fact("isolation.root_read_only"), false);
    assert_eq!(report.fact("isolation.privileged"), false);
    for namespace in ["isolation.host_pid", "isolation.host_network", "isolation.host_ipc", "isolation.host_uts"] {
        assert_eq!(report.fact(namespace), false, "{namespace}");
    }
}

#[test]
fn a_hardened_container_has_every_limit_it_was_given() {
    if !available() {
        return;
    }
    let report = hardened(BASE).check(&["--no-gpu"]);
    assert_ready(&report, &BASE_ACCUSATIONS);
    assert_eq!(report.fact("identity.uid"), 1001);
    assert_eq!(report.fact("identity.capabilities_effective"), &json!([]));
    assert_eq!(report.fact("identity.capabilities_bounding"), &json!([]));
    assert_eq!(report.fact("identity.home_writable"), true);
    assert_eq!(report.fact("isolation.no_new_privileges"), true);
    assert_eq!(report.fact("isolation.root_read_only"), true);
    assert_eq!(report.fact("limits.memory_bytes"), 2_u64 << 30);
    assert_eq!(report.fact("limits.pids"), 512);
    assert_eq!(report.fact("limits.shm_bytes"), 1 << 30);
    assert_eq!(report.fact("limits.cpu_quota_cores"), 1.9);
    assert_eq!(report.fact("process.first_is_init"), true);
}

#[test]
fn a_privileged_container_is_called_privileged() {
    if !available() {
        return;
    }
    let mut recipe = Recipe::plain(BASE).with(["--privileged"]);
    if text(&recipe.run(&["true"]).stderr).contains("unable to apply caps") {
        note("docker itself lacks capabilities here, so privileged mode is put together from its parts");
        recipe = almost_privileged();
    }
    let report = recipe.check(&["--no-gpu"]);
    assert_eq!(report.verdict(), "not-ready", "{}", report.troubles());
    assert_eq!(report.fact("isolation.privileged"), true, "{}", report.fact("isolation.privileged_signs"));
    assert_eq!(report.fact("isolation.seccomp"), "disabled");
    assert_eq!(report.outcomes("isolation.not-privileged"), ["fails"]);
}

/// Privileged mode but for the capabilities that docker here cannot give.
pub fn almost_privileged() -> Recipe {
    let capabilities = super::capabilities::grantable().into_iter().map(|name| format!("--cap-add={name}"));
    let devices = ["/dev/kmsg", "/dev/mem", "/dev/fuse", "/dev/loop-control", "/dev/vda", "/dev/sda", "/dev/nvme0n1"]
        .into_iter()
        .filter(|path| std::path::Path::new(path).exists())
        .map(|path| format!("--device={path}"));
    let rest = ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"];
    Recipe::plain(BASE)
        .with(capabilities)
        .with(devices)
        .with(rest.map(|option| format!("--security-opt={option}")))
        .with(["--volume=/sys:/sys"])
}

#[test]
fn namespaces_of_the_host_are_named_one_by_one() {
    if !available() {
        return;
    }
    let cases = [
        ("--pid=host", "isolation.host_pid", "isolation.pid-namespace-own"),
        ("--network=host", "isolation.host_network", "isolation.network-namespace-own"),
        ("--ipc=host", "isolation.host_ipc", "isolation.ipc-namespace-own"),
    ];
    for (flag, fact, check) in cases {
        let report = Recipe::plain(BASE).with([flag]).check(&["--no-gpu"]);
        for (_, other, other_check) in cases {
            assert_eq!(report.fact(other), other == fact, "{other} with {flag}");
            let expected = if other == fact { "fails" } else { "holds" };
            assert_eq!(report.outcomes(other_check), [expected], "{other_check} with {flag}");
        }
        assert_eq!(report.outcomes(check), ["fails"], "{flag}");
    }
}

#[test]
fn a_mounted_docker_socket_is_found_and_judged_by_who_may_write_to_it() {
    if !available() {
        return;
    }
    let recipe = Recipe::plain(BASE).with(["--volume=/var/run/docker.sock:/var/run/docker.sock"]);
    let root = recipe.check(&["--no-gpu"]);
    let sockets = root.fact("isolation.runtime_sockets").as_array().expect("sockets");
    assert!(sockets.iter().any(|socket| socket["writable"] == true), "{sockets:?}");
    assert_eq!(root.outcomes("isolation.runtime-socket-closed"), ["fails"]);

    let stranger = recipe.with(["--user=1001:1001"]).check(&["--no-gpu"]);
    let sockets = stranger.fact("isolation.runtime_sockets").as_array().expect("sockets");
    assert!(!sockets.is_empty());
    assert!(sockets.iter().all(|socket| socket["writable"] == false), "{sockets:?}");
}

#[test]
fn the_development_image_carries_what_production_does_not_want() {
    if !available() {
        return;
    }
    let report = hardened(DEV).check(&["--no-gpu"]);
    let tools = report.fact("image.tools").to_string();
    for tool in ["sudo", "vi", "nano", "curl"] {
        assert!(tools.contains(tool), "{tool} is not in {tools}");
    }
}
