//! The signs of privileged mode. No single one proves it: each can be had alone, on purpose.

use rustix::fs::FileType;

use crate::facts::{Fact, Gap};
use crate::probe::identity::caps::{Caps, all_known};
use crate::probe::identity::user_namespaced;
use crate::probe::procfs::Status;
use crate::probe::procfs::mounts::Mounts;
use crate::world::World;

/// Signs that are enough together.
const ENOUGH: usize = 3;

/// Block devices in `/dev` that are more than somebody would pass by hand.
const MANY_BLOCK_DEVICES: usize = 4;

/// Each sign in words, and whether it is there.
pub type Signs = Vec<(&'static str, Fact<bool>)>;

/// Looks for each sign. Capabilities are those of the bounding set, so that a user in a privileged container is
/// found as well.
pub fn signs(world: &World, status: &Status, mounts: &Fact<Mounts>) -> Signs {
    let bounding = Caps::read(status, "CapBnd");
    let all = all_known(world).and_then(|all| bounding.map(|caps| caps.0 & all.0 == all.0));
    let mounts = mounts.as_ref();
    vec![
        ("all capabilities", all),
        ("no seccomp filter", status.number::<u8>("Seccomp", 0).map(|mode| mode == 0)),
        ("/sys is writable", mounts.clone().map(|m| m.at("/sys").is_some_and(|m| m.kind == "sysfs" && !m.has("ro")))),
        ("/proc/sys is writable", mounts.map(|m| m.of("/proc/sys").is_some_and(|m| m.kind == "proc" && !m.has("ro")))),
        ("block devices of the host in /dev", block_devices(world)),
    ]
}

fn block_devices(world: &World) -> Fact<bool> {
    let names = match world.list("/dev") {
        Fact::Absent => return Fact::Known(false),
        names => names,
    };
    names.map(|names| {
        let is_block = |name: &&String| {
            world.stat_link(format!("/dev/{name}")).known().is_some_and(|stat| stat.kind == FileType::BlockDevice)
        };
        names.iter().filter(is_block).take(MANY_BLOCK_DEVICES).count() >= MANY_BLOCK_DEVICES
    })
}

/// Whether enough signs are there together, outside of a user namespace: what is privileged inside one is an ordinary
/// user to the host.
pub fn concluded(world: &World, signs: &Signs) -> Fact<bool> {
    let seen = signs.iter().filter(|(_, sign)| *sign == Fact::Known(true)).count();
    let gap: Option<&Gap> =
        signs.iter().find_map(|(_, sign)| if let Fact::Unknown(gap) = sign { Some(gap) } else { None });
    let open = signs.iter().filter(|(_, sign)| sign.is_unknown()).count();
    if seen + open < ENOUGH {
        return Fact::Known(false);
    }
    user_namespaced(world).and_then(|namespaced| match gap {
        _ if namespaced => Fact::Known(false),
        Some(gap) if seen < ENOUGH => Fact::Unknown(gap.clone()),
        _ => Fact::Known(true),
    })
}

/// The signs that were seen; a gap when none was and some could not be looked for.
pub fn seen(signs: &Signs) -> Fact<Vec<String>> {
    let found: Vec<String> =
        signs.iter().filter(|(_, sign)| *sign == Fact::Known(true)).map(|(name, _)| (*name).to_owned()).collect();
    match signs.iter().find(|(_, sign)| sign.is_unknown()) {
        Some((_, Fact::Unknown(gap))) if found.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Known(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const LAST: (&str, &str) = ("/proc/sys/kernel/cap_last_cap", "40\n");
    const IDENTITY: (&str, &str) = ("/proc/self/uid_map", "0 0 4294967295\n");
    const OPEN: &str =
        "1 0 0:3 / / rw - overlay o rw\n2 1 0:4 / /proc rw - proc proc rw\n3 1 0:5 / /sys rw - sysfs sysfs rw\n";
    const MASKED: &str = "1 0 0:3 / / rw - overlay o rw\n2 1 0:4 / /proc rw - proc proc rw\n\
        4 2 0:4 /sys /proc/sys ro - proc proc rw\n3 1 0:5 / /sys ro - sysfs sysfs ro\n";

    fn found(status: &str, table: &str, map: (&str, &str)) -> (Fact<bool>, Fact<Vec<String>>) {
        let files = [("/proc/self/status", status), ("/proc/self/mountinfo", table), LAST, map, ("/dev/null", "")];
        let world = FakeRoot::of(&files, &[]);
        let signs = signs(&world, &Status::read(&world, "self"), &Mounts::read(&world));
        (concluded(&world, &signs), seen(&signs))
    }

    #[test]
    fn a_default_container_shows_no_sign() {
        let (privileged, signs) = found("CapBnd:\t00000000a80425fb\nSeccomp:\t2\n", MASKED, IDENTITY);
        assert_eq!((privileged, signs), (Fact::Known(false), Fact::Known(Vec::new())));
    }

    #[test]
    fn all_signs_together_are_privileged_mode() {
        let (privileged, signs) = found("CapBnd:\t000001ffffffffff\nSeccomp:\t0\n", OPEN, IDENTITY);
        assert_eq!(privileged, Fact::Known(true));
        assert_eq!(signs.known().map(Vec::len), Some(4));
    }

    #[test]
    fn all_capabilities_without_a_filter_alone_are_not() {
        let (privileged, signs) = found("CapBnd:\t000001ffffffffff\nSeccomp:\t0\n", MASKED, IDENTITY);
        assert_eq!(privileged, Fact::Known(false));
        assert_eq!(signs, Fact::Known(vec!["all capabilities".to_owned(), "no seccomp filter".to_owned()]));
    }

    #[test]
    fn inside_a_user_namespace_nothing_is_privileged() {
        let (privileged, _) =
            found("CapBnd:\t000001ffffffffff\nSeccomp:\t0\n", OPEN, ("/proc/self/uid_map", "0 1000 1\n"));
        assert_eq!(privileged, Fact::Known(false));
    }

    #[test]
    fn with_too_little_seen_it_stays_unknown() {
        let (privileged, _) = found("Seccomp:\t0\n", "", IDENTITY);
        assert!(privileged.is_unknown());
        let (privileged, signs) = found("", "", IDENTITY);
        assert!(privileged.is_unknown() && signs.is_unknown());
    }
}
