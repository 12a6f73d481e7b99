//! Error codes of CUDA and cuBLAS: their names, what they mean in a container, and the most likely cause.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::{FailureKind, FailureOwner};

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
    /// What kind of trouble it is, where that has a finding of its own.
    pub kind: Option<FailureKind>,
    /// Who can do something about it, where that is not the node: a word of [`crate::facts::FailureOwner`].
    pub owner: Option<FailureOwner>,
    /// What to do about it, imperative, where the code alone tells.
    pub remedy: Option<String>,
    /// Who says so.
    pub source: String,
}

#[derive(Default, Deserialize)]
struct Table {
    error: Vec<CudaError>,
    cublas: Vec<CudaError>,
}

static ERRORS: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("cuda_errors.toml")).unwrap_or_default());

/// All rows of CUDA.
pub fn errors() -> &'static [CudaError] {
    &ERRORS.error
}

/// The row of a code.
pub fn error(code: i64) -> Option<&'static CudaError> {
    ERRORS.error.iter().find(|error| error.code == code)
}

/// All rows of cuBLAS.
pub fn cublas_statuses() -> &'static [CudaError] {
    &ERRORS.cublas
}

/// The row of a status of cuBLAS.
pub fn cublas_status(code: i64) -> Option<&'static CudaError> {
    ERRORS.cublas.iter().find(|status| status.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_no_code_comes_twice() {
        assert_eq!(errors().len(), 59);
        for row in errors() {
            assert!(row.driver.is_some() || row.runtime.is_some(), "{row:?}");
            assert!(!row.meaning.ends_with('.') && !row.cause.is_empty() && !row.source.is_empty(), "{row:?}");
            assert_eq!(errors().iter().filter(|other| other.code == row.code).count(), 1, "{row:?}");
        }
    }

    #[test]
    fn who_owns_a_code_has_a_remedy_for_it_and_only_hardware_is_reset() {
        for row in errors() {
            assert!(row.owner.is_none() || row.remedy.is_some(), "{row:?}");
            assert!(
                row.remedy.as_ref().is_none_or(|remedy| !remedy.ends_with('.') && !remedy.contains("reset")),
                "{row:?}"
            );
        }
        assert_eq!(error(221).and_then(|row| row.owner), Some(FailureOwner::Pod));
        assert_eq!(error(223).and_then(|row| row.owner), Some(FailureOwner::Workload));
        assert!(error(102).and_then(|row| row.remedy.as_ref()).is_some_and(|remedy| remedy.contains("licence")));
    }

    #[test]
    fn the_codes_of_a_failed_start_are_there() {
        for code in [3, 34, 35, 46, 100, 101, 304, 802, 803, 804, 999] {
            assert!(error(code).is_some(), "{code}");
        }
        assert!(error(0).is_none());
    }

    #[test]
    fn the_statuses_of_cublas_are_there() {
        for code in [1, 3, 7, 8, 11, 13, 14, 15] {
            let row = cublas_status(code).unwrap_or_else(|| panic!("{code}"));
            assert!(row.runtime.as_ref().is_some_and(|name| name.starts_with("CUBLAS_STATUS_")), "{row:?}");
        }
        assert_eq!(cublas_status(8).and_then(|row| row.kind), Some(FailureKind::NoKernel));
        assert_eq!(error(46).and_then(|row| row.kind), Some(FailureKind::Unavailable));
        assert!(cublas_status(0).is_none());
    }
}
