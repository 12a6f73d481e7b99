//! The files that a container is given by a `ConfigMap` of the same manifest.

use std::collections::HashMap;

use super::{ITEMS, Pod};
use crate::probe::written::container::Container;
use crate::probe::written::yaml::Node;

/// The data of each `ConfigMap`, by its namespace and name.
pub type ConfigMaps<'a> = HashMap<(Option<&'a str>, &'a str), &'a Node>;

impl<'a> Pod<'a> {
    /// What is mounted, with its text.
    pub(super) fn files(&self, container: &mut Container) {
        for mount in self.own.get("volumeMounts").map_or(&[][..], Node::items).iter().take(ITEMS) {
            let text = |key: &str| mount.get(key).and_then(Node::text);
            let (Some(name), Some(inside)) = (text("name"), text("mountPath")) else { continue };
            let Some(volume) = self.volumes.get(name) else { continue };
            let projected = volume.at(&["projected", "sources"]).map_or(&[][..], Node::items);
            let sources = projected.iter().take(ITEMS).map(|source| &**source);
            for source in std::iter::once(*volume).chain(sources).filter_map(|source| source.get("configMap")) {
                for (path, text) in self.of_config_map(source) {
                    let inside = inside.trim_end_matches('/');
                    match mount.get("subPath").and_then(Node::text) {
                        None => container.give_file(&format!("{inside}/{path}"), text),
                        Some(part) if part == path => container.give_file(inside, text),
                        Some(_) => {}
                    }
                }
            }
        }
    }

    /// The files that a volume makes of a `ConfigMap`: those that it lists, or all.
    fn of_config_map(&self, source: &'a Node) -> Vec<(&'a str, &'a str)> {
        let name = source.get("name").and_then(Node::text).unwrap_or_default();
        let Some(data) = self.config_maps.get(&(self.namespace, name)) else { return Vec::new() };
        let Some(listed) = source.get("items") else {
            return data.entries().into_iter().filter_map(|(key, text)| Some((key.text()?, text.text()?))).collect();
        };
        let file = |item: &'a Node| {
            let (key, path) = (item.get("key")?.text()?, item.get("path")?.text()?);
            Some((path, data.get(key)?.text()?))
        };
        listed.items().iter().take(ITEMS).filter_map(|item| file(item)).collect()
    }
}

#[cfg(test)]
mod tests;
