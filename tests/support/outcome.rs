//! What a profile says of a machine, written so that it changes only when something else is wrong with the machine.
//!
//! A report counts what holds: in its score, in the share that could be told, in its last line. Recorded like that, one
//! more check that holds everywhere would change every report. So a recorded outcome is judged by a padded catalogue,
//! in which so much of every dimension holds that one more check makes no difference to a score: it is what the caps
//! leave of it. How it is counted below the caps, `score.rs` proves for itself. Other counts are left out, and so are
//! checks on facts that a recording was made without.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gpu_preflight::check::{Dimension, Outcome};
use gpu_preflight::exit::Exit;
use gpu_preflight::facts::Facts;
use gpu_preflight::report::Report;
use gpu_preflight::report::text::{self, Layout};
use gpu_preflight::run::{Plan, report_on};
use gpu_preflight::weigh::Finding;

use super::report::{answerable, plan};

/// Checks a dimension that hold beside the catalogue's.
pub const PADDING: usize = 20;
/// The same for a whole report, which says of a dimension whether less than half of its checks were looked at: so many
/// that it never is.
pub const PADDING_OF_LAYOUTS: usize = 300;

/// A profile over the catalogue and `padding` checks of every dimension that always hold.
pub fn padded(profile: &str, padding: usize) -> Plan {
    let checks = Dimension::ALL.iter().flat_map(|dimension| {
        (0..padding).map(move |number| {
            let id = format!("padding.{}-{number}", dimension.as_str().replace(' ', "-"));
            let text = format!(
                "title = 'It holds'\nseverity = 'critical'\ndimension = '{}'\nowner = 'pod'\n\
                 phases = ['build', 'start', 'live']\nexpect = 'true'\nmessage = 'never told'\nwhy = 'w'\n\
                 detect = 'd'\n[remedy]\ndocker = 'None.'\n",
                dimension.as_str()
            );
            (id.clone(), id, text)
        })
    });
    plan(&checks.collect::<Vec<_>>(), profile)
}

/// `fake-hang-cuInit  production  not-ready  exit 1  score 39–39  cap …`: `!` marks what gates.
pub fn line(machine: &str, plan: &Plan, facts: &Facts) -> String {
    let report = report_on(facts.clone(), &answerable(plan, facts), None, &[]);
    let (profile, verdict, code) = (&plan.profile.name, report.verdict, Exit::from(report.verdict).code);
    let score = &report.score;
    let ends = [score.low, score.high].map(|end| end.map_or_else(|| "none".to_owned(), |end| end.to_string()));
    let cap = score.capped_by.as_ref().map_or(String::new(), |id| format!("  cap {id}"));
    let mut line = format!("{machine}  {profile}  {verdict}  exit {code}  score {}{cap}", ends.join("–"));
    let parts = [
        ("fails", told(&report, Outcome::Fails)),
        ("unknown", told(&report, Outcome::Unknown)),
        ("blocking", blocking(&report)),
    ];
    for (name, ids) in parts {
        if !ids.is_empty() {
            write!(line, "  {name} {}", ids.into_iter().collect::<Vec<_>>().join(" ")).expect("memory");
        }
    }
    line + "\n"
}

/// Checks with a finding of this outcome.
fn told(report: &Report, outcome: Outcome) -> BTreeSet<String> {
    let id = |finding: &Finding| format!("{}{}", finding.check, if finding.gating { "!" } else { "" });
    report.findings.iter().filter(|finding| finding.outcome == outcome).map(id).collect()
}

/// Checks whose failure keeps others from being judged. What is blocked is not listed: it follows from `requires`.
fn blocking(report: &Report) -> BTreeSet<String> {
    report.findings.iter().filter_map(|finding| finding.blocked_by.clone()).collect()
}

/// The report for people without what it counts.
pub fn text(plan: &Plan, facts: &Facts) -> String {
    let report = report_on(facts.clone(), &answerable(plan, facts), None, &[]);
    let text = text::render(&report, Layout { width: 100, color: false, verbose: false });
    let shown = text.lines().map(|line| uncounted(line) + "\n");
    shown.collect()
}

/// A line with dots for the numbers that grow with the catalogue.
fn uncounted(line: &str) -> String {
    if let Some((_, cause)) = line.split_once(" not judged, because ") {
        format!("… not judged, because {cause}")
    } else if line.contains(" hold, ") && line.contains(" do not apply here") {
        "… hold, … do not apply here".to_owned()
    } else if let Some((before, after)) = line.split_once(" % looked at") {
        format!("{}… % looked at{after}", before.trim_end_matches(|digit: char| digit.is_ascii_digit()))
    } else {
        line.to_owned()
    }
}
