//! A Dockerfile as its instructions: directives, comments, continued lines and here-documents, each with its line.
//!
//! It is read by hand. Of the crates, `dockerfile-parser` and `dockerfile-parser-rs` know no here-documents; `parse-dockerfile`
//! knows them as the first word of a `RUN` alone, so that `RUN python3 - <<EOF`, which every builder takes, would be refused.
//! The rules are those of `BuildKit` (`frontend/dockerfile/parser/parser.go`).

/// Every instruction that builders know.
const KNOWN: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Instructions that may have here-documents.
const WITH_TEXTS: [&str; 3] = ["RUN", "COPY", "ADD"];

/// What is wrong, with line and column.
pub type Wrong = (usize, usize, String);

/// A here-document.
#[derive(Debug, Clone, PartialEq)]
pub struct HereDocument {
    /// Its text, without the line that ends it.
    pub text: String,
    /// Whether variables in it are filled in: its mark has no quotes.
    pub expands: bool,
    /// The word that ends it; in `COPY` also the name of the file.
    pub name: String,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// Its name in capitals.
    pub keyword: String,
    /// Its first line.
    pub line: usize,
    /// What stands behind the name, continued lines joined.
    pub text: String,
    /// Its here-documents.
    pub documents: Vec<HereDocument>,
    /// Where in `text` each line begins.
    lines: Vec<(usize, usize)>,
    /// Where its first here-document begins.
    documents_line: usize,
}

impl Instruction {
    /// The line on which a word first stands; the first line of the instruction where it does not.
    pub fn line_of(&self, word: &str) -> usize {
        if let Some(at) = whole(&self.text, word).or_else(|| self.text.find(word)) {
            return self.line_at(at);
        }
        let mut line = self.documents_line;
        for document in &self.documents {
            if let Some(at) = document.text.lines().position(|text| text.contains(word)) {
                return line + at;
            }
            line += document.text.lines().count() + 1;
        }
        self.line
    }

    fn line_at(&self, at: usize) -> usize {
        self.lines.iter().rev().find(|(start, _)| *start <= at).map_or(self.line, |(_, line)| *line)
    }

    /// The lines of words that stand in this order, each looked for behind the one before.
    pub fn lines_of(&self, words: impl Iterator<Item = String>) -> Vec<usize> {
        let mut from = 0;
        let line = |word: String| {
            let rest = self.text.get(from..).unwrap_or_default();
            let Some(at) = whole(rest, &word).map(|at| from + at) else { return self.line };
            from = at + word.len();
            self.line_at(at)
        };
        words.map(line).collect()
    }
}

/// Where a word stands that is no part of a longer name: `TOKEN=` does in `A_TOKEN= TOKEN=` as the second alone.
fn whole(text: &str, word: &str) -> Option<usize> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let ends_open = word.ends_with(is_of_name);
    let mut found = text.match_indices(word).map(|(at, _)| at);
    found.find(|at| {
        let (before, from) = text.split_at(*at);
        let behind = from.get(word.len()..).unwrap_or_default();
        !(before.ends_with(is_of_name) || (ends_open && behind.starts_with(is_of_name)))
    })
}

/// All instructions, and the sign that continues a line.
#[derive(Debug)]
pub struct Instructions {
    /// In their order.
    pub all: Vec<Instruction>,
    /// A backslash, or a backquote where the directive `escape` says so.
    pub escape: char,
}

/// Takes a Dockerfile apart.
pub fn read(text: &str) -> Result<Instructions, Wrong> {
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect();
    let escape = escape(&lines);
    let mut reader = Reader { lines: &lines, at: 0, escape };
    let mut all: Vec<Instruction> = Vec::new();
    while let Some(instruction) = reader.next()? {
        let begins = instruction.keyword == "FROM" || instruction.keyword == "ARG";
        if !begins && !all.iter().any(|before| before.keyword == "FROM") {
            let message = format!("{} stands before the first FROM", instruction.keyword);
            return Err((instruction.line, 1, message));
        }
        all.push(instruction);
    }
    if all.iter().any(|instruction| instruction.keyword == "FROM") {
        return Ok(Instructions { all, escape });
    }
    Err((lines.len().max(1), 1, "ends without a FROM, so it is no Dockerfile".to_owned()))
}

/// What the directives above everything else say of the sign that continues a line.
fn escape(lines: &[&str]) -> char {
    for line in lines {
        let Some((name, value)) = line.trim().strip_prefix('#').and_then(|rest| rest.split_once('=')) else { break };
        let name = name.trim();
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            break;
        }
        if name.eq_ignore_ascii_case("escape") {
            return if value.trim() == "`" { '`' } else { '\\' };
        }
    }
    '\\'
}

struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
    escape: char,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Instruction>, Wrong> {
        while self.lines.get(self.at).is_some_and(|line| is_nothing(line)) {
            self.at += 1;
        }
        let Some(first) = self.lines.get(self.at) else { return Ok(None) };
        let line = self.at + 1;
        let column = first.len() - first.trim_start().len() + 1;
        let (joined, starts) = self.joined();
        let keyword = joined.split_ascii_whitespace().next().unwrap_or_default();
        let rest = joined.get(keyword.len()..).unwrap_or_default();
        let text = rest.trim();
        let skipped = joined.len() - rest.trim_start().len();
        let keyword = keyword.to_ascii_uppercase();
        if !KNOWN.contains(&keyword.as_str()) {
            let shown: String = keyword.chars().take(32).collect();
            let template = if joined.contains("{{") { "; a template has to be rendered first" } else { "" };
            return Err((line, column, format!("`{shown}` is no instruction of a Dockerfile{template}")));
        }
        if text.is_empty() {
            return Err((line, column, format!("{keyword} says nothing")));
        }
        let lines = starts.into_iter().map(|(start, line)| (start.saturating_sub(skipped), line)).collect();
        let documents_line = self.at + 1;
        let first = text.split_ascii_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let acts = if keyword == "ONBUILD" { &first } else { &keyword };
        let documents = if WITH_TEXTS.contains(&acts.as_str()) { self.documents(text)? } else { Vec::new() };
        Ok(Some(Instruction { text: text.to_owned(), keyword, line, documents, lines, documents_line }))
    }

    /// A line with those that continue it, and where in it each begins. Comments between them are no part of it.
    fn joined(&mut self) -> (String, Vec<(usize, usize)>) {
        let mut joined = String::new();
        let mut starts = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            if !joined.is_empty() && is_nothing(line) {
                continue;
            }
            let line = if joined.is_empty() { line.trim_start() } else { line };
            starts.push((joined.len(), self.at));
            let Some(part) = continued(line, self.escape) else {
                joined.push_str(line);
                break;
            };
            // An empty line before anything else would end the instruction at once.
            joined.push_str(if joined.is_empty() && part.is_empty() { " " } else { part });
        }
        (joined, starts)
    }

    fn documents(&mut self, text: &str) -> Result<Vec<HereDocument>, Wrong> {
        marks(text)
            .into_iter()
            .map(|mark| {
                let begins = self.at;
                let mut document = String::new();
                while let Some(line) = self.lines.get(self.at) {
                    self.at += 1;
                    let line = if mark.strips_tabs { line.trim_start_matches('\t') } else { line };
                    if line == mark.end {
                        return Ok(HereDocument { text: document, expands: mark.expands, name: mark.end });
                    }
                    document.push_str(line);
                    document.push('\n');
                }
                Err((begins, 1, format!("the here-document that begins here never ends: no line is `{}`", mark.end)))
            })
            .collect()
    }
}

/// An empty line or a comment.
fn is_nothing(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The line without the sign that says that the next one continues it.
fn continued(line: &str, escape: char) -> Option<&str> {
    let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before)
}

struct Mark {
    end: String,
    strips_tabs: bool,
    expands: bool,
}

/// The here-documents that a command opens: words such as `<<EOF`, `<<-"EOF"` and `3<<EOF`.
fn marks(text: &str) -> Vec<Mark> {
    raw_words(text).iter().filter_map(|word| mark(word)).collect()
}

/// The text of a command without the words that open here-documents; blanks between words become one.
pub fn without_marks(text: &str) -> String {
    raw_words(text).into_iter().filter(|word| mark(word).is_none()).collect::<Vec<_>>().join(" ")
}

fn mark(word: &str) -> Option<Mark> {
    let rest = word.trim_start_matches(|letter: char| letter.is_ascii_digit()).strip_prefix("<<")?;
    let (strips_tabs, name) = rest.strip_prefix('-').map_or((false, rest), |name| (true, name));
    let end = name.trim_matches(['"', '\'']);
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    (!end.is_empty() && end.chars().all(is_name)).then(|| Mark {
        strips_tabs,
        expands: end == name,
        end: end.to_owned(),
    })
}

/// The words of a line with their quotes; blanks within quotes part nothing.
pub fn raw_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, ' ' | '\t' | '\n') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => {
                word.push(letter);
                word.extend(letters.next());
                continue;
            }
            _ => {}
        }
        word.push(letter);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests;
