//! Recordings of older versions, brought to the shape of this one before they are read.

use serde_json::Value;

/// The schema of versions up to 0.1.0.
pub const FIRST_SCHEMA: &str = "gpu-preflight/facts/1";

/// Brings a recording of [`FIRST_SCHEMA`] to today's.
pub fn upgrade(facts: &mut Value) {
    let Some(recording) = facts.as_object_mut() else { return };
    recording.insert("schema".to_owned(), super::SCHEMA.into());
    for multiply in items(facts, "/compute/multiplies") {
        // It was derived, and what is derived is derived anew.
        multiply.as_object_mut().map(|multiply| multiply.remove("gpu_share_of_expected"));
    }
}

/// The items of a list; none where it is not known.
fn items<'a>(facts: &'a mut Value, path: &str) -> impl Iterator<Item = &'a mut Value> {
    facts.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten()
}
