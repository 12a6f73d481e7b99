//! Jupyter servers among the listeners, and whether they ask who one is.
//!
//! The decision is made by two requests, measured on real servers: `GET <base>/api`
//! answers everyone with the version and so proves that this is Jupyter;
//! `GET <base>/api/me` answers 200 only when no authentication stands before it.
//! Neither starts or lists anything. Where the base comes from is [`super::hints`].

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use super::address;
use super::chance;
use super::hints::{Hint, Hints, clean_base};
use super::http::{self, Answer, Response};
use super::jupyter_args::PORT;
use super::parallel::{WIDTH, in_parallel};
use super::work;
use crate::facts::{Auth, Fact, Gap, GapKind, Jupyter, Listener, Undecided, cut, cut_word};
use crate::world::World;

/// Bases that are tried on one listener.
const BASES: usize = 4;

/// Why a listener is asked.
enum Reason {
    /// Its process or a file says that it is Jupyter.
    Hint(Hint),
    /// It is on Jupyter's own port.
    Port,
    /// It may lead to one, and is most likely something else.
    Chance,
}

/// What was learnt about one listener.
enum Found {
    Jupyter(Jupyter),
    Undecided(Undecided, Gap),
    Nothing,
}

/// Asks the listeners that may be Jupyter. The second list holds listeners on Jupyter's own port that could not be
/// recognised as anything. While nobody can see whose one of them is, an empty first list is not known to be empty.
pub fn find(world: &World, listeners: &[Listener], hints: &Hints) -> (Fact<Vec<Jupyter>>, Vec<Undecided>) {
    let mut asked: Vec<(&Listener, Reason)> = Vec::new();
    let is_same = |one: &Listener, other: &Listener| (one.port, &one.address) == (other.port, &other.address);
    for listener in listeners {
        let reason = match hints.of(listener) {
            Some(hint) => Reason::Hint(hint),
            None if listener.port == PORT => Reason::Port,
            None => continue,
        };
        if !asked.iter().any(|(other, _)| is_same(listener, other)) {
            asked.push((listener, reason));
        }
    }
    for listener in chance::listeners(world, listeners) {
        if !asked.iter().any(|(other, _)| is_same(listener, other)) {
            asked.push((listener, Reason::Chance));
        }
    }
    let answers = in_parallel(&asked, WIDTH, |(listener, reason)| ask(world, listeners, listener, reason));
    let (mut servers, mut undecided) = (Vec::new(), Vec::new());
    let mut blind = None;
    for ((listener, _), found) in asked.iter().zip(answers) {
        match found {
            Found::Jupyter(server) => servers.push((listener.pid.known().copied(), server)),
            Found::Undecided(open, gap) => {
                // A process that can be seen would have given a hint.
                if listener.pid.known().is_none() {
                    let detail = format!("{} port {}: {}", open.address, open.port, gap.detail);
                    blind.get_or_insert(Gap::new(gap.kind, cut(&detail)));
                }
                undecided.push(open);
            }
            Found::Nothing => {}
        }
    }
    let servers = match blind {
        Some(gap) if servers.is_empty() => Fact::Unknown(gap),
        _ => Fact::Known(one_each(servers)),
    };
    (servers, undecided)
}

/// One entry for each server.
///
/// A server on every interface has a socket for IPv4 and one for IPv6. A process that was recognised on one port may
/// hold others (its kernels' for example), which are not servers of their own.
fn one_each(found: Vec<(Option<u32>, Jupyter)>) -> Vec<Jupyter> {
    let recognised: Vec<u32> =
        found.iter().filter(|(_, server)| server.version.known().is_some()).filter_map(|(pid, _)| *pid).collect();
    let mut servers: Vec<(Option<u32>, Jupyter)> = Vec::new();
    for (pid, server) in found {
        let is_side_port = server.version.is_unknown() && pid.is_some_and(|pid| recognised.contains(&pid));
        let is_twin = servers.iter().any(|(other_pid, other)| {
            *other_pid == pid
                && (other.port, other.bind, &other.uid) == (server.port, server.bind, &server.uid)
                && (&other.auth, &other.base_url) == (&server.auth, &server.base_url)
        });
        if !is_side_port && !is_twin {
            servers.push((pid, server));
        }
    }
    servers.into_iter().map(|(_, server)| server).collect()
}

fn ask(world: &World, listeners: &[Listener], listener: &Listener, reason: &Reason) -> Found {
    let hint = match reason {
        Reason::Hint(hint) => Some(hint),
        Reason::Port | Reason::Chance => None,
    };
    let exposed =
        hint.map_or_else(|| listener.pid.clone().and_then(|_| Fact::Known(false)), |hint| hint.secret_exposed.clone());
    let server = |base: &str, version: Fact<String>, auth: Fact<Auth>| {
        Found::Jupyter(Jupyter {
            port: listener.port,
            address: listener.address.clone(),
            bind: listener.bind,
            uid: listener.uid.clone(),
            base_url: base.to_owned(),
            version,
            auth,
            secret_exposed: exposed.clone(),
            work_kept: work::kept(world, &listener.pid),
        })
    };
    let hinted_base = hint.and_then(|hint| hint.base_url.clone());
    // Who has reason to think that it is Jupyter reads that it could not be learnt; on a bare 8888 it stays open
    // what the listener is. On any other port it is most likely something else.
    let unknown = |gap: Gap| match reason {
        Reason::Hint(_) => {
            let base = hinted_base.as_deref().unwrap_or("/");
            server(base, Fact::Unknown(gap.clone()), Fact::Unknown(gap))
        }
        Reason::Port => Found::Undecided(address::undecided(listener, &gap), gap),
        Reason::Chance => Found::Nothing,
    };
    let addresses = match address::loopback(listener, listeners) {
        Ok(addresses) => addresses,
        Err(gap) => return unknown(gap),
    };
    if world.time_left().is_zero() {
        return unknown(Gap::new(GapKind::TimedOut, "no time was left to ask it"));
    }
    // Whoever can be seen and gives no hint is most likely something else.
    let patience = match reason {
        Reason::Port if listener.pid.known().is_some() => http::SHORT_PATIENCE,
        Reason::Chance => http::SHORT_PATIENCE,
        Reason::Hint(_) | Reason::Port => http::PATIENCE,
    };
    let mut bases: Vec<String> = hinted_base.iter().cloned().collect();
    if !bases.iter().any(|base| base == "/") {
        bases.push("/".to_owned());
    }
    let mut last = None;
    let mut at = 0;
    while let Some(base) = bases.get(at).cloned() {
        at += 1;
        let (address, answer) = get_first(world, &addresses, &format!("{base}api"), patience);
        let response = match answer {
            Answer::Http(response) => response,
            other => return no_http(&other, hint.is_some(), patience, unknown),
        };
        if let Some(version) = version(&response) {
            let auth = authentication(world, address, &base, patience);
            // Other services tell a version under `/api` too. Without another sign only Jupyter's own record counts.
            let is_signed = hint.is_some() || is_tornado(&response) || revealed_base(&response).is_some();
            if is_signed || auth == Fact::Known(Auth::Open) {
                return server(&base, Fact::Known(version), auth);
            }
        }
        // Even its page for "not found" says in a header under which base the server lives.
        if let Some(revealed) = revealed_base(&response)
            && !bases.contains(&revealed)
            && bases.len() < BASES
        {
            bases.push(revealed);
        }
        last = Some((base, response));
    }
    match last {
        Some((base, response)) if hint.is_some() || revealed_base(&response).is_some() => {
            let detail = format!("GET {base}api answered {} and no version", response.status);
            let gap = Gap::new(GapKind::Malformed, cut(&detail));
            server(&base, Fact::Unknown(gap.clone()), Fact::Unknown(gap))
        }
        _ => Found::Nothing,
    }
}

/// Whether anything but HTTP leaves room for doubt.
fn no_http(answer: &Answer, hinted: bool, patience: Duration, unknown: impl Fn(Gap) -> Found) -> Found {
    match answer {
        Answer::NotHttp if hinted => unknown(Gap::new(GapKind::Malformed, "its answer is no HTTP")),
        Answer::NotHttp | Answer::Http(_) => Found::Nothing,
        Answer::Closed => {
            let detail = "closed the connection on a plain request; it may speak TLS, which is not tried";
            unknown(Gap::new(GapKind::NotSupported, detail))
        }
        Answer::Silent => {
            let detail = format!("no answer within {} ms", patience.as_millis());
            unknown(Gap::new(GapKind::TimedOut, detail))
        }
        Answer::Refused(error) => unknown(Gap::new(GapKind::NotPermitted, cut(error))),
    }
}

/// The control has passed; this is the decisive request.
fn authentication(world: &World, address: SocketAddr, base: &str, patience: Duration) -> Fact<Auth> {
    let me = format!("{base}api/me");
    let mut path = me.clone();
    let mut answer = http::get(world, address, &path, patience);
    if matches!(&answer, Answer::Http(response) if response.status == 404) {
        // Servers before jupyter_server 2 (and the classic notebook) have no `/api/me`.
        path = format!("{base}api/status");
        answer = http::get(world, address, &path, patience);
    }
    match answer {
        Answer::Http(response) => match response.status {
            200 if is_record(&response, if path == me { "identity" } else { "started" }) => Fact::Known(Auth::Open),
            401 | 403 => Fact::Known(Auth::Required),
            301 | 302 | 303 | 307 | 308 if leads_to_login(&response) => Fact::Known(Auth::Required),
            status => Fact::unknown(GapKind::Malformed, cut(&format!("GET {path} answered {status}"))),
        },
        Answer::Silent => {
            let detail = format!("GET {path}: no answer within {} ms", patience.as_millis());
            Fact::unknown(GapKind::TimedOut, cut(&detail))
        }
        Answer::Refused(error) => Fact::unknown(GapKind::NotPermitted, cut(&error)),
        Answer::Closed | Answer::NotHttp => {
            Fact::unknown(GapKind::Malformed, cut(&format!("GET {path}: the connection was closed")))
        }
    }
}

fn version(response: &Response) -> Option<String> {
    if response.status != 200 {
        return None;
    }
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    body.get("version")?.as_str().map(cut_word)
}

/// Whether the server that Jupyter is made with answered.
fn is_tornado(response: &Response) -> bool {
    response.header("server").is_some_and(|name| name.starts_with("TornadoServer"))
}

fn is_record(response: &Response, field: &str) -> bool {
    serde_json::from_slice::<Value>(&response.body).is_ok_and(|body| body.get(field).is_some())
}

fn leads_to_login(response: &Response) -> bool {
    response.header("location").is_some_and(|target| target.contains("login") || target.contains("/hub/"))
}

/// The base that Jupyter names in its content security policy: `report-uri <base>api/security/csp-report`.
fn revealed_base(response: &Response) -> Option<String> {
    let policy = response.header("content-security-policy")?;
    let target = policy.split(';').find_map(|part| part.trim().strip_prefix("report-uri "))?;
    let base = target.trim().strip_suffix("api/security/csp-report")?;
    clean_base(base)
}

/// The answer of the first address that takes the connection.
fn get_first(world: &World, addresses: &[SocketAddr], path: &str, patience: Duration) -> (SocketAddr, Answer) {
    let mut last = (SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Answer::Refused("no address".to_owned()));
    for address in addresses {
        last = (*address, http::get(world, *address, path, patience));
        if !matches!(last.1, Answer::Refused(_)) {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests;
