//! The one door for what is printed, be it on a terminal, in a file or in a termination log.
//!
//! What we print quotes what others wrote: recordings, site checks, names of files, banners. A terminal obeys some
//! characters in it and shows others not at all, so [`acts`] says which, and only what is made here passes
//! `world::terminal`, which takes nothing but [`Shown`]. Text of our own goes the same way; it loses nothing by it.

use std::fmt::{self, Write as _};
use std::ops::{Add, Deref};

use serde::{Deserialize, Serialize};

/// Text that does nothing to a terminal but stand there. Nobody but this module can make one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Shown(String);

impl Shown {
    /// One line, whatever is in it: a line feed is shown as an escape too, so that nobody's words pass for ours.
    pub fn line(text: &str) -> Self {
        Self(escaped(text, |_| false))
    }

    /// Several lines as they stand: what has been shown before, or prose that may break where its writer broke it.
    pub fn lines(text: &str) -> Self {
        Self(escaped(text, |c| c == '\n'))
    }

    /// A document as JSON, indented, with a line feed at the end. Reading it gives what was written.
    pub fn json(document: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::of_json(&serde_json::to_string_pretty(document)?))
    }

    /// The same on one line.
    pub fn json_line(document: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::of_json(&serde_json::to_string(document)?))
    }

    fn of_json(text: &str) -> Self {
        let mut shown = String::with_capacity(text.len() + 1);
        for c in text.chars() {
            // Between its strings JSON has nothing but plain signs and its own line feeds; in them those are escaped.
            if acts(c) && c != '\n' {
                let _ = c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(shown, "\\u{unit:04x}"));
            } else {
                shown.push(c);
            }
        }
        shown.push('\n');
        Self(shown)
    }

    /// In a colour or weight of ours: the parameters of an SGR sequence.
    #[must_use]
    pub fn painted(&self, parameters: &'static str) -> Self {
        Self(format!("\u{1b}[{parameters}m{self}\u{1b}[0m"))
    }

    /// Appends a line, without the white space at its end.
    pub fn push_line(&mut self, line: &Self) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    /// At most so many bytes of it.
    #[must_use]
    pub fn cut(mut self, bytes: usize) -> Self {
        self.0.truncate(self.0.floor_char_boundary(bytes));
        self
    }
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Add<&Self> for Shown {
    type Output = Self;

    fn add(mut self, next: &Self) -> Self {
        self.0.push_str(&next.0);
        self
    }
}

impl FromIterator<Self> for Shown {
    /// One line each.
    fn from_iter<I: IntoIterator<Item = Self>>(lines: I) -> Self {
        let mut page = Self::default();
        lines.into_iter().for_each(|line| page.push_line(&line));
        page
    }
}

/// For a copy of ourselves, which hears from us what it shall write.
impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self::lines(&text)
    }
}

/// A text with escapes for what acts, unless it is to stay.
pub(super) fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned(); // as most is, thousands of times in one report
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !acts(c) || stays(c) => shown.push(c),
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c => shown.extend(c.escape_unicode()),
        }
    }
    shown
}

/// Whether a terminal obeys a character, or an eye cannot see it.
///
/// ECMA-48 gives C0, DEL and C1 their meaning. The separators U+2028 and U+2029 break lines. The long list is Unicode's
/// property `Default_Ignorable_Code_Point`, what is drawn as nothing: marks of direction, zero width, tags and variation
/// selectors among them; the marks of annotations, U+FFF9 to U+FFFB, are the same without that property.
fn acts(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fff8}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_line_stays_a_line_and_lines_stay_lines() {
        let text = "a\u{1b}[31m\nb\u{202e}c\u{e0041}";
        assert_eq!(&*Shown::line(text), "a\\u{1b}[31m\\nb\\u{202e}c\\u{e0041}");
        assert_eq!(&*Shown::lines(text), "a\\u{1b}[31m\nb\\u{202e}c\\u{e0041}");
        assert_eq!(&*Shown::line("1 × é 日本 ✓ → …"), "1 × é 日本 ✓ → …", "what one can see stays");
    }

    #[test]
    fn colour_is_ours_alone() {
        let painted = Shown::line("\u{1b}[2J").painted("31") + &Shown::line("\u{7}");
        assert_eq!(&*painted, "\u{1b}[31m\\u{1b}[2J\u{1b}[0m\\u{7}");
    }

    proptest! {
        #[test]
        fn nothing_acts_and_json_says_the_same(texts in proptest::collection::vec("(\\PC|\\pC){0,8}", 0..4), any: String) {
            let value: Value = json!({ any.as_str(): texts, "it": any });
            let shown = Shown::json(&value).expect("JSON");
            prop_assert!(!shown.chars().any(|c| acts(c) && c != '\n'));
            prop_assert_eq!(&serde_json::from_str::<Value>(&shown).expect("JSON"), &value);
            for text in &texts {
                prop_assert!(!Shown::line(text).chars().any(acts));
                // What crosses to a copy of ourselves arrives as it was.
                let crossed = serde_json::to_string(&Shown::lines(text)).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<Shown>(&crossed).expect("JSON"), Shown::lines(text));
            }
        }
    }
}
