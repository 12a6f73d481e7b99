//! Listeners that may lead to a Jupyter though nothing says so: a server in another container of the pod, one of a user
//! whose processes are hidden, one behind a proxy.
//!
//! They are asked once and briefly, and few of them: whoever listens for something else is not to be disturbed.

use super::ssh_args;
use crate::facts::{Bind, Listener};
use crate::world::World;

/// Listeners that are asked at most: the lowest ports.
pub const MOST: usize = 16;

/// Programs that stand before servers, as the kernel cuts their names.
const PROXIES: [&str; 9] =
    ["nginx", "openresty", "caddy", "haproxy", "envoy", "traefik", "httpd", "apache2", "configurable-ht"];

/// The first port that Linux gives to whoever asks for none, where it does not say: nobody chose one of those to be found
/// there, and what NCCL and others listen on is among them.
const FIRST_GIVEN: u16 = 32_768;

/// The listeners to ask.
pub fn listeners<'a>(world: &World, all: &'a [Listener]) -> Vec<&'a Listener> {
    let first_given = first_given(world);
    let mut chosen: Vec<&Listener> = all.iter().filter(|listener| may_lead_to_one(listener, first_given)).collect();
    chosen.sort_by(|one, other| (one.port, &one.address).cmp(&(other.port, &other.address)));
    chosen.dedup_by(|one, other| (one.port, &one.address) == (other.port, &other.address));
    chosen.truncate(MOST);
    chosen
}

/// SSH has a port and an asker of its own, and through loopback only what listens there can be asked.
fn may_lead_to_one(listener: &Listener, first_given: u16) -> bool {
    let is_hidden = listener.pid.known().is_none() && listener.port < first_given;
    let is_proxy = listener.process.known().is_some_and(|name| PROXIES.contains(&name.as_str()));
    (is_hidden || is_proxy) && listener.port != ssh_args::PORT && listener.bind != Bind::Specific
}

/// The first port that this kernel gives to whoever asks for none.
pub fn first_given(world: &World) -> u16 {
    let range = world.read("/proc/sys/net/ipv4/ip_local_port_range");
    range.known().and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(FIRST_GIVEN)
}
