//! Variables that name something of this machine, an interface, an adapter, a host, a port, and whether that is there.
//!
//! Each program reads such a list in its own way: NCCL takes prefixes, `=` for whole names and `^` for all others, and is
//! content with one that is there; Gloo takes whole names and needs each. Nothing is asked over the network: a host that
//! only a name server can know is not judged.

use std::net::IpAddr;

use crate::facts::{Fact, Framework, Pointer, PointerKind, cut_word};
use crate::world::World;

/// Ports that a program reads from the environment, with the package that does. Kubernetes sets the same name to
/// `tcp://…` for a Service that is called like the part before `_PORT`.
const PORTS: &[(&str, &str)] = &[
    ("VLLM_PORT", "vllm"),
    ("MASTER_PORT", "torch"),
    ("GRADIO_SERVER_PORT", "gradio"),
    ("MLFLOW_PORT", "mlflow"),
    ("STREAMLIT_SERVER_PORT", "streamlit"),
    ("JUPYTER_PORT", "jupyter_server"),
];

/// Every such variable that is set and can be judged.
pub fn find(world: &World, framework: &Framework) -> Vec<Pointer> {
    let interfaces = interfaces(world);
    let adapters = match world.list("/sys/class/infiniband") {
        Fact::Absent => Fact::Known(Vec::new()),
        other => other,
    };
    let mut found = Vec::new();
    let mut add = |name: &str, kind, reader: &str, effect: &str, missing: Fact<String>| {
        let missing = missing.map(|missing| cut_word(&missing));
        let (name, reader, effect) = (name.to_owned(), reader.to_owned(), effect.to_owned());
        found.push(Pointer { name, kind, reader, missing, effect });
    };
    let set = |name: &str| world.env(name).filter(|value| !value.trim().is_empty());
    if let Some(value) = set("NCCL_SOCKET_IFNAME") {
        let missing = interfaces.as_ref().and_then(|here| Fact::present(missing_for_nccl(&value, here)));
        add("NCCL_SOCKET_IFNAME", PointerKind::Interface, "NCCL", "NCCL finds no interface and ends", missing);
    }
    for name in ["GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME"] {
        if let Some(value) = set(name) {
            let missing = interfaces.as_ref().and_then(|here| Fact::present(missing_whole(&value, here)));
            add(
                name,
                PointerKind::Interface,
                "Gloo",
                "Gloo takes whole names alone, and ends without that one",
                missing,
            );
        }
    }
    if let Some(value) = set("UCX_NET_DEVICES").filter(|value| !value.contains(['^', '*', '[']) && value != "all") {
        let missing = interfaces.as_ref().and_then(|links| {
            adapters.as_ref().and_then(|adapters| {
                let here: Vec<String> = links.iter().chain(adapters).cloned().collect();
                Fact::present(missing_for_nccl(&format!("={value}"), &here))
            })
        });
        add("UCX_NET_DEVICES", PointerKind::Interface, "UCX", "UCX is left without a device", missing);
    }
    let without_adapters = world.env("NCCL_IB_DISABLE").is_some_and(|value| value.trim() == "1");
    if let Some(value) = set("NCCL_IB_HCA").filter(|_| !without_adapters) {
        let missing = adapters.as_ref().and_then(|here| Fact::present(missing_for_nccl(&value, here)));
        add("NCCL_IB_HCA", PointerKind::Adapter, "NCCL", "NCCL talks over sockets instead", missing);
    }
    if let Some(value) = set("MASTER_ADDR")
        && let Some(missing) = missing_host(world, value.trim())
    {
        add("MASTER_ADDR", PointerKind::Host, "PyTorch", "no rank finds the first one", missing);
    }
    for (name, package) in PORTS {
        if let Some(value) = set(name).filter(|_| is_installed(world, framework, package)) {
            let is_link = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.trim().starts_with(scheme));
            let missing = if is_link { Fact::Known("a port".to_owned()) } else { Fact::Absent };
            add(name, PointerKind::Port, package, "it ends at its start", missing);
        }
    }
    found
}

/// The network interfaces of this network namespace. `/sys/class/net` may be that of the node; this table is ours.
fn interfaces(world: &World) -> Fact<Vec<String>> {
    world.read("/proc/self/net/dev").map(|text| {
        let name = |line: &str| line.split_once(':').map(|(name, _)| name.trim().to_owned());
        text.lines().filter_map(name).filter(|name| !name.is_empty()).collect()
    })
}

/// What NCCL would look for in vain: nothing where one of its list is there, or where `^` leaves one.
fn missing_for_nccl(value: &str, here: &[String]) -> Option<String> {
    let value = value.trim();
    let (list, negated) = value.strip_prefix('^').map_or((value, false), |rest| (rest, true));
    let (list, whole) = list.strip_prefix('=').map_or((list, false), |rest| (rest, true));
    // A port may follow: `mlx5_0:1`.
    let names = || list.split(',').map(|entry| entry.split(':').next().unwrap_or_default().trim());
    let is_named = |here: &String| {
        names().filter(|name| !name.is_empty()).any(|name| if whole { here == name } else { here.starts_with(name) })
    };
    let is_served = if negated { here.is_empty() || !here.iter().all(is_named) } else { here.iter().any(is_named) };
    (!is_served).then(|| value.trim_start_matches('=').to_owned())
}

/// The first of these names that is not there.
fn missing_whole(value: &str, here: &[String]) -> Option<String> {
    value.split(',').map(str::trim).find(|name| !here.iter().any(|here| here == name)).map(str::to_owned)
}

/// Whether a host is certain to be unknown; `None` where only a name server could tell.
fn missing_host(world: &World, host: &str) -> Option<Fact<String>> {
    if host.parse::<IpAddr>().is_ok() || host == "localhost" {
        return Some(Fact::Absent);
    }
    // `$(POD)` that nobody filled in.
    if host.contains(['$', '{', '(', ' ', '/']) {
        return Some(Fact::Known(host.to_owned()));
    }
    let names = |text: String| {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().to_owned());
        lines
            .flat_map(|line| line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let hosts = world.read("/etc/hosts").map(names);
    if hosts.known().is_some_and(|hosts| hosts.iter().any(|known| known.eq_ignore_ascii_case(host))) {
        return Some(Fact::Absent);
    }
    let own = world.read_line("/proc/sys/kernel/hostname");
    if own.known().is_some_and(|own| own == host) {
        return Some(Fact::Absent);
    }
    let asks_nobody = |text: &String| !text.lines().any(|line| line.trim_start().starts_with("nameserver"));
    let is_alone = world.read("/etc/resolv.conf").known().is_some_and(asks_nobody);
    (is_alone && hosts.known().is_some()).then(|| Fact::Known(host.to_owned()))
}

fn is_installed(world: &World, framework: &Framework, package: &str) -> bool {
    let folders = framework.site_packages.known().into_iter().flatten();
    folders.into_iter().any(|folder| world.exists(format!("{folder}/{package}")) == Fact::Known(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    /// What each variable looks for in vain, on a machine with `lo`, `eth0` and the adapter `mlx5_0`.
    fn missing(variables: &[(&str, &str)]) -> Vec<(String, Fact<String>)> {
        let table = "Inter-|   Receive\n face |bytes\n    lo: 0 0\n  eth0: 0 0\n";
        let files = [
            ("proc/self/net/dev", table),
            ("sys/class/infiniband/mlx5_0/x", ""),
            ("etc/hosts", "127.0.0.1 localhost\n10.0.0.1 head head.local # first\n"),
            ("etc/resolv.conf", "search local\n"),
            ("sp/vllm/x", ""),
        ];
        let framework = Framework { site_packages: Fact::Known(vec!["/sp".to_owned()]), ..Framework::default() };
        let found = find(&FakeRoot::of(&files, variables), &framework);
        found.into_iter().map(|pointer| (pointer.name, pointer.missing)).collect()
    }

    fn one(name: &str, value: &str) -> Option<String> {
        let found = missing(&[(name, value)]);
        assert_eq!(found.len(), 1, "{name}={value}: {found:?}");
        found[0].1.known().cloned()
    }

    #[test]
    fn nccl_is_content_with_one_by_prefix_by_whole_name_or_by_what_is_left() {
        for value in ["eth", "eth0", "=eth0", "ens,eth", "^lo", "^docker,lo", "^=eth", "^=eth0", "lo"] {
            assert_eq!(one("NCCL_SOCKET_IFNAME", value), None, "{value}");
        }
        for (value, named) in [("eth9", "eth9"), ("=eth", "eth"), ("ens,ib", "ens,ib"), ("^lo,eth", "^lo,eth")] {
            assert_eq!(one("NCCL_SOCKET_IFNAME", value).as_deref(), Some(named));
        }
        assert_eq!(one("NCCL_IB_HCA", "mlx5"), None);
        assert_eq!(one("NCCL_IB_HCA", "=mlx5_0:1"), None);
        assert_eq!(one("NCCL_IB_HCA", "=mlx5_1:1,mlx5_2").as_deref(), Some("mlx5_1:1,mlx5_2"));
        assert_eq!(missing(&[("NCCL_IB_HCA", "bnxt"), ("NCCL_IB_DISABLE", "1")]), []);
    }

    #[test]
    fn gloo_takes_whole_names_and_needs_each() {
        assert_eq!(one("GLOO_SOCKET_IFNAME", "eth0"), None);
        assert_eq!(one("GLOO_SOCKET_IFNAME", "eth").as_deref(), Some("eth"));
        assert_eq!(one("GLOO_SOCKET_IFNAME", "^lo").as_deref(), Some("^lo"));
        assert_eq!(one("GLOO_SOCKET_IFNAME", "eth0,ib0").as_deref(), Some("ib0"));
    }

    #[test]
    fn ucx_takes_interfaces_and_adapters() {
        assert_eq!(one("UCX_NET_DEVICES", "mlx5_0:1"), None);
        assert_eq!(one("UCX_NET_DEVICES", "eth0,mlx5_9:1"), None);
        assert_eq!(one("UCX_NET_DEVICES", "mlx5_9:1").as_deref(), Some("mlx5_9:1"));
        assert_eq!(missing(&[("UCX_NET_DEVICES", "all")]), []);
    }

    #[test]
    fn a_host_is_missing_where_nobody_could_know_it() {
        for known in ["10.0.0.1", "::1", "localhost", "head", "HEAD.local"] {
            assert_eq!(one("MASTER_ADDR", known), None, "{known}");
        }
        assert_eq!(one("MASTER_ADDR", "$(HEAD)").as_deref(), Some("$(HEAD)"));
        assert_eq!(one("MASTER_ADDR", "nowhere").as_deref(), Some("nowhere"));
    }

    #[test]
    fn a_service_link_is_no_port_for_whoever_reads_that_name() {
        assert_eq!(one("VLLM_PORT", "tcp://10.0.0.7:80").as_deref(), Some("a port"));
        assert_eq!(one("VLLM_PORT", "8000"), None);
        assert_eq!(missing(&[("MLFLOW_PORT", "tcp://10.0.0.7:80"), ("REDIS_PORT", "tcp://10.0.0.8:1")]), []);
    }

    #[test]
    fn where_the_interfaces_cannot_be_read_nobody_is_accused() {
        let world = FakeRoot::of(&[("proc/self/net/dev/", "")], &[("NCCL_SOCKET_IFNAME", "eth9")]);
        assert!(find(&world, &Framework::default())[0].missing.is_unknown());
    }
}
