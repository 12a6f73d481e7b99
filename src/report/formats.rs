//! Every form in which a report is written: one list, which the command line, the documentation and the tests read, and
//! one pure function for each.

mod fingerprint;
mod github;
mod gitlab;
mod html;
mod junit;
pub mod line;
mod markdown;
mod place;
mod prometheus;
mod sarif;
mod spans;

use super::text::{self, Layout};
use super::{Finding, Report, rows};
use crate::check::{Outcome, Severity};
use crate::facts::shape::words;
use crate::text::Shown;
use crate::weigh::Verdict;
pub use markdown::whole as step_summary;
pub use place::Place;

words! {
    /// How a report is written.
    pub enum Format {
        /// For people at a terminal
        Text = "text",
        /// For programs: what came of it, with the facts that it rests on; with `--verbose` what holds too
        Json = "json",
        /// `JUnit` XML, a suite for each dimension of the score
        Junit = "junit",
        /// SARIF 2.1.0, for code scanning
        Sarif = "sarif",
        /// Annotations of GitHub Actions, and the whole table in the summary of the step
        Github = "github",
        /// `GitLab`'s code quality report
        Gitlab = "gitlab",
        /// A table that fits a comment on a pull request
        Markdown = "markdown",
        /// A page to look at: one file that opens anywhere
        Html = "html",
        /// Prometheus' text format, for the textfile collector
        Prometheus = "prometheus",
        /// One line of at most 80 bytes
        Line = "line",
    }
}

/// What a format is told beside the report.
#[derive(Debug, Clone)]
pub struct Options {
    /// How text is laid out.
    pub layout: Layout,
    /// The place in the repository that a finding is shown at, where there is no better one.
    pub anchor: Place,
}

/// A report in this format.
pub fn render(report: &Report, format: Format, options: &Options) -> Result<Shown, serde_json::Error> {
    Ok(match format {
        Format::Text => text::render(report, options.layout),
        Format::Json if options.layout.verbose => Shown::json(report)?,
        Format::Json => Shown::json(&report.brief())?,
        Format::Junit => junit::render(report),
        Format::Sarif => Shown::json(&sarif::document(report, &options.anchor))?,
        Format::Github => github::render(report, &options.anchor),
        Format::Gitlab => Shown::json(&gitlab::document(report, &options.anchor))?,
        Format::Markdown => markdown::comment(report),
        Format::Html => html::render(report),
        Format::Prometheus => prometheus::render(report),
        Format::Line => line::render(report),
    })
}

/// How loud something is said where there are three words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Note,
}

/// What gates and fails is an error; what could not be told accuses nobody.
fn level(finding: &Finding) -> Level {
    match (finding.outcome, finding.severity) {
        (Outcome::Fails, _) if finding.gating && finding.waived.is_none() => Level::Error,
        (Outcome::Fails, Severity::Critical | Severity::High | Severity::Medium) => Level::Warning,
        (Outcome::Fails, _) => Level::Note,
        _ => Level::Warning,
    }
}

/// Whether it keeps the verdict open: it gates, and could not be told. What was not judged for something that fails does so
/// too where that is excused; where it is not, it is that which is told.
fn is_open(finding: &Finding, verdict: Verdict) -> bool {
    let is_blocked = finding.outcome == Outcome::Blocked && verdict == Verdict::Incomplete;
    finding.gating && (finding.outcome == Outcome::Unknown || is_blocked)
}

/// What a person has to hear of, the most urgent first: all that fails, and what keeps the verdict open. One group for
/// each check, whatever its subjects, for eight GPUs with one trouble are one piece of news.
fn told(report: &Report) -> Vec<&[Finding]> {
    let of = |finding: &Finding| (finding.outcome, finding.since.map(|since| (since, finding.gating)));
    let groups = report.findings.chunk_by(|a, b| a.check == b.check && of(a) == of(b) && a.waived == b.waived);
    groups
        .filter(|group| {
            group.first().is_some_and(|first| first.outcome == Outcome::Fails || is_open(first, report.verdict))
        })
        .collect()
}

/// What is wrong with the first of a group, and which others there are.
fn words(group: &[Finding]) -> String {
    rows::group_words(&group.iter().collect::<Vec<_>>())
}
