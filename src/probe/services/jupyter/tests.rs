//! Fake servers that answer as Jupyter does, and as others do.
#![allow(clippy::disallowed_methods)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;
use crate::facts::Bind;
use crate::world::FakeRoot;

mod elsewhere;

const RUNTIME: &str = "root/.local/share/jupyter/runtime";

/// A server on a port of its own that answers each request by its path; `None` keeps silent.
fn serve(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = socket.accept() {
            let mut request = [0_u8; 2048];
            let count = stream.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..count]).into_owned();
            // The trap: a server on loopback refuses every other host name.
            assert!(text.contains(&format!("\r\nHost: localhost:{port}\r\n")), "{text}");
            match answer(text.split(' ').nth(1).unwrap_or_default()) {
                Some(bytes) => drop(stream.write_all(&bytes)),
                None => silent.push(stream),
            }
        }
    });
    port
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn jupyter(base: &'static str, me: &'static str, me_body: &'static str) -> u16 {
    serve(move |path| {
        let policy =
            format!("Content-Security-Policy: frame-ancestors 'self'; report-uri {base}api/security/csp-report\r\n");
        Some(match path.strip_prefix(base) {
            Some("api") => http("200 OK", &policy, r#"{"version": "2.21.1"}"#),
            Some("api/me") => http(me, &policy, me_body),
            _ => http("404 Not Found", &policy, "<html>"),
        })
    })
}

/// A server that is no Jupyter and counts who asks it. A panic in its thread would be heard by nobody.
fn counted() -> (u16, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&asked);
    let port = serve(move |_| {
        counts.fetch_add(1, Ordering::Relaxed);
        Some(http("404 Not Found", "", ""))
    });
    (port, asked)
}

fn listener(port: u16) -> Listener {
    Listener {
        port,
        address: "0.0.0.0".to_owned(),
        bind: Bind::Any,
        uid: Fact::Known(0),
        pid: Fact::Known(7),
        process: Fact::Known("jupyter-lab".to_owned()),
    }
}

fn ask_one(listener: Listener) -> (Vec<Jupyter>, Vec<Undecided>) {
    let world = FakeRoot::new();
    let (servers, undecided) = find(&world, &[listener], &Hints::read(&world));
    (servers.known().expect("servers").clone(), undecided)
}

fn auth_of(port: u16) -> Fact<Auth> {
    let (mut servers, _) = ask_one(listener(port));
    assert_eq!(servers.len(), 1);
    servers.pop().map(|server| server.auth).unwrap_or_default()
}

/// A listener on Jupyter's own port, of which nothing else is known, that is asked at `port`.
fn bare(port: u16) -> Listener {
    Listener { process: Fact::Absent, pid: Fact::Absent, ..listener(port) }
}

fn ask_bare(port: u16) -> Found {
    let world = FakeRoot::new();
    ask(&world, &[], &bare(port), &Reason::Port)
}

#[test]
fn open_and_authenticated_servers_are_told_apart() {
    assert_eq!(auth_of(jupyter("/", "200 OK", r#"{"identity": {}}"#)), Fact::Known(Auth::Open));
    assert_eq!(auth_of(jupyter("/", "403 Forbidden", "{}")), Fact::Known(Auth::Required));
    assert!(auth_of(jupyter("/", "500 Oops", "")).is_unknown());
    assert!(auth_of(jupyter("/", "200 OK", "<html>please log in</html>")).is_unknown());
}

#[test]
fn a_redirect_counts_as_asking_only_when_it_leads_to_a_login() {
    let hub = |target: &'static str| {
        serve(move |path| {
            Some(match path {
                "/api" => http("200 OK", "", r#"{"version": "5.0"}"#),
                _ => http("302 Found", &format!("Location: {target}\r\n"), ""),
            })
        })
    };
    assert_eq!(auth_of(hub("/hub/api/oauth2/authorize?x")), Fact::Known(Auth::Required));
    assert_eq!(auth_of(hub("/login?next=%2Fapi%2Fme")), Fact::Known(Auth::Required));
    assert!(auth_of(hub("/lab")).is_unknown());
}

#[test]
fn an_old_server_without_api_me_is_asked_for_its_status() {
    let old = |status: &'static str| {
        serve(move |path| {
            Some(match path {
                "/api" => http("200 OK", "", r#"{"version": "6.5.4"}"#),
                "/api/status" => http(status, "", r#"{"started": "x", "kernels": 0}"#),
                _ => http("404 Not Found", "", ""),
            })
        })
    };
    assert_eq!(auth_of(old("200 OK")), Fact::Known(Auth::Open));
    assert_eq!(auth_of(old("403 Forbidden")), Fact::Known(Auth::Required));
}

#[test]
fn the_base_is_learnt_from_the_server_itself() {
    let Found::Jupyter(server) = ask_bare(jupyter("/team/nb/", "200 OK", r#"{"identity": {}}"#)) else {
        panic!("it reveals its base")
    };
    assert_eq!((server.base_url.as_str(), server.auth), ("/team/nb/", Fact::Known(Auth::Open)));
}

#[test]
fn the_base_is_taken_from_a_runtime_file_and_the_token_is_not() {
    let port = serve(|path| {
        Some(match path {
            "/nb/api" => http("200 OK", "", r#"{"version": "2.0"}"#),
            "/nb/api/me" => http("200 OK", "", r#"{"identity": {}}"#),
            _ => http("404 Not Found", "", ""),
        })
    });
    let text = format!(r#"{{"port": {port}, "pid": 7, "base_url": "/nb/", "token": "hunter2"}}"#);
    let world = FakeRoot::new();
    world.file(&format!("{RUNTIME}/jpserver-7.json"), text).file(&format!("{RUNTIME}/jpserver-8.json"), "garbage");
    let (servers, _) = find(&world, &[Listener { process: Fact::Absent, ..listener(port) }], &Hints::read(&world));
    let servers = servers.known().expect("servers");
    assert_eq!((servers[0].base_url.as_str(), &servers[0].auth), ("/nb/", &Fact::Known(Auth::Open)));
    assert_eq!(servers[0].secret_exposed, Fact::Known(true), "others may read the file");
    assert!(!format!("{servers:?}").contains("hunter2"));
}

#[test]
fn a_runtime_file_of_a_server_that_has_ended_speaks_for_nobody() {
    let world = FakeRoot::new();
    world.file(&format!("{RUNTIME}/jpserver-6.json"), r#"{"port": 9000, "pid": 6}"#);
    let stranger = Listener { process: Fact::Known("nginx".to_owned()), ..listener(9000) };
    let hints = Hints::read(&world);
    assert!(hints.of(&stranger).is_none());
    assert!(hints.of(&Listener { pid: Fact::Known(6), ..stranger }).is_some());
}

#[test]
fn another_web_server_on_the_port_is_no_jupyter() {
    for answer in ["404 Not Found", "200 OK", "500 Oops", "403 Forbidden"] {
        let port = serve(move |_| Some(http(answer, "", r#"{"hello": 1}"#)));
        assert!(matches!(ask_bare(port), Found::Nothing), "{answer}");
    }
    assert!(matches!(ask_bare(serve(|_| Some(b"-ERR unknown command\r\n".to_vec()))), Found::Nothing));
}

#[test]
fn another_service_with_a_version_under_the_same_path_is_no_jupyter() {
    let other = |server: &'static str| {
        serve(move |path| {
            Some(match path {
                "/api" => http("200 OK", server, r#"{"version": "1.4"}"#),
                _ => http("401 Unauthorized", server, "{}"),
            })
        })
    };
    assert!(matches!(ask_bare(other("Server: uvicorn\r\n")), Found::Nothing));
    assert!(matches!(ask_bare(other("Server: TornadoServer/6.5\r\n")), Found::Jupyter(_)));
}

#[test]
fn an_open_server_behind_a_proxy_that_sends_chunks_is_found() {
    let chunks = |body: &str| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
    };
    let port = serve(move |path| {
        Some(match path {
            "/api" => chunks(r#"{"version": "2.21.1"}"#).into_bytes(),
            _ => chunks(r#"{"identity": {}}"#).into_bytes(),
        })
    });
    let Found::Jupyter(server) = ask_bare(port) else { panic!("it is Jupyter") };
    assert_eq!(server.auth, Fact::Known(Auth::Open));
}

#[test]
fn the_hub_is_no_server_of_notebooks() {
    let world = FakeRoot::new();
    let named = |name: &str| Listener { process: Fact::Known(name.to_owned()), ..listener(8081) };
    assert!(Hints::read(&world).of(&named("jupyterhub")).is_none());
    assert!(Hints::read(&world).of(&named("jupyterhub-sing")).is_some());
}

#[test]
fn a_process_called_jupyter_that_answers_strangely_stays_unknown() {
    assert!(auth_of(serve(|_| Some(http("404 Not Found", "", "")))).is_unknown());
    assert!(auth_of(serve(|_| Some(vec![0; 1 << 20]))).is_unknown());
    assert!(auth_of(serve(|_| Some(Vec::new()))).is_unknown());
}

#[test]
fn a_server_that_never_answers_is_left_within_the_patience() {
    let started = Instant::now();
    let Found::Undecided(open, _) = ask_bare(serve(|_| None)) else { panic!("it cannot be decided") };
    assert!(open.reason.contains("no answer"), "{}", open.reason);
    let Fact::Unknown(gap) = auth_of(serve(|_| None)) else { panic!("it cannot be decided") };
    assert_eq!(gap.kind, GapKind::TimedOut);
    assert!(started.elapsed() < 4 * http::PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn tls_is_named_and_not_taken_for_silence() {
    for answer in [&b"\x15\x03\x01\x00\x02\x02\x46"[..], b""] {
        let Found::Undecided(open, _) = ask_bare(serve(move |_| Some(answer.to_vec()))) else { panic!("undecided") };
        assert!(open.reason.contains("TLS"), "{}", open.reason);
    }
}

#[test]
fn who_is_bound_to_another_address_is_not_contacted_through_loopback() {
    let (port, asked) = counted();
    let elsewhere = Listener { address: "10.0.0.5".to_owned(), bind: Bind::Specific, ..listener(port) };
    let (servers, _) = ask_one(elsewhere);
    assert!(servers[0].auth.is_unknown() && servers[0].version.is_unknown());
    assert_eq!(asked.load(Ordering::Relaxed), 0, "somebody else's port was asked");
}

#[test]
fn what_may_be_jupyter_and_belongs_to_nobody_who_can_be_seen_is_not_known_to_be_none() {
    let world = FakeRoot::new();
    let elsewhere = Listener { address: "10.0.0.5".to_owned(), bind: Bind::Specific, ..bare(PORT) };
    let ask = |pid: Fact<u32>| {
        let listener = Listener { pid, ..elsewhere.clone() };
        find(&world, &[listener], &Hints::read(&world))
    };
    let (servers, undecided) = ask(Fact::Absent);
    let Fact::Unknown(gap) = servers else { panic!("it may be Jupyter") };
    assert!(gap.detail.starts_with("10.0.0.5 port 8888: "), "{gap}");
    assert_eq!(undecided.len(), 1);
    let (servers, undecided) = ask(Fact::Known(7));
    assert_eq!((servers, undecided.len()), (Fact::Known(Vec::new()), 1), "its process says that it is something else");
}

#[test]
fn a_listener_on_every_ipv6_address_is_asked_there_first() {
    let any6 = Listener { address: "::".to_owned(), ..listener(1) };
    assert_eq!(address::loopback(&any6, &[]).map(|found| found.len()), Ok(2));
    assert_eq!(address::loopback(&any6, &[listener(1)]), Ok(vec!["[::1]:1".parse().expect("an address")]));
}

#[test]
fn two_sockets_of_one_server_are_one_server() {
    let known = Jupyter {
        port: 8888,
        version: Fact::Known("2.0".to_owned()),
        auth: Fact::Known(Auth::Open),
        ..Jupyter::default()
    };
    let six = Jupyter { address: "::".to_owned(), ..known.clone() };
    let side = Jupyter { port: 40000, ..Jupyter::default() };
    let other = Jupyter { port: 8889, ..known.clone() };
    let found = vec![(Some(7), known.clone()), (Some(7), six), (Some(7), side.clone()), (Some(9), other.clone())];
    assert_eq!(one_each(found), [known, other]);
    assert_eq!(one_each(vec![(None, side.clone())]), [side]);
}
