//! Configurations of sshd as people write them.
#![allow(clippy::disallowed_methods)]

use super::*;
use crate::world::FakeRoot;

fn parsed(files: &[(&str, &str)]) -> Fact<Parsed> {
    of(&FakeRoot::of(files, &[]), &SshArgs::default())
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
    let found = config("Match User git\nPermitRootLogin no\nMatch all\nPasswordAuthentication no\n");
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

#[test]
fn a_match_block_that_lets_more_in_leaves_no_certainty() {
    let found = config(
        "PasswordAuthentication no\nUsePAM yes\nKbdInteractiveAuthentication no\n\
         Match Address 10.0.0.0/8\nPermitRootLogin yes\nPasswordAuthentication yes\nPermitEmptyPasswords yes\n",
    );
    assert!(found.root_login.is_unknown() && found.password_login.is_unknown() && found.empty_passwords.is_unknown());
    let found = config("PermitRootLogin yes\nMatch User a\nPermitRootLogin no\nPasswordAuthentication no\n");
    assert_eq!((found.root_login, found.password_login), (Fact::Known(RootLogin::Yes), Fact::Known(true)));
    let within = parsed(&[
        ("etc/ssh/sshd_config", "Match User a\nInclude loose\n"),
        ("etc/ssh/loose", "Match all\nPermitRootLogin yes\n"),
    ]);
    assert!(within.known().expect("a configuration").config.root_login.is_unknown());
}

#[test]
fn pam_asks_for_the_password_through_the_keyboard_too() {
    let password = |text: &str| config(text).password_login;
    assert_eq!(password("PasswordAuthentication no\nUsePAM yes\n"), Fact::Known(true));
    assert_eq!(password("PasswordAuthentication no\nUsePAM no\n"), Fact::Known(false));
    assert_eq!(password("PasswordAuthentication no\n"), Fact::Known(false));
    for name in ["ChallengeResponseAuthentication", "KbdInteractiveAuthentication"] {
        assert_eq!(password(&format!("PasswordAuthentication no\nUsePAM yes\n{name} no\n")), Fact::Known(false));
    }
}

#[test]
fn methods_that_ask_for_a_key_make_a_password_alone_useless() {
    let password = |methods: &str| config(&format!("AuthenticationMethods {methods}\n")).password_login;
    assert_eq!(password("publickey"), Fact::Known(false));
    assert_eq!(password("publickey,password publickey,keyboard-interactive"), Fact::Known(false));
    assert_eq!(password("publickey password"), Fact::Known(true));
    assert_eq!(password("any"), Fact::Known(true));
}

fn started(program: &str, args: &str, files: &[(&str, &str)]) -> Fact<SshdConfig> {
    let args: Vec<String> = args.split(' ').map(str::to_owned).collect();
    of(&FakeRoot::of(files, &[]), &SshArgs::read(program, &args)).map(|parsed| parsed.config)
}

#[test]
fn the_command_line_comes_before_the_file_and_names_it() {
    let safe = ("etc/ssh/sshd_config", "PermitRootLogin no\nPort 22\n");
    let found = started("sshd", "-D -o PermitRootLogin=yes -p 2222", &[safe]);
    let found = found.known().expect("a configuration");
    assert_eq!((&found.root_login, found.ports.as_slice()), (&Fact::Known(RootLogin::Yes), &[2222][..]));
    let found = started("sshd", "-D -o Port=2222", &[safe]);
    assert_eq!(found.known().map(|found| found.ports.clone()), Some(vec![2222, 22]));
    let other = ("etc/other", "PermitRootLogin yes\n");
    let found = started("sshd", "-D -f /etc/other", &[safe, other]);
    assert_eq!(found.known().map(|found| found.path.as_str()), Some("/etc/other"));
    assert!(started("sshd", "-f $CONFIG", &[safe]).is_unknown());
    assert!(started("sshd", "-f /etc/none", &[safe]).is_absent());
}

#[test]
fn dropbear_lets_root_in_with_a_password_unless_told_otherwise() {
    let found = started("dropbear", "-F", &[]);
    let found = found.known().expect("a configuration");
    assert_eq!((&found.root_login, &found.password_login), (&Fact::Known(RootLogin::Yes), &Fact::Known(true)));
    assert_eq!(found.empty_passwords, Fact::Known(false));
    let found = started("dropbear", "-Fsw", &[("etc/ssh/sshd_config", "PermitRootLogin yes\n")]);
    let found = found.known().expect("a configuration");
    assert_eq!((&found.root_login, &found.password_login), (&Fact::Known(RootLogin::No), &Fact::Known(false)));
}

#[test]
fn of_several_servers_only_what_they_agree_on_is_known() {
    let loose = SshdConfig { root_login: Fact::Known(RootLogin::Yes), ..config("") };
    let found = common(vec![Fact::Known(config("")), Fact::Known(loose)]);
    let found = found.known().expect("a configuration");
    assert!(found.root_login.is_unknown());
    assert_eq!(found.password_login, Fact::Known(true));
    assert!(common(vec![Fact::Known(config("")), Fact::unknown(GapKind::NotPermitted, "x")]).is_unknown());
    assert!(common(Vec::new()).is_absent());
}
