//! The arguments of a Jupyter server: port, address, and whether a token or password is given.
//!
//! What they come to together with configuration files is decided in [`crate::probe::startup`].

use super::address::is_filled_in_later;

/// The port that Jupyter takes unless told otherwise.
pub const PORT: u16 = 8888;

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
    /// The token.
    pub token: Option<Setting>,
    /// The option that set it, without the dashes.
    pub token_name: Option<String>,
    /// The token under the name that the classic notebook had for it.
    pub legacy_token: Option<Setting>,
    /// The password.
    pub password: Option<Setting>,
    /// The option by which a configuration file or another identity provider decides.
    pub elsewhere: Option<String>,
}

/// What a trait is set to; the value itself is forgotten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// To nothing.
    Empty,
    /// To something.
    Filled,
    /// To a variable that the shell would fill.
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
                    self.token_name = Some(name.to_owned());
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
}

impl Setting {
    fn of(value: &str) -> Self {
        // Quotes come through where no shell took them off.
        match value.trim_matches(['\'', '"']) {
            "" => Self::Empty,
            // A hash has dollars of its own.
            value if ["argon2:", "sha1:", "sha256:"].iter().any(|kind| value.starts_with(kind)) => Self::Filled,
            value if is_filled_in_later(value) => Self::Open,
            _ => Self::Filled,
        }
    }
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
            assert_eq!(found.ip.as_deref(), Some("0.0.0.0"), "{text}");
        }
        let long = options("--ServerApp.ip=* --ServerApp.port=1 --ServerApp.allow_root=True --ServerApp.base_url=/nb/");
        assert_eq!((long.port, long.allow_root, long.base_url.as_deref()), (Some(1), true, Some("/nb/")));
        assert!(!options("--ServerApp.allow_root=False").allow_root);
        let kernels = options("--KernelManager.ip=0.0.0.0 --GatewayClient.port=5 --SingleUserNotebookApp.port=6");
        assert_eq!((kernels.ip, kernels.port), (None, Some(6)));
    }

    #[test]
    fn a_secret_is_noticed_and_not_kept() {
        let found = options("--IdentityProvider.token=hunter2");
        assert!(found.holds_secret);
        assert!(!format!("{found:?}").contains("hunter2"));
        assert!(!options("--IdentityProvider.token=").holds_secret);
    }
}
