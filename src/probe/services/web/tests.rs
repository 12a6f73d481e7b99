//! Fake servers of a workload.
#![allow(clippy::disallowed_methods)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use super::*;
use crate::facts::{Bind, MetricsFormat};
use crate::world::FakeRoot;

/// A server that answers each path with what `answer` says of it.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = socket.accept() {
            let mut request = [0_u8; 2048];
            let count = stream.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..count]).into_owned();
            let _ = stream.write_all(&answer(text.split(' ').nth(1).unwrap_or_default()));
        }
    });
    port
}

fn http(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn listener(port: u16) -> Listener {
    Listener { port, address: "127.0.0.1".to_owned(), bind: Bind::Loopback, pid: Fact::Known(7), ..Listener::default() }
}

/// Here the kernel gives out none of the ports that the fake servers got.
fn root() -> FakeRoot {
    FakeRoot::of(&[("proc/sys/net/ipv4/ip_local_port_range", "65535 65535\n")], &[])
}

fn asked(ports: &[u16]) -> Web {
    let listeners: Vec<Listener> = ports.iter().copied().map(listener).collect();
    find(&root(), &listeners, &[], &[])
}

fn one(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (Web, WebServer) {
    let web = asked(&[serve(answer)]);
    let server = web.servers.known().and_then(|all| all.first().cloned()).expect("a server");
    (web, server)
}

#[test]
fn a_server_is_told_by_its_path_its_status_and_how_fast_it_is() {
    let (web, server) = one(|path| match path {
        "/readyz" => http(200, "ok"),
        "/metrics" => http(200, "request_latency_seconds_sum 1\nDCGM_FI_DEV_GPU_TEMP{gpu=\"0\"} 40\n"),
        _ => http(404, ""),
    });
    assert_eq!((web.health_answered, web.metrics_served), (Fact::Known(true), Fact::Known(true)));
    assert_eq!((server.health_path, server.health_status), (Fact::Known("/readyz".to_owned()), Fact::Known(200)));
    assert!(server.health_ms.known().is_some_and(|ms| (0.0..1500.0).contains(ms)));
    assert_eq!((server.metrics_format, server.metric_count), (Fact::Known(MetricsFormat::Prometheus), Fact::Known(2)));
    assert_eq!((server.gpu_metrics, server.latency_metrics), (Fact::Known(true), Fact::Known(true)));
}

#[test]
fn one_that_is_not_ready_says_so_and_one_without_such_a_path_has_none() {
    let (web, server) = one(|path| http(if path == "/health" { 503 } else { 404 }, ""));
    assert_eq!((web.health_answered, server.health_status), (Fact::Known(true), Fact::Known(503)));
    let (web, server) = one(|_| http(404, ""));
    assert_eq!((web.health_answered, web.metrics_served), (Fact::Known(false), Fact::Known(false)));
    assert_eq!((server.health_path, server.metrics_format), (Fact::Absent, Fact::Absent));
}

#[test]
fn one_that_answers_or_fails_whatever_it_is_asked_proves_nothing() {
    let (web, server) = one(|_| http(200, "<html>"));
    assert!(web.health_answered.is_unknown() && server.health_path.is_absent());
    assert_eq!(web.metrics_served, Fact::Known(false), "a page that holds no metrics");
    let (web, _) = one(|_| http(500, ""));
    assert_eq!(web.health_answered, Fact::Known(false));
}

#[test]
fn one_that_asks_who_one_is_may_have_both() {
    let (web, _) = one(|_| http(401, ""));
    assert!(web.health_answered.is_unknown() && web.metrics_served.is_unknown());
}

#[test]
fn what_speaks_something_else_is_in_doubt_and_no_web_server() {
    for answer in [&b"\x00\x00\x12\x04"[..], b"\x15\x03\x01", b""] {
        let web = asked(&[serve(move |_| answer.to_vec())]);
        assert_eq!(web.servers, Fact::Known(Vec::new()));
        assert!(web.health_answered.is_unknown(), "{web:?}");
    }
}

#[test]
fn a_silent_one_is_given_up_after_a_short_time() {
    // It takes the connection, and nobody reads from it.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let begun = Instant::now();
    let port = silent.local_addr().expect("an address").port();
    let web = asked(&[port, serve(|path| http(if path == "/healthz" { 204 } else { 404 }, ""))]);
    assert!(begun.elapsed() < 3 * BUDGET, "{:?}", begun.elapsed());
    assert_eq!(web.health_answered, Fact::Known(true), "the other one tells its health");
    assert!(web.metrics_served.is_unknown(), "the silent one may show metrics");
}

#[test]
fn whoever_is_no_server_of_this_container_is_left_alone() {
    // Nobody listens there, so whoever asked would be refused and in doubt.
    let alone = |listener: Listener| {
        let web = find(&root().env("MASTER_PORT", "1234"), &[listener], &[], &[]);
        (web.servers, web.health_answered)
    };
    let nothing = (Fact::Known(Vec::new()), Fact::Known(false));
    for port in [22, 6379, 29500, 1234, 65535] {
        assert_eq!(alone(listener(port)), nothing, "{port}");
    }
    assert_eq!(alone(Listener { pid: Fact::Absent, ..listener(1) }), nothing);
    assert!(alone(listener(1)).1.is_unknown());
    let hidden = Listener { pid: Fact::unknown(GapKind::NotPermitted, "hidden"), ..listener(1) };
    assert!(alone(hidden).1.is_unknown());
}

#[test]
fn a_jupyter_is_a_server_in_plain_http_and_not_asked() {
    let jupyter = Jupyter { port: 1, version: Fact::Known("2".to_owned()), ..Jupyter::default() };
    let web = find(&root(), &[listener(1)], &[jupyter], &[]);
    assert!(web.servers.known().is_some_and(|all| all.len() == 1 && all[0].is_jupyter));
    assert_eq!((web.health_answered, web.metrics_served), (Fact::Known(false), Fact::Known(false)));
}
