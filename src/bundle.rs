//! One look with everything that whoever reads a ticket asks for: the recording, the report in three forms, what was quoted
//! beside it, and a list of what is inside.
//!
//! From a report to files, by values alone. Secrets were taken out of what is quoted before it came here; the [`manifest`]
//! says of which file how many, and what is not in it and why.

mod manifest;

use crate::report::Report;
use crate::report::formats::{self, Format, Options, Place};
use crate::report::text::Layout;
use crate::text::Shown;

/// The list of what is inside.
pub const MANIFEST: &str = "MANIFEST.txt";
/// The end of the log.
pub const LOG: &str = "log.txt";
/// The contract.
pub const CONTRACT: &str = "contract.toml";
/// The profile.
pub const PROFILE: &str = "profile.toml";

/// How wide the report as text is.
const WIDTH: u16 = 100;

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is called there.
    pub file: &'static str,
    /// What it is.
    pub what: String,
    /// What is in it.
    pub text: Shown,
    /// How many secrets were taken out.
    pub redacted_count: usize,
}

impl Part {
    /// Whether others wrote it.
    pub fn is_quoted(&self) -> bool {
        [LOG, CONTRACT, PROFILE].contains(&self.file)
    }
}

/// What is quoted beside the look.
#[derive(Debug, Clone, Default)]
pub struct Quotes {
    /// Those that there are.
    pub parts: Vec<Part>,
    /// Those that there are not, each with the reason.
    pub left_out: Vec<(&'static str, String)>,
}

/// Every file of the bundle, in the order of their names.
pub fn parts(report: &Report, quotes: Quotes) -> Result<Vec<Part>, serde_json::Error> {
    let layout = Layout { width: WIDTH, color: false, verbose: true };
    let options = Options { layout, anchor: Place::default() };
    let own = |file, what: &str, text| Part { file, what: what.to_owned(), text, redacted_count: 0 };
    let told = |format| formats::render(report, format, &options);
    let mut parts = vec![
        own(
            "facts.json",
            "the recording; `gpu-preflight judge facts.json` judges it again",
            Shown::json(&report.facts)?,
        ),
        own("report.html", "the report as a page", told(Format::Html)?),
        own("report.json", "the report for programs, with what holds", told(Format::Json)?),
        own("report.txt", "the report as text, with what holds", told(Format::Text)?),
    ];
    parts.extend(quotes.parts);
    let manifest = manifest::render(report, &parts, &quotes.left_out);
    parts.push(own(MANIFEST, "this list", manifest));
    parts.sort_by_key(|part| part.file);
    Ok(parts)
}
