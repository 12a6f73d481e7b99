//! What commands leave in files that are not in the text: users with their numbers, settings of sshd.

use std::fmt::Write as _;

use super::dockerfile::Stage;
use super::pip::bare;
use crate::probe::startup::shell_commands;

/// `/etc/passwd` as far as the text makes it: root, and users that get a number.
pub fn passwd(stage: &Stage) -> String {
    let mut lines = "root:x:0:0:root:/root:/bin/sh\n".to_owned();
    for words in stage.runs.iter().flat_map(|run| shell_commands(&run.text)) {
        let Some((program, rest)) = bare(&words).split_first() else { continue };
        if !matches!(program.rsplit('/').next(), Some("useradd" | "adduser")) {
            continue;
        }
        let option = |names: &[&str]| {
            rest.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
                Some((name, value)) if names.contains(&name) => Some(value.to_owned()),
                _ if names.contains(&word.as_str()) => rest.get(at + 1).cloned(),
                _ => None,
            })
        };
        let uid = option(&["-u", "--uid"]).and_then(|uid| uid.parse::<u32>().ok());
        let name = rest.iter().rev().find(|word| !word.starts_with('-') && word.parse::<u32>().is_err());
        if let (Some(uid), Some(name)) = (uid, name)
            && !name.contains([':', '\n', '$'])
        {
            let _ = writeln!(lines, "{name}:x:{uid}:{uid}::/home/{name}:/bin/sh");
        }
    }
    lines
}

/// The name of the file by which a command that changes it is known.
const SSHD_CONFIG: &str = "sshd_config";
/// Settings of sshd that decide who may log in.
const SETTINGS: [&str; 3] = ["PermitRootLogin", "PasswordAuthentication", "PermitEmptyPasswords"];

/// Settings of sshd that commands write into its configuration; none where no command does.
pub fn sshd_config(stage: &Stage) -> Option<String> {
    let mut settings: Vec<(&str, String)> = Vec::new();
    for (_, name, value) in sshd_changes(stage) {
        settings.retain(|(known, _)| *known != name);
        if let Change::Sets(value) = value {
            settings.push((name, value));
        }
    }
    let mut own = String::new();
    for (name, value) in settings {
        let _ = writeln!(own, "{name} {value}");
    }
    // Of two values sshd takes the first.
    let rest = stage.files.iter().rev().find(|(path, _)| path.ends_with(SSHD_CONFIG)).map(|(_, text)| text.as_str());
    (!own.is_empty() || rest.is_some()).then(|| own + rest.unwrap_or_default())
}

/// Lines on which commands write those settings.
pub fn sshd_settings(stage: &Stage) -> Vec<usize> {
    let sets = |(.., change): &(usize, &str, Change)| matches!(change, Change::Sets(_));
    sshd_changes(stage).into_iter().filter(sets).map(|(line, ..)| line).collect()
}

/// What a command makes of a setting.
enum Change {
    /// It has this value.
    Sets(String),
    /// The default holds: its line is taken away or made a comment.
    Clears,
}

/// What each command makes of a setting, with its line.
fn sshd_changes(stage: &Stage) -> Vec<(usize, &'static str, Change)> {
    let mut changes = Vec::new();
    for run in stage.runs.iter().filter(|run| run.text.contains(SSHD_CONFIG)) {
        for words in shell_commands(&run.text) {
            let Some((program, rest)) = bare(&words).split_first() else { continue };
            let is_sed = program.ends_with("sed");
            // Who looks for a setting sets nothing.
            if program.ends_with("grep") {
                continue;
            }
            for word in rest {
                for name in SETTINGS.into_iter().filter(|name| word.contains(name)) {
                    let value = if is_sed { of_sed(word, name) } else { of_lines(word, name).map(Change::Sets) };
                    changes.extend(value.map(|value| (run.instruction.line_of(name), name, value)));
                }
            }
        }
    }
    changes
}

/// What an expression of `sed` makes of a setting; none where it is no such expression.
fn of_sed(expression: &str, name: &str) -> Option<Change> {
    if let Some(at) = expression.find("s/").or_else(|| expression.find("s|")).or_else(|| expression.find("s#")) {
        let sign = expression.get(at + 1..)?.chars().next()?;
        let put = expression.get(at + 2..)?.split(sign).nth(1)?;
        return put.contains(name).then(|| of_lines(put, name).map_or(Change::Clears, Change::Sets));
    }
    expression.ends_with('d').then_some(Change::Clears)
}

/// The last value that lines give a setting; those that begin with `#` are comments.
fn of_lines(text: &str, name: &str) -> Option<String> {
    let (before, behind) = text.rsplit_once(name)?;
    if before.rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('#')) {
        return None;
    }
    let value = behind.trim_start_matches([' ', '\t', '=']);
    let end = value.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')).unwrap_or(value.len());
    value.get(..end).filter(|value| !value.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::dockerfile::read;
    use super::*;

    #[test]
    fn users_with_a_number_are_known() {
        let built = read(
            "FROM a\nRUN groupadd g && sudo -E X=1 useradd -r -u 1001 -g g app && adduser --uid=2000 --system other\n",
        )
        .expect("one");
        let text = passwd(&built.last);
        assert!(
            text.contains("app:x:1001:") && text.contains("other:x:2000:") && text.starts_with("root:x:0:"),
            "{text}"
        );
        assert_eq!(passwd(&read("FROM a\nRUN useradd app\n").expect("one").last).lines().count(), 1);
    }

    #[test]
    fn what_a_setting_becomes_is_what_comes_last() {
        let text = "FROM a\nRUN sed -i 's/#PermitRootLogin no/PermitRootLogin yes/' /etc/ssh/sshd_config \\\n && echo \
                    'PasswordAuthentication no' >> /etc/ssh/sshd_config\n";
        let stage = read(text).expect("one").last;
        let config = sshd_config(&stage).expect("settings");
        assert!(config.starts_with("PermitRootLogin yes\nPasswordAuthentication no\n"), "{config}");
        assert_eq!(sshd_settings(&stage), [2, 3]);
        assert_eq!(sshd_config(&read("FROM a\nRUN grep PermitRootLogin x\n").expect("one").last), None);
    }

    #[test]
    fn who_forbids_or_only_looks_allows_nothing() {
        let config = |commands: &str| sshd_config(&read(&format!("FROM a\nRUN {commands}\n")).expect("one").last);
        for commands in [
            "sed -i 's/^PermitRootLogin yes/#PermitRootLogin yes/' /etc/ssh/sshd_config",
            "sed -i '/PermitRootLogin yes/d' /etc/ssh/sshd_config",
            "! grep -q '^PermitRootLogin yes' /etc/ssh/sshd_config",
        ] {
            assert_eq!(config(commands), None, "{commands}");
        }
        let forbids =
            "echo 'PermitRootLogin no' >> /etc/ssh/sshd_config && ! grep -q 'PermitRootLogin yes' /etc/ssh/sshd_config";
        assert!(config(forbids).is_some_and(|text| text.starts_with("PermitRootLogin no\n")));
        let allows = "sed -ri 's|^#?PermitRootLogin .*|PermitRootLogin yes|' /etc/ssh/sshd_config";
        assert_eq!(config(allows).as_deref(), Some("PermitRootLogin yes\n"));
    }
}
