//! Secrets that show by the name that they are given, however that is written: `TOKEN=x`, `"token": "x"`, `--token x`,
//! `?token=x`, `Authorization: Bearer x`, `['--token', 'x']`, `('token', 'x')`, `<token>x</token>`.

use std::ops::Range;

use super::REDACTED;
use super::following::{Following, long};
use crate::probe::environment::is_secret_name;

/// Last words of a name, beside those by which a variable is suspected.
const LAST: [&str; 7] = ["PASS", "SECRETKEY", "ACCESSKEY", "PRIVATEKEY", "SESSIONID", "SIGNATURE", "ACCESSTOKEN"];
/// What stands before a last word `KEY`, or `PWD`, which is a folder where it stands alone.
const BEFORE: [&str; 8] = ["MASTER", "LICENSE", "SSH", "DEPLOY", "SUBSCRIPTION", "STORAGE", "CLIENT", "APP"];
/// Names that are a secret's in the query of an address.
const QUERY: [&str; 6] = ["key", "sig", "auth", "code", "session", "pwd"];
/// Last words of headers whose value is all that follows.
const HEADERS: [&str; 2] = ["AUTHORIZATION", "COOKIE"];
/// What stands between one value and the next name.
const SEPARATORS: [char; 5] = [' ', '\t', ',', ';', '&'];
/// Words before a secret that say of which kind it is.
const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "digest"];
/// Values that are no secret.
const HARMLESS: [&str; 7] = ["true", "false", "none", "null", "nil", "empty", "undefined"];
/// A word after `Bearer` that is so long is one, also where it has no digit.
const BEARER: usize = 16;
/// Letters and brackets between a name and its quoted value: `b'…'`, `['…`, `SecretStr('…`.
const OPENING: usize = 40;
/// Bytes of a pair that are looked at.
const PAIR: usize = 2_048;
/// What may stand before a name that begins its line: signs of lists and comments, and words that set a variable.
const MARKS: [char; 6] = [' ', '\t', '#', ';', '/', '-'];
const SETTERS: [&str; 4] = ["export ", "set ", "ENV ", "ARG "];

/// How far the value of a name goes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// To the end of the word.
    Word,
    /// The same where another name follows, else to the end of the line: nothing but this name and its value stands there.
    Alone,
    /// To the end of the word, and to the next part of a query.
    Query,
    /// It is the next word, be there a sign between or not.
    Flag,
    /// To the end of the line.
    Line,
    /// A secret if it looks like one.
    Bearer,
}

/// The line without them.
pub fn redacted(line: &str, following: &mut Following, count: &mut usize) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let (mut kept, mut rest) = (String::new(), line);
    while let Some(start) = rest.find(is_name) {
        kept += &rest[..start];
        rest = &rest[start..];
        let (name, behind) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        let before = kept.chars().next_back();
        let is_named = name.eq_ignore_ascii_case("value") && following.is_named();
        let kind = if is_named { Some(Kind::Word) } else { kind(name, before) };
        let kind = kind.map(|kind| if kind == Kind::Word && begins_line(&kept, name) { Kind::Alone } else { kind });
        let value = kind.and_then(|kind| match start_of(behind, kind) {
            Some(start) if following.begins_block(line, &behind[start..]) => None,
            Some(start) => match following.begins_long(&behind[start..]) {
                Some(quote) => Some(start + quote..behind.len()),
                None => value(behind, start, kind),
            },
            None if before == Some('<') => element(behind),
            None => pair(&kept, behind),
        });
        if ["name", "key"].iter().any(|word| name.eq_ignore_ascii_case(word))
            && let Some(start) = start_of(behind, Kind::Word)
        {
            following.name(is_secret_value(&behind[start..]));
        }
        kept += name;
        rest = behind;
        if let Some(value) = value {
            kept += &behind[..value.start];
            kept += REDACTED;
            *count += 1;
            rest = &behind[value.end..];
        }
    }
    kept + rest
}

/// Whether a name is the first thing that its line says.
fn begins_line(before: &str, name: &str) -> bool {
    let before = before.trim_start_matches(MARKS);
    !name.starts_with('-') && (before.is_empty() || SETTERS.contains(&before))
}

/// Whether a value is itself the name of a secret: `name: DB_PASSWORD`.
fn is_secret_value(value: &str) -> bool {
    let value = value.trim_start_matches(['\\', '"', '\'']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c)).unwrap_or(value.len());
    kind(&value[..end], None).is_some()
}

/// What the value of this name is, by the sign that stands before it; none where it is no secret.
fn kind(name: &str, before: Option<char>) -> Option<Kind> {
    // `%3Ftoken`: the escape of a sign that stands before a name.
    let is_escaped = before == Some('%') && name.len() > 2 && name.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let name = if is_escaped { &name[2..] } else { name };
    let mut words = String::new();
    for (at, c) in name.char_indices() {
        // `accessToken` is two words.
        if c.is_ascii_uppercase() && name[..at].ends_with(|before: char| before.is_ascii_lowercase()) {
            words.push('_');
        }
        words.push(c.to_ascii_uppercase());
    }
    let is_query = matches!(before, Some('?' | '&')) || is_escaped;
    let parts: Vec<&str> = words.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    let (last, above) = parts.split_last()?;
    let is_key = ["KEY", "PWD"].contains(last) && above.last().is_some_and(|word| BEFORE.contains(word));
    let is_secret = is_secret_name(&words) || LAST.contains(last) || is_key || (*last == "PWD" && !above.is_empty());
    match () {
        () if HEADERS.contains(last) => Some(Kind::Line),
        () if name.eq_ignore_ascii_case("bearer") => Some(Kind::Bearer),
        () if is_query && (is_secret || QUERY.iter().any(|word| name.eq_ignore_ascii_case(word))) => Some(Kind::Query),
        () if is_secret && name.starts_with("--") => Some(Kind::Flag),
        () if is_secret => Some(Kind::Word),
        () => None,
    }
}

/// Where the value begins in what follows a name.
fn start_of(text: &str, kind: Kind) -> Option<usize> {
    let blank = |at: usize| at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
    let quote = end_of_quote(text);
    let sign = blank(quote);
    let signs = ["==", "=>", ":=", "=", ":", "%3D", "%3d"];
    if let Some(one) = signs.iter().find(|one| text[sign..].starts_with(**one)) {
        return Some(blank(sign + one.len()));
    }
    if kind == Kind::Flag && quote > 0 {
        // The next word of a list, `'--token', 'x'`, if it is none of these flags itself.
        let start = blank(sign + text[sign..].strip_prefix(',').map(|_| 1)?);
        let word = text[start..].trim_start_matches(['\\', '"', '\'']);
        return (word.len() < text.len() - start && !word.starts_with("--")).then_some(start);
    }
    (matches!(kind, Kind::Flag | Kind::Bearer) && sign > quote).then_some(sign)
}

/// The place behind the quote that ends a name, with what escapes it.
fn end_of_quote(text: &str) -> usize {
    let slashes = text.len() - text.trim_start_matches('\\').len();
    if text[slashes..].starts_with(['"', '\'']) { slashes + 1 } else { 0 }
}

/// Where the value stands that begins there; none where it is no secret.
fn value(text: &str, start: usize, kind: Kind) -> Option<Range<usize>> {
    // What is no secret is known by how it begins, so that nobody looks for its end each time.
    let begun = text[start..].trim_start_matches(['\\', '"', '\'']);
    if ["${", "$(", "{{", REDACTED].iter().any(|beginning| begun.starts_with(beginning)) {
        return None;
    }
    let range = quoted(text, start).unwrap_or_else(|| bare(text, start, kind));
    let value = text[range.clone()].trim();
    let is_masked = value.chars().all(|c| "*.".contains(c));
    // `token: none found` says as little as `token: none`.
    let said = if kind == Kind::Alone { value.split_whitespace().next().unwrap_or_default() } else { value };
    let is_harmless = is_masked || HARMLESS.iter().any(|word| said.eq_ignore_ascii_case(word));
    let is_prose = kind == Kind::Bearer && value.len() < BEARER && !value.contains(|c: char| c.is_ascii_digit());
    (!is_harmless && !is_prose).then_some(range)
}

/// The text of an element: `<password>…</password>`.
fn element(text: &str) -> Option<Range<usize>> {
    let end = text.strip_prefix('>')?.find('<')? + 1;
    let value = text[1..end].trim();
    let is_secret = !value.is_empty() && value != REDACTED && !value.starts_with("${");
    (is_secret && text[end..].starts_with("</")).then_some(1..end)
}

/// The second of two that stand in brackets and quotes, of which the name is the first: `('token', 'x')`.
fn pair(before: &str, text: &str) -> Option<Range<usize>> {
    let before = before.strip_suffix(['"', '\''])?;
    let before = before.trim_end_matches('\\');
    before.strip_suffix('b').unwrap_or(before).strip_suffix(['(', '['])?;
    let text = &text[..text.floor_char_boundary(PAIR)];
    let rest = text[end_of_quote(text)..].strip_prefix(',')?.trim_start_matches(' ');
    let start = text.len() - rest.len();
    let range = quoted(text, start).filter(|_| !rest.starts_with(['(', '[', '{']))?;
    let behind = text[range.end..].trim_start_matches('\\').strip_prefix(['"', '\''])?;
    let is_closed = behind.trim_start_matches([',', ' ']).starts_with([')', ']']);
    (is_closed && !range.is_empty()).then(|| value(text, start, Kind::Word)).flatten()
}

/// The value between quotes, or all of a list; none where no quote begins it.
fn quoted(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    let opening = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_.[({\\".contains(c))?;
    let quote = rest[opening..].chars().next().filter(|c| ['"', '\''].contains(c))?;
    let before = &rest[..opening];
    let slashes = before.len() - before.trim_end_matches('\\').len();
    let word = &before[..opening - slashes];
    if let Some(bracket) = word.chars().next_back().filter(|c| "[({".contains(*c)) {
        let closing = [(']', '['), (')', '('), ('}', '{')].into_iter().find(|(_, open)| *open == bracket)?.0;
        let is_end = |at: usize| rest[..at].ends_with(['"', '\'', ' ']);
        let end = rest.match_indices(closing).map(|(at, _)| at).find(|at| *at > opening && is_end(*at));
        return (opening <= OPENING).then(|| start..end.map_or(text.len(), |at| start + at + 1));
    }
    if word.len() > 1 {
        return None;
    }
    if let Some(quote) = long(&rest[opening - slashes..]).filter(|_| slashes == 0) {
        let begin = opening + quote.len();
        let end = rest[begin..].find(quote).map_or(rest.len(), |at| begin + at);
        return Some(start + begin..start + end);
    }
    let begin = opening + 1;
    let is_end = |at: &usize| {
        let escapes = rest[begin..*at].len() - rest[begin..*at].trim_end_matches('\\').len();
        escapes == slashes
    };
    let end = rest[begin..].match_indices(quote).map(|(at, _)| begin + at).find(is_end);
    let end = end.map_or(rest.len(), |at| at - slashes);
    Some(start + begin..start + end)
}

/// The value that stands there without quotes, without what closes a bracket or a sentence.
fn bare(text: &str, start: usize, kind: Kind) -> Range<usize> {
    let rest = &text[start..];
    let until = |ends: &dyn Fn(char) -> bool| rest.find(ends).unwrap_or(rest.len());
    let is_quote = |c: char| ['"', '\''].contains(&c);
    let word = until(&|c| c.is_whitespace() || is_quote(c) || (kind == Kind::Query && c == '&'));
    let is_scheme = SCHEMES.iter().any(|scheme| rest[..word].eq_ignore_ascii_case(scheme));
    let is_rest =
        kind == Kind::Line || is_scheme || (kind == Kind::Alone && !rest[word..].split(SEPARATORS).any(is_key));
    let end = if is_rest { until(&is_quote) } else { word };
    let value = rest[..end].trim_end_matches([',', ';', ')', ']', '}', '.', '>', '\\', ' ']);
    start..start + value.len()
}

/// Whether a word is a name that is given a value, or the sign that gives it: `user=x`, `user:`, `=`.
fn is_key(word: &str) -> bool {
    // Base64 ends so, and is no name.
    word == "=" || word.ends_with(':') || word.trim_start_matches('=').trim_end_matches('=').contains('=')
}
