//! What `OpenVEX` documents (<https://openvex.dev>, 0.2.0) say of known vulnerabilities: that one is no trouble in a package.
//!
//! A statement takes away what it names and nothing else: the vulnerability by its identifier or another name, the package
//! by its address (purl). Where statements contradict each other, the newest counts, and of two of one time the one that
//! excuses nothing. What a document leaves open matches nothing.

mod document;
mod purl;
mod subject;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::facts::{ExcusedVulnerability, Inventory, LIST_LIMIT, Vex, Vulnerability, cut};
pub use document::{LIMIT, Mistake, STATEMENTS_MAX, read};
use purl::Purl;
use subject::{ByName, Installation, Subject};

/// Kinds of addresses that name an image.
const IMAGES: [&str; 2] = ["oci", "docker"];

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Where it stands, as `vex.json, statement 3`.
    place: String,
    /// The vulnerability, and its other names.
    names: Vec<String>,
    products: Vec<Product>,
    /// Why the vulnerability is no trouble; none where it is one, or nobody knows yet.
    excuse: Option<String>,
    /// Seconds since 1970.
    at: i64,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Product {
    purls: Vec<Purl>,
    /// Whether it is an image, which has parts of its own.
    is_image: bool,
    subcomponents: Vec<Purl>,
}

impl Product {
    /// Whether a vulnerable package is meant: as the product, or as a part of an image. The document was given for the image
    /// that is looked at; what is a part of another package is no package of its own.
    fn names(&self, subject: &Subject) -> bool {
        let parts = self.subcomponents.iter().filter(|_| self.is_image);
        self.purls.iter().chain(parts).any(|purl| purl.names(subject))
    }
}

impl Statement {
    fn is_about(&self, names: &BTreeSet<&str>) -> bool {
        self.names.iter().any(|name| names.contains(name.as_str()))
    }

    fn means(&self, subject: &Subject) -> bool {
        self.products.iter().any(|product| product.names(subject))
    }
}

/// Takes away what is excused, and says what of the statements came to nothing.
pub fn excuse(statements: &[Statement], inventory: &Inventory, found: &mut Vec<Vulnerability>) -> Vex {
    let all = found.clone();
    let installation = Installation::of(inventory);
    let by_name = ByName::of(statements);
    let mut used = BTreeSet::new();
    let mut excused = Vec::new();
    found.retain(|one| {
        let Some((number, statement, reason)) = deciding(&by_name, &installation.subject(one)) else { return true };
        used.extend(number);
        excused.push(ExcusedVulnerability {
            id: one.id.clone(),
            package: one.package.clone(),
            installed: one.installed.clone(),
            severity: one.severity,
            reason: reason.to_owned(),
            statement: statement.to_owned(),
        });
        false
    });
    let idle = statements.iter().enumerate().filter(|(number, one)| one.excuse.is_some() && !used.contains(number));
    let idle: Vec<&Statement> = idle.map(|(_, statement)| statement).collect();
    let excused_count = excused.len() as u64;
    excused.truncate(LIST_LIMIT);
    Vex {
        statement_count: statements.len() as u64,
        excused_count,
        excused,
        idle_count: idle.len() as u64,
        idle: idle.iter().take(LIST_LIMIT).map(|one| why_idle(one, &installation, &all)).collect(),
    }
}

/// The statements that excuse a vulnerability, by number, with the place and the reason of the first; none where it is not
/// excused.
///
/// An advisory that is about several CVEs is excused by its own name, unless one of theirs was not excused since, or by all
/// of theirs.
fn deciding<'a>(by_name: &ByName<'a>, subject: &Subject) -> Option<(Vec<usize>, &'a str, &'a str)> {
    let all = names(subject.one);
    let about = by_name.about(&all, subject);
    let decided = |names: &BTreeSet<&str>| {
        let newest = about.iter().filter(|(_, statement)| statement.is_about(names));
        let newest = newest.max_by_key(|(_, statement)| (statement.at, statement.excuse.is_none()))?;
        newest.1.excuse.as_deref().map(|reason| (newest.0, newest.1, reason))
    };
    let (cves, others): (BTreeSet<&str>, BTreeSet<&str>) = all.into_iter().partition(|name| name.starts_with("CVE-"));
    let whole = if cves.len() > 1 { others } else { cves.union(&others).copied().collect() };
    let is_denied = |at: i64| {
        let denies = |one: &Statement| one.excuse.is_none() && one.is_about(&cves) && one.at >= at;
        about.iter().any(|(_, statement)| denies(statement))
    };
    if let Some((number, statement, reason)) = decided(&whole)
        && !is_denied(statement.at)
    {
        return Some((vec![number], &statement.place, reason));
    }
    if cves.len() < 2 {
        return None;
    }
    let each: Option<Vec<_>> = cves.into_iter().map(|cve| decided(&BTreeSet::from([cve]))).collect();
    let each = each?;
    let (_, statement, reason) = *each.first()?;
    Some((each.iter().map(|(number, ..)| *number).collect(), &statement.place, reason))
}

/// Every name of a vulnerability. Distributions put their own in front of a CVE's.
fn names(one: &Vulnerability) -> BTreeSet<&str> {
    let all = std::iter::once(&one.id).chain(&one.aliases).map(String::as_str);
    let inner = ["DEBIAN-", "UBUNTU-"].iter().filter_map(|prefix| one.id.strip_prefix(prefix));
    all.chain(inner.filter(|name| name.starts_with("CVE-"))).collect()
}

fn why_idle(statement: &Statement, installation: &Installation, all: &[Vulnerability]) -> String {
    let name = statement.names.first().map_or("", String::as_str);
    let hits: Vec<&Vulnerability> = all.iter().filter(|one| statement.is_about(&names(one))).collect();
    let is_meant = |one: &&&Vulnerability| statement.means(&installation.subject(one));
    let why = match (hits.first(), hits.iter().find(is_meant)) {
        (None, _) => "no such vulnerability was found".to_owned(),
        (Some(one), None) => {
            format!("it names none of the packages that have it, as {} {}", one.package, one.installed)
        }
        (_, Some(_)) => "another statement decides".to_owned(),
    };
    cut(&format!("{name} ({}): {why}", statement.place))
}

#[cfg(test)]
#[path = "vex/tests.rs"]
mod tests;
