//! libcublasLt: square multiplies of 8-bit operands, for which libcublas has no fast way.
//!
//! Signatures and numbers are those of `cublasLt.h` since CUDA 11.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};

use gpu_preflight_arithmetic::{Element, Output};

use super::cublas::{known_name, lie_inside, scalar};
use super::cuda_runtime::DeviceSlice;
use super::{CallFailed, Library, Symbol, symbols};

/// `CUBLASLT_MATMUL_DESC_TRANSA`, and `CUBLAS_OP_T` for it.
const TRANSPOSE_A: c_int = 3;
const TRANSPOSED: c_int = 1;
/// `CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES`
const WORKSPACE_BYTES: c_int = 1;
/// `CUBLAS_STATUS_NOT_SUPPORTED`
const NOT_SUPPORTED: c_int = 15;

type FindAlgorithm = unsafe extern "C" fn(
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    c_int,
    *mut Algorithm,
    *mut c_int,
) -> c_int;

type Matmul = unsafe extern "C" fn(
    *mut c_void,
    *mut c_void,
    *const c_void,
    *const c_void,
    *mut c_void,
    *const c_void,
    *mut c_void,
    *const c_void,
    *const c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *const Algorithm,
    *mut c_void,
    usize,
    *mut c_void,
) -> c_int;

symbols! {
    struct Symbols {
        create = "cublasLtCreate": fn(*mut *mut c_void);
        destroy = "cublasLtDestroy": fn(*mut c_void);
        operation = "cublasLtMatmulDescCreate": fn(*mut *mut c_void, c_int, c_int);
        set_operation = "cublasLtMatmulDescSetAttribute": fn(*mut c_void, c_int, *const c_void, usize);
        layout = "cublasLtMatrixLayoutCreate": fn(*mut *mut c_void, c_int, u64, u64, i64);
        drop_operation = "cublasLtMatmulDescDestroy": fn(*mut c_void);
        drop_layout = "cublasLtMatrixLayoutDestroy": fn(*mut c_void);
        drop_preference = "cublasLtMatmulPreferenceDestroy": fn(*mut c_void);
        preference = "cublasLtMatmulPreferenceCreate": fn(*mut *mut c_void);
        set_preference = "cublasLtMatmulPreferenceSetAttribute": fn(*mut c_void, c_int, *const c_void, usize);
    }
}

/// `cublasLtMatmulHeuristicResult_t`; the algorithm comes first.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Algorithm {
    data: [u64; 8],
    workspace_bytes: usize,
    state: c_int,
    waves: f32,
    reserved: [c_int; 4],
}

/// cuBLASLt.
pub struct CublasLt {
    symbols: Symbols,
    find: Symbol<FindAlgorithm>,
    matmul: Symbol<Matmul>,
}

/// A cuBLASLt handle on the current device.
pub struct LtHandle(*mut c_void);

/// A multiply of one format and size, with the algorithm that the library prefers for it.
pub struct Plan<'lt> {
    operation: Descriptor<'lt>,
    operand: Descriptor<'lt>,
    product: Descriptor<'lt>,
    algorithm: Algorithm,
    element: Element,
    size: usize,
}

/// A descriptor of the library, which goes with it.
struct Descriptor<'lt> {
    address: *mut c_void,
    destroy: &'lt Symbol<unsafe extern "C" fn(*mut c_void) -> c_int>,
}

impl Drop for Descriptor<'_> {
    fn drop(&mut self) {
        // SAFETY: it was made by the library that this function is of, and nobody has it any more. That it could not be
        // given back would be no reading.
        let _ = self.destroy.call(|destroy| unsafe { destroy(self.address) }, name);
    }
}

impl CublasLt {
    /// Opens a copy by path. The error is in the loader's words, also where the copy is too old to multiply.
    pub fn open(path: &str) -> Result<Self, String> {
        let library = Library::open(path)?;
        // SAFETY: both are the signatures of `cublasLt.h` since CUDA 11.
        let (find, matmul) =
            unsafe { (library.function("cublasLtMatmulAlgoGetHeuristic")?, library.function("cublasLtMatmul")?) };
        Ok(Self {
            symbols: Symbols::of(&library),
            find: Symbol { name: "cublasLtMatmulAlgoGetHeuristic", function: Ok(find) },
            matmul: Symbol { name: "cublasLtMatmul", function: Ok(matmul) },
        })
    }

    /// `cublasLtCreate`.
    pub fn create(&self) -> Result<LtHandle, CallFailed> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: writes one handle.
        self.symbols.create.call(|create| unsafe { create(&raw mut handle) }, name)?;
        Ok(LtHandle(handle))
    }

    /// `cublasLtDestroy`.
    #[expect(clippy::needless_pass_by_value, reason = "the handle is gone afterwards")]
    pub fn destroy(&self, handle: LtHandle) -> Result<(), CallFailed> {
        // SAFETY: the handle is live and given away here.
        self.symbols.destroy.call(|destroy| unsafe { destroy(handle.0) }, name)
    }

    /// Asks for the best way to `c = aᵀ · b`, the only form that 8-bit floats have, with so much memory to work in.
    pub fn plan(
        &self,
        handle: &LtHandle,
        element: Element,
        size: usize,
        workspace_bytes: usize,
    ) -> Result<Plan<'_>, CallFailed> {
        let (compute, scale) = match element.output() {
            Output::Int32 => (72, Output::Int32 as c_int),     // CUBLAS_COMPUTE_32I
            Output::Float32 => (68, Output::Float32 as c_int), // CUBLAS_COMPUTE_32F
            Output::Float64 => (70, Output::Float64 as c_int), // CUBLAS_COMPUTE_64F
        };
        let mut address = std::ptr::null_mut();
        // SAFETY: writes one descriptor.
        self.symbols.operation.call(|create| unsafe { create(&raw mut address, compute, scale) }, name)?;
        let operation = Descriptor { address, destroy: &self.symbols.drop_operation };
        let transposed = TRANSPOSED;
        let set = |set: unsafe extern "C" fn(*mut c_void, c_int, *const c_void, usize) -> c_int| {
            // SAFETY: the descriptor is live; the library reads the four bytes of an int.
            unsafe { set(operation.address, TRANSPOSE_A, (&raw const transposed).cast(), size_of::<c_int>()) }
        };
        self.symbols.set_operation.call(set, name)?;
        let (operand, product) = (self.layout(element as c_int, size)?, self.layout(element.output() as c_int, size)?);
        let preference = self.preference(workspace_bytes)?;
        let (mut algorithm, mut found) = (Algorithm::default(), 0);
        let find = |find: FindAlgorithm| {
            // SAFETY: all descriptors are live; one result and one count are written.
            unsafe {
                let (one, count) = (&raw mut algorithm, &raw mut found);
                let (operand, product) = (operand.address, product.address);
                let (operation, preference) = (operation.address, preference.address);
                find(handle.0, operation, operand, operand, product, product, preference, 1, one, count)
            }
        };
        self.find.call(find, name)?;
        if found == 0 || algorithm.state != 0 || algorithm.workspace_bytes > workspace_bytes {
            let detail = name(NOT_SUPPORTED);
            return Err(CallFailed { call: "cublasLtMatmulAlgoGetHeuristic", code: Some(NOT_SUPPORTED), detail });
        }
        Ok(Plan { operation, operand, product, algorithm, element, size })
    }

    fn layout(&self, kind: c_int, size: usize) -> Result<Descriptor<'_>, CallFailed> {
        let Ok(stride) = i64::try_from(size) else {
            return Err(CallFailed::refused("cublasLtMatrixLayoutCreate", "no matrix is so large"));
        };
        let mut address = std::ptr::null_mut();
        let create = |create: unsafe extern "C" fn(*mut *mut c_void, c_int, u64, u64, i64) -> c_int| {
            // SAFETY: writes one descriptor.
            unsafe { create(&raw mut address, kind, size as u64, size as u64, stride) }
        };
        self.symbols.layout.call(create, name)?;
        Ok(Descriptor { address, destroy: &self.symbols.drop_layout })
    }

    fn preference(&self, workspace_bytes: usize) -> Result<Descriptor<'_>, CallFailed> {
        let mut address = std::ptr::null_mut();
        // SAFETY: writes one descriptor.
        self.symbols.preference.call(|create| unsafe { create(&raw mut address) }, name)?;
        let preference = Descriptor { address, destroy: &self.symbols.drop_preference };
        let most = workspace_bytes as u64;
        let set = |set: unsafe extern "C" fn(*mut c_void, c_int, *const c_void, usize) -> c_int| {
            // SAFETY: the descriptor is live; the library reads the eight bytes of a number.
            unsafe { set(preference.address, WORKSPACE_BYTES, (&raw const most).cast(), size_of::<u64>()) }
        };
        self.symbols.set_preference.call(set, name)?;
        Ok(preference)
    }

    /// `c = aᵀ · b` for square column-major matrices, as planned. It returns when the work is queued.
    pub fn multiply(
        &self,
        handle: &LtHandle,
        plan: &Plan<'_>,
        matrices: [DeviceSlice<'_>; 3],
        workspace: DeviceSlice<'_>,
    ) -> Result<(), CallFailed> {
        if !lie_inside(plan.element, plan.size, &matrices) || plan.algorithm.workspace_bytes > workspace.bytes {
            return Err(CallFailed::refused("cublasLtMatmul", "a matrix does not lie inside its memory"));
        }
        let [left, right, product] = matrices;
        let (one, zero) = (scalar(1, plan.element.output()), scalar(0, plan.element.output()));
        let (one, zero) = ((&raw const one).cast(), (&raw const zero).cast());
        let multiply = |matmul: Matmul| {
            // SAFETY: handle and descriptors are live, every matrix lies inside its allocated memory and the workspace
            // is as large as said; the scalars are read before the call returns (pointer mode host, the default).
            unsafe {
                let (a, b, c) = (left.address, right.address, product.address);
                let (kind, out) = (plan.operand.address, plan.product.address);
                let algorithm = &raw const plan.algorithm;
                let stream = std::ptr::null_mut();
                matmul(
                    handle.0,
                    plan.operation.address,
                    one,
                    a,
                    kind,
                    b,
                    kind,
                    zero,
                    c,
                    out,
                    c,
                    out,
                    algorithm,
                    workspace.address,
                    workspace.bytes,
                    stream,
                )
            }
        };
        self.matmul.call(multiply, name)
    }
}

fn name(code: i32) -> String {
    known_name(code).to_owned()
}
