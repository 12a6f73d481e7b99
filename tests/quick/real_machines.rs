//! What was recorded on real GPUs comes out right: the first thing that is said of driver, libraries and GPUs, and who it
//! is given to.
//!
//! The machine's name says what was different there. Where nothing was, or where what was different explains itself,
//! nobody may be accused.

use std::collections::BTreeSet;

use super::machines::{facts, machines};
use crate::support::report::Report;

/// Each recording of a real GPU with the first finding that concerns the GPU, and its owner.
const RIGHT: [(&str, Option<(&str, &str)>); 44] = [
    ("h100-32-open-files", Some(("limits.cuda-fits", "pod"))),
    ("h100-address-space-8gb", Some(("limits.cuda-fits", "pod"))),
    ("h100-beside-a-busy-workload", Some(("compute.rate-undisturbed", "pod"))),
    ("h100-deep", None),
    ("h100-healthy", None),
    ("h100-launch-blocking", Some(("environment.no-hazard", "workload"))),
    ("h100-memory-held-live", None),
    ("h100-memory-held-start", Some(("gpu.memory-unclaimed", "node"))),
    ("h100-soak-30s", None),
    ("h100-tf32-override", Some(("environment.numerics-default", "workload"))),
    ("h100-two-checks-at-once", None),
    ("h100-user-65534", None),
    ("h100-visible-99", Some(("gpu.visible-devices-exist", "workload"))),
    ("h100-visible-none", Some(("gpu.not-hidden", "workload"))),
    ("h200-8-processes", Some(("limits.processes-startable", "pod"))),
    ("h200-cublas-corrupts", Some(("compute.library-exact", "image"))),
    ("h200-cublas-hangs", Some(("compute.multiply-runs", "node"))),
    ("h200-cublas-refuses", Some(("compute.multiply-runs", "node"))),
    ("h200-cublas-three-times-as-slow", Some(("compute.library-fast", "image"))),
    ("h200-cublas-truncated", Some(("library.loadable", "image"))),
    ("h200-gpu-node-of-other-minor", Some(("driver.nodes-alive", "node"))),
    ("h200-healthy", None),
    ("h200-libcuda-535-over-580", Some(("library.cuda-not-shadowed", "image"))),
    ("h200-libcuda-and-nvml-535-over-580", Some(("library.cuda-not-shadowed", "image"))),
    ("h200-libcuda-stub-wins", Some(("library.cuda-not-stub", "image"))),
    ("h200-memory-limit-250-mib", Some(("compute.host-memory-sufficient", "pod"))),
    ("h200-memory-limit-600-mib", None),
    ("h200-mps-2-gb", Some(("environment.no-hazard", "workload"))),
    ("h200-mps-30-percent", Some(("environment.no-hazard", "workload"))),
    ("h200-mps", None),
    ("h200-no-control-node", Some(("driver.control-node-present", "pod"))),
    ("h200-no-gpu-node", Some(("driver.devices-visible", "pod"))),
    ("h200-no-nodes", Some(("driver.devices-visible", "pod"))),
    ("h200-no-uvm-node", Some(("driver.uvm-node-usable", "node"))),
    ("h200-nodes-refused-by-mode", Some(("driver.nodes-openable", "pod"))),
    ("h200-nvml-535-over-580", Some(("observability.nvml-not-shadowed", "image"))),
    ("h200-nvml-stub-wins", Some(("observability.nvml-not-shadowed", "image"))),
    ("h200-one-node-too-many", Some(("driver.every-node-alive", "node"))),
    ("h200-proc-driver-hidden", None),
    ("h200-sys-hidden", None),
    ("h200-uvm-node-of-other-major", Some(("driver.uvm-node-current", "pod"))),
    ("h200-uvm-node-refused-by-mode", Some(("driver.uvm-node-usable", "node"))),
    ("h200-visible-bad-uuid", Some(("gpu.visible-devices-exist", "workload"))),
    ("h200-visible-mig", Some(("gpu.visible-devices-exist", "workload"))),
];

/// What is asked of a card and of all that stands between it and the workload.
const ROOMS: [&str; 7] = ["driver", "gpu", "compute", "memory", "links", "library", "observability"];
/// Findings of other rooms that explain one of these.
const CAUSES: [&str; 5] = [
    "limits.cuda-fits",
    "limits.processes-startable",
    "isolation.calls-allowed",
    "environment.numerics-default",
    "environment.no-hazard",
];

#[test]
fn what_is_said_first_of_a_real_gpu_is_right() {
    let mut wrong = Vec::new();
    for (name, right) in RIGHT {
        let report = Report::of(&facts(name));
        let failing = report.failing();
        let first = failing.iter().find_map(|finding| {
            let id = finding["check"].as_str().expect("an id");
            let concerns = CAUSES.contains(&id) || ROOMS.iter().any(|room| id.split('.').next() == Some(room));
            concerns.then(|| (id, finding["owner"].as_str().expect("an owner")))
        });
        if first != right {
            wrong.push(format!("{name}: {first:?}, and right is {right:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_healthy_card_is_accused_as_hardware_first() {
    for (name, _) in RIGHT {
        let report = Report::of(&facts(name));
        let first = report.failing().first().map(|finding| finding["owner"].clone());
        assert!(first.is_none_or(|owner| owner != "hardware"), "{name}: every one of these cards was healthy");
    }
}

#[test]
fn every_recording_of_a_real_gpu_is_in_the_table() {
    let recorded: BTreeSet<String> = machines().into_iter().map(|(name, _)| name).collect();
    let real = recorded.iter().filter(|name| name.starts_with("h100-") || name.starts_with("h200-"));
    let listed: BTreeSet<&str> = RIGHT.iter().map(|(name, _)| *name).collect();
    assert_eq!(real.map(String::as_str).collect::<BTreeSet<_>>(), listed);
}
