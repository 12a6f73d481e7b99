//! What the host lent us: control sockets of runtimes, folders, a service-account token.

use std::collections::HashSet;

use rustix::fs::FileType;

use crate::facts::{Fact, RuntimeSocket, TokenKind, cut};
use crate::probe::paths::below;
use crate::probe::procfs::mounts::{Mount, Mounts};
use crate::probe::procfs::namespaces::Namespace;
use crate::world::World;

/// Where runtimes listen.
const SOCKETS: &[&str] = &[
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/cri-dockerd.sock",
    "/run/buildkit/buildkitd.sock",
];

/// Parts of a socket's name by which a mount of it elsewhere is known.
const RUNTIMES: &[&str] = &["docker", "containerd", "crio", "podman", "buildkitd"];

/// Folders of a host, and what lies in each: a folder of a data volume may bear the same name.
const HOST_FOLDERS: &[(&str, &[&str])] = &[
    ("/", &["etc/passwd", "etc/os-release"]),
    ("/etc", &["passwd"]),
    ("/boot", &["grub", "grub2", "loader", "efi"]),
    ("/root", &[".bashrc", ".profile", ".ssh"]),
    ("/usr", &["bin", "sbin"]),
    ("/usr/bin", &["env"]),
    ("/usr/sbin", &["chroot", "ldconfig"]),
    ("/usr/lib", &["systemd", "os-release"]),
    ("/var", &["lib/dpkg", "lib/rpm", "lib/systemd", "lib/kubelet", "lib/docker"]),
    ("/var/lib", &["dpkg", "rpm", "systemd", "kubelet", "docker"]),
    ("/etc/kubernetes", &["manifests", "kubelet.conf", "admin.conf", "pki"]),
    ("/var/lib/kubelet", &["pods", "pki"]),
    ("/var/lib/docker", &["containers", "image", "overlay2"]),
    ("/var/lib/containerd", &["io.containerd.metadata.v1.bolt"]),
    ("/var/lib/etcd", &["member"]),
    ("/var/log", &["pods", "journal", "containers"]),
    ("/run", &["docker.sock", "containerd", "crio", "systemd"]),
    // The same where `/var` is a file system of its own.
    ("/lib/kubelet", &["pods", "pki"]),
    ("/lib/docker", &["containers", "image", "overlay2"]),
    ("/lib/containerd", &["io.containerd.metadata.v1.bolt"]),
];

const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Folders of which everything below gives control over the host, or tells of it.
const HOST_TREES: &[&str] = &["/proc", "/sys", "/var/lib/kubelet", "/run/containerd"];

/// A path of the host as the kernel would take it, links aside.
fn plain(host: &str) -> String {
    let parts: Vec<&str> = host.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path = format!("/{}", parts.join("/"));
    match path.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
        _ => path,
    }
}

/// Whether a path of the host is a socket that commands its container runtime.
pub fn is_runtime_socket(host: &str) -> bool {
    let host = plain(host);
    let is_named = RUNTIMES.iter().any(|name| host.contains(name));
    SOCKETS.contains(&host.as_str()) || (is_named && host.rsplit('.').next() == Some("sock"))
}

/// Which folder that gives control over the host a path of it is.
pub fn host_folder_of(host: &str) -> Option<&'static str> {
    if !host.starts_with('/') {
        return None;
    }
    let bare = plain(host);
    let listed = HOST_FOLDERS.iter().map(|(folder, _)| *folder).find(|folder| *folder == bare);
    let tree = || HOST_TREES.iter().copied().find(|tree| bare == *tree || below(&bare, tree).is_some());
    listed.or((bare == "/dev").then_some("/dev")).or_else(tree)
}

/// Whether a path that ends so, behind a part that is not known, may be one of those.
pub fn may_be_of_host(end: &str) -> bool {
    let end = end.trim_end_matches('/');
    let mut folders = HOST_FOLDERS.iter().map(|(folder, _)| *folder).chain(HOST_TREES.iter().copied());
    end.is_empty() || end.rsplit('.').next() == Some("sock") || folders.any(|folder| folder.ends_with(end))
}

/// The sockets of runtimes that can be seen here. None is connected to.
pub fn runtime_sockets(world: &World, mounts: Option<&Mounts>) -> Vec<RuntimeSocket> {
    let mut paths: Vec<String> = SOCKETS.iter().map(|path| (*path).to_owned()).collect();
    for mount in mounts.into_iter().flat_map(Mounts::iter) {
        let is_named = |path: &str| RUNTIMES.iter().any(|name| path.contains(name));
        let is_socket = mount.root.rsplit('.').next() == Some("sock");
        if is_socket && (is_named(&mount.root) || is_named(&mount.point)) {
            paths.push(mount.point.clone());
        }
        paths.extend(lent_sockets(mount));
    }
    let mut seen = HashSet::new();
    let found = paths.into_iter().filter(|path| {
        let stat = world.stat(path);
        // `/var/run` is `/run` in most images.
        stat.known().is_some_and(|stat| stat.kind == FileType::Socket && seen.insert((stat.device, stat.inode)))
    });
    found.map(|path| RuntimeSocket { writable: world.writable(&path), path: cut(&path) }).collect()
}

/// Where the sockets would be when a whole `/run`, or a whole root, is mounted somewhere else.
fn lent_sockets(mount: &Mount) -> Vec<String> {
    let run = match mount.root.as_str() {
        "/run" | "/var/run" => mount.point.clone(),
        "/" if mount.kind == "tmpfs" => mount.point.clone(),
        "/" => format!("{}/run", mount.point),
        _ => return Vec::new(),
    };
    if matches!(mount.point.as_str(), "/" | "/run" | "/dev" | "/dev/shm") || !mount.is_local() {
        return Vec::new();
    }
    ["docker.sock", "containerd/containerd.sock", "crio/crio.sock"].map(|socket| format!("{run}/{socket}")).into()
}

/// Folders of the host that are mounted here; of those that lie in one another the outer one.
pub fn sensitive(world: &World, mounts: &Mounts) -> Vec<String> {
    let mut lent: Vec<(&str, &str)> =
        mounts.iter().filter_map(|mount| Some((mount.point.as_str(), host_folder(world, mount)?))).collect();
    lent.sort_unstable();
    // Sorted, an outer folder stands before all that is below it.
    let mut outer: Vec<(&str, &str)> = Vec::new();
    for (point, folder) in lent {
        if !outer.iter().any(|(other, _)| below(point, other).is_some()) {
            outer.push((point, folder));
        }
    }
    outer.iter().map(|(point, folder)| cut(&format!("{point} ({folder} of the host)"))).collect()
}

/// Which folder of the host this mount shows.
fn host_folder(world: &World, mount: &Mount) -> Option<&'static str> {
    match mount.kind.as_str() {
        // A container gets a tmpfs for its devices; the kernel's own device file system is the host's.
        // Single nodes of it may be lent as well.
        "devtmpfs" => (mount.root == "/").then_some("/dev"),
        "proc" if mount.point != "/proc" && mount.root == "/" => {
            let shows_kernel = world.read_line(format!("{}/2/comm", mount.point)) == Fact::Known("kthreadd".to_owned());
            (shows_kernel && Namespace::Pid.is_initial(world) == Fact::Known(false)).then_some("/proc")
        }
        "tmpfs" => {
            let has = |name: &str| world.exists(format!("{}/{name}", mount.point)) == Fact::Known(true);
            (mount.point != "/run" && mount.point != "/dev" && (has("systemd/private") || has("docker.sock")))
                .then_some("/run")
        }
        _ if mount.point == "/" || !mount.is_local() => None,
        _ => {
            let (folder, witnesses) = HOST_FOLDERS.iter().find(|(folder, _)| *folder == mount.root)?;
            // One that we may not look at is there as well.
            let is_there = |name: &&str| world.exists(format!("{}/{name}", mount.point)) != Fact::Known(false);
            witnesses.iter().any(is_there).then_some(*folder)
        }
    }
}

/// What the service-account token is. Its text stays here.
pub fn service_account_token(world: &World) -> Fact<TokenKind> {
    match world.read_bytes(TOKEN, 64 << 10) {
        Fact::Known(token) => Fact::Known(token_kind(&token)),
        // It cannot be read, and yet it is there.
        Fact::Unknown(_) if world.stat(TOKEN).known().is_some() => Fact::Known(TokenKind::Unreadable),
        other => other.map(|_| TokenKind::Unreadable),
    }
}

/// A token of JSON Web form says in its second part when it expires; the legacy kind never does.
fn token_kind(token: &[u8]) -> TokenKind {
    let payload = token.trim_ascii().split(|byte| *byte == b'.').nth(1).and_then(decode_base64url);
    let claims = payload.and_then(|json| serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(&json).ok());
    match claims {
        None => TokenKind::Unreadable,
        Some(claims) if claims.get("exp").is_some_and(serde_json::Value::is_number) => TokenKind::Bound,
        Some(_) => TokenKind::Legacy,
    }
}

fn decode_base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests;
