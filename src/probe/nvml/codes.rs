//! NVML's return codes and their names, as numbers again: the wrapper makes errors of its own of them.

use nvml_wrapper::error::NvmlError;

use crate::facts::cut;

/// Code and name, or the wrapper's own sentence where no code came from the library.
pub fn words(error: &NvmlError) -> String {
    match code(error) {
        Some(code) => format!("{code} {}", code_name(code)).trim_end().to_owned(),
        None => cut(&error.to_string()),
    }
}

/// The number that the library returned; `None` for errors of the wrapper itself.
pub fn code(error: &NvmlError) -> Option<u32> {
    #[expect(deprecated, reason = "an old library may still answer 5")]
    let code = match error {
        NvmlError::Uninitialized => 1,
        NvmlError::InvalidArg => 2,
        NvmlError::NotSupported => 3,
        NvmlError::NoPermission => 4,
        NvmlError::AlreadyInitialized => 5,
        NvmlError::NotFound => 6,
        NvmlError::InsufficientSize(_) => 7,
        NvmlError::InsufficientPower => 8,
        NvmlError::DriverNotLoaded => 9,
        NvmlError::Timeout => 10,
        NvmlError::IrqIssue => 11,
        NvmlError::LibraryNotFound => 12,
        NvmlError::FunctionNotFound => 13,
        NvmlError::CorruptedInfoROM => 14,
        NvmlError::GpuLost => 15,
        NvmlError::ResetRequired => 16,
        NvmlError::OperatingSystem => 17,
        NvmlError::LibRmVersionMismatch => 18,
        NvmlError::InUse => 19,
        NvmlError::InsufficientMemory => 20,
        NvmlError::NoData => 21,
        NvmlError::VgpuEccNotSupported => 22,
        NvmlError::UnexpectedVariant(code) => *code,
        NvmlError::Unknown => 999,
        _ => return None,
    };
    Some(code)
}

/// The names of `nvml.h`; empty for a code that it does not have.
pub fn code_name(code: u32) -> String {
    let name = match code {
        0 => return "NVML_SUCCESS".to_owned(),
        1 => "UNINITIALIZED",
        2 => "INVALID_ARGUMENT",
        3 => "NOT_SUPPORTED",
        4 => "NO_PERMISSION",
        5 => "ALREADY_INITIALIZED",
        6 => "NOT_FOUND",
        7 => "INSUFFICIENT_SIZE",
        8 => "INSUFFICIENT_POWER",
        9 => "DRIVER_NOT_LOADED",
        10 => "TIMEOUT",
        11 => "IRQ_ISSUE",
        12 => "LIBRARY_NOT_FOUND",
        13 => "FUNCTION_NOT_FOUND",
        14 => "CORRUPTED_INFOROM",
        15 => "GPU_IS_LOST",
        16 => "RESET_REQUIRED",
        17 => "OPERATING_SYSTEM",
        18 => "LIB_RM_VERSION_MISMATCH",
        19 => "IN_USE",
        20 => "MEMORY",
        21 => "NO_DATA",
        22 => "VGPU_ECC_NOT_SUPPORTED",
        23 => "INSUFFICIENT_RESOURCES",
        24 => "FREQ_NOT_SUPPORTED",
        25 => "ARGUMENT_VERSION_MISMATCH",
        26 => "DEPRECATED",
        27 => "NOT_READY",
        28 => "GPU_NOT_FOUND",
        29 => "INVALID_STATE",
        30 => "RESET_TYPE_NOT_SUPPORTED",
        999 => "UNKNOWN",
        _ => return String::new(),
    };
    format!("NVML_ERROR_{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wrapper() {
        for number in (1..=30).chain([999]) {
            let error = NvmlError::from(number);
            assert_eq!(code(&error), Some(number), "{error:?}");
            assert!(code_name(number).starts_with("NVML_ERROR_"), "{number}");
        }
    }

    #[test]
    fn errors_of_the_wrapper_itself_have_no_code() {
        let error = NvmlError::FailedToLoadSymbol("nvmlInit_v2".to_owned());
        assert_eq!(code(&error), None);
        assert!(words(&error).contains("nvmlInit_v2"));
    }
}
