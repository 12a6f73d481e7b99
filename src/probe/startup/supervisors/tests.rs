//! Fake images with every supervisor.
#![allow(clippy::disallowed_methods)]

use super::*;
use crate::world::FakeRoot;

/// An image with every supervisor in it, and systemd as process 1.
const SUPERVISORS: [(&str, &str); 4] =
    [("usr/bin/runsvdir", ""), ("command/s6-svscan", ""), ("usr/bin/supervisord", ""), ("proc/1/comm", "systemd\n")];

fn declared(files: &[(&str, &str)]) -> Declarations {
    declared_beside(&SUPERVISORS, files, None)
}

fn declared_beside(supervisors: &[(&str, &str)], files: &[(&str, &str)], command: Option<&[String]>) -> Declarations {
    read(FakeRoot::of(supervisors, &[]).files(files), command)
}

#[test]
fn what_no_supervisor_here_will_read_starts_nothing() {
    let unit = "[Service]\nExecStart=/usr/sbin/sshd -D\n";
    let files = [
        ("etc/runit/runsvdir/default/ssh/run", "exec sshd -D"),
        ("etc/services.d/ssh/run", "exec sshd -D"),
        ("etc/supervisord.conf", "[program:ssh]\ncommand=sshd -D\n"),
        ("etc/systemd/system/multi-user.target.wants/ssh.service", unit),
    ];
    assert_eq!(declared_beside(&[], &files, None).found, []);
    assert_eq!(declared_beside(&SUPERVISORS, &files, None).found.len(), 4);
    let systemd = [("usr/lib/systemd/systemd", ""), ("proc/1/comm", "gpu-preflight\n")];
    assert_eq!(declared_beside(&systemd, &files, None).found, []);
    let init = ["/sbin/init".to_owned()];
    assert_eq!(declared_beside(&systemd, &files, Some(&init)).found.len(), 1);
}

fn texts(files: &[(&str, &str)]) -> Vec<String> {
    declared(files).found.into_iter().map(|declaration| declaration.text).collect()
}

#[test]
fn a_runit_service_counts_unless_it_is_down() {
    let run = ("etc/service/sshd/run", "exec sshd -D");
    assert_eq!(texts(&[run]), ["exec sshd -D"]);
    assert_eq!(texts(&[run, ("etc/service/sshd/down", "")]), Vec::<String>::new());
    assert_eq!(texts(&[("etc/sv/sshd/run", "exec sshd -D")]), Vec::<String>::new());
}

#[test]
fn an_s6_definition_counts_when_something_names_it() {
    let run = ("etc/s6-overlay/s6-rc.d/jupyter/run", "jupyter lab");
    assert_eq!(texts(&[run]), Vec::<String>::new());
    assert_eq!(texts(&[run, ("etc/s6-overlay/s6-rc.d/user/contents.d/jupyter", "")]), ["jupyter lab"]);
    assert_eq!(texts(&[("etc/services.d/a/run", "x")]), ["x"]);
}

#[test]
fn supervisord_programs_are_read_with_their_includes() {
    let found = texts(&[
        ("etc/supervisord.conf", "[supervisord]\nnodaemon=true\n[include]\nfiles = more/*.conf\n"),
        ("etc/more/a.conf", "[program:j]\ncommand=jupyter lab\n  --ip=0.0.0.0 ; a comment\nautorestart=true\n"),
        ("etc/more/b.conf", "[program:k]\nautostart=false\ncommand=sshd -D\n"),
        ("etc/more/c.off", "[program:k]\ncommand=sshd -D\n"),
    ]);
    assert_eq!(found, ["jupyter lab --ip=0.0.0.0 ; a comment"]);
}

#[test]
fn enabled_systemd_units_are_read_where_they_lie() {
    let wants = "etc/systemd/system/multi-user.target.wants/ssh.service";
    let unit = "[Service]\nExecStartPre=/usr/sbin/sshd -t\nExecStart=-/usr/sbin/sshd \\\n  -D $OPTS\n";
    assert_eq!(texts(&[(wants, unit)]), ["/usr/sbin/sshd -D $OPTS"]);
    assert_eq!(texts(&[("usr/lib/systemd/system/ssh.service", unit)]), Vec::<String>::new());
}

#[test]
fn an_enabled_unit_whose_link_leads_nowhere_is_found_in_its_folder() {
    let unit = ("usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=sshd -D\n");
    let root = FakeRoot::of(&[unit, ("proc/1/comm", "systemd\n")], &[]);
    root.link("etc/systemd/system/multi-user.target.wants/ssh.service", "/elsewhere/ssh.service");
    let found = read(&root, None).found;
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn two_ways_to_one_file_are_one_declaration() {
    let root = FakeRoot::of(&[("etc/service/a/run", "x"), ("sbin/runsvdir", "")], &[]);
    root.link("service", "etc/service");
    assert_eq!(read(&root, None).found.len(), 1);
}

#[test]
fn what_cannot_be_read_is_remembered() {
    let found = declared(&[("etc/service/a/run/folder", "")]);
    assert!(found.found.is_empty() && found.gap.is_some());
    assert!(declared(&[("etc/supervisord.conf", "\u{0}[[[\n=\n")]).found.is_empty());
    assert!(declared(&[]).gap.is_none());
}

#[test]
fn supervisord_reads_the_file_that_it_is_given_and_no_other() {
    let files = [
        ("etc/supervisor/conf.d/a.conf", "[program:a]\ncommand=default\n"),
        ("app/s.conf", "[program:b]\ncommand=given\n"),
    ];
    let with = |command: &str| {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let found = declared_beside(&SUPERVISORS, &files, Some(&words)).found;
        found.into_iter().map(|declaration| declaration.text).collect::<Vec<_>>()
    };
    for command in ["supervisord -c /app/s.conf", "tini -- /usr/bin/supervisord -n -c/app/s.conf"] {
        assert_eq!(with(command), ["given"], "{command}");
    }
    assert_eq!(with("python3 /usr/bin/supervisord --configuration=/app/s.conf"), ["given"]);
    assert_eq!(with("supervisord -n"), ["default"]);
    let running = ("proc/1/cmdline", "/usr/bin/python3\0/usr/bin/supervisord\0-c\0/app/s.conf\0");
    assert_eq!(texts(&[files[0], files[1], running]), ["given"]);
}

#[test]
fn supervisord_writes_its_own_variables_and_its_own_no() {
    let text = "[program:j]\ncommand=jupyter lab --ip=%(ENV_IP)s --x=%(here)s --token=''\n\
                [program:k]\ncommand=a\nautostart=No\n[program:l]\ncommand=b\nautostart=0\n";
    assert_eq!(texts(&[("etc/supervisord.conf", text)]), ["jupyter lab --ip=${ENV_IP} --x=${here} --token=''"]);
    assert_eq!(supervisord::without_expressions("a %(b"), "a %(b");
}

#[test]
fn a_masked_unit_is_not_started() {
    let wants = "etc/systemd/system/multi-user.target.wants/ssh.service";
    let root = FakeRoot::of(&[(wants, "[Service]\nExecStart=sshd -D\n"), ("proc/1/comm", "systemd\n")], &[]);
    let found = || read(&root, None).found.len();
    assert_eq!(found(), 1);
    root.link("etc/systemd/system/ssh.service", "/dev/null");
    assert_eq!(found(), 0);
}

#[test]
fn scripts_that_run_before_the_services_start_services_too() {
    assert_eq!(texts(&[("etc/cont-init.d/10-ssh", "service ssh start")]), ["service ssh start"]);
}

#[test]
fn what_s6_names_in_a_file_counts_as_well() {
    let run = ("etc/s6-overlay/s6-rc.d/jupyter/run", "jupyter lab");
    assert_eq!(texts(&[run, ("etc/s6-overlay/s6-rc.d/user/contents", "other\njupyter\n")]), ["jupyter lab"]);
    assert_eq!(texts(&[run, ("etc/s6-overlay/s6-rc.d/user/contents", "other\n")]), Vec::<String>::new());
}

#[test]
fn supervisord_includes_from_the_folder_of_its_file() {
    let found = texts(&[
        ("etc/supervisord.conf", "[include]\nfiles = %(here)s/more/*.conf\n"),
        ("etc/more/a.conf", "[program:j]\ncommand=jupyter lab\n"),
    ]);
    assert_eq!(found, ["jupyter lab"]);
}
