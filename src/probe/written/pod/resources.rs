//! What a container may use at most, and the GPUs that it asks for.

use super::Pod;
use crate::facts::quantity::{bytes, kubernetes};
use crate::facts::{Fact, GapKind, cut};
use crate::probe::written::container::Container;
use crate::probe::written::yaml::Node;

/// Bytes of memory with which no container starts.
const TOO_SMALL: f64 = 4_194_304.0;

impl Pod<'_> {
    /// The limits, of the container or else of the pod.
    pub(super) fn limits(&self, container: &mut Container) {
        let of = |node: &'_ Node, key: &str| -> Option<(Fact<f64>, usize)> {
            let limit = node.at(&["resources", "limits", key])?;
            Some((amount(key, limit), limit.line))
        };
        if let Some(line) = self.own.line_of("resources") {
            container.places.set("limits", line);
        }
        let of_limits = self.own.get("resources").and_then(|resources| resources.line_of("limits"));
        for (key, path) in [("memory", "limits.memory_bytes"), ("cpu", "limits.cpu_quota_cores")] {
            let (told, line) = match of(self.own, key).or_else(|| of(self.spec, key)) {
                Some((told, line)) => (told, Some(line)),
                None => (Fact::Absent, of_limits),
            };
            container.places.set_if(path, line);
            if key == "memory" {
                container.facts.limits.memory_bytes = told.and_then(|amount| Fact::present(bytes(amount)));
            } else {
                container.facts.limits.cpu_quota_cores = told;
            }
        }
        self.gpus(container);
        self.claims(container);
    }

    fn gpus(&self, container: &mut Container) {
        let (mut sum, mut asks) = (Some(0_u64), None);
        let all = |key: &str| self.own.at(&["resources", key]).into_iter().flat_map(Node::entries);
        let has_limit = |key: &Node| key.text().is_some_and(|key| self.own.at(&["resources", "limits", key]).is_some());
        // A request alone asks too, and is refused.
        for (key, count) in all("limits").chain(all("requests").filter(|(key, _)| !has_limit(key))) {
            let Some(key) = key.text() else { continue };
            let amount = count.text().and_then(kubernetes);
            if amount == Some(0.0) {
                continue;
            }
            let count_of = amount.filter(|amount| amount.fract() == 0.0).and_then(bytes);
            match vendor(key) {
                Vendor::Nvidia => {
                    sum = sum.zip(count_of).map(|(sum, count)| sum.saturating_add(count));
                    asks = asks.or(Some(count.line));
                }
                Vendor::Other => {
                    container.gpus_unsaid(&format!("it asks for {key}, which is no GPU of NVIDIA"), count.line);
                }
                Vendor::Unclear => {
                    container.gpus_unsaid(&format!("whether {key} brings a GPU is not in the text"), count.line);
                }
                Vendor::None => {}
            }
        }
        if let Some(line) = asks {
            container.gpus(sum, line);
        }
    }

    /// Claims of devices. Which class they are of may stand in another file.
    fn claims(&self, container: &mut Container) {
        let says_gpu = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.contains("gpu") || text.contains("nvidia") || text.contains("mig-")
        };
        let of_pod = self.spec.get("resourceClaims").map_or(&[][..], Node::items);
        for claim in self.own.at(&["resources", "claims"]).map_or(&[][..], Node::items) {
            let name = claim.get("name").and_then(Node::text).unwrap_or_default();
            let names =
                of_pod.iter().filter(|one| one.get("name").and_then(Node::text) == Some(name)).take(1).flat_map(
                    |one| {
                        ["resourceClaimName", "resourceClaimTemplateName"].map(|key| one.get(key).and_then(Node::text))
                    },
                );
            if names.flatten().chain([name]).any(says_gpu) {
                container.gpus(None, claim.line);
            } else {
                let why = format!("whether the claim `{name}` is of a GPU is not in the text");
                container.gpus_unsaid(&why, claim.line);
            }
        }
    }
}

/// A limit; 0 is none.
fn amount(key: &str, limit: &Node) -> Fact<f64> {
    let text = limit.text().unwrap_or_default();
    match kubernetes(text) {
        Some(amount) if amount <= 0.0 => Fact::Absent,
        Some(amount) if key == "memory" && amount < TOO_SMALL => {
            let meant = text.strip_suffix('m').map_or(String::new(), |number| format!("; `{number}Mi` is meant"));
            Fact::unknown(GapKind::Malformed, cut(&format!("`{text}` is {amount} byte{meant}")))
        }
        Some(amount) => Fact::Known(amount),
        None => Fact::unknown(GapKind::Malformed, format!("limits.{key} is no quantity")),
    }
}

enum Vendor {
    Nvidia,
    Other,
    /// It may come with a GPU.
    Unclear,
    None,
}

/// Whose device a resource is.
fn vendor(key: &str) -> Vendor {
    let Some((domain, name)) = key.split_once('/') else { return Vendor::None };
    match domain {
        "nvidia.com"
            if matches!(name, "gpu" | "gpu.shared")
                || name.starts_with("mig-")
                || name.rsplit('.').next() == Some("gpu") =>
        {
            Vendor::Nvidia
        }
        "nvidia.com" if name.contains("imex") => Vendor::None,
        "nvidia.com" => Vendor::Unclear,
        "amd.com" | "gpu.intel.com" | "habana.ai" => Vendor::Other,
        _ if name.contains("gpu") => Vendor::Unclear,
        _ => Vendor::None,
    }
}
