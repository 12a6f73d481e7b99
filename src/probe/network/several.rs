//! What a job over several nodes needs of this one: a name that leads here, and the libraries of its adapters.
//!
//! Nobody is asked over the network: a name that only a name server can know is a gap.

use std::net::IpAddr;

use crate::facts::{Fact, GapKind, OwnName, VerbsPart};
use crate::world::World;

/// Variables by which launchers say how many nodes or processes there are, each with the one that says how many of them
/// are here; without one, a single one is.
const SIZES: &[(&str, Option<&str>)] = &[
    ("NNODES", None),
    ("PET_NNODES", None),
    ("SLURM_JOB_NUM_NODES", None),
    ("SLURM_NNODES", None),
    ("WORLD_SIZE", Some("LOCAL_WORLD_SIZE")),
    ("OMPI_COMM_WORLD_SIZE", Some("OMPI_COMM_WORLD_LOCAL_SIZE")),
];

/// Whether a launcher says that the job runs on several nodes.
pub fn is_said(world: &World) -> bool {
    let number = |name: &str| world.env(name).and_then(|value| value.trim().parse::<u64>().ok());
    SIZES.iter().any(|(all, here)| {
        let here = match here {
            Some(here) => number(here),
            None => Some(1),
        };
        number(all).zip(here).is_some_and(|(all, here)| all > here)
    })
}

/// Where our own host name leads to.
pub fn own_name(world: &World) -> Fact<OwnName> {
    let name = match world.read_line("/proc/sys/kernel/hostname") {
        Fact::Known(name) => name,
        Fact::Absent => return Fact::unknown(GapKind::NotSupported, "/proc/sys/kernel/hostname is not there"),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let hosts = match world.read("/etc/hosts") {
        Fact::Known(text) => text,
        Fact::Absent => String::new(),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let address = |line: &str| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        words.any(|known| known.eq_ignore_ascii_case(&name)).then_some(address)
    };
    let addresses: Vec<IpAddr> = hosts.lines().filter_map(address).collect();
    if addresses.iter().any(|address| !address.is_loopback()) {
        return Fact::Known(OwnName::Address);
    }
    if !addresses.is_empty() {
        return Fact::Known(OwnName::Loopback);
    }
    let asks = |text: String| text.lines().any(|line| line.trim_start().starts_with("nameserver"));
    match world.read("/etc/resolv.conf").map(asks) {
        Fact::Known(false) => Fact::Known(OwnName::Nowhere),
        Fact::Known(true) | Fact::Absent => {
            Fact::unknown(GapKind::NotAsked, "/etc/hosts does not have it, and no name server is asked")
        }
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

/// The parts through which programs use InfiniBand and RoCE; none where no adapter was granted.
pub fn verbs(world: &World) -> Vec<VerbsPart> {
    let nodes = world.list("/dev/infiniband");
    if !nodes.known().into_iter().flatten().any(|name| name.starts_with("uverbs")) {
        return Vec::new();
    }
    let arch = std::env::consts::ARCH;
    let mut folders = vec![format!("/usr/lib/{arch}-linux-gnu"), "/usr/lib64".to_owned(), "/usr/lib".to_owned()];
    let path = world.env("LD_LIBRARY_PATH").unwrap_or_default();
    folders.extend(path.split(':').filter(|folder| folder.starts_with('/')).map(str::to_owned));
    let is_there = |path: &String| world.exists(path) == Fact::Known(true);
    let library = folders.iter().map(|folder| format!("{folder}/libibverbs.so.1")).find(is_there);
    let provider = folders.iter().map(|folder| format!("{folder}/libibverbs")).find(|folder| {
        let names = world.list(folder);
        names.known().into_iter().flatten().any(|name| name.contains("-rdmav"))
    });
    [("libibverbs.so.1", library), ("the adapter's provider", provider)]
        .map(|(name, path)| VerbsPart { name: name.to_owned(), path: Fact::present(path) })
        .to_vec()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn world(files: &[(&str, &str)], variables: &[(&str, &str)], then: impl FnOnce(&World)) {
        then(&FakeRoot::of(files, variables));
    }

    #[test]
    fn launchers_say_how_many_nodes_there_are() {
        let said =
            |variables: &[(&str, &str)], several| world(&[], variables, |world| assert_eq!(is_said(world), several));
        said(&[], false);
        said(&[("WORLD_SIZE", "8"), ("LOCAL_WORLD_SIZE", "8")], false);
        said(&[("WORLD_SIZE", "8")], false);
        said(&[("WORLD_SIZE", "16"), ("LOCAL_WORLD_SIZE", "8")], true);
        said(&[("NNODES", "1")], false);
        said(&[("SLURM_NNODES", "2")], true);
    }

    #[test]
    fn a_name_leads_here_to_loopback_or_nowhere() {
        let name = ("proc/sys/kernel/hostname", "node7\n");
        let leads = |hosts: &str, resolver: &str| {
            let mut found = Fact::Absent;
            let files = [name, ("etc/hosts", hosts), ("etc/resolv.conf", resolver)];
            world(&files, &[], |world| found = own_name(world));
            found
        };
        assert_eq!(leads("127.0.0.1 localhost\n10.0.0.7 node7\n", ""), Fact::Known(OwnName::Address));
        assert_eq!(
            leads("127.0.1.1 node7.local NODE7 # Debian\n", "nameserver 10.0.0.2\n"),
            Fact::Known(OwnName::Loopback)
        );
        assert_eq!(leads("127.0.0.1 localhost\n", "search local\n"), Fact::Known(OwnName::Nowhere));
        assert!(leads("127.0.0.1 localhost\n", "nameserver 10.0.0.2\n").is_unknown());
    }

    #[test]
    fn parts_for_adapters_are_asked_for_where_an_adapter_was_granted() {
        world(&[], &[], |world| assert_eq!(verbs(world), []));
        let node = ("dev/infiniband/uverbs0", "");
        let paths = |parts: Vec<VerbsPart>| parts.iter().map(|part| part.path.known().is_some()).collect::<Vec<_>>();
        world(&[node], &[], |world| assert_eq!(paths(verbs(world)), [false, false]));
        let files = [node, ("usr/lib64/libibverbs.so.1", ""), ("usr/lib64/libibverbs/libmlx5-rdmav34.so", "")];
        world(&files, &[], |world| assert_eq!(paths(verbs(world)), [true, true]));
    }
}
