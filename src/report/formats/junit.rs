//! `JUnit` XML: a suite for each dimension, a case for each finding.
//!
//! There is no standard. The schema of Jenkins' plugin is the strictest that is written down, and it forbids a `message`
//! on `<skipped>`: the reason stands inside.

use std::fmt::Write as _;

use super::{Finding, Report, is_open, words};
use crate::check::{Dimension, Outcome};
use crate::text::{Shown, plain, plain_long};
use crate::weigh::remedy;

/// What a case is, as the counts of a suite have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Passed,
    Failure,
    Error,
    Skipped,
}

fn case(finding: &Finding) -> Case {
    match finding.outcome {
        Outcome::Holds => Case::Passed,
        Outcome::Fails if finding.waived.is_none() => Case::Failure,
        Outcome::Unknown if is_open(finding) => Case::Error,
        Outcome::Fails | Outcome::Unknown | Outcome::Blocked | Outcome::NotApplicable => Case::Skipped,
    }
}

/// The document.
pub fn render(report: &Report) -> Shown {
    let all: Vec<&Finding> = report.findings.iter().collect();
    let seconds = report.facts.run.wall_ms / 1000.0;
    let name = xml(&format!("gpu-preflight: {}, profile {}", report.verdict_words(), plain(&report.profile)));
    let mut page = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let [tests, failures, errors, _] = counts(&all);
    let _ = writeln!(
        page,
        "<testsuites name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\">"
    );
    for dimension in Dimension::ALL {
        let own: Vec<&Finding> = all.iter().copied().filter(|finding| finding.dimension == *dimension).collect();
        if !own.is_empty() {
            suite(&mut page, *dimension, &own, report);
        }
    }
    page.push_str("</testsuites>\n");
    Shown::lines(&page)
}

/// How many cases there are, and how many of them are failures, errors and skipped.
fn counts(findings: &[&Finding]) -> [usize; 4] {
    let of = |wanted: Case| findings.iter().filter(|finding| case(finding) == wanted).count();
    [findings.len(), of(Case::Failure), of(Case::Error), of(Case::Skipped)]
}

fn suite(page: &mut String, dimension: Dimension, findings: &[&Finding], report: &Report) {
    let [tests, failures, errors, skipped] = counts(findings);
    let _ = writeln!(
        page,
        "  <testsuite name=\"{dimension}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
    );
    for finding in findings {
        let subject = finding.subject.as_ref().map_or(String::new(), |subject| format!(" [{}]", plain(subject)));
        let name = xml(&format!("{}{subject}", plain(&finding.check)));
        let room = xml(&plain(finding.check.split('.').next().unwrap_or_default()));
        let _ = write!(page, "    <testcase name=\"{name}\" classname=\"gpu-preflight.{room}\"");
        let message = xml(&plain_long(&words(std::slice::from_ref(*finding))));
        let _ = match case(finding) {
            Case::Passed => writeln!(page, "/>"),
            Case::Failure => {
                let severity = finding.severity;
                let cure = xml(&Shown::line(&format!("{}: {}", finding.owner, remedy(finding, &report.facts))));
                writeln!(
                    page,
                    "><failure message=\"{message}\" type=\"{severity}\">{message}\n{cure}</failure></testcase>"
                )
            }
            Case::Error => {
                writeln!(page, "><error message=\"{message}\" type=\"unknown\">{message}</error></testcase>")
            }
            Case::Skipped => {
                let waived = finding.waived.as_ref().map(|waiver| format!("waived: {}; ", plain_long(waiver)));
                let waived = xml(&waived.unwrap_or_default());
                writeln!(page, "><skipped>{waived}{message}</skipped></testcase>")
            }
        };
    }
    page.push_str("  </testsuite>\n");
}

/// Text as XML holds it, in an element and in an attribute. XML 1.0 has no U+FFFE and no U+FFFF in any form.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}
