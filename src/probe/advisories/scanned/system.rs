//! Of which distribution a report is, and whether that is the one here.

use crate::facts::{Inventory, PackageManager};

/// A distribution, as a scanner calls it.
#[derive(Debug, Clone, Default)]
pub struct System {
    /// Its name, as `debian`; empty where the report does not say it.
    pub family: String,
    /// Its version, as `12.5`; empty likewise.
    pub version: String,
}

impl System {
    /// Why this is not the distribution here, as far as both are known.
    pub fn is_another(&self, inventory: &Inventory) -> Option<String> {
        let (family, own) = (family(&self.family), family(&inventory.system));
        let is_other = !family.is_empty() && !own.is_empty() && family != own;
        let is_older = family == own && differs(&family, &self.version, &inventory.system_version);
        let named = |name: &str, version: &str| format!("{name} {version}").trim_end().to_owned();
        let (told, here) = (named(&self.family, &self.version), named(&inventory.system, &inventory.system_version));
        (is_other || is_older).then(|| format!("the report is of {told}, and this is {here}"))
    }
}

/// Whether a distribution brings the packages of a manager.
pub fn brings(manager: PackageManager) -> bool {
    matches!(manager, PackageManager::Dpkg | PackageManager::Apk | PackageManager::Rpm)
}

/// One name for what scanners and `/etc/os-release` call differently.
fn family(word: &str) -> String {
    let word = word.to_lowercase();
    let name = match word.as_str() {
        "alma" => "almalinux",
        "amazon" | "amazonlinux" => "amzn",
        "redhat" => "rhel",
        "oracle" | "oraclelinux" => "ol",
        "rockylinux" => "rocky",
        "cbl-mariner" => "mariner",
        "archlinux" => "arch",
        "suse linux enterprise server" => "sles",
        "slem" | "sl-micro" | "suse linux enterprise micro" => "sle-micro",
        // Leap and Tumbleweed are told apart by their versions.
        _ if word.starts_with("opensuse") => "opensuse",
        _ => &word,
    };
    name.to_owned()
}

/// Whether two versions are of two releases. `12.5` is a `12`; of those that count a release in two numbers, as `24.04`,
/// both count.
fn differs(family: &str, one: &str, other: &str) -> bool {
    let counted = if ["ubuntu", "alpine", "opensuse", "sles"].contains(&family) { 2 } else { 1 };
    let numbers = |text: &str| -> Vec<u64> {
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
        text.split('.').take(counted).map_while(|part| digits(part).parse().ok()).collect()
    };
    numbers(one).iter().zip(numbers(other)).any(|(one, other)| *one != other)
}
