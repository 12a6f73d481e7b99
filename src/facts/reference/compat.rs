//! Which driver a CUDA major needs.

use std::sync::LazyLock;

use serde::Deserialize;

/// The oldest driver of one CUDA major.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// CUDA major.
    pub major: u32,
    /// Oldest Linux driver, for example `525.60.13`.
    pub driver: String,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    floor: Vec<Floor>,
}

static FLOORS: LazyLock<Vec<Floor>> =
    LazyLock::new(|| toml::from_str::<Table>(include_str!("compat.toml")).map(|table| table.floor).unwrap_or_default());

/// All rows.
pub fn floors() -> &'static [Floor] {
    &FLOORS
}

/// The row of a CUDA major.
pub fn floor(major: u32) -> Option<&'static Floor> {
    FLOORS.iter().find(|floor| floor.major == major)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::version::Version;

    #[test]
    fn every_major_has_a_driver_that_can_be_compared_and_newer_majors_need_newer_ones() {
        let drivers: Vec<Version> =
            floors().iter().map(|floor| Version::parse(&floor.driver).expect("a version")).collect();
        assert_eq!(drivers.len(), 3);
        assert!(drivers.is_sorted());
        assert!(floors().iter().all(|floor| !floor.source.is_empty()));
    }
}
