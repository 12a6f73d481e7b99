//! What an SSH server will do that is started with certain arguments.

use crate::facts::{Auth, Bind, DeclaredKind, DeclaredService, Fact, RootLogin};
use crate::probe::services::address::bind_of;
use crate::probe::services::ssh_args::{PORT, SshArgs};
use crate::probe::services::sshd_config;
use crate::world::World;

/// Port, address and root of a server that is started with these arguments. Who starts it, and whether it runs, is for the
/// caller to say.
pub fn server(world: &World, args: &SshArgs) -> DeclaredService {
    let parsed = sshd_config::of(world, args);
    let bind = match &parsed {
        Fact::Known(parsed) => match (widest(&parsed.listen_addresses), &parsed.gap) {
            // With no address sshd listens everywhere, and one more can only widen.
            (Fact::Known(bind), Some(gap)) if bind != Bind::Any || parsed.listen_addresses.is_empty() => {
                Fact::Unknown(gap.clone())
            }
            (bind, _) => bind,
        },
        Fact::Absent => Fact::Known(Bind::Any),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    };
    DeclaredService {
        kind: DeclaredKind::Ssh,
        port: parsed.known().and_then(|parsed| parsed.config.ports.first().copied()).unwrap_or(PORT),
        bind,
        auth: Fact::Known(Auth::Required),
        opened_by: Fact::Absent,
        allow_root: match parsed {
            Fact::Known(parsed) => parsed.config.root_login.map(|login| login != RootLogin::No),
            Fact::Absent => Fact::Known(true),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        },
        ..DeclaredService::default()
    }
}

/// From where a server with several addresses can be reached; none means every interface.
fn widest(addresses: &[String]) -> Fact<Bind> {
    // An address may carry a port: `0.0.0.0:22`, `[::]:22`, but `::1` does not.
    let bare = |address: &String| match address.rsplit_once(':') {
        Some((host, _)) if host.ends_with(']') || !host.contains(':') => bind_of(host),
        _ => bind_of(address),
    };
    let binds: Vec<Fact<Bind>> = addresses.iter().map(bare).collect();
    let has = |bind| binds.contains(&Fact::Known(bind));
    if binds.is_empty() || has(Bind::Any) {
        Fact::Known(Bind::Any)
    } else if let Some(unknown) = binds.iter().find(|bind| bind.is_unknown()) {
        unknown.clone()
    } else if has(Bind::Specific) {
        Fact::Known(Bind::Specific)
    } else {
        Fact::Known(Bind::Loopback)
    }
}
