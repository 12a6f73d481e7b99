//! The global part of sshd's configuration, read as sshd reads it.
//!
//! The first value of a keyword wins, and those of the command line come first; `Include` is followed where it stands.
//! `Match` blocks only hold for some connections: where one lets more in than the rest does, the answer is unknown.
//!
//! It is read by hand: most crates read `ssh_config`, the client's file, which has other keywords. Where the server's is
//! read, it is one part of a whole SSH implementation, and opens included files past `World`.

mod words;

use super::ssh_args::{PORT, SshArgs};
use crate::facts::{Fact, Gap, GapKind, RootLogin, SshdConfig, cut};
use crate::probe::glob;
use crate::world::World;
use words::words;

/// Where the configuration lies.
const PATH: &str = "/etc/ssh/sshd_config";
/// How deep sshd follows includes.
const DEPTH: u32 = 16;
/// Files that are read at most.
const FILES: u32 = 256;

/// The configuration, with what only declared services need.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The facts.
    pub config: SshdConfig,
    /// Values of `ListenAddress`.
    pub listen_addresses: Vec<String>,
    /// Why there may be more of them.
    pub gap: Option<Gap>,
}

/// The configuration of a server that is started with these arguments; absent when its file is not there.
pub fn of(world: &World, args: &SshArgs) -> Fact<Parsed> {
    let mut reader = Reader { world: Some(world), ..Reader::default() };
    for (keyword, value) in &args.options {
        reader.set(keyword, value, "command line");
    }
    if args.is_dropbear {
        return Fact::Known(reader.dropbear());
    }
    let path = args.file.as_deref().unwrap_or(PATH);
    if path.contains('$') {
        return Fact::unknown(GapKind::Malformed, "the configuration file of sshd comes from a variable of the shell");
    }
    // Addresses of both add up, and so do ports, except that those of `-p` stand alone.
    let ports = reader.ports.clone();
    world.read(path).map(|text| {
        reader.file(&text, path, 0, false);
        let mut parsed = reader.finish(path);
        if args.has_port && !ports.is_empty() {
            parsed.config.ports = ports;
        }
        parsed
    })
}

/// What holds for all of several servers; where they differ nothing can be said of both.
pub fn common(configs: Vec<Fact<SshdConfig>>) -> Fact<SshdConfig> {
    fn same<T: PartialEq>(one: Fact<T>, other: &Fact<T>) -> Fact<T> {
        let differ = || Fact::unknown(GapKind::Malformed, "the SSH servers of this container differ in it");
        if one == *other { one } else { differ() }
    }
    let both = |one: Fact<SshdConfig>, other: Fact<SshdConfig>| match (one, other) {
        (Fact::Known(one), Fact::Known(other)) => Fact::Known(SshdConfig {
            root_login: same(one.root_login, &other.root_login),
            password_login: same(one.password_login, &other.password_login),
            empty_passwords: same(one.empty_passwords, &other.empty_passwords),
            match_blocks: one.match_blocks.max(other.match_blocks),
            path: one.path,
            ports: one.ports,
        }),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
        // sshd without its file does not start.
        (Fact::Absent, known) | (known, Fact::Absent) => known,
    };
    configs.into_iter().reduce(both).unwrap_or(Fact::Absent)
}

/// Settings of one kind of connection; the first value stays.
#[derive(Default)]
struct Settings {
    root_login: Option<Fact<RootLogin>>,
    password: Option<Fact<bool>>,
    keyboard: Option<Fact<bool>>,
    pam: Option<Fact<bool>>,
    empty_passwords: Option<Fact<bool>>,
    /// Whether `AuthenticationMethods` asks for more than a password.
    more_than_password: Option<Fact<bool>>,
}

#[derive(Default)]
struct Reader<'a> {
    world: Option<&'a World>,
    global: Settings,
    /// What some `Match` block lets in that may be refused otherwise.
    lets_in: Vec<&'static str>,
    ports: Vec<u16>,
    listen_addresses: Vec<String>,
    match_blocks: u32,
    files: u32,
    /// A part could not be read, and what it may have set is unknown from there on.
    blind: Option<Gap>,
}

impl Reader<'_> {
    fn file(&mut self, text: &str, path: &str, depth: u32, within_match: bool) {
        // A Match block ends with the file that it stands in.
        let mut in_match = within_match;
        for line in text.lines() {
            let mut words = words(line).into_iter();
            let Some(keyword) = words.next() else { continue };
            let values: Vec<String> = words.collect();
            let keyword = keyword.to_ascii_lowercase();
            if keyword == "match" {
                self.match_blocks = self.match_blocks.saturating_add(1);
                in_match = within_match || !values.first().is_some_and(|value| value.eq_ignore_ascii_case("all"));
            } else if keyword == "include" {
                // An include inside a block holds for the block only.
                for pattern in values {
                    self.include(&pattern, depth, in_match);
                }
            } else if in_match {
                self.set_for_some(&keyword, &values.join(" "));
            } else if keyword == "authenticationmethods" {
                self.set(&keyword, &values.join(" "), path);
            } else if let Some(value) = values.first() {
                self.set(&keyword, value, path);
            }
        }
    }

    fn include(&mut self, pattern: &str, depth: u32, in_match: bool) {
        let Some(world) = self.world else { return };
        let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") };
        let paths = match glob::expand(world, &pattern) {
            Ok(paths) => paths,
            Err(gap) => {
                self.blind.get_or_insert(gap);
                return;
            }
        };
        for path in paths {
            self.files += 1;
            if depth >= DEPTH || self.files > FILES {
                self.blind.get_or_insert(Gap::new(GapKind::Malformed, cut(&format!("{path}: includes without end"))));
                return;
            }
            match world.read(&path) {
                Fact::Known(text) => self.file(&text, &path, depth + 1, in_match),
                Fact::Absent => {}
                Fact::Unknown(gap) => {
                    self.blind.get_or_insert(gap);
                }
            }
        }
    }

    fn set(&mut self, keyword: &str, value: &str, path: &str) {
        let blind = self.blind.clone();
        let strange = || Gap::new(GapKind::Malformed, cut(&format!("{path}: {keyword} {value:?}")));
        let switch = || match (blind.clone(), value.to_ascii_lowercase().as_str()) {
            (Some(gap), _) => Fact::Unknown(gap),
            (None, "yes" | "true") => Fact::Known(true),
            (None, "no" | "false") => Fact::Known(false),
            (None, _) => Fact::Unknown(strange()),
        };
        let global = &mut self.global;
        match keyword {
            "permitrootlogin" if global.root_login.is_none() => {
                let value = root_login(value).ok_or_else(strange);
                global.root_login = Some(match (blind, value) {
                    (Some(gap), _) | (None, Err(gap)) => Fact::Unknown(gap),
                    (None, Ok(value)) => Fact::Known(value),
                });
            }
            "passwordauthentication" => drop(global.password.get_or_insert_with(switch)),
            // The first is the older name of the second.
            "challengeresponseauthentication" | "kbdinteractiveauthentication" => {
                global.keyboard.get_or_insert_with(switch);
            }
            "usepam" => drop(global.pam.get_or_insert_with(switch)),
            "permitemptypasswords" => drop(global.empty_passwords.get_or_insert_with(switch)),
            "authenticationmethods" if global.more_than_password.is_none() => {
                global.more_than_password = Some(blind.map_or(Fact::Known(asks_for_more(value)), Fact::Unknown));
            }
            // These two add up.
            "port" => self.ports.extend(value.parse::<u16>().ok()),
            "listenaddress" => self.listen_addresses.push(cut(value)),
            _ => {}
        }
    }

    /// A keyword of a block that holds for some connections.
    fn set_for_some(&mut self, keyword: &str, value: &str) {
        let value = value.to_ascii_lowercase();
        let refuses = match keyword {
            "permitrootlogin" => value != "yes",
            "authenticationmethods" => asks_for_more(&value),
            _ => matches!(value.as_str(), "no" | "false"),
        };
        let what = match keyword {
            "permitrootlogin" => "root",
            "permitemptypasswords" => "empty",
            "passwordauthentication" | "authenticationmethods" => "password",
            "challengeresponseauthentication" | "kbdinteractiveauthentication" => "keyboard",
            _ => return,
        };
        if !refuses {
            self.lets_in.push(what);
        }
    }

    /// dropbear has no file, and lets root and passwords in unless told otherwise.
    fn dropbear(mut self) -> Parsed {
        self.global.root_login.get_or_insert(Fact::Known(RootLogin::Yes));
        self.global.keyboard = Some(Fact::Known(false));
        self.finish("command line")
    }

    fn finish(self, path: &str) -> Parsed {
        let blind = self.blind.as_ref();
        let or = |set: Option<Fact<bool>>, default| {
            set.unwrap_or_else(|| blind.map_or(Fact::Known(default), |gap| Fact::Unknown(gap.clone())))
        };
        let root_login = self.global.root_login.unwrap_or_else(|| {
            blind.map_or(Fact::Known(RootLogin::ProhibitPassword), |gap| Fact::Unknown(gap.clone()))
        });
        let pam = or(self.global.pam, false);
        // Through PAM the keyboard-interactive method asks for the same password.
        let keyboard_for_some = self.lets_in.contains(&"keyboard") && pam != Fact::Known(false);
        let by_keyboard = both(or(self.global.keyboard, true), pam);
        let some_password = either(or(self.global.password, true), by_keyboard);
        let password = both(some_password, or(self.global.more_than_password, false).map(|more| !more));
        let for_some = |what: &str| {
            Gap::new(GapKind::Malformed, format!("{path}: a Match block lets {what} in for some connections"))
        };
        let config = SshdConfig {
            root_login: match root_login {
                Fact::Known(login) if login != RootLogin::Yes && self.lets_in.contains(&"root") => {
                    Fact::Unknown(for_some("root"))
                }
                other => other,
            },
            password_login: match password {
                Fact::Known(false) if self.lets_in.contains(&"password") || keyboard_for_some => {
                    Fact::Unknown(for_some("passwords"))
                }
                other => other,
            },
            empty_passwords: match or(self.global.empty_passwords, false) {
                Fact::Known(false) if self.lets_in.contains(&"empty") => Fact::Unknown(for_some("empty passwords")),
                other => other,
            },
            ports: if self.ports.is_empty() { vec![PORT] } else { self.ports },
            match_blocks: self.match_blocks,
            path: cut(path),
        };
        Parsed { config, listen_addresses: self.listen_addresses, gap: self.blind }
    }
}

fn root_login(value: &str) -> Option<RootLogin> {
    match value.to_ascii_lowercase().as_str() {
        "yes" => Some(RootLogin::Yes),
        "no" => Some(RootLogin::No),
        "prohibit-password" | "without-password" => Some(RootLogin::ProhibitPassword),
        "forced-commands-only" => Some(RootLogin::ForcedCommandsOnly),
        _ => None,
    }
}

/// Whether every list of `AuthenticationMethods` has something that a password does not give.
fn asks_for_more(lists: &str) -> bool {
    let strong = |method: &str| ["publickey", "hostbased", "gssapi"].iter().any(|kind| method.starts_with(kind));
    !lists.is_empty() && lists.split_ascii_whitespace().all(|list| list.split(',').any(strong))
}

fn either(one: Fact<bool>, other: Fact<bool>) -> Fact<bool> {
    match (one, other) {
        (Fact::Known(true), _) | (_, Fact::Known(true)) => Fact::Known(true),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
        _ => Fact::Known(false),
    }
}

fn both(one: Fact<bool>, other: Fact<bool>) -> Fact<bool> {
    either(one.map(|one| !one), other.map(|other| !other)).map(|neither| !neither)
}

#[cfg(test)]
mod tests;
