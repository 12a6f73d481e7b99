//! Where facts stand that come from a text, and what no text says.

use serde_json::Value;

use super::Check;
use crate::facts::{GapKind, Place};
use crate::lang::eval::Evidence;

/// Places that a finding names at most.
const NAMED: usize = 8;

/// Where facts stand: the path of each, and its place.
pub struct Places(Vec<(String, Place)>);

impl Places {
    /// Those that come with facts; none where no text was read.
    pub fn of(facts: &Value) -> Self {
        let all = facts.pointer("/written/places").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let placed = all.iter().filter_map(|placed| {
            let text = |key: &str| placed.get(key).and_then(Value::as_str).map(str::to_owned);
            let line = placed.get("line").and_then(Value::as_u64)?;
            Some((text("path")?, Place { file: text("file")?, line }))
        });
        Self(placed.collect())
    }

    /// Where the facts stand that were read. What is said of one of them stands before what is said of all around it.
    pub fn of_facts(&self, evidence: &[Evidence]) -> Vec<Place> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let nearest: Vec<(usize, &Place)> = evidence.iter().flat_map(|read| self.nearest(&read.path)).collect();
        // A condition on the whole container is no place where a limit could be mended.
        let exact = nearest.iter().any(|(depth, _)| *depth > 1);
        let mut places: Vec<Place> = Vec::new();
        for (_, place) in nearest.iter().filter(|(depth, _)| !exact || *depth > 1) {
            if !places.contains(place) && places.len() < NAMED {
                places.push((*place).clone());
            }
        }
        places.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        places
    }

    /// The places of the longest path that a fact lies at or below, with its depth.
    fn nearest<'a>(&'a self, path: &str) -> Vec<(usize, &'a Place)> {
        let holds = |known: &str| {
            path.strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
        };
        let longest =
            self.0.iter().map(|(known, _)| known).filter(|known| holds(known)).max_by_key(|known| known.len());
        let Some(longest) = longest else { return Vec::new() };
        let depth = longest.split('.').count();
        self.0.iter().filter(|(known, _)| known == longest).map(|(_, place)| (depth, place)).collect()
    }
}

/// Whether a check that could not be told asked for nothing but what no text says.
pub fn is_unwritten(facts: &Value, check: &Check, evidence: &[Evidence]) -> bool {
    let is_open = |read: &&Evidence| read.value.get("unknown").is_some();
    let mut paths: Vec<String> = evidence.iter().filter(is_open).map(|read| read.path.clone()).collect();
    if paths.is_empty() {
        paths.extend(check.each.iter().map(|each| each.join(".")));
    }
    !paths.is_empty() && paths.iter().all(|path| kind_at(facts, path) == Some(GapKind::NotWritten.as_str()))
}

/// Why the fact at a path is not known.
fn kind_at<'a>(facts: &'a Value, path: &str) -> Option<&'a str> {
    let mut value = facts;
    for step in path.split('.') {
        let (name, indices) = step.split_once('[').map_or((step, ""), |(name, rest)| (name, rest));
        value = value.get(name)?;
        for index in indices.split('[').filter(|index| !index.is_empty()) {
            value = value.get(index.trim_end_matches(']').parse::<usize>().ok()?)?;
        }
    }
    value.get("unknown")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places() -> Places {
        let at = |path: &str, line: u64| json!({ "path": path, "file": "f", "line": line });
        Places::of(&json!({ "written": { "places": [
            at("limits", 1), at("limits.memory_bytes", 4), at("environment.settings[1]", 7), at("environment.secret_names", 8),
            at("environment.secret_names", 9),
        ] } }))
    }

    #[test]
    fn the_nearest_place_counts() {
        let lines = |path: &str| places().nearest(path).iter().map(|(_, place)| place.line).collect::<Vec<_>>();
        assert_eq!(lines("limits.memory_bytes"), [4]);
        assert_eq!(lines("limits.memory_bytes_more"), [1]);
        assert_eq!(lines("environment.settings[1].class"), [7]);
        assert_eq!(lines("environment.settings[12].class"), Vec::<u64>::new());
        assert_eq!(lines("environment.secret_names"), [8, 9]);
        assert_eq!(lines("run.phase"), Vec::<u64>::new());
    }

    #[test]
    fn the_reason_of_a_gap_is_found_however_deep() {
        let facts =
            json!({ "a": { "b": [{ "c": { "unknown": "not-written" } }, 1] }, "d": { "unknown": "malformed" } });
        assert_eq!(kind_at(&facts, "a.b[0].c"), Some("not-written"));
        assert_eq!(
            (kind_at(&facts, "d"), kind_at(&facts, "a.b[1]"), kind_at(&facts, "x.y")),
            (Some("malformed"), None, None)
        );
    }
}
