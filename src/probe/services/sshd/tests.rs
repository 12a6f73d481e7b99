//! Fake servers that greet as sshd does, and as others do.
#![allow(clippy::disallowed_methods)] // a test is no probe

use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;

use super::*;
use crate::facts::Bind;

/// A server that sends `bytes` to the first who connects and keeps the line open until the test ends.
fn server(bytes: Vec<u8>) -> (Listener, mpsc::Sender<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let (end, ended) = mpsc::channel();
    std::thread::spawn(move || {
        if let Ok((mut stream, _)) = socket.accept() {
            let _ = stream.write_all(&bytes);
            let _ = ended.recv();
        }
    });
    let listener = Listener {
        port,
        address: "127.0.0.1".to_owned(),
        bind: Bind::Loopback,
        process: Fact::Known("sshd".to_owned()),
        ..Listener::default()
    };
    (listener, end)
}

fn ask(listener: Listener) -> Vec<Ssh> {
    let world = World::at("/nowhere", Vec::new(), Duration::from_secs(5));
    find(&world, &[listener]).0.known().cloned().unwrap_or_default()
}

fn banner_of(bytes: &[u8]) -> Option<Fact<String>> {
    let (listener, _end) = server(bytes.to_vec());
    ask(listener).pop().map(|ssh| ssh.banner)
}

#[test]
fn the_banner_is_the_first_line_that_says_ssh() {
    let known = |text: &str| Some(Fact::Known(text.to_owned()));
    assert_eq!(banner_of(b"SSH-2.0-OpenSSH_9.6p1 Ubuntu\r\n\0\0key"), known("SSH-2.0-OpenSSH_9.6p1 Ubuntu"));
    assert_eq!(banner_of(b"welcome\r\nSSH-2.0-x\n"), known("SSH-2.0-x"));
    assert_eq!(banner_of(b"SSH-2.0-half"), known("SSH-2.0-half"));
}

#[test]
fn a_hostile_banner_is_cut_and_kept_as_text() {
    let mut flood = b"SSH-2.0-".to_vec();
    flood.resize(1 << 20, b'A');
    let Some(Fact::Known(banner)) = banner_of(&flood) else { panic!("a banner") };
    assert_eq!(banner.len(), BANNER_LIMIT);
    let Some(Fact::Known(banner)) = banner_of(b"SSH-2.0-\x1b[31m\xff\n") else { panic!("a banner") };
    assert_eq!(banner, "SSH-2.0-\u{1b}[31m\u{fffd}");
}

#[test]
fn another_protocol_is_no_ssh_server() {
    assert_eq!(banner_of(b"220 mail\r\n"), None);
    assert_eq!(banner_of(&vec![b'x'; 1 << 20]), None);
}

#[test]
fn a_server_that_has_no_time_for_us_is_a_server_all_the_same() {
    for words in ["Exceeded MaxStartups\r\n", "Not allowed at this time\r\n"] {
        assert!(banner_of(words.as_bytes()).is_some_and(|banner| banner.is_unknown()), "{words}");
    }
}

#[test]
fn silence_is_a_gap_within_the_patience() {
    let started = Instant::now();
    let Some(Fact::Unknown(gap)) = banner_of(b"") else { panic!("silence") };
    assert_eq!(gap.kind, GapKind::TimedOut);
    assert!(started.elapsed() < 2 * PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn who_is_bound_elsewhere_is_named_and_not_contacted() {
    let listener = Listener { port: 22, address: "10.0.0.5".to_owned(), bind: Bind::Specific, ..Listener::default() };
    let world = World::at("/nowhere", Vec::new(), Duration::from_secs(5));
    let (servers, undecided) = find(&world, std::slice::from_ref(&listener));
    assert!(servers.is_unknown() && undecided.len() == 1, "{servers:?}");
    let named = Listener { process: Fact::Known("sshd".to_owned()), ..listener };
    assert!(ask(named)[0].banner.is_unknown());
}

#[test]
fn silence_makes_nobody_an_ssh_server() {
    for port in [PORT, OTHER_PORT] {
        let silent = Listener { port, address: "10.0.0.5".to_owned(), bind: Bind::Specific, ..Listener::default() };
        let world = World::at("/nowhere", Vec::new(), Duration::from_secs(5));
        let seen = Listener { process: Fact::Known("serve".to_owned()), ..silent.clone() };
        assert_eq!(find(&world, &[seen]).0, Fact::Known(Vec::new()), "who can be seen is not sshd");
        assert!(find(&world, &[silent]).0.is_unknown(), "who cannot be seen may be");
    }
}

#[test]
fn names_of_ssh_servers_are_known() {
    let named = |name: &str| is_named(&Listener { process: Fact::Known(name.to_owned()), ..Listener::default() });
    assert!(["sshd", "sshd-session", "sshd: /usr/sbin", "dropbear"].into_iter().all(named));
    assert!(!["ssh", "sshdx", "nginx", ""].into_iter().any(named));
}

#[test]
fn a_running_server_says_how_it_was_started() {
    let started = |line: &str| started(line.split('\0').map(str::to_owned).collect());
    let file = |line: &str| started(line).file;
    assert_eq!(file("/usr/sbin/sshd\0-D\0-f\0/x"), Some("/x".to_owned()));
    assert_eq!(file("sshd: /usr/sbin/sshd -D -f /x [listener] 0 of 10-100 startups\0"), Some("/x".to_owned()));
    assert!(started("/usr/sbin/dropbear\0-F").is_dropbear);
    assert_eq!(started("/lib/systemd/systemd"), SshArgs::default());
    assert_eq!(started(""), SshArgs::default());
}

#[test]
fn who_cannot_be_seen_is_not_given_a_configuration_that_may_not_be_its_own() {
    let world = World::at("/nowhere", Vec::new(), Duration::from_secs(5));
    let server = |banner: &str| Ssh { port: 22, banner: Fact::Known(banner.to_owned()), ..Ssh::default() };
    let args = |banner, pid| arguments(&world, &[server(banner)], &[Listener { port: 22, pid, ..Listener::default() }]);
    let hidden = || Fact::unknown(GapKind::NotPermitted, "hidden");
    assert!(args("SSH-2.0-dropbear_2022", hidden())[0].is_unknown());
    assert!(args("SSH-2.0-OpenSSH_9", Fact::Absent)[0].is_unknown());
    assert_eq!(args("SSH-2.0-OpenSSH_9", hidden()), [Fact::Known(SshArgs::default())]);
}
