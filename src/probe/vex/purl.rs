//! Addresses of packages (<https://github.com/package-url/purl-spec>), and whether one names what is installed.

use serde::{Deserialize, Serialize};

use super::subject::Subject;
use crate::facts::{Installed, Inventory, PackageManager};
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
        let kind = kind.to_lowercase();
        let name = Some(decoded(name.trim_end_matches('/'))?).filter(|name| !name.is_empty())?;
        Some(Self {
            namespace: decoded(namespace)?,
            name: if kind == "pypi" { normal_name(&name) } else { name },
            kind,
            version,
            qualifiers: pairs?,
            is_part: !part.is_empty(),
        })
    }

    /// Whether it names the package that has this vulnerability. Advisories speak of source packages: a package that is
    /// built from one names it where no other is.
    pub fn names(&self, Subject { one, built, inventory }: &Subject) -> bool {
        let (kind, is_of_system) = match one.manager {
            PackageManager::Dpkg => ("deb", true),
            PackageManager::Apk => ("apk", true),
            PackageManager::Rpm => ("rpm", true),
            PackageManager::Python => ("pypi", false),
            PackageManager::Conda => ("conda", false),
            PackageManager::Other => return self.names_other(&one.package, &one.installed, one.kind.known()),
        };
        if self.kind != kind || self.is_part {
            return false;
        }
        let is_named =
            self.is(&one.package, &one.installed) || matches!(built, [only] if self.is(&only.name, &only.version));
        let namespace = if is_of_system { inventory.system.as_str() } else { "" };
        let is_here = self.namespace.is_empty() || self.namespace.to_lowercase() == namespace.to_lowercase();
        is_named
            && is_here
            && self.qualifiers.iter().all(|(key, value)| fits(key, value, self.version.is_some(), inventory, built))
    }

    /// Packages that nobody here reads are known by what a scanner calls them, with their namespace before the name, and by
    /// their kind. Of one whose kind it does not say, nothing is known.
    fn names_other(&self, package: &str, installed: &str, kind: Option<&String>) -> bool {
        if kind != Some(&self.kind) || self.is_part || !self.qualifiers.is_empty() {
            return false;
        }
        let full = |mark: &str| match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}{mark}{}", self.name),
        };
        // Addresses write modules of Go small, whatever they are called.
        let is_named = if self.kind == "golang" {
            full("/").to_lowercase() == package.to_lowercase()
        } else {
            [full("/"), full(":")].iter().any(|name| name == package)
        };
        is_named && self.version.as_ref().is_none_or(|version| version == installed)
    }

    fn is(&self, name: &str, version: &str) -> bool {
        if self.name != name {
            return false;
        }
        let epoch = self.qualifiers.iter().find(|(key, _)| key == "epoch");
        let wanted = self.version.as_ref().map(|version| match epoch {
            Some((_, epoch)) if epoch != "0" => format!("{epoch}:{version}"),
            _ => version.clone(),
        });
        wanted.is_none_or(|wanted| wanted == version)
    }
}

/// Whether a qualifier holds here. One that nobody here can compare narrows the address to what is not known to be here.
fn fits(key: &str, value: &str, has_version: bool, inventory: &Inventory, built: &[&Installed]) -> bool {
    match key {
        // It is a part of the version, and without one says nothing that can be compared.
        "epoch" => has_version,
        "distro" => {
            let own = format!("{}-{}", inventory.system, inventory.system_version).to_lowercase();
            // `debian-12.5` is a `debian-12`.
            value.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
        "arch" => {
            let is_it = |package: &&Installed| package.architecture.as_deref() == Some(value);
            value == "source" || (!built.is_empty() && built.iter().all(is_it))
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
