//! The formats that numbers have on the device.

/// The element type of the operands, by the numbers of `cudaDataType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `CUDA_R_32F`
    Float32 = 0,
    /// `CUDA_R_64F`
    Float64 = 1,
    /// `CUDA_R_16F`
    Float16 = 2,
    /// `CUDA_R_8I`
    Int8 = 3,
    /// `CUDA_R_16BF`
    Bfloat16 = 14,
    /// `CUDA_R_8F_E4M3`
    Float8 = 28,
}

/// The element type of the product, by the numbers of `cudaDataType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// `CUDA_R_32F`
    Float32 = 0,
    /// `CUDA_R_64F`
    Float64 = 1,
    /// `CUDA_R_32I`
    Int32 = 10,
}

impl Output {
    /// Size in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Float32 | Self::Int32 => 4,
            Self::Float64 => 8,
        }
    }
}

impl Element {
    /// Size in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Float64 => 8,
            Self::Float32 => 4,
            Self::Float16 | Self::Bfloat16 => 2,
            Self::Int8 | Self::Float8 => 1,
        }
    }

    /// What its products are made of: wide enough that nothing is rounded or cut off.
    pub const fn output(self) -> Output {
        match self {
            Self::Float64 => Output::Float64,
            Self::Float32 | Self::Float16 | Self::Bfloat16 | Self::Float8 => Output::Float32,
            Self::Int8 => Output::Int32,
        }
    }
}
