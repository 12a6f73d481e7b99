//! Who `USER` means, by the files of the image as an engine reads them.

use crate::facts::{Fact, GapKind};
use crate::world::{User, World};

/// The user that a container starts as. Nothing is root.
pub fn find(world: &World, written: &str) -> Fact<User> {
    let (name, group) = written.split_once(':').map_or((written, None), |(name, group)| (name, Some(group)));
    let passwd = text(world, "/etc/passwd");
    let line = passwd.as_ref().map(|text| {
        let is_it = |line: &&str| {
            let mut columns = line.split(':');
            let (first, uid) = (columns.next(), columns.nth(1));
            if name.is_empty() { uid == Some("0") } else { first == Some(name) || uid == Some(name) }
        };
        text.lines().find(is_it).map(str::to_owned)
    });
    let column = |at: usize| match &line {
        Fact::Known(Some(line)) => line.split(':').nth(at).and_then(|number| number.parse::<u32>().ok()),
        _ => None,
    };
    let number = if name.is_empty() { Some(0) } else { name.parse().ok() };
    // A name that is a number of another user is that user's name first, as the engines read it.
    let Some(uid) = column(2).or(number) else {
        return match line {
            Fact::Unknown(gap) => Fact::Unknown(gap),
            _ => Fact::unknown(GapKind::Malformed, format!("/etc/passwd has no user `{name}`, whom the image names")),
        };
    };
    let groups = text(world, "/etc/group").known().cloned().unwrap_or_default();
    let gid = match group {
        None => column(3).unwrap_or(0),
        Some(group) => {
            let of_name = groups.lines().find(|line| line.split(':').next() == Some(group));
            let gid = of_name.and_then(|line| line.split(':').nth(2)).unwrap_or(group).parse();
            let Ok(gid) = gid else {
                return Fact::unknown(GapKind::Malformed, format!("/etc/group has no group `{group}`"));
            };
            gid
        }
    };
    let own = match &line {
        Fact::Known(Some(line)) => line.split(':').next().unwrap_or_default(),
        _ => "",
    };
    Fact::Known(User { uid, gid, groups: if group.is_none() { further(&groups, own) } else { Vec::new() } })
}

/// The home folder that docker gives to this user.
pub fn home(world: &World, uid: u32) -> String {
    let passwd = text(world, "/etc/passwd").known().cloned().unwrap_or_default();
    let line = passwd.lines().find(|line| line.split(':').nth(2).and_then(|number| number.parse().ok()) == Some(uid));
    let home = line.and_then(|line| line.split(':').nth(5)).filter(|home| !home.is_empty());
    home.unwrap_or("/").to_owned()
}

/// Groups that list the user.
fn further(groups: &str, name: &str) -> Vec<u32> {
    let lists = |line: &str| {
        let mut columns = line.split(':');
        let gid = columns.nth(2)?.parse().ok()?;
        columns.next()?.split(',').any(|member| !name.is_empty() && member.trim() == name).then_some(gid)
    };
    groups.lines().filter_map(lists).collect()
}

/// A file that an image may lack.
fn text(world: &World, path: &str) -> Fact<String> {
    match world.read(path) {
        Fact::Absent => Fact::Known(String::new()),
        other => other,
    }
}
