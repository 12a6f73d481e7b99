//! The ways to ask for a GPU, and what looks like one.

use super::super::tests::one;
use crate::facts::Fact;
use crate::probe::written::container::Variable;

#[test]
fn a_gpu_is_asked_for_in_four_ways() {
    let asked = |text: &str| {
        let container = one(text);
        (container.asks_gpu, container.facts.written.gpus_requested.known().copied())
    };
    let device = |text: &str| {
        format!("    deploy:\n      resources:\n        reservations:\n          devices:\n            - {text}\n")
    };
    assert_eq!(asked(&device("{driver: nvidia, count: 2, capabilities: [gpu]}")), (true, Some(2)));
    assert_eq!(asked(&device("{capabilities: [gpu], device_ids: ['0', '3', '4']}")), (true, Some(3)));
    assert_eq!(asked(&device("{capabilities: [[gpu]], count: all}")), (true, None));
    assert_eq!(asked(&device("{driver: other, capabilities: [tpu]}")), (false, Some(0)));
    assert_eq!(asked("    gpus: all\n"), (true, None));
    assert_eq!(asked("    gpus: [{driver: nvidia, count: 1}]\n"), (true, Some(1)));
    assert_eq!(asked(&device("{capabilities: [gpu], device_ids: ['0,3']}")), (true, Some(2)));
    for unsaid in ["all", "${GPUS}"] {
        let text = device(&format!("{{capabilities: [gpu], device_ids: ['{unsaid}']}}"));
        assert_eq!(asked(&text), (true, None));
    }
    assert_eq!(
        asked(&format!("    devices: [/dev/nvidia1]\n{}", device("{count: 1, capabilities: [gpu]}"))),
        (true, None)
    );
    let runtime = one("    runtime: nvidia\n");
    assert_eq!((runtime.asks_gpu, runtime.runtime), (false, Some(3)), "a variable decides");
    assert_eq!(asked("    image: x:1\n"), (false, Some(0)));
}

#[test]
fn devices_and_vendors_are_told_apart() {
    let asked = |text: &str| one(text).facts.written.gpu_requested;
    assert_eq!(asked("    devices: ['nvidia.com/gpu=all']\n"), Fact::Known(true));
    assert!(asked("    devices: ['/dev/nvidia0:/dev/nvidia0']\n").is_unknown());
    assert!(asked("    devices: ['/dev/kfd', '/dev/dri']\n").is_unknown());
    assert_eq!(asked("    devices: ['/dev/fuse']\n"), Fact::Known(false));
    assert_eq!(asked("    gpus: 0\n"), Fact::Known(false));
    let swarm = "    deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: K, value: 2}}]}}}\n";
    assert_eq!(asked(&swarm.replace('K', "NVIDIA-GPU")), Fact::Known(true));
    assert_eq!(asked(&swarm.replace('K', "SSD")), Fact::Known(false));
    let amd = "    deploy: {resources: {reservations: {devices: [{driver: amd, capabilities: [gpu]}]}}}\n";
    assert!(asked(amd).is_unknown());
}

#[test]
fn capabilities_of_a_device_stand_in_the_place_of_the_variable() {
    let last = |capabilities: &str, environment: &str| {
        let container = one(&format!(
            "    environment: {environment}\n    deploy: {{resources: {{reservations: {{devices: [{{driver: nvidia, capabilities: {capabilities}}}]}}}}}}\n"
        ));
        let named = |one: &&Variable| one.name == "NVIDIA_DRIVER_CAPABILITIES";
        container.environment.iter().rev().find(named).and_then(|one| one.value.clone())
    };
    assert_eq!(last("[gpu, utility]", "{}").as_deref(), Some("utility"));
    assert_eq!(
        last("[gpu, compute, utility]", "{NVIDIA_DRIVER_CAPABILITIES: utility}").as_deref(),
        Some("compute,utility")
    );
    assert_eq!(last("[gpu]", "{NVIDIA_DRIVER_CAPABILITIES: utility}").as_deref(), Some("utility"));
    assert_eq!(last("[[gpu, video], [gpu, compute]]", "{}").as_deref(), Some("video"), "the first set counts");
    assert_eq!(last("[gpu, utility, '${MORE}']", "{NVIDIA_DRIVER_CAPABILITIES: compute}"), None);
    assert_eq!(last("[gpu, nvidia]", "{}"), None);
    let cdi = "    deploy: {resources: {reservations: {devices: [{driver: cdi, device_ids: ['nvidia.com/gpu=0'], capabilities: [gpu, utility]}]}}}\n";
    assert!(one(cdi).asks_gpu && one(cdi).environment.is_empty());
}
