//! Environment variables that change how a GPU workload behaves.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::SettingClass;

/// One variable, or with a `*` at the end of its name a family of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Name; `NCCL_*` stands for every name that begins so and has no entry of its own.
    pub name: String,
    /// What it is for.
    pub class: SettingClass,
    /// Values that mean "off" or "as by default", beside the empty one; compared without regard to case.
    #[serde(default)]
    pub inactive: Vec<String>,
    /// What it does.
    pub effect: String,
    /// Where that is documented.
    pub source: String,
}

impl Variable {
    /// Whether this value has an effect.
    pub fn is_active(&self, value: &str) -> bool {
        let value = value.trim();
        !value.is_empty() && !self.inactive.iter().any(|inactive| inactive.eq_ignore_ascii_case(value))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    env: Vec<Variable>,
}

static TABLE: LazyLock<Vec<Variable>> = LazyLock::new(|| {
    // The text is a part of this program and a test reads it, so this cannot fail on any machine.
    toml::from_str::<Table>(include_str!("env_vars.toml")).map(|table| table.env).unwrap_or_default()
});

/// All variables, read from the table on the first call.
pub fn all() -> &'static [Variable] {
    &TABLE
}

/// The entry for a name, its own before that of its family.
pub fn find(name: &str) -> Option<&'static Variable> {
    let own = all().iter().find(|variable| variable.name == name);
    let family =
        || all().iter().find(|variable| variable.name.strip_suffix('*').is_some_and(|start| name.starts_with(start)));
    own.or_else(family)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_whole_and_names_each_variable_once() {
        let table: Table = toml::from_str(include_str!("env_vars.toml")).expect("the table");
        let names: HashSet<&str> = table.env.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names.len(), table.env.len());
        for variable in &table.env {
            assert!(variable.effect.len() > 10 && !variable.effect.ends_with('.'), "{}", variable.name);
            assert!(!variable.source.is_empty(), "{}", variable.name);
        }
    }

    #[test]
    fn a_name_of_its_own_comes_before_its_family() {
        assert_eq!(find("NCCL_P2P_DISABLE").map(|v| v.class), Some(SettingClass::Hazard));
        assert_eq!(find("NCCL_SOMETHING_NEW").map(|v| v.name.as_str()), Some("NCCL_*"));
        assert!(find("PATH").is_none());
    }

    #[test]
    fn a_value_that_means_off_is_inactive() {
        let blocking = find("CUDA_LAUNCH_BLOCKING").expect("an entry");
        assert!(blocking.is_active("1"));
        assert!(!blocking.is_active("0") && !blocking.is_active(" ") && !blocking.is_active(""));
    }
}
