//! Host keys that lie in the image, and the state of root's password.

use crate::facts::{Fact, GapKind, HostKey, LIST_LIMIT, PasswordState, cut, cut_word};
use crate::probe::procfs::first_started;
use crate::probe::procfs::mounts::Mounts;
use crate::world::World;

/// The two clocks (file times and process starts) may differ by their rounding.
const TOLERANCE_SECONDS: i64 = 2;

/// Private host keys of sshd and dropbear, each with whether it is older than process 1.
pub fn host_keys(world: &World) -> Fact<Vec<HostKey>> {
    let mut paths = Vec::new();
    for (folder, start, end) in [("/etc/ssh", "ssh_host_", "_key"), ("/etc/dropbear", "dropbear_", "_host_key")] {
        match world.list(folder) {
            Fact::Known(names) => {
                let keys = names.iter().filter(|name| name.starts_with(start) && name.ends_with(end));
                paths.extend(keys.map(|name| format!("{folder}/{}", cut(name))));
            }
            Fact::Absent => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    if paths.is_empty() {
        return Fact::Known(Vec::new());
    }
    let started = first_started(world);
    let made = world.stat("/.dockerenv").map(|stat| stat.modified_seconds);
    let mounts = Mounts::read(world);
    let key = |path: String| {
        let baked = if world.is_still() {
            Fact::Known(true) // what lies in an image is in every container of it
        } else if mounts.known().is_some_and(|mounts| is_mounted(mounts, &path)) {
            Fact::Known(false) // it came from outside, whatever its age
        } else {
            let limit = started.clone().map(|started| started.saturating_sub(TOLERANCE_SECONDS));
            limit.and_then(|limit| world.stat(&path).and_then(|stat| age(stat.modified_seconds, limit, &made)))
        };
        HostKey { path, baked }
    };
    Fact::Known(paths.into_iter().map(key).collect())
}

/// Whether a key of this time is older than the container, whose process 1 started at `limit`.
fn age(modified: i64, limit: i64, made: &Fact<i64>) -> Fact<bool> {
    // Docker makes this file with the container. A container that was restarted keeps the keys of its first start,
    // and an image that was made from a container may bring the file along: then nothing is certain.
    if modified < limit && made.known().is_some_and(|made| *made <= modified) {
        let detail = "the key is older than process 1 and younger than /.dockerenv: the container was restarted";
        return Fact::unknown(GapKind::NotSupported, detail);
    }
    Fact::Known(modified < limit)
}

/// Whether the file or a folder that it lies in is a mount of its own.
fn is_mounted(mounts: &Mounts, path: &str) -> bool {
    mounts.of(path).is_some_and(|mount| mount.point != "/")
}

/// The state of root's password, from `/etc/shadow`, or from `/etc/passwd` where there is no shadow file.
pub fn root_password(world: &World) -> Fact<PasswordState> {
    let shadow = world.read("/etc/shadow").and_then(|text| Fact::present(field(&text)));
    match shadow {
        Fact::Known(field) => Fact::Known(state(&field)),
        Fact::Unknown(gap) => Fact::Unknown(gap),
        Fact::Absent => match world.read("/etc/passwd").and_then(|text| Fact::present(field(&text))) {
            // `x` points to the shadow file, where root has no line.
            Fact::Known(field) if field == "x" => Fact::Absent,
            Fact::Known(field) => Fact::Known(state(&field)),
            Fact::Absent => Fact::Absent,
            Fact::Unknown(gap) => Fact::Unknown(gap),
        },
    }
}

/// Accounts that a password lets in; what the passwords are goes no further than [`state`].
pub fn password_accounts(world: &World) -> Fact<Vec<String>> {
    world.read("/etc/shadow").and_then(|shadow| {
        let passwd = world.read("/etc/passwd").known().cloned().unwrap_or_default();
        let has_shell = |name: &str| {
            let line = passwd.lines().find(|line| line.split(':').next() == Some(name));
            let shell = line.and_then(|line| line.split(':').nth(6)).unwrap_or_default();
            !["nologin", "false", "sync", "halt", "shutdown"].iter().any(|end| shell.ends_with(end))
        };
        let fields = shadow.lines().filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, fields.next()?))
        });
        let open = fields.filter(|(name, field)| state(field) != PasswordState::Locked && has_shell(name));
        Fact::Known(open.take(LIST_LIMIT).map(|(name, _)| cut_word(name)).collect())
    })
}

/// The password field of root's line; it goes no further than [`state`].
fn field(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("root:")?.split(':').next().map(str::to_owned))
}

fn state(field: &str) -> PasswordState {
    /// Characters of the shortest hash there is.
    const SHORTEST_HASH: usize = 13;
    match field {
        "" => PasswordState::Empty,
        hash if hash.starts_with(['!', '*']) => PasswordState::Locked,
        hash if hash.starts_with(['$', '_']) || hash.len() >= SHORTEST_HASH => PasswordState::Set,
        _ => PasswordState::Locked,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::world::FakeRoot;

    fn password(files: &[(&str, &str)]) -> Fact<PasswordState> {
        root_password(&FakeRoot::of(files, &[]))
    }

    #[test]
    fn the_password_field_of_root_is_classed() {
        for (field, expected) in [
            ("", PasswordState::Empty),
            ("*", PasswordState::Locked),
            ("!", PasswordState::Locked),
            ("!$6$abc", PasswordState::Locked),
            ("$y$j9T$abc", PasswordState::Set),
            ("NP", PasswordState::Locked),
        ] {
            let text = format!("daemon:*:1::::::\nroot:{field}:19000:0:99999:7:::\n");
            assert_eq!(password(&[("etc/shadow", &text)]), Fact::Known(expected), "{field}");
        }
    }

    #[test]
    fn accounts_with_a_password_and_a_shell_are_named_and_their_hashes_are_not() {
        let shadow =
            "root:$6$secret:1::::::\nada::1::::::\nbob:!:1::::::\ndaemon:$6$x:1::::::\nghost:$6$y:1::::::\nbroken\n";
        let passwd = "root:x:0:0::/root:/bin/bash\nada:x:1:1::/home/ada:/bin/sh\ndaemon:x:2:2::/:/usr/sbin/nologin\n";
        let found = password_accounts(&FakeRoot::of(&[("etc/shadow", shadow), ("etc/passwd", passwd)], &[]));
        assert_eq!(found, Fact::Known(["root", "ada", "ghost"].map(str::to_owned).to_vec()));
        assert_eq!(password_accounts(&FakeRoot::new()), Fact::Absent);
    }

    #[test]
    fn without_shadow_the_passwd_file_speaks() {
        assert_eq!(password(&[("etc/passwd", "root::0:0::/root:/bin/sh\n")]), Fact::Known(PasswordState::Empty));
        assert_eq!(password(&[("etc/passwd", "root:x:0:0::/root:/bin/sh\n")]), Fact::Absent);
        assert_eq!(password(&[]), Fact::Absent);
        assert!(password(&[("etc/shadow/folder", "")]).is_unknown());
    }

    /// A root whose process 1 started this many seconds after the key was made.
    fn key_older_by(seconds: i64, mounts: &str) -> Fact<bool> {
        let ticks = rustix::param::clock_ticks_per_second();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
        let boot = i64::try_from(now).expect("fits") + seconds - 1000;
        let after_boot = 1000 * ticks;
        let stat = format!("1 (a ) b) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {after_boot} 0 0");
        let root = FakeRoot::of(
            &[
                ("etc/ssh/ssh_host_rsa_key", "key"),
                ("etc/ssh/ssh_host_rsa_key.pub", "public"),
                ("proc/1/stat", &stat),
                ("proc/stat", &format!("cpu 1\nbtime {boot}\n")),
                ("proc/self/mountinfo", mounts),
            ],
            &[],
        );
        let Fact::Known(keys) = host_keys(&root) else { panic!("keys") };
        assert_eq!(keys.len(), 1, "the public half is no key");
        keys[0].baked.clone()
    }

    #[test]
    fn a_key_older_than_the_container_is_baked_in() {
        assert_eq!(key_older_by(3600, ""), Fact::Known(true));
        assert_eq!(key_older_by(-60, ""), Fact::Known(false));
    }

    #[test]
    fn a_key_made_at_the_first_start_of_a_restarted_container_is_not_accused() {
        assert!(age(50, 100, &Fact::Known(40)).is_unknown());
        assert_eq!(age(50, 100, &Fact::Known(60)), Fact::Known(true));
        assert_eq!(age(50, 100, &Fact::Absent), Fact::Known(true));
        assert_eq!(age(150, 100, &Fact::Known(40)), Fact::Known(false));
    }

    #[test]
    fn a_mounted_key_is_not_of_the_image() {
        assert_eq!(key_older_by(3600, "9 1 0:1 / /etc/ssh ro - tmpfs t ro\n"), Fact::Known(false));
        assert_eq!(key_older_by(3600, "9 1 0:1 / / rw - overlay o rw\n"), Fact::Known(true));
        assert_eq!(key_older_by(3600, "9 1 0:1 / /etc/ss rw - tmpfs t rw\n"), Fact::Known(true));
    }

    #[test]
    fn without_a_readable_start_time_the_age_is_unknown() {
        for files in
            [&[("etc/ssh/ssh_host_rsa_key", "")][..], &[("etc/ssh/ssh_host_rsa_key", ""), ("proc/1/stat", "x")]]
        {
            let root = FakeRoot::of(files, &[]);
            let Fact::Known(keys) = host_keys(&root) else { panic!("keys") };
            assert!(keys[0].baked.is_unknown());
        }
    }

    #[test]
    fn no_key_is_an_empty_list_and_a_refusal_a_gap() {
        assert_eq!(host_keys(&FakeRoot::of(&[("etc/x", "")], &[])), Fact::Known(Vec::new()));
    }
}
