//! The command behind words that only say how it is run: `FOO=1 sudo -E env BAR=2 pip install`.

use super::tables::WITH_VALUE;
use crate::probe::paths::base_name;

/// Programs that run another, and their options that take the next word.
const RUNNERS: [(&str, &[&str]); 10] = [
    ("env", &["-u", "--unset", "-C", "--chdir", "-S"]),
    ("sudo", &["-u", "--user", "-g", "--group", "-h", "-p"]),
    ("doas", &["-u"]),
    ("exec", &["-a"]),
    ("time", &["-f", "-o"]),
    ("command", &[]),
    ("builtin", &[]),
    ("nohup", &[]),
    ("nice", &["-n"]),
    ("eatmydata", &[]),
];

/// The command itself.
pub fn bare(words: &[String]) -> &[String] {
    let mut rest = words;
    while let Some((first, behind)) = rest.split_first() {
        if assignment(first).is_some() {
            rest = behind;
            continue;
        }
        let Some((_, with_value)) = RUNNERS.iter().find(|(name, _)| *name == base_name(first)) else { break };
        rest = behind;
        while let Some((option, behind)) = rest.split_first().filter(|(option, _)| option.starts_with('-')) {
            let takes = usize::from(with_value.contains(&option.as_str()));
            rest = behind.get(takes..).unwrap_or_default();
        }
    }
    rest
}

/// `NAME=value` as its parts.
pub fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    (begins && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')).then_some((name, value))
}

/// Whether a command sets variables for those that follow.
pub fn is_export(command: &[String]) -> bool {
    command.first().is_some_and(|program| matches!(program.as_str(), "export" | "declare"))
}

/// A program that is no tool of the system, by its path or its name.
pub fn is_script(program: &str) -> bool {
    const SYSTEM: [&str; 6] = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/opt/conda/bin/"];
    let is_path = program.contains('/') && !SYSTEM.iter().any(|folder| program.starts_with(folder));
    is_path || [".sh", ".run", ".py"].iter().any(|end| program.ends_with(end))
}

/// The words from the first on that is no option; an option may take one that is none.
pub fn behind_options<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        at += 1 + usize::from(WITH_VALUE.contains(word) || matches!(*word, "--log" | "-n" | "--name"));
    }
    words.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_says_how_a_command_is_run_is_left_out() {
        for line in ["A=1 b c", "env A=1 b c", "sudo -E -u x b c", "time exec /usr/bin/env -i A=$X b c", "b c"] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(bare(&words), ["b", "c"], "{line}");
        }
        assert!(bare(&["A=1".to_owned()]).is_empty());
    }
}
