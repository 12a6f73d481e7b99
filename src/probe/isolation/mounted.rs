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

/// Whether a path of the host is a socket that commands its container runtime.
pub fn is_runtime_socket(host: &str) -> bool {
    let is_named = RUNTIMES.iter().any(|name| host.contains(name));
    SOCKETS.contains(&host) || (is_named && host.rsplit('.').next() == Some("sock"))
}

/// Which folder that gives control over the host a path of it is.
pub fn host_folder_of(host: &str) -> Option<&'static str> {
    let bare = match host.trim_end_matches('/') {
        "" => "/",
        "/var/run" => "/run",
        bare => bare,
    };
    let listed = HOST_FOLDERS.iter().map(|(folder, _)| *folder).find(|folder| *folder == bare && host.starts_with('/'));
    listed.or((bare == "/dev").then_some("/dev"))
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
mod tests {
    use super::*;
    use crate::world::FakeRoot;
    use std::os::unix::net::UnixListener;

    fn sensitive_of(table: &str, files: &[(&str, &str)]) -> Vec<String> {
        let world = FakeRoot::of(&[("/proc/self/mountinfo", table)], &[]);
        world.files(files);
        sensitive(&world, Mounts::read(&world).known().expect("a table"))
    }

    #[test]
    fn a_socket_is_found_where_it_is_mounted_and_only_once() {
        let table =
            "9 8 0:9 /docker.sock /tmp/d.sock rw - tmpfs tmpfs rw\n7 8 0:9 /csi.sock /csi/csi.sock rw - tmpfs t rw\n";
        let files = [
            ("/proc/self/mountinfo", table),
            ("/run/", ""),
            ("/tmp/", ""),
            ("/csi/", ""),
            ("/run/podman/podman.sock", ""),
        ];
        let world = FakeRoot::of(&files, &[]);
        let sockets: Vec<_> = ["run/docker.sock", "tmp/d.sock", "csi/csi.sock"]
            .map(|path| UnixListener::bind(world.path().join(path)))
            .into();
        assert!(sockets.iter().all(Result::is_ok));
        world.link("/var/run", "../run");
        let found = runtime_sockets(&world, Mounts::read(&world).known());
        let paths: Vec<&str> = found.iter().map(|socket| socket.path.as_str()).collect();
        assert_eq!(paths, ["/run/docker.sock", "/tmp/d.sock"], "a plain file and a driver's socket are none");
        assert!(found.iter().all(|socket| socket.writable == Fact::Known(true)));
        assert!(runtime_sockets(&FakeRoot::new(), None).is_empty());
    }

    #[test]
    fn what_every_container_gets_is_not_sensitive() {
        let table = "1 0 0:3 / / rw - overlay o rw\n2 1 0:4 / /proc rw - proc proc rw\n3 1 0:5 / /dev rw - tmpfs tmpfs rw\n\
            4 1 8:1 /var/lib/docker/containers/ab/hosts /etc/hosts rw - ext4 d rw\n\
            5 1 8:1 /usr/lib/x86_64-linux-gnu/libcuda.so.1 /usr/lib/x86_64-linux-gnu/libcuda.so.1 ro - ext4 d rw\n\
            6 1 8:1 /var/lib/kubelet/pods/1/volumes/e/cache /cache rw - ext4 d rw\n\
            7 1 8:9 / /data rw - ext4 disk rw\n\
            8 2 0:6 /null /proc/keys rw - devtmpfs udev rw\n\
            8 1 8:9 /etc /data/etc rw - ext4 disk rw\n\
            9 1 0:6 / /run rw - tmpfs tmpfs rw\n";
        assert_eq!(
            sensitive_of(table, &[("/data/etc/app.conf", ""), ("/run/systemd/private", "")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn folders_of_the_host_are_named_with_what_they_are() {
        let table = "1 0 0:3 / / rw - overlay o rw\n4 1 8:1 / /host rw - ext4 d rw\n5 1 8:1 /etc /host-etc rw - ext4 d rw\n\
            6 1 0:7 / /run2 rw - tmpfs tmpfs rw\n9 4 8:2 /etc /host/x rw - ext4 e rw\n7 1 0:6 / /dev rw - devtmpfs udev rw\n8 1 8:1 /var/lib/kubelet /k rw - xfs d rw\n";
        let files = [
            ("/host/etc/passwd", ""),
            ("/host-etc/passwd", ""),
            ("/run2/docker.sock", ""),
            ("/host/x/passwd", ""),
            ("/k/pods/", ""),
        ];
        let expected = [
            "/dev (/dev of the host)",
            "/host (/ of the host)",
            "/host-etc (/etc of the host)",
            "/k (/var/lib/kubelet of the host)",
            "/run2 (/run of the host)",
        ];
        assert_eq!(sensitive_of(table, &files), expected);
    }

    #[test]
    fn a_token_is_bound_when_it_expires() {
        // {"exp":1767225600,"aud":["x"]}, {"iss":"kubernetes/serviceaccount"} and a claim that is no time.
        for (token, kind) in [
            ("e30.eyJleHAiOjE3NjcyMjU2MDAsImF1ZCI6WyJ4Il19.c2ln\n", TokenKind::Bound),
            ("e30.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50In0.c2ln", TokenKind::Legacy),
            ("e30.eyJleHAiOiJuZXZlciJ9.c2ln", TokenKind::Legacy),
            ("not a token", TokenKind::Unreadable),
            ("a.!!.b", TokenKind::Unreadable),
            ("", TokenKind::Unreadable),
        ] {
            let world = FakeRoot::of(&[(TOKEN, token)], &[]);
            assert_eq!(service_account_token(&world), Fact::Known(kind), "{token}");
        }
    }

    #[test]
    fn no_token_is_absent_and_one_that_cannot_be_read_is_said_to_be_there() {
        assert_eq!(service_account_token(&FakeRoot::new()), Fact::Absent);
        let world = FakeRoot::of(&[(&format!("{TOKEN}/"), "")], &[]);
        assert_eq!(service_account_token(&world), Fact::Known(TokenKind::Unreadable));
    }
}
