//! Addresses of packages (<https://github.com/package-url/purl-spec>), and whether one names what is installed.

use serde::{Deserialize, Serialize};

use crate::facts::{Installed, Inventory, PackageManager, Vulnerability};
use crate::probe::framework::packages::normal_name;

/// `pkg:deb/debian/curl@7.88.1?arch=amd64`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Purl {
    /// What kind of package it is, as `deb`.
    pub kind: String,
    namespace: String,
    name: String,
    version: Option<String>,
    qualifiers: Vec<(String, String)>,
    /// Whether it names a part of the package alone.
    is_part: bool,
}

impl Purl {
    /// Reads an address; none where it is something else.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let (rest, part) = rest.split_once('#').map_or((rest, ""), |(rest, part)| (rest, part));
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) => (path, Some(decoded(version)?)),
            None => (rest, None),
        };
        let (kind, path) = path.split_once('/')?;
        let (namespace, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        let pairs = qualifiers.split('&').filter(|pair| !pair.is_empty());
        let pairs: Option<Vec<(String, String)>> = pairs
            .map(|pair| pair.split_once('=').and_then(|(key, value)| Some((key.to_lowercase(), decoded(value)?))))
            .collect();
        Some(Self {
            kind: kind.to_lowercase(),
            namespace: decoded(namespace)?.to_lowercase(),
            name: Some(decoded(name.trim_end_matches('/'))?).filter(|name| !name.is_empty())?,
            version,
            qualifiers: pairs?,
            is_part: !part.is_empty(),
        })
    }

    /// Whether it names the package that has this vulnerability. Advisories speak of source packages: a package that is
    /// built from one names it where no other is.
    pub fn names(&self, one: &Vulnerability, inventory: &Inventory) -> bool {
        let (kind, is_of_system) = match one.manager {
            PackageManager::Dpkg => ("deb", true),
            PackageManager::Apk => ("apk", true),
            PackageManager::Rpm => ("rpm", true),
            PackageManager::Python => ("pypi", false),
            PackageManager::Conda => ("conda", false),
            PackageManager::Other => return self.names_other(one),
        };
        if self.kind != kind || self.is_part {
            return false;
        }
        let namespace = if is_of_system { inventory.system.to_lowercase() } else { String::new() };
        let is_here = self.namespace.is_empty() || self.namespace == namespace;
        let own = |package: &&Installed| {
            let source = package.source.as_ref().map(|(name, version)| (name.as_str(), version.as_str()));
            let (name, version) = (package.name.as_str(), package.version.as_str());
            (name, version) == (&one.package, &one.installed) || source == Some((&one.package, &one.installed))
        };
        let built: Vec<&Installed> = inventory.of(one.manager).filter(own).collect();
        let is_named = self.is(one.manager, &one.package, &one.installed)
            || matches!(built.as_slice(), [only] if self.is(one.manager, &only.name, &only.version));
        is_here && is_named && self.qualifiers.iter().all(|(key, value)| fits(key, value, inventory, &built))
    }

    /// Packages that nobody here reads are known by what a scanner calls them, with their namespace before the name.
    fn names_other(&self, one: &Vulnerability) -> bool {
        let full = |mark: &str| format!("{}{mark}{}", self.namespace, self.name);
        let is_named = if self.namespace.is_empty() {
            self.name == one.package
        } else {
            [full("/"), full(":")].contains(&one.package)
        };
        let is_read = ["deb", "apk", "rpm", "pypi", "conda"].contains(&self.kind.as_str());
        let is_version = self.version.as_ref().is_none_or(|version| *version == one.installed);
        !is_read && !self.is_part && self.qualifiers.is_empty() && is_named && is_version
    }

    fn is(&self, manager: PackageManager, name: &str, version: &str) -> bool {
        let own = if manager == PackageManager::Python { normal_name(&self.name) } else { self.name.clone() };
        let epoch = self.qualifiers.iter().find(|(key, _)| key == "epoch");
        let wanted = self.version.as_ref().map(|version| match epoch {
            Some((_, epoch)) if epoch != "0" => format!("{epoch}:{version}"),
            _ => version.clone(),
        });
        own == name && wanted.is_none_or(|wanted| wanted == version)
    }
}

/// Whether a qualifier holds here. One that nobody here can compare narrows the address to what is not known to be here.
fn fits(key: &str, value: &str, inventory: &Inventory, built: &[&Installed]) -> bool {
    match key {
        "epoch" => true,
        "distro" => {
            let own = format!("{}-{}", inventory.system, inventory.system_version).to_lowercase();
            // `debian-12.5` is a `debian-12`.
            value.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
        "arch" => {
            value == "source"
                || built.iter().all(|package| package.architecture.as_deref().is_none_or(|own| own == value))
        }
        _ => false,
    }
}

/// Text with `%XX` undone.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
