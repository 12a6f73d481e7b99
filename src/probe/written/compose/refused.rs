//! What `docker compose` takes for no project, so that nothing of it starts.

use super::Service;
use crate::facts::quantity::compose_bytes;
use crate::probe::written::container::Container;
use crate::probe::written::yaml::Node;

/// How the text of a value is compared with that of another one.
type Amount = fn(&str) -> Option<f64>;

impl Service<'_> {
    /// Every reason that stands in this service.
    pub(super) fn refusals(&self, container: &mut Container) {
        for device in self.all(&["deploy", "resources", "reservations", "devices"]).filter(|device| device.is_map()) {
            if device.get("capabilities").is_none() {
                container.refuse("a device is reserved without `capabilities`, such as `[gpu]`", device.line);
            }
            both_named(container, device);
        }
        for device in self.at(&["gpus"]).map_or(&[][..], Node::items) {
            both_named(container, device);
        }
        if let (Some(mode), Some(_)) = (self.at(&["network_mode"]), self.at(&["networks"])) {
            container.refuse("`network_mode` and `networks` exclude each other", mode.line);
        }
        let bytes: Amount = |text| compose_bytes(text).map(|bytes| bytes as f64);
        let number: Amount = |text| text.parse().ok();
        for (key, of_deploy, amount) in
            [("mem_limit", "memory", bytes), ("cpus", "cpus", number), ("pids_limit", "pids", number)]
        {
            let value = |way: &[&str]| self.at(way).and_then(|node| Some((amount(node.text()?)?, node.line)));
            let pair = value(&[key]).zip(value(&["deploy", "resources", "limits", of_deploy]));
            if let Some(((own, line), (other, _))) = pair
                && own.total_cmp(&other).is_ne()
            {
                container.refuse(&format!("`{key}` and `deploy.resources.limits.{of_deploy}` differ"), line);
            }
        }
    }
}

/// Devices are counted or named.
fn both_named(container: &mut Container, device: &Node) {
    if let (Some(count), Some(_)) = (device.get("count"), device.get("device_ids")) {
        container.refuse("`count` and `device_ids` of a device exclude each other", count.line);
    }
}

#[cfg(test)]
mod tests;
