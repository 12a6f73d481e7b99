//! The ports that a service opens on the node.

use super::{ITEMS, Service};
use crate::facts::Fact;
use crate::probe::written::container::Container;
use crate::probe::written::yaml::Node;

/// Ports of one range that are told.
const RANGE: u16 = 100;

impl Service<'_> {
    /// The ports that others reach.
    pub(super) fn ports(&self, container: &mut Container) {
        let mut open = None;
        for port in self.all(&["ports"]).take(ITEMS) {
            let part = |key| port.get(key).and_then(Node::raw).unwrap_or_default().to_owned();
            let (host, target) = if let Some(text) = port.raw() {
                let bare = text.split('/').next().unwrap_or_default();
                let (host, target) = bare.rsplit_once(':').unwrap_or(("", bare));
                (host.to_owned(), target.to_owned())
            } else {
                let (address, published) = (part("host_ip"), part("published"));
                let host = match (address.as_str(), published.is_empty()) {
                    ("", _) => published,
                    (_, true) => address,
                    // As in the short form, for an address of IPv6 has colons of its own.
                    (ip, _) if ip.contains(':') && !ip.starts_with(['[', '$']) => format!("[{ip}]:{published}"),
                    (ip, _) => format!("{ip}:{published}"),
                };
                (host, part("target"))
            };
            let is_local = host.starts_with("127.")
                || host.starts_with("[::1]")
                || host == "::1"
                || host.starts_with("::1:")
                || host.starts_with("localhost");
            if is_local {
                continue;
            }
            // A variable alone is a port; one with a port behind it is an address, which may be loopback.
            if target.contains("${") || host.split_once('}').is_some_and(|(_, behind)| behind.starts_with(':')) {
                open = open.or(Some(port));
                continue;
            }
            let (first, last) = target.split_once('-').unwrap_or((&target, &target));
            let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else { continue };
            let published = if host.is_empty() { "a port that the engine chooses".to_owned() } else { host };
            for target in (first..=last).take(usize::from(RANGE)) {
                container.publish(target, &published, port.line);
            }
        }
        if let Some(port) = open {
            let why = [Some(port), port.get("host_ip"), port.get("target"), port.get("published")];
            let why = why.into_iter().flatten().find_map(Node::open).unwrap_or("a port comes from a variable");
            container.facts.written.published_ports = Container::unsaid(why);
            container.places.set("written.published_ports", port.line);
        }
        if container.facts.isolation.host_network == Fact::Known(true) {
            // What listens inside listens on the node.
            for port in self.all(&["expose"]) {
                let number = port.text().and_then(|text| text.split('/').next()?.parse().ok());
                if let Some(number) = number {
                    container.publish(number, "network_mode: host", port.line);
                }
            }
        }
        let has_ports = ["ports", "expose"].iter().any(|key| self.at(&[key]).is_some());
        container.facts.written.serves = Fact::Known(has_ports);
    }
}
