//! What compose refuses, and its neighbours that it takes.

use super::super::tests::one;

#[test]
fn what_compose_refuses_is_told_with_its_lines() {
    let refused = |text: &str| {
        let container = one(text);
        let lines = container.places.into_found().into_iter().filter(|one| one.path == "written.refusals");
        let lines: Vec<u64> = lines.map(|one| one.line).collect();
        (container.facts.written.refusals.known().cloned().unwrap_or_default().join("; "), lines)
    };
    let devices = |device: &str| format!("    deploy: {{resources: {{reservations: {{devices: [{device}]}}}}}}\n");
    for (text, part) in [
        (devices("{driver: nvidia, count: 1}"), "without `capabilities`"),
        (devices("{count: 1, device_ids: ['0'], capabilities: [gpu]}"), "exclude each other"),
        ("    gpus: [{count: 1, device_ids: ['0']}]\n".to_owned(), "exclude each other"),
        ("    network_mode: host\n    networks: [a]\n".to_owned(), "exclude each other"),
        ("    mem_limit: 1g\n    deploy: {resources: {limits: {memory: 2g}}}\n".to_owned(), "`mem_limit` and"),
        ("    cpus: 1\n    deploy: {resources: {limits: {cpus: '2'}}}\n".to_owned(), "`cpus` and"),
    ] {
        let (told, lines) = refused(&text);
        assert!(told.contains(part) && lines == [3], "{text}: {told} {lines:?}");
    }
    for text in [
        devices("{driver: nvidia, count: 1, capabilities: [gpu]}"),
        devices("{device_ids: ['0'], capabilities: [gpu]}"),
        "    gpus: [{count: 1}]\n    network_mode: host\n".to_owned(),
        "    mem_limit: 1g\n    deploy: {resources: {limits: {memory: 1024m}}}\n    networks: [a]\n".to_owned(),
    ] {
        assert_eq!(refused(&text).0, "", "{text}");
    }
}
