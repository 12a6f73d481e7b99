//! Declared services in fake images.

use super::super::shell;
use super::*;
use crate::facts::{Auth, Bind};
use crate::world::FakeRoot;

fn find_in(files: &[(&str, &str)], command: Option<&str>, listeners: Vec<Listener>) -> Fact<Vec<DeclaredService>> {
    let variables =
        [("PATH", "/usr/bin"), ("HOME", "/root"), ("NOTEBOOK_ARGS", "--port=8890 --IdentityProvider.token=''")];
    let world = FakeRoot::of(&[], &variables);
    for (path, text) in [("usr/bin/runsvdir", ""), ("usr/bin/supervisord", "")].iter().chain(files) {
        world.file(path, text).mode(path, 0o755);
    }
    let words: Option<Vec<String>> = command.and_then(|text| shell::commands(text).into_iter().next());
    find(&world, words.as_deref(), &Fact::Known(listeners)).0
}

fn one(files: &[(&str, &str)], command: Option<&str>) -> DeclaredService {
    let Fact::Known(mut found) = find_in(files, command, Vec::new()) else { panic!("a list") };
    assert_eq!(found.len(), 1, "{found:?}");
    found.pop().unwrap_or_default()
}

#[test]
fn the_command_to_be_started_is_read_with_its_arguments() {
    let found = one(&[], Some("jupyter lab --ip=0.0.0.0 --port=9999 --allow-root --IdentityProvider.token=''"));
    assert_eq!((found.kind, found.by, found.path.as_str()), (DeclaredKind::Jupyter, DeclaredBy::Command, "command"));
    assert_eq!((found.port, found.bind, found.auth), (9999, Fact::Known(Bind::Any), Fact::Known(Auth::Open)));
    assert_eq!((found.allow_root, found.running), (Fact::Known(true), Fact::Known(false)));
}

#[test]
fn what_opens_a_server_is_told_as_it_is_written() {
    let opened = |files: &[(&str, &str)], command| one(files, Some(command)).opened_by;
    let by = |words: &str| Fact::Known(words.to_owned());
    assert_eq!(opened(&[], "jupyter lab --ServerApp.token=''"), by("ServerApp.token is empty in its arguments"));
    let config = ("root/.jupyter/jupyter_server_config.json", r#"{"ServerApp": {"token": ""}}"#);
    let in_file = "ServerApp.token is empty in /root/.jupyter/jupyter_server_config.json";
    assert_eq!(opened(&[config], "jupyter lab"), by(in_file));
    assert_eq!(opened(&[config], "jupyter lab --IdentityProvider.token=abc"), Fact::Absent);
    assert_eq!(opened(&[], "jupyter lab"), Fact::Absent);
}

#[test]
fn without_arguments_the_defaults_hold() {
    let found = one(&[], Some("sh -c 'exec jupyter notebook'"));
    assert_eq!((found.port, found.bind, found.auth), (8888, Fact::Known(Bind::Loopback), Fact::Known(Auth::Required)));
    let found = one(&[], Some("/usr/sbin/sshd -D"));
    assert_eq!((found.kind, found.port, found.bind), (DeclaredKind::Ssh, 22, Fact::Known(Bind::Any)));
    assert_eq!(found.allow_root, Fact::Known(true));
}

#[test]
fn configuration_fills_what_the_arguments_leave_open() {
    let json = r#"{"IdentityProvider": {"token": ""}, "ServerApp": {"ip": "*"}}"#;
    let config = ("root/.jupyter/jupyter_server_config.json", json);
    let found = one(&[config], Some("jupyter lab"));
    assert_eq!((found.bind, found.auth), (Fact::Known(Bind::Any), Fact::Known(Auth::Open)));
    let found = one(&[config], Some("jupyter lab --ip=127.0.0.1 --IdentityProvider.token=abc"));
    assert_eq!((found.bind, found.auth), (Fact::Known(Bind::Loopback), Fact::Known(Auth::Required)));
    let sshd =
        ("etc/ssh/sshd_config", "Port 2200\nListenAddress 127.0.0.1:2200\nListenAddress ::1\nPermitRootLogin no\n");
    let found = one(&[sshd], Some("service ssh start"));
    assert_eq!((found.port, found.bind, found.allow_root), (2200, Fact::Known(Bind::Loopback), Fact::Known(false)));
    let found = one(&[sshd], Some("sshd -D -p 22 -o ListenAddress=0.0.0.0"));
    assert_eq!((found.port, found.bind), (22, Fact::Known(Bind::Any)));
    let found = one(&[sshd], Some("sshd -D -o ListenAddress=0.0.0.0:22"));
    assert_eq!(found.bind, Fact::Known(Bind::Any));
    let found = one(&[], Some("dropbear -F -p 127.0.0.1:22 -p 2222"));
    assert_eq!((found.port, found.bind), (22, Fact::Known(Bind::Any)));
    let found = one(&[], Some("dropbear -F -p 127.0.0.1:2200"));
    assert_eq!((found.port, found.bind), (2200, Fact::Known(Bind::Loopback)));
}

#[test]
fn scripts_are_looked_into_some_levels_deep() {
    let script = ("usr/bin/start", "#!/usr/bin/env bash\nset -e\nservice ssh start\nexec \"$@\"\n");
    let found = one(&[script], Some("start python serve.py"));
    assert_eq!((found.kind, found.by, found.path.as_str()), (DeclaredKind::Ssh, DeclaredBy::Command, "/usr/bin/start"));
    let outer = ("usr/bin/outer", "#!/bin/sh\nexec /usr/bin/start\n");
    assert_eq!(one(&[script, outer], Some("outer")).path, "/usr/bin/start");
    let own = ("usr/bin/own", "#!/bin/sh\nown\nown\nown\nown\nown\nown\nown\nown\nsshd -D\n");
    assert_eq!(one(&[own], Some("own")).kind, DeclaredKind::Ssh);
    let python = ("usr/bin/app", "#!/usr/bin/python3\nprint('jupyter lab')\njupyter lab\n");
    assert_eq!(find_in(&[python], Some("app"), Vec::new()), Fact::Known(Vec::new()));
}

#[test]
fn a_shell_reads_what_it_is_told_to_whatever_the_first_line_says() {
    let bare = ("opt/start", "# no interpreter\njupyter lab\n");
    for command in ["bash /opt/start", "sh -e /opt/start", ". /opt/start", "sh -c 'source /opt/start'"] {
        assert_eq!(one(&[bare], Some(command)).path, "/opt/start", "{command}");
    }
    assert_eq!(find_in(&[bare], Some("/opt/start"), Vec::new()), Fact::Known(Vec::new()));
    // The number of an argument counts from what comes after the script.
    let by_number = ("opt/run", "#!/bin/sh\nexec \"$1\" $2\n");
    assert_eq!(one(&[by_number], Some("/opt/run jupyter lab")).kind, DeclaredKind::Jupyter);
}

#[test]
fn where_an_include_cannot_be_read_the_addresses_of_sshd_are_not_known() {
    let include = ("etc/ssh/d/folder/x", "");
    let bind = |text: &str| one(&[("etc/ssh/sshd_config", text), include], Some("sshd -D")).bind;
    assert!(bind("ListenAddress 127.0.0.1\nInclude d/*\n").is_unknown());
    assert!(bind("Include d/*\n").is_unknown());
    assert_eq!(bind("ListenAddress 0.0.0.0\nInclude d/*\n"), Fact::Known(Bind::Any));
}

#[test]
fn the_start_scripts_of_the_jupyter_images_take_arguments_from_the_environment() {
    let found = one(&[], Some("tini -g -- start-notebook.py"));
    assert_eq!((found.port, found.auth), (8890, Fact::Known(Auth::Open)));
    assert_eq!(one(&[], Some("jupyter lab")).port, 8888);
}

#[test]
fn an_entrypoint_hands_over_to_its_arguments() {
    let script = ("entrypoint.sh", "#!/bin/sh\nset -e\nexec \"$@\"\n");
    let found = one(&[script], Some("/entrypoint.sh jupyter lab --ip=0.0.0.0 --IdentityProvider.token=''"));
    assert_eq!((found.bind, found.auth), (Fact::Known(Bind::Any), Fact::Known(Auth::Open)));
    let shell = one(&[script], Some("/entrypoint.sh bash -c 'cd / && jupyter lab --IdentityProvider.token='"));
    assert_eq!(shell.auth, Fact::Known(Auth::Open));
    assert_eq!(find_in(&[script], Some("/entrypoint.sh python serve.py"), Vec::new()), Fact::Known(Vec::new()));
}

#[test]
fn supervisors_declare_services_by_their_files() {
    let found = one(&[("etc/service/jupyter/run", "#!/bin/sh\nexec 2>&1\nexec jupyter lab --ip 0.0.0.0\n")], None);
    assert_eq!((found.by, found.path.as_str()), (DeclaredBy::Runit, "/etc/service/jupyter/run"));
    let text = "[program:x]\ncommand=bash -c \"jupyter lab --ServerApp.token=''\"\n";
    let found = one(&[("etc/supervisor/conf.d/a.conf", text)], None);
    assert_eq!((found.by, found.auth), (DeclaredBy::Supervisord, Fact::Known(Auth::Open)));
}

#[test]
fn a_supervisor_reads_what_its_command_line_names() {
    let conf = ("opt/x/s.conf", "[program:j]\ncommand=jupyter lab --ip=0.0.0.0\n");
    for command in [
        "sh -c 'exec supervisord -n -c /opt/x/s.conf'",
        "supervisord --configuration /opt/x/s.conf",
        "tini -- python3 /usr/bin/supervisord -c/opt/x/s.conf",
    ] {
        let found = one(&[conf], Some(command));
        assert_eq!((found.by, found.path.as_str()), (DeclaredBy::Supervisord, "/opt/x/s.conf"), "{command}");
    }
    let script = ("usr/bin/start", "#!/bin/sh\nexec supervisord --configuration=/opt/x/s.conf\n");
    assert_eq!(one(&[conf, script], Some("start")).path, "/opt/x/s.conf");
    for first in ["sh\0-c\0supervisord -c /opt/x/s.conf\0", "/usr/bin/supervisord\0-c\0/opt/x/s.conf\0"] {
        assert_eq!(one(&[conf, ("proc/1/cmdline", first)], None).path, "/opt/x/s.conf", "{first:?}");
    }
    // Process 1 has already started what else it starts.
    assert_eq!(find_in(&[("proc/1/cmdline", "sshd\0-D\0")], None, Vec::new()), Fact::Known(Vec::new()));
    let run = ("opt/sv/ssh/run", "#!/bin/sh\nexec sshd -D\n");
    assert_eq!(one(&[run], Some("runsvdir -P /opt/sv")).by, DeclaredBy::Runit);
    assert_eq!(one(&[run], Some("s6-svscan -t0 /opt/sv")).by, DeclaredBy::S6);
}

#[test]
fn a_declared_service_that_listens_already_is_running() {
    let listener =
        |process: &str| Listener { port: 22, process: Fact::Known(process.to_owned()), ..Listener::default() };
    let running = |process| {
        let found = find_in(&[], Some("sshd -D"), vec![listener(process)]);
        found.known().and_then(|found| found.first().cloned()).map(|found| found.running)
    };
    assert_eq!(running("sshd"), Some(Fact::Known(true)));
    assert_eq!(running("nginx"), Some(Fact::Known(false)));
}

#[test]
fn nothing_declared_is_an_empty_list_and_what_cannot_be_read_a_gap() {
    assert_eq!(find_in(&[], None, Vec::new()), Fact::Known(Vec::new()));
    assert_eq!(find_in(&[], Some("python serve.py"), Vec::new()), Fact::Known(Vec::new()));
    let unreadable = ("etc/service/a/run/folder", "");
    assert!(find_in(&[unreadable], None, Vec::new()).is_unknown());
    // What was found is told all the same.
    assert!(find_in(&[unreadable], Some("sshd -D"), Vec::new()).known().is_some());
}

#[test]
fn shells_within_shells_are_followed_or_said() {
    let nested = |depth: usize| format!("{}jupyter lab", "eval ".repeat(depth));
    let found = |depth| find_in(&[], Some(&format!("sh -c '{}'", nested(depth))), Vec::new());
    assert!(found(3).known().is_some_and(|found| found.len() == 1));
    assert!(found(9).known().is_some_and(|found| found.len() == 1), "deeper than one look goes");
    assert!(found(200).is_unknown(), "and beyond all looks");
    let substituted = |depth: usize| format!("x={}sshd -D{}", "$(".repeat(depth), ")".repeat(depth));
    let found =
        |depth| find_in(&[("s.sh", &format!("#!/bin/sh\n{}\n", substituted(depth)))], Some("/s.sh"), Vec::new());
    assert!(found(12).known().is_some_and(|found| found.len() == 1));
}

#[test]
fn a_script_that_starts_itself_anew_hides_nothing_and_one_too_deep_is_a_gap() {
    let again = "#!/bin/sh\nif [ $(id -u) = 0 ]; then exec gosu user \"$0\" \"$@\"; fi\nexec /run.sh\n";
    let found = find_in(&[("start.sh", again), ("run.sh", "#!/bin/sh\nexec serve\n")], Some("/start.sh"), Vec::new());
    assert_eq!(found, Fact::Known(Vec::new()));
    let chain = |length: usize| {
        let script = |number: usize| (format!("s{number}.sh"), format!("#!/bin/sh\nexec /s{}.sh\n", number + 1));
        let mut files: Vec<(String, String)> = (0..length).map(script).collect();
        files.push((format!("s{length}.sh"), "#!/bin/sh\nexec serve\n".to_owned()));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        find_in(&files, Some("/s0.sh"), Vec::new())
    };
    assert_eq!(chain(DEPTH - 1), Fact::Known(Vec::new()));
    assert!(chain(DEPTH).is_unknown());
}
