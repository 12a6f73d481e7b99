//! Words of a Dockerfile: quotes, escapes and variables, as builders read them.

use super::instructions::raw_words;

/// A value, or why the text does not tell it.
pub type Told = Result<String, String>;

/// What a variable is; none where nobody sets it.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<Told>;

/// `A=b C="d e"` as names and values as they are written; the old form `A b` too.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let words = raw_words(text);
    if let Some(first) = words.first().filter(|first| !first.contains('=')) {
        let rest = text.trim_start().strip_prefix(first.as_str()).unwrap_or_default();
        return vec![(first.clone(), rest.trim().to_owned())];
    }
    let pair = |word: String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    words.into_iter().filter_map(pair).collect()
}

/// How deep a default may stand within a default.
const DEPTH: usize = 8;
/// Bytes by which variables may make a text longer than it is written: one that holds itself twice doubles on every line.
const GROWTH: usize = 4 << 10;

/// Whether a text uses a variable.
pub fn uses(text: &str, name: &str) -> bool {
    text.split('$').skip(1).any(|behind| {
        let behind = behind.strip_prefix('{').unwrap_or(behind);
        behind.strip_prefix(name).is_some_and(|rest| !rest.starts_with(is_of_name))
    })
}

/// A word without its quotes, with the variables filled in.
pub fn expanded(raw: &str, escape: char, lookup: Lookup<'_>) -> Told {
    expanded_within(raw, escape, lookup, 0)
}

fn expanded_within(raw: &str, escape: char, lookup: Lookup<'_>, depth: usize) -> Told {
    if depth > DEPTH {
        return Err(format!("defaults stand more than {DEPTH} deep in one another"));
    }
    let mut reader = Reader { rest: raw.chars().peekable(), escape, lookup, depth };
    let mut out = String::new();
    let mut quote = None;
    while let Some(letter) = reader.rest.next() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (Some('\''), other) => out.push(other),
            (_, other) if other == escape => match reader.rest.next() {
                Some(next) if quote.is_none() || matches!(next, '"' | '$') || next == escape => out.push(next),
                Some(next) => out.extend([other, next]),
                None => out.push(other),
            },
            (_, '$') => {
                let value = reader.variable()?;
                if out.len() + value.len() > raw.len() + GROWTH {
                    return Err(format!("variables make it more than {GROWTH} bytes longer than it is written"));
                }
                out.push_str(&value);
            }
            (_, other) => out.push(other),
        }
    }
    Ok(out)
}

/// Text for a shell with the variables filled in that are known; what is not stays as it is written.
pub fn filled_in(text: &str, lookup: Lookup<'_>) -> String {
    let (mut out, mut added) = (String::new(), 0);
    // Looked for once: behind the last one, each `${` would search the whole rest in vain.
    let mut is_closed = true;
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let behind = from.get(1..).unwrap_or_default();
        let (name, length) = if let Some(inner) = behind.strip_prefix('{') {
            let end = if is_closed { inner.find('}') } else { None };
            is_closed = end.is_some();
            end.map_or(("", 1), |end| (inner.get(..end).unwrap_or_default(), end + 3))
        } else {
            let end = behind.find(|letter: char| !is_of_name(letter)).unwrap_or(behind.len());
            (behind.get(..end).unwrap_or_default(), end + 1)
        };
        let is_hidden = out.ends_with('\\') || added >= GROWTH;
        match if is_hidden || name.is_empty() { None } else { of_shell(name, lookup) } {
            Some(value) if added + value.len() <= GROWTH => {
                added += value.len();
                out.push_str(&value);
            }
            _ => out.push_str(from.get(..length).unwrap_or(from)),
        }
        rest = from.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The value of `NAME`, `NAME:-default` or `NAME-default`; none where the text does not tell it.
fn of_shell(inner: &str, lookup: Lookup<'_>) -> Option<String> {
    let end = inner.find(|letter: char| !is_of_name(letter)).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let value = lookup(name)?.ok()?;
    match rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-')) {
        Some(default) if value.is_empty() && !default.contains('$') => Some(default.to_owned()),
        Some(_) if value.is_empty() => None,
        _ if rest.is_empty() || rest.starts_with(":-") || rest.starts_with('-') => Some(value),
        _ => None,
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    escape: char,
    lookup: Lookup<'a>,
    depth: usize,
}

impl Reader<'_> {
    /// What stands behind a `$`.
    fn variable(&mut self) -> Told {
        if self.rest.next_if_eq(&'{').is_none() {
            let name = self.name();
            return if name.is_empty() { Ok("$".to_owned()) } else { self.value(&name) };
        }
        let name = self.name();
        let mut rest = String::new();
        let mut depth = 1;
        for letter in self.rest.by_ref() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            rest.push(letter);
        }
        if depth > 0 {
            return Err(format!("`${{{name}` is never closed"));
        }
        let value = self.value(&name);
        let or = |is_empty_too: bool, word: &str| match &value {
            Ok(value) if !(is_empty_too && value.is_empty()) => Ok(value.clone()),
            _ => expanded_within(word, self.escape, self.lookup, self.depth + 1),
        };
        match (rest.strip_prefix(":-"), rest.strip_prefix('-'), rest.strip_prefix(":+"), rest.strip_prefix('+')) {
            (Some(word), ..) => or(true, word),
            (_, Some(word), ..) => or(false, word),
            (_, _, Some(word), _) | (.., Some(word)) => match value {
                Ok(_) => expanded_within(word, self.escape, self.lookup, self.depth + 1),
                Err(_) => Ok(String::new()),
            },
            _ if rest.is_empty() || rest.starts_with('?') || rest.starts_with(":?") => value,
            _ => Err(format!("`${{{name}{rest}}}` is not worked out")),
        }
    }

    fn name(&mut self) -> String {
        std::iter::from_fn(|| self.rest.next_if(|letter| is_of_name(*letter))).collect()
    }

    fn value(&self, name: &str) -> Told {
        (self.lookup)(name).unwrap_or_else(|| Err(format!("the variable {name} has no value in the text")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<Told> {
        match name {
            "A" => Some(Ok("a".to_owned())),
            "EMPTY" => Some(Ok(String::new())),
            "ARGUMENT" => Some(Err("the build argument ARGUMENT has no default".to_owned())),
            _ => None,
        }
    }

    #[test]
    fn variables_are_filled_in_where_quotes_let_them() {
        for (raw, value) in [
            ("$A/${A}b", "a/ab"),
            ("'$A'", "$A"),
            ("\"$A c\"", "a c"),
            ("\\$A", "$A"),
            ("${NONE:-x$A}", "xa"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY-x}", ""),
            ("${A:+set}${NONE:+set}", "set"),
            ("$", "$"),
            ("${A:?why}", "a"),
        ] {
            assert_eq!(expanded(raw, '\\', &lookup), Ok(value.to_owned()), "{raw}");
        }
        for (raw, part) in [("$NONE", "NONE has no value"), ("${ARGUMENT}", "has no default"), ("${A#x}", "worked out")]
        {
            assert!(expanded(raw, '\\', &lookup).expect_err(raw).contains(part), "{raw}");
        }
    }

    #[test]
    fn nothing_grows_without_end() {
        let deep = format!("{}x{}", "${NONE:-".repeat(50_000), "}".repeat(50_000));
        assert!(expanded(&deep, '\\', &lookup).expect_err("too deep").contains("deep"));
        let unclosed = "${NONE:-".repeat(100_000);
        assert!(expanded(&unclosed, '\\', &lookup).expect_err("unclosed").contains("never closed"));
        assert_eq!(filled_in(&unclosed, &lookup), unclosed);
        let huge = |_: &str| Some(Ok("x".repeat(GROWTH + 10)));
        assert!(expanded("$A", '\\', &huge).is_err() && filled_in("$A $A", &huge) == "$A $A");
        let wide = |_: &str| Some(Ok("x".repeat(GROWTH)));
        assert!(expanded("$A$A$A", '\\', &wide).expect_err("too long").contains("bytes"));
        let text = "$A ".repeat(5000);
        assert!(filled_in(&text, &wide).len() < text.len() + 3 * GROWTH);
    }

    #[test]
    fn both_forms_of_env_are_read() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(pairs("A=1 B=\"x y\""), [pair("A", "1"), pair("B", "\"x y\"")]);
        assert_eq!(pairs("A  b c=d"), [pair("A", "b c=d")]);
        assert_eq!(pairs("A"), [pair("A", "")]);
    }

    #[test]
    fn a_shells_variables_are_filled_in_as_far_as_they_are_known() {
        assert_eq!(
            filled_in("x $A ${A} \\$A $NONE ${NONE:-1} ${A:-1} ${EMPTY:-1} ${A#a} $(A) ${A", &lookup),
            "x a a \\$A $NONE ${NONE:-1} a 1 ${A#a} $(A) ${A"
        );
    }
}
