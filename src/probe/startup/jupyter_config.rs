//! What Jupyter's configuration files say, for servers that do not run yet.
//!
//! JSON is read. A Python file cannot be evaluated: when it touches a setting,
//! that setting is unknown.

use serde_json::Value;

use crate::facts::{Auth, Bind, Fact, Gap, GapKind};
use crate::probe::paths::absolute_once;
use crate::probe::services::address::bind_of;
use crate::world::World;

/// Names of the files, the more specific ones last, as the server overrides them.
const FILES: [&str; 4] = ["jupyter_config", "jupyter_server_config", "jupyter_notebook_config", "jupyter_lab_config"];

/// What the configuration settles; `None` where it leaves the default.
#[derive(Debug, Default)]
pub struct Configured {
    /// Whether authentication is on.
    pub auth: Option<Fact<Auth>>,
    /// What switches it off, where something does: the setting and its file.
    pub opened_by: Option<String>,
    /// Whether a password is set, which closes a server whose token is empty.
    pub password: Option<bool>,
    /// The address.
    pub bind: Option<Fact<Bind>>,
}

/// Reads the files in the folders where a server of this environment looks.
pub fn read(world: &World) -> Configured {
    let mut configured = Configured::default();
    let (mut token, mut password) = (None, None);
    for folder in folders(world) {
        for file in FILES {
            let path = format!("{folder}/{file}.json");
            match world.read(&path).map(|text| serde_json::from_str::<Value>(&text)) {
                Fact::Known(Ok(value)) => {
                    let text = |classes: &[&str], field: &str| {
                        classes.iter().find_map(|class| value.get(class)?.get(field)?.as_str().map(str::to_owned))
                    };
                    let classes = ["ServerApp", "NotebookApp"];
                    let gap = |what: &str| Gap::new(GapKind::Malformed, format!("{path}: {what}"));
                    if value.get("ServerApp").is_some_and(|app| app.get("identity_provider_class").is_some()) {
                        configured.auth = Some(Fact::Unknown(gap("another identity provider decides")));
                    }
                    if text(&["NotebookApp", "LabApp"], "token").is_some_and(|token| token.is_empty()) {
                        let what = "an empty NotebookApp.token opens old servers and is ignored by some newer ones";
                        configured.auth = Some(Fact::Unknown(gap(what)));
                    }
                    for class in ["ServerApp", "IdentityProvider"] {
                        let Some(set) = text(&[class], "token") else { continue };
                        token = Some(!set.is_empty());
                        configured.opened_by = set.is_empty().then(|| format!("{class}.token is empty in {path}"));
                    }
                    let hash = text(&["PasswordIdentityProvider"], "hashed_password");
                    password = hash.or_else(|| text(&classes, "password")).map(|t| !t.is_empty()).or(password);
                    configured.bind = text(&classes, "ip").map(|ip| bind_of(&ip)).or(configured.bind);
                }
                Fact::Known(Err(_)) => configured.blind(&Gap::new(GapKind::Malformed, format!("{path}: no JSON"))),
                Fact::Unknown(gap) => configured.blind(&gap),
                Fact::Absent => {}
            }
            let path = format!("{folder}/{file}.py");
            match world.read(&path) {
                Fact::Known(text) => configured.python(&text, &path),
                Fact::Unknown(gap) => configured.blind(&gap),
                Fact::Absent => {}
            }
        }
    }
    configured.password = password;
    if configured.auth.is_none() {
        configured.auth = match (token, password) {
            (Some(true), _) | (_, Some(true)) => Some(Fact::Known(Auth::Required)),
            (Some(false), _) => Some(Fact::Known(Auth::Open)),
            _ => token_file(world),
        };
        if token.is_none() && configured.auth == Some(Fact::Known(Auth::Open)) {
            configured.opened_by = Some("the file that JUPYTER_TOKEN_FILE names is empty".to_owned());
        }
    }
    configured
}

/// The token file that the environment names, and whether it holds anything: an empty one opens the server.
fn token_file(world: &World) -> Option<Fact<Auth>> {
    let set = |name| world.env(name).filter(|value| !value.is_empty());
    if set("JUPYTER_TOKEN").is_some() {
        return None;
    }
    match world.read(set("JUPYTER_TOKEN_FILE")?) {
        Fact::Known(text) => Some(Fact::Known(if text.is_empty() { Auth::Open } else { Auth::Required })),
        Fact::Absent => None, // the server does not start without it
        Fact::Unknown(gap) => Some(Fact::Unknown(gap)),
    }
}

impl Configured {
    fn blind(&mut self, gap: &Gap) {
        self.auth.get_or_insert_with(|| Fact::Unknown(gap.clone()));
        self.bind.get_or_insert_with(|| Fact::Unknown(gap.clone()));
    }

    fn python(&mut self, text: &str, path: &str) {
        let lines = || text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let mentions = |what: &[&str]| lines().any(|line| what.iter().any(|word| line.contains(word)));
        let sets_address = lines().any(|line| {
            let is_assigned =
                line.split_once('=').is_some_and(|(left, _)| left.trim().rsplit('.').next() == Some("ip"));
            is_assigned || ["'ip'", "\"ip\"", "(ip=", " ip="].iter().any(|how| line.contains(how))
        });
        let gap = |what: &str| Gap::new(GapKind::Malformed, format!("{path} sets {what}, and Python is not evaluated"));
        // There are many ways to set something in Python, so a word is enough to doubt, and so is another file.
        let other_file = mentions(&["load_subconfig", "exec("]);
        if other_file || mentions(&["token", "password", "identity_provider"]) {
            self.auth = Some(Fact::Unknown(gap("the token or password")));
        }
        if other_file || sets_address {
            self.bind = Some(Fact::Unknown(gap("the address")));
        }
    }
}

/// Folders of configuration, from the least to the most important.
fn folders(world: &World) -> Vec<String> {
    if world.env("JUPYTER_NO_CONFIG").is_some_and(|value| !value.is_empty()) {
        return Vec::new();
    }
    let mut folders = vec!["/etc/jupyter".to_owned(), "/usr/local/etc/jupyter".to_owned()];
    let prefixes = [Some("/opt/conda".to_owned()), world.env("CONDA_PREFIX"), world.env("VIRTUAL_ENV")];
    folders.extend(prefixes.into_iter().flatten().map(|prefix| format!("{prefix}/etc/jupyter")));
    // The program looks under the prefix that it is installed in.
    let path = world.env("PATH").unwrap_or_default();
    let prefixes = path.split(':').filter_map(|folder| folder.trim_end_matches('/').strip_suffix("/bin"));
    folders.extend(prefixes.filter(|prefix| prefix.len() > 1).map(|prefix| format!("{prefix}/etc/jupyter")));
    if let Some(home) = world.env("HOME") {
        folders.push(format!("{home}/.local/etc/jupyter"));
        // A folder of the environment takes the place of the user's own.
        if world.env("JUPYTER_CONFIG_DIR").is_none_or(|folder| folder.is_empty()) {
            folders.extend([".config/jupyter", ".jupyter"].map(|folder| format!("{home}/{folder}")));
        }
    }
    let listed = world.env("JUPYTER_CONFIG_PATH").unwrap_or_default();
    folders.extend(listed.split(':').rev().map(str::to_owned));
    folders.extend(world.env("JUPYTER_CONFIG_DIR"));
    // The more important place of a folder is the later one.
    folders.reverse();
    let mut folders = absolute_once(folders);
    folders.reverse();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn configured(path: &str, text: &str) -> Configured {
        configured_with(&[], path, text)
    }

    fn configured_with(more: &[(&str, &str)], path: &str, text: &str) -> Configured {
        let always = [("HOME", "/home/u"), ("PATH", "/v/bin:/bin"), ("JUPYTER_CONFIG_PATH", "/a:/b")];
        read(&FakeRoot::of(&[(path, text)], &[&always, more].concat()))
    }

    #[test]
    fn json_settles_authentication_and_address() {
        let found = configured(
            "home/u/.jupyter/jupyter_server_config.json",
            r#"{"IdentityProvider": {"token": ""}, "ServerApp": {"ip": "0.0.0.0"}}"#,
        );
        assert_eq!(found.auth, Some(Fact::Known(Auth::Open)));
        let said = "IdentityProvider.token is empty in /home/u/.jupyter/jupyter_server_config.json";
        assert_eq!(found.opened_by.as_deref(), Some(said));
        assert_eq!(found.bind, Some(Fact::Known(Bind::Any)));
        let hashed = r#"{"IdentityProvider": {"token": ""}, "PasswordIdentityProvider": {"hashed_password": "x"}}"#;
        let found = configured("etc/jupyter/jupyter_server_config.json", hashed);
        assert_eq!(found.auth, Some(Fact::Known(Auth::Required)));
    }

    #[test]
    fn python_makes_unknown_what_it_touches() {
        let path = "etc/jupyter/jupyter_server_config.py";
        let found = configured(path, "c = get_config()\n# c.IdentityProvider.token = ''\nc.ServerApp.ip = '*'\n");
        assert_eq!(found.auth, None);
        assert!(found.bind.is_some_and(|bind| bind.is_unknown()));
        assert!(configured(path, "c.NotebookApp.token = ''\n").auth.is_some_and(|auth| auth.is_unknown()));
    }

    #[test]
    fn every_way_to_set_something_in_python_is_doubted() {
        let path = "home/u/.jupyter/jupyter_lab_config.py";
        for text in [
            "c.ServerApp.token = ''",
            "c['ServerApp']['token'] = ''",
            "c.IdentityProvider.update(token='')",
            "setattr(c.ServerApp, 'token', '')",
            "load_subconfig('other.py')",
        ] {
            assert!(configured(path, text).auth.is_some_and(|auth| auth.is_unknown()), "{text}");
        }
        for text in ["c['ServerApp']['ip'] = '*'", "c.ServerApp.update(ip='*')", "load_subconfig('other.py')"] {
            assert!(configured(path, text).bind.is_some_and(|bind| bind.is_unknown()), "{text}");
        }
        let found = configured(path, "c.ServerApp.open_browser = False\nc.ServerApp.description = 'x'\n");
        assert!(found.auth.is_none() && found.bind.is_none());
    }

    #[test]
    fn every_folder_of_configuration_is_read() {
        let open = r#"{"IdentityProvider": {"token": ""}}"#;
        for folder in ["v/etc/jupyter", "a", "b", "home/u/.config/jupyter", "home/u/.local/etc/jupyter"] {
            let found = configured(&format!("{folder}/jupyter_lab_config.json"), open);
            assert_eq!(found.auth, Some(Fact::Known(Auth::Open)), "{folder}");
        }
    }

    #[test]
    fn a_folder_of_the_environment_takes_the_place_of_the_users_own() {
        let open = r#"{"IdentityProvider": {"token": ""}}"#;
        let own = "home/u/.jupyter/jupyter_server_config.json";
        let instead = [("JUPYTER_CONFIG_DIR", "/c")];
        assert_eq!(configured_with(&instead, own, open).auth, None);
        let auth = configured_with(&instead, "c/jupyter_server_config.json", open).auth;
        assert_eq!(auth, Some(Fact::Known(Auth::Open)));
        assert_eq!(configured_with(&[("JUPYTER_NO_CONFIG", "1")], own, open).auth, None);
    }

    #[test]
    fn an_empty_token_file_opens_the_server_unless_the_token_itself_is_given() {
        let file = ("JUPYTER_TOKEN_FILE", "/run/token");
        let auth = |more: &[(&str, &str)], text: &str| configured_with(more, "run/token", text).auth;
        assert_eq!(auth(&[file], ""), Some(Fact::Known(Auth::Open)));
        assert_eq!(auth(&[file], "abc"), Some(Fact::Known(Auth::Required)));
        assert_eq!(auth(&[file, ("JUPYTER_TOKEN", "abc")], ""), None);
        assert_eq!(auth(&[file, ("JUPYTER_TOKEN", "")], ""), Some(Fact::Known(Auth::Open)));
        assert_eq!(auth(&[("JUPYTER_TOKEN_FILE", "/nothing")], ""), None);
        assert!(auth(&[("JUPYTER_TOKEN_FILE", "/run")], "").is_some_and(|auth| auth.is_unknown()));
    }

    #[test]
    fn what_only_some_servers_obey_is_unknown() {
        for text in
            [r#"{"NotebookApp": {"token": ""}}"#, r#"{"ServerApp": {"identity_provider_class": "x", "token": ""}}"#]
        {
            let found = configured("etc/jupyter/jupyter_notebook_config.json", text);
            assert!(found.auth.is_some_and(|auth| auth.is_unknown()), "{text}");
        }
    }

    #[test]
    fn garbage_and_refusal_are_unknown_and_nothing_is_the_default() {
        let auth = |path: &str, text: &str| configured(path, text).auth;
        assert!(auth("etc/jupyter/jupyter_server_config.json", "{").is_some_and(|auth| auth.is_unknown()));
        assert!(auth("etc/jupyter/jupyter_server_config.py/x", "").is_some_and(|auth| auth.is_unknown()));
        assert_eq!(auth("etc/jupyter/other.json", "{"), None);
        assert_eq!(auth("etc/jupyter/jupyter_config.json", "[1]"), None);
    }
}
