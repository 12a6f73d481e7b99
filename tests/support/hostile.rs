//! Facts whose every text is somebody's who means no good.

use gpu_preflight::facts::Facts;
use gpu_preflight::facts::shape::{Shape, Shaped};
use serde_json::Value;

/// Puts a text in place of every text at and under `shape`: words, numbers and conditions stay.
pub fn spoil(value: &mut Value, shape: &'static Shape, hostile: &impl Fn(&str) -> String) {
    match (shape.bare(), value) {
        (Shape::Text, Value::String(text)) => *text = hostile(text),
        (_, Value::Object(gap)) if gap.contains_key("unknown") => {
            gap.insert("detail".to_owned(), hostile("").into());
        }
        (Shape::Record(record), Value::Object(fields)) => {
            for field in record.fields {
                fields.get_mut(field.name).into_iter().for_each(|value| spoil(value, field.shape, hostile));
            }
        }
        (Shape::List(item), Value::Array(items)) => items.iter_mut().for_each(|value| spoil(value, item, hostile)),
        (Shape::Map(item), Value::Object(entries)) => {
            let spoilt = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                spoil(&mut value, item, hostile);
                (hostile(&key), value)
            });
            *entries = spoilt.collect();
        }
        _ => {}
    }
}

/// The same facts with every text changed.
pub fn spoilt(facts: &Facts, hostile: &impl Fn(&str) -> String) -> Facts {
    let mut value = serde_json::to_value(facts).expect("JSON");
    spoil(&mut value, Facts::SHAPE, hostile);
    serde_json::from_value(value).expect("facts")
}
