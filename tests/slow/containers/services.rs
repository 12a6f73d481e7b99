//! Real Jupyter and real sshd, and processes with hostile names.

use serde_json::Value;

use crate::support::docker::{BASE, Container, DEV, PATIENT, Recipe, available, text};
use crate::support::report::Report;

/// Hashes a password as `jupyter server password` does.
const HASH: &str = "from jupyter_server.auth import passwd; print(passwd('a long passphrase', 'sha1'))";

/// A development container with Jupyter on port 8888, started with these arguments.
fn jupyter(arguments: &str) -> Container {
    let command = format!("exec jupyter-server --allow-root --no-browser --port=8888 {arguments}");
    let container = Recipe::plain(DEV).start(&["sh", "-c", &command]);
    container.until_listening(8888);
    container
}

/// The one Jupyter server of a report.
fn the_jupyter(report: &Report) -> &Value {
    let servers = report.fact("services.jupyter").as_array().expect("servers");
    assert_eq!(servers.len(), 1, "{servers:?}");
    &servers[0]
}

/// What a Jupyter started with these arguments is said to be, to root and to a user beside it.
fn assert_jupyter(arguments: &str, auth: &str, bind: &str, base_url: &str) {
    let container = jupyter(arguments);
    let report = container.check(&["--no-gpu"]);
    let server = the_jupyter(&report);
    assert_eq!(server["port"], 8888);
    assert_eq!(server["auth"], auth, "{server}");
    assert_eq!(server["bind"], bind, "{server}");
    assert_eq!(server["base_url"], base_url, "{server}");
    assert_eq!(server["uid"], 0, "{server}");
    assert_eq!(server["version"], "2.21.1", "{server}");
    let (applies, spared) = match bind {
        "loopback" => ("service.jupyter-loopback-authenticated", "service.jupyter-authenticated"),
        _ => ("service.jupyter-authenticated", "service.jupyter-loopback-authenticated"),
    };
    let expected = if auth == "open" { "fails" } else { "holds" };
    assert_eq!(report.outcomes(applies), [expected], "{}", report.troubles());
    assert_eq!(report.outcomes(spared), ["not-applicable"], "{}", report.troubles());
    assert_eq!(report.verdict(), "not-ready");

    let stranger = ["setpriv", "--reuid=1001", "--regid=1001", "--clear-groups", "--bounding-set=-all"];
    let check = ["gpu-preflight", "check", PATIENT, "--no-gpu", "--format=json", "--verbose"];
    let report = Report::read(&container.exec(&[&stranger[..], &check[..]].concat()));
    let server = the_jupyter(&report);
    assert_eq!(server["auth"], auth, "as a user: {server}");
    assert_eq!(server["uid"], 0, "the socket table tells every user: {server}");
}

#[test]
fn jupyter_with_its_default_token_asks_who_one_is() {
    if available() {
        assert_jupyter("--ip=0.0.0.0", "required", "any", "/");
    }
}

#[test]
fn jupyter_with_an_empty_token_is_open() {
    if available() {
        assert_jupyter("--ip=0.0.0.0 --IdentityProvider.token=''", "open", "any", "/");
    }
}

#[test]
fn jupyter_with_a_password_asks_who_one_is() {
    if available() {
        let password = format!("--PasswordIdentityProvider.hashed_password=$(/opt/jupyter/bin/python -c \"{HASH}\")");
        assert_jupyter(&format!("--ip=0.0.0.0 \"{password}\""), "required", "any", "/");
    }
}

#[test]
fn an_open_jupyter_is_found_under_its_base_url() {
    if available() {
        assert_jupyter("--ip=0.0.0.0 --IdentityProvider.token='' --ServerApp.base_url=/nb/", "open", "any", "/nb/");
    }
}

#[test]
fn an_open_jupyter_on_loopback_is_open_to_this_container_only() {
    if available() {
        assert_jupyter("--ip=127.0.0.1 --IdentityProvider.token=''", "open", "loopback", "/");
    }
}

#[test]
fn sshd_is_known_by_its_banner_and_its_configuration() {
    if !available() {
        return;
    }
    let container = Recipe::plain(DEV).start(&["/usr/sbin/sshd", "-D", "-e"]);
    container.until_listening(22);
    let report = container.check(&["--no-gpu"]);
    let server = &report.fact("services.ssh")[0];
    assert_eq!(server["port"], 22);
    assert!(server["banner"].as_str().is_some_and(|banner| banner.starts_with("SSH-2.0-OpenSSH_9.2")), "{server}");
    assert_eq!(report.fact("services.sshd_config.root_login"), "prohibit-password");
    assert_eq!(report.fact("services.sshd_config.password_login"), true);
    assert_eq!(report.fact("services.root_password"), "locked");
    // One listener for each address family.
    assert_eq!(report.outcomes("service.ssh-absent"), ["fails"; 2], "{}", report.troubles());
    let keys = report.fact("services.ssh_host_keys").as_array().expect("keys");
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(keys.iter().all(|key| key["baked"] == true), "{keys:?}");
    assert_eq!(report.outcomes("service.ssh-host-keys-unique"), ["fails"; 3], "{}", report.troubles());
}

#[test]
fn the_first_value_of_a_keyword_wins_as_sshd_reads_it() {
    if !available() {
        return;
    }
    let script = "printf 'PermitRootLogin yes\\nPasswordAuthentication no\\n' >/etc/ssh/sshd_config.d/a.conf
        printf 'PermitRootLogin no\\nPermitEmptyPasswords yes\\nMatch User x\\nPermitRootLogin no\\n' \
            >>/etc/ssh/sshd_config
        exec /usr/sbin/sshd -D -e";
    let container = Recipe::plain(DEV).start(&["sh", "-c", script]);
    container.until_listening(22);
    let report = container.check(&["--no-gpu"]);
    // sshd itself is the oracle.
    let oracle = container.output(&["/usr/sbin/sshd", "-T"]);
    let says = |line: &str| oracle.lines().any(|given| given == line);
    assert!(says("permitrootlogin yes") && says("passwordauthentication no") && says("permitemptypasswords yes"));
    assert_eq!(report.fact("services.sshd_config.root_login"), "yes");
    assert_eq!(report.fact("services.sshd_config.password_login"), false);
    assert_eq!(report.fact("services.sshd_config.empty_passwords"), true);
    assert_eq!(report.fact("services.sshd_config.match_blocks"), 1);
}

#[test]
fn open_jupyter_as_root_beside_sshd_is_the_cause() {
    if !available() {
        return;
    }
    let container = jupyter("--ip=0.0.0.0 --IdentityProvider.token=''");
    container.output(&["/usr/sbin/sshd"]);
    container.until_listening(22);

    let report = container.check(&["--no-gpu"]);
    assert_eq!((report.verdict(), report.code), ("not-ready", 1));
    let score = &report.json["score"];
    assert!(score["high"].as_f64().is_some_and(|high| high <= 39.0), "{score}");
    assert!(score["capped_by"].to_string().contains("service.jupyter-authenticated"), "{score}");
    let first = report.findings().next().expect("findings");
    assert_eq!(first["check"], "service.jupyter-authenticated", "{}", report.troubles());
    assert!(first["owner"].is_string() && first["remedy"].to_string().len() > 4, "{first}");

    let output = container.exec(&["gpu-preflight", PATIENT, "--no-gpu"]);
    assert_eq!(output.status.code(), Some(1));
    let page = text(&output.stdout);
    let mut lines =
        page.lines().map(str::trim).filter(|line| !line.is_empty()).skip_while(|line| !line.starts_with("NOT READY"));
    assert!(lines.next().is_some_and(|line| line.contains("service.jupyter-authenticated")), "{page}");
    assert!(lines.next().is_some_and(|line| line.contains("Jupyter") && line.contains("8888")), "{page}");
    assert!(page.contains("port 22") && page.contains("port 8888"), "{page}");
}

#[test]
fn a_jupyter_that_will_be_started_is_seen_before_it_listens() {
    if !available() {
        return;
    }
    let command = ["jupyter-server", "--allow-root", "--ip=0.0.0.0", "--port=8888", "--IdentityProvider.token="];
    let exec = ["gpu-preflight", "exec", PATIENT, "--no-gpu", "--format=json", "--verbose", "--"];
    let output = Recipe::plain(DEV).run(&[&exec[..], &command[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let report: Value = serde_json::from_slice(&output.stderr).expect("the report on standard error");
    let declared = &report["facts"]["services"]["declared"][0];
    assert_eq!(declared["kind"], "jupyter", "{declared}");
    assert_eq!(declared["by"], "command", "{declared}");
    assert_eq!(declared["auth"], "open", "{declared}");
    assert_eq!(declared["bind"], "any", "{declared}");
}

#[test]
fn hostile_names_of_listeners_are_shown_escaped() {
    if !available() {
        return;
    }
    // A name with an escape sequence, a line feed and a byte that is no UTF-8, on port 8888.
    let script = "import ctypes, socket, time
ctypes.CDLL(None).prctl(15, b'\\x1b[31m\\nREADY\\xff', 0, 0, 0)
s = socket.socket(); s.bind(('0.0.0.0', 8888)); s.listen(); time.sleep(600)";
    let container = Recipe::plain(DEV).start(&["python3", "-c", script]);
    container.until_listening(8888);
    for format in ["text", "json"] {
        let output = container.exec(&["gpu-preflight", "check", PATIENT, "--no-gpu", "--verbose", "--format", format]);
        let page = text(&output.stdout);
        assert!(!page.is_empty());
        assert!(!page.contains('\u{1b}') && !page.contains("\nREADY"), "{format}: {page}");
    }
}

#[test]
fn a_container_with_nobody_listening_says_so() {
    if !available() {
        return;
    }
    let report = Recipe::plain(BASE).check(&["--no-gpu"]);
    assert_eq!(report.fact("network.listeners").as_array().map(Vec::len), Some(0));
    let page = text(&Recipe::plain(BASE).run(&["gpu-preflight", PATIENT, "--no-gpu"]).stdout);
    for port in ["port 8888", "port 22"] {
        let line = page.lines().find(|line| line.trim_start().starts_with(port)).unwrap_or_default();
        assert!(line.contains("nobody listens"), "{page}");
    }
}
