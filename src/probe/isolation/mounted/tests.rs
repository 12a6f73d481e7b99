//! What is mounted, and what only looks like it.

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
    let files =
        [("/proc/self/mountinfo", table), ("/run/", ""), ("/tmp/", ""), ("/csi/", ""), ("/run/podman/podman.sock", "")];
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
fn a_path_of_the_host_is_known_however_it_is_written() {
    assert!(is_runtime_socket("/var/run/docker.sock/") && is_runtime_socket("//run/./docker.sock"));
    for (path, folder) in [
        ("/etc/", Some("/etc")),
        ("//", Some("/")),
        ("/var/lib/kubelet/pods/", Some("/var/lib/kubelet")),
        ("/var/run/containerd/x", Some("/run/containerd")),
        ("/proc/sys", Some("/proc")),
        ("/sys/fs/cgroup", Some("/sys")),
        ("/procession", None),
        ("/data/etc", None),
        ("data", None),
    ] {
        assert_eq!(host_folder_of(path), folder, "{path}");
    }
    assert!(may_be_of_host("") && may_be_of_host("/docker.sock") && may_be_of_host("/etc/"));
    assert!(!may_be_of_host("/.cache/huggingface"));
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
    assert_eq!(sensitive_of(table, &[("/data/etc/app.conf", ""), ("/run/systemd/private", "")]), Vec::<String>::new());
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
