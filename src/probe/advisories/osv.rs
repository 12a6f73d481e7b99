//! One advisory in the form of OSV (<https://ossf.github.io/osv-schema/>).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Read;
use crate::facts::{VulnerabilitySeverity, cut};
use crate::probe::framework::packages::normal_name;

/// Events of a range, and versions of one entry: some list every version that ever was. One with more makes no sense.
const LIST_MAX: usize = 20_000;

/// What an advisory says of one package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its identifier.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// How bad it is.
    pub severity: VulnerabilitySeverity,
    /// Each range's events.
    pub ranges: Vec<Vec<Event>>,
    /// Versions that are named one by one.
    pub versions: Vec<String>,
}

/// What happens at a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// From here on it is vulnerable; `0` is before every version.
    #[serde(rename = "introduced")]
    Introduced(String),
    /// From here on it no longer is.
    #[serde(rename = "fixed")]
    Fixed(String),
    /// After this one it no longer is.
    #[serde(rename = "last_affected")]
    LastAffected(String),
    /// From here on this range says nothing.
    #[serde(rename = "limit")]
    Limit(String),
}

/// As much as is read of every advisory.
#[derive(Deserialize)]
struct Head<'a> {
    withdrawn: Option<Value>,
    #[serde(borrow)]
    modified: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    affected: Option<Vec<HeadOfAffected<'a>>>,
}

#[derive(Deserialize)]
struct HeadOfAffected<'a> {
    #[serde(borrow)]
    package: Option<Package<'a>>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow)]
    ecosystem: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
}

/// What is read of one that speaks of a package that is asked for.
#[derive(Deserialize)]
struct Body {
    id: String,
    aliases: Option<Vec<String>>,
    severity: Option<Vec<Rating>>,
    database_specific: Option<Value>,
    affected: Option<Vec<Affected>>,
}

#[derive(Deserialize)]
struct Rating {
    score: Option<String>,
}

#[derive(Deserialize)]
struct Affected {
    ranges: Option<Vec<Range>>,
    versions: Option<Vec<String>>,
    severity: Option<Vec<Rating>>,
    ecosystem_specific: Option<Value>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: Option<String>,
    events: Option<Vec<Event>>,
}

/// Adds what an advisory says of packages that are asked for. One that was withdrawn says nothing.
pub fn take(read: &mut Read, bytes: &[u8], is_wanted: &(dyn Fn(&str, &str) -> bool + Sync)) {
    read.count += 1;
    let Ok(head) = serde_json::from_slice::<Head<'_>>(bytes) else {
        read.malformed_count += 1;
        return;
    };
    if let Some(modified) = head.modified.filter(|modified| **modified > *read.newest) {
        read.newest = cut(&modified);
    }
    let named: Vec<Option<(String, String)>> = head
        .affected
        .iter()
        .flatten()
        .map(|affected| {
            let package = affected.package.as_ref()?;
            let ecosystem = ecosystem(&package.ecosystem)?;
            let name = if ecosystem == PYPI { normal_name(&package.name) } else { cut(&package.name) };
            Some((ecosystem, name))
        })
        .collect();
    for (ecosystem, _) in named.iter().flatten() {
        if !read.ecosystems.contains(ecosystem) {
            read.ecosystems.insert(ecosystem.clone());
        }
    }
    let is_asked = |named: &Option<(String, String)>| named.as_ref().is_some_and(|(e, name)| is_wanted(e, name));
    if head.withdrawn.is_some_and(|time| !time.is_null()) || !named.iter().any(is_asked) {
        return;
    }
    let Ok(body) = serde_json::from_slice::<Body>(bytes) else {
        read.malformed_count += 1;
        return;
    };
    let own = severity(body.severity.as_deref(), body.database_specific.as_ref(), None);
    let aliases: Vec<String> = body.aliases.into_iter().flatten().map(|alias| cut(&alias)).collect();
    for (affected, named) in body.affected.into_iter().flatten().zip(named) {
        let Some((ecosystem, name)) = named.filter(|named| is_wanted(&named.0, &named.1)) else { continue };
        match entry(&body.id, &aliases, own, affected) {
            Some(entry) => read.entries.push((ecosystem, name, entry)),
            None => read.malformed_count += 1,
        }
    }
}

/// Python's packages, as OSV calls them.
pub const PYPI: &str = "PyPI";

/// An ecosystem whose versions are compared: `PyPI`, `Debian:12`, `Ubuntu:24.04`. What Ubuntu sells apart is none.
fn ecosystem(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    let (name, release, rest) = (parts.next()?, parts.next(), parts.next());
    match (name, release, rest) {
        (PYPI, _, _) => Some(PYPI.to_owned()),
        ("Debian", Some(release), None) => Some(format!("Debian:{}", cut(release))),
        ("Ubuntu", Some(release), None | Some("LTS")) if release != "Pro" => Some(format!("Ubuntu:{}", cut(release))),
        _ => None,
    }
}

/// None where it lists more than is held.
fn entry(id: &str, aliases: &[String], own: Option<VulnerabilitySeverity>, affected: Affected) -> Option<Entry> {
    let specific = severity(
        affected.severity.as_deref(),
        affected.database_specific.as_ref(),
        affected.ecosystem_specific.as_ref(),
    );
    let is_of_versions = |range: &Range| range.kind.as_deref().is_none_or(|kind| kind != "GIT");
    let ranges = affected.ranges.into_iter().flatten().filter(is_of_versions);
    let ranges: Vec<Vec<Event>> = ranges.map(|range| range.events.unwrap_or_default()).collect();
    let versions = affected.versions.unwrap_or_default();
    let is_bounded = versions.len() <= LIST_MAX && ranges.iter().map(Vec::len).sum::<usize>() <= LIST_MAX;
    is_bounded.then(|| Entry {
        id: cut(id),
        aliases: aliases.to_vec(),
        severity: specific.or(own).unwrap_or(VulnerabilitySeverity::Unrated),
        ranges,
        versions,
    })
}

/// The worst vector, else the word of whoever keeps the database: `severity` of GitHub, `urgency` of Debian.
fn severity(
    ratings: Option<&[Rating]>,
    database: Option<&Value>,
    ecosystem: Option<&Value>,
) -> Option<VulnerabilitySeverity> {
    let vectors = ratings.into_iter().flatten().filter_map(|rating| rating.score.as_deref());
    let rated = vectors.filter_map(|vector| vector.parse::<cvss::Cvss>().ok()).map(|vector| match vector.severity() {
        cvss::Severity::Critical => VulnerabilitySeverity::Critical,
        cvss::Severity::High => VulnerabilitySeverity::High,
        cvss::Severity::Medium => VulnerabilitySeverity::Medium,
        cvss::Severity::Low | cvss::Severity::None => VulnerabilitySeverity::Low,
    });
    let words = [database, ecosystem]
        .into_iter()
        .flatten()
        .flat_map(|values| ["severity", "urgency"].into_iter().filter_map(|key| word(values.get(key)?.as_str()?)));
    // The first word is the worst.
    rated.min().or_else(|| words.min())
}

/// The word of a database or of a scanner.
pub fn word(text: &str) -> Option<VulnerabilitySeverity> {
    match text.to_ascii_lowercase().trim_end_matches('*') {
        "critical" => Some(VulnerabilitySeverity::Critical),
        "high" | "important" => Some(VulnerabilitySeverity::High),
        "moderate" | "medium" => Some(VulnerabilitySeverity::Medium),
        "low" | "unimportant" | "negligible" => Some(VulnerabilitySeverity::Low),
        _ => None,
    }
}
