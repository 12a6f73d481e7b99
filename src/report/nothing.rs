//! Why a run ended without anything judged: no check held and none failed, so that its verdict rests on nothing.

use super::{Report, Selection};
use crate::check::Outcome;
use crate::text::count;

/// How the message of a check begins that has no place in this phase; see `check::judge`.
const NOT_IN_PHASE: &str = "not judged in phase";

/// The reason; none where something was judged.
pub fn why(report: &Report) -> Option<String> {
    let with = |outcome: Outcome| report.count(outcome);
    if with(Outcome::Holds) + with(Outcome::Fails) > 0 {
        return None;
    }
    let left = report.selection.as_ref().map(filtered);
    // What the profile switches off is no finding at all.
    if report.findings.is_empty() {
        let skips = report.selection.as_ref().is_some_and(|selection| !selection.skip.is_empty());
        return Some(match left {
            // It may be what is skipped that the profile has.
            Some(left) if skips => format!("nothing was judged: {left}"),
            left => {
                let left = left.map_or(String::new(), |left| format!("{left}: "));
                format!("nothing was judged: {left}profile {} has none of these checks", report.profile)
            }
        });
    }
    let other_phase = report.findings.iter().filter(|finding| finding.message.starts_with(NOT_IN_PHASE)).count();
    let elsewhere = with(Outcome::NotApplicable).saturating_sub(other_phase);
    let undecided = with(Outcome::Unknown) + with(Outcome::Blocked);
    let verb = |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
    let parts = [
        (other_phase, format!("{} asked in phase {}", verb(other_phase, "is not", "are not"), report.phase)),
        (elsewhere, format!("{} apply here (tier {})", verb(elsewhere, "does not", "do not"), report.facts.run.tier)),
        (undecided, format!("{undecided} could not be told")),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect();
    let left = left.map_or("of all checks ".to_owned(), |left| format!("{left}, of which "));
    Some(format!("nothing was judged: {left}{}", parts.join(", ")))
}

/// `--only compute leaves 16 of 184 checks`.
fn filtered(selection: &Selection) -> String {
    let flags = [("--only", &selection.only), ("--skip", &selection.skip)];
    let flags = flags.into_iter().filter(|(_, patterns)| !patterns.is_empty());
    if selection.text_only && selection.only.is_empty() && selection.skip.is_empty() {
        let of = count(selection.profile_check_count, "check");
        return format!("the text tells of {} of {of}", selection.check_count);
    }
    let flags: Vec<String> = flags.map(|(flag, patterns)| format!("{flag} {}", patterns.join(","))).collect();
    let (verb, flags) = (if flags.len() == 1 { "leaves" } else { "leave" }, flags.join(" and "));
    format!("{flags} {verb} {} of {}", selection.check_count, count(selection.profile_check_count, "check"))
}
