//! File names of our libraries: which library, which release, and by which soname programs ask for it.

use crate::facts::LibraryId;

/// Which library a file name stands for, and the numbers after `.so`. PyTorch's older wheels put eight hexadecimal
/// digits into the names of their own copies: `libcudart-e409450e.so.11.0`.
pub fn identify(name: &str) -> Option<(LibraryId, Vec<u32>)> {
    if !name.starts_with("libcu") && !name.starts_with("libnvidia-ml") {
        return None;
    }
    let (stem, tail) = name.split_once(".so")?;
    let stem = match stem.rsplit_once('-') {
        Some((stem, hash)) if hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => stem,
        _ => stem,
    };
    let id = LibraryId::ALL.iter().copied().find(|id| id.as_str() == stem)?;
    if tail.is_empty() {
        return Some((id, Vec::new()));
    }
    let version: Option<Vec<u32>> = tail.strip_prefix('.')?.split('.').map(|part| part.parse().ok()).collect();
    Some((id, version?))
}

/// The soname of the release that a file name's numbers belong to; none where it has no numbers.
pub fn soname_of(id: LibraryId, version: &[u32]) -> Option<String> {
    let stem = id.as_str();
    match (id, version) {
        (LibraryId::Cuda | LibraryId::Nvml, _) => Some(format!("{stem}.so.1")),
        (_, []) => None,
        // One soname for all of CUDA 11, and it has a zero.
        (LibraryId::Cudart, [11, ..]) => Some(format!("{stem}.so.11.0")),
        (LibraryId::Cudart, [major @ ..=10, minor, ..]) => Some(format!("{stem}.so.{major}.{minor}")),
        (_, [major, ..]) => Some(format!("{stem}.so.{major}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_told_apart() {
        let known = |name: &str| identify(name).and_then(|(id, version)| soname_of(id, &version));
        for (name, soname) in [
            ("libcudart.so.12", "libcudart.so.12"),
            ("libcudart.so.12.6.77", "libcudart.so.12"),
            ("libcudart.so.11.0", "libcudart.so.11.0"),
            ("libcudart.so.11.8.89", "libcudart.so.11.0"),
            ("libcudart.so.10.2.89", "libcudart.so.10.2"),
            ("libcudart-e409450e.so.11.0", "libcudart.so.11.0"),
            ("libcublasLt.so.13.1.0.3", "libcublasLt.so.13"),
            ("libcuda.so.580.65.06", "libcuda.so.1"),
            ("libcuda.so", "libcuda.so.1"),
            ("libnvidia-ml.so.1", "libnvidia-ml.so.1"),
        ] {
            assert_eq!(known(name).as_deref(), Some(soname), "{name}");
        }
        assert_eq!(identify("libcublas.so").map(|(id, _)| id), Some(LibraryId::Cublas));
        for name in ["libcudadebugger.so.1", "libcurand.so.10", "libcudart.so.12.bak", "libcudart.a", "libcuda.so.x"] {
            assert!(identify(name).is_none(), "{name}");
        }
    }
}
