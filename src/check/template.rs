//! Messages with facts quoted in them: `{limits.memory_bytes|bytes}`.

use serde_json::Value;

use crate::facts::shape::{Shape, words};
use crate::lang::types::{Names, shape_at};
use crate::lang::value::Found;
use crate::lang::{Mistake, Scope, suggestion};
use crate::text;

/// A message, read and validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Fact { path: Vec<String>, filter: Option<Filter> },
}

words! {
    /// How a value is written.
    pub enum Filter {
        /// A number of bytes in a readable unit.
        Bytes = "bytes",
        /// Items joined by commas, at most five.
        List = "list",
        /// A share of one as a percentage.
        Percent = "percent",
        /// A number without decimals.
        Round = "round",
        /// A number with one decimal.
        One = "one",
        /// How many items.
        Count = "count",
        /// A text after a colon; nothing where there is none.
        Because = "because",
        /// A number in parentheses behind a blank; nothing where it is not known.
        Aside = "aside",
        /// The same of a number of bytes, in a readable unit.
        SizeAside = "size-aside",
    }
}

/// Items that a list shows before it says how many more there are.
const LISTED: usize = 5;

impl Template {
    /// Reads a message and checks that every fact it quotes exists.
    pub fn parse(text: &str, facts: &'static Shape, names: Names<'_>) -> Result<Self, Mistake> {
        let template = Self::read(text)?;
        let mut at = 0;
        for piece in &template.pieces {
            match piece {
                Piece::Text(text) => at += text.len(),
                Piece::Fact { path, filter } => {
                    let inside = text[at + 1..].split('}').next().unwrap_or_default();
                    can_be_written(path, *filter, at + 1 + inside.len() - inside.trim_start().len(), facts, names)?;
                    at += inside.len() + 2;
                }
            }
        }
        Ok(template)
    }

    /// Reads a message that has been checked before.
    pub fn read(text: &str) -> Result<Self, Mistake> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find('{').map(|open| at + open) {
            let Some(close) = text[open..].find('}').map(|close| open + close) else {
                return Err(Mistake { at: open, message: "`{` without `}`".to_owned() });
            };
            pieces.push(Piece::Text(text[at..open].to_owned()));
            pieces.push(quoted(&text[open + 1..close], open + 1)?);
            at = close + 1;
        }
        pieces.push(Piece::Text(text[at..].to_owned()));
        Ok(Self { pieces })
    }

    /// The message with the facts in it, each escaped and cut.
    pub fn render(&self, scope: &Scope<'_>) -> String {
        let mut message = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => message.push_str(text),
                Piece::Fact { path, filter } => message.push_str(&write(&scope.lookup(path), *filter)),
            }
        }
        message
    }

    /// The paths it quotes.
    pub fn paths(&self) -> impl Iterator<Item = &[String]> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Fact { path, .. } => Some(path.as_slice()),
            Piece::Text(_) => None,
        })
    }
}

fn quoted(inside: &str, at: usize) -> Result<Piece, Mistake> {
    let (path, filter) = inside.split_once('|').map_or((inside, None), |(path, filter)| (path, Some(filter.trim())));
    let filter = filter.map(|name| {
        name.parse::<Filter>().map_err(|why| {
            let near = suggestion(name, Filter::ALL.iter().map(|filter| filter.as_str()));
            Mistake { at: at + path.trim_end().len() + 1, message: format!("{why}{near}") }
        })
    });
    let path = path.trim().split('.').map(ToOwned::to_owned).collect();
    Ok(Piece::Fact { path, filter: filter.transpose()? })
}

/// Refuses a fact that is not there, and one that cannot be written like this.
fn can_be_written(
    path: &[String],
    filter: Option<Filter>,
    at: usize,
    facts: &'static Shape,
    names: Names<'_>,
) -> Result<(), Mistake> {
    let shape = shape_at(path, at, facts, names)?;
    if fits(filter, shape) {
        return Ok(());
    }
    let path = path.join(".");
    let how = filter.map_or("without a filter".to_owned(), |filter| format!("with the filter `{filter}`"));
    let could =
        std::iter::once(None).chain(Filter::ALL.iter().copied().map(Some)).filter(|filter| fits(*filter, shape));
    let could = could.map(|filter| filter.map_or(format!("`{{{path}}}`"), |filter| format!("`{{{path}|{filter}}}`")));
    let could = could.collect::<Vec<_>>().join(" or ");
    let instead = match shape.fields().first() {
        _ if !could.is_empty() => format!("; write {could}"),
        Some(field) => format!("; write one of its fields, `{{{path}.{}}}`", field.name),
        None => String::new(),
    };
    Err(Mistake { at, message: format!("`{path}` cannot be written {how}{instead}") })
}

/// Whether a fact of this shape can be written so.
fn fits(filter: Option<Filter>, shape: &Shape) -> bool {
    matches!(
        (filter, shape),
        (None, Shape::Bool | Shape::Integer | Shape::Number | Shape::Text | Shape::Word(_))
            | (Some(Filter::Because), Shape::Text)
            | (Some(Filter::List | Filter::Count), Shape::List(_))
            | (
                Some(Filter::Bytes | Filter::Percent | Filter::Round | Filter::One | Filter::Aside | Filter::SizeAside),
                Shape::Integer | Shape::Number
            )
    )
}

fn write(found: &Found<'_>, filter: Option<Filter>) -> String {
    let value = match found {
        Found::Known(value) => *value,
        _ if matches!(filter, Some(Filter::Because | Filter::Aside | Filter::SizeAside)) => return String::new(),
        Found::Absent => return "none".to_owned(),
        Found::Unknown(_) => return "unknown".to_owned(),
    };
    let number = value.as_f64().unwrap_or_default();
    match filter {
        None => plain(value),
        Some(Filter::Because) => format!(": {}", plain(value)),
        Some(Filter::Aside) => format!(" ({})", plain(value)),
        Some(Filter::SizeAside) => format!(" ({})", text::bytes(number)),
        Some(Filter::Bytes) => text::bytes(number),
        Some(Filter::Percent) => format!("{:.0} %", number * 100.0),
        Some(Filter::Round) => format!("{number:.0}"),
        Some(Filter::One) => format!("{number:.1}"),
        Some(Filter::Count) => value.as_array().map_or(0, Vec::len).to_string(),
        Some(Filter::List) => listed(value.as_array().map_or(&[], Vec::as_slice)),
    }
}

fn listed(items: &[Value]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = items.iter().take(LISTED).map(plain).collect();
    let more = items.len().saturating_sub(LISTED);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// A value in words; of a record its first field, which names it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.as_f64().map_or_else(
            || value.to_string(),
            |n| match value.as_i64() {
                Some(whole) => whole.to_string(),
                None => text::number(n),
            },
        ),
        Value::String(value) => text::plain(value),
        Value::Array(items) => listed(items),
        Value::Object(map) => map.values().next().map(plain).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::facts::shape::Shaped;

    fn render(text: &str, facts: &Value) -> String {
        Template::parse(text, Facts::SHAPE, &[]).expect(text).render(&Scope::new(facts))
    }

    #[test]
    fn values_are_written_for_people() {
        let facts = serde_json::json!({
            "limits": { "memory_bytes": null, "shm_bytes": 67_108_864, "cpu_throttled_share": 0.42 },
            "host": { "memory_bytes": { "unknown": "not-permitted" } },
            "environment": { "secret_names": ["A", "B", "C", "D", "E", "F", "G"], "preloaded": [] },
            "process": { "first_name": "a\u{1b}[2Jb" },
        });
        assert_eq!(render("{limits.memory_bytes|bytes}, {limits.shm_bytes|bytes}", &facts), "none, 64 MiB");
        assert_eq!(render("{host.memory_bytes|bytes}", &facts), "unknown");
        assert_eq!(render("{limits.cpu_throttled_share|percent}", &facts), "42 %");
        assert_eq!(render("{environment.secret_names|list}", &facts), "A, B, C, D, E and 2 more");
        assert_eq!(render("{environment.preloaded|list}", &facts), "none");
        assert_eq!(
            render("all{limits.shm_bytes|size-aside}{limits.shm_bytes|aside}", &facts),
            "all (64 MiB) (67108864)"
        );
        assert_eq!(render("all{host.memory_bytes|size-aside}{host.memory_bytes|aside}", &facts), "all");
        assert_eq!(render("{process.first_name}", &facts), "a\\u{1b}[2Jb");
        assert_eq!(render("slow{process.first_name|because}", &facts), "slow: a\\u{1b}[2Jb");
        let unknown = serde_json::json!({ "process": { "first_name": { "unknown": "not-asked" } } });
        assert_eq!(render("slow{process.first_name|because}", &unknown), "slow");
        assert_eq!(render("slow{process.first_name|because}", &serde_json::json!({ "process": {} })), "slow");
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for (text, part) in [
            ("{limits.memory}", "has no fact"),
            ("{limits.memory_bytes|byte}", "did you mean `bytes`?"),
            ("{limits.memory_bytes|list}", "cannot be written"),
            ("{environment.secret_names}", "without a filter"),
            ("{limits.memory_bytes", "without `}`"),
        ] {
            let mistake = Template::parse(text, Facts::SHAPE, &[]).expect_err(text);
            assert!(mistake.message.contains(part), "{text}: {}", mistake.message);
        }
    }
}
