//! What a fact looks like: its type, its words and its documentation, as data.
//!
//! `record!` and `words!` declare plain types and, from the same text, their
//! [`Shape`] and their [`Gaps`](super::Gaps). The expression language checks paths against shapes, the JSON
//! Schemas and `docs/facts.md` are printed from them, so none of them can drift.

/// The type of a fact, as data.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// true or false
    Bool,
    /// A whole number.
    Integer,
    /// A number that may have a fraction.
    Number,
    /// Text.
    Text,
    /// One of a fixed set of words.
    Word(&'static [Word]),
    /// Any JSON value; only documents carry it, never a fact.
    Anything,
    /// Items of one shape.
    List(&'static Shape),
    /// Items of one shape by a text key.
    Map(&'static Shape),
    /// Named fields.
    Record(&'static Record),
    /// A reading that may be absent or unknown.
    Maybe(&'static Shape),
    /// A field that may be left out of a document.
    Optional(&'static Shape),
}

/// One word of a fixed set.
#[derive(Debug)]
pub struct Word {
    /// The word as it stands in JSON.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static [&'static str],
}

/// A type with named fields.
#[derive(Debug)]
pub struct Record {
    /// The Rust name.
    pub name: &'static str,
    /// What it holds.
    pub doc: &'static [&'static str],
    /// Its fields, in the order they are written.
    pub fields: &'static [Field],
}

/// One named field.
#[derive(Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Unit, range and source.
    pub doc: &'static [&'static str],
    /// Its shape.
    pub shape: &'static Shape,
}

impl Field {
    /// The documentation as one paragraph.
    pub fn text(&self) -> String {
        text(self.doc)
    }
}

/// Doc comment lines as one paragraph.
pub fn text(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

impl Shape {
    /// The shape under `Maybe` and `Optional`.
    pub fn bare(&'static self) -> &'static Self {
        match self {
            Self::Maybe(inner) | Self::Optional(inner) => inner.bare(),
            other => other,
        }
    }

    /// The field of a record, whatever wraps the record.
    pub fn field(&'static self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// The fields of a record, or none for anything else.
    pub fn fields(&'static self) -> &'static [Field] {
        match self.bare() {
            Self::Record(record) => record.fields,
            _ => &[],
        }
    }
}

/// A type that can say its own shape.
pub trait Shaped {
    /// The shape.
    const SHAPE: &'static Shape;
}

macro_rules! plain {
    ($($type:ty => $shape:ident),* $(,)?) => {
        $(
            impl Shaped for $type { const SHAPE: &'static Shape = &Shape::$shape; }

            impl super::Gaps for $type {
                fn fill_gaps(&mut self, _gap: &super::Gap) {}
            }
        )*
    };
}

plain! {
    bool => Bool,
    u16 => Integer, u32 => Integer, u64 => Integer, i32 => Integer, i64 => Integer, usize => Integer,
    f64 => Number,
    String => Text,
    serde_json::Value => Anything,
}

impl<T: Shaped> Shaped for super::Fact<T> {
    const SHAPE: &'static Shape = &Shape::Maybe(T::SHAPE);
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: &'static Shape = &Shape::Optional(T::SHAPE);
}

impl<T: Shaped> Shaped for Vec<T> {
    const SHAPE: &'static Shape = &Shape::List(T::SHAPE);
}

impl<T: Shaped> Shaped for std::collections::BTreeMap<String, T> {
    const SHAPE: &'static Shape = &Shape::Map(T::SHAPE);
}

/// Declares a struct of documented fields together with its [`Shape`] and the way to fill its gaps.
macro_rules! record {
    ($($(#[doc = $doc:literal])* $visible:vis struct $name:ident {
        $($(#[doc = $field_doc:literal])* $(#[serde($($serde:tt)*)])? $field_visible:vis $field:ident: $type:ty,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        $visible struct $name {
            $($(#[doc = $field_doc])* $(#[serde($($serde)*)])? $field_visible $field: $type,)*
        }

        impl $crate::facts::Gaps for $name {
            fn fill_gaps(&mut self, gap: &$crate::facts::Gap) {
                $($crate::facts::Gaps::fill_gaps(&mut self.$field, gap);)*
            }
        }

        impl $crate::facts::shape::Shaped for $name {
            const SHAPE: &'static $crate::facts::shape::Shape =
                &$crate::facts::shape::Shape::Record(&$crate::facts::shape::Record {
                    name: stringify!($name),
                    doc: &[$($doc),*],
                    fields: &[$($crate::facts::shape::Field {
                        name: stringify!($field),
                        doc: &[$($field_doc),*],
                        shape: <$type as $crate::facts::shape::Shaped>::SHAPE,
                    }),*],
                });
        }
    )*};
}
pub(crate) use record;

/// Declares a fixed set of words: an enum, its JSON spelling and its [`Shape`].
/// The first word is the default.
macro_rules! words {
    ($($(#[doc = $doc:literal])* pub enum $name:ident {
        $($(#[doc = $word_doc:literal])* $word:ident = $text:literal,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[doc = $word_doc])* #[serde(rename = $text)] $word,)*
        }

        impl $name {
            /// Every word, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$word),*];

            /// The word as it stands in JSON, TOML and reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl $crate::facts::Gaps for $name {
            fn fill_gaps(&mut self, _gap: &$crate::facts::Gap) {}
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
                    .ok_or_else(|| format!("`{text}` is none of {}",
                        Self::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ")))
            }
        }

        impl $crate::facts::shape::Shaped for $name {
            const SHAPE: &'static $crate::facts::shape::Shape = &$crate::facts::shape::Shape::Word(&[
                $($crate::facts::shape::Word { name: $text, doc: &[$($word_doc),*] }),*
            ]);
        }
    )*};
}
pub(crate) use words;
