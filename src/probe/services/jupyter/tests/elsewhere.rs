//! Jupyter on other ports than its own, and who is not to be disturbed in search of it.

use super::*;

/// What is found on a machine whose ports below this one were chosen.
fn find_below(first_given: u32, listeners: &[Listener]) -> (Vec<Jupyter>, Vec<Undecided>) {
    let world = FakeRoot::new();
    world.file("proc/sys/net/ipv4/ip_local_port_range", format!("{first_given}\t65535\n"));
    let (servers, undecided) = find(&world, listeners, &Hints::read(&world));
    (servers.known().expect("servers").clone(), undecided)
}

#[test]
fn an_open_server_on_a_port_of_its_own_is_found_behind_a_proxy_and_in_another_container() {
    let port = jupyter("/", "200 OK", r#"{"identity": {}}"#);
    let proxy = Listener { process: Fact::Known("nginx".to_owned()), ..listener(port) };
    let hidden = Listener { pid: Fact::unknown(GapKind::NotPermitted, "hidden"), ..bare(port) };
    for (first_given, one) in [(1024, proxy), (65_535, bare(port)), (65_535, hidden)] {
        let (servers, undecided) = find_below(first_given, &[one.clone(), one]);
        let found: Vec<_> = servers.iter().map(|server| (server.port, &server.auth)).collect();
        assert_eq!((found, undecided.len()), (vec![(port, &Fact::Known(Auth::Open))], 0));
    }
}

#[test]
fn whoever_else_is_on_such_a_port_is_left_in_peace() {
    let (silent, other) = (serve(|_| None), serve(|_| Some(b"-ERR unknown command\r\n".to_vec())));
    let started = Instant::now();
    let (servers, undecided) = find_below(65_535, &[bare(silent), bare(other)]);
    assert!(servers.is_empty() && undecided.is_empty(), "{servers:?} {undecided:?}");
    assert!(started.elapsed() < 4 * http::PATIENCE, "{:?}", started.elapsed());
    let ((seen, of_seen), (far, of_far), (given, of_given)) = (counted(), counted(), counted());
    let seen = Listener { process: Fact::Known("redis-server".to_owned()), ..listener(seen) };
    let far = Listener { bind: Bind::Specific, address: "10.0.0.5".to_owned(), ..bare(far) };
    assert!(find_below(65_535, &[seen, far]).0.is_empty());
    assert!(find_below(1024, &[bare(given)]).0.is_empty());
    for (asked, whose) in
        [(of_seen, "a process that is seen"), (of_far, "another address"), (of_given, "a port that the kernel gave")]
    {
        assert_eq!(asked.load(Ordering::Relaxed), 0, "{whose} was asked");
    }
}

#[test]
fn no_more_are_asked_than_the_bound_and_each_once() {
    let (ports, asked): (Vec<u16>, Vec<_>) = (0..chance::MOST + 4).map(|_| counted()).unzip();
    let listeners: Vec<Listener> = ports.into_iter().map(bare).collect();
    assert!(find_below(65_535, &[listeners.clone(), listeners].concat()).0.is_empty());
    let times: Vec<usize> = asked.iter().map(|asked| asked.load(Ordering::Relaxed)).collect();
    assert_eq!(times.iter().filter(|times| **times == 1).count(), chance::MOST, "{times:?}");
    assert_eq!(times.iter().sum::<usize>(), chance::MOST, "{times:?}");
}
