//! Which waivers excuse nothing, and why: an excuse that nobody needs, or that misses what it means, is to be seen.

use super::profile::Waiver;
use super::{Finding, Profile};
use crate::check::judge::worst;
use crate::check::{Catalogue, Outcome};
use crate::lang::suggestion;

/// Subjects that are named where a waiver is for none of them.
const NAMED: usize = 4;

/// A note on each waiver that excuses nothing. Where a filter left its check out nobody looked, and nothing is said.
pub(super) fn idle(findings: &[Finding], catalogue: &Catalogue, profile: &Profile, now: u64) -> Vec<String> {
    let note = |waiver: &Waiver| {
        let check = catalogue.get(&waiver.check)?;
        let why = if profile.waiver(&check.id, waiver.subject.as_deref(), now).is_none() {
            format!("expired on {}", waiver.expires)
        } else if profile.severity(&check.id, check.file.severity).is_none() {
            format!("excuses nothing: profile {} does not judge it", profile.name)
        } else {
            let own: Vec<&Finding> = findings.iter().filter(|finding| finding.check == check.id).collect();
            if own.iter().any(|finding| is_forbidden(waiver, finding, profile)) {
                format!("excuses no critical failure: profile {} does not say `waive_critical = true`", profile.name)
            } else {
                format!("excuses nothing: {}", why_idle(waiver, &own, check.each.is_some())?)
            }
        };
        let subject = waiver.subject.as_ref().map_or(String::new(), |subject| format!(" for `{subject}`"));
        Some(format!("the waiver of {}{subject} {why}", check.id))
    };
    profile.file.waive.iter().filter_map(note).collect()
}

/// Whether a failure is too grave to be excused by this waiver, which speaks of it.
fn is_forbidden(waiver: &Waiver, finding: &Finding, profile: &Profile) -> bool {
    finding.outcome == Outcome::Fails
        && waiver.concerns(finding.subject.as_deref())
        && !profile.may_waive(finding.severity)
}

/// Why a waiver excuses none of the findings of its check; none where it does, or where there are none.
fn why_idle(waiver: &Waiver, own: &[&Finding], has_subjects: bool) -> Option<String> {
    if own.is_empty() {
        return None;
    }
    let mut concerned = own.iter().filter(|finding| waiver.concerns(finding.subject.as_deref())).peekable();
    let subjects: Vec<&str> = own.iter().filter_map(|finding| finding.subject.as_deref()).collect();
    let outcome = match &waiver.subject {
        Some(_) if !has_subjects => return Some("it is judged as a whole and has no subjects".to_owned()),
        Some(wanted) if concerned.peek().is_none() && !subjects.is_empty() => return Some(missed(wanted, &subjects)),
        // Of a list that is empty, or could not be read, nothing more is known.
        Some(_) if concerned.peek().is_none() => worst(own.iter().map(|finding| finding.outcome)),
        _ => worst(concerned.map(|finding| finding.outcome)),
    };
    let why = match outcome {
        Outcome::Fails => return None,
        Outcome::Unknown => "whether it fails could not be told",
        Outcome::Blocked => "it was not judged, because what it requires fails",
        Outcome::Holds => "it does not fail",
        Outcome::NotApplicable => "it does not apply here",
    };
    Some(why.to_owned())
}

/// That there is no such subject, and which there are.
fn missed(wanted: &str, subjects: &[&str]) -> String {
    let named: Vec<String> = subjects.iter().take(NAMED).map(|subject| format!("`{subject}`")).collect();
    let more = if subjects.len() > NAMED { " …" } else { "" };
    format!("that is none of its subjects, {}{more}{}", named.join(", "), suggestion(wanted, subjects.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Severity;
    use crate::weigh::profile::ProfileFile;

    const NOW: u64 = 20_000 * 86_400;

    fn finding(check: &str, subject: Option<&str>, outcome: Outcome) -> Finding {
        let (check, subject) = (check.to_owned(), subject.map(str::to_owned));
        Finding { check, subject, outcome, severity: Severity::High, ..Finding::default() }
    }

    fn waiver(check: &str, subject: Option<&str>) -> Waiver {
        let (check, subject) = (check.to_owned(), subject.map(str::to_owned));
        Waiver { check, subject, expires: "2999-01-01".to_owned(), ..Waiver::default() }
    }

    /// What is said of these waivers beside these findings.
    fn said(waivers: &[Waiver], findings: &[Finding], off: &[&str]) -> Vec<String> {
        let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
        let severity = off.iter().map(|id| ((*id).to_owned(), super::super::profile::Weight::Off)).collect();
        let file = ProfileFile { waive: waivers.to_vec(), severity, ..ProfileFile::default() };
        idle(findings, &catalogue, &Profile { name: "site".to_owned(), file }, NOW)
    }

    const WHOLE: &str = "limits.memory-limited";
    const EACH: &str = "gpu.ecc-clean";

    #[test]
    fn a_waiver_that_misses_its_subject_says_so_with_the_nearest() {
        let findings = [finding(EACH, Some("GPU 0"), Outcome::Fails), finding(EACH, Some("GPU 12"), Outcome::Holds)];
        let told = said(&[waiver(EACH, Some("gpu 12"))], &findings, &[]);
        let wanted = "for `gpu 12` excuses nothing: that is none of its subjects, `GPU 0`, `GPU 12`; did you mean";
        assert!(told.len() == 1 && told[0].contains(wanted), "{told:?}");
        // One that hits does not speak for one that misses.
        let both = [waiver(EACH, Some("GPU 0")), waiver(EACH, Some("GPU 7"))];
        let told = said(&both, &findings, &[]);
        assert!(told.len() == 1 && told[0].contains("for `GPU 7` excuses nothing"), "{told:?}");
        let many: Vec<Finding> = (0..8).map(|gpu| finding(EACH, Some(&format!("GPU {gpu}")), Outcome::Holds)).collect();
        assert!(said(&[waiver(EACH, Some("x"))], &many, &[])[0].ends_with("`GPU 2`, `GPU 3` …"));
    }

    #[test]
    fn a_waiver_that_excuses_nothing_says_why() {
        for (outcome, why) in [
            (Outcome::Holds, "it does not fail"),
            (Outcome::NotApplicable, "it does not apply here"),
            (Outcome::Unknown, "whether it fails could not be told"),
            (Outcome::Blocked, "it was not judged, because what it requires fails"),
        ] {
            let told = said(&[waiver(WHOLE, None)], &[finding(WHOLE, None, outcome)], &[]);
            assert_eq!(told, [format!("the waiver of {WHOLE} excuses nothing: {why}")]);
        }
        // The subject it names does not fail, while another does.
        let findings = [finding(EACH, Some("GPU 0"), Outcome::Holds), finding(EACH, Some("GPU 1"), Outcome::Fails)];
        assert!(said(&[waiver(EACH, Some("GPU 0"))], &findings, &[])[0].ends_with("it does not fail"));
        // The list could not be read.
        let unread = [finding(EACH, None, Outcome::Unknown)];
        assert!(said(&[waiver(EACH, Some("GPU 0"))], &unread, &[])[0].ends_with("could not be told"));
        let failing = [finding(WHOLE, None, Outcome::Fails)];
        assert!(said(&[waiver(WHOLE, Some("GPU 0"))], &failing, &[])[0].ends_with("a whole and has no subjects"));
        assert!(said(&[waiver(WHOLE, None)], &[], &[WHOLE])[0].ends_with("profile site does not judge it"));
        let expired = Waiver { expires: "2000-01-01".to_owned(), ..waiver(WHOLE, None) };
        assert_eq!(said(&[expired], &failing, &[]), [format!("the waiver of {WHOLE} expired on 2000-01-01")]);
    }

    #[test]
    fn a_critical_failure_is_excused_where_the_profile_says_so_alone() {
        let critical = |outcome| Finding { severity: Severity::Critical, ..finding(WHOLE, None, outcome) };
        let told = said(&[waiver(WHOLE, None)], &[critical(Outcome::Fails)], &[]);
        let wanted = format!("the waiver of {WHOLE} excuses no critical failure: profile site does not say");
        assert!(told.len() == 1 && told[0].starts_with(&wanted), "{told:?}");
        assert!(said(&[waiver(WHOLE, None)], &[critical(Outcome::Holds)], &[])[0].ends_with("it does not fail"));
        let profile = |waive_critical| {
            let file = ProfileFile { waive_critical, ..ProfileFile::default() };
            Profile { name: "site".to_owned(), file }
        };
        for severity in Severity::ALL {
            assert!(profile(true).may_waive(*severity));
            assert_eq!(profile(false).may_waive(*severity), *severity != Severity::Critical);
        }
    }

    #[test]
    fn a_waiver_that_matches_says_nothing_nor_one_that_nobody_asked_about() {
        let findings = [
            finding(EACH, Some("GPU 0"), Outcome::Holds),
            finding(EACH, Some("GPU 1"), Outcome::Fails),
            finding(WHOLE, None, Outcome::Fails),
        ];
        let waivers = [waiver(EACH, None), waiver(EACH, Some("GPU 1")), waiver(WHOLE, None)];
        assert_eq!(said(&waivers, &findings, &[]), [""; 0]);
        assert_eq!(said(&waivers, &[], &[]), [""; 0], "a filter left them out");
    }
}
