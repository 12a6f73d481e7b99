//! Everything that the language has, in one place: the parser reads it from here, `docs/language.md` prints it, and an
//! answer to a mistake names what there is.

use crate::facts::shape::{Shape, Shaped, text, words};

words! {
    /// What joins conditions, those that bind tighter first.
    pub enum Connective {
        /// True where the condition is false: `!run.gpu_expected`.
        Not = "!",
        /// The value is an item of the list: `container.kind in ['docker', 'podman']`.
        In = "in",
        /// Both conditions hold: `has(driver.kernel_version) && run.gpu_expected`. One that is false settles it, whatever is unknown of the other.
        And = "&&",
        /// One of two conditions holds: `identity.uid == 1000 || run.gpu_expected`. One that is true settles it, whatever is unknown of the other.
        Or = "||",
    }

    /// What holds two values against each other. They bind tighter than `&&`.
    pub enum Comparison {
        /// The same: `container.kind == 'docker'`. Numbers, text, words, conditions and versions can be asked.
        Equal = "==",
        /// Not the same: `identity.uid != 0`. True where one of the two is not there.
        Unequal = "!=",
        /// Less, or the same: `limits.cpu_cores <= 16`. Numbers and versions have an order; text has none.
        LessOrEqual = "<=",
        /// More, or the same: `limits.shm_bytes >= 1073741824`.
        GreaterOrEqual = ">=",
        /// Less: `limits.memory_bytes < host.memory_bytes`.
        Less = "<",
        /// More: `size(environment.secret_names) > 0`.
        Greater = ">",
    }

    /// Functions.
    pub enum Function {
        /// How many items a list has, or how many characters text has: `size(environment.secret_names) == 0`.
        Size = "size",
        /// Whether the fact is there: `has(limits.memory_bytes)`. Where nobody could look that is unknown, and not false.
        Has = "has",
        /// Text as a version, compared by its numbers: `version(driver.kernel_version) >= version('550.54')`.
        Version = "version",
        /// Whether a condition holds for one item of a list at least: `gpus.exists(gpu, gpu.mig_enabled)`.
        Exists = "exists",
        /// Whether it holds for every item: `gpus.all(gpu, gpu.memory_bytes > 16000000000)`. True of an empty list.
        All = "all",
    }
}

impl Function {
    /// The one that is called so. Most words are names of facts, for which nobody needs a message.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.as_str() == name)
    }
}

impl Comparison {
    /// Whether it asks for an order and not only for equality.
    pub fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }
}

/// Each sign of a kind with what it does.
pub fn described<T: Shaped>() -> Vec<(&'static str, String)> {
    let Shape::Word(words) = T::SHAPE else { return Vec::new() };
    words.iter().map(|word| (word.name, text(word.doc))).collect()
}

/// The names of a kind, as a sentence lists them.
pub fn listed<T: Shaped>() -> String {
    described::<T>().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
