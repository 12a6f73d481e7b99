//! A page to look at: one file that opens anywhere and asks nobody for anything.
//!
//! Here the report becomes what the template shows; `html/page.html` says how, and escapes every word of it. Style and
//! script stand in the page, and its content security policy lets run what has their digests and nothing else: not even a
//! word that got past the escapes would be obeyed.

mod figures;
mod findings;

use askama::Template;

use super::spans::{Span, spans};
use super::{Finding, Report};
use crate::check::Outcome;
use crate::facts::timestamp;
use crate::report::overview::{self, Mark};
use crate::report::tally;
use crate::text::{Shown, count, plain, plain_long};
use crate::weigh::{Verdict, remedy};
use figures::{Library, Rate, Score};
use findings::{Detail, Owner};

/// Digests of `html/style.css` and `html/script.js`, as CSP has them; a test compares them.
const STYLE_HASH: &str = "sha256-F9Fxub/SmCkBcWpFvVpERjN8mvBghYhd25iRyd8aD7A=";
const SCRIPT_HASH: &str = "sha256-fELeb0Y/cke2MjXOjw/xCQRNxhi/9Btvf2kt1SB3Xyc=";

/// Around a circle with the radius 52.
const AROUND: f64 = 326.73;

#[derive(Template)]
#[template(path = "html/page.html")]
struct Page {
    style_hash: &'static str,
    script_hash: &'static str,
    version: String,
    place: Vec<String>,
    verdict: String,
    tone: &'static str,
    cause: Option<Cause>,
    nothing: String,
    score_words: String,
    ring_text: String,
    ring_width: usize,
    ring_low: f64,
    ring_high: f64,
    looked: String,
    capped: String,
    notes: Vec<Vec<Piece>>,
    rows: Vec<Row>,
    scores: Vec<Score>,
    owners: Vec<Owner>,
    findings: Vec<Detail>,
    gaps: Vec<Detail>,
    blocked: Vec<String>,
    rates: Vec<Rate>,
    libraries: Vec<Library>,
    holds: Vec<String>,
    holds_words: String,
    foot: String,
}

/// A piece of a sentence: words, or code.
struct Piece {
    code: bool,
    text: String,
}

struct Cause {
    check: String,
    message: Vec<Piece>,
    owner: &'static str,
    cure: Vec<Piece>,
}

struct Row {
    name: &'static str,
    sign: &'static str,
    tone: &'static str,
    text: Vec<Piece>,
}

/// The page.
pub fn render(report: &Report) -> Shown {
    Shown::lines(&page(report).render().unwrap_or_default())
}

fn page(report: &Report) -> Page {
    let (low, high) = (report.score.low, report.score.high);
    let ring_text = match (low, high) {
        (Some(low), Some(high)) if low == high => high.to_string(),
        (Some(low), Some(high)) => format!("{low}–{high}"),
        _ => "–".to_owned(),
    };
    let around = |points: Option<u32>| f64::from(points.unwrap_or(0)) * AROUND / 100.0;
    Page {
        style_hash: STYLE_HASH,
        script_hash: SCRIPT_HASH,
        version: report.tool.version.clone(),
        place: place(report),
        verdict: report.verdict_words(),
        tone: match report.verdict {
            Verdict::Ready => "good",
            Verdict::NotReady => "bad",
            Verdict::Incomplete => "open",
        },
        cause: report.cause().map(|finding| cause(finding, report)),
        nothing: nothing(report),
        score_words: overview::score_words(report),
        // Digits of this size are 19 wide.
        ring_width: ring_text.chars().count().min(4) * 19,
        ring_text,
        ring_low: around(low),
        ring_high: around(high),
        looked: tally::looked(report),
        capped: report.score.capped_by.as_ref().map_or(String::new(), |id| plain(id) + tally::waived(report, id)),
        notes: notes(report),
        rows: overview::lines(report).iter().map(row).collect(),
        scores: figures::scores(report),
        owners: findings::owners(report),
        findings: findings::details(report, |finding| finding.outcome == Outcome::Fails),
        gaps: findings::details(report, |finding| finding.outcome == Outcome::Unknown),
        blocked: blocked(report),
        rates: figures::rates(&report.facts),
        libraries: figures::libraries(&report.facts),
        holds: findings::ids(report, Outcome::Holds),
        holds_words: tally::rest(report),
        foot: format!(
            "Readings of {}, taken in {:.1} s. This page is whole: it asks nobody for anything.",
            when(report).unwrap_or_default(),
            report.facts.run.wall_ms / 1000.0
        ),
    }
}

/// Where this is, for the first line.
fn place(report: &Report) -> Vec<String> {
    let facts = &report.facts;
    let gpus = facts.gpus.known();
    let gpus = gpus.map(|gpus| overview::gpu_words(gpus.len(), gpus.first().and_then(|gpu| gpu.name.known())));
    let profile = format!("profile {}", plain(&report.profile));
    let words = [Some(overview::place(facts)), gpus, Some(profile), Some(format!("phase {}", report.phase))];
    words.into_iter().flatten().chain(when(report)).collect()
}

/// When it was looked, to the minute: `2026-11-25 18:41 UTC`.
fn when(report: &Report) -> Option<String> {
    let time = timestamp(report.facts.run.taken_at_seconds).filter(|_| report.facts.run.taken_at_seconds > 0)?;
    let (day, time) = time.split_once('T')?;
    Some(format!("{day} {} UTC", time.get(..5)?))
}

/// What is said where no cause is.
fn nothing(report: &Report) -> String {
    let waived = report.failures().count();
    match (report.verdict, waived) {
        (Verdict::Incomplete, _) => "Nothing was judged.".to_owned(),
        (_, 0) => "Nothing that was looked at fails.".to_owned(),
        (_, count) => format!("Nothing fails that is not waived: {count} waived."),
    }
}

fn cause(finding: &Finding, report: &Report) -> Cause {
    let fails = finding.outcome == Outcome::Fails;
    Cause {
        check: plain(&finding.check),
        message: pieces(&plain_long(&super::words(std::slice::from_ref(finding)))),
        owner: finding.owner.as_str(),
        cure: if fails { pieces(&Shown::line(&remedy(finding, &report.facts))) } else { Vec::new() },
    }
}

fn notes(report: &Report) -> Vec<Vec<Piece>> {
    let since = report.baseline.as_ref().map(|baseline| format!("Since the baseline: {}", baseline.words()));
    since.iter().chain(&report.notes).map(|note| pieces(&plain_long(note))).collect()
}

fn row(row: &overview::Row) -> Row {
    Row { name: row.name, sign: row.mark.sign(), tone: tone(row.mark), text: pieces(&Shown::line(&row.text)) }
}

fn tone(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "none",
        Mark::Good => "good",
        Mark::Unknown => "open",
        Mark::Warning => "warn",
        Mark::Bad => "bad",
    }
}

/// Which failures keep others from being judged.
fn blocked(report: &Report) -> Vec<String> {
    let causes = report.findings.iter().filter_map(|finding| finding.blocked_by.as_deref());
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for cause in causes {
        match counted.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += 1,
            None => counted.push((cause, 1)),
        }
    }
    let words = |(cause, blocked)| format!("{} not judged, because {} fails", count(blocked, "check"), plain(cause));
    counted.into_iter().map(words).collect()
}

/// A sentence whose code is shown as code.
fn pieces(text: &str) -> Vec<Piece> {
    let piece = |span| match span {
        Span::Words(text) => Piece { code: false, text: text.to_owned() },
        Span::Code(text) => Piece { code: true, text: text.to_owned() },
    };
    spans(text).into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the first `<tag>` and its end.
    fn between<'a>(page: &'a str, tag: &str) -> &'a str {
        let (_, rest) = page.split_once(&format!("<{tag}>")).expect("it begins");
        rest.split_once(&format!("</{tag}>")).expect("it ends").0
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // the digest is computed by somebody else
    fn the_policy_has_the_digests_of_what_stands_in_the_page() {
        let page = page(&Report::default()).render().expect("a page");
        for (tag, known) in [("style", STYLE_HASH), ("script", SCRIPT_HASH)] {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), between(&page, tag)).expect("written");
            let output = std::process::Command::new("sha256sum").arg(file.path()).output().expect("coreutils");
            let hex = String::from_utf8(output.stdout).expect("hexadecimal digits");
            let bytes: Vec<u8> =
                (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("a byte")).collect();
            assert_eq!(known, format!("sha256-{}", base64(&bytes)), "{tag}");
        }
    }

    fn base64(bytes: &[u8]) -> String {
        const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let triple = |part: &[u8]| {
            let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(*part.get(at).unwrap_or(&0)));
            let sign = |at: usize| {
                if at <= part.len() { char::from(SIGNS[(bits >> (18 - 6 * at) & 63) as usize]) } else { '=' }
            };
            (0..4).map(sign).collect::<String>()
        };
        bytes.chunks(3).map(triple).collect()
    }
}
