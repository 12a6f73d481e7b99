//! Configurations of sshd as people write them.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::time::Duration;

use super::*;

fn parsed(files: &[(&str, &str)]) -> Fact<Parsed> {
    let root = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    read(&World::at(root.path(), Vec::new(), Duration::from_secs(5)))
}

fn config(text: &str) -> SshdConfig {
    parsed(&[("etc/ssh/sshd_config", text)]).known().expect("a configuration").config.clone()
}

#[test]
fn an_empty_file_means_the_defaults() {
    let found = config("");
    assert_eq!(found.root_login, Fact::Known(RootLogin::ProhibitPassword));
    assert_eq!(found.password_login, Fact::Known(true));
    assert_eq!(found.empty_passwords, Fact::Known(false));
    assert_eq!((found.ports, found.match_blocks), (vec![22], 0));
}

#[test]
fn the_first_value_wins_in_every_spelling() {
    let found = config(
        "# PermitRootLogin no\nPERMITROOTLOGIN=yes\npermitrootlogin no\nPasswordAuthentication \"no\" # not yes\n\
         PermitEmptyPasswords = yes\nPort 22\nPort 2200\n",
    );
    assert_eq!(found.root_login, Fact::Known(RootLogin::Yes));
    assert_eq!(found.password_login, Fact::Known(false));
    assert_eq!(found.empty_passwords, Fact::Known(true));
    assert_eq!(found.ports, [22, 2200]);
}

#[test]
fn match_blocks_are_counted_and_not_applied() {
    let found = config("Match User git\nPermitRootLogin yes\nMatch all\nPasswordAuthentication no\n");
    assert_eq!(found.match_blocks, 2);
    assert_eq!(found.root_login, Fact::Known(RootLogin::ProhibitPassword));
    assert_eq!(found.password_login, Fact::Known(false));
}

#[test]
fn includes_stand_where_they_are_written_in_lexical_order() {
    let found = parsed(&[
        ("etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nPermitRootLogin no\nPasswordAuthentication no\n"),
        ("etc/ssh/sshd_config.d/20-b.conf", "PermitRootLogin prohibit-password\n"),
        ("etc/ssh/sshd_config.d/10-a.conf", "PermitRootLogin yes\nMatch User x\n"),
        ("etc/ssh/sshd_config.d/30-c.off", "PasswordAuthentication yes\n"),
    ]);
    let found = &found.known().expect("a configuration").config;
    assert_eq!(found.root_login, Fact::Known(RootLogin::Yes));
    assert_eq!(found.password_login, Fact::Known(false));
}

#[test]
fn what_an_unreadable_include_may_have_set_is_unknown() {
    let found = parsed(&[
        ("etc/ssh/sshd_config", "PermitRootLogin no\nInclude d/*\nPasswordAuthentication no\n"),
        ("etc/ssh/d/folder/x", ""),
    ]);
    let found = &found.known().expect("a configuration").config;
    assert_eq!(found.root_login, Fact::Known(RootLogin::No));
    assert!(found.password_login.is_unknown());
    assert!(found.empty_passwords.is_unknown());
}

#[test]
fn a_file_that_includes_itself_comes_to_an_end() {
    assert!(config("Include sshd_config\nInclude sshd_config\n").root_login.is_unknown());
}

#[test]
fn a_value_that_sshd_would_refuse_is_unknown() {
    let found = config("PermitRootLogin perhaps\nPasswordAuthentication \u{1b}[31m\nPort many\nPermitEmptyPasswords\n");
    assert!(found.root_login.is_unknown() && found.password_login.is_unknown());
    assert_eq!((found.empty_passwords, found.ports), (Fact::Known(false), vec![22]));
}

#[test]
fn no_file_is_absent_and_a_folder_is_a_gap() {
    assert!(parsed(&[("etc/x", "")]).is_absent());
    assert!(parsed(&[("etc/ssh/sshd_config/x", "")]).is_unknown());
}
