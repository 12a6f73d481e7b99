//! Answers an expression over one recording, in three values, and keeps what it read.

use serde_json::Value;

use super::compare::{Got, compare, contains, size};
use super::tree::{Expr, Node};
use super::value::{Found, Truth, found};

/// A fact that an expression read.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Where it stands, for example `gpus[3].name`.
    pub path: String,
    /// What it said.
    pub value: Value,
}

/// The facts and the names in force.
#[derive(Clone)]
pub struct Scope<'a> {
    facts: &'a Value,
    names: Vec<(&'a str, &'a Value, String)>,
}

impl<'a> Scope<'a> {
    /// A scope with the facts alone; they are a [`crate::facts::Facts`] as JSON.
    pub fn new(facts: &'a Value) -> Self {
        Self { facts, names: Vec::new() }
    }

    /// The same scope with one more name, which stands at `path` in the facts.
    #[must_use]
    pub fn with(&self, name: &'a str, value: &'a Value, path: String) -> Self {
        let mut names = self.names.clone();
        names.push((name, value, path));
        Self { facts: self.facts, names }
    }

    /// What stands at a path.
    pub fn lookup(&self, path: &[String]) -> Found<'a> {
        self.resolve(path).1
    }

    fn resolve(&self, path: &[String]) -> (String, Found<'a>) {
        let Some((first, rest)) = path.split_first() else { return (String::new(), Found::Absent) };
        let (mut value, mut full, rest) = match self.names.iter().rev().find(|(name, ..)| name == first) {
            Some((_, value, at)) => (*value, at.clone(), rest),
            None => (self.facts, String::new(), path),
        };
        for name in rest {
            if let state @ (Found::Absent | Found::Unknown(_)) = found(value) {
                return (full, state);
            }
            if !full.is_empty() {
                full.push('.');
            }
            full.push_str(name);
            value = value.get(name).unwrap_or(&Value::Null);
        }
        (full, found(value))
    }

    /// Whether `expr` holds. What it reads is added to `evidence`, each path once.
    pub fn truth(&self, expr: &'a Expr, evidence: &mut Vec<Evidence>) -> Truth {
        match self.eval(expr, evidence) {
            Got::Truth(truth) => truth,
            Got::Fact(Found::Known(Value::Bool(true))) => Truth::True,
            Got::Fact(Found::Unknown(why)) => Truth::Unknown(why),
            // Absent, or false. The type check keeps everything else from getting here.
            _ => Truth::False,
        }
    }

    fn eval(&self, expr: &'a Expr, evidence: &mut Vec<Evidence>) -> Got<'a> {
        match &expr.node {
            Node::Bool(value) => Got::Truth(Truth::from(*value)),
            Node::Integer(value) => Got::Owned(Value::from(*value)),
            Node::Float(value) => Got::Owned(Value::from(*value)),
            Node::Text(value) => Got::Owned(Value::from(value.as_str())),
            Node::List(items) => Got::Owned(items.iter().map(literal).collect()),
            Node::Path(path) => {
                let (full, state) = self.resolve(path);
                note(evidence, full.clone(), &state);
                match state {
                    Found::Unknown(why) => Got::Fact(Found::Unknown(format!("{full}: {why}"))),
                    other => Got::Fact(other),
                }
            }
            Node::Has(inner) => Got::Truth(match self.eval(inner, evidence) {
                Got::Fact(Found::Unknown(why)) => Truth::Unknown(why),
                Got::Fact(Found::Absent) => Truth::False,
                _ => Truth::True,
            }),
            Node::Not(inner) => Got::Truth(match self.truth(inner, evidence) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                unknown @ Truth::Unknown(_) => unknown,
            }),
            Node::And(left, right) => Got::Truth(self.decide(left, right, &Truth::False, evidence)),
            Node::Or(left, right) => Got::Truth(self.decide(left, right, &Truth::True, evidence)),
            Node::Compare(comparison, left, right) => {
                let (left, right) = (self.eval(left, evidence), self.eval(right, evidence));
                Got::Truth(compare(*comparison, left, right))
            }
            Node::In(item, list) => {
                let (item, list) = (self.eval(item, evidence), self.eval(list, evidence));
                Got::Truth(contains(&item, &list))
            }
            Node::Size(inner) => match self.eval(inner, evidence) {
                Got::Fact(Found::Unknown(why)) => Got::Fact(Found::Unknown(why)),
                got => Got::Owned(size(got.value()).into()),
            },
            Node::Version(inner) => self.eval(inner, evidence).into_version(),
            Node::Every { all, list, name, condition } => Got::Truth(self.every(*all, list, name, condition, evidence)),
        }
    }

    /// `&&` and `||`: one side that settles the answer is enough, whatever the other could not learn.
    fn decide(&self, left: &'a Expr, right: &'a Expr, settles: &Truth, evidence: &mut Vec<Evidence>) -> Truth {
        let first = self.truth(left, evidence);
        if first == *settles {
            return first;
        }
        let second = self.truth(right, evidence);
        match first {
            Truth::Unknown(_) if second != *settles => first,
            _ => second,
        }
    }

    fn every(
        &self,
        all: bool,
        list: &'a Expr,
        name: &'a str,
        condition: &'a Expr,
        evidence: &mut Vec<Evidence>,
    ) -> Truth {
        let Node::Path(path) = &list.node else { return Truth::Unknown("not a path".to_owned()) };
        let (full, state) = self.resolve(path);
        let items = match &state {
            Found::Unknown(why) => {
                note(evidence, full.clone(), &state);
                return Truth::Unknown(format!("{full}: {why}"));
            }
            Found::Known(Value::Array(items)) => items.as_slice(),
            _ => &[],
        };
        if items.is_empty() {
            note(evidence, full.clone(), &state);
        }
        let settles = Truth::from(!all);
        let mut answer = Truth::from(all);
        for (index, item) in items.iter().enumerate() {
            let truth = self.with(name, item, format!("{full}[{index}]")).truth(condition, evidence);
            if truth == settles {
                return truth;
            }
            if matches!(truth, Truth::Unknown(_)) && !matches!(answer, Truth::Unknown(_)) {
                answer = truth;
            }
        }
        answer
    }
}

fn literal(expr: &Expr) -> Value {
    match &expr.node {
        Node::Bool(value) => Value::from(*value),
        Node::Integer(value) => Value::from(*value),
        Node::Float(value) => Value::from(*value),
        Node::Text(value) => Value::from(value.as_str()),
        _ => Value::Null,
    }
}

fn note(evidence: &mut Vec<Evidence>, path: String, state: &Found<'_>) {
    if evidence.iter().any(|known| known.path == path) {
        return;
    }
    let value = match state {
        Found::Known(value) => (*value).clone(),
        Found::Absent => Value::Null,
        Found::Unknown(why) => serde_json::json!({ "unknown": why }),
    };
    evidence.push(Evidence { path, value });
}
