//! Two recordings, fact by fact, without what differs between any two.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::FactChange;

/// Rooms and fields that are different in every recording: how it was made, when, and by which process.
const PASSED_OVER: &[&str] = &[
    "probes",
    "schema",
    "run.deadline_seconds",
    "run.kept_seconds",
    "run.stood_still_seconds",
    "run.taken_at_seconds",
    "run.tool_version",
];

/// Names of fields, wherever they stand, that say what is so at one moment and not what a machine is.
const MOMENTARY: &[&str] = &[
    "cpu_throttled_share",
    "first_device_gb_per_second",
    "first_tflops",
    "free_bytes",
    "free_inodes",
    "health_ms",
    "log_line_count",
    "meanwhile",
    "memory_free_bytes",
    "memory_used_bytes",
    "memory_used_share",
    "metric_count",
    "pid",
    "pids_used",
    "power_watts",
    "proof_size",
    "repeated_count",
    "sample_count",
    "shm_free_bytes",
    "sm_clock_mhz",
    "spread",
    "temperature_celsius",
    "throttle_reasons",
    "throttles",
    "uptime_seconds",
    "utilization_percent",
    "visible_count",
    "waited_seconds",
    "wall_ms",
];

/// How names of fields end that were measured by a clock: they are the same within the noise of a measurement.
const MEASURED: &[&str] = &[
    "tflops",
    "gb_per_second",
    "tf32_factor",
    "share_of_expected",
    "share_of_siblings",
    "share_of_pairs",
    "slowest_share",
];

/// The noise of a measurement: what pageable copies of one healthy machine differ by from minute to minute.
const NOISE: f64 = 0.15;

/// What an item of a list is known by, the first that all items have and no two share.
const KEYS: &[&[&str]] = &[
    &["gpu", "precision"],
    &["from", "to"],
    &["port", "address"],
    &["index"],
    &["gpu"],
    &["soname"],
    &["path"],
    &["point"],
    &["id"],
    &["port"],
    &["name", "manager"],
    &["name"],
];

/// What was found on the way through two recordings.
#[derive(Default)]
pub struct Walk {
    /// What differs and matters.
    pub changes: Vec<FactChange>,
    /// How much differs that does not.
    pub passed_over_count: usize,
}

impl Walk {
    /// Compares what stands under a path.
    pub fn compare(&mut self, path: &str, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        let name = path.rsplit('.').next().unwrap_or(path);
        if PASSED_OVER.contains(&path) || MOMENTARY.contains(&name) || is_noise(name, before, after) {
            self.passed_over_count += 1;
            return;
        }
        match (before, after) {
            // What nobody asked for, in another tier or by another version, says nothing of the machine.
            _ if is_gap(before, Some("not-asked")) || is_gap(after, Some("not-asked")) => self.passed_over_count += 1,
            (Value::Object(one), Value::Object(other)) if is_gap(before, None) || is_gap(after, None) => {
                // Why it could not be told may hold a time or a number of a process.
                if one.get("unknown") == other.get("unknown") {
                    self.passed_over_count += 1;
                } else {
                    self.changed(path, before, after);
                }
            }
            (Value::Object(one), Value::Object(other)) => self.objects(path, one, other),
            (Value::Array(one), Value::Array(other)) => self.lists(path, one, other),
            _ => self.changed(path, before, after),
        }
    }

    fn changed(&mut self, path: &str, before: &Value, after: &Value) {
        let (before, after) = (before.clone(), after.clone());
        self.changes.push(FactChange { path: path.to_owned(), before, after });
    }

    fn objects(&mut self, path: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
        let others = after.keys().filter(|name| !before.contains_key(*name));
        for name in before.keys().chain(others) {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let side = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
            self.compare(&inner, &side(before), &side(after));
        }
    }

    fn lists(&mut self, path: &str, before: &[Value], after: &[Value]) {
        if let Some((one, other)) = keyed(before, after) {
            let others = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(others) {
                let side =
                    |items: &BTreeMap<String, &Value>| items.get(key).map_or(Value::Null, |item| (*item).clone());
                self.compare(&format!("{path}[{key}]"), &side(&one), &side(&other));
            }
        } else if before.iter().chain(after).any(Value::is_object) && before.len() == after.len() {
            for (at, (one, other)) in before.iter().zip(after).enumerate() {
                self.compare(&format!("{path}[{at}]"), one, other);
            }
        } else if before.iter().chain(after).any(Value::is_object) {
            self.changed(path, &Value::Array(before.to_vec()), &Value::Array(after.to_vec()));
        } else {
            // Of plain values only what one side has and the other has not.
            let lacking = |these: &[Value], those: &[Value]| -> Vec<Value> {
                these.iter().filter(|item| !those.contains(item)).cloned().collect()
            };
            match (lacking(before, after), lacking(after, before)) {
                (one, other) if one.is_empty() && other.is_empty() => {
                    self.changed(path, &Value::Array(before.to_vec()), &Value::Array(after.to_vec()));
                }
                (one, other) => self.changed(path, &Value::Array(one), &Value::Array(other)),
            }
        }
    }
}

/// Whether a value is a gap, of this kind where one is named.
fn is_gap(value: &Value, kind: Option<&str>) -> bool {
    let found = value.get("unknown").and_then(Value::as_str);
    found.is_some_and(|found| kind.is_none_or(|kind| kind == found))
}

fn is_noise(name: &str, before: &Value, after: &Value) -> bool {
    let (Some(one), Some(other)) = (before.as_f64(), after.as_f64()) else { return false };
    let is_measured = MEASURED.iter().any(|end| name.ends_with(end));
    is_measured && (one - other).abs() <= NOISE * one.abs().max(other.abs())
}

type Keyed<'a> = BTreeMap<String, &'a Value>;

/// The items of two lists by what they are known by; none where nothing tells all of them apart.
fn keyed<'a>(before: &'a [Value], after: &'a [Value]) -> Option<(Keyed<'a>, Keyed<'a>)> {
    let by = |items: &'a [Value], fields: &[&str]| -> Option<Keyed<'a>> {
        let mut found = Keyed::new();
        for item in items {
            let words: Option<Vec<String>> = fields.iter().map(|field| scalar(item.get(field)?)).collect();
            if found.insert(words?.join(" "), item).is_some() {
                return None;
            }
        }
        Some(found)
    };
    let is_list_of_objects = before.iter().chain(after).all(Value::is_object);
    KEYS.iter().filter(|_| is_list_of_objects).find_map(|fields| by(before, fields).zip(by(after, fields)))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
