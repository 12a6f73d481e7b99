//! What a reading is worth where a part of what it reads was left out.

use serde_json::Value;

use crate::facts::shape::Shape;
use crate::facts::{Fact, Gap};

/// Makes unknown what was not found, or not there, where something was left out in which it may be.
pub fn doubt(value: &mut Value, shape: &Shape, gap: &Gap) {
    match (shape, &mut *value) {
        (Shape::Maybe(_), Value::Null | Value::Bool(false)) => *value = unknown(gap),
        (Shape::Maybe(_), Value::Array(items)) if items.is_empty() => *value = unknown(gap),
        (Shape::Maybe(_), Value::Number(number)) if number.as_f64() == Some(0.0) => *value = unknown(gap),
        (Shape::Maybe(inner) | Shape::Optional(inner), value) => doubt(value, inner, gap),
        (Shape::Record(record), Value::Object(fields)) => {
            for field in record.fields {
                if let Some(value) = fields.get_mut(field.name) {
                    doubt(value, field.shape, gap);
                }
            }
        }
        (Shape::List(inner), Value::Array(items)) => items.iter_mut().for_each(|item| doubt(item, inner, gap)),
        (Shape::Map(inner), Value::Object(items)) => items.values_mut().for_each(|item| doubt(item, inner, gap)),
        _ => {}
    }
}

fn unknown(gap: &Gap) -> Value {
    serde_json::to_value(Fact::<bool>::Unknown(gap.clone())).unwrap_or_default()
}
