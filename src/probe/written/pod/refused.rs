//! What the API server takes for no pod, so that nothing of it starts.

use std::collections::HashSet;

use super::{ITEMS, Pod};
use crate::facts::quantity::kubernetes;
use crate::probe::written::container::Container;
use crate::probe::written::yaml::Node;

impl Pod<'_> {
    /// Every reason that stands in this container, or in its pod.
    pub(super) fn refusals(&self, container: &mut Container) {
        self.restart_policy(container);
        self.switches(container);
        self.amounts(container);
        self.mounts(container);
        self.names(container);
    }

    fn restart_policy(&self, container: &mut Container) {
        let node = self.spec.get("restartPolicy");
        let policy = node.and_then(Node::text);
        let line = node.map_or(self.spec.line, |node| node.line);
        let kind = self.kind;
        let may_be: &[&str] = match kind {
            "Pod" => &["Always", "OnFailure", "Never"],
            "Job" | "CronJob" => &["OnFailure", "Never"],
            _ => &["Always"],
        };
        // It is `Always` where nobody says it.
        if !may_be.contains(&policy.unwrap_or("Always")) {
            let may_be = may_be.join("` or `");
            container.refuse(&format!("the `restartPolicy` of a {kind} has to be `{may_be}`"), line);
        }
    }

    /// A switch is true or false, without quotes; and some cannot stand together.
    fn switches(&self, container: &mut Container) {
        let of_security = ["privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsNonRoot"];
        let of_spec = ["hostPID", "hostNetwork", "hostIPC", "hostUsers", "automountServiceAccountToken"];
        let own = of_security.map(|key| (key, self.own.at(&["securityContext", key])));
        let of_pod = [("runAsNonRoot", self.spec.at(&["securityContext", "runAsNonRoot"]))];
        for (key, node) in own.into_iter().chain(of_pod).chain(of_spec.map(|key| (key, self.spec.get(key)))) {
            if let Some(node) = node.filter(|node| node.switch().is_none()) {
                let text = node.shown();
                container.refuse(&format!("`{key}` is `{text}`, which is neither true nor false"), node.line);
            }
        }
        let is = |at: usize| own.get(at).and_then(|(_, node)| node.as_ref());
        if let (Some(privileged), Some(may)) = (is(0), is(1))
            && (privileged.switch(), may.switch()) == (Some(true), Some(false))
        {
            container
                .refuse("`privileged: true` cannot stand beside `allowPrivilegeEscalation: false`", privileged.line);
        }
    }

    /// Of an extended resource a whole number is given, the same as is asked for; of others no less.
    fn amounts(&self, container: &mut Container) {
        let all = |key: &str| self.own.at(&["resources", key]).into_iter().flat_map(Node::entries);
        let amount = |node: &Node| node.text().and_then(kubernetes);
        for (key, limit) in all("limits") {
            let key = key.text().unwrap_or_default();
            if is_extended(key) && amount(limit).is_some_and(|amount| amount.fract() != 0.0) {
                let text = limit.text().unwrap_or_default();
                container.refuse(&format!("`{key}: {text}` has to be a whole number"), limit.line);
            }
        }
        for (key, request) in all("requests") {
            let key = key.text().unwrap_or_default();
            let limit = self.own.at(&["resources", "limits", key]);
            let Some(limit) = limit else {
                if is_extended(key) && amount(request) != Some(0.0) {
                    let why =
                        format!("`{key}` stands under `requests` alone, and needs the same number under `limits`");
                    container.refuse(&why, request.line);
                }
                continue;
            };
            let (Some(asked), Some(most)) = (amount(request), amount(limit)) else { continue };
            let text = |node: &Node| node.text().unwrap_or_default().to_owned();
            if is_extended(key) && asked.total_cmp(&most).is_ne() {
                let (asked, most) = (text(request), text(limit));
                let why =
                    format!("`{key}` is {asked} under `requests` and {most} under `limits`, and has to be the same");
                container.refuse(&why, request.line);
            } else if asked > most {
                let (asked, most) = (text(request), text(limit));
                let why = format!("`{key}` is {asked} under `requests`, which is more than the limit of {most}");
                container.refuse(&why, request.line);
            }
        }
    }

    fn mounts(&self, container: &mut Container) {
        let is_whole = !self.spec.get("volumes").is_some_and(|volumes| volumes.is_long(ITEMS));
        let mut paths = HashSet::new();
        for mount in self.own.get("volumeMounts").map_or(&[][..], Node::items).iter().take(ITEMS) {
            let text = |key: &str| mount.get(key).and_then(Node::text);
            if let Some(name) = text("name").filter(|name| is_whole && !self.volumes.contains_key(name)) {
                container.refuse(
                    &format!("the volume `{name}` is mounted, and `volumes` lists none of that name"),
                    mount.line,
                );
            }
            if let Some(path) = text("mountPath").filter(|path| !paths.insert(*path)) {
                container.refuse(&format!("two volumes are mounted at `{path}`"), mount.line);
            }
        }
    }

    /// What is named has to be there, and ports of the node's network are the container's own.
    fn names(&self, container: &mut Container) {
        let of_pod = self.spec.get("resourceClaims").map_or(&[][..], Node::items);
        for claim in self.own.at(&["resources", "claims"]).map_or(&[][..], Node::items).iter().take(ITEMS) {
            let name = claim.get("name").and_then(Node::text).unwrap_or_default();
            if !of_pod.iter().take(ITEMS).any(|one| one.get("name").and_then(Node::text) == Some(name)) {
                let why =
                    format!("the claim `{name}` is used, and `resourceClaims` of the pod lists none of that name");
                container.refuse(&why, claim.line);
            }
        }
        if self.spec.get("hostNetwork").and_then(Node::switch) != Some(true) {
            return;
        }
        for port in self.own.get("ports").map_or(&[][..], Node::items).iter().take(ITEMS) {
            let text = |key: &str| port.get(key).and_then(Node::text);
            if let (Some(inside), Some(outside)) = (text("containerPort"), text("hostPort"))
                && inside != outside
            {
                let why = format!("with `hostNetwork` the `hostPort` of port {inside} cannot be {outside}");
                container.refuse(&why, port.line);
            }
        }
    }
}

/// Whether a resource is one that plugins of the node offer.
fn is_extended(key: &str) -> bool {
    key.contains('/') && !key.contains("kubernetes.io/") && !key.starts_with("requests.")
}

#[cfg(test)]
mod tests;
