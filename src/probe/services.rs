//! The services that run: Jupyter and SSH behind the ports, with the files that SSH servers live by.
//!
//! Listeners come from the network probe; only those on the ports of Jupyter and SSH, or whose process says that it is
//! one, are spoken to, through loopback, and few others, briefly ([`chance`]). [`jupyter`] asks over [`http`], for reasons that [`hints`] finds; [`sshd`] hears
//! banners; [`web`] asks other servers for their health and their [`metrics`]; [`ssh_files`] and [`sshd_config`] read files. [`program`], [`jupyter_args`], [`ssh_args`] and [`address`] read
//! command lines, also for [`super::startup`], which knows the services that do not run yet. Nothing here uses that.

pub(super) mod address;
mod chance;
mod hints;
mod http;
mod jupyter;
pub(super) mod jupyter_args;
mod metrics;
mod parallel;
pub(super) mod program;
pub(super) mod ssh_args;
mod ssh_files;
mod sshd;
pub(super) mod sshd_config;
mod web;
mod work;

use crate::facts::{Fact, Gap, GapKind, Network, Services, SshdConfig};
use crate::world::World;
use ssh_args::SshArgs;

/// Looks behind the listeners. `will_start` are the arguments of SSH servers that do not run yet, for what is said of
/// their configuration has to hold of all of them. Services that are declared are not found here. `asks_web` says that other servers are asked for their health and their metrics too.
pub fn collect(world: &World, network: &Network, will_start: &[SshArgs], asks_web: bool) -> Services {
    let mut ssh_args: Vec<_> = will_start.iter().cloned().map(Fact::Known).collect();
    let mut services = Services {
        ssh_host_keys: ssh_files::host_keys(world),
        root_password: ssh_files::root_password(world),
        password_accounts: ssh_files::password_accounts(world),
        ..Services::default()
    };
    match &network.listeners {
        Fact::Known(listeners) => {
            let hints = hints::Hints::read(world);
            let (jupyter, mut undecided) = jupyter::find(world, listeners, &hints);
            let (ssh, silent) = sshd::find(world, listeners);
            // A server that was recognised as one is not undecided as the other.
            undecided.extend(silent);
            let servers = ssh.known().map_or(&[][..], Vec::as_slice);
            undecided.retain(|open| !servers.iter().any(|ssh| (ssh.port, &ssh.address) == (open.port, &open.address)));
            ssh_args.extend(sshd::arguments(world, servers, listeners));
            let known = jupyter.known().map_or(&[][..], Vec::as_slice);
            let web = if asks_web { web::find(world, listeners, known, servers) } else { web::unknown(&not_live()) };
            adopt(&mut services, web);
            services.jupyter = jupyter;
            services.ssh = ssh;
            services.undecided = Fact::Known(undecided);
        }
        Fact::Absent => {
            services.jupyter = Fact::Absent;
            services.ssh = Fact::Absent;
            services.undecided = Fact::Absent;
            (services.web, services.health_answered, services.metrics_served) =
                (Fact::Absent, Fact::Absent, Fact::Absent);
        }
        Fact::Unknown(gap) => {
            adopt(&mut services, web::unknown(gap));
            services.jupyter = Fact::Unknown(gap.clone());
            services.ssh = Fact::Unknown(gap.clone());
            services.undecided = Fact::Unknown(gap.clone());
        }
    }
    services.sshd_config = ssh_configurations(world, ssh_args);
    services
}

fn adopt(services: &mut Services, web: web::Web) {
    services.web = web.servers;
    services.health_answered = web.health_answered;
    services.metrics_served = web.metrics_served;
}

/// At the start nothing of the workload listens, and whoever does is not to be disturbed.
fn not_live() -> Gap {
    Gap::new(GapKind::NotAsked, "servers are asked in phase live alone")
}

/// What holds for the servers that will be started with these arguments.
pub fn ssh_configuration(world: &World, will_start: &[SshArgs]) -> Fact<SshdConfig> {
    ssh_configurations(world, will_start.iter().cloned().map(Fact::Known).collect())
}

/// What holds for all these servers; without any, what the file says.
fn ssh_configurations(world: &World, mut args: Vec<Fact<SshArgs>>) -> Fact<SshdConfig> {
    if args.is_empty() {
        args.push(Fact::Known(SshArgs::default()));
    }
    let one = |args: Fact<SshArgs>| args.and_then(|args| sshd_config::of(world, &args).map(|parsed| parsed.config));
    sshd_config::common(args.into_iter().map(one).collect())
}
