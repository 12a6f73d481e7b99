//! How each precision is computed: what its elements are, by which library, and which integers prove it.

use crate::facts::Precision;
use crate::world::library::cublas::Arithmetic;
use gpu_preflight_arithmetic::{Element, Range};

/// The way to one precision.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// What the operands are made of.
    pub element: Element,
    /// The integers of its proof.
    pub range: Range,
    /// Which library does it.
    pub route: Route,
}

/// The library that multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `cublasGemmEx`.
    Blas(Arithmetic),
    /// `cublasLtMatmul`, which multiplies by the transposed left operand.
    Lt,
}

/// How this precision is computed.
pub fn recipe(precision: Precision) -> Recipe {
    let plain = Route::Blas(Arithmetic::Plain);
    let (element, range, route) = match precision {
        Precision::Float32 => (Element::Float32, Range::Wide, plain),
        Precision::Tf32 => (Element::Float32, Range::Narrow, Route::Blas(Arithmetic::Tf32)),
        Precision::Float16 => (Element::Float16, Range::Narrow, plain),
        Precision::Bfloat16 => (Element::Bfloat16, Range::Narrow, plain),
        Precision::Float64 => (Element::Float64, Range::Long, plain),
        Precision::Int8 => (Element::Int8, Range::Bytes, Route::Lt),
        Precision::Float8 => (Element::Float8, Range::Few, Route::Lt),
    };
    Recipe { element, range, route }
}

/// The precisions that a GPU of this compute capability computes in hardware, the usual ones first.
pub fn precisions(capability: Option<(i32, i32)>, has_lt: bool) -> Vec<Precision> {
    let capability = capability.unwrap_or_default();
    let is_there = |precision: &Precision| match precision {
        Precision::Float32 | Precision::Float64 => true,
        Precision::Float16 => capability >= (5, 3),
        Precision::Tf32 | Precision::Bfloat16 => capability >= (8, 0),
        Precision::Int8 => has_lt && capability >= (7, 5),
        Precision::Float8 => has_lt && capability >= (8, 9),
    };
    Precision::ALL.iter().copied().filter(is_there).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_has_what_its_generation_brought() {
        use Precision::{Bfloat16, Float8, Float16, Float32, Float64, Int8, Tf32};
        assert_eq!(precisions(None, true), [Float32, Float64]);
        assert_eq!(precisions(Some((7, 0)), true), [Float32, Float16, Float64]);
        assert_eq!(precisions(Some((7, 5)), true), [Float32, Float16, Float64, Int8]);
        assert_eq!(precisions(Some((8, 0)), true), [Float32, Tf32, Float16, Bfloat16, Float64, Int8]);
        assert_eq!(precisions(Some((9, 0)), true), [Float32, Tf32, Float16, Bfloat16, Float64, Int8, Float8]);
        assert_eq!(precisions(Some((9, 0)), false), [Float32, Tf32, Float16, Bfloat16, Float64]);
    }
}
