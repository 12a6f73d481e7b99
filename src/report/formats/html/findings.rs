//! Findings as the page tells them: what to do by whoever does it, and each with why, cure and evidence.

use super::{Finding, Piece, Report, pieces, tone};
use crate::check::{self, Outcome};
use crate::report::formats::sarif::is_uri;
use crate::report::formats::spans::{Span, spans};
use crate::report::formats::words;
use crate::report::overview::Mark;
use crate::report::rows::with_subject;
use crate::text::{Shown, plain, plain_long};
use crate::weigh::remedy;

/// Subjects of one finding that are listed, and facts of one that are shown.
const SUBJECTS: usize = 64;
const EVIDENCE: usize = 12;

/// What one of those who can fix something has to do.
pub struct Owner {
    /// In our word.
    pub name: &'static str,
    /// Who that is.
    pub who: &'static str,
    /// What to do, the most urgent first.
    pub fixes: Vec<FixView>,
}

/// One fix.
pub struct FixView {
    /// What to do.
    pub cure: Vec<Piece>,
    /// The check.
    pub check: String,
    /// The score that is reached by it, where it is among the first fixes.
    pub after: Option<u32>,
}

/// A finding that unfolds.
pub struct Detail {
    /// The check.
    pub check: String,
    /// How it stands.
    pub sign: &'static str,
    /// The same as a class.
    pub tone: &'static str,
    /// The same as a word.
    pub tag: &'static str,
    /// What is wrong, or why it could not be told.
    pub message: Vec<Piece>,
    /// Why it is excused.
    pub waived: String,
    /// Why it matters.
    pub why: Vec<Piece>,
    /// How to fix it, by where.
    pub cures: Vec<Cure>,
    /// The subjects, where there are several.
    pub subjects: Vec<Vec<Piece>>,
    /// What was read.
    pub evidence: Vec<Item>,
    /// Where to read more.
    pub links: Vec<String>,
}

/// A remedy at one place.
pub struct Cure {
    /// docker, compose, kubernetes, image ….
    pub place: String,
    /// What to do.
    pub text: Vec<Piece>,
    /// What of it is to be copied: its code, else all.
    pub copy: String,
}

/// A fact that was read.
pub struct Item {
    /// Where it stands.
    pub path: String,
    /// What it says.
    pub value: String,
}

/// What is to be done, by whoever does it, in the order of the words.
pub fn owners(report: &Report) -> Vec<Owner> {
    let groups: Vec<&Finding> = report
        .findings
        .chunk_by(|a, b| a.check == b.check)
        .filter_map(|group| group.iter().find(|finding| finding.counts()))
        .collect();
    let fix = |finding: &&Finding| FixView {
        cure: pieces(&Shown::line(&remedy(finding, &report.facts))),
        check: plain(&finding.check),
        after: report.fix_first.iter().find(|fix| fix.check == finding.check).and_then(|fix| fix.score_after),
    };
    let mut owners: Vec<Owner> = check::Owner::ALL
        .iter()
        .map(|owner| Owner {
            name: owner.as_str(),
            who: who(*owner),
            fixes: groups.iter().filter(|finding| finding.owner == *owner).map(fix).collect(),
        })
        .collect();
    owners.retain(|owner| !owner.fixes.is_empty());
    owners
}

fn who(owner: check::Owner) -> &'static str {
    match owner {
        check::Owner::Workload => "the program, its arguments or its environment",
        check::Owner::Image => "whoever builds the image",
        check::Owner::Pod => "whoever writes the docker run line or the pod manifest",
        check::Owner::Node => "whoever runs the machine",
        check::Owner::Hardware => "whoever replaces parts",
    }
}

/// The ids of all checks with this outcome, each once.
pub fn ids(report: &Report, outcome: Outcome) -> Vec<String> {
    let own = report.findings.iter().filter(|finding| finding.outcome == outcome);
    let mut ids: Vec<String> = own.map(|finding| plain(&finding.check)).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The findings that are wanted, one for each check.
pub fn details(report: &Report, wanted: impl Fn(&Finding) -> bool) -> Vec<Detail> {
    let of = |finding: &Finding| (finding.outcome, finding.since.map(|since| (since, finding.gating)));
    let groups = report.findings.chunk_by(|a, b| a.check == b.check && of(a) == of(b) && a.waived == b.waived);
    groups.filter(|group| group.first().is_some_and(&wanted)).filter_map(|group| detail(group, report)).collect()
}

fn detail(group: &[Finding], report: &Report) -> Option<Detail> {
    let first = group.first()?;
    let fails = first.outcome == Outcome::Fails;
    let mark = match fails {
        true if first.gating && first.waived.is_none() => Mark::Bad,
        true => Mark::Warning,
        false => Mark::Unknown,
    };
    let about = report.about.get(&first.check);
    let cures = first.remedy.iter().filter(|_| fails).map(|(place, text)| {
        let text = Shown::line(text);
        let code: Vec<&str> = spans(&text)
            .into_iter()
            .filter_map(|span| if let Span::Code(code) = span { Some(code) } else { None })
            .collect();
        let copy = if code.is_empty() { text.to_string() } else { code.join("\n") };
        Cure { place: plain(place), text: pieces(&text), copy }
    });
    let message = plain_long(&words(group));
    Some(Detail {
        check: plain(&first.check),
        sign: mark.sign(),
        tone: tone(mark),
        tag: if first.waived.is_some() { "waived" } else { first.severity.as_str() },
        message: pieces(&if fails { message } else { message.replacen("could not tell: ", "", 1) }),
        waived: first.waived.as_ref().map_or(String::new(), |waiver| plain_long(waiver)),
        why: about.map_or(Vec::new(), |about| pieces(&Shown::line(&about.why))),
        cures: cures.collect(),
        subjects: subjects(group),
        evidence: evidence(first),
        links: about.map_or(Vec::new(), |about| about.links.iter().filter(|link| is_uri(link)).cloned().collect()),
    })
}

fn subjects(group: &[Finding]) -> Vec<Vec<Piece>> {
    if group.len() < 2 {
        return Vec::new();
    }
    let listed = group.iter().take(SUBJECTS).map(|finding| plain_long(&with_subject(finding, &finding.message)));
    let more = group.len().saturating_sub(SUBJECTS);
    let more = (more > 0).then(|| format!("… and {more} more"));
    listed.chain(more).map(|text| pieces(&text)).collect()
}

fn evidence(finding: &Finding) -> Vec<Item> {
    let item = |item: &crate::weigh::EvidenceItem| Item {
        path: plain(&item.path),
        value: match &item.value {
            serde_json::Value::String(text) => plain(text),
            serde_json::Value::Null => "not there".to_owned(),
            other => plain(&other.to_string()),
        },
    };
    let more = finding.evidence.len().saturating_sub(EVIDENCE);
    let more = (more > 0).then(|| Item { path: "…".to_owned(), value: format!("and {more} more") });
    finding.evidence.iter().take(EVIDENCE).map(item).chain(more).collect()
}
