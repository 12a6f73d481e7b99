//! SSH servers among the listeners, by the banner they send.
//!
//! Nothing is sent: an SSH server speaks first. Its configuration is [`super::sshd_config`]'s.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::parallel::{WIDTH, in_parallel};
use super::ssh_args::{PORT, SshArgs};
use super::{address, program};
use crate::facts::{DeclaredKind, Fact, Gap, GapKind, Listener, Ssh, Undecided, cut};
use crate::probe::procfs::command_line;
use crate::world::World;

/// The usual second choice beside [`PORT`]. On both alike, who keeps silent is no SSH server for that alone.
const OTHER_PORT: u16 = 2222;
/// How long a banner may take: a server starts a process before it speaks, which a busy machine delays.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same from whoever is seen to be something else, so that little depends on it.
const SHORT_PATIENCE: Duration = Duration::from_millis(300);
/// Bytes that are read in search of the banner: a server may send other lines before it.
const READ_LIMIT: usize = 4096;
/// Bytes of a banner that are kept, as many as the protocol allows.
const BANNER_LIMIT: usize = 255;

/// What a listener said.
enum Said {
    Banner(String),
    /// What sshd says to those whom it has no time for.
    Refusal(Gap),
    SomethingElse,
    Nothing(Gap),
}

/// Asks the listeners that may be SSH. The second list holds those on its ports that showed no banner, or could not be
/// asked. While nobody can see whose one of them is, an empty first list is not known to be empty.
pub fn find(world: &World, listeners: &[Listener]) -> (Fact<Vec<Ssh>>, Vec<Undecided>) {
    let mut asked: Vec<&Listener> = Vec::new();
    for listener in listeners {
        let may_be = matches!(listener.port, PORT | OTHER_PORT) || is_named(listener);
        let twin = |other: &&Listener| other.port == listener.port && other.address == listener.address;
        if may_be && !asked.iter().any(twin) {
            asked.push(listener);
        }
    }
    let answers = in_parallel(&asked, WIDTH, |listener| hear(world, listener, listeners));
    let (mut servers, mut undecided) = (Vec::new(), Vec::new());
    let mut blind = None;
    for (listener, said) in asked.into_iter().zip(answers) {
        let banner = match said {
            Said::Banner(banner) => Fact::Known(banner),
            Said::SomethingElse => continue,
            Said::Refusal(gap) => Fact::Unknown(gap),
            Said::Nothing(gap) if is_named(listener) => Fact::Unknown(gap),
            Said::Nothing(gap) => {
                if listener.process.known().is_none() {
                    let detail = format!("{} port {}: {}", listener.address, listener.port, gap.detail);
                    blind.get_or_insert(Gap::new(gap.kind, cut(&detail)));
                }
                undecided.push(address::undecided(listener, &gap));
                continue;
            }
        };
        let server = Ssh { port: listener.port, address: listener.address.clone(), bind: listener.bind, banner };
        // One server has a socket for IPv4 and one for IPv6.
        let is_twin = servers.iter().any(|(pid, other): &(_, Ssh)| {
            *pid == listener.pid
                && (other.port, other.bind, &other.banner) == (server.port, server.bind, &server.banner)
        });
        if !is_twin {
            servers.push((listener.pid.clone(), server));
        }
    }
    let servers: Vec<Ssh> = servers.into_iter().map(|(_, server)| server).collect();
    match blind {
        Some(gap) if servers.is_empty() => (Fact::Unknown(gap), undecided),
        _ => (Fact::Known(servers), undecided),
    }
}

/// The arguments of the servers that were found; unknown where nobody can see how one was started.
pub fn arguments(world: &World, servers: &[Ssh], listeners: &[Listener]) -> Vec<Fact<SshArgs>> {
    let mut found: Vec<Fact<SshArgs>> = Vec::new();
    for server in servers {
        let is_its = |listener: &&Listener| listener.port == server.port && listener.address == server.address;
        let pid = listeners.iter().find(is_its).map_or(Fact::Absent, |listener| listener.pid.clone());
        let args = match pid {
            Fact::Known(pid) => match command_line(world, pid) {
                Fact::Known(words) => Fact::Known(started(words)),
                Fact::Absent => Fact::Known(SshArgs::default()), // it has ended since
                Fact::Unknown(gap) => Fact::Unknown(gap),
            },
            Fact::Absent => {
                Fact::unknown(GapKind::NotSupported, "the SSH server belongs to another container, so do its settings")
            }
            // dropbear has no file that could speak for it.
            Fact::Unknown(gap) if server.banner.known().is_some_and(|banner| banner.contains("dropbear")) => {
                Fact::Unknown(gap)
            }
            Fact::Unknown(_) => Fact::Known(SshArgs::default()),
        };
        if !found.contains(&args) {
            found.push(args);
        }
    }
    found
}

/// The arguments in a command line; sshd makes one text of its own: `sshd: /usr/sbin/sshd -D [listener] 0 of 10-100`.
fn started(words: Vec<String>) -> SshArgs {
    let words: Vec<String> = match words.first().and_then(|first| first.strip_prefix("sshd: ")) {
        Some(title) => {
            let words = title.split(' ').filter(|word| !word.is_empty());
            words.take_while(|word| !word.starts_with('[')).map(str::to_owned).collect()
        }
        None => words,
    };
    let found = program::running(&words).filter(|started| started.kind == DeclaredKind::Ssh);
    found.map(|started| SshArgs::read(&started.program, &started.args)).unwrap_or_default()
}

/// Whether the process calls itself an SSH server: `sshd`, `sshd-session`, `sshd: …`, `dropbear`.
fn is_named(listener: &Listener) -> bool {
    let name = listener.process.known().map_or("", String::as_str);
    name == "dropbear" || name.strip_prefix("sshd").is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ':']))
}

fn hear(world: &World, listener: &Listener, listeners: &[Listener]) -> Said {
    let addresses = match address::loopback(listener, listeners) {
        Ok(addresses) => addresses,
        Err(gap) => return Said::Nothing(gap),
    };
    let may_be = is_named(listener) || listener.process.known().is_none();
    let patience = if may_be { PATIENCE } else { SHORT_PATIENCE };
    let mut last = String::new();
    for address in addresses {
        match banner(world, address, patience) {
            Ok(said) => return said,
            Err(error) => last = format!("{address}: {error}"),
        }
    }
    Said::Nothing(Gap::new(GapKind::NotPermitted, last))
}

fn banner(world: &World, address: SocketAddr, patience: Duration) -> std::io::Result<Said> {
    let until = Instant::now() + patience.min(world.time_left());
    let mut stream = world.connect(address, patience)?;
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 512];
    let silent = || {
        let detail = format!("{address}: no banner within {} ms", patience.as_millis());
        Said::Nothing(Gap::new(GapKind::TimedOut, detail))
    };
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(found(&bytes, true).unwrap_or_else(silent));
        }
        stream.set_read_timeout(Some(left))?;
        let count = match stream.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted) => continue,
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => continue,
            Err(_) => 0,
        };
        bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
        let is_over = count == 0 || bytes.len() >= READ_LIMIT;
        if let Some(said) = found(&bytes, is_over) {
            return Ok(said);
        }
        if is_over {
            let detail = format!("{address}: closed without a banner");
            return Ok(Said::Nothing(Gap::new(GapKind::Malformed, detail)));
        }
    }
}

/// What sshd says instead of its banner to those whom it has no time for: when too many try to log in, or when it has
/// seen too many connections from one address that led nowhere.
const REFUSALS: [&[u8]; 2] = [b"Exceeded MaxStartups", b"Not allowed at this time"];

/// What the bytes say; `None` while a banner may still come, or when nothing came at all.
fn found(bytes: &[u8], is_over: bool) -> Option<Said> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_whole = line.ends_with(b"\n") || line.len() >= BANNER_LIMIT || is_over;
        if line.starts_with(b"SSH-") && is_whole {
            let line = line.get(..BANNER_LIMIT).unwrap_or(line);
            return Some(Said::Banner(String::from_utf8_lossy(line).trim_end().to_owned()));
        }
    }
    if is_over && REFUSALS.iter().any(|words| bytes.starts_with(words)) {
        return Some(Said::Refusal(Gap::new(GapKind::NotPermitted, "it refused the connection as sshd does")));
    }
    (is_over && !bytes.is_empty()).then_some(Said::SomethingElse)
}

#[cfg(test)]
mod tests;
