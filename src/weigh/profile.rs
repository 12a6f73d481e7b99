//! What a seat expects: which severity each check has here, what gates, and what is excused.

use std::collections::BTreeMap;

use crate::check::error::parse_toml;
use crate::check::load::PROFILES;
use crate::check::{Catalogue, ConfigError, Severity, matches};
use crate::facts::reference::gpus;
use crate::facts::shape::{record, words};
use crate::facts::{Phase, day};
use crate::lang::suggestion;

words! {
    /// A severity in a profile.
    pub enum Weight {
        /// The workload cannot run, or anyone can take it over.
        Critical = "critical",
        /// Production will be hurt by it.
        High = "high",
        /// It will hurt sooner or later.
        Medium = "medium",
        /// Worth tidying.
        Low = "low",
        /// Worth knowing.
        Info = "info",
        /// Not judged at all.
        Off = "off",
    }
}

record! {
    /// A profile file.
    pub struct ProfileFile {
        /// What the profile is for, as a sentence without full stop.
        pub title: String,
        /// More about it.
        pub description: String,
        /// The phase in which it looks, when the command line names none.
        pub phase: Option<Phase>,
        /// GPUs that the image must be able to run on, by name or by words of it such as `H100`.
        pub want: Vec<String>,
        /// Severities that gate; critical and high when not given.
        pub gate: Option<Vec<Severity>>,
        /// Severity by check id or pattern. An id beats a pattern, and a longer pattern beats a shorter.
        pub severity: BTreeMap<String, Weight>,
        /// Why a severity is another here, as sentences, by the names of `severity` or patterns that fit them; `explain`
        /// says it.
        pub why: BTreeMap<String, String>,
        /// Failures that are known and excused for a while. They do not gate; the score still counts them.
        pub waive: Vec<Waiver>,
        /// Whether critical failures may be waived too; a waiver of one excuses nothing when not given.
        pub waive_critical: bool,
    }

    /// An excuse with an end.
    pub struct Waiver {
        /// The check.
        pub check: String,
        /// The subject; all subjects when not given.
        pub subject: Option<String>,
        /// Why it is excused.
        pub reason: String,
        /// Who answers for it.
        pub owner: String,
        /// Last day on which it holds, `YYYY-MM-DD`, UTC.
        pub expires: String,
    }
}

/// A profile, read and validated.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name, or the path of its file.
    pub name: String,
    /// What its file says.
    pub file: ProfileFile,
}

/// What is said of a check: by its id, else by the longest pattern that fits it.
fn best<'a, T>(said: &'a BTreeMap<String, T>, id: &str) -> Option<&'a T> {
    let pattern = || {
        let fitting = said.iter().filter(|(pattern, _)| matches(pattern, id));
        fitting.max_by_key(|(pattern, _)| pattern.len()).map(|(_, said)| said)
    };
    said.get(id).or_else(pattern)
}

impl Waiver {
    /// Whether it is one: of a check that there is, with a reason, an owner and a last day.
    pub fn agree(&self, catalogue: &Catalogue) -> Result<(), String> {
        let check = &self.check;
        catalogue.require_match(check)?;
        if catalogue.get(check).is_none() {
            return Err(format!("a waiver names one check, not `{check}`"));
        }
        if self.reason.is_empty() || self.owner.is_empty() {
            return Err(format!("the waiver of {check} needs a reason and an owner"));
        }
        if day(&self.expires).is_none() {
            return Err(format!("the waiver of {check} expires on `{}`, which is no date YYYY-MM-DD", self.expires));
        }
        Ok(())
    }

    /// How a report tells it.
    pub fn told(&self) -> String {
        format!("{} ({}, until {})", self.reason, self.owner, self.expires)
    }

    /// Whether its last day is over at this time.
    pub fn is_over(&self, now_seconds: u64) -> bool {
        day(&self.expires).is_none_or(|last| now_seconds / 86_400 > last)
    }

    /// Whether it speaks of this subject of its check.
    pub fn concerns(&self, subject: Option<&str>) -> bool {
        self.subject.is_none() || self.subject.as_deref() == subject
    }
}

impl Profile {
    /// The profiles that are part of the program.
    pub fn all(catalogue: &Catalogue) -> Result<Vec<Self>, ConfigError> {
        PROFILES.iter().map(|(name, text)| Self::read(name, name, text, catalogue)).collect()
    }

    /// Names of the profiles that are part of the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().map(|(name, _)| *name)
    }

    /// The text of a profile that is part of the program.
    pub fn embedded(name: &str) -> Result<&'static str, String> {
        let found = PROFILES.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text).ok_or_else(|| {
            let known: Vec<&str> = Self::names().collect();
            format!("no profile is called `{name}`; there are {}{}", known.join(", "), suggestion(name, Self::names()))
        })
    }

    /// Reads a profile and checks it against the catalogue.
    pub fn read(name: &str, file: &str, text: &str, catalogue: &Catalogue) -> Result<Self, ConfigError> {
        let mut parsed: ProfileFile = parse_toml(file, text)?;
        let wrong = |message: String| ConfigError { file: file.to_owned(), message, ..ConfigError::default() };
        for pattern in parsed.severity.keys() {
            catalogue.require_match(pattern).map_err(wrong)?;
        }
        for pattern in parsed.why.keys() {
            if !parsed.severity.keys().any(|given| matches(pattern, given) || matches(given, pattern)) {
                let near = suggestion(pattern, parsed.severity.keys().map(String::as_str));
                return Err(wrong(format!(
                    "`why` gives a reason for `{pattern}`, of which `severity` says nothing{near}"
                )));
            }
        }
        for words in &mut parsed.want {
            *words = gpus::find(words).map_err(wrong)?.name.clone();
        }
        for waiver in &parsed.waive {
            waiver.agree(catalogue).map_err(wrong)?;
        }
        Ok(Self { name: name.to_owned(), file: parsed })
    }

    /// The severity that a check has here; `None` when it is off.
    pub fn severity(&self, id: &str, default: Severity) -> Option<Severity> {
        match best(&self.file.severity, id) {
            None => Some(default),
            Some(Weight::Off) => None,
            Some(weight) => weight.as_str().parse().ok(),
        }
    }

    /// What a check weighs here where the profile says it, and why.
    pub fn weight(&self, id: &str) -> Option<(Weight, &str)> {
        let why = best(&self.file.why, id).map_or("", String::as_str);
        best(&self.file.severity, id).map(|weight| (*weight, why))
    }

    /// Whether a failure of this severity makes the container not ready.
    pub fn gates(&self, severity: Severity) -> bool {
        match &self.file.gate {
            Some(gate) => gate.contains(&severity),
            None => matches!(severity, Severity::Critical | Severity::High),
        }
    }

    /// Whether a failure of this severity may be waived.
    pub fn may_waive(&self, severity: Severity) -> bool {
        severity != Severity::Critical || self.file.waive_critical
    }

    /// The waiver that excuses this failure at this time, if one does.
    pub fn waiver(&self, check: &str, subject: Option<&str>, now_seconds: u64) -> Option<&Waiver> {
        self.file
            .waive
            .iter()
            .find(|waiver| waiver.check == check && waiver.concerns(subject) && !waiver.is_over(now_seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(severity: &[(&str, Weight)]) -> Profile {
        let severity = severity.iter().map(|(pattern, weight)| ((*pattern).to_owned(), *weight)).collect();
        Profile { name: "test".to_owned(), file: ProfileFile { severity, ..ProfileFile::default() } }
    }

    #[test]
    fn an_id_beats_a_pattern_and_a_longer_pattern_a_shorter() {
        let profile = profile(&[
            ("limits.*", Weight::Low),
            ("limits.memory*", Weight::Off),
            ("limits.memory-limited", Weight::Critical),
        ]);
        assert_eq!(profile.severity("limits.memory-limited", Severity::High), Some(Severity::Critical));
        assert_eq!(profile.severity("limits.memory-free", Severity::High), None);
        assert_eq!(profile.severity("limits.cpu", Severity::High), Some(Severity::Low));
        assert_eq!(profile.severity("gpu.granted", Severity::High), Some(Severity::High));
    }

    #[test]
    fn a_waiver_holds_to_the_end_of_its_last_day() {
        let mut profile = profile(&[]);
        profile.file.waive.push(Waiver { check: "a.b".into(), expires: "2026-11-23".into(), ..Waiver::default() });
        let last_second = 20_781 * 86_400 - 1;
        assert!(profile.waiver("a.b", Some("x"), last_second).is_some());
        assert!(profile.waiver("a.b", None, last_second + 1).is_none());
        assert!(profile.waiver("a.c", None, last_second).is_none());
    }
}
