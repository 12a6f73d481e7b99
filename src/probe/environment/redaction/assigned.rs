//! Secrets that show by the name that they are given, however that is written: `TOKEN=x`, `"token": "x"`, `--token x`,
//! `?token=x`, `Authorization: Bearer x`.

use std::ops::Range;

use super::REDACTED;
use crate::probe::environment::is_secret_name;

/// Last words of a name, beside those by which a variable is suspected.
const LAST: [&str; 7] = ["PASS", "SECRETKEY", "ACCESSKEY", "PRIVATEKEY", "SESSIONID", "SIGNATURE", "ACCESSTOKEN"];
/// What stands before a last word `KEY`, or `PWD`, which is a folder where it stands alone.
const BEFORE: [&str; 8] = ["MASTER", "LICENSE", "SSH", "DEPLOY", "SUBSCRIPTION", "STORAGE", "CLIENT", "APP"];
/// Names that are a secret's in the query of an address.
const QUERY: [&str; 6] = ["key", "sig", "auth", "code", "session", "pwd"];
/// Last words of headers whose value is all that follows.
const HEADERS: [&str; 2] = ["AUTHORIZATION", "COOKIE"];
/// Words before a secret that say of which kind it is.
const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "digest"];
/// Values that are no secret.
const HARMLESS: [&str; 7] = ["true", "false", "none", "null", "nil", "empty", "undefined"];
/// A word after `Bearer` that is so long is one, also where it has no digit.
const BEARER: usize = 16;
/// Letters and brackets between a name and its quoted value: `b'…'`, `['…`, `SecretStr('…`.
const OPENING: usize = 40;

/// How far the value of a name goes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// To the end of the word.
    Word,
    /// The same, and to the next part of a query.
    Query,
    /// It is the next word, be there a sign between or not.
    Flag,
    /// To the end of the line.
    Line,
    /// A secret if it looks like one.
    Bearer,
}

/// The line without them.
pub fn redacted(line: &str, count: &mut usize) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let (mut kept, mut rest) = (String::new(), line);
    while let Some(start) = rest.find(is_name) {
        kept += &rest[..start];
        rest = &rest[start..];
        let (name, behind) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        let value = kind(name, kept.chars().next_back()).and_then(|kind| value(behind, kind));
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

/// Where the value stands in what follows a name.
fn value(text: &str, kind: Kind) -> Option<Range<usize>> {
    let blank = |at: usize| at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
    // The quote that ends the name, with what escapes it.
    let slashes = text.len() - text.trim_start_matches('\\').len();
    let quote = if text[slashes..].starts_with(['"', '\'']) { slashes + 1 } else { 0 };
    let sign = blank(quote);
    let signs = ["==", "=>", ":=", "=", ":", "%3D", "%3d"];
    let start = match signs.iter().find(|one| text[sign..].starts_with(**one)) {
        Some(one) => blank(sign + one.len()),
        None if matches!(kind, Kind::Flag | Kind::Bearer) && sign > quote => sign,
        None => return None,
    };
    let range = quoted(text, start).unwrap_or_else(|| bare(text, start, kind));
    let value = text[range.clone()].trim();
    let is_masked = value.chars().all(|c| "*.".contains(c)) || text[range.start..].starts_with(REDACTED);
    let is_filled_in = value.starts_with("${") || value.starts_with("$(") || value.starts_with("{{");
    let is_harmless = is_masked || is_filled_in || HARMLESS.iter().any(|word| value.eq_ignore_ascii_case(word));
    let is_prose = kind == Kind::Bearer && value.len() < BEARER && !value.contains(|c: char| c.is_ascii_digit());
    (!is_harmless && !is_prose).then_some(range)
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
    let end = if kind == Kind::Line || is_scheme { until(&is_quote) } else { word };
    let value = rest[..end].trim_end_matches([',', ';', ')', ']', '}', '.', '>', '\\', ' ']);
    start..start + value.len()
}
