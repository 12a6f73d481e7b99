//! Passwords that a command is given where no name says so: `curl -u user:password`, `mysql -ppassword`.

use super::REDACTED;

/// What a word may end with, and begin behind, in a command or in the list of its words.
const MARKS: [char; 10] = ['\'', '"', ',', '(', ')', '[', ']', '\\', '`', '='];

/// The line without them.
pub fn redacted(line: &str, count: &mut usize) -> String {
    let (mut kept, mut rest) = (String::new(), line);
    let (mut command, mut flag) = ("", "");
    while let Some(start) = rest.find(|c| !is_between(c)) {
        kept += &rest[..start];
        rest = &rest[start..];
        // Between quotes a word goes on to the next one.
        let quote = kept.chars().next_back().filter(|c| ['"', '\''].contains(c) && !flag.is_empty());
        let end = quote.map_or_else(|| rest.find(is_between), |quote| rest.find(quote)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        match secret(command, flag, word).filter(|at| is_secret(&word[*at..])) {
            Some(at) => {
                kept += &word[..at];
                kept += REDACTED;
                *count += 1;
                // What `sshpass` starts has flags of its own: `ssh -p 22`.
                command = if command == "sshpass" { "" } else { command };
            }
            None => kept += word,
        }
        flag = word;
        if let Some(known) = known(word) {
            command = known;
        } else if ["|", ";", "&&", "||"].contains(&word) {
            command = "";
        }
    }
    kept + rest
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || MARKS.contains(&c)
}

/// The command of this name, be it one of a family: `mysqldump`, `/usr/bin/curl`.
fn known(word: &str) -> Option<&'static str> {
    let name = word.rsplit('/').next().unwrap_or_default();
    let of = |family: &&str| {
        if *family == "curl" || *family == "sshpass" { name == *family } else { name.starts_with(*family) }
    };
    ["curl", "sshpass", "mysql", "mariadb"].into_iter().find(of)
}

/// Where in a word of a command its password begins.
fn secret(command: &str, flag: &str, word: &str) -> Option<usize> {
    let joined = |flag: &str| word.starts_with(flag).then_some(flag.len()).filter(|at| *at < word.len());
    match command {
        "curl" if ["-u", "-U", "--user", "--proxy-user"].contains(&flag) => Some(word.find(':')? + 1),
        "curl" => joined("-u").or_else(|| joined("-U")).and_then(|_| Some(word.find(':')? + 1)),
        "sshpass" if flag == "-p" => Some(0),
        "mysql" | "mariadb" | "sshpass" => joined("-p"),
        _ => None,
    }
}

/// A password that stands there, and no variable that will hold one.
fn is_secret(value: &str) -> bool {
    !value.is_empty() && !value.starts_with('$') && !value.starts_with("[redacted") && value != "*"
}
