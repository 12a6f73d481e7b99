//! What the API server refuses, and its neighbours that it takes.

use crate::probe::written::manifest::read;

#[test]
fn what_the_api_server_refuses_is_told() {
    let refused = |kind: &str, spec: &str, container: &str| {
        let text = format!(
            "kind: {kind}\nmetadata: {{name: d}}\nspec:\n  volumeClaimTemplates: [{{metadata: {{name: data}}}}]\n  template:\n    spec:\n      {spec}\n      containers:\n      - {{name: c, {container}}}\n"
        );
        let mut all = read("m", &text).unwrap_or_else(|wrong| panic!("{wrong:?}: {text}")).containers;
        all.remove(0).facts.written.refusals.known().cloned().unwrap_or_default().join("; ")
    };
    let none = "dnsPolicy: Default";
    for (kind, spec, container, part) in [
        ("Job", none, "image: x", "of a Job has to be `OnFailure` or `Never`"),
        ("Job", "restartPolicy: Always", "image: x", "of a Job has to be"),
        ("Deployment", "restartPolicy: Never", "image: x", "of a Deployment has to be `Always`"),
        ("Deployment", none, "volumeMounts: [{name: nope, mountPath: /x}]", "the volume `nope`"),
        (
            "Deployment",
            "volumes: [{name: a}]",
            "volumeMounts: [{name: a, mountPath: /x}, {name: a, mountPath: /x}]",
            "two volumes",
        ),
        (
            "Deployment",
            none,
            "resources: {limits: {nvidia.com/gpu: 2}, requests: {nvidia.com/gpu: 1}}",
            "has to be the same",
        ),
        ("Deployment", none, "resources: {requests: {nvidia.com/gpu: 1}}", "under `requests` alone"),
        ("Deployment", none, "resources: {limits: {nvidia.com/gpu: 500m}}", "a whole number"),
        ("Deployment", none, "resources: {limits: {memory: 1Gi}, requests: {memory: 2Gi}}", "more than the limit"),
        ("Deployment", none, "resources: {claims: [{name: gpu}]}", "the claim `gpu`"),
        (
            "Deployment",
            none,
            "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
            "cannot stand beside",
        ),
        ("Deployment", "hostNetwork: true", "ports: [{containerPort: 80, hostPort: 81}]", "cannot be 81"),
    ] {
        let told = refused(kind, spec, container);
        assert!(told.contains(part) && !told.contains("; "), "{kind} {spec} {container}: {told}");
    }
    for (kind, spec, container) in [
        ("Job", "restartPolicy: Never", "image: x"),
        ("Deployment", "restartPolicy: Always", "image: x"),
        ("Deployment", "volumes: [{name: a}]", "volumeMounts: [{name: a, mountPath: /x}, {name: a, mountPath: /y}]"),
        ("StatefulSet", none, "volumeMounts: [{name: data, mountPath: /x}]"),
        ("Deployment", none, "resources: {limits: {nvidia.com/gpu: 2}, requests: {nvidia.com/gpu: '2', memory: 1Gi}}"),
        ("Deployment", none, "resources: {limits: {cpu: 1500m, memory: 1Gi}, requests: {cpu: 1.5, memory: 1024Mi}}"),
        ("Deployment", "resourceClaims: [{name: gpu}]", "resources: {claims: [{name: gpu}]}"),
        ("Deployment", "hostNetwork: true", "ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81}]"),
        ("Deployment", none, "ports: [{containerPort: 80, hostPort: 81}]"),
    ] {
        assert_eq!(refused(kind, spec, container), "", "{kind} {spec} {container}");
    }
}
