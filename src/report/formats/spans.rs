//! Our sentences mark what is code by backticks. Formats that can show code do so, and whatever lies between two of them is
//! data there and nothing else.

/// A piece of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span<'a> {
    /// Words.
    Words(&'a str),
    /// What stood between two backticks; it has none itself.
    Code(&'a str),
}

/// A sentence in its pieces. A backtick without a partner is a word like any other.
pub fn spans(text: &str) -> Vec<Span<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        match after.split_once('`') {
            Some((code, after)) if !code.is_empty() => {
                found.extend((!before.is_empty()).then_some(Span::Words(before)));
                found.push(Span::Code(code));
                rest = after;
            }
            Some(_) => {
                let end = before.len() + 2;
                found.push(Span::Words(&rest[..end]));
                rest = &rest[end..];
            }
            None => break,
        }
    }
    found.extend((!rest.is_empty()).then_some(Span::Words(rest)));
    found
}

#[cfg(test)]
mod tests {
    use super::Span::{Code, Words};
    use super::*;

    #[test]
    fn code_has_two_ends() {
        assert_eq!(spans("Run `a b`, or `c`."), [Words("Run "), Code("a b"), Words(", or "), Code("c"), Words(".")]);
        assert_eq!(spans("a ` b"), [Words("a ` b")]);
        assert_eq!(spans("``a`b`"), [Words("``"), Words("a"), Code("b")]);
        assert_eq!(spans(""), []);
    }
}
