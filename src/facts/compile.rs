//! What a workload needs that compiles code while it runs: Triton's kernels and launchers, PyTorch's compiler, PTX.

use super::Fact;
use super::shape::record;

record! {
    /// What a workload needs that compiles code while it runs.
    pub struct Compile {
        /// Whether this recording holds the room: false where the version that made it did not ask. Derived.
        pub was_asked: Fact<bool>,
        /// What compiles at run time, for example `PyTorch 2.8.0` or `triton 3.4.0`; absent where nothing that does is
        /// installed, and where a recording does not hold this room. Derived.
        pub package: Fact<String>,
        /// A server that compiles at every start and ends where it cannot: `vllm 0.10.1`, `sglang 0.5.0`; absent where there
        /// is none, and where a recording does not hold this room. Derived.
        pub server: Fact<String>,
        /// The C compiler that Triton takes: the program that `CC` names, else `gcc`, else `clang` on `$PATH`; absent where
        /// there is none.
        pub c_compiler: Fact<String>,
        /// Header of the C library that this compiler finds (`stdlib.h` in `/usr/include`, in the folders of `CPATH` and
        /// `C_INCLUDE_PATH`, and beside the compiler); absent where there is none or no compiler.
        pub libc_header: Fact<String>,
        /// `Python.h` of an interpreter that is here, which every launcher of Triton includes; absent where there is none.
        pub python_header: Fact<String>,
        /// The `libcuda.so` that `-lcuda` ends at: in the folder of `TRITON_LIBCUDA_PATH`, in those that `/etc/ld.so.cache`
        /// gives for `libcuda.so.1`, in those of `LD_LIBRARY_PATH` and `LIBRARY_PATH`, and in the loader's own; absent where
        /// none has one.
        pub link_library: Fact<String>,
        /// The driver's compiler of PTX, `libnvidia-ptxjitcompiler.so.1`, where the loader finds it; absent where it does
        /// not.
        pub ptx_library: Fact<String>,
        /// The driver's compiler of NVVM, `libnvidia-nvvm.so.4`, where the loader finds it; absent where it does not.
        pub nvvm_library: Fact<String>,
    }
}
