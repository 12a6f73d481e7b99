//! The services of a compose file.
//!
//! What a service says is read by the compose specification, of which the forms of version 2 (`mem_limit`) and of Swarm
//! (`deploy`) are both heeded by `docker compose`. `extends` is followed within the file. What comes from a variable without a
//! default, or from another file, is not in the text.

use super::container::{Container, Variable};
use super::quantity::{compose_bytes, seconds};
use super::yaml::{self, Node, Wrong};
use crate::facts::{ContainerKind, Fact, GapKind, Seccomp};

/// Every service of a compose file.
pub fn read(file: &str, text: &str) -> Result<Vec<Container>, Wrong> {
    let documents = yaml::documents(text)?;
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
            format!("it extends `{name}`{}, which is not in the text", file.map_or(String::new(), |file| format!(" of {file}")))
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
        container.facts.isolation.seccomp = Fact::Known(Seccomp::Filter);
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
        at.into_iter().for_each(|line| container.places.set("limits.memory_bytes", line));
        let (cores, at) = self.fact(&[&["cpus"], &limit("cpus")], |text| text.parse().ok().filter(|cores| *cores > 0.0));
        container.facts.limits.cpu_quota_cores = cores;
        at.into_iter().for_each(|line| container.places.set("limits.cpu_quota_cores", line));
        // -1 is no limit.
        let (pids, at) = self.fact(&[&["pids_limit"], &limit("pids")], |text| text.parse::<i64>().ok());
        container.facts.limits.pids = pids.and_then(|pids| Fact::present(u64::try_from(pids).ok()));
        at.into_iter().for_each(|line| container.places.set("limits.pids", line));
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
            let (source, target) = match mount.text() {
                Some(text) => {
                    let mut parts = text.split(':');
                    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
                }
                None => {
                    let part = |key| mount.get(key).and_then(Node::text).unwrap_or_default();
                    (part("source"), part("target"))
                }
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
        let devices = self.at(&["deploy", "resources", "reservations", "devices"]).into_iter().flat_map(Node::one_or_more);
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
            let (host, target) = match port.text() {
                Some(text) => {
                    let bare = text.split('/').next().unwrap_or_default();
                    let (host, target) = bare.rsplit_once(':').unwrap_or(("", bare));
                    (host.to_owned(), target.to_owned())
                }
                None => {
                    let part = |key| port.get(key).and_then(Node::text).unwrap_or_default().to_owned();
                    let host = [part("host_ip"), part("published")].join(":");
                    (host.trim_matches(':').to_owned(), part("target"))
                }
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
        written.grace_seconds = Fact::Known(10.0);
        if let (grace @ (Fact::Known(_) | Fact::Unknown(_)), Some(line)) = self.fact(&[&["stop_grace_period"]], seconds) {
            written.grace_seconds = grace;
            container.places.set("written.grace_seconds", line);
        }
        let (restart, at) = self.fact(&[&["restart"], &["deploy", "restart_policy", "condition"]], |text| Some(text.to_owned()));
        written.restarts = match restart {
            Fact::Absent => Fact::Known(self.at(&["deploy", "restart_policy"]).is_some()),
            other => other.map(|policy| !matches!(policy.as_str(), "no" | "none" | "false")),
        };
        at.into_iter().for_each(|line| container.places.set("written.restarts", line));
        if let Some(check) = self.at(&["healthcheck"]) {
            let test = check.get("test").into_iter().flat_map(Node::one_or_more).next().and_then(Node::text);
            let is_off = check.get("disable").and_then(Node::switch) == Some(true) || test == Some("NONE");
            written.health_declared = Fact::Known(!is_off);
            container.places.set("written.health_declared", check.line);
        }
    }
}

/// A value with its variables filled in by their defaults.
fn filled(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('$') {
            out.push('$');
            rest = behind;
            continue;
        }
        let Some((inner, after)) = behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            let end = behind.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(behind.len());
            let name = behind.get(..end).unwrap_or_default();
            return Err(format!("the variable {name} has no value in the text"));
        };
        let Some((_, default)) = inner.split_once('-') else {
            let name = inner.split([':', '?', '+']).next().unwrap_or_default();
            return Err(format!("the variable {name} has no value in the text"));
        };
        out.push_str(default);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Container {
        let text = format!("services:\n  a:\n{text}");
        read("compose.yaml", &text).unwrap_or_else(|wrong| panic!("{wrong:?}")).remove(0)
    }

    #[test]
    fn limits_are_read_in_both_forms() {
        for text in [
            "    mem_limit: 8g\n    cpus: 4\n    pids_limit: 512\n    shm_size: 2gb\n",
            "    shm_size: 2147483648\n    deploy:\n      resources:\n        limits: {memory: 8192M, cpus: '4', pids: 512}\n",
        ] {
            let limits = one(text).facts.limits;
            assert_eq!((limits.memory_bytes, limits.shm_bytes), (Fact::Known(8 << 30), Fact::Known(2 << 30)), "{text}");
            assert_eq!((limits.cpu_quota_cores, limits.pids), (Fact::Known(4.0), Fact::Known(512)), "{text}");
        }
        let bare = one("    image: x:1\n").facts.limits;
        assert!(bare.memory_bytes.is_absent() && bare.pids.is_absent());
        assert_eq!(bare.shm_bytes, Fact::Known(64 << 20));
        assert!(one("    mem_limit: ${M}\n").facts.limits.memory_bytes.is_unknown());
        assert_eq!(one("    mem_limit: ${M:-1g}\n").facts.limits.memory_bytes, Fact::Known(1 << 30));
        assert!(one("    mem_limit: lots\n").facts.limits.memory_bytes.is_unknown());
    }

    #[test]
    fn a_gpu_is_asked_for_in_four_ways() {
        let asked = |text: &str| {
            let container = one(text);
            (container.asks_gpu, container.facts.written.gpus_requested.known().copied())
        };
        let device = |text: &str| format!("    deploy:\n      resources:\n        reservations:\n          devices:\n            - {text}\n");
        assert_eq!(asked(&device("{driver: nvidia, count: 2, capabilities: [gpu]}")), (true, Some(2)));
        assert_eq!(asked(&device("{capabilities: [gpu], device_ids: ['0', '3', '4']}")), (true, Some(3)));
        assert_eq!(asked(&device("{capabilities: [[gpu]], count: all}")), (true, None));
        assert_eq!(asked(&device("{driver: other, capabilities: [tpu]}")), (false, Some(0)));
        assert_eq!(asked("    gpus: all\n"), (true, None));
        assert_eq!(asked("    gpus: [{driver: nvidia, count: 1}]\n"), (true, Some(1)));
        assert_eq!(asked("    runtime: nvidia\n"), (true, None));
        assert_eq!(asked("    runtime: nvidia\n    environment: [NVIDIA_VISIBLE_DEVICES=none]\n"), (false, Some(0)));
        assert_eq!(asked("    image: x:1\n"), (false, Some(0)));
    }

    #[test]
    fn what_is_shared_with_the_host_is_told() {
        let text = "    privileged: true\n    pid: host\n    network_mode: host\n    cap_add: [SYS_ADMIN, NET_BIND_SERVICE]\n    \
                    volumes: ['/var/run/docker.sock:/x.sock', {type: bind, source: /etc, target: /host}, data:/data]\n";
        let facts = one(text).facts;
        assert_eq!((facts.isolation.privileged, facts.isolation.host_pid), (Fact::Known(true), Fact::Known(true)));
        assert_eq!(facts.identity.capabilities_beyond_baseline, Fact::Known(vec!["SYS_ADMIN".to_owned()]));
        assert_eq!(facts.isolation.runtime_sockets.known().map(Vec::len), Some(1));
        assert_eq!(facts.isolation.sensitive_mounts, Fact::Known(vec!["/host (/etc of the host)".to_owned()]));
        let sound = one("    user: '1000'\n    security_opt: ['no-new-privileges:true']\n    read_only: true\n").facts;
        assert_eq!((sound.identity.uid, sound.isolation.no_new_privileges), (Fact::Known(1000), Fact::Known(true)));
        assert_eq!(sound.isolation.root_read_only, Fact::Known(true));
    }

    #[test]
    fn variables_have_values_where_the_text_gives_them() {
        let container = one("    environment:\n      A: 1\n      B: ${B}\n      C: ${C:-c}\n      D:\n");
        let told: Vec<(&str, Option<&str>)> =
            container.environment.iter().map(|one| (one.name.as_str(), one.value.as_deref())).collect();
        assert_eq!(told, [("A", Some("1")), ("B", None), ("C", Some("c")), ("D", None)]);
        let list = one("    environment: [A=1, B]\n").environment;
        assert_eq!((list[0].value.as_deref(), list[1].value.as_deref()), (Some("1"), None));
    }

    #[test]
    fn only_ports_that_others_reach_are_published() {
        let container = one("    ports: ['127.0.0.1:22:22', '8000:8000', '22', {target: 6006, published: '6006', host_ip: 127.0.0.1}]\n");
        let ports: Vec<u16> = container.facts.written.published_ports.known().into_iter().flatten().map(|p| p.port).collect();
        assert_eq!(ports, [8000, 22]);
    }

    #[test]
    fn a_service_is_told_with_what_it_extends() {
        let text = "services:\n  base: {mem_limit: 1g, environment: {A: 1}}\n  a: {extends: {service: base}, environment: {B: 2}}\n  \
                    b: {extends: {service: x, file: y.yaml}}\n";
        let all = read("c", text).expect("three services");
        assert_eq!((all[1].facts.limits.memory_bytes.clone(), all[1].environment.len()), (Fact::Known(1 << 30), 2));
        assert!(all[2].facts.limits.memory_bytes.is_unknown(), "it may be said in the other file");
    }

    #[test]
    fn what_is_no_compose_file_is_refused() {
        for text in ["", "a: 1\n", "services:\n", "services: {}\n", "- a\n"] {
            assert!(read("c", text).is_err(), "{text}");
        }
    }
}
