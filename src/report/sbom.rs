//! A bill of materials: every installed package, as `CycloneDX` 1.6 JSON.
//!
//! The same image gives the same bytes: no serial number is drawn, and the time is that of `SOURCE_DATE_EPOCH` or none.
//! Addresses follow the purl specification.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::facts::{Installed, Inventory, Licence, PackageManager, timestamp};

/// The document. `seconds` since 1970 is when it was made.
pub fn cyclonedx(inventory: &Inventory, seconds: Option<u64>) -> Value {
    let mut seen = BTreeSet::new();
    let mut components: Vec<Value> = system(inventory).into_iter().collect();
    for package in &inventory.packages {
        let purl = purl(inventory, package);
        // Two folders may hold the same one.
        if seen.insert(purl.clone()) {
            components.push(component(package, purl));
        }
    }
    let mut metadata = Map::new();
    if let Some(time) = seconds.and_then(timestamp) {
        metadata.insert("timestamp".to_owned(), json!(time));
    }
    let tool = json!({ "type": "application", "name": "gpu-preflight", "version": env!("CARGO_PKG_VERSION") });
    metadata.insert("tools".to_owned(), json!({ "components": [tool] }));
    metadata.insert("component".to_owned(), json!({ "type": "container", "bom-ref": "image", "name": "image" }));
    let unread = inventory
        .gaps
        .iter()
        .map(|(manager, gap)| json!({ "name": format!("gpu-preflight:unread:{manager}"), "value": gap.to_string() }));
    let unread: Vec<Value> = unread.collect();
    let whole = if unread.is_empty() { "unknown" } else { "incomplete" };
    if !unread.is_empty() {
        metadata.insert("properties".to_owned(), Value::Array(unread));
    }
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "compositions": [{ "aggregate": whole, "assemblies": ["image"] }],
    })
}

fn system(inventory: &Inventory) -> Option<Value> {
    if inventory.system.is_empty() {
        return None;
    }
    let mut system = Map::new();
    system.insert("type".to_owned(), json!("operating-system"));
    system.insert("bom-ref".to_owned(), json!("operating-system"));
    system.insert("name".to_owned(), json!(inventory.system));
    if !inventory.system_version.is_empty() {
        system.insert("version".to_owned(), json!(inventory.system_version));
    }
    Some(Value::Object(system))
}

fn component(package: &Installed, purl: String) -> Value {
    let mut component = Map::new();
    component.insert("type".to_owned(), json!("library"));
    component.insert("bom-ref".to_owned(), json!(purl));
    component.insert("name".to_owned(), json!(package.name));
    component.insert("version".to_owned(), json!(package.version));
    if let Some(licence) = &package.licence {
        let licence = match licence {
            Licence::Expression(expression) => json!({ "expression": expression }),
            Licence::Named(name) => json!({ "license": { "name": name } }),
        };
        component.insert("licenses".to_owned(), json!([licence]));
    }
    component.insert("purl".to_owned(), Value::String(purl));
    Value::Object(component)
}

/// `pkg:deb/debian/curl@7.88.1-10%2Bdeb12u12?arch=amd64&distro=debian-12`.
fn purl(inventory: &Inventory, package: &Installed) -> String {
    let (kind, has_namespace) = match package.manager {
        PackageManager::Dpkg => ("deb", true),
        PackageManager::Apk => ("apk", true),
        PackageManager::Rpm => ("rpm", true),
        PackageManager::Python => ("pypi", false),
        PackageManager::Conda => ("conda", false),
        PackageManager::Other => ("generic", false),
    };
    let mut purl = format!("pkg:{kind}/");
    let system = inventory.system.to_lowercase();
    if has_namespace && !system.is_empty() {
        encode(&mut purl, &system);
        purl.push('/');
    }
    encode(&mut purl, &package.name.to_lowercase());
    purl.push('@');
    encode(&mut purl, &package.version);
    let distro =
        if inventory.system_version.is_empty() { system } else { format!("{system}-{}", inventory.system_version) };
    let architecture = package.architecture.clone().unwrap_or_default();
    let (build, channel) = package.build.clone().unwrap_or_default();
    // By name, as the specification has it; one without a value is left out.
    let qualifiers = match package.manager {
        PackageManager::Python => vec![],
        PackageManager::Conda => vec![("build", build), ("channel", channel), ("subdir", architecture)],
        _ => vec![("arch", architecture), ("distro", distro)],
    };
    let mut mark = '?';
    for (name, value) in qualifiers.into_iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(purl, "{mark}{name}=");
        encode(&mut purl, &value);
        mark = '&';
    }
    purl
}

/// Everything but what is unreserved in an address, and the colon, becomes `%XX`.
fn encode(purl: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            purl.push(char::from(byte));
        } else {
            let _ = write!(purl, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Gap, GapKind};

    fn package(manager: PackageManager, name: &str, version: &str) -> Installed {
        Installed { manager, name: name.to_owned(), version: version.to_owned(), ..Installed::default() }
    }

    fn inventory(packages: Vec<Installed>) -> Inventory {
        let (system, system_version) = ("debian".to_owned(), "12".to_owned());
        Inventory { system, system_version, packages, ..Inventory::default() }
    }

    #[test]
    fn addresses_are_those_of_the_purl_specification() {
        let of = |package: Installed| purl(&inventory(Vec::new()), &package);
        let deb = Installed {
            architecture: Some("amd64".to_owned()),
            ..package(PackageManager::Dpkg, "libstdc++6", "1:12.2.0-14+deb12u1~x")
        };
        assert_eq!(of(deb), "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1~x?arch=amd64&distro=debian-12");
        assert_eq!(of(package(PackageManager::Python, "torch", "2.7.0+cu126")), "pkg:pypi/torch@2.7.0%2Bcu126");
        let conda = Installed {
            architecture: Some("linux-64".to_owned()),
            build: Some(("py312_0".to_owned(), "conda-forge".to_owned())),
            ..package(PackageManager::Conda, "numpy", "2.2.1")
        };
        assert_eq!(of(conda), "pkg:conda/numpy@2.2.1?build=py312_0&channel=conda-forge&subdir=linux-64");
        let mut alpine = inventory(Vec::new());
        (alpine.system, alpine.system_version) = ("alpine".to_owned(), "3.20.3".to_owned());
        let apk =
            Installed { architecture: Some("x86_64".to_owned()), ..package(PackageManager::Apk, "musl", "1.2.5-r1") };
        assert_eq!(purl(&alpine, &apk), "pkg:apk/alpine/musl@1.2.5-r1?arch=x86_64&distro=alpine-3.20.3");
        assert_eq!(of(package(PackageManager::Python, "ä b", "1")), "pkg:pypi/%C3%A4%20b@1");
    }

    #[test]
    fn a_package_in_two_folders_is_one_and_what_was_not_read_is_said() {
        let mut all =
            inventory(vec![package(PackageManager::Python, "six", "1"), package(PackageManager::Python, "six", "1")]);
        let whole = cyclonedx(&all, None);
        assert_eq!(whole["components"].as_array().map(Vec::len), Some(2), "the system and six");
        assert!(whole["metadata"].get("timestamp").is_none());
        assert_eq!(whole, cyclonedx(&all, None), "nothing is drawn");
        all.note(PackageManager::Rpm, Some(Gap::new(GapKind::NotSupported, "is not read")));
        assert_eq!(cyclonedx(&all, None)["compositions"][0]["aggregate"], "incomplete");
    }
}
