//! A container of a pod, by what its manifest says of it and of the pod.
//!
//! Where a field is not set, what the API server puts in its place holds; what an image, an account or the kubelet decides is not
//! in the text. [`resources`] tells of limits and GPUs, [`files`] of what is mounted with its text, [`refused`] of what the API server does not take.

mod files;
mod refused;
mod resources;

use std::collections::HashMap;

use super::container::{Container, Variable};
use super::yaml::{Node, Wrong};
use crate::facts::quantity::{bytes, kubernetes};
use crate::facts::{ContainerKind, Fact, Gap, GapKind, Seccomp, TokenKind, cut};
pub use files::ConfigMaps;

/// Kinds that are started again whatever happens, and are asked for their health.
const SERVING: [&str; 3] = ["Deployment", "ReplicaSet", "StatefulSet"];

/// Volumes, mounts and variables that are read at most.
const ITEMS: usize = 1000;

/// The volumes of a pod by their names.
pub type Volumes<'a> = HashMap<&'a str, &'a Node>;

/// The volumes of a pod, and the claims that a `StatefulSet` makes volumes of.
pub fn volumes<'a>(spec: &'a Node, claims: Option<&'a Node>) -> Volumes<'a> {
    let claims = claims.map_or(&[][..], Node::items).iter().take(ITEMS);
    let claims = claims.filter_map(|claim| Some((claim.at(&["metadata", "name"])?.text()?, &**claim)));
    let all = spec.get("volumes").map_or(&[][..], Node::items).iter().take(ITEMS);
    let own = all.rev().filter_map(|volume| Some((volume.get("name")?.text()?, &**volume)));
    own.chain(claims).collect()
}

/// A container within its pod.
pub struct Pod<'a> {
    /// The kind of its workload.
    pub kind: &'a str,
    /// The specification of the pod.
    pub spec: &'a Node,
    /// Its volumes.
    pub volumes: &'a Volumes<'a>,
    /// The namespace that it names.
    pub namespace: Option<&'a str>,
    /// What volumes may be made of.
    pub config_maps: &'a ConfigMaps<'a>,
    /// The container in it.
    pub own: &'a Node,
}

impl<'a> Pod<'a> {
    /// What is told of it.
    pub fn container(&self, name: &str, file: &str) -> Result<Container, Wrong> {
        let mut container = Container::new(name, ContainerKind::Kubernetes, file, self.own.line);
        container.image = self.own.get("image").and_then(|node| Some((node.text()?.to_owned(), node.line)));
        if let Some((_, line)) = container.image.as_ref().filter(|(image, _)| image.contains("{{")) {
            return Err((
                *line,
                1,
                "`{{` stands in the name of an image: a template has to be rendered first".to_owned(),
            ));
        }
        let lists = [self.own.get("env"), self.own.get("volumeMounts"), self.spec.get("volumes")];
        if lists.into_iter().flatten().any(|list| list.is_long(ITEMS)) {
            container.leave_open(&format!("of its variables, mounts and volumes the first {ITEMS} are read"));
        }
        self.environment(&mut container);
        self.limits(&mut container);
        self.security(&mut container);
        self.shared(&mut container);
        self.volumes(&mut container);
        self.files(&mut container);
        self.life(&mut container);
        self.refusals(&mut container);
        Ok(container)
    }

    /// A field of the container, else of the pod.
    fn security_field(&self, key: &str) -> Option<&'a Node> {
        let of = |node: &'a Node| node.at(&["securityContext", key]);
        of(self.own).or_else(|| of(self.spec))
    }

    fn security(&self, container: &mut Container) {
        if let Some(node) = self.security_field("runAsUser") {
            let user = node.text().unwrap_or_default();
            container.user(user, node.line);
            if user.parse::<u32>().is_err() {
                let why = cut(&format!("runAsUser is `{user}`, and has to be a number"));
                container.facts.identity.uid = Fact::unknown(GapKind::Malformed, why.clone());
                container.facts.identity.user_name = Fact::unknown(GapKind::Malformed, why);
            }
        }
        let refused = self.security_field("runAsNonRoot");
        container.facts.written.root_refused = refused.map_or(Fact::Known(false), switch);
        if let Some(node) = refused {
            container.places.set("written.root_refused", node.line);
        }
        let own = |key: &str| self.own.at(&["securityContext", key]);
        if let Some(node) = own("allowPrivilegeEscalation") {
            container.facts.isolation.no_new_privileges = switch(node).map(|may| !may);
            container.places.set("isolation.no_new_privileges", node.line);
        }
        if let Some(node) = own("readOnlyRootFilesystem") {
            container.facts.isolation.root_read_only = switch(node);
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
        if let Some(node) = own("privileged") {
            match switch(node) {
                Fact::Known(true) => container.privileged("securityContext.privileged: true", node.line),
                Fact::Unknown(gap) => container.privileged_unsaid(gap, node.line),
                _ => {}
            }
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
                *fact = switch(node);
                container.places.set(path, node.line);
            }
        }
        if isolation.host_ipc != Fact::Known(false) {
            // That of the node, whose size is not in the text.
            container.facts.limits.shm_bytes = Fact::default();
        }
        if let Some(class) = self.spec.get("runtimeClassName") {
            let is_micro_vm = class.text().is_some_and(|class| class.contains("kata") || class.contains("firecracker"));
            container.facts.container.micro_vm = Fact::Known(is_micro_vm);
            if class.text().is_some_and(|class| class.contains("nvidia")) {
                let why =
                    "it asks for no GPU, and its runtime class may give those that the variables of its image name";
                container.gpus_unsaid(why, class.line);
            }
        }
        if let Some(node) = self.spec.get("hostUsers") {
            container.facts.identity.user_namespaced = switch(node).map(|of_host| !of_host);
            if node.switch() != Some(true) {
                container.facts.identity.uid_on_host = Fact::Unknown(Gap::not_written());
            }
        }
        let token = self.spec.get("automountServiceAccountToken");
        let account = self.spec.get("serviceAccountName").and_then(Node::text);
        container.facts.isolation.service_account_token = match (token.map(switch), account) {
            (Some(Fact::Unknown(gap)), _) => Fact::Unknown(gap),
            (Some(Fact::Known(false)), _) => Fact::Absent,
            (Some(_), _) | (None, None | Some("default")) => Fact::Known(TokenKind::Bound),
            // The account may say that none is mounted.
            (None, Some(_)) => Fact::Unknown(Gap::not_written()),
        };
        let line = token.map_or(self.spec.line, |token| token.line);
        container.places.set("isolation.service_account_token", line);
    }

    fn volumes(&self, container: &mut Container) {
        for mount in self.own.get("volumeMounts").map_or(&[][..], Node::items).iter().take(ITEMS) {
            let text = |node: &'a Node, key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
            let (name, inside) = (text(mount, "name"), text(mount, "mountPath"));
            let Some(volume) = self.volumes.get(name) else { continue };
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
            container.places.set("limits.shm_bytes", empty.line);
            if text(empty, "medium") != "Memory" {
                let why = "the `emptyDir` at /dev/shm has no `medium: Memory`, so it lies on a disk of the node";
                container.facts.limits.shm_bytes = Container::unsaid(why);
                continue;
            }
            let limit = empty.get("sizeLimit").and_then(Node::text).and_then(kubernetes).and_then(bytes);
            // Without a limit of its own it is the memory limit, or half of the node.
            let size = limit.map_or_else(|| container.facts.limits.memory_bytes.clone(), Fact::Known);
            container.facts.limits.shm_bytes = if size.is_absent() { Fact::default() } else { size };
        }
    }

    fn environment(&self, container: &mut Container) {
        for variable in self.own.get("env").map_or(&[][..], Node::items).iter().take(ITEMS) {
            let Some(name) = variable.get("name").and_then(Node::text) else { continue };
            // What `$(NAME)` stands for is said by another variable, or by nobody.
            let value = Some(variable.get("value").and_then(Node::text).unwrap_or_default());
            let is_said = |value: &&str| variable.get("valueFrom").is_none() && !value.contains("$(");
            let value = value.filter(is_said).map(str::to_owned);
            container.environment.push(Variable { name: name.to_owned(), value, line: variable.line });
        }
        container.has_more_variables |= self.own.get("envFrom").is_some();
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
            match (number("containerPort"), number("hostPort")) {
                (Some(inside), Some(host)) => container.publish(inside, &format!("hostPort {host}"), port.line),
                (Some(inside), None) if container.facts.isolation.host_network == Fact::Known(true) => {
                    container.publish(inside, "hostNetwork", port.line);
                }
                _ => {}
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
            container.places.set_if(path, node.map(|node| node.line));
        }
    }
}

/// A switch as a fact: what is neither true nor false is not known.
fn switch(node: &Node) -> Fact<bool> {
    let text = || cut(&format!("`{}` is neither true nor false", node.shown()));
    node.switch().map_or_else(|| Fact::unknown(GapKind::Malformed, text()), Fact::Known)
}
