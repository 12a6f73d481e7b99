//! Programs that people put around a command: inits, user switchers, environment managers.

use crate::probe::paths::base_name;

/// Programs that run the rest of their command line: name, how many words of their own come first, and the options
/// that take a value as the next word.
const WRAPPERS: [(&str, usize, &[&str]); 41] = [
    ("exec", 0, &["-a"]),
    ("command", 0, &[]),
    ("env", 0, &["-u", "-C", "--unset", "--chdir"]),
    ("nohup", 0, &[]),
    ("setsid", 0, &[]),
    ("nice", 0, &["-n"]),
    ("ionice", 0, &["-c", "-n"]),
    ("stdbuf", 0, &["-i", "-o", "-e"]),
    ("timeout", 1, &["-k", "-s"]),
    ("sudo", 0, &["-u", "-g", "-h", "-p", "-C", "-D", "--user", "--group"]),
    ("doas", 0, &["-u", "-C"]),
    ("gosu", 1, &[]),
    ("su-exec", 1, &[]),
    ("setpriv", 0, &["--reuid", "--regid", "--groups"]),
    ("chpst", 0, &["-u", "-U", "-e", "-n", "-l", "-m", "-d", "-o", "-p", "-f", "-c"]),
    ("s6-setuidgid", 1, &[]),
    ("s6-envdir", 1, &[]),
    ("with-contenv", 0, &[]),
    ("fdmove", 2, &[]),
    ("tini", 0, &["-p", "-e"]),
    ("tini-static", 0, &["-p", "-e"]),
    ("docker-init", 0, &["-p", "-e"]),
    ("dumb-init", 0, &["-r", "--rewrite"]),
    ("catatonit", 0, &[]),
    ("my_init", 0, &[]),
    ("start.sh", 0, &[]),
    ("_entrypoint.sh", 0, &[]),
    ("nvidia_entrypoint.sh", 0, &[]),
    ("numactl", 0, &["-N", "-m", "-C", "-i", "-l"]),
    ("taskset", 1, &[]),
    ("prlimit", 0, &[]),
    ("chroot", 1, &[]),
    ("unshare", 0, &[]),
    ("runuser", 0, &["-u", "-g", "-G", "--user", "--group"]),
    ("flock", 1, &["-w", "-E"]),
    ("setuidgid", 1, &[]),
    ("envdir", 1, &[]),
    ("xvfb-run", 0, &["-n", "-s", "-f", "-e", "-p", "-w"]),
    ("screen", 0, &["-S", "-t", "-c", "-e", "-h", "-s", "-T", "-p"]),
    // s6-overlay; systemd goes by the same name and takes no command.
    ("init", 0, &[]),
    ("uvx", 0, &["--from", "--with", "--python", "-p"]),
];
/// Environment managers whose subcommand `run` runs the rest.
const RUNNERS: [&str; 8] = ["conda", "mamba", "micromamba", "uv", "poetry", "pipenv", "pdm", "pixi"];
const RUNNER_VALUES: [&str; 7] = ["-n", "--name", "-p", "--prefix", "--with", "--project", "--cwd"];
/// The command inside its wrappers.
pub fn unwrapped(mut words: &[String]) -> &[String] {
    loop {
        words = skip_assignments(words);
        let Some((first, rest)) = words.split_first() else { return words };
        let name = base_name(first);
        if let Some((_, own, values)) = WRAPPERS.iter().find(|(wrapper, ..)| *wrapper == name) {
            // `runuser user -c "…"` is a shell of that user.
            if name == "runuser" && !rest.iter().any(|word| word.starts_with("-u") || word.starts_with("--user")) {
                return words;
            }
            // `screen -r name` only comes back to what runs.
            if name == "screen" && !rest.iter().any(|word| word.starts_with("-d")) {
                return words;
            }
            // `command -v sshd` only asks where it is.
            if name == "command" && rest.first().is_some_and(|word| word.starts_with('-')) {
                return &[];
            }
            let rest = skip_assignments(skip_options(rest, values));
            let inner = rest.get(*own..).unwrap_or_default();
            // An init without a command is not a wrapper but the program.
            if inner.is_empty() {
                return words;
            }
            words = skip_options(inner, &[]);
        } else if RUNNERS.contains(&name) && rest.first().is_some_and(|word| word == "run") {
            words = skip_options(rest.get(1..).unwrap_or_default(), &RUNNER_VALUES);
        } else {
            return words;
        }
    }
}

/// The words after options; those of `with_value` take the next word with them.
pub fn skip_options<'a>(mut words: &'a [String], with_value: &[&str]) -> &'a [String] {
    while let Some((first, rest)) = words.split_first() {
        if first == "--" {
            return rest;
        }
        if !first.starts_with('-') {
            return words;
        }
        let taken = usize::from(takes_next(first, with_value));
        words = rest.get(taken..).unwrap_or_default();
    }
    words
}

/// Whether the value of an option is the next word: `-u`, `--user`, and `-EHu`, but not `-n5`.
fn takes_next(option: &str, with_value: &[&str]) -> bool {
    let takes =
        |letter: char| with_value.iter().any(|name| name.strip_prefix('-') == Some(letter.to_string().as_str()));
    if option.starts_with("--") {
        return with_value.contains(&option);
    }
    let mut letters = option.chars().skip(1);
    letters.find(|letter| takes(*letter)).is_some() && letters.next().is_none()
}

fn skip_assignments(words: &[String]) -> &[String] {
    let is_assignment = |word: &String| {
        word.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let count = words.iter().take_while(|word| is_assignment(word)).count();
    words.get(count..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(text: &str) -> String {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        unwrapped(&words).join(" ")
    }

    #[test]
    fn wrappers_are_taken_off_with_their_own_words() {
        assert_eq!(inner("tini -s -- gosu app env A=1 nice -n 5 serve --x"), "serve --x");
        assert_eq!(inner("timeout -k 5 60 serve"), "serve");
        assert_eq!(inner("uv run --with x serve"), "serve");
        assert_eq!(inner("uv pip install x"), "uv pip install x");
    }

    #[test]
    fn a_wrapper_around_nothing_is_the_program() {
        assert_eq!(inner("tini --version"), "tini --version");
        assert_eq!(inner("command -v serve"), "");
        assert_eq!(inner("A=1"), "");
    }
}
