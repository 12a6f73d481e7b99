//! YAML with a reason behind each line, which no library writes.

use serde_json::Value;

use crate::text::Shown;

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Named parts, in the order in which they were named.
    Map(Vec<(String, Node)>),
    /// Parts in a row.
    List(Vec<Node>),
    /// A value, with the checks that ask for it.
    Leaf(Value, Vec<String>),
}

impl Node {
    /// A document without anything in it.
    pub fn empty() -> Self {
        Self::Map(Vec::new())
    }

    /// A value with the checks that ask for it.
    pub fn leaf(value: impl Into<Value>, answers: &[String]) -> Self {
        Self::Leaf(value.into(), answers.to_vec())
    }

    /// A value of our own, which no check asks for.
    pub fn plain(value: impl Into<Value>) -> Self {
        Self::leaf(value, &[])
    }

    /// Named parts.
    pub fn map<'a>(parts: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Map(parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect())
    }

    /// Puts a part at the end of a path, which is made where it is not there. What stands there already stays: it is more
    /// urgent, or the same.
    pub fn set(&mut self, path: &[&str], part: Self) {
        let Some((name, rest)) = path.split_first() else { return };
        let place = self.place(name, || if rest.is_empty() { part.clone() } else { Self::empty() });
        if let Some(place) = place {
            place.set(rest, part);
        }
    }

    /// Adds a part to the list of this name.
    pub fn push(&mut self, name: &str, part: Self) {
        if let Some(Self::List(parts)) = self.place(name, || Self::List(Vec::new())) {
            parts.push(part);
        }
    }

    fn place(&mut self, name: &str, make: impl FnOnce() -> Self) -> Option<&mut Self> {
        let Self::Map(parts) = self else { return None };
        let at = parts.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            parts.push((name.to_owned(), make()));
            parts.len() - 1
        });
        parts.get_mut(at).map(|(_, part)| part)
    }

    /// The document, a line for each value.
    pub fn render(&self) -> Shown {
        let mut lines = Vec::new();
        self.lines(0, "", &mut lines);
        lines.iter().map(|line| Shown::line(line)).collect()
    }

    /// `lead` is what stands before the first line: the dash of a list.
    fn lines(&self, depth: usize, lead: &str, lines: &mut Vec<String>) {
        let before = |lead: &str| format!("{}{lead}", "  ".repeat(depth - lead.len() / 2));
        match self {
            Self::Map(parts) => {
                for (at, (name, part)) in parts.iter().enumerate() {
                    let start = format!("{}{name}:", before(if at == 0 { lead } else { "" }));
                    match part {
                        Self::Leaf(value, answers) => lines.push(format!("{start} {}", with_reason(value, answers))),
                        Self::Map(parts) if parts.is_empty() => lines.push(format!("{start} {{}}")),
                        part => {
                            lines.push(start);
                            part.lines(depth + 1, "", lines);
                        }
                    }
                }
            }
            Self::List(parts) => parts.iter().for_each(|part| part.lines(depth + 1, "- ", lines)),
            Self::Leaf(value, answers) => lines.push(before(lead) + &with_reason(value, answers)),
        }
    }
}

/// A value as JSON, which YAML reads too; a text stays in quotes, so that it is never a number.
fn with_reason(value: &Value, answers: &[String]) -> String {
    if answers.is_empty() { value.to_string() } else { format!("{value}  # {}", answers.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_a_line_and_a_reason() {
        let mut document = Node::empty();
        document.set(&["a", "b"], Node::leaf(true, &["x.y".to_owned(), "z".to_owned()]));
        document.set(&["a", "b"], Node::plain(false));
        document.set(&["a", "c"], Node::plain("8Gi"));
        document.push("list", Node::plain(1));
        document.push("list", Node::map([("name", Node::plain("n: #")), ("in", Node::map([("d", Node::plain(0))]))]));
        document.set(&["nothing"], Node::empty());
        let expected = "a:\n  b: true  # x.y, z\n  c: \"8Gi\"\nlist:\n  - 1\n  - name: \"n: #\"\n    in:\n      d: 0\nnothing: {}\n";
        assert_eq!(&*document.render(), expected);
    }
}
