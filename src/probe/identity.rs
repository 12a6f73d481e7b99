//! Who we are: user, groups, home, capabilities.
//!
//! [`caps`] knows the names of capabilities. Nothing here asks a name service:
//! what a container's own `/etc/passwd` says is what its programs get.

pub mod caps;

use self::caps::Caps;
use super::procfs::{Status, malformed, required};
use crate::facts::{Fact, Identity, cut};
use crate::world::World;

const PASSWD: &str = "/etc/passwd";
const UID_MAP: &str = "/proc/self/uid_map";

/// Reads who we are.
pub fn collect(world: &World) -> Identity {
    if world.is_still() {
        return of_image(world);
    }
    let status = Status::read(world, "self");
    let uid = status.number::<u32>("Uid", 1);
    let home = home_folder(world, &uid);
    let effective = Caps::read(&status, "CapEff");
    let bounding = Caps::read(&status, "CapBnd");
    let ambient = Caps::read(&status, "CapAmb");
    let in_force =
        effective.as_ref().and_then(|effective| ambient.as_ref().map(|ambient| Caps(effective.0 | ambient.0)));
    Identity {
        gid: status.number("Gid", 1),
        groups: groups(&status),
        user_name: user_name(world, &uid),
        name_variable: name_variable(world),
        home_writable: home.as_ref().and_then(|home| world.writable(home)),
        home: home.map(|home| cut(&home)),
        uid_on_host: uid.as_ref().and_then(|uid| uid_on_host(world, *uid)),
        user_namespaced: user_namespaced(world),
        all_capabilities: effective
            .as_ref()
            .and_then(|effective| caps::all_known(world).map(|all| effective.0 & all.0 == all.0)),
        capabilities_effective: effective.map(Caps::names),
        capabilities_bounding: bounding.as_ref().map(|caps| caps.names()),
        capabilities_ambient: ambient.map(Caps::names),
        capabilities_beyond_baseline: in_force.map(Caps::beyond_baseline),
        bounding_beyond_baseline: bounding.map(Caps::beyond_baseline),
        passwd_writable: uid.as_ref().and_then(|uid| passwd_writable(world, *uid)),
        uid,
    }
}

/// Who a container of an image starts as, as far as its configuration and files tell.
fn of_image(world: &World) -> Identity {
    let user = world.user_of_image();
    let uid = user.as_ref().map(|user| user.uid);
    let home = home_folder(world, &uid);
    Identity {
        gid: user.as_ref().map(|user| user.gid),
        groups: user.map(|user| user.groups),
        user_name: user_name(world, &uid),
        name_variable: name_variable(world),
        home_writable: home.as_ref().and_then(|home| world.writable(home)),
        home: home.map(|home| cut(&home)),
        passwd_writable: uid.as_ref().and_then(|uid| passwd_writable(world, *uid)),
        uid,
        ..Identity::default()
    }
}

/// The home folder: `$HOME`, else the entry of `uid` in `/etc/passwd`.
pub fn home_folder(world: &World, uid: &Fact<u32>) -> Fact<String> {
    match world.env("HOME").filter(|home| !home.is_empty()) {
        Some(home) => Fact::Known(home),
        None => passwd_column(world, uid, 5),
    }
}

/// The home folder of the user that runs this process.
pub fn own_home(world: &World) -> Fact<String> {
    let uid = if world.is_still() {
        world.user_of_image().map(|user| user.uid)
    } else {
        Status::read(world, "self").number("Uid", 1)
    };
    home_folder(world, &uid)
}

fn user_name(world: &World, uid: &Fact<u32>) -> Fact<String> {
    passwd_column(world, uid, 0).map(|name| cut(&name))
}

/// The variable that names the user for Python, in the order in which it asks.
fn name_variable(world: &World) -> Fact<String> {
    let is_set = |name: &&str| world.env(name).is_some_and(|value| !value.is_empty());
    Fact::present(["LOGNAME", "USER", "LNAME", "USERNAME"].into_iter().find(is_set).map(str::to_owned))
}

/// One column of the passwd line of `uid`; absent when there is no line or it is empty.
fn passwd_column(world: &World, uid: &Fact<u32>, column: usize) -> Fact<String> {
    uid.as_ref().and_then(|uid| {
        world.read(PASSWD).and_then(|text| {
            let line = text.lines().find(|line| line.split(':').nth(2).and_then(|uid| uid.parse().ok()) == Some(*uid));
            let value = line.and_then(|line| line.split(':').nth(column)).filter(|value| !value.is_empty());
            Fact::present(value.map(str::to_owned))
        })
    })
}

fn groups(status: &Status) -> Fact<Vec<u32>> {
    status.field("Groups").and_then(|words| {
        let groups: Result<Vec<u32>, _> = words.split_whitespace().map(str::parse).collect();
        groups.map_or_else(|_| malformed("/proc/self/status", words), Fact::Known)
    })
}

/// The lines of the user map: first uid inside, first uid outside, how many.
fn uid_map(world: &World) -> Fact<Vec<[u32; 3]>> {
    required(world.read(UID_MAP), UID_MAP).and_then(|text| {
        let mut lines = Vec::new();
        for line in text.lines() {
            let numbers: Vec<u32> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
            let Ok(numbers) = <[u32; 3]>::try_from(numbers) else { return malformed(UID_MAP, line) };
            lines.push(numbers);
        }
        Fact::Known(lines)
    })
}

/// Whether the user map is another than the identity over all ids.
pub fn user_namespaced(world: &World) -> Fact<bool> {
    uid_map(world).map(|lines| lines != [[0, 0, u32::MAX]])
}

fn uid_on_host(world: &World, uid: u32) -> Fact<u32> {
    uid_map(world).and_then(|lines| {
        Fact::present(lines.iter().find_map(|[inside, outside, count]| {
            let offset = uid.checked_sub(*inside).filter(|offset| offset < count)?;
            outside.checked_add(offset)
        }))
    })
}

fn passwd_writable(world: &World, uid: u32) -> Fact<bool> {
    if uid == 0 {
        return Fact::Absent;
    }
    let (passwd, shadow) = (world.writable(PASSWD), world.writable("/etc/shadow"));
    match (passwd, shadow) {
        (Fact::Known(true), _) | (_, Fact::Known(true)) => Fact::Known(true),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
        _ => Fact::Known(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const STATUS: &str = "/proc/self/status";
    const TABLE: (&str, &str) =
        ("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 d rw\n2 1 0:9 / /net rw - nfs4 s:/x rw\n");
    const ROOT: &str = "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0 27 \n\
        CapEff:\t00000000a80425fb\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n";
    const USER: &str = "Uid:\t5\t1001\t5\t5\nGid:\t5\t1002\t5\t5\nGroups:\t\n\
        CapEff:\t0000000000000000\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000200000\n";

    fn identity(files: &[(&str, &str)], env: &[(&str, &str)]) -> Identity {
        collect(&FakeRoot::of(files, env))
    }

    #[test]
    fn root_in_a_default_container_has_fourteen_capabilities_none_beyond_baseline() {
        let files = [
            (STATUS, ROOT),
            TABLE,
            (UID_MAP, "         0          0 4294967295\n"),
            (PASSWD, "root:x:0:0:root:/root:/bin/sh\n"),
            ("/proc/sys/kernel/cap_last_cap", "40\n"),
            ("/root/", ""),
        ];
        let found = identity(&files, &[]);
        assert_eq!((found.uid, found.gid, found.groups), (Fact::Known(0), Fact::Known(0), Fact::Known(vec![0, 27])));
        assert_eq!((found.user_name, found.home), (Fact::Known("root".into()), Fact::Known("/root".into())));
        assert_eq!(found.home_writable, Fact::Known(true));
        assert_eq!((found.uid_on_host, found.user_namespaced), (Fact::Known(0), Fact::Known(false)));
        assert_eq!(found.capabilities_effective.known().map(Vec::len), Some(14));
        // NET_RAW is the one default of Docker that the baseline standard does not allow.
        assert_eq!(found.capabilities_beyond_baseline, Fact::Known(vec!["NET_RAW".to_owned()]));
        assert_eq!(found.bounding_beyond_baseline.known().map(Vec::len), Some(41 - 13));
        assert_eq!((found.all_capabilities, found.passwd_writable), (Fact::Known(false), Fact::Absent));
    }

    #[test]
    fn an_ordinary_user_of_a_mapped_namespace_is_told_by_the_effective_ids() {
        let files = [
            (STATUS, USER),
            TABLE,
            (UID_MAP, "0 1000 1\n1 100000 65536\n"),
            (PASSWD, "root:x:0:0:root:/root:/bin/sh\nbroken\n"),
            ("/proc/sys/kernel/cap_last_cap", "40\n"),
        ];
        let found = identity(&files, &[]);
        assert_eq!((found.uid, found.gid), (Fact::Known(1001), Fact::Known(1002)));
        assert_eq!((found.uid_on_host, found.user_namespaced), (Fact::Known(101_000), Fact::Known(true)));
        assert_eq!((found.user_name, found.home, found.home_writable), (Fact::Absent, Fact::Absent, Fact::Absent));
        assert_eq!(found.capabilities_beyond_baseline, Fact::Known(vec!["SYS_ADMIN".to_owned()]), "ambient counts");
        assert_eq!(found.bounding_beyond_baseline, Fact::Known(Vec::new()), "NET_BIND_SERVICE is allowed");
    }

    #[test]
    fn every_capability_of_this_kernel_is_all_of_them() {
        for (mask, last, all) in
            [("1ffffffffff", "40", true), ("3fffffffff", "37", true), ("3fffffffff", "40", false), ("0", "40", false)]
        {
            let status = format!("CapEff:\t{mask}\n");
            let found = identity(&[(STATUS, &status), ("/proc/sys/kernel/cap_last_cap", last)], &[]);
            assert_eq!(found.all_capabilities, Fact::Known(all), "{mask} {last}");
        }
        assert!(identity(&[(STATUS, "CapEff:\t1ffffffffff\n")], &[]).all_capabilities.is_unknown());
    }

    #[test]
    fn the_first_variable_that_names_the_user_counts_and_an_empty_one_does_not() {
        let named = |variables: &[(&str, &str)]| identity(&[(STATUS, USER)], variables).name_variable;
        assert_eq!(named(&[("USER", "app"), ("LOGNAME", "")]), Fact::Known("USER".to_owned()));
        assert_eq!(named(&[("USER", "app"), ("LOGNAME", "app")]), Fact::Known("LOGNAME".to_owned()));
        assert_eq!(named(&[("HOME", "/")]), Fact::Absent);
    }

    #[test]
    fn a_home_that_is_not_there_is_absent() {
        let found = identity(&[(STATUS, USER), TABLE], &[("HOME", "/nonexistent")]);
        assert_eq!((found.home, found.home_writable), (Fact::Known("/nonexistent".into()), Fact::Absent));
    }

    #[test]
    fn without_proc_everything_about_the_user_is_a_gap() {
        let found = identity(&[], &[]);
        assert!(found.uid.is_unknown() && found.groups.is_unknown() && found.user_name.is_unknown());
        assert!(found.capabilities_effective.is_unknown() && found.all_capabilities.is_unknown());
        assert!(found.user_namespaced.is_unknown() && found.passwd_writable.is_unknown());
    }

    #[test]
    fn garbage_is_a_gap_and_no_panic() {
        let files = [(STATUS, "Uid:\t-1\nGroups:\ta b\nCapEff:\tzz\n"), (UID_MAP, "0 0\n"), (PASSWD, ":::\n\u{0}\n")];
        let found = identity(&files, &[]);
        assert!(found.uid.is_unknown() && found.groups.is_unknown() && found.capabilities_effective.is_unknown());
        assert!(found.user_namespaced.is_unknown());
    }
}
