//! Packages that no workload needs while it runs.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::{NeedlessKind, PackageManager};

/// Packages of one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What they are for.
    pub kind: NeedlessKind,
    /// Who says so.
    pub source: String,
    /// Names of Python's and conda's.
    pub python: Vec<String>,
    /// Names of Debian's and Ubuntu's.
    pub debian: Vec<String>,
    /// Names of Alpine's.
    pub alpine: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    group: Vec<Group>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("needless.toml")).unwrap_or_default());

static BY_NAME: LazyLock<HashMap<(PackageManager, &'static str), NeedlessKind>> = LazyLock::new(|| {
    let mut kinds = HashMap::new();
    for group in &TABLE.group {
        for (manager, names) in [
            (PackageManager::Python, &group.python),
            (PackageManager::Conda, &group.python),
            (PackageManager::Dpkg, &group.debian),
            (PackageManager::Apk, &group.alpine),
        ] {
            kinds.extend(names.iter().map(|name| ((manager, name.as_str()), group.kind)));
        }
    }
    kinds
});

/// What a package is for, if no workload needs it.
pub fn kind(manager: PackageManager, name: &str) -> Option<NeedlessKind> {
    BY_NAME.get(&(manager, name)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_names_a_source_and_no_name_stands_twice() {
        let kinds: Vec<NeedlessKind> = TABLE.group.iter().map(|group| group.kind).collect();
        assert_eq!(kinds, NeedlessKind::ALL);
        let all = |names: fn(&Group) -> &Vec<String>| TABLE.group.iter().flat_map(names).collect::<Vec<_>>();
        for names in [all(|group| &group.python), all(|group| &group.debian), all(|group| &group.alpine)] {
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len());
        }
        assert!(TABLE.group.iter().all(|group| group.source.contains("https://")));
        assert_eq!(kind(PackageManager::Python, "jupyterlab"), Some(NeedlessKind::Notebook));
        assert_eq!(kind(PackageManager::Dpkg, "libc6"), None);
    }
}
