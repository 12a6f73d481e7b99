//! What CUDA's libraries say of themselves. None of these calls needs a driver, but for the runtime of CUDA 11.

use super::{CallFailed, Library, Symbol};

type GetNumber = unsafe extern "C" fn(*mut i32) -> i32;
type GetProperty = unsafe extern "C" fn(i32, *mut i32) -> i32;
type GetVersion = unsafe extern "C" fn() -> usize;

/// `cudaRuntimeGetVersion`: 12090 is 12.9.
pub fn runtime(library: &Library) -> Result<i32, CallFailed> {
    const NAME: &str = "cudaRuntimeGetVersion";
    // SAFETY: `cudaError_t cudaRuntimeGetVersion(int *)` in cuda_runtime_api.h of CUDA 11, 12 and 13.
    let symbol: Symbol<GetNumber> = Symbol { name: NAME, function: unsafe { library.function(NAME) } };
    let mut number = 0;
    // SAFETY: it writes one int, and `number` is one.
    symbol.call(|get| unsafe { get(&raw mut number) }, |_| String::new())?;
    Ok(number)
}

/// `cublasGetProperty`, three times: major, minor, patch.
pub fn cublas(library: &Library) -> Result<[i32; 3], CallFailed> {
    const NAME: &str = "cublasGetProperty";
    // SAFETY: `cublasStatus_t cublasGetProperty(libraryPropertyType, int *)` in cublas_api.h since CUDA 8.
    let symbol: Symbol<GetProperty> = Symbol { name: NAME, function: unsafe { library.function(NAME) } };
    let mut parts = [0; 3];
    for (property, part) in (0..).zip(&mut parts) {
        // SAFETY: properties are 0, 1 and 2; it writes one int, and `part` is one.
        symbol.call(|get| unsafe { get(property, &raw mut *part) }, |_| format!("for property {property}"))?;
    }
    Ok(parts)
}

/// `cublasLtGetVersion`: 120903 is 12.9.3.
pub fn cublas_lt(library: &Library) -> Result<usize, CallFailed> {
    const NAME: &str = "cublasLtGetVersion";
    // SAFETY: `size_t cublasLtGetVersion(void)` in cublasLt.h since CUDA 10.1.
    match unsafe { library.function::<GetVersion>(NAME) } {
        // SAFETY: it takes nothing and returns a number.
        Ok(get) => Ok(unsafe { get() }),
        Err(detail) => Err(CallFailed { call: NAME, code: None, detail }),
    }
}
