//! From where a server can be reached, by the address that it is given, and where a listener can be asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::facts::{Bind, Fact, Gap, GapKind, Listener, Undecided};

/// Whether a value is filled in later, by the shell (`$A`, `` `a` ``) or by supervisord (`%(ENV_A)s`).
pub fn is_filled_in_later(value: &str) -> bool {
    value.contains(['$', '`']) || value.contains("%(")
}

/// From where an address, as it stands in a configuration, can be reached.
pub fn bind_of(address: &str) -> Fact<Bind> {
    let address = address.trim_matches(['\'', '"', '[', ']']);
    if is_filled_in_later(address) {
        return Fact::unknown(GapKind::Malformed, "the address comes from a variable of the shell");
    }
    Fact::Known(match address {
        "" | "*" | "0.0.0.0" | "::" | "0" => Bind::Any,
        "localhost" | "::1" => Bind::Loopback,
        other if other.starts_with("127.") => Bind::Loopback,
        _ => Bind::Specific,
    })
}

/// Where a listener can be asked through loopback, best first; a gap when it is bound to another address alone.
pub fn loopback(listener: &Listener, listeners: &[Listener]) -> Result<Vec<SocketAddr>, Gap> {
    let port = listener.port;
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    match (listener.bind, listener.address.parse::<IpAddr>()) {
        (Bind::Specific, _) | (_, Err(_)) => {
            let detail = format!("bound to {} alone; only loopback is contacted", listener.address);
            Err(Gap::new(GapKind::NotSupported, detail))
        }
        (Bind::Loopback, Ok(address)) => Ok(vec![SocketAddr::from((address, port))]),
        (Bind::Any, Ok(IpAddr::V4(_))) => Ok(vec![v4]),
        // `::` may take IPv4 as well, unless somebody else has that.
        (Bind::Any, Ok(IpAddr::V6(_))) => {
            let taken = listeners.iter().any(|other| other.port == port && !other.address.contains(':'));
            Ok(if taken { vec![v6] } else { vec![v6, v4] })
        }
    }
}

/// A listener of which it could not be learnt what it is, and why.
pub fn undecided(listener: &Listener, gap: &Gap) -> Undecided {
    Undecided {
        port: listener.port,
        address: listener.address.clone(),
        bind: listener.bind,
        uid: listener.uid.clone(),
        reason: gap.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_who_can_reach_it() {
        assert_eq!(bind_of("127.0.0.1"), Fact::Known(Bind::Loopback));
        assert_eq!(bind_of("10.0.0.5"), Fact::Known(Bind::Specific));
        assert_eq!(bind_of("[::]"), Fact::Known(Bind::Any));
        assert!(bind_of("$HOST").is_unknown() && bind_of("%(ENV_HOST)s").is_unknown());
    }
}
