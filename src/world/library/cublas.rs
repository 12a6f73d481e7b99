//! libcublas: a handle and square multiplies.
//!
//! Signatures and numbers are those of `cublas_api.h` and `library_types.h` since CUDA 11.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

use gpu_preflight_arithmetic::{Element, Output};

use super::cuda_runtime::DeviceSlice;
use super::{CallFailed, Library, symbols, text};

type GemmEx = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
    *const c_void,
    *const c_void,
    c_int,
    c_int,
    *const c_void,
    c_int,
    c_int,
    *const c_void,
    *mut c_void,
    c_int,
    c_int,
    c_int,
    c_int,
) -> c_int;

symbols! {
    struct Symbols {
        create = "cublasCreate_v2": fn(*mut *mut c_void);
        destroy = "cublasDestroy_v2": fn(*mut c_void);
        math_mode = "cublasSetMathMode": fn(*mut c_void, c_int);
        status_name = "cublasGetStatusName": fn(c_int) -> *const c_char;
    }
}

/// What the multiply may do to 32-bit operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// Accumulators as wide as the product, and nothing rounded on the way in.
    Plain,
    /// 32-bit operands may be rounded to TF32.
    Tf32,
}

impl Arithmetic {
    /// `CUBLAS_DEFAULT_MATH`, `CUBLAS_TF32_TENSOR_OP_MATH`.
    const fn math_mode(self) -> c_int {
        match self {
            Self::Plain => 0,
            Self::Tf32 => 3,
        }
    }

    /// `CUBLAS_COMPUTE_32F`, `CUBLAS_COMPUTE_64F`, `CUBLAS_COMPUTE_32I`, `CUBLAS_COMPUTE_32F_FAST_TF32`.
    const fn compute_type(self, output: Output) -> c_int {
        match (self, output) {
            (Self::Plain, Output::Float32) => 68,
            (Self::Plain, Output::Float64) => 70,
            (Self::Plain, Output::Int32) => 72,
            (Self::Tf32, _) => 77,
        }
    }
}

/// cuBLAS.
pub struct Cublas {
    symbols: Symbols,
    gemm: super::Symbol<GemmEx>,
}

/// A cuBLAS handle on the current device.
pub struct Handle(*mut c_void);

impl Cublas {
    /// Opens a copy by path. The error is in the loader's words.
    pub fn open(path: &str) -> Result<Self, String> {
        let library = Library::open(path)?;
        // SAFETY: `GemmEx` is the signature of `cublasGemmEx` since CUDA 11.
        let function = unsafe { library.function("cublasGemmEx") };
        Ok(Self { symbols: Symbols::of(&library), gemm: super::Symbol { name: "cublasGemmEx", function } })
    }

    /// `cublasCreate_v2`.
    pub fn create(&self) -> Result<Handle, CallFailed> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: writes one handle.
        self.symbols.create.call(|create| unsafe { create(&raw mut handle) }, |code| self.code_name(code))?;
        Ok(Handle(handle))
    }

    /// `cublasDestroy_v2`.
    #[expect(clippy::needless_pass_by_value, reason = "the handle is gone afterwards")]
    pub fn destroy(&self, handle: Handle) -> Result<(), CallFailed> {
        // SAFETY: the handle is live and given away here.
        self.symbols.destroy.call(|destroy| unsafe { destroy(handle.0) }, |code| self.code_name(code))
    }

    /// `cublasSetMathMode` for this arithmetic.
    pub fn set_math_mode(&self, handle: &Handle, arithmetic: Arithmetic) -> Result<(), CallFailed> {
        // SAFETY: the handle is live.
        let set =
            |set: unsafe extern "C" fn(*mut c_void, c_int) -> c_int| unsafe { set(handle.0, arithmetic.math_mode()) };
        self.symbols.math_mode.call(set, |code| self.code_name(code))
    }

    /// `c = a · b` for square column-major matrices of `size` rows.
    ///
    /// It returns when the work is queued. The current content of `c` is not read.
    pub fn multiply(
        &self,
        handle: &Handle,
        (element, arithmetic): (Element, Arithmetic),
        size: usize,
        matrices: [DeviceSlice<'_>; 3],
    ) -> Result<(), CallFailed> {
        let (true, Ok(n)) = (lie_inside(element, size, &matrices), c_int::try_from(size)) else {
            return Err(CallFailed::refused("cublasGemmEx", "a matrix does not lie inside its memory"));
        };
        let [left, right, product] = matrices;
        let (one, zero) = (scalar(1, element.output()), scalar(0, element.output()));
        let (one, zero) = ((&raw const one).cast(), (&raw const zero).cast());
        let (kind, output) = (element as c_int, element.output() as c_int);
        let compute = arithmetic.compute_type(element.output());
        let multiply = |gemm: GemmEx| {
            // SAFETY: the handle is live, every matrix lies inside its allocated memory, and the two scalars are
            // read before the call returns (pointer mode host, the default). 0: not transposed; -1: default algorithm.
            unsafe {
                let (left, right, product) = (left.address, right.address, product.address);
                gemm(handle.0, 0, 0, n, n, n, one, left, kind, n, right, kind, n, zero, product, output, n, compute, -1)
            }
        };
        self.gemm.call(multiply, |code| self.code_name(code))
    }

    /// The C name of a status: the library's own word for it, else ours; older libraries have none.
    pub fn code_name(&self, code: i32) -> String {
        let own = match self.symbols.status_name.function {
            // SAFETY: takes a number and returns a constant string.
            Ok(get) => unsafe { text(get(code)) },
            Err(_) => String::new(),
        };
        if own.is_empty() { known_name(code).to_owned() } else { own }
    }
}

/// Whether operands and product of this size lie inside their memory.
pub(super) fn lie_inside(element: Element, size: usize, [left, right, product]: &[DeviceSlice<'_>; 3]) -> bool {
    let fits = |slice: &DeviceSlice<'_>, bytes: usize| {
        let count = size.checked_mul(size).and_then(|count| count.checked_mul(bytes));
        count.is_some_and(|needed| needed <= slice.bytes)
    };
    fits(left, element.bytes()) && fits(right, element.bytes()) && fits(product, element.output().bytes())
}

/// A scalar of the product's kind in the first bytes of eight; machines with such GPUs are little-endian.
pub(super) fn scalar(value: u8, output: Output) -> u64 {
    match output {
        Output::Int32 => u64::from(value),
        Output::Float32 => u64::from(f32::from(value).to_bits()),
        Output::Float64 => f64::from(value).to_bits(),
    }
}

/// The C name of a status.
pub(super) fn known_name(code: i32) -> &'static str {
    match code {
        1 => "CUBLAS_STATUS_NOT_INITIALIZED",
        3 => "CUBLAS_STATUS_ALLOC_FAILED",
        7 => "CUBLAS_STATUS_INVALID_VALUE",
        8 => "CUBLAS_STATUS_ARCH_MISMATCH",
        11 => "CUBLAS_STATUS_MAPPING_ERROR",
        13 => "CUBLAS_STATUS_EXECUTION_FAILED",
        14 => "CUBLAS_STATUS_INTERNAL_ERROR",
        15 => "CUBLAS_STATUS_NOT_SUPPORTED",
        16 => "CUBLAS_STATUS_LICENSE_ERROR",
        _ => "",
    }
}
