//! The services behind the ports, and those that are declared and do not run yet.
//!
//! Listeners come from the network probe; only those on the ports of Jupyter and
//! SSH, or whose process says that it is one, are spoken to, through loopback.

mod command;
mod declared;
mod glob;
mod hints;
mod http;
mod ini;
mod jupyter;
mod jupyter_args;
mod jupyter_config;
mod shell;
mod ssh_args;
mod ssh_files;
mod sshd;
mod sshd_config;
mod supervisord;
mod supervisors;
mod wrappers;

use crate::facts::{Fact, Network, Services, SshdConfig};
use crate::world::{World, spawn_or_run};
use ssh_args::SshArgs;

/// Listeners that are asked at the same time.
const CHUNK: usize = 16;

/// Looks behind the listeners and at what will be started, `command` included.
pub fn collect(world: &World, network: &Network, command: Option<&[String]>) -> Services {
    let (declared, ssh_args) = declared::find(world, command, &network.listeners);
    let mut ssh_args: Vec<_> = ssh_args.into_iter().map(Fact::Known).collect();
    let mut services = Services {
        ssh_host_keys: ssh_files::host_keys(world),
        root_password: ssh_files::root_password(world),
        declared,
        ..Services::default()
    };
    match &network.listeners {
        Fact::Known(listeners) => {
            let hints = hints::Hints::read(world);
            let (jupyter, mut undecided) = jupyter::find(world, listeners, &hints);
            let (ssh, silent) = sshd::find(world, listeners);
            // A server that was recognised as one is not undecided as the other.
            undecided.extend(silent);
            undecided.retain(|open| !ssh.iter().any(|ssh| (ssh.port, &ssh.address) == (open.port, &open.address)));
            ssh_args.extend(sshd::arguments(world, &ssh, listeners));
            services.jupyter = jupyter;
            services.ssh = Fact::Known(ssh);
            services.undecided = Fact::Known(undecided);
        }
        Fact::Absent => {
            services.jupyter = Fact::Absent;
            services.ssh = Fact::Absent;
            services.undecided = Fact::Absent;
        }
        Fact::Unknown(gap) => {
            services.jupyter = Fact::Unknown(gap.clone());
            services.ssh = Fact::Unknown(gap.clone());
            services.undecided = Fact::Unknown(gap.clone());
        }
    }
    services.sshd_config = ssh_configuration(world, ssh_args);
    services
}

/// What holds for all these servers; without any, what the file says.
fn ssh_configuration(world: &World, mut args: Vec<Fact<SshArgs>>) -> Fact<SshdConfig> {
    if args.is_empty() {
        args.push(Fact::Known(SshArgs::default()));
    }
    let one = |args: Fact<SshArgs>| args.and_then(|args| sshd_config::of(world, &args).map(|parsed| parsed.config));
    sshd_config::common(args.into_iter().map(one).collect())
}

/// Runs `ask` on every item, at most `width` at a time, and gives the answers in order. Where no thread can be had they
/// are asked one after the other.
fn in_parallel<T: Sync, R: Send>(items: &[T], width: usize, ask: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if let [only] = items {
        return vec![ask(only)];
    }
    let mut answers = Vec::with_capacity(items.len());
    for chunk in items.chunks(width.max(1)) {
        std::thread::scope(|scope| {
            let ask = &ask;
            // Where no thread can be had the item is asked at once.
            let running: Vec<_> = chunk.iter().map(|item| spawn_or_run(scope, move || ask(item))).collect();
            // A bug of ours goes on to whoever runs this probe.
            let told =
                running.into_iter().map(|one| one.join().unwrap_or_else(|| panic!("asking a listener panicked")));
            answers.extend(told);
        });
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_questions_however_wide() {
        let items: Vec<u32> = (0..40).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        for width in [0, 1, 16, 64] {
            assert_eq!(in_parallel(&items, width, |item| item * 2), doubled, "{width}");
        }
    }
}
