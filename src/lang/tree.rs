//! An expression as a tree.

use super::sign::Comparison;

/// A part of an expression and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// Byte offset in the text.
    pub at: usize,
    /// What it is.
    pub node: Node,
}

/// What a part of an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `true`, `false`
    Bool(bool),
    /// `12`, `-3`
    Integer(i64),
    /// `0.5`
    Float(f64),
    /// `'text'` or `"text"`
    Text(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `limits.memory_bytes`
    Path(Vec<String>),
    /// `!a`
    Not(Box<Expr>),
    /// `a && b`
    And(Box<Expr>, Box<Expr>),
    /// `a || b`
    Or(Box<Expr>, Box<Expr>),
    /// `a < b`
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `a in b`
    In(Box<Expr>, Box<Expr>),
    /// `size(a)`
    Size(Box<Expr>),
    /// `has(a.b)`
    Has(Box<Expr>),
    /// `version(a)`
    Version(Box<Expr>),
    /// `list.exists(x, condition)`, `list.all(x, condition)`
    Every {
        /// Whether all items must agree, or one is enough.
        all: bool,
        /// The list.
        list: Box<Expr>,
        /// What an item is called.
        name: String,
        /// What is asked of it.
        condition: Box<Expr>,
    },
}
