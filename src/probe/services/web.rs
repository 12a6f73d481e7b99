//! HTTP servers of the workload: whether a path tells their health, how fast, and whether they show metrics.
//!
//! Only processes of this container are asked, and those below the ports that the kernel gives out: what NCCL, Gloo and
//! others listen on is not spoken to. A server is asked for a few paths, in one short time for all of them; the first that
//! answers well ends the search. One that answers a path that nobody has answers everything, which says nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::http::{self, Answer, Response};
use super::parallel::{WIDTH, in_parallel};
use super::{address, chance, metrics};
use crate::facts::{Fact, Gap, GapKind, Jupyter, Listener, Ssh, WebServer, cut};
use crate::world::World;

/// Paths that servers conventionally tell their health under, the most usual first.
const HEALTH: [&str; 7] = ["/healthz", "/health", "/readyz", "/livez", "/v1/models", "/v2/health/ready", "/ping"];
/// A path that no server has.
const NOWHERE: &str = "/gpu-preflight-asks-for-nothing";
/// Servers that are asked at most: the lowest ports.
const MOST: usize = 8;
/// How long one server is asked for all of that. Kubernetes gives a probe one second unless told otherwise.
const BUDGET: Duration = Duration::from_millis(1500);
/// Bytes of a page of metrics that are read.
const METRICS_LIMIT: usize = 256 << 10;
/// Ports of services that speak something else and note whoever speaks HTTP to them, PyTorch's own meeting point among them.
const OTHERS: [u16; 9] = [22, 2222, 3306, 5432, 6379, 11211, 27017, 29400, 29500];

/// What was learnt of all servers.
#[derive(Debug)]
pub struct Web {
    /// Those that answer HTTP.
    pub servers: Fact<Vec<WebServer>>,
    /// Whether one tells its health.
    pub health_answered: Fact<bool>,
    /// Whether one shows metrics.
    pub metrics_served: Fact<bool>,
}

/// What was learnt of one.
#[derive(Debug, Default)]
struct Asked {
    server: Option<WebServer>,
    /// Why it may have a path of its health all the same, and metrics.
    health_doubt: Option<Gap>,
    metrics_doubt: Option<Gap>,
}

impl Asked {
    fn doubtful(gap: &Gap) -> Self {
        Self { server: None, health_doubt: Some(gap.clone()), metrics_doubt: Some(gap.clone()) }
    }
}

/// Asks the servers. `jupyter` and `ssh` are known already.
pub fn find(world: &World, listeners: &[Listener], jupyter: &[Jupyter], ssh: &[Ssh]) -> Web {
    let is_known = |listener: &Listener| {
        jupyter.iter().any(|server| server.port == listener.port)
            || ssh.iter().any(|server| server.port == listener.port)
    };
    let first_given = chance::first_given(world);
    let meeting_point = world.env("MASTER_PORT").and_then(|port| port.parse::<u16>().ok());
    let mut chosen: Vec<&Listener> = Vec::new();
    let mut asked: Vec<Asked> = Vec::new();
    for listener in listeners.iter().filter(|listener| !is_known(listener)) {
        let is_other = OTHERS.contains(&listener.port) || Some(listener.port) == meeting_point;
        if is_other || listener.port >= first_given || chosen.iter().any(|one| one.port == listener.port) {
            continue;
        }
        match &listener.pid {
            Fact::Known(_) => chosen.push(listener),
            // That of another container of the pod is no server of this one.
            Fact::Absent => {}
            Fact::Unknown(gap) => asked.push(Asked::doubtful(gap)),
        }
    }
    chosen.sort_by_key(|listener| listener.port);
    if chosen.len() > MOST {
        let detail = format!("{} servers may be here, of which {MOST} are asked", chosen.len());
        asked.push(Asked::doubtful(&Gap::new(GapKind::NotSupported, detail)));
        chosen.truncate(MOST);
    }
    asked.extend(in_parallel(&chosen, WIDTH, |listener| ask(world, listeners, listener)));
    let health_answered =
        whether(&asked, |server| server.health_path.known().is_some(), |one| one.health_doubt.as_ref());
    let metrics_served =
        whether(&asked, |server| server.metrics_format.known().is_some(), |one| one.metrics_doubt.as_ref());
    let mut servers: Vec<WebServer> = jupyter.iter().filter_map(|server| of_jupyter(server, listeners)).collect();
    servers.extend(asked.into_iter().filter_map(|one| one.server));
    Web { servers: Fact::Known(servers), health_answered, metrics_served }
}

/// Nothing is known of the listeners.
pub fn unknown(gap: &Gap) -> Web {
    Web {
        servers: Fact::Unknown(gap.clone()),
        health_answered: Fact::Unknown(gap.clone()),
        metrics_served: Fact::Unknown(gap.clone()),
    }
}

/// Whether one server has it; unknown where none has, and one may.
fn whether(asked: &[Asked], has: impl Fn(&WebServer) -> bool, doubt: impl Fn(&Asked) -> Option<&Gap>) -> Fact<bool> {
    if asked.iter().filter_map(|one| one.server.as_ref()).any(has) {
        return Fact::Known(true);
    }
    asked.iter().find_map(doubt).map_or(Fact::Known(false), |gap| Fact::Unknown(gap.clone()))
}

/// A Jupyter that told its version did so in plain HTTP.
fn of_jupyter(server: &Jupyter, listeners: &[Listener]) -> Option<WebServer> {
    server.version.known()?;
    let own = listeners.iter().find(|listener| listener.port == server.port);
    Some(WebServer {
        port: server.port,
        address: server.address.clone(),
        bind: server.bind,
        process: own.map_or(Fact::Absent, |listener| listener.process.clone()),
        is_jupyter: true,
        health_path: Fact::Absent,
        health_status: Fact::Absent,
        health_ms: Fact::Absent,
        metrics_format: Fact::Absent,
        metric_count: Fact::Absent,
        gpu_metrics: Fact::Absent,
        latency_metrics: Fact::Absent,
    })
}

fn ask(world: &World, listeners: &[Listener], listener: &Listener) -> Asked {
    let address = match address::loopback(listener, listeners) {
        Ok(addresses) => addresses[0],
        Err(gap) => return Asked::doubtful(&gap),
    };
    let asker = Asker { world, address, until: Instant::now() + BUDGET.min(world.time_left()) };
    let health = match asker.health() {
        Ok(health) => health,
        Err(gap) => return Asked::doubtful(&gap),
    };
    let (page, metrics_doubt) = asker.metrics();
    let server = WebServer {
        port: listener.port,
        address: listener.address.clone(),
        bind: listener.bind,
        process: listener.process.clone(),
        is_jupyter: false,
        health_path: Fact::present(health.found.as_ref().map(|found| found.path.to_owned())),
        health_status: Fact::present(health.found.as_ref().map(|found| found.status)),
        health_ms: Fact::present(health.found.as_ref().map(|found| found.ms)),
        metrics_format: Fact::present(page.as_ref().map(|page| page.format)),
        metric_count: Fact::present(page.as_ref().map(|page| page.names.len() as u64)),
        gpu_metrics: Fact::present(page.as_ref().map(metrics::Page::has_gpu)),
        latency_metrics: Fact::present(page.as_ref().map(metrics::Page::has_latency)),
    };
    Asked { server: Some(server), health_doubt: health.doubt, metrics_doubt }
}

/// A path of its health.
struct Found {
    path: &'static str,
    status: u16,
    ms: f64,
}

#[derive(Default)]
struct Health {
    found: Option<Found>,
    doubt: Option<Gap>,
}

struct Asker<'a> {
    world: &'a World,
    address: SocketAddr,
    until: Instant,
}

impl Asker<'_> {
    /// An answer in HTTP, or why there is none.
    fn get(&self, path: &str, limit: usize) -> Result<(Response, f64), Gap> {
        let begun = Instant::now();
        let left = self.until.saturating_duration_since(begun);
        let gap = |kind, detail: String| Err(Gap::new(kind, cut(&format!("{}: {detail}", self.address))));
        if left.is_zero() {
            return gap(GapKind::TimedOut, format!("not all that was asked came within {} ms", BUDGET.as_millis()));
        }
        match http::get_up_to(self.world, self.address, path, left, limit) {
            Answer::Http(response) => Ok((response, begun.elapsed().as_secs_f64() * 1000.0)),
            Answer::NotHttp => gap(GapKind::NotSupported, "speaks no HTTP/1.1; gRPC is not asked".to_owned()),
            Answer::Closed => gap(GapKind::NotSupported, "closed the connection; it may speak TLS".to_owned()),
            Answer::Silent => gap(GapKind::TimedOut, format!("GET {path}: no answer in time")),
            Answer::Refused(error) => gap(GapKind::NotPermitted, error),
        }
    }

    /// The path that tells its health, as far as there is one. An error where it is no server that can be asked.
    fn health(&self) -> Result<Health, Gap> {
        let mut health = Health::default();
        for (number, path) in HEALTH.into_iter().enumerate() {
            let (response, ms) = match self.get(path, METRICS_LIMIT) {
                Ok(answer) => answer,
                Err(gap) if number == 0 => return Err(gap),
                // It has answered before, so it is one; what it did not answer may be the path.
                Err(gap) => {
                    health.doubt.get_or_insert(gap);
                    break;
                }
            };
            let status = response.status;
            match status {
                200..=299 if self.answers_everything() => {
                    let detail = format!("{}: answers every path with {status}", self.address);
                    health.doubt = Some(Gap::new(GapKind::NotSupported, detail));
                    return Ok(Health { found: None, ..health });
                }
                200..=299 => {
                    health.found = Some(Found { path, status, ms });
                    break;
                }
                401 | 403 => {
                    let detail = format!("{}: GET {path} asks who one is ({status})", self.address);
                    health.doubt.get_or_insert(Gap::new(GapKind::NotPermitted, detail));
                }
                429 | 500.. if health.found.is_none() => health.found = Some(Found { path, status, ms }),
                _ => {}
            }
        }
        // A server that is at fault whatever it is asked has no such path.
        if health.found.as_ref().is_some_and(|found| found.status >= 400) && self.fails_everything() {
            health.found = None;
        }
        Ok(health)
    }

    fn answers_everything(&self) -> bool {
        self.get(NOWHERE, METRICS_LIMIT).is_ok_and(|(response, _)| (200..=299).contains(&response.status))
    }

    fn fails_everything(&self) -> bool {
        self.get(NOWHERE, METRICS_LIMIT).is_ok_and(|(response, _)| response.status == 429 || response.status >= 500)
    }

    fn metrics(&self) -> (Option<metrics::Page>, Option<Gap>) {
        match self.get("/metrics", METRICS_LIMIT) {
            Ok((response, _)) => match response.status {
                200 => (metrics::Page::read(&response.body, response.body.len() + 1024 >= METRICS_LIMIT), None),
                status @ (401 | 403) => {
                    let detail = format!("{}: GET /metrics asks who one is ({status})", self.address);
                    (None, Some(Gap::new(GapKind::NotPermitted, detail)))
                }
                _ => (None, None),
            },
            Err(gap) => (None, Some(gap)),
        }
    }
}

#[cfg(test)]
mod tests;
