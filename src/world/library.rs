//! Shared libraries: open, look up typed functions, tell which file it was.
//!
//! The typed functions of NVIDIA's libraries, with the bounds checks that make
//! them safe to call, live in the sub-modules: [`cuda_driver`] for libcuda,
//! [`cuda_runtime`] for libcudart, [`cublas`] for libcublas, [`cublas_lt`] for libcublasLt, [`nccl`] for libnccl, [`management`] for what of libnvidia-ml no crate offers, [`versions`] for what
//! each says of itself. What the answers
//! mean does not live here.
#![allow(unsafe_code)]

pub mod cublas;
pub mod cublas_lt;
pub mod cuda_driver;
pub mod cuda_runtime;
pub mod management;
pub mod nccl;
pub mod versions;

use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::path::PathBuf;

use crate::facts::{Fact, FailedHow, Failure, cut};

/// An open shared library. It is never closed: a vendor library that is unloaded
/// runs handlers that may hang, and the child that opened it ends anyway.
pub struct Library {
    inner: std::mem::ManuallyDrop<libloading::os::unix::Library>,
    name: String,
}

impl Library {
    /// Opens a library by soname, as the workload would, or by path. The error is in the loader's words.
    pub fn open(name: &str) -> Result<Self, String> {
        // SAFETY: initialisers of the library run here and may do anything. That is why this is only ever called
        // in a child of ourselves (`world::child`), whose death is a reading.
        let opened = unsafe { libloading::os::unix::Library::open(Some(name), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        match opened {
            Ok(inner) => Ok(Self { inner: std::mem::ManuallyDrop::new(inner), name: name.to_owned() }),
            Err(error) => Err(words(&error)),
        }
    }

    /// A function by its C name, copied out so that it may be kept beside the library.
    ///
    /// # Safety
    /// `F` must be the function's true type: an `unsafe extern "C" fn` with the signature of the vendor's header.
    pub unsafe fn function<F: Copy>(&self, symbol: &str) -> Result<F, String> {
        let name = std::ffi::CString::new(symbol).map_err(|_| format!("{symbol}: not a symbol name"))?;
        // SAFETY: the caller vouches for the type; the library stays open for the life of the process.
        let found = unsafe { self.inner.get::<F>(name.as_bytes_with_nul()) };
        found.map(|function| *function).map_err(|error| format!("{}: {}", self.name, words(&error)))
    }
}

/// The loader's own sentence: libloading keeps it in the source of its error.
fn words(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// The files that this process has mapped whose name starts with `stem`, in the order of `/proc/self/maps`.
pub fn mapped_files(stem: &str) -> Vec<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut files: Vec<PathBuf> = Vec::new();
    for path in maps.lines().filter_map(|line| line.find('/').map(|at| PathBuf::from(&line[at..]))) {
        let named = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(stem));
        if named && !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

/// A call into a vendor library that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailed {
    /// The C name of the function.
    pub call: &'static str,
    /// What it returned; `None` when it could not be called at all.
    pub code: Option<i32>,
    /// The name of the code, or why there was no call.
    pub detail: String,
}

impl CallFailed {
    /// The failure as it is recorded.
    pub fn failure(&self) -> Failure {
        let words = || cut(&self.detail);
        let name = Fact::present((!self.detail.is_empty()).then(words));
        match self.code {
            Some(code) => {
                Failure { code: Fact::Known(code.into()), name, ..Failure::new(self.call, FailedHow::Returned) }
            }
            None => Failure { reason: Fact::Known(words()), ..Failure::new(self.call, FailedHow::NotCalled) },
        }
    }

    /// The gap that it leaves.
    pub fn unanswered<T>(&self) -> Fact<T> {
        Fact::Unknown(self.failure().gap())
    }

    /// A call that was not made, because its arguments do not fit together.
    fn refused(call: &'static str, why: &str) -> Self {
        Self { call, code: None, detail: why.to_owned() }
    }
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.failure().words())
    }
}

/// A function that was looked for, found or not.
struct Symbol<F> {
    name: &'static str,
    function: Result<F, String>,
}

impl<F: Copy> Symbol<F> {
    /// Calls it. Zero is success in every library here; `name_of` puts a name to anything else.
    fn call(&self, call: impl FnOnce(F) -> c_int, name_of: impl FnOnce(i32) -> String) -> Result<(), CallFailed> {
        match &self.function {
            Err(why) => Err(CallFailed { call: self.name, code: None, detail: why.clone() }),
            Ok(function) => match call(*function) {
                0 => Ok(()),
                code => Err(CallFailed { call: self.name, code: Some(code), detail: name_of(code) }),
            },
        }
    }
}

/// Declares the functions of one library by their C signatures. All return a code, unless they say otherwise.
macro_rules! symbols {
    (@returns) => { std::ffi::c_int };
    (@returns $returns:ty) => { $returns };
    ($(#[$doc:meta])* struct $name:ident { $($field:ident = $symbol:literal: fn($($arg:ty),*) $(-> $returns:ty)?;)* }) => {
        $(#[$doc])*
        struct $name {
            $($field: super::Symbol<unsafe extern "C" fn($($arg),*) -> symbols!(@returns $($returns)?)>,)*
        }

        impl $name {
            fn of(library: &super::Library) -> Self {
                Self {
                    $($field: super::Symbol {
                        name: $symbol,
                        // SAFETY: the signatures of this table are those of the vendor's headers.
                        function: unsafe { library.function($symbol) },
                    },)*
                }
            }
        }
    };
}
use symbols;

/// The text behind a pointer that a library gave out, cut to a sane length; empty for null.
///
/// # Safety
/// The pointer is null or points to a C string that nobody changes meanwhile.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller vouches for it.
    let text = unsafe { CStr::from_ptr(pointer) };
    cut(&text.to_string_lossy())
}
