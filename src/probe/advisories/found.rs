//! Whether an advisory speaks of the version that is installed, and what was found of all.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::order::Parsed;
use super::osv::{Entry, Event};
use super::wanted::Subject;
use crate::facts::{Fact, Vulnerability, cut};

/// Vulnerabilities, those with a common name as one.
#[derive(Default)]
pub struct Found {
    all: Vec<Vulnerability>,
    /// A version that could not be compared.
    pub uncompared: Option<String>,
}

impl Found {
    /// Notes a vulnerability, if the advisory speaks of this version.
    pub fn hold(&mut self, subject: &Subject, entry: &Entry) {
        let Some(installed) = &subject.parsed else {
            // Who wrote the advisory may have listed it as it is.
            if entry.versions.contains(&subject.version) {
                self.add(subject, entry, None);
            } else {
                self.uncompared.get_or_insert_with(|| format!("{} {}", subject.name, subject.version));
            }
            return;
        };
        let mut is_affected = entry.versions.iter().any(|version| is_equal(installed, version));
        let mut fixed = None;
        for events in &entry.ranges {
            match in_range(installed, events) {
                Some((true, fix)) => {
                    is_affected = true;
                    fixed = fixed.or(fix);
                }
                Some((false, _)) => {}
                None if is_affected => {}
                None => {
                    self.uncompared.get_or_insert_with(|| format!("those of {} for {}", entry.id, subject.name));
                }
            }
        }
        if is_affected {
            self.add(subject, entry, fixed);
        }
    }

    fn add(&mut self, subject: &Subject, entry: &Entry, fixed: Option<&str>) {
        let names: BTreeSet<&String> = std::iter::once(&entry.id).chain(&entry.aliases).collect();
        let is_same = |known: &&mut Vulnerability| {
            known.manager == subject.manager
                && known.package == subject.name
                && known.installed == subject.version
                && (names.contains(&known.id) || known.aliases.iter().any(|alias| names.contains(alias)))
        };
        let fixed_in = Fact::present(fixed.map(cut));
        if let Some(known) = self.all.iter_mut().find(is_same) {
            let known_names: Vec<String> = known.aliases.iter().cloned().chain([known.id.clone()]).collect();
            known.aliases.extend(names.into_iter().filter(|name| !known_names.contains(name)).cloned());
            known.severity = known.severity.min(entry.severity);
            if known.fixed_in.is_absent() {
                known.fixed_in = fixed_in;
            }
            return;
        }
        self.all.push(Vulnerability {
            id: entry.id.clone(),
            aliases: entry.aliases.clone(),
            package: subject.name.clone(),
            manager: subject.manager,
            kind: Fact::Absent,
            installed: subject.version.clone(),
            fixed_in,
            severity: entry.severity,
        });
    }

    /// All of them, the worst first.
    pub fn finish(mut self) -> Vec<Vulnerability> {
        self.all.sort_by(|a, b| (a.severity, &a.package, &a.id).cmp(&(b.severity, &b.package, &b.id)));
        self.all
    }
}

fn is_equal(installed: &Parsed, version: &str) -> bool {
    installed.other(version).is_some_and(|version| installed.stands_to(&version).is_eq())
}

/// Whether a version lies in a range, and the fix that ends its part of it; none where a version cannot be read.
///
/// As OSV has it: the events in the order of their versions, each of which begins or ends what is vulnerable.
fn in_range<'a>(installed: &Parsed, events: &'a [Event]) -> Option<(bool, Option<&'a str>)> {
    let mut ordered = Vec::with_capacity(events.len());
    for event in events {
        let text = match event {
            Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) | Event::Limit(text) => text,
        };
        // `0` is before every version.
        let version = if text == "0" { None } else { Some(installed.other(text)?) };
        ordered.push((version, event, text.as_str()));
    }
    ordered.sort_by(|(a, ..), (b, ..)| match (a, b) {
        (Some(a), Some(b)) => a.order(b),
        _ => a.is_some().cmp(&b.is_some()),
    });
    let mut is_affected = false;
    let mut fix = None;
    for (version, event, text) in &ordered {
        let stands = version.as_ref().map_or(Ordering::Greater, |version| installed.stands_to(version));
        match event {
            Event::Introduced(_) if stands.is_ge() => is_affected = true,
            Event::Fixed(_) | Event::Limit(_) if stands.is_ge() => is_affected = false,
            Event::LastAffected(_) if stands.is_gt() => is_affected = false,
            Event::Fixed(_) => fix = fix.or(Some(*text)),
            Event::Introduced(_) | Event::LastAffected(_) | Event::Limit(_) => {}
        }
    }
    Some((is_affected, fix.filter(|_| is_affected)))
}
