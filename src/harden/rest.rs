//! What no file of ours can answer, with whoever can.

use crate::check::Owner;
use crate::facts::Facts;
use crate::text::{Shown, plain_long};
use crate::weigh::{Finding, remedy};

/// A list by owner; those of the image and of the start come first, for they are nearest.
pub fn list(findings: &[&Finding], facts: &Facts) -> Shown {
    if findings.is_empty() {
        return [Shown::line("Nothing is left to do: the other files answer every finding.")].into_iter().collect();
    }
    let mut lines = vec!["What the other files do not answer, by who can fix it:".to_owned()];
    for owner in Owner::ALL {
        let own: Vec<&&Finding> = findings.iter().filter(|finding| finding.owner == *owner).collect();
        if own.is_empty() {
            continue;
        }
        lines.extend([String::new(), owner.to_string()]);
        for finding in own {
            lines.push(format!("  {} ({}): {}", finding.check, finding.severity, plain_long(&finding.message)));
            lines.push(format!("    {}", plain_long(&remedy(finding, facts))));
        }
    }
    lines.iter().map(|line| Shown::line(line)).collect()
}
