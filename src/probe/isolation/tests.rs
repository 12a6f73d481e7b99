//! Whole containers, as `/proc` and `/sys` show them.

use super::*;
use crate::facts::TokenKind;
use crate::world::FakeRoot;

const TABLE: &str = "71 46 0:39 / / ro,nodev - overlay overlay rw,lowerdir=/l\n72 71 0:41 / /proc rw - proc proc rw\n\
    50 72 0:41 /sys /proc/sys ro - proc proc rw\n75 71 0:44 / /sys ro - sysfs sysfs ro\n";
const STATUS: &str = "CapBnd:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n";

fn isolation(apart: bool, files: &[(&str, &str)]) -> Isolation {
    let root = FakeRoot::new();
    for namespace in
        [Namespace::Pid, Namespace::Ipc, Namespace::Uts, Namespace::User, Namespace::Cgroup, Namespace::Network]
    {
        let own = apart && namespace != Namespace::User;
        let inode = if own { 4_026_532_180 } else { namespace.initial_inode() };
        let name = namespace.name();
        root.link(&format!("/proc/self/ns/{name}"), &format!("{name}:[{inode}]"));
    }
    let always = [
        ("/proc/self/uid_map", "0 0 4294967295\n"),
        ("/proc/sys/kernel/cap_last_cap", "40\n"),
        ("/proc/sys/kernel/osrelease", "6.18.1\n"),
    ];
    collect(root.files(&always).files(files))
}

#[test]
fn a_hardened_container_shares_nothing() {
    let files = [("/proc/self/status", STATUS), ("/proc/self/mountinfo", TABLE), ("/.dockerenv", "")];
    let found = isolation(true, &files);
    assert_eq!((found.no_new_privileges, found.seccomp), (Fact::Known(true), Fact::Known(Seccomp::Filter)));
    for shared in [found.host_pid, found.host_network, found.host_ipc, found.host_uts, found.host_cgroup] {
        assert_eq!(shared, Fact::Known(false));
    }
    assert_eq!((found.privileged, found.root_read_only), (Fact::Known(false), Fact::Known(true)));
    assert_eq!((found.setuid_files, found.runtime_sockets), (Fact::Known(Vec::new()), Fact::Known(Vec::new())));
    assert_eq!((found.sensitive_mounts, found.service_account_token), (Fact::Known(Vec::new()), Fact::Absent));
}

#[test]
fn a_container_that_was_given_the_hosts_namespaces_is_found() {
    let files = [("/proc/self/status", STATUS), ("/proc/self/mountinfo", TABLE), ("/.dockerenv", "")];
    let found = isolation(false, &files);
    for shared in [found.host_pid, found.host_network, found.host_ipc, found.host_uts, found.host_cgroup] {
        assert_eq!(shared, Fact::Known(true));
    }
}

#[test]
fn a_virtual_machine_made_of_an_image_has_no_host_to_share_with() {
    let table = "27 1 254:0 / / rw - ext4 /dev/vda rw\n22 27 0:21 / /proc rw - proc proc rw\n\
        23 27 0:22 / /sys rw - sysfs sysfs rw\n24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\n";
    let status = "CapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\n";
    let files = [("/proc/self/status", status), ("/proc/self/mountinfo", table), ("/.dockerenv", "")];
    let found = isolation(false, &files);
    for shared in [found.host_pid, found.host_network, found.host_ipc, found.privileged] {
        assert_eq!(shared, Fact::Known(false));
    }
    assert_eq!(found.privileged_signs.known().map(Vec::len), Some(4), "what was seen is still said");
    assert_eq!(found.sensitive_mounts, Fact::Known(Vec::new()), "its devices are its own");
}

#[test]
fn without_proc_and_sys_everything_is_a_gap() {
    let found = collect(&FakeRoot::new());
    for fact in [
        found.no_new_privileges,
        found.host_pid,
        found.host_network,
        found.host_ipc,
        found.privileged,
        found.root_read_only,
    ] {
        assert!(fact.is_unknown(), "{fact:?}");
    }
    assert!(found.seccomp.is_unknown() && found.setuid_files.is_unknown() && found.sensitive_mounts.is_unknown());
    assert!(found.apparmor_profile.is_unknown() && found.selinux_label.is_unknown());
    assert_eq!(found.service_account_token, Fact::<TokenKind>::Absent);
}

#[test]
fn profiles_and_labels_are_told_apart() {
    let on = ("/sys/module/apparmor/parameters/enabled", "Y\n");
    let own = ("/proc/self/attr/apparmor/current", "docker-default (enforce)\n");
    let common = ("/proc/self/attr/current", "docker-default (enforce)\n");
    for files in [&[on, own, common][..], &[on, common][..]] {
        let found = isolation(true, files);
        assert_eq!(found.apparmor_profile, Fact::Known("docker-default (enforce)".to_owned()));
        assert_eq!(found.selinux_label, Fact::Absent);
    }
    let label = ("/proc/self/attr/current", "system_u:system_r:container_t:s0:c1,c2\0");
    let found = isolation(true, &[label, ("/sys/module/", "")]);
    assert_eq!(found.apparmor_profile, Fact::Absent);
    assert_eq!(found.selinux_label, Fact::Known("system_u:system_r:container_t:s0:c1,c2".to_owned()));
}

#[test]
fn nonsense_in_a_status_is_a_gap() {
    let found = isolation(true, &[("/proc/self/status", "NoNewPrivs:\tmaybe\nSeccomp:\t9\nCapBnd:\t?\n")]);
    assert!(found.no_new_privileges.is_unknown() && found.seccomp.is_unknown() && found.privileged.is_unknown());
}
