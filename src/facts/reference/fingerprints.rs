//! Fingerprints that healthy GPUs have given.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What one kind of GPU gives with one release of cuBLAS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Compute capability as `9.0`.
    pub cc: String,
    /// Streaming multiprocessors.
    pub sms: u32,
    /// Release of cuBLAS and cuBLASLt with all its numbers, as `13.1.0.3`.
    pub cublas: String,
    /// Where it comes from.
    pub source: String,
    /// Digest by precision.
    pub bits: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    // The text is a part of this program and a test reads it, so this cannot fail on any machine.
    toml::from_str::<Table>(include_str!("fingerprints.toml")).map(|table| table.row).unwrap_or_default()
});

/// The row of a kind of GPU and a release.
pub fn row(cc: &str, sms: u32, cublas: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.cc == cc && row.sms == sms && row.cublas == cublas)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::facts::Precision;

    #[test]
    fn every_row_has_a_source_a_key_of_its_own_and_digests() {
        let table: Table = toml::from_str(include_str!("fingerprints.toml")).expect("the table");
        let keys: HashSet<_> = table.row.iter().map(|row| (&row.cc, row.sms, &row.cublas)).collect();
        assert_eq!(keys.len(), table.row.len());
        for row in &table.row {
            assert!(row.source.contains("runs"), "{row:?}");
            assert_eq!(row.cublas.split('.').count(), 4, "{row:?}");
            for (precision, digest) in &row.bits {
                assert!(Precision::ALL.iter().any(|known| known.as_str() == precision), "{precision}");
                assert!(digest.len() == 16 && u64::from_str_radix(digest, 16).is_ok(), "{digest}");
            }
        }
    }
}
