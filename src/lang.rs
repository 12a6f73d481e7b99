//! The language in which checks speak about facts: a small typed subset of CEL's syntax.
//!
//! Paths, literals, and the operators and functions that [`sign`] lists. No arithmetic and no functions on text: a check
//! that wants more wants a derived fact. It is our own because no CEL implementation does
//! the three things that honesty needs: a reading that could not be had makes the answer *unknown* and not false,
//! every name and type is checked when the check is loaded, and the facts that were read come out as evidence.
//!
//! What is absent is known to be absent: comparing it is false (`!=` is true), as a condition it is false, a list
//! that is absent is empty, and `has(path)` asks for it. On facts that are all known the language agrees with CEL;
//! a test holds it to that.
//!
//! [`parse`] makes an [`Expr`] of text ([`tree`]), `foreign` answers who writes another language, [`types`] checks it against the facts' shapes, [`eval`] answers in
//! three values ([`value`]), and `compare` holds values against each other for it.

mod compare;
pub mod eval;
mod foreign;
pub mod parse;
pub mod sign;
pub mod tree;
pub mod types;
pub mod value;

pub use eval::{Evidence, Scope};
pub use parse::parse;
pub use tree::Expr;
pub use types::check;
pub use value::Truth;

/// A mistake in an expression, with where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Byte offset in the expression.
    pub at: usize,
    /// What is wrong and, where there is one, the nearest right name.
    pub message: String,
}

impl Mistake {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    fn with(self, hint: &str) -> Self {
        Self { message: self.message + hint, ..self }
    }
}

/// `; did you mean …?` with the name nearest to `name`, or nothing when none is near.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |(known, _)| format!("; did you mean `{known}`?"))
}

/// The name nearest to `name`, with the slips of the hand between them; none when none is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, usize)> {
    let near = known.into_iter().map(|k| (strsim::damerau_levenshtein(name, k), k)).min();
    near.filter(|(slips, _)| *slips <= 1 + name.len() / 3).map(|(slips, known)| (known, slips))
}
