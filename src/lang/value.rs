//! Answers in three values, and what stands at a path.

use serde_json::Value;

/// What a condition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It hangs on a reading that could not be had; the path and why.
    Unknown(String),
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// A value.
    Known(&'a Value),
    /// It was looked for and is not there.
    Absent,
    /// It could not be read, and why.
    Unknown(String),
}

/// Tells a value from absence and from a gap, by the JSON form of [`crate::facts::Fact`].
pub fn found(value: &Value) -> Found<'_> {
    match value {
        Value::Null => Found::Absent,
        // A gap has two fields at most; a record is asked for thousands of times.
        Value::Object(map) if map.len() > 2 => Found::Known(value),
        Value::Object(map) => match map.get("unknown").and_then(Value::as_str) {
            Some(kind) => {
                let kind = kind.replace('-', " ");
                let detail = map.get("detail").and_then(Value::as_str).unwrap_or_default();
                Found::Unknown(if detail.is_empty() { kind } else { format!("{kind}: {detail}") })
            }
            None => Found::Known(value),
        },
        _ => Found::Known(value),
    }
}
