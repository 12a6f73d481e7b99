//! Who listens on TCP ports, from the kernel's own tables. Nothing is contacted.
//!
//! [`owners`] finds the processes behind the sockets, [`several`] what a job over several nodes needs of this one. What is behind a port is
//! the services probe's business.

mod owners;
mod several;
mod table;

use crate::facts::{Fact, GapKind, Listener, Network};
use crate::world::{READ_LIMIT, World, spawn_or_run};
use table::Row;

/// Reads the listening sockets of this network namespace and their owners, and what several nodes need of this one.
pub fn collect(world: &World) -> Network {
    Network {
        several_nodes: several::is_said(world),
        own_name: several::own_name(world),
        verbs: several::verbs(world),
        ..listening(world)
    }
}

fn listening(world: &World) -> Network {
    match rows(world) {
        Fact::Known(rows) => {
            let inodes = rows.iter().map(|row| row.inode).collect();
            let owners = owners::find(world, &inodes);
            let listeners: Vec<Listener> = rows.iter().map(|row| listener(row, &owners)).collect();
            let owners_hidden = Fact::Known(listeners.iter().any(|listener| listener.pid.is_unknown()));
            Network { listeners: Fact::Known(listeners), owners_hidden, ..Network::default() }
        }
        Fact::Absent => Network { listeners: Fact::Absent, owners_hidden: Fact::Absent, ..Network::default() },
        Fact::Unknown(gap) => {
            Network { listeners: Fact::Unknown(gap.clone()), owners_hidden: Fact::Unknown(gap), ..Network::default() }
        }
    }
}

/// Listening rows of both tables. A table that is there and cannot be read makes the whole unknown: with half of
/// the listeners nobody could say that a port is free.
fn rows(world: &World) -> Fact<Vec<Row>> {
    const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
    // The kernel walks over all connections of the machine for each of them.
    let [first, second] = std::thread::scope(|scope| {
        let beside = spawn_or_run(scope, || listening_in(world, TABLES[1]));
        let first = listening_in(world, TABLES[0]);
        [first, beside.join().unwrap_or_else(|| Fact::unknown(GapKind::Crashed, "a bug in gpu-preflight"))]
    });
    if first == Fact::Absent {
        // Every kernel with /proc and TCP has this table, so without it we could not look.
        return Fact::unknown(GapKind::NotSupported, format!("{} is not there", TABLES[0]));
    }
    let second = match second {
        Fact::Absent => Fact::Known(Vec::new()), // IPv6 is switched off
        second => second,
    };
    first.and_then(|mut rows| {
        second.map(|more| {
            rows.extend(more);
            rows.sort_by_key(|row| (row.port, row.address));
            rows
        })
    })
}

/// The listening rows of as much of a table as is read; what may be missing behind that is for [`table::listening`] to say.
fn listening_in(world: &World, path: &str) -> Fact<Vec<Row>> {
    world.read_table(path, READ_LIMIT).and_then(|bytes| {
        table::listening(&String::from_utf8_lossy(&bytes), path).map_or_else(Fact::Unknown, Fact::Known)
    })
}

fn listener(row: &Row, owners: &owners::Owners) -> Listener {
    let (pid, process) = owners.of(row.inode);
    Listener {
        port: row.port,
        address: row.address.to_string(),
        bind: row.bind(),
        uid: Fact::Known(row.uid),
        pid,
        process,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::facts::Bind;
    use crate::world::FakeRoot;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    const OPEN: &str = "   0: 00000000:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48909 1 0 100 0 0 10 0\n";

    fn root(tcp: &str, tcp6: Option<&str>) -> FakeRoot {
        let root = FakeRoot::of(&[("proc/net/tcp", tcp)], &[]);
        if let Some(text) = tcp6 {
            root.file("proc/net/tcp6", text);
        }
        root
    }

    fn process(root: &FakeRoot, pid: u32, name: &str, inode: u64) {
        root.file(&format!("proc/{pid}/comm"), format!("{name}\n"));
        root.link(&format!("proc/{pid}/fd/0"), "/dev/null");
        root.link(&format!("proc/{pid}/fd/7"), &format!("socket:[{inode}]"));
    }

    fn only(network: &Network) -> Listener {
        let listeners = network.listeners.known().expect("listeners");
        assert_eq!(listeners.len(), 1, "{listeners:?}");
        listeners[0].clone()
    }

    #[test]
    fn a_listener_is_named_with_its_owner() {
        let root = root(&format!("{HEAD}{OPEN}"), None);
        process(&root, 41, "other", 1);
        process(&root, 42, "jupyter-lab", 48909);
        let network = collect(&root);
        let found = only(&network);
        assert_eq!((found.port, found.address.as_str(), found.bind), (8888, "0.0.0.0", Bind::Any));
        assert_eq!(found.uid, Fact::Known(1000));
        assert_eq!(found.pid, Fact::Known(42));
        assert_eq!(found.process, Fact::Known("jupyter-lab".to_owned()));
        assert_eq!(network.owners_hidden, Fact::Known(false));
    }

    #[test]
    fn of_more_listeners_than_one_reading_gives_none_is_missed() {
        let open: Vec<_> = (0..200).map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
        let network = collect(&World::at("/", Vec::new(), Duration::from_mins(1)));
        let found: Vec<u16> =
            network.listeners.known().expect("listeners").iter().map(|listener| listener.port).collect();
        for listener in open {
            let port = listener.local_addr().expect("bound").port();
            assert!(found.contains(&port), "{port} of {}", found.len());
        }
    }

    #[test]
    fn when_all_is_seen_and_nobody_holds_it_the_owner_is_absent() {
        let root = root(&format!("{HEAD}{OPEN}"), None);
        process(&root, 1, "init", 3);
        assert_eq!(only(&collect(&root)).pid, Fact::Absent);
    }

    #[test]
    fn when_processes_cannot_be_seen_the_owner_is_unknown() {
        // A file where the folder of descriptors should be stands in for a refusal.
        let root = root(&format!("{HEAD}{OPEN}"), None);
        process(&root, 1, "init", 3);
        root.file("proc/9/fd/3", "no link");
        let network = collect(&root);
        assert!(only(&network).pid.is_unknown());
        assert!(only(&network).process.is_unknown());
        assert_eq!(network.owners_hidden, Fact::Known(true));
    }

    #[test]
    fn a_proc_that_hides_processes_never_says_that_nobody_holds_a_socket() {
        let root = root(&format!("{HEAD}{OPEN}"), None);
        process(&root, 1, "init", 3);
        let mounts = "22 1 0:5 / /proc rw,nosuid - proc proc rw,hidepid=invisible\n";
        root.file("proc/self/mountinfo", mounts);
        let Fact::Unknown(gap) = only(&collect(&root)).pid else { panic!("it may be hidden") };
        assert_eq!(gap.kind, GapKind::NotPermitted);
    }

    #[test]
    fn without_a_time_budget_owners_are_unknown_and_listeners_known() {
        let root = root(&format!("{HEAD}{OPEN}"), None);
        process(&root, 1, "init", 48909);
        let network = collect(&World::at(root.path(), Vec::new(), Duration::ZERO));
        let Fact::Unknown(gap) = only(&network).pid else { panic!("there was no time") };
        assert_eq!(gap.kind, GapKind::TimedOut);
    }

    #[test]
    fn both_tables_count_and_a_missing_second_one_does_not_matter() {
        let six = "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n";
        let root = root(&format!("{HEAD}{OPEN}"), Some(&format!("{HEAD}{six}")));
        let network = collect(&root);
        let ports: Vec<u16> = network.listeners.known().expect("listeners").iter().map(|l| l.port).collect();
        assert_eq!(ports, [22, 8888]);
    }

    #[test]
    fn nobody_listens_is_an_empty_list() {
        let root = root(HEAD, Some(HEAD));
        let network = collect(&root);
        assert_eq!(network.listeners, Fact::Known(Vec::new()));
        assert_eq!(network.owners_hidden, Fact::Known(false));
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_never_an_empty_list() {
        for (tcp, tcp6) in [("", None), ("garbage\n", None), (HEAD, Some("")), (HEAD, Some("\u{0}\u{1}"))] {
            let root = root(tcp, tcp6);
            assert!(collect(&root).listeners.is_unknown(), "{tcp:?} {tcp6:?}");
        }
        let forbidden = FakeRoot::of(&[("proc/net/tcp", HEAD), ("proc/net/tcp6/", "")], &[]);
        assert!(collect(&forbidden).listeners.is_unknown());
        assert!(collect(&FakeRoot::new()).listeners.is_unknown());
    }
}
