//! Texts that shell commands write to files: what `echo`, `printf` and `cat` say, by a redirection or through `tee`.

use super::{Reader, Simple};
use crate::probe::paths::base_name;

/// A text that a command writes to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileText {
    /// The file, as it is named.
    pub path: String,
    /// The text; variables and substitutions stay as they stand.
    pub text: String,
    /// Whether it goes behind what the file has.
    pub appends: bool,
}

/// The texts that the commands write, in their order. What another program makes is not among them.
pub fn writes(text: &str) -> Vec<FileText> {
    let commands = Reader::of(text).commands;
    let mut found = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| commands.get(at)).filter(|before| before.is_piped);
        let Some((program, arguments)) = command.words.split_first() else { continue };
        let (target, said) = if base_name(program) == "tee" {
            let file = arguments.iter().find(|word| !word.starts_with('-'));
            let appends = arguments.iter().any(|word| matches!(word.as_str(), "-a" | "--append"));
            (file.map(|file| (file.clone(), appends)), command.document.clone().or_else(|| said(before?)))
        } else {
            (command.target.clone(), said(command))
        };
        if let (Some((path, appends)), Some(text)) = (target, said) {
            found.push(FileText { path, text, appends });
        }
    }
    found
}

/// What a command prints, where its words say it.
fn said(command: &Simple) -> Option<String> {
    let (program, arguments) = command.words.split_first()?;
    match base_name(program) {
        "cat" if arguments.iter().all(|word| word == "-") => command.document.clone(),
        "echo" => {
            let is_option = |word: &&String| matches!(word.as_str(), "-e" | "-n" | "-E" | "-en" | "-ne");
            let options = arguments.iter().take_while(is_option).count();
            Some(unescaped(&arguments.get(options..)?.join(" ")) + "\n")
        }
        "printf" => {
            let (format, values) = arguments.split_first()?;
            // `printf '%s\n' a b`: the format is used for each.
            let lines = values.iter().map(|value| unescaped(format).replacen("%s", value, 1));
            Some(if values.is_empty() { unescaped(format) } else { lines.collect() })
        }
        _ => None,
    }
}

/// The signs that `echo` and `printf` write with a backslash, as far as lines and their indents go.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Vec<(String, String, bool)> {
        writes(text).into_iter().map(|one| (one.path, one.text, one.appends)).collect()
    }

    fn one(path: &str, text: &str, appends: bool) -> Vec<(String, String, bool)> {
        vec![(path.to_owned(), text.to_owned(), appends)]
    }

    #[test]
    fn what_echo_printf_and_cat_say_goes_to_their_files() {
        for (text, wanted) in [
            (r"echo '#!/bin/sh\nserve' > /a && chmod +x /a", one("/a", "#!/bin/sh\nserve\n", false)),
            ("echo -e \"a\" >>/a", one("/a", "a\n", true)),
            (r"printf '%s\n' a 'b c' > /a", one("/a", "a\nb c\n", false)),
            (r"printf 'x\ny\n' | tee /a >/dev/null", one("/a", "x\ny\n", false)),
            ("echo x | tee -a /a", one("/a", "x\n", true)),
            ("mkdir -p /b && cat > /a <<'EOF' && chmod +x /a\nserve\nEOF\nls", one("/a", "serve\n", false)),
            ("cat <<EOF | tee /a\nserve\nEOF\n", one("/a", "serve\n", false)),
            ("tee /a <<EOF\nserve\nEOF\n", one("/a", "serve\n", false)),
            ("cat >/a <<-EOF\n\tserve\n\tEOF\n", one("/a", "\tserve\n", false)),
        ] {
            assert_eq!(written(text), wanted, "{text}");
        }
        let two = "cat >/a <<A\n1\nA\ncat >/b <<B\n2\nB\n";
        assert_eq!(written(two), [one("/a", "1\n", false), one("/b", "2\n", false)].concat());
    }

    #[test]
    fn what_is_not_said_is_not_made_up() {
        for text in
            ["curl x > /a", "cat b > /a", "echo x 2>/a", "echo x", "echo x || tee /a", "sed s/a/b/ | tee /a", ">/a"]
        {
            assert_eq!(written(text), [], "{text}");
        }
    }
}
