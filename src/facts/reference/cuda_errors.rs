//! CUDA error codes at start-up: their names, what they mean in a container, and the most likely cause.

use std::sync::LazyLock;

use serde::Deserialize;

/// One code; `CUresult` and `cudaError_t` share their numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CudaError {
    /// The number.
    pub code: i64,
    /// Name in the driver interface, where it has one.
    pub driver: Option<String>,
    /// Name in the runtime interface, where it has one.
    pub runtime: Option<String>,
    /// What it means, without a full stop.
    pub meaning: String,
    /// The most likely cause in a container.
    pub cause: String,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    error: Vec<CudaError>,
}

static ERRORS: LazyLock<Vec<CudaError>> = LazyLock::new(|| {
    toml::from_str::<Table>(include_str!("cuda_errors.toml")).map(|table| table.error).unwrap_or_default()
});

/// All rows.
pub fn errors() -> &'static [CudaError] {
    &ERRORS
}

/// The row of a code.
pub fn error(code: i64) -> Option<&'static CudaError> {
    ERRORS.iter().find(|error| error.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_no_code_comes_twice() {
        assert_eq!(errors().len(), 58);
        for row in errors() {
            assert!(row.driver.is_some() || row.runtime.is_some(), "{row:?}");
            assert!(!row.meaning.ends_with('.') && !row.cause.is_empty() && !row.source.is_empty(), "{row:?}");
            assert_eq!(errors().iter().filter(|other| other.code == row.code).count(), 1, "{row:?}");
        }
    }

    #[test]
    fn the_codes_of_a_failed_start_are_there() {
        for code in [3, 34, 35, 46, 100, 101, 304, 802, 803, 804, 999] {
            assert!(error(code).is_some(), "{code}");
        }
        assert!(error(0).is_none());
    }
}
