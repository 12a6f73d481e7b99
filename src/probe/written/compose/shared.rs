//! What a service shares with the host, and what it is kept from.

use std::collections::HashSet;

use super::Service;
use crate::facts::quantity::compose_bytes;
use crate::facts::{Fact, Seccomp};
use crate::probe::isolation::may_be_of_host;
use crate::probe::written::container::Container;
use crate::probe::written::yaml::Node;

/// Variables whose value is a folder of whoever starts the services.
const ORDINARY: [&str; 2] = ["${HOME}", "${PWD}"];

impl Service<'_> {
    /// How large `/dev/shm` is.
    pub(super) fn memory_mounts(&self, container: &mut Container) {
        if let (size @ (Fact::Known(_) | Fact::Unknown(_)), Some(line)) = self.fact(&[&["shm_size"]], compose_bytes) {
            container.facts.limits.shm_bytes = size;
            container.places.set("limits.shm_bytes", line);
        }
        if let Some(ipc) = self.at(&["ipc"]) {
            match ipc.text() {
                Some("private" | "shareable" | "") => {}
                // That of the host, or of another container.
                Some(_) => container.facts.limits.shm_bytes = Fact::default(),
                None => container.facts.limits.shm_bytes = Container::unsaid(ipc.open().unwrap_or_default()),
            }
        }
        for mount in self.all(&["tmpfs"]) {
            let text = mount.raw().unwrap_or_default();
            let (path, options) = text.split_once(':').unwrap_or((text, ""));
            if path.trim_end_matches('/') == "/dev/shm" {
                let size = options.split(',').find_map(|option| option.strip_prefix("size="));
                shm(container, mount, size);
            }
        }
        for mount in self.all(&["volumes"]).filter(|mount| mount.is_map()) {
            let is_shm =
                mount.get("target").and_then(Node::text).is_some_and(|at| at.trim_end_matches('/') == "/dev/shm");
            if is_shm && mount.get("type").and_then(Node::text) == Some("tmpfs") {
                let size = mount.at(&["tmpfs", "size"]);
                shm(container, size.filter(|size| size.open().is_some()).unwrap_or(mount), size.and_then(Node::raw));
            }
        }
    }

    /// Namespaces, privileges and users.
    pub(super) fn isolation(&self, container: &mut Container) {
        if let (user, Some(line)) = self.fact(&[&["user"]], |text| Some(text.to_owned())) {
            match user {
                Fact::Known(user) => container.user(&user, line),
                Fact::Unknown(gap) => {
                    container.facts.identity.uid = Fact::Unknown(gap.clone());
                    container.facts.identity.user_name = Fact::Unknown(gap);
                }
                Fact::Absent => {}
            }
            container.places.set("identity.uid", line);
        }
        if self.at(&["userns_mode"]).is_some_and(|mode| mode.text() != Some("host")) {
            container.facts.identity.user_namespaced = Fact::default();
        }
        let isolation = &mut container.facts.isolation;
        for (key, path, fact) in [
            ("pid", "isolation.host_pid", &mut isolation.host_pid),
            ("network_mode", "isolation.host_network", &mut isolation.host_network),
            ("ipc", "isolation.host_ipc", &mut isolation.host_ipc),
        ] {
            if let (told @ (Fact::Known(true) | Fact::Unknown(_)), Some(line)) =
                self.fact(&[&[key]], |text| Some(text == "host"))
            {
                *fact = told;
                container.places.set(path, line);
            }
        }
        if let (told, Some(line)) = self.fact(&[&["read_only"]], switch) {
            isolation.root_read_only = told;
            container.places.set("isolation.root_read_only", line);
        }
        self.options(container);
        let added: Vec<&Node> = self.all(&["cap_add"]).collect();
        if let Some(first) = added.first() {
            let names: Vec<String> = added.iter().filter_map(|name| Some(name.text()?.to_owned())).collect();
            container.add_capabilities(&names, first.line);
            let identity = &mut container.facts.identity;
            if let Some(why) = added.iter().find_map(|name| name.open())
                && identity.all_capabilities != Fact::Known(true)
            {
                identity.all_capabilities = Container::unsaid(why);
                if identity.capabilities_beyond_baseline.known().is_none_or(Vec::is_empty) {
                    identity.capabilities_beyond_baseline = Container::unsaid(why);
                }
                container.places.set("identity.all_capabilities", first.line);
            }
        }
        match self.fact(&[&["privileged"]], switch) {
            (Fact::Known(true), Some(line)) => container.privileged("privileged: true", line),
            (Fact::Unknown(gap), Some(line)) => container.privileged_unsaid(gap, line),
            _ => {}
        }
    }

    fn options(&self, container: &mut Container) {
        let isolation = &mut container.facts.isolation;
        for option in self.all(&["security_opt"]) {
            if let Some(why) = option.open() {
                let text = option.raw().unwrap_or_default();
                if !text.starts_with("seccomp") && isolation.no_new_privileges != Fact::Known(true) {
                    isolation.no_new_privileges = Container::unsaid(why);
                    container.places.set("isolation.no_new_privileges", option.line);
                }
                if !text.starts_with("no-new") && isolation.seccomp != Fact::Known(Seccomp::Disabled) {
                    isolation.seccomp = Container::unsaid(why);
                    container.places.set("isolation.seccomp", option.line);
                }
                continue;
            }
            match option.text().unwrap_or_default().replace('=', ":").as_str() {
                "no-new-privileges" | "no-new-privileges:true" => {
                    isolation.no_new_privileges = Fact::Known(true);
                    container.places.set("isolation.no_new_privileges", option.line);
                }
                "seccomp:unconfined" => {
                    isolation.seccomp = Fact::Known(Seccomp::Disabled);
                    container.places.set("isolation.seccomp", option.line);
                }
                _ => {}
            }
        }
    }

    /// What is mounted of the host. A level above puts its own in the place of what lies below at the same path.
    pub(super) fn volumes(&self, container: &mut Container) {
        let mut targets = HashSet::new();
        let mut open = None;
        for mount in self.all(&["volumes"]) {
            let part = |key| mount.get(key).and_then(Node::raw).unwrap_or_default();
            let (source, target) = match mount.raw() {
                Some(text) => {
                    let mut parts = text.split(':');
                    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
                }
                None if part("type") == "tmpfs" => continue,
                None => (part("source"), part("target")),
            };
            if !targets.insert(target) {
                continue;
            }
            if source.starts_with('/') && !source.contains("${") {
                container.host_path(source, target, mount.line);
            } else if let Some((_, end)) = source.rsplit_once('}').filter(|_| source.contains("${"))
                && may_be_of_host(end)
                && !ORDINARY.iter().any(|folder| source.starts_with(folder))
            {
                let why = mount.open().or_else(|| mount.get("source")?.open());
                open = open.or(why.map(|why| (why, mount.line)));
            }
        }
        let Some((why, line)) = open else { return };
        let isolation = &mut container.facts.isolation;
        if isolation.runtime_sockets.known().is_some_and(Vec::is_empty) {
            isolation.runtime_sockets = Container::unsaid(why);
            container.places.set("isolation.runtime_sockets", line);
        }
        if isolation.sensitive_mounts.known().is_some_and(Vec::is_empty) {
            isolation.sensitive_mounts = Container::unsaid(why);
            container.places.set("isolation.sensitive_mounts", line);
        }
    }
}

/// A memory file system at `/dev/shm`, of this size. Without one half of the host's memory is its bound.
fn shm(container: &mut Container, mount: &Node, size: Option<&str>) {
    container.facts.limits.shm_bytes = match (size, mount.open()) {
        (Some(_), Some(why)) => Container::unsaid(why),
        (size, _) => size.and_then(compose_bytes).map_or_else(Fact::default, Fact::Known),
    };
    container.places.set("limits.shm_bytes", mount.line);
}

/// A switch as compose takes it.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "on" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "off" | "n" | "0" | "" => Some(false),
        _ => None,
    }
}
