//! Shell text as the simple commands in it, as far as that can be told without running it.
//!
//! Quotes, comments, continued lines, here-documents and redirections are
//! understood. Variables and `$(…)` stay as they stand, what is inside `$(…)` is
//! read as well, and every branch counts.
//!
//! It is read by hand: parsers of the whole language refuse a script for one line
//! that they do not understand, although the others still tell what it starts; and
//! crates that split words do not know where a command ends.

mod writes;

pub use writes::{FileText, writes};

/// Words before a command that only steer the shell.
const KEYWORDS: [&str; 11] = ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "time"];

/// The simple commands of a script, each as its words.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    commands_within(text, 0)
}

fn commands_within(text: &str, depth: usize) -> Vec<Vec<String>> {
    /// How deep `$(…)` is followed into itself.
    const DEPTH: usize = 8;
    let reader = Reader::of(text);
    let mut commands: Vec<Vec<String>> = reader.commands.into_iter().map(|simple| simple.words).collect();
    if depth < DEPTH {
        commands.extend(reader.substituted.iter().flat_map(|inner| commands_within(inner, depth + 1)));
    } else {
        // Not looked into any further, and not forgotten: a shell that is told to run it.
        let told = |inner: String| vec!["sh".to_owned(), "-c".to_owned(), inner];
        commands.extend(reader.substituted.into_iter().map(told));
    }
    for words in &mut commands {
        let skip = words.iter().take_while(|word| KEYWORDS.contains(&word.as_str())).count();
        words.drain(..skip);
    }
    commands.retain(|words| !words.is_empty());
    commands
}

/// A simple command.
#[derive(Debug, Default)]
struct Simple {
    words: Vec<String>,
    /// The file that its output goes to, and whether to its end.
    target: Option<(String, bool)>,
    /// The here-document that it reads.
    document: Option<String>,
    /// Whether the command behind it reads its output.
    is_piped: bool,
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    commands: Vec<Simple>,
    words: Vec<String>,
    target: Option<(String, bool)>,
    /// Words that end the here-documents opened on this line, each with the number of its command.
    ends: Vec<(String, usize)>,
    /// Texts inside `$(…)` and backquotes.
    substituted: Vec<String>,
    /// Something was opened and never closed.
    is_unclosed: bool,
}

impl<'a> Reader<'a> {
    fn of(text: &'a str) -> Self {
        let mut reader = Self {
            rest: text.chars().peekable(),
            commands: Vec::new(),
            words: Vec::new(),
            target: None,
            ends: Vec::new(),
            substituted: Vec::new(),
            is_unclosed: false,
        };
        reader.read();
        reader
    }

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
                '|' => {
                    let signs = std::iter::from_fn(|| self.rest.next_if_eq(&'|')).count();
                    let is_first = self.words.is_empty();
                    self.end_command();
                    if let (1, false, Some(last)) = (signs, is_first, self.commands.last_mut()) {
                        last.is_piped = true;
                    }
                }
                ';' | '&' | '(' | ')' => {
                    self.rest.next();
                    self.end_command();
                }
                '#' => while self.rest.next_if(|c| *c != '\n').is_some() {},
                '<' | '>' => self.redirection(true),
                _ => {
                    let (word, quoted) = self.word_or_nothing();
                    // `2>&1`: the number belongs to the redirection.
                    let is_descriptor = matches!(self.rest.peek(), Some('<' | '>'))
                        && !word.is_empty()
                        && word.chars().all(|c| c.is_ascii_digit());
                    if is_descriptor {
                        self.redirection(word == "1" || word == "0");
                    // A continued line alone makes no word, while `''` does.
                    } else if quoted || !word.is_empty() {
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
        let target = self.target.take();
        if !self.words.is_empty() {
            let words = std::mem::take(&mut self.words);
            self.commands.push(Simple { words, target, ..Simple::default() });
        }
    }

    /// Of another descriptor than standard input and output only the words are passed over.
    fn redirection(&mut self, is_standard: bool) {
        let mut sign = String::new();
        while let Some(c) = self.rest.next_if(|c| matches!(c, '<' | '>' | '&' | '-')) {
            sign.push(c);
        }
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let target =
            if matches!(self.rest.peek(), None | Some('\n' | ';' | '|' | '(')) { String::new() } else { self.word() };
        if sign.starts_with("<<") && !sign.starts_with("<<<") && !target.is_empty() {
            self.ends.push((target, self.commands.len()));
        } else if is_standard && matches!(sign.as_str(), ">" | ">>") && !target.is_empty() {
            self.target = Some((target, sign == ">>"));
        }
    }

    fn skip_here_documents(&mut self) {
        for (end, of) in std::mem::take(&mut self.ends) {
            let mut document = String::new();
            loop {
                let mut line = String::new();
                while let Some(c) = self.rest.next_if(|c| *c != '\n') {
                    line.push(c);
                }
                let is_last = self.rest.next().is_none();
                if line.trim() == end {
                    break;
                }
                document.push_str(&line);
                document.push('\n');
                if is_last {
                    break;
                }
            }
            if let Some(command) = self.commands.get_mut(of) {
                command.document = Some(document);
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(&next) = self.rest.peek() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
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
                    self.plain_or_substituted(c, &mut word);
                }
            }
        }
        word
    }

    /// A character of a word, or the whole of `$(…)`, `${…}` or a backquoted command when it begins one: a space
    /// within parts no words.
    fn plain_or_substituted(&mut self, c: char, word: &mut String) {
        word.push(c);
        let (open, close) = match (c, self.rest.peek()) {
            ('$', Some('(')) => ('(', ')'),
            ('$', Some('{')) => ('{', '}'),
            ('`', _) => ('`', '`'),
            _ => return,
        };
        if self.is_unclosed {
            return;
        }
        let before = self.rest.clone();
        if c == '$' {
            word.extend(self.rest.next());
        }
        let Some(inner) = self.until(open, close) else {
            // No shell would take this text. What follows may be a command all the same.
            self.is_unclosed = true;
            self.rest = before;
            return;
        };
        word.push_str(&inner);
        word.push(close);
        if open != '{' {
            self.substituted.push(inner);
        }
    }

    /// The text up to the sign that closes what is open, if it comes; quotes hide signs.
    fn until(&mut self, open: char, close: char) -> Option<String> {
        let mut text = String::new();
        let (mut depth, mut quote) = (1_usize, None);
        while let Some(c) = self.rest.next() {
            // An apostrophe in `"${A:-it's}"` is only that.
            let is_quote = c == '"' || (c == '\'' && open != '{');
            match quote {
                _ if c == '\\' && quote != Some('\'') => {
                    text.push(c);
                    text.extend(self.rest.next());
                    continue;
                }
                Some(sign) => quote = (c != sign).then_some(sign),
                None if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(text);
                    }
                }
                None if c == open => depth += 1,
                None => quote = is_quote.then_some(c),
            }
            text.push(c);
        }
        None
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
                c => self.plain_or_substituted(c, word),
            }
        }
    }
}

#[cfg(test)]
mod tests;
