//! The files that a service is given by `configs` whose content stands in the same file.

use super::Service;
use crate::probe::written::container::Container;
use crate::probe::written::yaml::Node;

impl Service<'_> {
    /// What is mounted, with its text.
    pub(super) fn files(&self, configs: Option<&Node>, container: &mut Container) {
        for config in self.all(&["configs"]) {
            let Some(name) = config.raw().or_else(|| config.get("source")?.raw()) else { continue };
            let Some(content) = configs.and_then(|all| all.at(&[name, "content"])?.raw()) else { continue };
            // Without a target it lies in the root folder, by its name.
            let target = config.get("target").and_then(Node::text).map_or_else(|| format!("/{name}"), str::to_owned);
            container.give_file(&target, content);
        }
    }
}
