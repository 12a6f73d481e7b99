//! Copies of libcuda and NVML that are not the driver's own: link-time stubs and forward-compatibility copies.
//!
//! A stub only satisfies the linker and answers every call with an error. A compatibility copy is a newer libcuda that
//! comes with a toolkit. Both are known by the folder that they lie in; a stub also by its size.

/// A driver library below this size is a link-time stub. The recorded stubs have 70 KB; the smallest real library, NVML,
/// has 1.9 MB. A stub that is larger, because it was linked for larger memory pages, still tells itself by its answer to
/// `cuInit`.
pub const STUB_BYTES_MAX: u64 = 128 << 10;

/// Whether it lies in a folder of stubs.
pub fn lies_among_stubs(path: &str) -> bool {
    path.split('/').any(|part| part == "stubs")
}

/// Whether it lies in a folder of forward-compatibility copies: `compat` in a toolkit, `cuda-compat` in conda.
pub fn lies_among_compat(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "compat" | "cuda-compat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_and_compatibility_copies_are_known_by_their_folder() {
        assert!(lies_among_stubs("/usr/local/cuda/lib64/stubs/libcuda.so"));
        assert!(!lies_among_stubs("/usr/lib/libstubs/libcuda.so"));
        assert!(lies_among_compat("/usr/local/cuda/compat/libcuda.so.1"));
        assert!(lies_among_compat("/opt/conda/cuda-compat/libcuda.so.1"));
        assert!(!lies_among_compat("/usr/lib/x86_64-linux-gnu/libcuda.so.1"));
    }

    #[test]
    fn the_limit_lies_between_the_sizes_that_were_measured() {
        // Stubs of libcuda and NVML, and the real ones of two drivers, as recorded.
        let (stubs, real) = ([70_368, 71_600], [1_946_872, 2_291_896, 29_384_912, 96_276_264]);
        assert!(stubs.iter().all(|size| *size < STUB_BYTES_MAX) && real.iter().all(|size| *size >= STUB_BYTES_MAX));
    }
}
