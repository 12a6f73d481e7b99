//! The workloads in a manifest of Kubernetes.
//!
//! Pods, and what makes them from a template (Deployment, `ReplicaSet`, `StatefulSet`, `DaemonSet`, Job, `CronJob`), alone or in
//! a list. What else stands in the file makes no container by itself, but a `ConfigMap` may hold the script that one starts. Init containers that stay (`restartPolicy: Always`) are
//! judged as containers; the others end before the workload begins, which is noted.

use super::container::Container;
use super::pod::{self, ConfigMaps, Pod};
use super::yaml::{self, Node, Wrong};
use crate::facts::{Fact, cut};

/// What a manifest tells.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The containers of its workloads.
    pub containers: Vec<Container>,
    /// Kinds that were passed over though their name says that they may run containers.
    pub passed_over: Vec<String>,
    /// Of these, those whose text tells of containers, so that they may be who asks for a GPU.
    pub may_ask: Option<String>,
    /// Init containers, which are not judged.
    pub init: Vec<String>,
    /// Containers that were not read, for there are too many.
    pub left: usize,
}

/// Containers that are read at most.
const CONTAINERS: usize = 200;

/// Kinds that hold no container.
const PLAIN: [&str; 18] = [
    "Service",
    "ConfigMap",
    "Secret",
    "Namespace",
    "Ingress",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "NetworkPolicy",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "ResourceQuota",
    "LimitRange",
    "PriorityClass",
];

/// Every container of a manifest.
pub fn read(file: &str, text: &str) -> Result<Manifest, Wrong> {
    let mut manifest = Manifest::default();
    let documents = yaml::documents(text)?;
    let mut all: Vec<(&Node, Option<&str>)> = Vec::new();
    for document in documents.iter().filter(|document| !document.is_null()) {
        let kind = document.get("kind").and_then(Node::text);
        if let Some(of_items) = kind.and_then(|kind| kind.strip_suffix("List")) {
            // Items of a `PodList` have no kind of their own.
            let of_items = Some(of_items).filter(|kind| !kind.is_empty());
            for item in document.get("items").map_or(&[][..], Node::items) {
                all.push((item, item.get("kind").and_then(Node::text).or(of_items)));
            }
        } else {
            all.push((document, kind));
        }
    }
    let config_maps = all.iter().filter(|(_, kind)| *kind == Some("ConfigMap")).filter_map(|(document, _)| {
        let name = document.at(&["metadata", "name"])?.text()?;
        Some(((namespace(document), name), document.get("data")?))
    });
    let config_maps: ConfigMaps<'_> = config_maps.collect();
    for (document, kind) in all {
        workload(file, document, kind, &config_maps, &mut manifest)?;
    }
    if manifest.containers.is_empty() {
        let message = "holds no Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job or CronJob";
        return Err((1, 1, message.to_owned()));
    }
    Ok(manifest)
}

fn namespace(document: &Node) -> Option<&str> {
    document.at(&["metadata", "namespace"]).and_then(Node::text)
}

fn workload(
    file: &str,
    document: &Node,
    kind: Option<&str>,
    config_maps: &ConfigMaps<'_>,
    manifest: &mut Manifest,
) -> Result<(), Wrong> {
    let Some(kind) = kind else {
        return Err((document.line, 1, "a document has no `kind`, so it is no manifest of Kubernetes".to_owned()));
    };
    let name = document.at(&["metadata", "name"]).and_then(Node::text).unwrap_or("without a name");
    let way: &[&str] = match kind {
        "Pod" => &["spec"],
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => &["spec", "template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => {
            if !PLAIN.contains(&kind) {
                let passed_over = cut(&format!("{kind} {name}"));
                if document.mentions(|key| key.ends_with("ontainers") || key == "resources") {
                    manifest.may_ask.get_or_insert_with(|| passed_over.clone());
                }
                manifest.passed_over.push(passed_over);
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
    // Two of one name may lie in two namespaces.
    let namespace = namespace(document);
    let name = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"));
    let called = |index: usize, own: &Node| {
        own.get("name").and_then(Node::text).map_or_else(|| (index + 1).to_string(), str::to_owned)
    };
    let stays = |own: &Node| own.get("restartPolicy").and_then(Node::text) == Some("Always");
    let init = spec.get("initContainers").map_or(&[][..], Node::items);
    let (sidecars, init): (Vec<_>, Vec<_>) = init.iter().enumerate().partition(|(_, own)| stays(own));
    let mut privileged = None;
    for (index, own) in &init {
        let of = cut(&format!("{kind} {name}, init container {}", called(*index, own)));
        // What is no switch is refused, and acquits nobody.
        let may_be = |node: &&Node| node.switch() != Some(false);
        if let Some(node) = own.at(&["securityContext", "privileged"]).filter(may_be) {
            privileged = Some((of.clone(), node.line));
        }
        manifest.init.push(of);
    }
    let volumes = pod::volumes(spec, document.at(&["spec", "volumeClaimTemplates"]));
    for (index, own) in containers.iter().enumerate().chain(sidecars) {
        if manifest.containers.len() >= CONTAINERS {
            manifest.left += 1;
            continue;
        }
        let pod = Pod { kind, spec, volumes: &volumes, namespace, config_maps, own };
        let mut container = pod.container(&format!("{kind} {name}, container {}", called(index, own)), file)?;
        if let Some((of, line)) = &privileged
            && container.facts.isolation.privileged == Fact::Known(false)
        {
            container.facts.isolation.privileged = Container::unsaid(&format!("{of} is privileged, and is not judged"));
            container.places.set("isolation.privileged", *line);
        }
        manifest.containers.push(container);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
