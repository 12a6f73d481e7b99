//! The services of a compose file.
//!
//! What a service says is read by the compose specification, of which the forms of version 2 (`mem_limit`) and of Swarm
//! (`deploy`) are both heeded by `docker compose`. `extends` is followed within the file. What comes from a variable without a
//! default, or from another file, is not in the text. [`variables`] fills in what has a default, once, before anything is
//! read; [`shared`] tells of what is shared with the host, [`gpus`] of devices, [`words`] of what is started and [`ports`] of
//! what is opened, [`files`] of what is mounted with its text, [`refused`] of what `docker compose` does not take.

mod files;
mod gpus;
mod ports;
mod refused;
mod shared;
mod variables;
mod words;

use super::container::Container;
use super::dockerfile::{self, Built};
use super::yaml::{self, Node, Wrong};
use crate::facts::quantity::{compose_bytes, seconds};
use crate::facts::{ContainerKind, Fact, GapKind, Seccomp};

/// Services that are read at most.
const SERVICES: usize = 200;
/// Items of a list, or entries of a map, that are read at most.
const ITEMS: usize = 1000;
/// How far `extends` is followed.
const LEVELS: usize = 16;

/// What a compose file tells.
#[derive(Debug)]
pub struct Project {
    /// Its services.
    pub services: Vec<Container>,
    /// Where it includes other files.
    pub includes: Option<usize>,
}

/// Every service of a compose file. What it includes is not in the text, which is noted.
pub fn read(file: &str, text: &str, notes: &mut Vec<String>) -> Result<Project, Wrong> {
    let documents = yaml::filled(text, variables::filled)?;
    let includes = documents.iter().find_map(|document| document.line_of("include"));
    if let Some(line) = includes {
        notes.push(format!("services of other files, which {file}:{line} includes, are not judged"));
    }
    let Some(services) = documents.iter().find_map(|document| document.get("services")) else {
        return Err((1, 1, "has no `services`, so it is no compose file".to_owned()));
    };
    let all = services.entries();
    if all.len() > SERVICES {
        notes.push(format!("of more than {SERVICES} services the first {SERVICES} are read"));
    }
    let mut found = Vec::new();
    let configs = documents.iter().find_map(|document| document.get("configs"));
    for (name, own) in all.into_iter().take(SERVICES) {
        if let Some(text) = name.text() {
            let service = Service::of(services, own);
            let mut container = service.container(text, file, name.line)?;
            service.files(configs, &mut container);
            found.push(container);
        }
    }
    if found.is_empty() {
        return Err((services.line, 1, "`services` names no service".to_owned()));
    }
    Ok(Project { services: found, includes })
}

/// A service with those that it extends.
struct Service<'a> {
    /// Its own text first, then of what it extends.
    levels: Vec<&'a Node>,
    /// Why more may be said of it than is in the text.
    elsewhere: Option<String>,
}

impl<'a> Service<'a> {
    fn of(services: &'a Node, own: &'a Node) -> Self {
        let mut service = Self { levels: vec![own], elsewhere: None };
        let mut last = own;
        while let Some(extends) = last.get("extends") {
            let name = extends.raw().or_else(|| extends.get("service")?.raw()).unwrap_or_default();
            let file = extends.get("file").and_then(Node::raw);
            let below = services.get(name).filter(|_| file.is_none());
            let Some(below) = below.filter(|below| !service.levels.iter().any(|level| std::ptr::eq(*level, *below)))
            else {
                let of = file.map_or(String::new(), |file| format!(" of {file}"));
                service.elsewhere = Some(format!("it extends `{name}`{of}, which is not in the text"));
                break;
            };
            if service.levels.len() >= LEVELS {
                service.elsewhere = Some(format!("it extends more than {LEVELS} services"));
                break;
            }
            service.levels.push(below);
            last = below;
        }
        let is_long =
            |key: &&str| service.levels.iter().any(|level| level.get(key).is_some_and(|all| all.is_long(ITEMS)));
        if let Some(key) = ["environment", "volumes", "ports", "devices"].into_iter().find(is_long) {
            service.elsewhere = Some(format!("of `{key}` the first {ITEMS} are read"));
        }
        service
    }

    fn at(&self, way: &[&str]) -> Option<&'a Node> {
        self.levels.iter().find_map(|level| level.at(way))
    }

    /// The items of a list on all levels, its own first.
    fn all(&self, way: &[&str]) -> impl Iterator<Item = &'a Node> {
        let found: Vec<&'a Node> = self.levels.iter().filter_map(|level| level.at(way)).collect();
        found.into_iter().flat_map(Node::one_or_more).take(ITEMS)
    }

    /// A value as a fact, by the first of these ways; what is not said may be said elsewhere.
    fn fact<T>(&self, ways: &[&[&str]], read: impl Fn(&str) -> Option<T>) -> (Fact<T>, Option<usize>) {
        let Some(node) = ways.iter().find_map(|way| self.at(way)) else {
            return (self.elsewhere.as_ref().map_or(Fact::Absent, |why| Container::unsaid(why)), None);
        };
        let fact = match (node.text(), node.open()) {
            (Some(text), _) => match read(text) {
                Some(value) => Fact::Known(value),
                None => Fact::unknown(GapKind::Malformed, crate::facts::cut(&format!("`{text}` makes no sense here"))),
            },
            (None, Some(why)) => Container::unsaid(why),
            _ => Fact::unknown(GapKind::Malformed, "a list or a map stands where a value is expected"),
        };
        (fact, Some(node.line))
    }

    fn container(&self, name: &str, file: &str, line: usize) -> Result<Container, Wrong> {
        let mut container = Container::new(&format!("service {name}"), ContainerKind::Docker, file, line);
        match &self.elsewhere {
            Some(why) => container.leave_open(why),
            None => container.facts.isolation.seccomp = Fact::Known(Seccomp::Filter),
        }
        // Beside `build` it names what is built.
        let image = self.at(&["image"]).filter(|_| self.at(&["build"]).is_none());
        container.image = image.and_then(|node| Some((node.text()?.to_owned(), node.line)));
        self.environment(&mut container);
        self.words(&mut container);
        self.limits(&mut container);
        self.memory_mounts(&mut container);
        self.isolation(&mut container);
        self.volumes(&mut container);
        self.gpus(&mut container);
        self.ports(&mut container);
        self.life(&mut container);
        self.refusals(&mut container);
        container.has_more_variables |= self.at(&["env_file"]).is_some();
        container.built = self.at(&["build", "dockerfile_inline"]).map(built).transpose()?;
        Ok(container)
    }

    fn limits(&self, container: &mut Container) {
        let limit = |key| ["deploy", "resources", "limits", key];
        // 0 is no limit.
        let (memory, at) = self.fact(&[&["mem_limit"], &limit("memory")], compose_bytes);
        container.facts.limits.memory_bytes =
            memory.and_then(|size| Fact::present(Some(size).filter(|size| *size > 0)));
        container.places.set_if("limits.memory_bytes", at);
        let (cores, at) = self.fact(&[&["cpus"], &limit("cpus")], |text| {
            text.parse().ok().filter(|cores: &f64| *cores >= 0.0 && cores.is_finite())
        });
        container.facts.limits.cpu_quota_cores =
            cores.and_then(|cores| Fact::present(Some(cores).filter(|cores| *cores > 0.0)));
        container.places.set_if("limits.cpu_quota_cores", at);
        // -1 is no limit either.
        let (pids, at) = self.fact(&[&["pids_limit"], &limit("pids")], |text| text.parse::<i64>().ok());
        container.facts.limits.pids =
            pids.and_then(|pids| Fact::present(u64::try_from(pids).ok().filter(|pids| *pids > 0)));
        container.places.set_if("limits.pids", at);
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
            let test = check.get("test").into_iter().flat_map(Node::one_or_more).next();
            let disable = check.get("disable");
            let is_off = disable.and_then(Node::text).and_then(shared::switch) == Some(true)
                || test.and_then(Node::text) == Some("NONE");
            let open = disable.and_then(Node::open).or_else(|| test?.open()).filter(|_| !is_off);
            written.health_declared = open.map_or(Fact::Known(!is_off), Container::unsaid);
            container.places.set("written.health_declared", check.line);
        }
    }
}

/// A Dockerfile that stands in the file itself. Empty lines before it give its lines their numbers.
fn built(node: &Node) -> Result<Built, Wrong> {
    // The node begins where the first text of a block does.
    let text = node.raw().unwrap_or_default().trim_start_matches('\n');
    dockerfile::read(&format!("{}{text}", "\n".repeat(node.line.saturating_sub(1))))
}

#[cfg(test)]
mod tests;
