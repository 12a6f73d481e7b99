//! Real Jupyter servers against the services probe, in the configurations that people run.
//!
//! `PREFLIGHT_TEST_JUPYTER` names a `jupyter-server` (or `jupyter`) program.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gpu_preflight::facts::{Auth, Bind, Fact, Jupyter};
use gpu_preflight::probe::{network, services};
use gpu_preflight::world::World;

use crate::support::real_parts::part;

/// An argon2 hash; nothing here knows its password.
const HASH: &str = "argon2:$argon2id$v=19$m=10240,t=10,p=8$c29tZXNhbHQxMjM0NTY3$0uZ1MHbZAiAX7dQYzzz3qQ";

/// A running server, ended when it goes out of scope.
struct Server {
    child: Child,
    port: u16,
    _home: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(program: &PathBuf, base: &str, args: &[&str]) -> Server {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program);
    if program.file_name().is_some_and(|name| name == "jupyter") {
        command.arg("server");
    }
    command.args(["--no-browser", "--allow-root", "--ServerApp.port_retries=0"]).arg(format!("--port={port}"));
    command.args(args).env("HOME", home.path()).env_remove("JUPYTER_TOKEN");
    command.current_dir(home.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("the server");
    let mut server = Server { child, port, _home: home };
    let until = Instant::now() + Duration::from_mins(5);
    while !answers(port, base) {
        assert!(server.child.try_wait().is_ok_and(|status| status.is_none()), "it ended: {args:?}");
        assert!(Instant::now() < until, "it never answered: {args:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    server
}

fn answers(port: u16, base: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let _ = write!(stream, "GET {base}api HTTP/1.0\r\nHost: localhost:{port}\r\n\r\n");
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text.contains("\"version\"")
}

fn found(server: &Server, base: &str, args: &[&str]) -> Jupyter {
    // A server under load may take longer than the probe's patience: what counts is what it says, not how soon.
    for attempt in 0..10 {
        let world = World::here(Duration::from_mins(1));
        let services = services::collect(&world, &network::collect(&world), &[], false);
        let Fact::Known(servers) = services.jupyter else { panic!("{:?}", services.jupyter) };
        let ours: Vec<Jupyter> = servers.into_iter().filter(|found| found.port == server.port).collect();
        assert_eq!(ours.len(), 1, "{args:?} under {base}: {ours:?}");
        if let Some(ours) = ours.into_iter().find(|found| !found.auth.is_unknown() || attempt == 9) {
            return ours;
        }
    }
    unreachable!("the last attempt returns")
}

fn check(base: &str, args: &[&str], auth: Auth, bind: Bind) {
    let Some(program) = part("PREFLIGHT_TEST_JUPYTER") else { return };
    let server = start(&program, base, args);
    let found = found(&server, base, args);
    assert_eq!(found.auth, Fact::Known(auth), "{args:?}");
    assert_eq!(found.bind, bind, "{args:?}");
    assert_eq!(found.base_url, base, "{args:?}");
    assert_eq!(found.uid, Fact::Known(rustix::process::geteuid().as_raw()), "{args:?}");
    assert!(matches!(&found.version, Fact::Known(version) if version.contains('.')), "{args:?}: {found:?}");
    assert_eq!(found.secret_exposed, Fact::Known(args.iter().any(|arg| arg.contains("argon2"))), "{args:?}");
}

#[test]
fn a_server_as_it_comes_asks_for_its_token() {
    check("/", &[], Auth::Required, Bind::Loopback);
}

#[test]
fn an_empty_token_opens_it_to_everyone() {
    check("/", &["--ip=0.0.0.0", "--IdentityProvider.token="], Auth::Open, Bind::Any);
}

#[test]
fn a_password_closes_it_although_the_token_is_empty() {
    let hash = format!("--PasswordIdentityProvider.hashed_password={HASH}");
    check("/", &["--ip=0.0.0.0", "--IdentityProvider.token=", &hash], Auth::Required, Bind::Any);
}

#[test]
fn an_open_server_under_another_base_is_found() {
    let args = ["--ip=0.0.0.0", "--IdentityProvider.token=", "--ServerApp.base_url=/nb/"];
    check("/nb/", &args, Auth::Open, Bind::Any);
}

#[test]
fn an_open_server_on_loopback_only_is_open_all_the_same() {
    check("/", &["--ip=127.0.0.1", "--IdentityProvider.token="], Auth::Open, Bind::Loopback);
}

#[test]
fn a_token_of_the_old_class_is_ignored_by_the_new_server() {
    check("/", &["--ip=127.0.0.1", "--NotebookApp.token="], Auth::Required, Bind::Loopback);
}
