//! The containers of the workloads in a manifest of Kubernetes.
//!
//! Pods, and what makes them from a template: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob; lists of them too.
//! What else stands in the file makes no container by itself. Init containers end before the workload begins, and are not
//! looked at. Where a field is not set, what the API server puts in its place holds.

use super::container::{Container, Variable};
use super::quantity::{bytes, kubernetes};
use super::yaml::{self, Node, Wrong};
use crate::facts::{ContainerKind, Fact, Gap, GapKind, Seccomp, TokenKind, cut};

/// What a manifest tells.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The containers of its workloads.
    pub containers: Vec<Container>,
    /// Kinds that were passed over though their name says that they may run containers.
    pub passed_over: Vec<String>,
}

/// Kinds that are started again whatever happens, and are asked for their health.
const SERVING: [&str; 3] = ["Deployment", "ReplicaSet", "StatefulSet"];
/// Kinds that hold no container.
const PLAIN: [&str; 18] = [
    "Service", "ConfigMap", "Secret", "Namespace", "Ingress", "ServiceAccount", "Role", "RoleBinding", "ClusterRole",
    "ClusterRoleBinding", "PersistentVolumeClaim", "PersistentVolume", "NetworkPolicy", "HorizontalPodAutoscaler",
    "PodDisruptionBudget", "ResourceQuota", "LimitRange", "PriorityClass",
];

/// Every container of a manifest.
pub fn read(file: &str, text: &str) -> Result<Manifest, Wrong> {
    let mut manifest = Manifest::default();
    for document in yaml::documents(text)? {
        if document.is_null() {
            continue;
        }
        if document.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List")) {
            for item in document.get("items").map_or(&[][..], Node::items) {
                workload(file, item, &mut manifest)?;
            }
        } else {
            workload(file, &document, &mut manifest)?;
        }
    }
    if manifest.containers.is_empty() {
        let message = "holds no Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job or CronJob";
        return Err((1, 1, message.to_owned()));
    }
    Ok(manifest)
}

fn workload(file: &str, document: &Node, manifest: &mut Manifest) -> Result<(), Wrong> {
    let Some(kind) = document.get("kind").and_then(Node::text) else {
        return Err((document.line, 1, "a document has no `kind`, so it is no manifest of Kubernetes".to_owned()));
    };
    let name = document.at(&["metadata", "name"]).and_then(Node::text).unwrap_or("without a name");
    let way: &[&str] = match kind {
        "Pod" => &["spec"],
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => &["spec", "template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => {
            if !PLAIN.contains(&kind) {
                manifest.passed_over.push(cut(&format!("{kind} {name}")));
            }
            return Ok(());
        }
    };
    if name.contains("{{") {
        return Err((document.line, 1, "`{{` stands in it: a template has to be rendered first".to_owned()));
    }
    let Some(spec) = document.at(way).filter(|spec| spec.is_map()) else {
        return Err((document.line, 1, format!("{kind} {name} has no `{}`", way.join("."))));
    };
    let containers = spec.get("containers").map_or(&[][..], Node::items);
    if containers.is_empty() {
        return Err((spec.line, 1, format!("{kind} {name} has no containers")));
    }
    for (index, own) in containers.iter().enumerate() {
        let called = own.get("name").and_then(Node::text).map_or_else(|| (index + 1).to_string(), str::to_owned);
        let pod = Pod { kind, spec, own };
        manifest.containers.push(pod.container(&format!("{kind} {name}, container {called}"), file)?);
    }
    Ok(())
}

/// A container within its pod.
struct Pod<'a> {
    kind: &'a str,
    spec: &'a Node,
    own: &'a Node,
}

impl<'a> Pod<'a> {
    fn container(&self, name: &str, file: &str) -> Result<Container, Wrong> {
        let mut container = Container::new(name, ContainerKind::Kubernetes, file, self.own.line);
        container.image = self.own.get("image").and_then(|node| Some((node.text()?.to_owned(), node.line)));
        if let Some((_, line)) = container.image.as_ref().filter(|(image, _)| image.contains("{{")) {
            return Err((*line, 1, "`{{` stands in the name of an image: a template has to be rendered first".to_owned()));
        }
        self.environment(&mut container);
        self.limits(&mut container);
        self.security(&mut container);
        self.shared(&mut container);
        self.volumes(&mut container);
        self.life(&mut container);
        Ok(container)
    }

    /// A field of the container, else of the pod.
    fn security_field(&self, key: &str) -> Option<&'a Node> {
        let of = |node: &'a Node| node.at(&["securityContext", key]);
        of(self.own).or_else(|| of(self.spec))
    }

    fn limits(&self, container: &mut Container) {
        let limits = self.own.at(&["resources", "limits"]);
        let at = |key: &str| limits.and_then(|limits| limits.get(key));
        let amount = |key: &str| match at(key) {
            None => Fact::Absent,
            Some(node) => match node.text().and_then(kubernetes) {
                Some(amount) => Fact::Known(amount),
                None => Fact::unknown(GapKind::Malformed, format!("limits.{key} is no quantity")),
            },
        };
        container.facts.limits.memory_bytes = amount("memory").and_then(|amount| Fact::present(bytes(amount)));
        container.facts.limits.cpu_quota_cores = amount("cpu");
        if let Some(line) = self.own.line_of("resources") {
            container.places.set("limits", line);
        }
        for (key, path) in [("memory", "limits.memory_bytes"), ("cpu", "limits.cpu_quota_cores")] {
            let line = at(key).or(limits).map(|node| node.line);
            line.into_iter().for_each(|line| container.places.set(path, line));
        }
        let gpus = limits.into_iter().flat_map(Node::entries).filter(|(key, _)| {
            key.text().is_some_and(|key| key.starts_with("nvidia.com/") && !key.contains("imex"))
        });
        for (_, count) in gpus {
            let count_of = count.text().and_then(kubernetes).and_then(bytes);
            if count_of != Some(0) {
                container.gpus(count_of, count.line);
            }
        }
        if let Some(claims) = self.own.at(&["resources", "claims"]) {
            container.gpus(None, claims.line);
        }
    }

    fn security(&self, container: &mut Container) {
        if let Some(node) = self.security_field("runAsUser") {
            container.user(node.text().unwrap_or_default(), node.line);
        }
        let refused = self.security_field("runAsNonRoot");
        container.facts.written.root_refused = Fact::Known(refused.and_then(Node::switch) == Some(true));
        if let Some(node) = refused {
            container.places.set("written.root_refused", node.line);
        }
        let own = |key: &str| self.own.at(&["securityContext", key]);
        let is = |key: &str, value| own(key).filter(|node| node.switch() == Some(value)).map(|node| node.line);
        if let Some(line) = is("allowPrivilegeEscalation", false) {
            container.facts.isolation.no_new_privileges = Fact::Known(true);
            container.places.set("isolation.no_new_privileges", line);
        }
        if let Some(node) = own("readOnlyRootFilesystem") {
            container.facts.isolation.root_read_only = Fact::Known(node.switch() == Some(true));
            container.places.set("isolation.root_read_only", node.line);
        }
        // Without a profile the kubelet decides.
        if let Some(node) = self.security_field("seccompProfile") {
            let kind = node.get("type").and_then(Node::text);
            container.facts.isolation.seccomp = match kind {
                Some("Unconfined") => Fact::Known(Seccomp::Disabled),
                Some("RuntimeDefault" | "Localhost") => Fact::Known(Seccomp::Filter),
                _ => Fact::unknown(GapKind::Malformed, "seccompProfile has a type that is not known"),
            };
            container.places.set("isolation.seccomp", node.line);
        }
        if let Some(added) = own("capabilities").and_then(|capabilities| capabilities.get("add")) {
            let names: Vec<String> = added.one_or_more().filter_map(|name| Some(name.text()?.to_owned())).collect();
            container.add_capabilities(&names, added.line);
        }
        if let Some(line) = is("privileged", true) {
            container.privileged("securityContext.privileged: true", line);
        }
    }

    fn shared(&self, container: &mut Container) {
        let isolation = &mut container.facts.isolation;
        for (key, path, fact) in [
            ("hostPID", "isolation.host_pid", &mut isolation.host_pid),
            ("hostNetwork", "isolation.host_network", &mut isolation.host_network),
            ("hostIPC", "isolation.host_ipc", &mut isolation.host_ipc),
        ] {
            if let Some(node) = self.spec.get(key) {
                *fact = Fact::Known(node.switch() == Some(true));
                container.places.set(path, node.line);
            }
        }
        if let Some(class) = self.spec.get("runtimeClassName") {
            let is_micro_vm = class.text().is_some_and(|class| class.contains("kata") || class.contains("firecracker"));
            container.facts.container.micro_vm = Fact::Known(is_micro_vm);
        }
        if self.spec.get("hostUsers").and_then(Node::switch) == Some(false) {
            container.facts.identity.user_namespaced = Fact::Known(true);
            container.facts.identity.uid_on_host = Fact::Unknown(Gap::not_written());
        }
        let token = self.spec.get("automountServiceAccountToken");
        let account = self.spec.get("serviceAccountName").and_then(Node::text);
        container.facts.isolation.service_account_token = match (token.and_then(Node::switch), account) {
            (Some(false), _) => Fact::Absent,
            (Some(true), _) | (None, None | Some("default")) => Fact::Known(TokenKind::Bound),
            // The account may say that none is mounted.
            (None, Some(_)) => Fact::Unknown(Gap::not_written()),
        };
        let line = token.map_or(self.spec.line, |token| token.line);
        container.places.set("isolation.service_account_token", line);
    }

    fn volumes(&self, container: &mut Container) {
        let volumes = self.spec.get("volumes").map_or(&[][..], Node::items);
        for mount in self.own.get("volumeMounts").map_or(&[][..], Node::items) {
            let text = |node: &'a Node, key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
            let (name, inside) = (text(mount, "name"), text(mount, "mountPath"));
            let Some(volume) = volumes.iter().find(|volume| text(volume, "name") == name) else { continue };
            if let Some(host) = volume.get("hostPath") {
                container.host_path(text(host, "path"), inside, host.line);
            }
            if inside.trim_end_matches('/') != "/dev/shm" {
                continue;
            }
            let Some(empty) = volume.get("emptyDir") else {
                container.facts.limits.shm_bytes = Fact::default();
                continue;
            };
            let limit = empty.get("sizeLimit").and_then(Node::text).and_then(kubernetes).and_then(bytes);
            // Without a limit of its own it is the memory limit, or half of the node.
            let size = limit.map_or_else(|| container.facts.limits.memory_bytes.clone(), Fact::Known);
            container.facts.limits.shm_bytes = if size.is_absent() { Fact::default() } else { size };
            container.places.set("limits.shm_bytes", empty.line);
        }
    }

    fn environment(&self, container: &mut Container) {
        for variable in self.own.get("env").map_or(&[][..], Node::items) {
            let Some(name) = variable.get("name").and_then(Node::text) else { continue };
            let value = variable.get("value").and_then(Node::text).filter(|value| !value.contains("$("));
            let value = if variable.get("valueFrom").is_some() { None } else { Some(value.unwrap_or_default()) };
            let value = value.map(str::to_owned);
            container.environment.push(Variable { name: name.to_owned(), value, line: variable.line });
        }
        let words = |key: &str| {
            let node = self.own.get(key)?;
            let words = node.one_or_more().filter_map(|word| Some(word.text()?.to_owned())).collect();
            Some((words, node.line))
        };
        (container.entrypoint, container.cmd) = (words("command"), words("args"));
    }

    fn life(&self, container: &mut Container) {
        let ports = self.own.get("ports").map_or(&[][..], Node::items);
        for port in ports {
            let number = |key: &str| port.get(key).and_then(Node::text).and_then(|text| text.parse::<u16>().ok());
            if let (Some(inside), Some(host)) = (number("containerPort"), number("hostPort")) {
                container.publish(inside, &format!("hostPort {host}"), port.line);
            }
        }
        let written = &mut container.facts.written;
        written.serves = Fact::Known(SERVING.contains(&self.kind) && !ports.is_empty());
        let probes = ["readinessProbe", "livenessProbe", "startupProbe"].map(|key| self.own.get(key));
        written.health_declared = Fact::Known(probes.iter().any(Option::is_some));
        // A Job starts a new pod, whatever the pod's own policy.
        let policy = self.spec.get("restartPolicy");
        let is_never = policy.and_then(Node::text) == Some("Never");
        written.restarts = Fact::Known(!(is_never && self.kind == "Pod"));
        let grace = self.spec.get("terminationGracePeriodSeconds");
        written.grace_seconds = match grace.map(|node| node.text().and_then(|text| text.parse().ok())) {
            None => Fact::Known(30.0),
            Some(Some(seconds)) => Fact::Known(seconds),
            Some(None) => Fact::unknown(GapKind::Malformed, "terminationGracePeriodSeconds is no number"),
        };
        let lines = [
            ("written.health_declared", probes.into_iter().flatten().next()),
            ("written.restarts", policy),
            ("written.grace_seconds", grace),
        ];
        for (path, node) in lines {
            node.into_iter().for_each(|node| container.places.set(path, node.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("    resources: {requests: {nvidia.com/gpu: 1}}\n", false),
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
        assert_eq!((facts.isolation.seccomp, facts.isolation.no_new_privileges), (Fact::Known(Seccomp::Filter), Fact::Known(true)));
        let bare = pod("", "    image: x:1\n").facts;
        assert!(bare.identity.uid.is_not_asked() && bare.isolation.seccomp.is_not_asked());
        assert_eq!(bare.isolation.no_new_privileges, Fact::Known(false));
        let bad = pod("  hostPID: true\n", "    securityContext: {privileged: true, capabilities: {add: [ALL, CAP_SYS_PTRACE]}}\n").facts;
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
        assert_eq!(told, [None, Some("b".to_owned()), Some(String::new())]);
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
}
