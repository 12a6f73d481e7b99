//! Names by which command lines are understood.

/// Programs that compile.
pub const COMPILERS: [&str; 10] = ["nvcc", "gcc", "g++", "cc", "make", "cmake", "ninja", "meson", "cargo", "bazel"];
/// Packages that compile when they are installed or when they run.
pub const COMPILING: [&str; 20] = [
    "vllm",
    "sglang",
    "triton",
    "flash-attn",
    "flashinfer-python",
    "deepspeed",
    "apex",
    "xformers",
    "torch-scatter",
    "torch-sparse",
    "pycuda",
    "cupy",
    "numba",
    "jax",
    "llama-cpp-python",
    "transformer-engine",
    "causal-conv1d",
    "mamba-ssm",
    "tensorrt-llm",
    "nvidia-cutlass",
];
/// Options of pip that take the next word.
pub const WITH_VALUE: [&str; 30] = [
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--prefix",
    "--target",
    "-t",
    "--root",
    "--index",
    "--default-index",
    "--torch-backend",
    "--index-strategy",
    "--trusted-host",
    "--cache-dir",
    "--timeout",
    "--retries",
    "--proxy",
    "--python",
    "-p",
    "--python-version",
    "--platform",
    "--only-binary",
    "--no-binary",
    "--upgrade-strategy",
    "--progress-bar",
];
/// Programs that build for another place, or run what is not in the text.
pub const OPAQUE: [&str; 5] = ["go", "rustc", "npm", "yarn", "nix"];
/// Options of pip by which it installs what is there already.
pub const REPLACING: [&str; 5] = ["-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed"];
