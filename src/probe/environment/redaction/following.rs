//! Values that stand on the lines after their name: the blocks of YAML, the long texts of TOML and Python, and the
//! variables of Kubernetes, whose name is a value itself (`name: DB_PASSWORD`, then `value: …`).

use std::borrow::Cow;

use super::REDACTED;

/// Bytes of what announces a block at most, with a comment behind it.
const SIGN: usize = 200;
/// Lines of a long text at most, by which one that was cut off ends.
const LINES: usize = 256;
/// What a long text stands between.
const LONG: [&str; 2] = ["\"\"\"", "'''"];

/// What an earlier line began.
#[derive(Default)]
pub struct Following {
    block: Option<Block>,
    /// The end of a long text, and the lines that it may still go on for.
    long: Option<(&'static str, usize)>,
    /// Lines on which the value may stand that belongs to a name: the one with the name, and the next.
    named: usize,
}

/// The more deeply indented lines under a name.
struct Block {
    indent: usize,
    is_told: bool,
}

impl Following {
    /// What of a line is no part of an earlier value; none where nothing is.
    pub fn line<'a>(&mut self, line: &'a str, count: &mut usize) -> Option<Cow<'a, str>> {
        if line.trim().is_empty() {
            return Some(line.into());
        }
        self.named = self.named.saturating_sub(1);
        if let Some((end, left)) = self.long.take() {
            let at = line.find(end);
            self.long = at.is_none().then_some((end, left - 1)).filter(|(_, left)| *left > 0);
            return at.map(|at| line[at..].into());
        }
        let block = self.block.as_mut().filter(|block| indent(line) > block.indent);
        let Some(block) = block else {
            self.block = None;
            return Some(line.into());
        };
        if std::mem::replace(&mut block.is_told, true) {
            return None;
        }
        let value = line.trim_start();
        *count += usize::from(value.trim_end() != REDACTED);
        Some(format!("{}{REDACTED}", &line[..line.len() - value.len()]).into())
    }

    /// Whether the value of a name on this line is a block that follows it.
    pub fn begins_block(&mut self, line: &str, value: &str) -> bool {
        if value.len() > SIGN {
            return false;
        }
        // A tag or an anchor may stand before the sign: `!!binary |`.
        let words = value.split_whitespace().skip_while(|word| word.starts_with(['!', '&']));
        let mut words = words.take_while(|word| !word.starts_with('#'));
        let begins = words.next().is_some_and(is_sign) && words.next().is_none();
        if begins {
            self.block = Some(Block { indent: name_indent(line), is_told: false });
        }
        begins
    }

    /// Where a long text begins in a value, if it goes on after this line.
    pub fn begins_long(&mut self, value: &str) -> Option<usize> {
        let end = long(value)?;
        let text = &value[end.len()..];
        if text.starts_with(REDACTED) || text.contains(end) {
            return None;
        }
        self.long = Some((end, LINES));
        Some(end.len())
    }

    /// A name was given as a value, that of a secret or of something else.
    pub fn name(&mut self, is_secret: bool) {
        self.named = if is_secret { 2 } else { 0 };
    }

    /// Whether what is called `value` belongs to such a name.
    pub fn is_named(&mut self) -> bool {
        std::mem::take(&mut self.named) > 0
    }
}

/// What a long text begins with, and ends with.
pub fn long(value: &str) -> Option<&'static str> {
    LONG.into_iter().find(|quote| value.starts_with(quote))
}

/// Whether the lines that follow are the value: `|`, `>-`, `|2+`; or, in JSON over several lines, the list that begins.
fn is_sign(word: &str) -> bool {
    let behind = word.strip_prefix(['|', '>']);
    word == "[" || behind.is_some_and(|rest| rest.len() < 3 && rest.chars().all(|c| "+-123456789".contains(c)))
}

/// Blanks before what a line says.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// How far in a name stands: in a list it stands behind the dash.
fn name_indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t', '-']).len()
}
