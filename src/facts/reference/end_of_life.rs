//! Until when parts are mended by those who make them.

use std::sync::LazyLock;

use serde::Deserialize;

/// One release of a part.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The release; of a distribution the beginning of its name.
    pub name: String,
    /// Last day on which it is mended, at the latest, as `2026-06-30`.
    pub ends: String,
    /// Who says so.
    pub source: String,
}

/// The whole table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The day on which the sources were read.
    pub table_date: String,
    /// Distributions.
    pub os: Vec<Row>,
    /// Minor releases of Python.
    pub python: Vec<Row>,
    /// Branches of the driver.
    pub driver: Vec<Row>,
    /// Minor releases of PyTorch.
    pub torch: Vec<Row>,
}

/// The table.
pub static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("end_of_life.toml")).unwrap_or_default());

/// The row of a release by its whole name.
pub fn row(rows: &'static [Row], name: &str) -> Option<&'static Row> {
    rows.iter().find(|row| row.name == name)
}

/// The row of a distribution: `Ubuntu 24.04` is `Ubuntu 24.04.3 LTS`, and `Debian GNU/Linux 1` is no `Debian GNU/Linux 12`.
pub fn os(pretty_name: &str) -> Option<&'static Row> {
    TABLE.os.iter().find(|row| {
        let rest = pretty_name.strip_prefix(row.name.as_str());
        rest.is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::day;

    #[test]
    fn every_row_has_a_day_and_a_source_and_none_comes_twice() {
        assert!(day(&TABLE.table_date).is_some());
        for rows in [&TABLE.os, &TABLE.python, &TABLE.driver, &TABLE.torch] {
            assert!(rows.len() > 8);
            for row in rows {
                assert!(day(&row.ends).is_some() && !row.source.is_empty(), "{row:?}");
                assert_eq!(rows.iter().filter(|other| other.name == row.name).count(), 1, "{row:?}");
            }
        }
    }

    #[test]
    fn a_distribution_is_known_by_the_beginning_of_its_name() {
        let ends = |name: &str| os(name).map(|row| row.ends.as_str());
        assert_eq!(ends("Ubuntu 20.04.6 LTS"), Some("2025-05-29"));
        assert_eq!(ends("Debian GNU/Linux 12 (bookworm)"), Some("2028-06-30"));
        assert_eq!((ends("Debian GNU/Linux 1"), ends("Ubuntu 22.041"), ends("Wolfi")), (None, None, None));
    }
}
