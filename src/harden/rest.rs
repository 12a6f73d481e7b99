//! What no file of ours can answer, with whoever can.

use crate::check::{Outcome, Owner};
use crate::report::Report;
use crate::text::{Shown, count, plain_long};
use crate::weigh::{Finding, remedy};

/// A list by owner, and how much the report could not tell.
pub fn list(findings: &[&Finding], report: &Report) -> Shown {
    let mut lines = match findings {
        [] => vec!["The other files answer everything that fails.".to_owned()],
        _ => vec!["What the other files do not answer, by who can fix it:".to_owned()],
    };
    for owner in Owner::ALL {
        let own: Vec<&&Finding> = findings.iter().filter(|finding| finding.owner == *owner).collect();
        if own.is_empty() {
            continue;
        }
        lines.extend([String::new(), owner.to_string()]);
        for finding in own {
            lines.push(format!("  {} ({}): {}", finding.check, finding.severity, plain_long(&finding.message)));
            lines.push(format!("    {}", plain_long(&remedy(finding, &report.facts))));
        }
    }
    let (unknown, blocked) = (report.count(Outcome::Unknown), report.count(Outcome::Blocked));
    if unknown + blocked > 0 {
        let waiting = if blocked == 1 { "waits" } else { "wait" };
        let parts = [
            (unknown, format!("{} could not be told", count(unknown, "check"))),
            (blocked, format!("{} {waiting} for others", count(blocked, "check"))),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words);
        let told = parts.collect::<Vec<_>>().join(" and ");
        lines.extend([String::new(), format!("{told}: look again afterwards.")]);
    }
    lines.iter().map(|line| Shown::line(line)).collect()
}
