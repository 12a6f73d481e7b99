//! Reasons to think that a listener is Jupyter: its process and Jupyter's own runtime files.
//!
//! A runtime file is evidence of port, base and process, never of authentication:
//! a server with a password and an open one write the same. Its token is looked at
//! for being there and goes nowhere.

use serde_json::Value;

use super::jupyter_args::Options;
use super::program;
use crate::facts::{DeclaredKind, Fact, Listener};
use crate::probe::paths::absolute_once;
use crate::probe::procfs::command_line;
use crate::world::World;

/// Runtime files that are read at most in one folder, and homes that are looked into. Where there are more, a server is
/// still known by its process, its port and its answer.
const FILES: usize = 1024;

/// What speaks for Jupyter behind one listener.
#[derive(Debug, Clone)]
pub struct Hint {
    /// Path it is served under, with a slash at both ends.
    pub base_url: Option<String>,
    /// Whether a secret stands on its command line or in a runtime file that others may read.
    pub secret_exposed: Fact<bool>,
}

/// Hints about all listeners.
pub struct Hints<'a> {
    world: &'a World,
    files: Vec<RuntimeFile>,
}

struct RuntimeFile {
    port: u16,
    pid: Option<u32>,
    base_url: Option<String>,
    exposed: bool,
}

impl<'a> Hints<'a> {
    /// Reads the runtime files.
    pub fn read(world: &'a World) -> Self {
        let mut files = Vec::new();
        for folder in runtime_folders(world) {
            let Fact::Known(names) = world.list(&folder) else { continue };
            let servers = names.iter().filter(|name| {
                let is_json = std::path::Path::new(name).extension().is_some_and(|end| end == "json");
                is_json && (name.starts_with("jpserver-") || name.starts_with("nbserver-"))
            });
            files.extend(servers.take(FILES).filter_map(|name| runtime_file(world, &format!("{folder}/{name}"))));
        }
        Self { world, files }
    }

    /// What speaks for Jupyter behind this listener; `None` when nothing does.
    pub fn of(&self, listener: &Listener) -> Option<Hint> {
        let pid = listener.pid.known().copied();
        // The file of a server that has ended names a process which is not the one that listens now.
        let names_it = |file: &&RuntimeFile| {
            file.port == listener.port && (pid.is_none() || file.pid.is_none() || file.pid == pid)
        };
        let file = self.files.iter().find(names_it);
        let argv = match pid {
            Some(pid) => command_line(self.world, pid),
            None => listener.pid.clone().map(|_| Vec::new()),
        };
        let started = argv.known().and_then(|argv| program::running(argv));
        let started = started.filter(|started| started.kind == DeclaredKind::Jupyter);
        // The hub itself has a login and starts servers; it is none.
        let named =
            listener.process.known().is_some_and(|name| name.starts_with("jupyter") && name.as_str() != "jupyterhub");
        if file.is_none() && started.is_none() && !named {
            return None;
        }
        let options = started.map(|started| Options::read(&started.args)).unwrap_or_default();
        let in_file = file.is_some_and(|file| file.exposed);
        let secret_exposed = if in_file || options.holds_secret { Fact::Known(true) } else { argv.map(|_| false) };
        let base_url = file.and_then(|file| file.base_url.clone());
        Some(Hint { base_url: base_url.or_else(|| clean_base(&options.base_url?)), secret_exposed })
    }
}

/// Folders where servers may leave their files.
fn runtime_folders(world: &World) -> Vec<String> {
    let mut folders: Vec<String> = world.env("JUPYTER_RUNTIME_DIR").into_iter().collect();
    folders.extend(world.env("JUPYTER_DATA_DIR").map(|data| format!("{data}/runtime")));
    folders.extend(world.env("XDG_DATA_HOME").map(|data| format!("{data}/jupyter/runtime")));
    let mut homes: Vec<String> = world.env("HOME").into_iter().collect();
    homes.push("/root".to_owned());
    if let Fact::Known(names) = world.list("/home") {
        homes.extend(names.into_iter().take(FILES).map(|name| format!("/home/{name}")));
    }
    folders.extend(homes.into_iter().map(|home| format!("{home}/.local/share/jupyter/runtime")));
    absolute_once(folders)
}

fn runtime_file(world: &World, path: &str) -> Option<RuntimeFile> {
    let text = world.read(path);
    let value: Value = serde_json::from_str(text.known()?).ok()?;
    let number = |field: &str| value.get(field).and_then(Value::as_u64);
    let others_may_read = world.stat(path).known().is_some_and(|stat| stat.mode & 0o044 != 0);
    let has_token = value.get("token").and_then(Value::as_str).is_some_and(|token| !token.is_empty());
    Some(RuntimeFile {
        port: number("port")?.try_into().ok()?,
        pid: number("pid").and_then(|pid| pid.try_into().ok()),
        base_url: value.get("base_url").and_then(Value::as_str).and_then(clean_base),
        exposed: others_may_read && has_token,
    })
}

/// A base as it may stand in a request line: a slash at both ends, plain characters, no longer than 200.
pub fn clean_base(base: &str) -> Option<String> {
    let inner = base.trim().trim_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%@:+".contains(c);
    if inner.len() > 200 || !inner.chars().all(plain) {
        return None;
    }
    Some(if inner.is_empty() { "/".to_owned() } else { format!("/{inner}/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_never_smuggles_anything_into_a_request() {
        assert_eq!(clean_base("/nb/"), Some("/nb/".to_owned()));
        assert_eq!(clean_base("user/a@b"), Some("/user/a@b/".to_owned()));
        assert_eq!(clean_base("/"), Some("/".to_owned()));
        assert_eq!(clean_base(""), Some("/".to_owned()));
        for bad in ["/a b/", "/a\r\nX: y/", "/ä/", "/a?x=", &"a".repeat(201)] {
            assert_eq!(clean_base(bad), None, "{bad:?}");
        }
    }
}
