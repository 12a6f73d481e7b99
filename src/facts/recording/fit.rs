//! A recording's JSON, made to fit the shape that this version knows.
//!
//! Nothing here knows a single fact: which fields there are, which of them may be unknown and which words they may say
//! stands in the [`Shape`]. Of a value that does not fit the smallest part is given up that can do without it: the fact
//! becomes unknown, or the record is left out of its list, for nobody knows what else it might be. What stands in neither,
//! as `run.tier` does, is taken as its default.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::cut;
use crate::facts::shape::{Record, Shape};
use crate::facts::{Gap, GapKind};

/// The fit of one recording, and what did not.
pub struct Fit {
    /// Why facts are unknown that it does not hold.
    missing: Gap,
    /// Whether values may have a form that this version does not know.
    is_newer: bool,
    /// Fields that no record here has.
    pub fields: BTreeSet<String>,
    /// Words, and forms of a newer schema, that are not known here, with what became of them.
    pub values: BTreeSet<String>,
    /// Values of a wrong type, with their place.
    pub wrong: Vec<String>,
}

/// A value that this version cannot hold.
struct Misfit {
    path: String,
    /// What it is, in words.
    what: String,
}

impl Misfit {
    fn gap(&self) -> Gap {
        Gap::new(GapKind::Malformed, format!("{}, which this version does not know", self.what))
    }
}

type Fitted = Result<(), Misfit>;

impl Fit {
    /// Of a recording that has not been looked at yet.
    pub fn new(missing: Gap, is_newer: bool) -> Self {
        Self { missing, is_newer, fields: BTreeSet::new(), values: BTreeSet::new(), wrong: Vec::new() }
    }

    /// Whether no field and no value was foreign.
    pub fn knows_all(&self) -> bool {
        self.fields.is_empty() && self.values.is_empty()
    }

    /// Makes a whole recording fit.
    pub fn fit(&mut self, recording: &mut Value, shape: &'static Shape) {
        if let Err(Misfit { path, what }) = self.value(recording, shape, "", false) {
            self.wrong.push(format!("{path}: {what}"));
        }
    }

    /// Makes one value fit. `is_held`: whether a fact or a list around it can do without it.
    fn value(&mut self, value: &mut Value, shape: &'static Shape, path: &str, is_held: bool) -> Fitted {
        match (shape, &mut *value) {
            (Shape::Anything, _) | (Shape::Maybe(_) | Shape::Optional(_), Value::Null) => Ok(()),
            (Shape::Maybe(inner), _) => {
                self.maybe(value, inner, path);
                Ok(())
            }
            (Shape::Optional(inner), _) => self.value(value, inner, path, is_held),
            (Shape::Record(record), Value::Object(fields)) => self.record(fields, record, path, is_held),
            (Shape::List(inner), Value::Array(items)) => self.list(items, inner, path, is_held),
            (Shape::Map(inner), Value::Object(entries)) => {
                entries.iter_mut().try_for_each(|(key, value)| self.value(value, inner, &join(path, key), is_held))
            }
            (Shape::Word(words), Value::String(word)) if !words.iter().any(|known| known.name == word) => {
                Err(Misfit { path: path.to_owned(), what: format!("`{}`", cut(word)) })
            }
            (Shape::Integer, Value::Number(number)) if number.is_f64() => self.form(path, "a fraction", shape),
            (Shape::Integer | Shape::Number, Value::Number(_))
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Text | Shape::Word(_), Value::String(_)) => Ok(()),
            (_, other) => self.form(path, form_of(other), shape),
        }
    }

    /// A value of another type. A newer schema may mean it; in any other it is a mistake.
    fn form(&mut self, path: &str, is: &str, shape: &Shape) -> Fitted {
        let what = format!("{is} instead of {}", form_wanted(shape));
        if self.is_newer {
            return Err(Misfit { path: path.to_owned(), what });
        }
        self.wrong.push(format!("{path}: {what}"));
        Ok(())
    }

    fn maybe(&mut self, value: &mut Value, inner: &'static Shape, path: &str) {
        let fitted = match value {
            Value::Object(told) if told.contains_key("absent") => {
                *value = Value::Null;
                return;
            }
            Value::Object(told) if told.contains_key("unknown") => self.gap(told, path).map(Some),
            _ => self.value(value, inner, path, true).map(|()| None),
        };
        let gap = fitted.unwrap_or_else(|misfit| {
            self.say(&misfit, "");
            Some(misfit.gap())
        });
        if let Some(gap) = gap {
            *value = as_json(&gap);
        }
    }

    /// Why the recording says that a fact is unknown. For a reason that this version does not know, it is so all the same.
    fn gap(&mut self, told: &Map<String, Value>, path: &str) -> Result<Gap, Misfit> {
        let (mut kind, mut detail) = (GapKind::NotAsked.as_str(), "");
        for (key, value) in told {
            let path = join(path, &cut(key));
            match (key.as_str(), value) {
                ("unknown", Value::String(word)) => kind = word,
                ("detail", Value::String(words)) => detail = words,
                ("unknown" | "detail", other) => self.form(&path, form_of(other), &Shape::Text)?,
                _ => {
                    self.fields.insert(collapsed(&path));
                }
            }
        }
        Ok(kind.parse().map_or_else(
            |_| {
                let misfit = Misfit { path: path.to_owned(), what: format!("`{}`", cut(kind)) };
                self.say(&misfit, "");
                let Gap { kind, detail: why } = misfit.gap();
                Gap::new(kind, if detail.is_empty() { why } else { format!("{why}: {detail}") })
            },
            |kind| Gap::new(kind, detail),
        ))
    }

    fn record(
        &mut self,
        fields: &mut Map<String, Value>,
        record: &'static Record,
        path: &str,
        is_held: bool,
    ) -> Fitted {
        fields.retain(|key, _| {
            let is_known = record.fields.iter().any(|field| field.name == key);
            if !is_known {
                self.fields.insert(collapsed(&join(path, &cut(key))));
            }
            is_known
        });
        for field in record.fields {
            let Some(value) = fields.get_mut(field.name) else {
                if let Some(nothing) = nothing_of(field.shape, &self.missing) {
                    fields.insert(field.name.to_owned(), nothing);
                }
                continue;
            };
            match self.value(value, field.shape, &join(path, field.name), is_held) {
                Err(misfit) if !is_held => {
                    let taken = match field.shape {
                        Shape::Word([first, ..]) => format!(" (taken as `{}`)", first.name),
                        _ => String::new(),
                    };
                    self.say(&misfit, &taken);
                    match nothing_of(field.shape, &misfit.gap()) {
                        Some(nothing) => *value = nothing,
                        None => drop(fields.remove(field.name)),
                    }
                }
                fitted => fitted?,
            }
        }
        Ok(())
    }

    fn list(&mut self, items: &mut Vec<Value>, inner: &'static Shape, path: &str, is_held: bool) -> Fitted {
        let is_of_records = matches!(inner, Shape::Record(_));
        let mut index = 0;
        let mut fitted = Ok(());
        items.retain_mut(|item| {
            let item_path = format!("{path}[{index}]");
            index += 1;
            match self.value(item, inner, &item_path, is_held || is_of_records) {
                Ok(()) => true,
                Err(misfit) if is_of_records => {
                    self.say(&misfit, " (left out)");
                    false
                }
                Err(misfit) => {
                    fitted = Err(misfit);
                    true
                }
            }
        });
        fitted
    }

    /// Notes what this version cannot hold, and what became of it.
    fn say(&mut self, misfit: &Misfit, became: &str) {
        self.values.insert(format!("{}: {}{became}", collapsed(&misfit.path), misfit.what));
    }
}

/// A gap as it stands in a recording.
fn as_json(gap: &Gap) -> Value {
    serde_json::json!({ "unknown": gap.kind, "detail": gap.detail })
}

/// What stands for a fact, or for a record of facts, of which nothing is known; other fields have defaults.
fn nothing_of(shape: &'static Shape, gap: &Gap) -> Option<Value> {
    match shape {
        Shape::Maybe(_) => Some(as_json(gap)),
        Shape::Record(record) => {
            let fields = record.fields.iter();
            Some(fields.filter_map(|field| Some((field.name, nothing_of(field.shape, gap)?))).collect())
        }
        _ => None,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A path without the places in its lists: `gpus[3].load` is `gpus[].load`.
fn collapsed(path: &str) -> String {
    let mut is_inside = false;
    path.chars()
        .filter(|c| {
            is_inside = *c == '[' || is_inside && *c != ']';
            *c == '[' || !is_inside
        })
        .collect()
}

fn form_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "named fields",
    }
}

fn form_wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Bool => "true or false",
        Shape::Integer => "a whole number",
        Shape::Number => "a number",
        Shape::Text => "text",
        Shape::Word(_) => "a word",
        Shape::List(_) => "a list",
        Shape::Map(_) | Shape::Record(_) => "named fields",
        Shape::Anything | Shape::Maybe(_) | Shape::Optional(_) => "a fact",
    }
}
