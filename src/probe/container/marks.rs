//! The signs that container makers leave in files, mounts and variable names.

use crate::facts::ContainerKind;
use crate::probe::procfs::mounts::Mounts;
use crate::probe::procfs::namespaces::Namespace;
use crate::world::World;

/// What was found.
#[derive(Debug, Default)]
pub struct Marks {
    /// What the strongest of them say.
    pub kind: ContainerKind,
    /// Each sign that was seen, strongest first.
    pub evidence: Vec<String>,
    /// Whether the guest agent of Kata Containers is here.
    pub kata: bool,
}

/// Gathers the signs, the strongest first: what the runtime mounted for this very container, then marker files (which
/// an image built from another container may have inherited), then variables, then namespaces.
pub fn gather(world: &World, mounts: Option<&Mounts>) -> Marks {
    let mut marks = Marks::default();
    if let Some(mounts) = mounts {
        from_mounts(&mut marks, mounts);
    }
    from_files(&mut marks, world);
    from_variables(&mut marks, world);
    from_control_group(&mut marks, world);
    if marks.kind == ContainerKind::None && Namespace::Pid.is_initial(world).known() == Some(&false) {
        marks.found(ContainerKind::Other, "a process namespace of its own");
    }
    let booted = world.read_line("/proc/cmdline").known().is_some_and(|line| line.contains("kata-containers"));
    let shared = mounts.is_some_and(|mounts| mounts.iter().any(|mount| mount.source == "kataShared"));
    marks.kata = booted || shared;
    marks
}

impl Marks {
    /// Notes a sign. The first kind stays, but for Kubernetes: its pods carry the marks of the runtime below as well.
    fn found(&mut self, kind: ContainerKind, evidence: &str) {
        if self.kind == ContainerKind::None || kind == ContainerKind::Kubernetes {
            self.kind = kind;
        }
        if !self.evidence.iter().any(|seen| seen == evidence) {
            self.evidence.push(evidence.to_owned());
        }
    }
}

fn from_mounts(marks: &mut Marks, mounts: &Mounts) {
    for mount in mounts.iter() {
        let made_by = |part: &str| mount.root.contains(part);
        let is_own_file = matches!(mount.point.as_str(), "/etc/hosts" | "/etc/hostname" | "/etc/resolv.conf");
        if mount.point == "/dev/termination-log" || is_own_file && made_by("/pods/") && made_by("etc-hosts") {
            marks.found(ContainerKind::Kubernetes, &format!("mount on {}", mount.point));
        } else if is_own_file && made_by("/containers/") && made_by("/overlay-containers/") {
            // CRI-O keeps its containers where Podman does; a pod of CRI-O is known by the marks of Kubernetes.
            marks.found(ContainerKind::Podman, "files mounted from a containers/storage folder");
        } else if is_own_file && made_by("/docker/containers/") {
            marks.found(ContainerKind::Docker, "files mounted from a Docker folder");
        } else if is_own_file && made_by("/nerdctl/") {
            marks.found(ContainerKind::Containerd, "files mounted from a nerdctl folder");
        } else if mount.kind == "fuse.lxcfs" {
            marks.found(ContainerKind::Lxc, "lxcfs mounted");
        }
    }
}

fn from_files(marks: &mut Marks, world: &World) {
    const FILES: &[(&str, ContainerKind)] = &[
        ("/var/run/secrets/kubernetes.io/serviceaccount", ContainerKind::Kubernetes),
        ("/.singularity.d", ContainerKind::Apptainer),
        ("/run/.containerenv", ContainerKind::Podman),
        ("/.dockerenv", ContainerKind::Docker),
        ("/dev/lxd/sock", ContainerKind::Lxc),
        ("/dev/incus/sock", ContainerKind::Lxc),
    ];
    for (path, kind) in FILES {
        if world.exists(path).known() == Some(&true) {
            marks.found(*kind, path);
        }
    }
    // systemd writes here what its own detection says when it runs in a container.
    if let Some(word) = world.read_line("/run/systemd/container").known() {
        from_word(marks, word, "/run/systemd/container");
    }
}

fn from_variables(marks: &mut Marks, world: &World) {
    const NAMES: &[(&str, ContainerKind)] = &[
        ("KUBERNETES_SERVICE_HOST", ContainerKind::Kubernetes),
        ("APPTAINER_CONTAINER", ContainerKind::Apptainer),
        ("SINGULARITY_CONTAINER", ContainerKind::Apptainer),
    ];
    for (name, kind) in NAMES {
        if world.env(name).is_some() {
            marks.found(*kind, &format!("variable {name}"));
        }
    }
    if let Some(word) = world.env("container") {
        from_word(marks, &word, "variable container");
    }
}

/// The word of systemd's container interface.
fn from_word(marks: &mut Marks, word: &str, evidence: &str) {
    let kind = match word {
        "docker" => ContainerKind::Docker,
        "podman" => ContainerKind::Podman,
        "lxc" | "lxc-libvirt" => ContainerKind::Lxc,
        "systemd-nspawn" => ContainerKind::Nspawn,
        "oci" => ContainerKind::Other,
        _ => return,
    };
    marks.found(kind, evidence);
}

/// Only without a control-group namespace does the path name its maker; it is never searched for limits.
fn from_control_group(marks: &mut Marks, world: &World) {
    const PARTS: &[(&str, ContainerKind)] = &[
        ("kubepods", ContainerKind::Kubernetes),
        ("/libpod-", ContainerKind::Podman),
        ("/crio-", ContainerKind::Crio),
        ("/docker/", ContainerKind::Docker),
        ("/docker-", ContainerKind::Docker),
        ("/lxc.payload", ContainerKind::Lxc),
    ];
    let file = world.read("/proc/self/cgroup");
    let Some(text) = file.known() else { return };
    for (part, kind) in PARTS {
        if text.contains(part) {
            marks.found(*kind, &format!("control group {part}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn kind(files: &[(&str, &str)], env: &[(&str, &str)]) -> ContainerKind {
        let world = FakeRoot::of(files, env);
        gather(&world, Mounts::read(&world).known()).kind
    }

    type Texts<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn each_maker_is_known_by_its_marks() {
        let table = "/proc/self/mountinfo";
        let cases: &[(Texts, Texts, ContainerKind)] = &[
            (&[], &[], ContainerKind::None),
            (&[("/.dockerenv", "")], &[], ContainerKind::Docker),
            (&[("/run/.containerenv", "")], &[], ContainerKind::Podman),
            (&[("/.singularity.d/", "")], &[], ContainerKind::Apptainer),
            (&[("/run/systemd/container", "systemd-nspawn\n")], &[], ContainerKind::Nspawn),
            (&[("/run/systemd/container", "\u{1b}[31m")], &[], ContainerKind::None),
            (&[], &[("container", "lxc")], ContainerKind::Lxc),
            (&[], &[("KUBERNETES_SERVICE_HOST", "")], ContainerKind::Kubernetes),
            (&[("/proc/self/cgroup", "0::/kubepods/besteffort/podx\n")], &[], ContainerKind::Kubernetes),
            (&[(table, "9 8 8:1 /x/nerdctl/h /etc/hosts rw - ext4 d rw\n")], &[], ContainerKind::Containerd),
            (
                &[(table, "9 8 8:1 /p/x /dev/termination-log rw - ext4 d rw\n"), ("/.dockerenv", "")],
                &[],
                ContainerKind::Kubernetes,
            ),
        ];
        for (files, env, expected) in cases {
            assert_eq!(kind(files, env), *expected, "{files:?} {env:?}");
        }
    }

    #[test]
    fn what_the_runtime_mounted_outranks_a_marker_that_the_image_inherited() {
        let mount = "9 8 8:1 /s/containers/storage/overlay-containers/1/userdata/hosts /etc/hosts rw - ext4 d rw\n";
        assert_eq!(kind(&[("/proc/self/mountinfo", mount), ("/.dockerenv", "")], &[]), ContainerKind::Podman);
    }
}
