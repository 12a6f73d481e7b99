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
    let runs = stage.runs.iter().filter(|run| run.text.contains(SSHD_CONFIG));
    let text: String = runs.map(|run| &*run.text).collect::<Vec<_>>().join("\n");
    // `sed s/old/new/` names a setting twice, and what it becomes comes last.
    let value = |name: &str| {
        let (_, behind) = text.rsplit_once(name)?;
        let value = behind.trim_start_matches([' ', '\t', '=']);
        let end = value.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')).unwrap_or(value.len());
        value.get(..end).filter(|value| !value.is_empty()).map(|value| format!("{name} {value}\n"))
    };
    let settings: String = SETTINGS.into_iter().filter_map(value).collect();
    (!settings.is_empty()).then_some(settings)
}

/// Lines on which commands write those settings.
pub fn sshd_settings(stage: &Stage) -> Vec<usize> {
    let runs = stage.runs.iter().filter(|run| run.text.contains(SSHD_CONFIG));
    let settings = runs.flat_map(|run| SETTINGS.iter().map(move |setting| (run, *setting)));
    settings
        .filter(|(run, setting)| run.text.contains(setting))
        .map(|(run, setting)| run.instruction.line_of(setting))
        .collect()
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
        assert_eq!(sshd_config(&stage).as_deref(), Some("PermitRootLogin yes\nPasswordAuthentication no\n"));
        assert_eq!(sshd_settings(&stage), [2, 3]);
        assert_eq!(sshd_config(&read("FROM a\nRUN grep PermitRootLogin x\n").expect("one").last), None);
    }
}
