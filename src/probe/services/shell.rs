//! Shell text as the simple commands in it, as far as that can be told without running it.
//!
//! Quotes, comments, continued lines, here-documents and redirections are
//! understood. Variables stay as they stand (`$TOKEN`), and every branch counts.

/// Words before a command that only steer the shell.
const KEYWORDS: [&str; 11] = ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "time"];

/// The simple commands of a script, each as its words.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let mut reader =
        Reader { rest: text.chars().peekable(), commands: Vec::new(), words: Vec::new(), ends: Vec::new() };
    reader.read();
    let mut commands = reader.commands;
    for words in &mut commands {
        let skip = words.iter().take_while(|word| KEYWORDS.contains(&word.as_str())).count();
        words.drain(..skip);
    }
    commands.retain(|words| !words.is_empty());
    commands
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    /// Words that end the here-documents opened on this line.
    ends: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(&next) = self.rest.peek() {
            match next {
                '\n' => {
                    self.rest.next();
                    self.end_command();
                    self.skip_here_documents();
                }
                ' ' | '\t' | '\r' => {
                    self.rest.next();
                }
                ';' | '&' | '|' | '(' | ')' | '`' => {
                    self.rest.next();
                    self.end_command();
                }
                '#' => while self.rest.next_if(|c| *c != '\n').is_some() {},
                '<' | '>' => self.redirection(),
                _ => {
                    let (word, quoted) = self.word_or_nothing();
                    // `2>&1`: the number belongs to the redirection.
                    let is_descriptor = matches!(self.rest.peek(), Some('<' | '>'))
                        && !word.is_empty()
                        && word.chars().all(|c| c.is_ascii_digit());
                    // A continued line alone makes no word, while `''` does.
                    if !is_descriptor && (quoted || !word.is_empty()) {
                        self.words.push(word);
                    }
                }
            }
        }
        self.end_command();
    }

    fn word_or_nothing(&mut self) -> (String, bool) {
        let quoted = matches!(self.rest.peek(), Some('\'' | '"'));
        (self.word(), quoted)
    }

    fn end_command(&mut self) {
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }

    fn redirection(&mut self) {
        let mut sign = String::new();
        while let Some(c) = self.rest.next_if(|c| matches!(c, '<' | '>' | '&' | '-')) {
            sign.push(c);
        }
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let target =
            if matches!(self.rest.peek(), None | Some('\n' | ';' | '|' | '(')) { String::new() } else { self.word() };
        if sign.starts_with("<<") && !sign.starts_with("<<<") && !target.is_empty() {
            self.ends.push(target);
        }
    }

    fn skip_here_documents(&mut self) {
        for end in std::mem::take(&mut self.ends) {
            loop {
                let mut line = String::new();
                while let Some(c) = self.rest.next_if(|c| *c != '\n') {
                    line.push(c);
                }
                if self.rest.next().is_none() || line.trim() == end {
                    break;
                }
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(&next) = self.rest.peek() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' | '`' => break,
                '\'' => {
                    self.rest.next();
                    word.extend(std::iter::from_fn(|| self.rest.next_if(|c| *c != '\'')));
                    self.rest.next();
                }
                '"' => {
                    self.rest.next();
                    self.double_quoted(&mut word);
                }
                '\\' => {
                    self.rest.next();
                    match self.rest.next() {
                        Some('\n') | None => {}
                        Some(c) => word.push(c),
                    }
                }
                c => {
                    self.rest.next();
                    word.push(c);
                }
            }
        }
        word
    }

    fn double_quoted(&mut self, word: &mut String) {
        while let Some(c) = self.rest.next() {
            match c {
                '"' => break,
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                    Some(c) => word.extend(['\\', c]),
                },
                c => word.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&[&str]]) {
        assert_eq!(commands(text), expected, "{text}");
    }

    #[test]
    fn words_keep_what_quotes_held_together() {
        check("a 'b c' \"d \\\" $e\" f\\ g --token=''", &[&["a", "b c", "d \" $e", "f g", "--token="]]);
        check("a --token ''", &[&["a", "--token", ""]]);
    }

    #[test]
    fn separators_and_keywords_part_commands() {
        check("if a; then b & c && d || e | f; fi", &[&["a"], &["b"], &["c"], &["d"], &["e"], &["f"], &["fi"]]);
        check("x=$(a b)", &[&["x=$"], &["a", "b"]]);
    }

    #[test]
    fn comments_redirections_and_continued_lines_are_no_words() {
        check("#!/bin/sh\na \\\n  b # c\nexec d 2>&1 >/dev/null e", &[&["a", "b"], &["exec", "d", "e"]]);
        check("a#b", &[&["a#b"]]);
    }

    #[test]
    fn a_here_document_is_text_and_no_command() {
        check("cat > f <<'EOF'\njupyter lab\nEOF\nb", &[&["cat"], &["b"]]);
        check("cat <<-A\n\tx\n\tA\nb <<< c", &[&["cat"], &["b"]]);
    }

    #[test]
    fn text_that_never_ends_its_quotes_is_survived() {
        for text in ["'a", "\"a\\", "a\\", "cat <<EOF\nx", "<", "<<", ">&", "((((", "\u{0}\u{1b}[31m"] {
            let _ = commands(text);
        }
        check("", &[]);
    }
}
