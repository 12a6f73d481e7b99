//! What separates us from the host.
//!
//! This file reads the settings of our own process; [`shared`] asks which
//! namespaces are the host's, [`privileged`] gathers the signs of privileged
//! mode, [`setuid`] walks the program folders, [`mounted`] looks at what the
//! host lent us: sockets, folders, a service-account token.

mod mounted;
mod privileged;
mod setuid;
mod shared;

pub use mounted::{host_folder_of, is_runtime_socket, may_be_of_host};

use super::container::{is_first_mount_namespace, is_micro_vm, marks};
use super::procfs::mounts::Mounts;
use super::procfs::namespaces::Namespace;
use super::procfs::{Status, malformed, required};
use crate::facts::{Fact, GapKind, Isolation, Seccomp, cut};
use crate::world::World;

/// Reads what separates us from the host.
pub fn collect(world: &World) -> Isolation {
    let status = Status::read(world, "self");
    let table = Mounts::read(world);
    let micro_vm = table.known().is_some_and(|mounts| is_micro_vm(world, mounts, &marks::gather(world, Some(mounts))));
    let own_machine = table.as_ref().map(|mounts| micro_vm || is_first_mount_namespace(world, mounts));
    let signs = privileged::signs(world, &status, &table);
    let shares = |namespace| if micro_vm { Fact::Known(false) } else { Namespace::is_initial(namespace, world) };
    Isolation {
        no_new_privileges: status.number::<u8>("NoNewPrivs", 0).map(|bit| bit == 1),
        seccomp: seccomp(&status),
        apparmor_profile: apparmor_profile(world),
        selinux_label: selinux_label(world),
        host_pid: if micro_vm { Fact::Known(false) } else { shared::host_pid(world) },
        host_network: if micro_vm { Fact::Known(false) } else { shared::host_network(world) },
        host_ipc: shares(Namespace::Ipc),
        host_uts: shares(Namespace::Uts),
        host_cgroup: shares(Namespace::Cgroup),
        privileged: if micro_vm { Fact::Known(false) } else { privileged::concluded(world, &signs) },
        privileged_signs: privileged::seen(&signs),
        root_read_only: table
            .as_ref()
            .and_then(|mounts| required(Fact::present(mounts.at("/")), "the mount of /"))
            .map(|mount| mount.has("ro")),
        setuid_files: table.as_ref().and_then(|mounts| setuid::files(world, mounts)),
        runtime_sockets: Fact::Known(mounted::runtime_sockets(world, table.known())),
        sensitive_mounts: own_machine.and_then(|own| {
            let found = |mounts: &Mounts| if own { Vec::new() } else { mounted::sensitive(world, mounts) };
            table.as_ref().map(found)
        }),
        service_account_token: mounted::service_account_token(world),
    }
}

fn seccomp(status: &Status) -> Fact<Seccomp> {
    status.number::<u8>("Seccomp", 0).and_then(|mode| match mode {
        0 => Fact::Known(Seccomp::Disabled),
        1 => Fact::Known(Seccomp::Strict),
        2 => Fact::Known(Seccomp::Filter),
        other => malformed("/proc/self/status", &format!("Seccomp: {other}")),
    })
}

/// Whether AppArmor runs; a gap where `/sys` shows no kernel modules at all.
fn apparmor_enabled(world: &World) -> Fact<bool> {
    let path = "/sys/module/apparmor/parameters/enabled";
    match world.read_line(path) {
        Fact::Known(answer) => Fact::Known(answer == "Y"),
        Fact::Absent if world.exists("/sys/module") == Fact::Known(true) => Fact::Known(false),
        other => required(other, path).map(|_| false),
    }
}

fn apparmor_profile(world: &World) -> Fact<String> {
    apparmor_enabled(world).and_then(|enabled| {
        if !enabled {
            return Fact::Absent;
        }
        // Kernels before 5.8 have no file of AppArmor's own and show it in the common one.
        match world.read_line("/proc/self/attr/apparmor/current") {
            Fact::Known(profile) => Fact::Known(attribute(&profile)),
            _ => required(world.read_line("/proc/self/attr/current"), "/proc/self/attr/current").map(|p| attribute(&p)),
        }
    })
}

/// The common file shows whichever security module is the major one, so it is SELinux's only when it looks like a
/// label: user, role, type and level between colons. AppArmor profiles have a mode in brackets.
fn selinux_label(world: &World) -> Fact<String> {
    let path = "/proc/self/attr/current";
    match world.read_line(path) {
        Fact::Known(text) => {
            let text = attribute(&text);
            let is_label = text.matches(':').count() >= 2 && !text.ends_with(')');
            Fact::present(is_label.then_some(text))
        }
        // The kernel answers EINVAL when no security module has an answer.
        Fact::Unknown(gap) if gap.kind == GapKind::Malformed && gap.detail.ends_with("EINVAL") => Fact::Absent,
        other => required(other, path),
    }
}

/// Labels end in a zero byte.
fn attribute(text: &str) -> String {
    cut(text.trim_matches(['\0', ' ', '\n']))
}

#[cfg(test)]
mod tests;
