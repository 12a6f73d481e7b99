//! The ways in which a service asks for a GPU.

use super::Service;
use crate::facts::Fact;
use crate::probe::written::container::{Container, Variable};
use crate::probe::written::given;
use crate::probe::written::yaml::Node;

impl Service<'_> {
    /// The GPUs that it asks for.
    pub(super) fn gpus(&self, container: &mut Container) {
        if let Some(runtime) = self.at(&["runtime"]) {
            match (runtime.text(), runtime.open()) {
                (Some("nvidia"), _) => container.runtime = Some(runtime.line),
                (_, Some(why)) => container.gpus_unsaid(why, runtime.line),
                _ => {}
            }
        }
        for device in self.all(&["deploy", "resources", "reservations", "devices"]) {
            reserved(container, device, false);
        }
        self.generic(container);
        self.nodes(container);
        let Some(gpus) = self.at(&["gpus"]) else { return };
        match (gpus.text(), gpus.open()) {
            (Some("0" | ""), _) => {}
            (Some(count), _) => container.gpus(count.parse().ok(), gpus.line),
            (None, Some(why)) => container.gpus_unsaid(why, gpus.line),
            (None, None) => gpus.items().iter().for_each(|device| reserved(container, device, true)),
        }
    }

    /// Resources of Swarm, by kinds that whoever runs the node names.
    fn generic(&self, container: &mut Container) {
        for resource in self.all(&["deploy", "resources", "reservations", "generic_resources"]) {
            let at = |key| resource.at(&["discrete_resource_spec", key]);
            let Some(kind) = at("kind") else { continue };
            if kind.raw().is_some_and(|kind| kind.to_ascii_lowercase().contains("gpu")) {
                let count = at("value").and_then(Node::text).and_then(|count| count.parse().ok());
                if count != Some(0) {
                    container.gpus(count, kind.line);
                }
            } else if let Some(why) = kind.open() {
                container.gpus_unsaid(why, kind.line);
            }
        }
    }

    /// Device nodes, and devices by the names of the Container Device Interface.
    fn nodes(&self, container: &mut Container) {
        for device in self.all(&["devices"]) {
            let source = device.raw().or_else(|| device.get("source")?.raw()).unwrap_or_default();
            if source.starts_with("nvidia.com/") && !source.contains("${") {
                container.gpus(None, device.line);
            } else if source.starts_with("/dev/nvidia") {
                // Those that were asked for otherwise are no longer all.
                container.facts.written.gpus_requested = Fact::default();
                let why =
                    "device nodes of NVIDIA are given one by one, and what driver comes with them is not in the text";
                container.gpus_unsaid(why, device.line);
            } else if let Some(vendor) = other_vendor(source) {
                container.gpus_unsaid(vendor, device.line);
            } else if source.starts_with("${") || source.starts_with("nvidia.com/") {
                let why = device.open().or_else(|| device.get("source")?.open());
                container.gpus_unsaid(why.unwrap_or("a device comes from a variable"), device.line);
            }
        }
    }
}

/// Which other vendor's a device is.
fn other_vendor(device: &str) -> Option<&'static str> {
    match device {
        _ if device.starts_with("amd.com/") || device.starts_with("/dev/kfd") => Some("it asks for a GPU of AMD"),
        _ if device.starts_with("intel.com/") || device.starts_with("gpu.intel.com/") => {
            Some("it asks for a GPU of Intel")
        }
        _ if device.starts_with("/dev/dri") => Some("it asks for `/dev/dri`, which may be any vendor's GPU"),
        _ => None,
    }
}

/// A device that is reserved; `is_gpu` where nothing but GPUs can stand.
fn reserved(container: &mut Container, device: &Node, is_gpu: bool) {
    let says_gpu = |word: &Node| matches!(word.text(), Some("gpu" | "nvidia"));
    let ids: Option<Vec<&Node>> = device.get("device_ids").map(|ids| ids.one_or_more().collect());
    let driver = device.get("driver");
    let capabilities: Vec<&Node> =
        device.get("capabilities").into_iter().flat_map(Node::one_or_more).flat_map(Node::one_or_more).collect();
    let is_cdi = ids.iter().flatten().any(|id| id.raw().is_some_and(|id| id.starts_with("nvidia.com/")));
    let other = ids.iter().flatten().find_map(|id| other_vendor(id.raw()?));
    let is_nvidia = driver.is_some_and(says_gpu) || is_cdi;
    let asks = is_gpu || is_nvidia || capabilities.iter().any(|word| says_gpu(word));
    let why = driver.and_then(Node::open).or_else(|| capabilities.iter().find_map(|word| word.open()));
    if let Some(why) = other.or(why.filter(|_| !is_nvidia)) {
        return container.gpus_unsaid(why, device.line);
    }
    if !asks {
        return;
    }
    match driver.and_then(Node::text) {
        Some(name) if !is_nvidia && name != "cdi" && !name.is_empty() => {
            container.gpus_unsaid(&format!("its GPU comes by the driver `{name}`, which is not NVIDIA's"), device.line);
        }
        _ => {
            let named = ids.iter().flatten().filter_map(|id| id.raw()).flat_map(|id| id.split(','));
            let named = ids.as_ref().filter(|_| !is_cdi).and_then(|_| given::count(named));
            let count: Option<u64> = device.get("count").and_then(Node::text).and_then(|count| count.parse().ok());
            if count != Some(0) {
                container.gpus(count.or(named), device.line);
                // By the names of the Container Device Interface no variable is set.
                if !is_cdi && driver.and_then(Node::text) != Some("cdi") {
                    driver_capabilities(container, device);
                }
            }
        }
    }
}

/// Capabilities of the driver that are listed with a device: the engine sets their variable behind those of the container, and
/// the last one counts.
fn driver_capabilities(container: &mut Container, device: &Node) {
    const ALL: [&str; 6] = ["compute", "compat32", "graphics", "utility", "video", "display"];
    let Some(listed) = device.get("capabilities") else { return };
    // Of several sets the engine takes the first that a driver has.
    let set = listed.items().first().filter(|first| !first.items().is_empty()).map_or(listed, |first| &**first);
    let set: Vec<&Node> = set.one_or_more().collect();
    let known: Vec<&str> = set.iter().filter_map(|word| word.text()).filter(|word| ALL.contains(word)).collect();
    let is_open = set.iter().any(|word| word.open().is_some());
    if !known.is_empty() || is_open {
        let value = Some(known.join(",")).filter(|_| !is_open);
        container.environment.push(Variable {
            name: "NVIDIA_DRIVER_CAPABILITIES".to_owned(),
            value,
            line: device.line,
        });
    }
}

#[cfg(test)]
mod tests;
