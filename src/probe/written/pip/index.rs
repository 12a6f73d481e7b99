//! Where pip and uv take packages from, as far as that tells what `PyTorch` is built for.

use super::{BuiltFor, of_suffix};

/// What the text says of indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexes {
    /// What the first index of `PyTorch`'s is for: `https://download.pytorch.org/whl/cu124`.
    pub build: Option<BuiltFor>,
    /// Whether others are asked too, so that it decides nothing where a newer release is elsewhere.
    pub is_extra: bool,
    /// Whether anything but the index of Python is asked.
    pub is_foreign: bool,
    /// Whether one is in a variable that has no value in the text.
    pub is_unset: bool,
}

/// Options that name an index, and whether it is asked beside others.
const OPTIONS: [(&str, bool); 9] = [
    ("-i", false),
    ("--index-url", false),
    ("--default-index", false),
    ("--index", true),
    ("--extra-index-url", true),
    ("-f", true),
    ("--find-links", true),
    ("--torch-backend", false),
    ("--no-index", false),
];

impl Indexes {
    /// Those of a command line; `around` stands in variables, and counts for what the line leaves open.
    pub fn of(words: &[&str], around: &Self) -> Self {
        let mut own = Self::default();
        let mut replaces = false;
        for (at, word) in words.iter().enumerate() {
            let (option, joined) = word.split_once('=').map_or((*word, None), |(option, value)| (option, Some(value)));
            let Some((_, is_extra)) = OPTIONS.iter().find(|(name, _)| *name == option) else { continue };
            let value = joined.or_else(|| words.get(at + 1).copied()).unwrap_or_default();
            own.add(value, *is_extra, option == "--torch-backend");
            replaces |= !is_extra;
        }
        if replaces || *around == Self::default() {
            return own;
        }
        Self {
            is_extra: if own.build.is_some() { own.is_extra } else { around.is_extra },
            build: own.build.or_else(|| around.build.clone()),
            is_foreign: true,
            is_unset: own.is_unset || around.is_unset,
        }
    }

    /// A variable is set for the commands that follow.
    pub fn set(&mut self, name: &str, value: &str) {
        let is_of_tool = name.starts_with("PIP_") || name.starts_with("UV_");
        let is_index = ["INDEX", "FIND_LINKS", "TORCH_BACKEND", "CONFIG_FILE"].iter().any(|part| name.contains(part));
        // How uv chooses among indexes names none.
        if is_of_tool && is_index && !value.is_empty() && !name.ends_with("INDEX_STRATEGY") {
            let is_extra = ["EXTRA", "FIND_LINKS"].iter().any(|part| name.contains(part)) || name == "UV_INDEX";
            self.add(value, is_extra, name == "UV_TORCH_BACKEND");
        }
    }

    /// One more, by what stands there.
    pub fn add(&mut self, value: &str, is_extra: bool, is_backend: bool) {
        self.is_foreign = true;
        self.is_unset |= value.contains(['$', '`']);
        if self.build.is_some() {
            return;
        }
        if is_backend {
            self.build = of_suffix(value);
        } else {
            let mut urls = value.split_ascii_whitespace().filter(|url| url.contains("download.pytorch.org"));
            self.build = urls.find_map(|url| url.trim_end_matches('/').split('/').find_map(of_suffix));
        }
        self.is_extra = is_extra;
    }

    /// What a package of `PyTorch`'s is built for; none where the table of Python's index may say it.
    pub fn build(&self, is_exact: bool) -> Option<BuiltFor> {
        if self.is_unset {
            return Some(BuiltFor::Elsewhere);
        }
        self.build.clone().filter(|_| is_exact || !self.is_extra)
    }
}
