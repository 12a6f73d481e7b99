//! The services of a compose file.
//!
//! What a service says is read by the compose specification, of which the forms of version 2 (`mem_limit`) and of Swarm
//! (`deploy`) are both heeded by `docker compose`. `extends` is followed within the file. What comes from a variable without a
//! default, or from another file, is not in the text.

mod variables;

use super::container::{Container, Variable};
use super::quantity::{compose_bytes, seconds};
use super::yaml::{self, Node, Wrong};
use crate::facts::{ContainerKind, Fact, GapKind, Seccomp};
use variables::filled;

/// Every service of a compose file. What it includes is not in the text, which is noted.
pub fn read(file: &str, text: &str, notes: &mut Vec<String>) -> Result<Vec<Container>, Wrong> {
    let documents = yaml::documents(text)?;
    if let Some(line) = documents.iter().find_map(|document| document.line_of("include")) {
        notes.push(format!("services of other files, which {file}:{line} includes, are not judged"));
    }
    let Some(services) = documents.iter().find_map(|document| document.get("services")) else {
        return Err((1, 1, "has no `services`, so it is no compose file".to_owned()));
    };
    let found: Vec<Container> = services
        .entries()
        .filter_map(|(name, own)| Some(Service::of(services, own).container(name.text()?, file, name.line)))
        .collect();
    if found.is_empty() {
        return Err((services.line, 1, "`services` names no service".to_owned()));
    }
    Ok(found)
}

/// A service with the one that it extends.
struct Service<'a> {
    own: &'a Node,
    below: Option<&'a Node>,
    /// Why more may be said of it than is in the text.
    elsewhere: Option<String>,
}

impl<'a> Service<'a> {
    fn of(services: &'a Node, own: &'a Node) -> Self {
        let extends = own.get("extends");
        let name = extends.and_then(|extends| extends.text().or_else(|| extends.get("service")?.text()));
        let file = extends.and_then(|extends| extends.get("file")?.text());
        let below = name.filter(|_| file.is_none()).and_then(|name| services.get(name));
        let elsewhere = name.filter(|_| below.is_none()).map(|name| {
            format!(
                "it extends `{name}`{}, which is not in the text",
                file.map_or(String::new(), |file| format!(" of {file}"))
            )
        });
        Self { own, below, elsewhere }
    }

    fn at(&self, way: &[&str]) -> Option<&'a Node> {
        self.own.at(way).or_else(|| self.below.and_then(|below| below.at(way)))
    }

    /// A value as a fact, by the first of these ways; what is not said may be said elsewhere.
    fn fact<T>(&self, ways: &[&[&str]], read: impl Fn(&str) -> Option<T>) -> (Fact<T>, Option<usize>) {
        let Some(node) = ways.iter().find_map(|way| self.at(way)) else {
            return (self.elsewhere.as_ref().map_or(Fact::Absent, |why| Container::unsaid(why)), None);
        };
        let fact = match node.text().map(filled) {
            Some(Ok(text)) => match read(&text) {
                Some(value) => Fact::Known(value),
                None => Fact::unknown(GapKind::Malformed, crate::facts::cut(&format!("`{text}` makes no sense here"))),
            },
            Some(Err(why)) => Container::unsaid(&why),
            None => Fact::unknown(GapKind::Malformed, "a list or a map stands where a value is expected"),
        };
        (fact, Some(node.line))
    }

    fn is(&self, key: &str, value: &str) -> Option<usize> {
        self.at(&[key]).filter(|node| node.text() == Some(value)).map(|node| node.line)
    }

    fn container(&self, name: &str, file: &str, line: usize) -> Container {
        let mut container = Container::new(&format!("service {name}"), ContainerKind::Docker, file, line);
        match &self.elsewhere {
            Some(why) => container.leave_open(why),
            None => container.facts.isolation.seccomp = Fact::Known(Seccomp::Filter),
        }
        container.image = self.at(&["image"]).and_then(|node| Some((filled(node.text()?).ok()?, node.line)));
        self.environment(&mut container);
        self.limits(&mut container);
        self.isolation(&mut container);
        self.gpus(&mut container);
        self.ports(&mut container);
        self.life(&mut container);
        container
    }

    fn limits(&self, container: &mut Container) {
        let limit = |key| ["deploy", "resources", "limits", key];
        let (memory, at) = self.fact(&[&["mem_limit"], &limit("memory")], compose_bytes);
        container.facts.limits.memory_bytes = memory;
        container.places.set_if("limits.memory_bytes", at);
        let (cores, at) =
            self.fact(&[&["cpus"], &limit("cpus")], |text| text.parse().ok().filter(|cores| *cores > 0.0));
        container.facts.limits.cpu_quota_cores = cores;
        container.places.set_if("limits.cpu_quota_cores", at);
        // -1 is no limit.
        let (pids, at) = self.fact(&[&["pids_limit"], &limit("pids")], |text| text.parse::<i64>().ok());
        container.facts.limits.pids = pids.and_then(|pids| Fact::present(u64::try_from(pids).ok()));
        container.places.set_if("limits.pids", at);
        if let (Fact::Known(size), Some(line)) = self.fact(&[&["shm_size"]], compose_bytes) {
            container.facts.limits.shm_bytes = Fact::Known(size);
            container.places.set("limits.shm_bytes", line);
        }
        if self.is("ipc", "host").is_some() {
            container.facts.limits.shm_bytes = Fact::default();
        }
        for mount in self.at(&["tmpfs"]).into_iter().flat_map(Node::one_or_more) {
            let Some((path, options)) = mount.text().and_then(|text| text.split_once(':')) else { continue };
            let size = options.split(',').find_map(|option| option.strip_prefix("size=")).and_then(compose_bytes);
            if path == "/dev/shm" {
                container.facts.limits.shm_bytes = size.map_or_else(Fact::default, Fact::Known);
                container.places.set("limits.shm_bytes", mount.line);
            }
        }
    }

    fn isolation(&self, container: &mut Container) {
        if let (user, Some(line)) = self.fact(&[&["user"]], |text| Some(text.to_owned())) {
            match user {
                Fact::Known(user) => container.user(&user, line),
                Fact::Unknown(gap) => container.facts.identity.uid = Fact::Unknown(gap),
                Fact::Absent => {}
            }
            container.places.set("identity.uid", line);
        }
        if self.is("userns_mode", "host").is_none() && self.at(&["userns_mode"]).is_some() {
            container.facts.identity.user_namespaced = Fact::default();
        }
        for (key, fact) in [
            ("pid", &mut container.facts.isolation.host_pid),
            ("network_mode", &mut container.facts.isolation.host_network),
            ("ipc", &mut container.facts.isolation.host_ipc),
        ] {
            if let Some(line) = self.is(key, "host") {
                *fact = Fact::Known(true);
                let path = match key {
                    "pid" => "isolation.host_pid",
                    "ipc" => "isolation.host_ipc",
                    _ => "isolation.host_network",
                };
                container.places.set(path, line);
            }
        }
        if let Some(node) = self.at(&["read_only"]) {
            container.facts.isolation.root_read_only = Fact::Known(node.switch() == Some(true));
            container.places.set("isolation.root_read_only", node.line);
        }
        for option in self.at(&["security_opt"]).into_iter().flat_map(Node::one_or_more) {
            match option.text().unwrap_or_default().replace('=', ":").as_str() {
                "no-new-privileges" | "no-new-privileges:true" => {
                    container.facts.isolation.no_new_privileges = Fact::Known(true);
                    container.places.set("isolation.no_new_privileges", option.line);
                }
                "seccomp:unconfined" => {
                    container.facts.isolation.seccomp = Fact::Known(Seccomp::Disabled);
                    container.places.set("isolation.seccomp", option.line);
                }
                _ => {}
            }
        }
        if let Some(node) = self.at(&["cap_add"]) {
            let names: Vec<String> = node.one_or_more().filter_map(|name| Some(name.text()?.to_owned())).collect();
            container.add_capabilities(&names, node.line);
        }
        if let Some(node) = self.at(&["privileged"]).filter(|node| node.switch() == Some(true)) {
            container.privileged("privileged: true", node.line);
        }
        for mount in self.at(&["volumes"]).into_iter().flat_map(Node::one_or_more) {
            let (source, target) = if let Some(text) = mount.text() {
                let mut parts = text.split(':');
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            } else {
                let part = |key| mount.get(key).and_then(Node::text).unwrap_or_default();
                (part("source"), part("target"))
            };
            if source.starts_with('/') {
                container.host_path(source, target, mount.line);
            }
        }
    }

    fn gpus(&self, container: &mut Container) {
        if let Some(line) = self.is("runtime", "nvidia") {
            let visible = container.environment.iter().find(|variable| variable.name == "NVIDIA_VISIBLE_DEVICES");
            let visible = visible.and_then(|variable| variable.value.clone());
            if !matches!(visible.as_deref(), Some("none" | "void" | "")) {
                container.gpus(None, line);
            }
        }
        let devices =
            self.at(&["deploy", "resources", "reservations", "devices"]).into_iter().flat_map(Node::one_or_more);
        let gpus = self.at(&["gpus"]);
        if let Some(node) = gpus.filter(|node| node.text().is_some()) {
            container.gpus(node.text().and_then(|count| count.parse().ok()), node.line);
        }
        for device in devices.chain(gpus.into_iter().flat_map(|node| node.items().iter().map(|item| &**item))) {
            let is_gpu = |word: &Node| matches!(word.text(), Some("gpu" | "nvidia"));
            let capabilities = device.get("capabilities").into_iter().flat_map(Node::one_or_more);
            let is_nvidia = device.get("driver").is_some_and(is_gpu);
            let named = device.get("device_ids").map(|ids| ids.one_or_more().collect::<Vec<_>>());
            let is_cdi = named.iter().flatten().any(|id| id.text().is_some_and(|id| id.starts_with("nvidia.com/")));
            let mut asks = capabilities.flat_map(Node::one_or_more).any(is_gpu) || is_nvidia || is_cdi;
            asks |= gpus.is_some_and(|gpus| !gpus.items().is_empty());
            if asks {
                let ids = named.map(|ids| ids.len() as u64).filter(|_| !is_cdi);
                let count = device.get("count").and_then(Node::text).and_then(|count| count.parse().ok());
                container.gpus(count.or(ids), device.line);
            }
        }
    }

    fn ports(&self, container: &mut Container) {
        for port in self.at(&["ports"]).into_iter().flat_map(Node::one_or_more) {
            let (host, target) = if let Some(text) = port.text() {
                let bare = text.split('/').next().unwrap_or_default();
                let (host, target) = bare.rsplit_once(':').unwrap_or(("", bare));
                (host.to_owned(), target.to_owned())
            } else {
                let part = |key| port.get(key).and_then(Node::text).unwrap_or_default().to_owned();
                let host = [part("host_ip"), part("published")].join(":");
                (host.trim_matches(':').to_owned(), part("target"))
            };
            let is_local = host.starts_with("127.") || host.starts_with("[::1]") || host.starts_with("localhost");
            if let Some(target) = target.parse().ok().filter(|_| !is_local) {
                let published = if host.is_empty() { "a port that the engine chooses".to_owned() } else { host };
                container.publish(target, &published, port.line);
            }
        }
        let has_ports = ["ports", "expose"].iter().any(|key| self.at(&[key]).is_some());
        container.facts.written.serves = Fact::Known(has_ports);
    }

    fn environment(&self, container: &mut Container) {
        let own = [self.below, Some(self.own)];
        for node in own.into_iter().flatten().filter_map(|service| service.get("environment")) {
            let list = node.items().iter().filter_map(|item| {
                let text = item.text()?;
                let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
                Some((name.to_owned(), value.map(str::to_owned), item.line))
            });
            let map = node.entries().filter(|(name, _)| name.text() != Some("<<"));
            let map = map.filter_map(|(name, value)| {
                let value = value.text().filter(|_| !value.is_null());
                Some((name.text()?.to_owned(), value.map(str::to_owned), name.line))
            });
            for (name, value, line) in list.chain(map) {
                container.environment.retain(|known| known.name != name);
                let value = value.and_then(|value| filled(&value).ok());
                container.environment.push(Variable { name, value, line });
            }
        }
        let words = |key: &str| {
            let node = self.at(&[key])?;
            let words = match node.text() {
                Some(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()],
                None => node.items().iter().filter_map(|word| filled(word.text()?).ok()).collect(),
            };
            Some((words, node.line))
        };
        (container.entrypoint, container.cmd) = (words("entrypoint"), words("command"));
    }

    fn life(&self, container: &mut Container) {
        let written = &mut container.facts.written;
        if self.elsewhere.is_none() {
            written.grace_seconds = Fact::Known(10.0);
        }
        if let (grace @ (Fact::Known(_) | Fact::Unknown(_)), Some(line)) = self.fact(&[&["stop_grace_period"]], seconds)
        {
            written.grace_seconds = grace;
            container.places.set("written.grace_seconds", line);
        }
        let (restart, at) =
            self.fact(&[&["restart"], &["deploy", "restart_policy", "condition"]], |text| Some(text.to_owned()));
        written.restarts = match restart {
            Fact::Absent => Fact::Known(self.at(&["deploy", "restart_policy"]).is_some()),
            other => other.map(|policy| !matches!(policy.as_str(), "no" | "none" | "false")),
        };
        container.places.set_if("written.restarts", at);
        if let Some(check) = self.at(&["healthcheck"]) {
            let test = check.get("test").into_iter().flat_map(Node::one_or_more).next().and_then(Node::text);
            let is_off = check.get("disable").and_then(Node::switch) == Some(true) || test == Some("NONE");
            written.health_declared = Fact::Known(!is_off);
            container.places.set("written.health_declared", check.line);
        }
    }
}

#[cfg(test)]
mod tests;
