//! What the arguments of a Jupyter server say about port, address and authentication.

use super::jupyter_config::Configured;
use crate::facts::{Auth, Bind, Fact, GapKind};

/// Arguments of a Jupyter server.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Options {
    /// Port.
    pub port: Option<u16>,
    /// Address.
    pub ip: Option<String>,
    /// Path it is served under.
    pub base_url: Option<String>,
    /// Whether root is allowed.
    pub allow_root: bool,
    /// Whether a token or password stands there in the clear.
    pub holds_secret: bool,
    token: Option<Setting>,
    legacy_token: Option<Setting>,
    password: Option<Setting>,
    /// A configuration file or another identity provider decides.
    elsewhere: Option<String>,
}

/// What a trait is set to; the value itself is forgotten.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Setting {
    Empty,
    Filled,
    /// A variable that the shell would fill.
    Open,
}

impl Options {
    /// Reads arguments; the last value of an option wins, as in the server.
    pub fn read(args: &[String]) -> Self {
        let mut options = Self::default();
        let mut words = args.iter().peekable();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else { continue };
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                // `--port 8889`; but `--no-browser --port=…` has no value.
                None => (option, words.next_if(|next| !next.starts_with('-')).cloned()),
            };
            options.set(name, value.unwrap_or_default());
        }
        options
    }

    fn set(&mut self, name: &str, value: String) {
        let (class, field) = name.split_once('.').unwrap_or(("", name));
        // Kernels and gateways have ports and addresses of their own: `--KernelManager.ip=0.0.0.0`.
        let is_server = class.is_empty() || class.ends_with("App") || class.contains("SingleUser");
        match field.replace('-', "_").as_str() {
            "port" | "ip" | "base_url" | "allow_root" if !is_server => {}
            "port" => self.port = value.parse().ok().or(self.port),
            "ip" => self.ip = Some(value),
            "base_url" => self.base_url = Some(value),
            // A bare `--allow-root` sets it; the long form says how.
            "allow_root" => self.allow_root = class.is_empty() || !value.eq_ignore_ascii_case("false"),
            "token" => {
                let setting = Setting::of(&value);
                self.holds_secret |= setting == Setting::Filled;
                if matches!(class, "" | "IdentityProvider" | "PasswordIdentityProvider" | "ServerApp") {
                    self.token = Some(setting);
                } else {
                    self.legacy_token = Some(setting);
                }
            }
            "password" | "hashed_password" => {
                let setting = Setting::of(&value);
                self.holds_secret |= setting == Setting::Filled;
                self.password = Some(setting);
            }
            "config" | "config_file" | "identity_provider_class" => self.elsewhere = Some(format!("--{name}")),
            _ => {}
        }
    }

    /// From where the address can be reached; `None` when the arguments give none.
    pub fn bind(&self) -> Option<Fact<Bind>> {
        self.ip.as_deref().map(bind_of)
    }

    /// Whether the arguments switch authentication off or on; `None` when they leave it to the configuration.
    ///
    /// `configured` is what the configuration says, which may set the password that an empty token leaves over.
    ///
    /// Measured on `jupyter_server` 2.21: an empty token of `IdentityProvider` or `ServerApp` opens the server, an
    /// empty one of `NotebookApp` is ignored there, while older servers obey it.
    pub fn auth(&self, program: &str, configured: &Configured) -> Option<Fact<Auth>> {
        let required = Some(Fact::Known(Auth::Required));
        let unsaid = |what: &str| Some(Fact::unknown(GapKind::Malformed, what.to_owned()));
        let decides = self.elsewhere.as_ref().and_then(|option| unsaid(&format!("{option} decides")));
        if program.contains("singleuser") || program == "jupyter-labhub" {
            // JupyterHub asks in its own way, whatever the token.
            return decides.or(required);
        }
        match (self.token, self.password, self.legacy_token) {
            (Some(Setting::Filled), ..) | (_, Some(Setting::Filled), _) => required,
            (Some(Setting::Open), ..) | (_, Some(Setting::Open), _) => {
                unsaid("the token or password comes from a variable of the shell")
            }
            (Some(Setting::Empty), Some(Setting::Empty), _) if decides.is_none() => Some(Fact::Known(Auth::Open)),
            (Some(Setting::Empty), ..) => decides.or_else(|| match &configured.auth {
                Some(Fact::Unknown(gap)) => Some(Fact::Unknown(gap.clone())),
                _ if configured.password == Some(true) => required,
                _ => Some(Fact::Known(Auth::Open)),
            }),
            (None, _, Some(Setting::Empty | Setting::Open)) if program != "jupyter-server" => {
                unsaid("an empty NotebookApp.token opens old servers and is ignored by some newer ones")
            }
            _ => decides,
        }
    }
}

impl Setting {
    fn of(value: &str) -> Self {
        // Quotes come through where no shell took them off.
        match value.trim_matches(['\'', '"']) {
            "" => Self::Empty,
            // A hash has dollars of its own.
            value if ["argon2:", "sha1:", "sha256:"].iter().any(|kind| value.starts_with(kind)) => Self::Filled,
            value if is_open(value) => Self::Open,
            _ => Self::Filled,
        }
    }
}

/// Whether a value is filled in later, by the shell (`$A`, `` `a` ``) or by supervisord (`%(ENV_A)s`).
fn is_open(value: &str) -> bool {
    value.contains(['$', '`']) || value.contains("%(")
}

/// From where an address, as it stands in a configuration, can be reached.
pub fn bind_of(address: &str) -> Fact<Bind> {
    let address = address.trim_matches(['\'', '"', '[', ']']);
    if is_open(address) {
        return Fact::unknown(GapKind::Malformed, "the address comes from a variable of the shell");
    }
    Fact::Known(match address {
        "" | "*" | "0.0.0.0" | "::" | "0" => Bind::Any,
        "localhost" | "::1" => Bind::Loopback,
        other if other.starts_with("127.") => Bind::Loopback,
        _ => Bind::Specific,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Options {
        Options::read(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn both_spellings_of_an_option_are_read() {
        for text in ["--ip=0.0.0.0 --port=9000 --allow-root", "--no-browser --ip 0.0.0.0 --port 9000 --allow-root"] {
            let found = options(text);
            assert_eq!((found.port, found.allow_root), (Some(9000), true), "{text}");
            assert_eq!(found.bind(), Some(Fact::Known(Bind::Any)), "{text}");
        }
        let long = options("--ServerApp.ip=* --ServerApp.port=1 --ServerApp.allow_root=True --ServerApp.base_url=/nb/");
        assert_eq!((long.port, long.allow_root, long.base_url.as_deref()), (Some(1), true, Some("/nb/")));
        assert!(!options("--ServerApp.allow_root=False").allow_root);
        let kernels = options("--KernelManager.ip=0.0.0.0 --GatewayClient.port=5 --SingleUserNotebookApp.port=6");
        assert_eq!((kernels.ip, kernels.port), (None, Some(6)));
    }

    #[test]
    fn an_empty_token_opens_the_server_and_a_password_closes_it_again() {
        let auth = |text: &str| options(text).auth("jupyter-lab", &Configured::default());
        assert_eq!(auth("--IdentityProvider.token="), Some(Fact::Known(Auth::Open)));
        assert_eq!(auth("--IdentityProvider.token=''"), Some(Fact::Known(Auth::Open)));
        assert_eq!(auth("--ServerApp.token= --ServerApp.password="), Some(Fact::Known(Auth::Open)));
        assert_eq!(
            auth("--ServerApp.token= --ServerApp.password=argon2:$argon2id$x"),
            Some(Fact::Known(Auth::Required))
        );
        assert_eq!(auth("--IdentityProvider.token=abc"), Some(Fact::Known(Auth::Required)));
        assert_eq!(auth("--port=1"), None);
    }

    #[test]
    fn what_depends_on_something_else_is_not_guessed() {
        let unknown = |text: &str, program| {
            options(text).auth(program, &Configured::default()).is_some_and(|auth| auth.is_unknown())
        };
        assert!(unknown("--IdentityProvider.token=$TOKEN", "jupyter-lab"));
        assert!(unknown("--IdentityProvider.token=`cat`", "jupyter-lab"));
        assert!(unknown("--IdentityProvider.token=%(ENV_TOKEN)s", "jupyter-lab"));
        assert!(unknown("--NotebookApp.token=", "jupyter-notebook"));
        assert!(unknown("--NotebookApp.token=$TOKEN", "jupyter-lab"));
        assert!(unknown("--config=/x.py", "jupyter-lab"));
        assert!(unknown("--config=/x.py --IdentityProvider.token=", "jupyter-lab"));
        assert!(unknown("--ServerApp.token= --ServerApp.identity_provider_class=x", "jupyter-lab"));
        // Measured: jupyter_server 2 starts with a generated token.
        assert_eq!(options("--NotebookApp.token=").auth("jupyter-server", &Configured::default()), None);
    }

    #[test]
    fn a_configured_password_closes_a_server_whose_token_is_empty() {
        let auth = |text: &str, configured: &Configured| options(text).auth("jupyter-lab", configured);
        let with = Configured { password: Some(true), ..Configured::default() };
        assert_eq!(auth("--ServerApp.token=", &with), Some(Fact::Known(Auth::Required)));
        assert_eq!(auth("--ServerApp.token= --ServerApp.password=", &with), Some(Fact::Known(Auth::Open)));
        let python = Configured { auth: Some(Fact::unknown(GapKind::Malformed, "Python")), ..Configured::default() };
        assert!(auth("--ServerApp.token=", &python).is_some_and(|auth| auth.is_unknown()));
    }

    #[test]
    fn a_server_of_a_hub_asks_whatever_its_token() {
        let auth = options("--ServerApp.token=").auth("jupyterhub-singleuser", &Configured::default());
        assert_eq!(auth, Some(Fact::Known(Auth::Required)));
    }

    #[test]
    fn a_secret_is_noticed_and_not_kept() {
        let found = options("--IdentityProvider.token=hunter2");
        assert!(found.holds_secret);
        assert!(!format!("{found:?}").contains("hunter2"));
        assert!(!options("--IdentityProvider.token=").holds_secret);
    }

    #[test]
    fn an_address_says_who_can_reach_it() {
        assert_eq!(bind_of("127.0.0.1"), Fact::Known(Bind::Loopback));
        assert_eq!(bind_of("10.0.0.5"), Fact::Known(Bind::Specific));
        assert_eq!(bind_of("[::]"), Fact::Known(Bind::Any));
        assert!(bind_of("$HOST").is_unknown() && bind_of("%(ENV_HOST)s").is_unknown());
    }
}
