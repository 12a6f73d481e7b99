//! Names of environment variables that hold secrets.
//!
//! A name is suspected by its last words or its value's shape. Values stay here:
//! only names leave this module.

use crate::facts::{LIST_LIMIT, cut};
use crate::world::World;

/// Last words of a name that announce a secret.
const LAST: [&str; 9] =
    ["SECRET", "SECRETS", "TOKEN", "APIKEY", "CREDENTIAL", "CREDENTIALS", "PAT", "HFTOKEN", "AUTHTOKEN"];
/// Ends of a last word that announce one too: `PGPASSWORD`, `dbpassword`.
const ENDS: [&str; 3] = ["PASSWORD", "PASSWD", "PASSPHRASE"];
/// Last words with such an end that announce none: `NOPASSWD: ALL` of sudo.
const NONE: [&str; 2] = ["NOPASSWORD", "NOPASSWD"];
/// What stands before `PASS`, in one word with it or not, when it is a secret one: `SMTPPASS`, `DB_PASS`. Other words end
/// so too: `BYPASS`, `COMPASS`, `FIRST_PASS`.
const PASSES: [&str; 23] = [
    "DB", "DATABASE", "SQL", "MYSQL", "PG", "POSTGRES", "MONGO", "REDIS", "RABBITMQ", "AMQP", "SMTP", "MAIL", "EMAIL",
    "FTP", "SFTP", "SSH", "LDAP", "PROXY", "USER", "ADMIN", "ROOT", "KEY", "STORE",
];
/// What stands before a last word `KEY` when it is a secret one.
const KEYS: [&str; 8] = ["API", "ACCESS", "PRIVATE", "SECRET", "AUTH", "ENCRYPTION", "SIGNING", "ACCOUNT"];
/// Words that make a name one of a setting: `MAX_TOKEN`, `PAD_TOKEN`, `ALLOW_EMPTY_PASSWORD`.
const SETTINGS: [&str; 18] = [
    "MAX", "MIN", "NUM", "COUNT", "LIMIT", "PAD", "EOS", "BOS", "UNK", "CLS", "SEP", "MASK", "STOP", "ALLOW", "EMPTY",
    "REQUIRE", "DISABLE", "ENABLE",
];
/// Beginnings of values that are keys of well-known services, and how long such a value is at least.
pub(super) const SHAPES: [(&str, usize); 14] = [
    ("hf_", 33),
    ("sk-", 20),
    ("sk_live_", 20),
    ("AKIA", 20),
    ("ASIA", 20),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("nvapi-", 30),
    ("-----BEGIN ", 20),
];

/// The suspected names, sorted.
pub fn names(world: &World) -> Vec<String> {
    let suspected = |name: &String| world.env(name).is_some_and(|value| is_secret(name, &value));
    let mut names: Vec<String> = world.env_names().filter(suspected).collect();
    for name in &mut names {
        *name = cut(name);
    }
    names.sort();
    names.dedup();
    names.truncate(LIST_LIMIT);
    names
}

/// Whether a variable looks like a secret that has a value.
pub fn is_secret(name: &str, value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() {
        return false;
    }
    has_secret_shape(value) || (is_secret_name(name) && !is_harmless(value))
}

/// Whether a variable of this name holds a secret, where it holds anything.
pub fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_mark = |c: char| "_-.".contains(c);
    // One of several: `API_KEY_1`, `password1`.
    let unnumbered = upper.trim_end_matches(|c: char| c.is_ascii_digit() || is_mark(c));
    let words: Vec<&str> = unnumbered.split(is_mark).filter(|word| !word.is_empty()).collect();
    let Some((last, before)) = words.split_last() else { return false };
    if words.iter().any(|word| SETTINGS.contains(word)) {
        return false;
    }
    let is_after = |known: &[&str]| before.last().is_some_and(|word| known.contains(word));
    let is_pass = last.strip_suffix("PASS").is_some_and(|kind| match kind {
        "" => is_after(&PASSES),
        kind => PASSES.contains(&kind),
    });
    let has_end = ENDS.iter().any(|end| last.ends_with(end)) && !NONE.contains(last);
    LAST.contains(last) || has_end || is_pass || (*last == "KEY" && is_after(&KEYS))
}

/// A path to a secret, a switch, a number, or a variable that was never filled in.
fn is_harmless(value: &str) -> bool {
    let is_path = value.starts_with(['/', '~']) || value.starts_with("./") || value.starts_with("file:");
    let switches = ["true", "false", "yes", "no", "on", "off", "none", "null"];
    // Servers and clients that want any value get one of these: `OPENAI_API_KEY=EMPTY`.
    let placeholders = ["empty", "dummy", "not-needed", "placeholder", "x"];
    let is_switch = switches.iter().chain(&placeholders).any(|word| word.eq_ignore_ascii_case(value));
    let is_small_number = value.len() < 6 && value.chars().all(|c| c.is_ascii_digit());
    is_path
        || is_switch
        || is_small_number
        || value.starts_with("${")
        || (value.starts_with('<') && value.ends_with('>'))
}

fn has_secret_shape(value: &str) -> bool {
    SHAPES.iter().any(|(start, length)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        value.len() >= *length && value.starts_with(start) && (start.starts_with('-') || value.chars().all(plain))
    }) || has_password_in_url(value)
}

/// `scheme://user:password@host`
fn has_password_in_url(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.starts_with(['$', '`']))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn secrets_are_known_by_name_and_by_shape() {
        for (name, value) in [
            ("HF_TOKEN", "whatever"),
            ("WANDB_API_KEY", "0123456789abcdef"),
            ("AWS_SECRET_ACCESS_KEY", "x/y+z"),
            ("db-password", "hunter2"),
            ("DB_PASSWORD", "changeme"),
            ("PGPASSWORD", "hunter2"),
            ("REDISPASSWORD", "hunter2"),
            ("mysql.rootpasswd", "hunter2"),
            ("SMTPPASS", "hunter2"),
            ("DB_PASS", "hunter2"),
            ("OPENAI_API_KEY_1", "hunter2"),
            ("PASSWORD2", "hunter2"),
            ("MODEL", "hf_abcdefghijklmnopqrstuvwxyz012345"),
            ("DATABASE_URL", "postgres://app:hunter2@db:5432/x"),
            ("CERT", "-----BEGIN PRIVATE KEY-----\nMII"),
        ] {
            assert!(is_secret(name, value), "{name}");
        }
    }

    #[test]
    fn settings_paths_and_empty_values_are_no_secrets() {
        for (name, value) in [
            ("HF_TOKEN", ""),
            ("HF_TOKEN", "  "),
            ("HF_TOKEN_PATH", "x"),
            ("DB_PASSWORD_FILE", "/run/secrets/db"),
            ("DB_PASSWORD", "/run/secrets/db"),
            ("PGPASSWORD_FILE", "x"),
            ("PGPASSFILE", "x"),
            ("PWD", "work"),
            ("BYPASS", "hosts"),
            ("COMPASS", "north"),
            ("FIRST_PASS", "done"),
            ("SSH_ASKPASS", "askpass"),
            ("NOPASSWD", "ALL"),
            ("MAX_TOKEN_1", "123456789"),
            ("TOKENIZERS_PARALLELISM", "false"),
            ("MAX_TOKENS", "4096"),
            ("MAX_TOKEN", "123456789"),
            ("PAD_TOKEN", "<pad>"),
            ("GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"),
            ("HTTP_PROXY", "http://proxy:3128"),
            ("INDEX_URL", "https://${USER}:${PASS}@host/"),
            ("API_TOKEN", "${API_TOKEN}"),
            ("OPENAI_API_KEY", "EMPTY"),
            ("OPENAI_API_KEY", "not-needed"),
            ("KEY", "value"),
            ("", "value"),
        ] {
            assert!(!is_secret(name, value), "{name}={value}");
        }
    }

    #[test]
    fn only_names_leave() {
        let environment = vec![("B_TOKEN".into(), "hunter2".into()), ("A_SECRET".into(), "hunter3".into())];
        let world = World::at("/nowhere", environment, Duration::from_secs(1));
        assert_eq!(names(&world), ["A_SECRET", "B_TOKEN"]);
    }
}
