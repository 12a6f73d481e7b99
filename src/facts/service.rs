//! The services behind the ports, and those declared but not running yet.

use super::Fact;
use super::network::Bind;
use super::shape::{record, words};

words! {
    /// Whether a service asks who one is.
    pub enum Auth {
        /// It answers anyone.
        Open = "open",
        /// It asks.
        Required = "required",
    }

    /// What starts a declared service.
    pub enum DeclaredBy {
        /// The command that `exec` will start.
        Command = "command",
        /// A runit `run` script.
        Runit = "runit",
        /// An s6 service or s6-rc definition.
        S6 = "s6",
        /// A supervisord program.
        Supervisord = "supervisord",
        /// An enabled systemd unit.
        Systemd = "systemd",
    }

    /// What a declared service is.
    pub enum DeclaredKind {
        /// Jupyter notebook, lab or server.
        Jupyter = "jupyter",
        /// sshd or dropbear.
        Ssh = "ssh",
    }

    /// What sshd allows root.
    pub enum RootLogin {
        /// Keys only, the default.
        ProhibitPassword = "prohibit-password",
        /// Passwords too.
        Yes = "yes",
        /// Not at all.
        No = "no",
        /// Only for forced commands.
        ForcedCommandsOnly = "forced-commands-only",
    }

    /// How a page of metrics is written.
    pub enum MetricsFormat {
        /// The text format of Prometheus, version 0.0.4.
        Prometheus = "prometheus",
        /// `OpenMetrics`, which ends in `# EOF`.
        OpenMetrics = "openmetrics",
    }

    /// State of a password field.
    pub enum PasswordState {
        /// No password login is possible.
        Locked = "locked",
        /// A password is set.
        Set = "set",
        /// The empty password lets one in.
        Empty = "empty",
    }
}

record! {
    /// The services behind the ports, and those declared but not running yet.
    pub struct Services {
        /// Jupyter servers found among the listeners. Unknown when none was found, something on port 8888 could not
        /// be recognised, and nobody can see whose it is.
        pub jupyter: Fact<Vec<Jupyter>>,
        /// SSH servers found among the listeners: by their banner, or by the name of their process. Unknown when none was
        /// found, something on port 22 or 2222 shows no banner, and nobody can see whose it is.
        pub ssh: Fact<Vec<Ssh>>,
        /// Listeners on the ports of Jupyter and SSH (8888, 22, 2222) that could not be recognised as anything: silent,
        /// behind TLS, or bound to an address that is not contacted.
        pub undecided: Fact<Vec<Undecided>>,
        /// What holds for the SSH servers that run or are declared, from their arguments and files; without any, what
        /// `/etc/ssh/sshd_config` says. Absent when there is none.
        pub sshd_config: Fact<SshdConfig>,
        /// Whether an SSH server runs or is declared. Derived.
        pub ssh_expected: Fact<bool>,
        /// Private host keys under `/etc/ssh`.
        pub ssh_host_keys: Fact<Vec<HostKey>>,
        /// State of root's password in `/etc/shadow`.
        pub root_password: Fact<PasswordState>,
        /// Accounts with a password in `/etc/shadow` whose shell lets one in, by name; only root can read them.
        pub password_accounts: Fact<Vec<String>>,
        /// Services that something here will start.
        pub declared: Fact<Vec<DeclaredService>>,
        /// Servers of processes of this container that answer plain HTTP on loopback: Jupyter, and whatever else listens
        /// below the ports that the kernel gives out. At most eight are asked, and only in phase `live`.
        pub web: Fact<Vec<WebServer>>,
        /// Whether one of them, Jupyter aside, answers one of the paths under which servers conventionally tell their health,
        /// whatever the status. Unknown where none does and one could not be asked, speaks TLS or HTTP/2, asks who one is,
        /// or answers every path alike.
        pub health_answered: Fact<bool>,
        /// Whether one of them, Jupyter aside, answers `/metrics` with metrics; unknown likewise.
        pub metrics_served: Fact<bool>,
    }

    /// A server that answers plain HTTP.
    pub struct WebServer {
        /// Port.
        pub port: u16,
        /// Address it is bound to.
        pub address: String,
        /// From where it can be reached.
        pub bind: Bind,
        /// Name of its process.
        pub process: Fact<String>,
        /// Whether it is Jupyter, which is not asked for its health.
        pub is_jupyter: bool,
        /// The path that tells its health: the first of `/healthz`, `/health`, `/readyz`, `/livez`, `/v1/models`,
        /// `/v2/health/ready`, `/ping` that it answers with 200 to 299, else with 429 or a status from 500 on.
        pub health_path: Fact<String>,
        /// The status of that answer.
        pub health_status: Fact<u16>,
        /// Milliseconds from the connection to the whole of that answer.
        pub health_ms: Fact<f64>,
        /// How its `/metrics` is written; absent where there is none.
        pub metrics_format: Fact<MetricsFormat>,
        /// Metrics by name, in the first 256 KiB.
        pub metric_count: Fact<u64>,
        /// Whether the name of one says that it is of a GPU.
        pub gpu_metrics: Fact<bool>,
        /// Whether the name of one says that it is the time that requests take.
        pub latency_metrics: Fact<bool>,
    }

    /// One Jupyter server.
    pub struct Jupyter {
        /// Port.
        pub port: u16,
        /// Address it is bound to.
        pub address: String,
        /// From where it can be reached.
        pub bind: Bind,
        /// User that made the socket.
        pub uid: Fact<u32>,
        /// Path it is served under, `/` or `base_url`.
        pub base_url: String,
        /// Version that `GET <base>/api` gives.
        pub version: Fact<String>,
        /// Whether `GET <base>/api/me` is answered without a token (200 open, 403 required), with
        /// `GET <base>/api` as the control.
        pub auth: Fact<Auth>,
        /// Whether a secret stands on the command line or in a file others may read.
        pub secret_exposed: Fact<bool>,
        /// Whether the folder of its notebooks, from its arguments or where it was started, lies on a mount of its own, and
        /// so outlives the container; absent where no process of this container holds the port.
        pub work_kept: Fact<bool>,
    }

    /// One SSH server.
    pub struct Ssh {
        /// Port.
        pub port: u16,
        /// Address it is bound to.
        pub address: String,
        /// From where it can be reached.
        pub bind: Bind,
        /// The first line it sends, at most 255 bytes.
        pub banner: Fact<String>,
    }

    /// A listener of which it could not be learnt what it is.
    pub struct Undecided {
        /// Port.
        pub port: u16,
        /// Address it is bound to.
        pub address: String,
        /// From where it can be reached.
        pub bind: Bind,
        /// User that made the socket.
        pub uid: Fact<u32>,
        /// Why it could not be learnt.
        pub reason: String,
    }

    /// The global part of the sshd configuration; the first value of a keyword wins.
    pub struct SshdConfig {
        /// The file that was read first.
        pub path: String,
        /// What root may do: `PermitRootLogin`, default `prohibit-password`.
        pub root_login: Fact<RootLogin>,
        /// Whether a password lets one in: `PasswordAuthentication`, default yes, or keyboard-interactive through PAM,
        /// unless `AuthenticationMethods` asks for more.
        pub password_login: Fact<bool>,
        /// Whether empty passwords let one in: `PermitEmptyPasswords`, default no.
        pub empty_passwords: Fact<bool>,
        /// Ports: Port, default 22.
        pub ports: Vec<u16>,
        /// How many `Match` blocks change something for some connections. What one lets in beyond the rest makes the
        /// above unknown.
        pub match_blocks: u32,
    }

    /// A private host key of sshd.
    pub struct HostKey {
        /// The file.
        pub path: String,
        /// Whether it is older than process 1, so that every container of the image shares it.
        pub baked: Fact<bool>,
    }

    /// A service that something here will start.
    pub struct DeclaredService {
        /// What it is.
        pub kind: DeclaredKind,
        /// What starts it.
        pub by: DeclaredBy,
        /// The file, or `command`.
        pub path: String,
        /// Port it will listen on, from its arguments or the default.
        pub port: u16,
        /// From where it will be reachable, from its arguments and configuration; unknown when they do not say.
        pub bind: Fact<Bind>,
        /// Whether its arguments switch authentication off.
        pub auth: Fact<Auth>,
        /// The setting that switches authentication off, and where it stands; absent where none does.
        pub opened_by: Fact<String>,
        /// Whether its arguments allow root.
        pub allow_root: Fact<bool>,
        /// Whether such a service listens already.
        pub running: Fact<bool>,
        /// Whether its supervisor starts it again and again: runit's or s6's `supervise/status` beside its script changed
        /// less than 5 s ago, while process 1 is older than 20 s. Absent where no such file is.
        pub keeps_ending: Fact<bool>,
    }
}
