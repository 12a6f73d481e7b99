//! Checks an expression against the shapes of the facts, before anything is evaluated.

use super::tree::{Comparison, Expr, Node};
use super::{Mistake, suggestion};
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
    Record,
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
        None => step(facts, first, at, names, "facts")?,
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
    let near = suggestion(name, known);
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
                let (a, b) = (self.infer(left)?, self.infer(right)?);
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
        _ => Type::Record,
    }
}

fn wanted(expr: &Expr, found: Type, fits: bool, wanted: &str) -> Result<(), Mistake> {
    if fits { Ok(()) } else { Err(Mistake::new(expr.at, format!("expected {wanted}, found {}", name_of(found)))) }
}

fn name_of(found: Type) -> &'static str {
    match found {
        Type::Bool => "a condition",
        Type::Number => "a number",
        Type::Text => "text",
        Type::Word(_) => "a word",
        Type::Version => "a version",
        Type::List(_) => "a list",
        Type::Record => "a record",
    }
}

fn comparable(comparison: Comparison, (left, a): (&Expr, Type), (right, b): (&Expr, Type)) -> Result<(), Mistake> {
    match (a, b) {
        (Type::Number, Type::Number) | (Type::Version, Type::Version) | (Type::Text, Type::Text) => Ok(()),
        (Type::Bool, Type::Bool) | (Type::Word(_), Type::Word(_)) if !comparison.orders() => Ok(()),
        (Type::Word(words), Type::Text) if !comparison.orders() => known_word(words, right),
        (Type::Text, Type::Word(words)) if !comparison.orders() => known_word(words, left),
        _ => Err(Mistake::new(right.at, format!("{} cannot be compared with {}", name_of(a), name_of(b)))),
    }
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
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::facts::shape::Shaped;
    use crate::lang::parse;

    fn mistake(text: &str) -> Option<Mistake> {
        check(&parse(text).expect(text), Facts::SHAPE, &[]).err()
    }

    #[test]
    fn right_expressions_pass() {
        for text in [
            "limits.memory_bytes < host.memory_bytes",
            "container.kind != 'none' && !run.gpu_expected",
            "network.listeners.exists(l, l.port == 22 && l.bind in ['any', 'specific'])",
            "gpus.all(g, has(g.name) && size(g.throttle_reasons) == 0)",
            "version(driver.kernel_version) >= version('525.60.13')",
            "'compute' in environment.nvidia_driver_capabilities",
            "has(services.sshd_config)",
        ] {
            assert_eq!(mistake(text), None, "{text}");
        }
    }

    #[test]
    fn a_typo_is_refused_with_its_place_and_the_nearest_name() {
        for (text, at, part) in [
            ("limits.memory_byte < 3", 7, "did you mean `memory_bytes`?"),
            ("limit.memory_bytes < 3", 0, "did you mean `limits`?"),
            ("container.kind == 'dokcer'", 18, "did you mean `docker`?"),
            ("container.kind in ['docker', 'podmann']", 29, "did you mean `podman`?"),
            ("limits.memory_bytes", 0, "expected a condition, found a number"),
            ("limits.memory_bytes == 'a'", 23, "cannot be compared"),
            ("gpus.exists(g, g.nam == 'x')", 17, "did you mean `name`?"),
            ("limits.memory_bytes.all(x, true)", 0, "expected a list, found a number"),
            ("true || limits.memory_byte > 3", 15, "did you mean"),
            ("container.kind < 'docker'", 17, "cannot be compared"),
            ("driver.kernel_version >= version('1')", 25, "cannot be compared"),
        ] {
            let mistake = mistake(text).expect(text);
            assert_eq!(mistake.at, at, "{text}: {}", mistake.message);
            assert!(mistake.message.contains(part), "{text}: {}", mistake.message);
        }
    }
}
