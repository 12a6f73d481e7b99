//! The global part of `/etc/ssh/sshd_config`, read as sshd reads it.
//!
//! The first value of a keyword wins; `Include` is followed where it stands;
//! `Match` blocks only hold for some connections, so they are counted and not applied.

use super::glob;
use crate::facts::{Fact, Gap, GapKind, RootLogin, SshdConfig};
use crate::probe::network::cut;
use crate::world::World;

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
}

/// Reads the configuration; absent when there is none.
pub fn read(world: &World) -> Fact<Parsed> {
    world.read(PATH).map(|text| {
        let mut reader = Reader::new(world);
        reader.file(&text, PATH, 0);
        reader.finish()
    })
}

struct Reader<'a> {
    world: &'a World,
    root_login: Option<Fact<RootLogin>>,
    password_login: Option<Fact<bool>>,
    empty_passwords: Option<Fact<bool>>,
    ports: Vec<u16>,
    listen_addresses: Vec<String>,
    match_blocks: u32,
    files: u32,
    /// A part could not be read, and what it may have set is unknown from there on.
    blind: Option<Gap>,
}

impl<'a> Reader<'a> {
    fn new(world: &'a World) -> Self {
        Self {
            world,
            root_login: None,
            password_login: None,
            empty_passwords: None,
            ports: Vec::new(),
            listen_addresses: Vec::new(),
            match_blocks: 0,
            files: 0,
            blind: None,
        }
    }

    fn file(&mut self, text: &str, path: &str, depth: u32) {
        // A Match block ends with the file that it stands in.
        let mut in_match = false;
        for line in text.lines() {
            let mut words = words(line).into_iter();
            let Some(keyword) = words.next() else { continue };
            let values: Vec<String> = words.collect();
            let keyword = keyword.to_ascii_lowercase();
            if keyword == "match" {
                self.match_blocks = self.match_blocks.saturating_add(1);
                in_match = !values.first().is_some_and(|value| value.eq_ignore_ascii_case("all"));
            } else if in_match {
                // Includes inside a block hold for the block only.
            } else if keyword == "include" {
                for pattern in values {
                    self.include(&pattern, depth);
                }
            } else if let Some(value) = values.first() {
                self.set(&keyword, value, path);
            }
        }
    }

    fn include(&mut self, pattern: &str, depth: u32) {
        let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") };
        let paths = match glob::expand(self.world, &pattern) {
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
            match self.world.read(&path) {
                Fact::Known(text) => self.file(&text, &path, depth + 1),
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
        match keyword {
            "permitrootlogin" if self.root_login.is_none() => {
                let value = match value.to_ascii_lowercase().as_str() {
                    "yes" => Ok(RootLogin::Yes),
                    "no" => Ok(RootLogin::No),
                    "prohibit-password" | "without-password" => Ok(RootLogin::ProhibitPassword),
                    "forced-commands-only" => Ok(RootLogin::ForcedCommandsOnly),
                    _ => Err(strange()),
                };
                self.root_login = Some(match (blind, value) {
                    (Some(gap), _) | (None, Err(gap)) => Fact::Unknown(gap),
                    (None, Ok(value)) => Fact::Known(value),
                });
            }
            "passwordauthentication" if self.password_login.is_none() => self.password_login = Some(switch()),
            "permitemptypasswords" if self.empty_passwords.is_none() => self.empty_passwords = Some(switch()),
            // These two add up.
            "port" => self.ports.extend(value.parse::<u16>().ok()),
            "listenaddress" => self.listen_addresses.push(cut(value)),
            _ => {}
        }
    }

    fn finish(self) -> Parsed {
        fn or<T>(set: Option<Fact<T>>, blind: Option<&Gap>, default: T) -> Fact<T> {
            set.unwrap_or_else(|| blind.map_or(Fact::Known(default), |gap| Fact::Unknown(gap.clone())))
        }
        let blind = self.blind.as_ref();
        let config = SshdConfig {
            path: PATH.to_owned(),
            root_login: or(self.root_login, blind, RootLogin::ProhibitPassword),
            password_login: or(self.password_login, blind, true),
            empty_passwords: or(self.empty_passwords, blind, false),
            ports: if self.ports.is_empty() { vec![22] } else { self.ports },
            match_blocks: self.match_blocks,
        };
        Parsed { config, listen_addresses: self.listen_addresses }
    }
}

/// The words of a line: parted by white space, or once by `=` after the keyword; quotes hold words together and `#`
/// begins a comment.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    let split = line.find(|c: char| c.is_whitespace() || c == '=');
    let (keyword, rest) = line.split_at(split.unwrap_or(line.len()));
    if keyword.is_empty() || keyword.starts_with('#') {
        return Vec::new();
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut words = vec![keyword.trim_matches('"').to_owned()];
    let mut chars = rest.chars().peekable();
    while let Some(&next) = chars.peek() {
        match next {
            c if c.is_whitespace() => {
                chars.next();
            }
            '#' => break,
            '"' | '\'' => {
                chars.next();
                words.push(std::iter::from_fn(|| chars.next_if(|c| *c != next)).collect());
                chars.next();
            }
            _ => words.push(std::iter::from_fn(|| chars.next_if(|c| !c.is_whitespace())).collect()),
        }
    }
    words
}

#[cfg(test)]
mod tests;
