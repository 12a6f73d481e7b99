//! A single reading: what was learnt, or why nothing was.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::marker::PhantomData;

use super::shape::words;

/// A reading: the value, or that it is not there, or why it could not be had.
///
/// "Absent" (looked for, not there) and "Unknown" (could not look) lead to
/// different cures, so nothing in this program merges them.
///
/// As JSON: the bare value, `null`, or `{"unknown": KIND, "detail": TEXT}`.
/// TOML has no null, so check examples may also write `{ absent = true }`.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact<T> {
    /// It was read.
    Known(T),
    /// It was looked for and is not there.
    Absent,
    /// It could not be read.
    Unknown(Gap),
}

/// Why a reading could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The sort of obstacle.
    pub kind: GapKind,
    /// What was tried and what came back, for a person.
    pub detail: String,
}

words! {
    /// The sort of obstacle that kept a reading from being had.
    pub enum GapKind {
        /// Nobody asked for it in this run.
        NotAsked = "not-asked",
        /// The kernel or the library refused.
        NotPermitted = "not-permitted",
        /// The device or library does not offer it.
        NotSupported = "not-supported",
        /// The library is too old or too new to have the function.
        NoSymbol = "no-symbol",
        /// It did not come within the deadline.
        TimedOut = "timed-out",
        /// We were asked to end, by Ctrl-C or SIGTERM, before it came.
        Interrupted = "interrupted",
        /// No process could be started to ask.
        NotStarted = "not-started",
        /// The library crashed, or left without an answer.
        Crashed = "crashed",
        /// It came, and made no sense.
        Malformed = "malformed",
        /// Only text was read, and the text does not say it.
        NotWritten = "not-written",
    }
}

impl Gap {
    /// A gap of `kind`, with what was tried.
    pub fn new(kind: GapKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The gap of everything that a text does not say.
    pub fn not_written() -> Self {
        Self::new(GapKind::NotWritten, "")
    }

    /// The gap of everything that this run did not look at.
    pub fn not_asked() -> Self {
        Self::new(GapKind::NotAsked, "")
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_str().replace('-', " ");
        if self.detail.is_empty() { f.write_str(&kind) } else { write!(f, "{kind}: {}", self.detail) }
    }
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::Unknown(Gap::not_asked())
    }
}

impl<T> From<T> for Fact<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> Fact<T> {
    /// An unknown reading of this sort.
    pub fn unknown(kind: GapKind, detail: impl Into<String>) -> Self {
        Self::Unknown(Gap::new(kind, detail))
    }

    /// `Some` becomes known, `None` becomes absent.
    pub fn present(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }

    /// Whether nobody asked for it.
    pub fn is_not_asked(&self) -> bool {
        matches!(self, Self::Unknown(gap) if gap.kind == GapKind::NotAsked)
    }

    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }

    /// Whether it was looked for and is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether it could not be read.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The same reading of a borrowed value.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Absent => Fact::Absent,
            Self::Unknown(gap) => Fact::Unknown(gap.clone()),
        }
    }

    /// Changes the value and keeps absence and gaps as they are.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(change(value)),
            Self::Absent => Fact::Absent,
            Self::Unknown(gap) => Fact::Unknown(gap),
        }
    }

    /// Goes on to a second reading that depends on the first.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Known(value) => next(value),
            Self::Absent => Fact::Absent,
            Self::Unknown(gap) => Fact::Unknown(gap),
        }
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Absent => serializer.serialize_unit(),
            Self::Unknown(gap) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("unknown", &gap.kind)?;
                if !gap.detail.is_empty() {
                    map.serialize_entry("detail", &gap.detail)?;
                }
                map.end()
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor(PhantomData))
    }
}

/// Looks at the first thing that comes, so that a mistake keeps its line and
/// column; serde's untagged enums would lose both.
struct FactVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FactVisitor<T> {
    type Value = Fact<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, null, or { unknown = \"…\" }")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Fact::Absent)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Fact::Absent)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Known)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Known)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Known)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Known)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Known)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq)).map(Fact::Known)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let first: Option<String> = map.next_key()?;
        match first.as_deref() {
            Some("unknown") => {
                let kind = map.next_value()?;
                let mut detail = String::new();
                while let Some(key) = map.next_key::<String>()? {
                    if key != "detail" {
                        return Err(de::Error::unknown_field(&key, &["detail"]));
                    }
                    detail = map.next_value()?;
                }
                Ok(Fact::Unknown(Gap { kind, detail }))
            }
            Some("absent") => {
                map.next_value::<bool>()?;
                Ok(Fact::Absent)
            }
            _ => T::deserialize(MapAccessDeserializer::new(Replay { first, rest: map })).map(Fact::Known),
        }
    }
}

/// A map whose first key was already taken off, put back in front.
struct Replay<A> {
    first: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Replay<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Fact<Vec<u64>> {
        serde_json::from_str(text).expect("a fact")
    }

    #[test]
    fn every_state_survives_a_round_trip() {
        for fact in [Fact::Known(vec![1, 2]), Fact::Absent, Fact::unknown(GapKind::TimedOut, "cuInit")] {
            let text = serde_json::to_string(&fact).expect("json");
            assert_eq!(read(&text), fact, "{text}");
        }
    }

    #[test]
    fn absence_can_be_written_in_toml() {
        assert_eq!(read(r#"{"absent": true}"#), Fact::Absent);
    }

    #[test]
    fn a_mistake_keeps_its_line() {
        let error = serde_json::from_str::<Fact<u64>>("\n\n  \"twelve\"").expect_err("not a number");
        assert_eq!(error.line(), 3);
    }

    #[test]
    fn an_empty_map_is_a_value_not_a_gap() {
        let fact: Fact<std::collections::BTreeMap<String, u8>> = serde_json::from_str("{}").expect("a map");
        assert_eq!(fact, Fact::Known(std::collections::BTreeMap::new()));
    }
}
