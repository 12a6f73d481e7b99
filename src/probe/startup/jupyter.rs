//! What a Jupyter server will do that is started with certain arguments, beside what its configuration files say.

use super::jupyter_config::Configured;
use super::shell;
use crate::facts::{Auth, Bind, DeclaredKind, DeclaredService, Fact, GapKind, cut};
use crate::probe::services::address::bind_of;
use crate::probe::services::jupyter_args::{Options, PORT, Setting};
use crate::probe::services::program::Started;
use crate::world::World;

/// Port, address, authentication and root of a server that is started like this. Who starts it, and whether it runs, is
/// for the caller to say.
pub fn server(world: &World, started: &Started, configured: &Configured) -> DeclaredService {
    let mut args = started.args.clone();
    // The start scripts of the Jupyter images take more arguments from there.
    let more = world.env("NOTEBOOK_ARGS").filter(|_| started.program.starts_with("start-"));
    args.extend(more.iter().flat_map(|more| shell::commands(more)).flatten());
    let options = Options::read(&args);
    let bind = options.ip.as_deref().map(bind_of).or_else(|| configured.bind.clone());
    let by_arguments = auth(&options, &started.program, configured);
    let opened_by = opened_by(by_arguments.as_ref(), &options, configured);
    let auth = by_arguments.or_else(|| configured.auth.clone());
    DeclaredService {
        kind: DeclaredKind::Jupyter,
        port: options.port.unwrap_or(PORT),
        bind: bind.unwrap_or_else(|| unnamed(world, &started.program)),
        // Without a setting the server makes up a token.
        auth: auth.unwrap_or(Fact::Known(Auth::Required)),
        opened_by,
        allow_root: Fact::Known(options.allow_root),
        ..DeclaredService::default()
    }
}

/// The address where neither the arguments nor a file that is here names one: loopback, but for the images of Jupyter, whose
/// own file names every address, and for files that may be there and are not in the text.
fn unnamed(world: &World, program: &str) -> Fact<Bind> {
    if !world.may_hold_more() {
        return Fact::Known(Bind::Loopback);
    }
    if program.starts_with("start-") {
        return Fact::Known(Bind::Any);
    }
    Fact::unknown(GapKind::NotSupported, "no address is named, and a file of the base image may name one")
}

/// What switches authentication off, in the words of who wrote it: a remedy that names another setting finds nothing.
fn opened_by(by_arguments: Option<&Fact<Auth>>, options: &Options, configured: &Configured) -> Fact<String> {
    let place = match (by_arguments, &configured.auth) {
        (Some(Fact::Known(Auth::Open)), _) => {
            options.token_name.as_ref().map(|name| format!("{name} is empty in its arguments"))
        }
        (None, Some(Fact::Known(Auth::Open))) => configured.opened_by.clone(),
        _ => None,
    };
    Fact::present(place.map(|place| cut(&place)))
}

/// Whether the arguments switch authentication off or on; `None` when they leave it to the configuration.
///
/// `configured` is what the configuration says, which may set the password that an empty token leaves over.
///
/// Measured on `jupyter_server` 2.21: an empty token of `IdentityProvider` or `ServerApp` opens the server, an
/// empty one of `NotebookApp` is ignored there, while older servers obey it.
fn auth(options: &Options, program: &str, configured: &Configured) -> Option<Fact<Auth>> {
    let required = Some(Fact::Known(Auth::Required));
    let unsaid = |what: &str| Some(Fact::unknown(GapKind::Malformed, what.to_owned()));
    let decides = options.elsewhere.as_ref().and_then(|option| unsaid(&format!("{option} decides")));
    if program.contains("singleuser") || program == "jupyter-labhub" {
        // JupyterHub asks in its own way, whatever the token.
        return decides.or(required);
    }
    match (options.token, options.password, options.legacy_token) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str, program: &str, configured: &Configured) -> Option<Fact<Auth>> {
        auth(&Options::read(&text.split(' ').map(str::to_owned).collect::<Vec<_>>()), program, configured)
    }

    #[test]
    fn an_empty_token_opens_the_server_and_a_password_closes_it_again() {
        let auth = |text: &str| given(text, "jupyter-lab", &Configured::default());
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
        let unknown =
            |text: &str, program| given(text, program, &Configured::default()).is_some_and(|auth| auth.is_unknown());
        assert!(unknown("--IdentityProvider.token=$TOKEN", "jupyter-lab"));
        assert!(unknown("--IdentityProvider.token=`cat`", "jupyter-lab"));
        assert!(unknown("--IdentityProvider.token=%(ENV_TOKEN)s", "jupyter-lab"));
        assert!(unknown("--NotebookApp.token=", "jupyter-notebook"));
        assert!(unknown("--NotebookApp.token=$TOKEN", "jupyter-lab"));
        assert!(unknown("--config=/x.py", "jupyter-lab"));
        assert!(unknown("--config=/x.py --IdentityProvider.token=", "jupyter-lab"));
        assert!(unknown("--ServerApp.token= --ServerApp.identity_provider_class=x", "jupyter-lab"));
        // Measured: jupyter_server 2 starts with a generated token.
        assert_eq!(given("--NotebookApp.token=", "jupyter-server", &Configured::default()), None);
    }

    #[test]
    fn a_configured_password_closes_a_server_whose_token_is_empty() {
        let auth = |text: &str, configured: &Configured| given(text, "jupyter-lab", configured);
        let with = Configured { password: Some(true), ..Configured::default() };
        assert_eq!(auth("--ServerApp.token=", &with), Some(Fact::Known(Auth::Required)));
        assert_eq!(auth("--ServerApp.token= --ServerApp.password=", &with), Some(Fact::Known(Auth::Open)));
        let python = Configured { auth: Some(Fact::unknown(GapKind::Malformed, "Python")), ..Configured::default() };
        assert!(auth("--ServerApp.token=", &python).is_some_and(|auth| auth.is_unknown()));
    }

    #[test]
    fn a_server_of_a_hub_asks_whatever_its_token() {
        let auth = given("--ServerApp.token=", "jupyterhub-singleuser", &Configured::default());
        assert_eq!(auth, Some(Fact::Known(Auth::Required)));
    }
}
