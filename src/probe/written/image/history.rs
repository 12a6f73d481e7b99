//! What looks like a secret in what the history of an image shows: variables, and the words of commands.

use crate::facts::LIST_LIMIT;
use crate::probe::environment::is_secret;
use crate::probe::startup::shell_commands;
use crate::probe::written::dockerfile::Stage;

/// Names, or the form of a value that has none, each with its line.
pub fn secrets(stage: &Stage) -> Vec<(String, usize)> {
    let mut found = stage.secrets.clone();
    let mut tell = |name: String, line: &dyn Fn() -> usize| {
        // The line of each is searched for, so no more are than a report shows.
        if found.len() < LIST_LIMIT && !found.iter().any(|(known, _)| *known == name) {
            found.push((name, line()));
        }
    };
    for run in &stage.runs {
        for word in shell_commands(&run.text).into_iter().flatten() {
            in_word(&word, &mut |name, sought| tell(name, &|| run.instruction.line_of(sought)));
        }
        // One for a program that is no shell is told as it stands.
        for document in &run.instruction.documents {
            in_text(&document.text, &mut |name, sought| tell(name, &|| run.instruction.line_of(sought)));
        }
    }
    for instruction in &stage.shown {
        in_text(&instruction.text, &mut |name, sought| tell(name, &|| instruction.line_of(sought)));
        for word in instruction.documents.iter().flat_map(|document| document.text.split_whitespace()) {
            in_word(word, &mut |name, sought| tell(name, &|| instruction.line_of(sought)));
        }
    }
    for command in &stage.commands {
        for word in &command.value.words {
            in_text(word, &mut |name, _| tell(name, &|| command.line));
        }
    }
    found
}

/// One word of a shell: an assignment, or a text with a value somewhere in it.
fn in_word(word: &str, tell: &mut dyn FnMut(String, &str)) {
    if let Some((name, value)) = word.split_once('=')
        && !value.contains(['$', '`'])
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !name.is_empty()
        && is_secret(name, value)
    {
        tell(name.to_owned(), name);
    } else {
        in_text(word, tell);
    }
}

/// Values that show by their shape what they are, in any text.
fn in_text(text: &str, tell: &mut dyn FnMut(String, &str)) {
    let parts = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '`' | ',' | ';' | '(' | ')');
    for piece in text.split(parts) {
        if piece.contains("://") && is_secret("", piece) {
            tell("a password in a URL".to_owned(), piece);
            continue;
        }
        for value in piece.split(['=', '@', ':', '/']) {
            // The first words of a key in PEM are no key: commands search for them.
            if is_secret("", value) && !value.starts_with('-') {
                let end = value.find(['_', '-']).map_or(4, |at| at + 1);
                tell(format!("{}…", value.get(..end).unwrap_or_default()), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::probe::written::dockerfile::read;

    fn told(text: &str) -> Vec<(String, usize)> {
        secrets(&read(text).expect(text).last)
    }

    fn one(name: &str, line: usize) -> Vec<(String, usize)> {
        vec![(name.to_owned(), line)]
    }

    #[test]
    fn a_history_forgets_nothing() {
        let text = "FROM a AS s\nARG HF_TOKEN=hf_one\nARG HF_TOKEN=\nFROM s\nENV HF_TOKEN=\n";
        assert_eq!(told(text), one("HF_TOKEN", 2));
        assert_eq!(told("FROM a\nENV OLD_HF_TOKEN= \\\n  HF_TOKEN=abcdef\n"), one("HF_TOKEN", 3));
        assert_eq!(told("FROM a\nRUN <<EOF\nset -e\nexport API_KEY=hunter2hunter2\nEOF\n"), one("API_KEY", 4));
    }

    #[test]
    fn values_show_what_they_are_wherever_they_stand() {
        let key = "A".repeat(36);
        for (line, name) in [
            (format!("RUN curl -H \"Authorization: Bearer hf_{key}\" https://x/y"), "hf_…"),
            (format!("RUN git clone https://ghp_{key}@github.com/a/b"), "ghp_…"),
            ("RUN git clone https://u:hunter2@github.com/a/b".to_owned(), "a password in a URL"),
            (format!("CMD [\"x\", \"--api-key=sk-{key}\"]"), "sk-…"),
            (format!("CMD x --api-key 'sk-{key}'"), "sk-…"),
        ] {
            assert_eq!(told(&format!("FROM a\n{line}\n")), one(name, 2), "{line}");
        }
    }

    #[test]
    fn what_is_added_copied_labelled_or_asked_shows_it_too() {
        let key = "A".repeat(36);
        for (line, name) in [
            ("ADD https://u:hunter2@x.y/m.tar /m/".to_owned(), "a password in a URL"),
            (format!("HEALTHCHECK CMD curl -H \"Authorization: Bearer hf_{key}\" http://127.0.0.1/"), "hf_…"),
            (format!("LABEL deploy=\"ghp_{key}\""), "ghp_…"),
        ] {
            assert_eq!(told(&format!("FROM a\n{line}\n")), one(name, 2), "{line}");
        }
        assert_eq!(told("FROM a\nCOPY <<EOF /app/.env\nDEBUG=1\nAPI_KEY=hunter2hunter2\nEOF\n"), one("API_KEY", 4));
        assert_eq!(told("FROM a\nCOPY a b\nLABEL version=1\nHEALTHCHECK CMD curl -f http://127.0.0.1/\n"), []);
    }

    #[test]
    fn a_secret_argument_stays_where_it_is_used() {
        for text in ["ENV HF_TOKEN=$HF_TOKEN", "RUN login --token ${HF_TOKEN}", "RUN <<EOF\nlogin $HF_TOKEN\nEOF"] {
            assert_eq!(told(&format!("FROM a\nARG HF_TOKEN\n{text}\n")), one("HF_TOKEN", 2), "{text}");
        }
        for text in ["RUN login $HF_TOKEN_FILE", "RUN ls", "RUN --mount=type=secret,id=hf_token login"] {
            assert_eq!(told(&format!("FROM a\nARG HF_TOKEN\n{text}\n")), [], "{text}");
        }
        assert_eq!(told("FROM a\nARG VERSION\nRUN get $VERSION\n"), [], "no secret");
    }

    #[test]
    fn what_is_read_from_elsewhere_is_no_secret() {
        for line in [
            "RUN HF_TOKEN=`cat /run/secrets/hf` x",
            "RUN HF_TOKEN=$(cat /run/secrets/hf) x",
            "RUN git clone https://u:${TOKEN}@github.com/a/b",
            "RUN git clone https://u:$(cat /run/secrets/t)@github.com/a/b",
            "RUN grep -q '-----BEGIN CERTIFICATE-----' x",
            "ENV OPENAI_API_KEY=EMPTY",
            "RUN pip install sk-learn hf_transfer https://x.y/z@1",
        ] {
            assert_eq!(told(&format!("FROM a\n{line}\n")), [], "{line}");
        }
    }

    #[test]
    fn long_commands_are_read_once() {
        let mut text = "FROM a\nRUN x".to_owned();
        for at in 0..50_000 {
            let _ = write!(text, " T{at}_TOKEN=abcdefg");
        }
        assert_eq!(told(&text).len(), LIST_LIMIT);
    }
}
