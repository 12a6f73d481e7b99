//! Manifests, as people write them and as nobody should.

use super::*;
use crate::facts::{Fact, Seccomp, TokenKind};

fn pod(spec: &str, container: &str) -> Container {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: c\n{container}{spec}"
    );
    read("pod.yaml", &text).unwrap_or_else(|wrong| panic!("{wrong:?}: {text}")).containers.remove(0)
}

#[test]
fn limits_and_gpus_are_those_of_the_container() {
    let text = "    resources: {limits: {memory: 16Gi, cpu: 3500m, nvidia.com/gpu: 2}, requests: {memory: 1Gi}}\n";
    let facts = pod("", text).facts;
    assert_eq!((facts.limits.memory_bytes, facts.limits.cpu_quota_cores), (Fact::Known(16 << 30), Fact::Known(3.5)));
    assert_eq!((facts.written.gpu_requested, facts.written.gpus_requested), (Fact::Known(true), Fact::Known(2)));
    let bare = pod("", "    image: x:1\n").facts;
    assert!(bare.limits.memory_bytes.is_absent() && bare.written.gpu_requested == Fact::Known(false));
    for (text, asks) in [
        ("    resources: {limits: {nvidia.com/mig-1g.10gb: 1}}\n", true),
        ("    resources: {limits: {nvidia.com/gpu: '0'}}\n", false),
        ("    resources: {requests: {nvidia.com/gpu: 1}}\n", true),
        ("    resources: {limits: {nvidia.com/gpu: 0.5}}\n", true),
        ("    resources: {limits: {nvidia.com/gpu: 0}, requests: {nvidia.com/gpu: 0}}\n", false),
        ("    resources: {claims: [{name: gpu}]}\n", true),
    ] {
        assert_eq!(pod("", text).asks_gpu, asks, "{text}");
    }
    assert!(pod("", "    resources: {limits: {memory: lots}}\n").facts.limits.memory_bytes.is_unknown());
}

#[test]
fn the_containers_own_security_comes_before_the_pods() {
    let facts = pod(
        "  securityContext: {runAsUser: 0, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\n",
        "    securityContext: {runAsUser: 1000, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}\n",
    )
    .facts;
    assert_eq!((facts.identity.uid, facts.written.root_refused), (Fact::Known(1000), Fact::Known(true)));
    assert_eq!(
        (facts.isolation.seccomp, facts.isolation.no_new_privileges),
        (Fact::Known(Seccomp::Filter), Fact::Known(true))
    );
    let bare = pod("", "    image: x:1\n").facts;
    assert!(bare.identity.uid.is_not_asked() && bare.isolation.seccomp.is_not_asked());
    assert_eq!(bare.isolation.no_new_privileges, Fact::Known(false));
    let bad = pod(
        "  hostPID: true\n",
        "    securityContext: {privileged: true, capabilities: {add: [ALL, CAP_SYS_PTRACE]}}\n",
    )
    .facts;
    assert_eq!((bad.isolation.host_pid, bad.isolation.privileged), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(bad.identity.capabilities_beyond_baseline, Fact::Known(vec!["SYS_PTRACE".to_owned()]));
}

#[test]
fn shared_memory_is_a_volume_in_memory() {
    let mount = "    volumeMounts: [{name: s, mountPath: /dev/shm}]\n";
    let shm = |volume: &str, more: &str| {
        pod(&format!("  volumes: [{{name: s, {volume}}}]\n"), &format!("{mount}{more}")).facts.limits.shm_bytes
    };
    assert_eq!(shm("emptyDir: {medium: Memory, sizeLimit: 2Gi}", ""), Fact::Known(2 << 30));
    assert_eq!(shm("emptyDir: {medium: Memory}", "    resources: {limits: {memory: 8Gi}}\n"), Fact::Known(8 << 30));
    assert!(shm("emptyDir: {medium: Memory}", "").is_not_asked());
    assert_eq!(pod("", "    image: x:1\n").facts.limits.shm_bytes, Fact::Known(64 << 20));
}

#[test]
fn tokens_sockets_and_folders_of_the_node_are_seen() {
    let token = |spec: &str| pod(spec, "    image: x:1\n").facts.isolation.service_account_token;
    assert_eq!(token("  automountServiceAccountToken: false\n"), Fact::Absent);
    assert_eq!(token(""), Fact::Known(TokenKind::Bound));
    assert!(token("  serviceAccountName: own\n").is_unknown());
    let facts = pod(
        "  volumes: [{name: d, hostPath: {path: /var/run/docker.sock}}, {name: e, hostPath: {path: /etc}}]\n",
        "    volumeMounts: [{name: d, mountPath: /d}, {name: e, mountPath: /host/etc}]\n",
    )
    .facts;
    assert_eq!(facts.isolation.runtime_sockets.known().map(Vec::len), Some(1));
    assert_eq!(facts.isolation.sensitive_mounts.known().map(Vec::len), Some(1));
}

#[test]
fn secrets_by_reference_have_no_value_here() {
    let text = "    env:\n    - {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}\n    - {name: B, value: b}\n    - {name: C, value: $(A)}\n";
    let told: Vec<Option<String>> = pod("", text).environment.into_iter().map(|one| one.value).collect();
    assert_eq!(told, [None, Some("b".to_owned()), None], "what another variable decides is not in the text");
    let empty = pod("", "    env:\n    - {name: A}\n    - {name: B, value: ''}\n").environment;
    assert!(empty.iter().all(|one| one.value.as_deref() == Some("")), "one without a value is empty");
}

#[test]
fn every_workload_is_found_and_other_kinds_are_told() {
    let template = "template: {spec: {containers: [{name: c, image: x:1}]}}";
    let text = format!(
        "kind: Service\nmetadata: {{name: s}}\n---\nkind: Deployment\nmetadata: {{name: d}}\nspec: {{{template}}}\n---\n\
         kind: CronJob\nmetadata: {{name: j}}\nspec: {{jobTemplate: {{spec: {{{template}}}}}}}\n---\n---\n\
         kind: PyTorchJob\nmetadata: {{name: t}}\n---\nkind: List\nitems: [{{kind: DaemonSet, metadata: {{name: a}}, spec: {{{template}}}}}]\n"
    );
    let manifest = read("m", &text).expect("a manifest");
    let names: Vec<&str> = manifest.containers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Deployment d, container c", "CronJob j, container c", "DaemonSet a, container c"]);
    assert_eq!(manifest.passed_over, ["PyTorchJob t"]);
}

#[test]
fn what_is_no_manifest_is_refused_with_its_place() {
    for (text, line, part) in [
        ("", 1, "holds no Pod"),
        ("kind: Service\nmetadata: {name: s}\n", 1, "holds no Pod"),
        ("---\nkind: Service\n---\na: 1\n", 4, "has no `kind`"),
        ("kind: Pod\nspec: {containers: []}\n", 2, "has no containers"),
        ("kind: Job\nspec: {}\n", 1, "has no `spec.template.spec`"),
        ("kind: Pod\nspec:\n  containers:\n  - image: '{{ .Values.image }}'\n", 4, "a template has to be rendered"),
    ] {
        let (at, _, why) = read("m", text).expect_err(text);
        assert!(at == line && why.contains(part), "{text}: {at}: {why}");
    }
}

#[test]
fn only_what_names_a_gpu_is_counted_as_one() {
    let asked = |text: &str, spec: &str| {
        let container = pod(spec, &format!("    resources: {text}\n"));
        (
            container.facts.written.gpu_requested.known().copied(),
            container.facts.written.gpus_requested.known().copied(),
        )
    };
    assert_eq!(
        asked("{limits: {nvidia.com/gpu: 2, nvidia.com/mig-1g.10gb: 1, nvidia.com/gpumem: 3000}}", ""),
        (Some(true), Some(3))
    );
    for text in [
        "{limits: {nvidia.com/gpumem: 3000}}",
        "{limits: {amd.com/gpu: 1}}",
        "{limits: {gpu.intel.com/i915: 1}}",
        "{claims: [{name: x}]}",
    ] {
        assert_eq!(asked(text, ""), (None, None), "{text}");
    }
    assert_eq!(asked("{claims: []}", ""), (Some(false), Some(0)));
    let claim = "  resourceClaims: [{name: x, resourceClaimTemplateName: one-gpu}]\n";
    assert_eq!(asked("{claims: [{name: x}]}", claim).0, Some(true));
}

#[test]
fn limits_of_the_pod_count_and_small_ones_are_told() {
    let limits = pod("  resources: {limits: {memory: 8Gi, cpu: 2}}\n", "    image: x:1\n").facts.limits;
    assert_eq!((limits.memory_bytes, limits.cpu_quota_cores), (Fact::Known(8 << 30), Fact::Known(2.0)));
    let Fact::Unknown(gap) = pod("", "    resources: {limits: {memory: 512m}}\n").facts.limits.memory_bytes else {
        panic!("it makes no sense")
    };
    assert_eq!(gap.detail, "`512m` is 0.512 byte; `512Mi` is meant");
    assert!(pod("", "    resources: {limits: {memory: 0}}\n").facts.limits.memory_bytes.is_absent());
}

#[test]
fn init_containers_that_stay_are_judged_and_others_are_noted() {
    let text = "kind: Pod\nmetadata: {name: p, namespace: n}\nspec:\n  initContainers:\n  - name: i\n    securityContext:\n      privileged: Yes\n  \
                - {name: s, restartPolicy: Always}\n  containers: [{name: c}]\n";
    let mut manifest = read("m", text).expect("a manifest");
    let names: Vec<&str> = manifest.containers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Pod n/p, container c", "Pod n/p, container s"]);
    assert_eq!(manifest.init, ["Pod n/p, init container i"]);
    let first = manifest.containers.remove(0);
    assert!(first.facts.isolation.privileged.is_unknown());
    let place = first.places.into_found().into_iter().find(|one| one.path == "isolation.privileged");
    assert_eq!(place.map(|one| one.line), Some(7), "where it is said");
    let list = "kind: PodList\nitems: [{metadata: {name: p}, spec: {containers: [{name: c}]}}]\n";
    assert_eq!(read("m", list).expect("a list").containers[0].name, "Pod p, container c");
}

#[test]
fn a_user_is_a_number_and_a_disk_is_no_memory() {
    assert!(pod("  securityContext: {runAsUser: app}\n", "    image: x:1\n").facts.identity.uid.is_unknown());
    let mount = "    volumeMounts: [{name: s, mountPath: /dev/shm}]\n";
    let shm = pod("  volumes: [{name: s, emptyDir: {sizeLimit: 64Gi}}]\n", mount).facts.limits.shm_bytes;
    assert!(shm.is_unknown() && !shm.is_not_asked());
}

#[test]
fn many_volumes_are_found_at_once() {
    use std::fmt::Write as _;
    let (mut volumes, mut mounts, mut containers) = (String::new(), String::new(), String::new());
    for n in 0..4000 {
        write!(volumes, "{{name: v{n}, hostPath: {{path: /etc}}}},").expect("memory");
        write!(mounts, "{{name: v{n}, mountPath: /m{n}}},").expect("memory");
    }
    (0..500).for_each(|n| write!(containers, "{{name: c{n}, volumeMounts: *m}},").expect("memory"));
    let text = format!("x: &m [{mounts}]\nkind: Pod\nspec: {{volumes: [{volumes}], containers: [{containers}]}}\n");
    let begun = std::time::Instant::now();
    assert_eq!(read("m", &text).expect("a pod").containers.len(), 200);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn switches_are_read_as_kubectl_reads_them() {
    let facts = pod("  hostPID: On\n", "    securityContext: {privileged: Yes}\n").facts.isolation;
    assert_eq!((facts.privileged, facts.host_pid), (Fact::Known(true), Fact::Known(true)));
    let facts =
        pod("  hostPID: No\n", "    securityContext: {privileged: OFF, readOnlyRootFilesystem: y}\n").facts.isolation;
    assert_eq!((facts.privileged, facts.host_pid), (Fact::Known(false), Fact::Known(false)));
    assert_eq!(facts.root_read_only, Fact::Known(true));
    let security =
        "{privileged: 'true', readOnlyRootFilesystem: 1, allowPrivilegeEscalation: never, runAsNonRoot: [true]}";
    let container = pod(
        "  hostPID: 'no'\n  automountServiceAccountToken: maybe\n  hostUsers: maybe\n",
        &format!("    securityContext: {security}\n"),
    );
    let (isolation, written) = (&container.facts.isolation, &container.facts.written);
    assert!(
        isolation.privileged.is_unknown() && isolation.host_pid.is_unknown() && isolation.root_read_only.is_unknown()
    );
    assert!(isolation.no_new_privileges.is_unknown() && isolation.service_account_token.is_unknown());
    assert!(written.root_refused.is_unknown() && container.facts.identity.user_namespaced.is_unknown());
    assert_eq!(written.refusals.known().map(Vec::len), Some(7), "{:?}", written.refusals);
}

#[test]
fn the_nodes_own_is_told_as_such() {
    let ports = |spec: &str| {
        let told = pod(spec, "    ports: [{containerPort: 6006}]\n").facts.written.published_ports;
        told.known().map(|ports| ports.iter().map(|one| one.published.clone()).collect::<Vec<_>>().join(" "))
    };
    assert_eq!((ports("  hostNetwork: true\n").as_deref(), ports("").as_deref()), (Some("hostNetwork"), Some("")));
    let shm = |spec: &str| pod(spec, "    image: x:1\n").facts.limits.shm_bytes;
    assert!(shm("  hostIPC: true\n").is_not_asked() && shm("  hostIPC: maybe\n").is_not_asked());
    assert_eq!(shm("  hostIPC: false\n"), Fact::Known(64 << 20));
    let asked = |spec: &str| pod(spec, "    image: x:1\n").facts.written.gpu_requested;
    assert!(asked("  runtimeClassName: nvidia\n").is_unknown());
    assert_eq!(asked("  runtimeClassName: kata\n"), Fact::Known(false));
}

#[test]
fn other_kinds_that_hold_containers_may_ask_for_gpus() {
    let may_ask = |other: &str| {
        let text = format!("kind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c}}]}}\n---\n{other}\n");
        read("m", &text).expect("a manifest").may_ask
    };
    let ray = "kind: RayCluster\nmetadata: {name: r}\nspec: {workers: [{template: {spec: {containers: [{name: w}]}}}]}";
    assert_eq!(may_ask(ray).as_deref(), Some("RayCluster r"));
    assert_eq!(may_ask("kind: ServiceMonitor\nmetadata: {name: s}\nspec: {endpoints: [{port: web}]}"), None);
    assert_eq!(may_ask("kind: ConfigMap\nmetadata: {name: s}\ndata: {resources: x}"), None);
}
