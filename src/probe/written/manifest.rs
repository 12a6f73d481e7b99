//! The workloads in a manifest of Kubernetes.
//!
//! Pods, and what makes them from a template (Deployment, `ReplicaSet`, `StatefulSet`, `DaemonSet`, Job, `CronJob`), alone or in
//! a list. What else stands in the file makes no container by itself. Init containers end before the workload begins, and are
//! not looked at.

use super::container::Container;
use super::pod::Pod;
use super::yaml::{self, Node, Wrong};
use crate::facts::cut;

/// What a manifest tells.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The containers of its workloads.
    pub containers: Vec<Container>,
    /// Kinds that were passed over though their name says that they may run containers.
    pub passed_over: Vec<String>,
}

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

#[cfg(test)]
mod tests;
