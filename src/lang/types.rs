//! Checks an expression against the shapes of the facts, before anything is evaluated.

use super::sign::Comparison;
use super::tree::{Expr, Node};
use super::{Mistake, foreign, suggestion};
use crate::facts::shape::{Shape, Word};

/// What an expression gives.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// true or false
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// One of a fixed set of words.
    Word(&'static [Word]),
    /// A dotted version.
    Version,
    /// Items; `None` for the empty literal.
    List(Option<&'static Shape>),
    /// A record, which only `has` may ask about.
    Record(&'static Shape),
}

/// The names an expression may use besides the facts: `it`, and the items of `exists` and `all`.
pub type Names<'a> = &'a [(String, &'static Shape)];

/// Checks that `expr` is a condition over `facts` and `names`.
pub fn check(expr: &Expr, facts: &'static Shape, names: Names<'_>) -> Result<(), Mistake> {
    let mut checker = Checker { facts, names: names.to_vec() };
    let found = checker.infer(expr)?;
    wanted(expr, found, matches!(found, Type::Bool), "a condition")
}

/// The shape at a path, or a mistake that names the nearest right name.
pub fn shape_at(
    path: &[String],
    at: usize,
    facts: &'static Shape,
    names: Names<'_>,
) -> Result<&'static Shape, Mistake> {
    let Some((first, rest)) = path.split_first() else { return Err(Mistake::new(at, "an empty path")) };
    let mut shape = match names.iter().rev().find(|(name, _)| name == first) {
        Some((_, shape)) => shape,
        None => step(facts, first, at, names, "facts").map_err(|mistake| match rest {
            [] if !mistake.message.contains(';') => mistake.with("; text stands in quotes"),
            _ => mistake,
        })?,
    };
    let mut offset = at + first.len() + 1;
    for name in rest {
        shape = step(shape, name, offset, &[], first)?;
        offset += name.len() + 1;
    }
    Ok(shape.bare())
}

fn step(
    shape: &'static Shape,
    name: &str,
    at: usize,
    names: Names<'_>,
    owner: &str,
) -> Result<&'static Shape, Mistake> {
    if let Some(field) = shape.field(name) {
        return Ok(field.shape);
    }
    let known = shape.fields().iter().map(|field| field.name).chain(names.iter().map(|(name, _)| name.as_str()));
    let near = match foreign::name(name) {
        "" => suggestion(name, known),
        answer => answer.to_owned(),
    };
    Err(Mistake::new(at, format!("`{owner}` has no fact `{name}`{near}")))
}

struct Checker {
    facts: &'static Shape,
    names: Vec<(String, &'static Shape)>,
}

impl Checker {
    fn infer(&mut self, expr: &Expr) -> Result<Type, Mistake> {
        match &expr.node {
            Node::Bool(_) => Ok(Type::Bool),
            Node::Integer(_) | Node::Float(_) => Ok(Type::Number),
            Node::Text(_) => Ok(Type::Text),
            Node::List(items) => self.list(items),
            Node::Path(path) => Ok(type_of(shape_at(path, expr.at, self.facts, &self.names)?)),
            Node::Has(inner) => {
                self.infer(inner)?;
                Ok(Type::Bool)
            }
            Node::Not(inner) => {
                self.condition(inner)?;
                Ok(Type::Bool)
            }
            Node::And(left, right) | Node::Or(left, right) => {
                self.condition(left)?;
                self.condition(right)?;
                Ok(Type::Bool)
            }
            Node::Compare(comparison, left, right) => {
                let a = self.infer(left)?;
                let b = self.infer(right).map_err(|mistake| unquoted(a, right).unwrap_or(mistake))?;
                comparable(*comparison, (left, a), (right, b))?;
                Ok(Type::Bool)
            }
            Node::In(item, list) => self.member(item, list),
            Node::Size(inner) => {
                let found = self.infer(inner)?;
                wanted(inner, found, matches!(found, Type::List(_) | Type::Text), "a list or text")?;
                Ok(Type::Number)
            }
            Node::Version(inner) => {
                let found = self.infer(inner)?;
                wanted(inner, found, matches!(found, Type::Text), "text with a version")?;
                Ok(Type::Version)
            }
            Node::Every { list, name, condition, .. } => {
                let found = self.infer(list)?;
                let Type::List(Some(item)) = found else { return wanted(list, found, false, "a list").map(|()| found) };
                self.names.push((name.clone(), item));
                let checked = self.condition(condition);
                self.names.pop();
                checked.map(|()| Type::Bool)
            }
        }
    }

    fn condition(&mut self, expr: &Expr) -> Result<(), Mistake> {
        let found = self.infer(expr)?;
        wanted(expr, found, matches!(found, Type::Bool), "a condition")
    }

    fn list(&mut self, items: &[Expr]) -> Result<Type, Mistake> {
        let mut shape = None;
        for item in items {
            let found = match self.infer(item)? {
                Type::Bool => &Shape::Bool,
                Type::Number => &Shape::Number,
                Type::Text => &Shape::Text,
                other => return wanted(item, other, false, "a plain value").map(|()| other),
            };
            let first = *shape.get_or_insert(found);
            if std::mem::discriminant(first) != std::mem::discriminant(found) {
                return Err(Mistake::new(item.at, "the items of a list are of one type"));
            }
        }
        Ok(Type::List(shape))
    }

    fn member(&mut self, item: &Expr, list: &Expr) -> Result<Type, Mistake> {
        let (a, b) = (self.infer(item)?, self.infer(list)?);
        let Type::List(shape) = b else { return wanted(list, b, false, "a list").map(|()| b) };
        let Some(shape) = shape else { return Ok(Type::Bool) };
        if let (Type::Word(words), Node::List(literals)) = (a, &list.node) {
            for literal in literals {
                known_word(words, literal)?;
            }
        }
        comparable(Comparison::Equal, (item, a), (list, type_of(shape)))?;
        Ok(Type::Bool)
    }
}

fn type_of(shape: &'static Shape) -> Type {
    match shape.bare() {
        Shape::Bool => Type::Bool,
        Shape::Integer | Shape::Number => Type::Number,
        Shape::Text => Type::Text,
        Shape::Word(words) => Type::Word(words),
        Shape::List(item) => Type::List(Some(item)),
        record => Type::Record(record),
    }
}

fn wanted(expr: &Expr, found: Type, fits: bool, wanted: &str) -> Result<(), Mistake> {
    if fits {
        return Ok(());
    }
    let fields = match found {
        Type::Record(shape) => shape.fields().iter().map(|field| field.name).collect::<Vec<_>>().join(", "),
        _ => String::new(),
    };
    let fields = if fields.is_empty() { fields } else { format!(" of {fields}") };
    Err(Mistake::new(expr.at, format!("expected {wanted}, found {}{fields}", name_of(found))))
}

fn name_of(found: Type) -> &'static str {
    match found {
        Type::Bool => "a condition",
        Type::Number => "a number",
        Type::Text => "text",
        Type::Word(_) => "a word",
        Type::Version => "a version",
        Type::List(_) => "a list",
        Type::Record(_) => "a record",
    }
}

fn comparable(comparison: Comparison, (left, a): (&Expr, Type), (right, b): (&Expr, Type)) -> Result<(), Mistake> {
    match (a, b) {
        (Type::Number, Type::Number) | (Type::Version, Type::Version) => Ok(()),
        (Type::Bool, Type::Bool) | (Type::Word(_), Type::Word(_)) | (Type::Text, Type::Text)
            if !comparison.orders() =>
        {
            Ok(())
        }
        (Type::Word(words), Type::Text) if !comparison.orders() => known_word(words, right),
        (Type::Text, Type::Word(words)) if !comparison.orders() => known_word(words, left),
        _ => {
            let (from, to) = (name_of(a), name_of(b));
            let hint = instead(comparison, (left, a), (right, b));
            Err(Mistake::new(right.at, format!("{from} cannot be compared with {to} by `{comparison}`{hint}")))
        }
    }
}

/// What to write in place of a comparison that makes no sense.
fn instead(comparison: Comparison, (left, a): (&Expr, Type), (right, b): (&Expr, Type)) -> String {
    let versions = |left: &str, right: &str| format!("; write `{left} {comparison} {right}`");
    let (left, right) = (shown(left), shown(right));
    match (a, b) {
        (Type::Text, Type::Text) => versions(&format!("version({left})"), &format!("version({right})")),
        (Type::Version, Type::Text) => versions("version(…)", &format!("version({right})")),
        (Type::Text, Type::Version) => versions(&format!("version({left})"), "version(…)"),
        (Type::Number, Type::Text) | (Type::Text, Type::Number) => "; a number stands without quotes".to_owned(),
        (Type::Word(words), _) | (_, Type::Word(words)) if comparison.orders() => {
            let names: Vec<String> = words.iter().map(|word| format!("'{}'", word.name)).collect();
            format!("; words have no order, ask with `in` for some of {}", names.join(", "))
        }
        (Type::List(_), Type::List(_)) => format!("; ask `size({left})`, or each item with `exists` and `all`"),
        (Type::List(_), _) => format!("; write `{right} in {left}`"),
        (_, Type::List(_)) => format!("; write `{left} in {right}`"),
        _ => String::new(),
    }
}

/// A path or a text as it was written; other parts are not repeated.
fn shown(expr: &Expr) -> String {
    match &expr.node {
        Node::Path(path) => path.join("."),
        Node::Text(text) => format!("'{text}'"),
        _ => "…".to_owned(),
    }
}

/// What is wrong with a name beside a word that is one of its words: it lacks the quotes.
fn unquoted(beside: Type, expr: &Expr) -> Option<Mistake> {
    let (Type::Word(words), Node::Path(path)) = (beside, &expr.node) else { return None };
    let [name] = path.as_slice() else { return None };
    let is_word = words.iter().any(|word| word.name == name);
    is_word.then(|| Mistake::new(expr.at, format!("`{name}` is no fact; text stands in quotes: '{name}'")))
}

/// A literal beside a word must be one of its words; a typo would never be true.
fn known_word(words: &'static [Word], literal: &Expr) -> Result<(), Mistake> {
    let Node::Text(text) = &literal.node else { return Ok(()) };
    if words.iter().any(|word| word.name == text) {
        return Ok(());
    }
    let near = suggestion(text, words.iter().map(|word| word.name));
    let all = words.iter().map(|word| word.name).collect::<Vec<_>>().join(", ");
    Err(Mistake::new(literal.at, format!("`{text}` is none of {all}{near}")))
}

#[cfg(test)]
#[path = "types_tests.rs"]
mod tests;
