//! Xid codes: the driver's own reports of faults, as far as they are faults of the GPU or its links.

use std::sync::LazyLock;

use serde::Deserialize;

/// One code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xid {
    /// The number.
    pub code: u32,
    /// What has happened, without a full stop.
    pub name: String,
    /// What is to be done about it.
    pub action: String,
    /// Who says so.
    pub source: String,
}

#[derive(Default, Deserialize)]
struct Table {
    xid: Vec<Xid>,
}

static XIDS: LazyLock<Vec<Xid>> =
    LazyLock::new(|| toml::from_str::<Table>(include_str!("xids.toml")).map(|table| table.xid).unwrap_or_default());

/// The row of a code; none for a code that is no fault of the hardware, or that the table does not know.
pub fn fault(code: u32) -> Option<&'static Xid> {
    XIDS.iter().find(|xid| xid.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_no_code_comes_twice() {
        assert_eq!(XIDS.len(), 27);
        for row in XIDS.iter() {
            assert!(!row.name.is_empty() && !row.action.is_empty() && !row.source.is_empty(), "{row:?}");
            assert!(!row.name.ends_with('.') && !row.action.ends_with('.'), "{row:?}");
            assert_eq!(XIDS.iter().filter(|other| other.code == row.code).count(), 1, "{row:?}");
        }
    }

    #[test]
    fn what_a_program_brings_about_accuses_no_gpu() {
        for code in [13, 31, 43, 45, 63, 92, 109, 145, 149, 154] {
            assert!(fault(code).is_none(), "{code}");
        }
        for code in [48, 64, 74, 79, 94, 95, 119] {
            assert!(fault(code).is_some(), "{code}");
        }
    }
}
