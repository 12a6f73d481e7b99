//! Values held against each other, in three values.

use std::cmp::Ordering;

use serde_json::Value;

use super::sign::Comparison;
use super::value::{Found, Truth};
use crate::facts::version::Version;

/// What a part of an expression came to.
pub enum Got<'a> {
    /// An answer in three values.
    Truth(Truth),
    /// What stands at a path.
    Fact(Found<'a>),
    /// A literal, or a size.
    Owned(Value),
    /// A text read as a version.
    Version(Version),
}

impl Got<'_> {
    /// The JSON value, where it is one and known.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Got::Fact(Found::Known(value)) => Some(value),
            Got::Owned(value) => Some(value),
            _ => None,
        }
    }

    /// The same read as a version; what is no version is unknown.
    pub fn into_version(self) -> Self {
        let Some(text) = self.value().and_then(Value::as_str) else { return self };
        match Version::parse(text) {
            Some(version) => Got::Version(version),
            None => Got::Fact(Found::Unknown(format!("malformed: `{}` is no version", crate::text::plain(text)))),
        }
    }
}

/// Compares two parts; what is not known on either side makes the answer unknown.
pub fn compare(comparison: Comparison, left: Got<'_>, right: Got<'_>) -> Truth {
    let ordering = match (left, right) {
        (Got::Fact(Found::Unknown(why)) | Got::Truth(Truth::Unknown(why)), _)
        | (_, Got::Fact(Found::Unknown(why)) | Got::Truth(Truth::Unknown(why))) => return Truth::Unknown(why),
        (Got::Version(a), Got::Version(b)) => Some(a.cmp(&b)),
        (Got::Truth(a), Got::Truth(b)) => (a == b).then_some(Ordering::Equal),
        (Got::Truth(truth), other) | (other, Got::Truth(truth)) => {
            let value = other.value().and_then(Value::as_bool);
            (value.map(Truth::from) == Some(truth)).then_some(Ordering::Equal)
        }
        (a, b) => match (a.value(), b.value()) {
            (Some(a), Some(b)) => order(a, b),
            _ => None,
        },
    };
    // With nothing to order by, because one side is absent, only `!=` is true.
    Truth::from(match comparison {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::Unequal => ordering != Some(Ordering::Equal),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
    })
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => (a == b).then_some(Ordering::Equal),
    }
}

/// Whether a list holds an item.
pub fn contains(item: &Got<'_>, list: &Got<'_>) -> Truth {
    let unknown = [item, list].into_iter().find_map(|got| match got {
        Got::Fact(Found::Unknown(why)) => Some(why.clone()),
        _ => None,
    });
    if let Some(why) = unknown {
        return Truth::Unknown(why);
    }
    let (Some(item), Some(Value::Array(items))) = (item.value(), list.value()) else { return Truth::False };
    Truth::from(items.iter().any(|other| order(item, other) == Some(Ordering::Equal)))
}

/// Items of a list, characters of a text; else nothing.
pub fn size(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Array(items)) => items.len(),
        Some(Value::String(text)) => text.chars().count(),
        _ => 0,
    }
}
