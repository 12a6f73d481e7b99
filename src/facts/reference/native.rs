//! Which libraries with GPU code a workload cannot do without.

use std::sync::LazyLock;

use serde::Deserialize;

/// One core library.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreLibrary {
    /// Its file name, or with a folder before it the end of its path; a `*` at the end stands for a version.
    pub file: String,
    /// Of which framework.
    pub of: String,
    /// What that rests on.
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    core: Vec<CoreLibrary>,
}

static CORE: LazyLock<Vec<CoreLibrary>> =
    LazyLock::new(|| toml::from_str::<Table>(include_str!("native.toml")).map(|table| table.core).unwrap_or_default());

/// All rows, frameworks before the libraries that they use.
pub fn core() -> &'static [CoreLibrary] {
    &CORE
}

/// The place in the table of the library at this path; none for a library that one can do without.
pub fn rank(path: &str) -> Option<usize> {
    CORE.iter().position(|library| match library.file.strip_suffix('*') {
        None => path.ends_with(&format!("/{}", library.file)),
        Some(start) => path.rsplit('/').next().is_some_and(|name| name.starts_with(start)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_tells_what_it_rests_on() {
        assert_eq!(core().len(), 10);
        assert!(core().iter().all(|library| !library.of.is_empty() && !library.source.is_empty()));
    }

    #[test]
    fn a_framework_comes_before_cublas_and_the_rest_is_optional() {
        assert_eq!(rank("/sp/torch/lib/libtorch_cuda.so"), Some(0));
        assert!(rank("/sp/nvidia/cublas/lib/libcublasLt.so.12") > rank("/sp/vllm/_C.abi3.so"));
        for optional in ["/sp/torch/lib/libtorch_cuda_linalg.so", "/sp/other/_C.abi3.so", "/x/libcudnn_ops.so.9", ""] {
            assert_eq!(rank(optional), None, "{optional}");
        }
    }
}
