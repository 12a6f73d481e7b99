//! From what somebody has in hand (a code, a line of a log, a few words) to the checks that speak of it.

use super::short;
use crate::check::{Catalogue, Check};
use crate::facts::FailureKind;
use crate::facts::reference::cuda_errors::{self, CudaError};
use crate::facts::reference::xids;
use crate::text::Shown;

/// Checks that are listed at most; whoever asks for `gpu` gets more help from fewer.
const LISTED: usize = 12;

/// Letters and digits that are looked for in the names of codes at least: `no device` is a part of one, `gpu` of none.
const NAMED: usize = 6;

/// What is known of these words: codes of CUDA, cuBLAS and Xid first, then checks. Nothing where nothing speaks of them.
pub fn search(catalogue: &Catalogue, asked: &str) -> Option<Shown> {
    let words: Vec<String> = asked.split_whitespace().map(str::to_lowercase).collect();
    let mut page = Shown::default();
    let spoken_of = by_words(catalogue, &words);
    let mut codes = Vec::new();
    match xid(&words) {
        Some(code) => push_xid(&mut page, code),
        None => codes = named(&words),
    }
    if codes.is_empty() && spoken_of.is_empty() {
        codes = meaning(&words);
    }
    for row in &codes {
        push_code(&mut page, row);
    }
    let mut checks = related(catalogue, &codes, xid(&words).is_some());
    if checks.is_empty() {
        checks = spoken_of;
    }
    if !checks.is_empty() {
        page.push_line(&Shown::line(if page.is_empty() { "Checks that speak of it:" } else { "Checks that tell it:" }));
        push_checks(&mut page, &checks);
    }
    (!page.is_empty()).then_some(page)
}

fn push_checks(page: &mut Shown, checks: &[&Check]) {
    let shown = &checks[..checks.len().min(LISTED)];
    page.push_line(&Shown::lines(&short(shown)));
    if checks.len() > shown.len() {
        page.push_line(&Shown::line(&format!("and {} more; more words find fewer", checks.len() - shown.len())));
    }
    page.push_line(&Shown::line(
        "`gpu-preflight explain CHECK` says why it matters, how it is found and how it is fixed",
    ));
}

/// The number in `Xid 79`, `xid=79`, `NVRM: Xid (PCI:0000:3b:00): 79, …`.
fn xid(words: &[String]) -> Option<u32> {
    let at = words.iter().position(|word| word.contains("xid"))?;
    let mut after = words[at..].iter().rev();
    let number =
        |word: &String| word.trim_start_matches("xid").trim_matches(|c: char| !c.is_ascii_digit()).parse().ok();
    match &words[at + 1..] {
        [] => number(&words[at]),
        [place, code, ..] if place.starts_with('(') => number(code),
        [code, ..] => number(code).or_else(|| after.find_map(number)),
    }
}

fn push_xid(page: &mut Shown, code: u32) {
    let mut line = |text: String| page.push_line(&Shown::line(&text));
    if let Some(row) = xids::fault(code) {
        line(format!("Xid {code}: {}", row.name));
        line(format!("  what to do: {}", row.action));
        line(format!("  source: {}", row.source));
    } else {
        line(format!("Xid {code} is in no list of faults of the hardware that is known here"));
        line("  many codes are brought about by a program, or only inform: nobody is accused by them".to_owned());
    }
    line(String::new());
}

/// The rows of a number, or of a name in whole or in part.
fn named(words: &[String]) -> Vec<&'static CudaError> {
    let number = words.iter().find_map(|word| word.trim_matches(|c: char| !c.is_ascii_digit()).parse::<i64>().ok());
    if let Some(code) = number.filter(|_| words.len() <= 3) {
        let is_cublas = words.iter().any(|word| word.contains("cublas"));
        let found = if is_cublas { cuda_errors::cublas_status(code) } else { cuda_errors::error(code) };
        return found.into_iter().collect();
    }
    let joined = squeezed(&words.concat());
    let is_named = |row: &&CudaError| {
        let names = [&row.driver, &row.runtime];
        joined.len() >= NAMED && names.into_iter().flatten().any(|name| squeezed(name).contains(&joined))
    };
    rows().filter(is_named).take(4).collect()
}

/// The rows whose meaning or cause has every word.
fn meaning(words: &[String]) -> Vec<&'static CudaError> {
    let says = |row: &&CudaError| has_all(&format!("{} {}", row.meaning, row.cause).to_lowercase(), words);
    rows().filter(says).take(4).collect()
}

fn rows() -> impl Iterator<Item = &'static CudaError> {
    cuda_errors::errors().iter().chain(cuda_errors::cublas_statuses())
}

/// Whether a text has every word, at the beginning of one of its own; short ones whole.
fn has_all(text: &str, words: &[String]) -> bool {
    let own: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let has = |word: &String| {
        let mut parts = word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).peekable();
        parts.peek().is_some()
            && parts.all(|part| own.iter().any(|own| if part.len() < 3 { *own == part } else { own.starts_with(part) }))
    };
    !words.is_empty() && words.iter().all(has)
}

/// Letters and digits alone, so that `no kernel image` is found in `cudaErrorNoKernelImageForDevice`.
fn squeezed(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn push_code(page: &mut Shown, row: &CudaError) {
    let mut line = |text: String| page.push_line(&Shown::line(&text));
    let names: Vec<&str> = [&row.driver, &row.runtime].into_iter().flatten().map(String::as_str).collect();
    line(format!("{} {}: {}", row.code, names.join(", "), row.meaning));
    line(format!("  most likely: {}", row.cause));
    if let Some(owner) = row.owner {
        line(format!("  who fixes it: {}", owner.as_str()));
    }
    if let Some(remedy) = &row.remedy {
        line(format!("  what to do: {remedy}"));
    }
    line(format!("  source: {}", row.source));
    line(String::new());
}

/// What tells a failed call of any code: at the start, and in a multiply.
const EVERY_CALL: [&str; 2] = ["driver.initialised", "compute.multiply-runs"];

/// The checks that ask for a code's kind, or name the code; those of every failed call where none does.
fn related<'a>(catalogue: &'a Catalogue, codes: &[&CudaError], xid: bool) -> Vec<&'a Check> {
    let mut found: Vec<&Check> = Vec::new();
    let mut add = |fits: &dyn Fn(&Check) -> bool| {
        let known: Vec<String> = found.iter().map(|check| check.id.clone()).collect();
        found.extend(catalogue.checks.iter().filter(|check| fits(check) && !known.contains(&check.id)));
    };
    if xid {
        add(&|check| check.file.expect.contains("xid"));
    }
    for row in codes {
        let number = row.code.to_string();
        let names = |check: &Check| {
            let text = prose(check);
            [&row.driver, &row.runtime].into_iter().flatten().any(|name| text.contains(&name.to_lowercase()))
                || row.code > 99 && text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == number)
        };
        add(&names);
        if let Some(kind) = row.kind {
            let quoted = format!("'{kind}'");
            let asks = |check: &Check| check.file.expect.contains(&quoted) && check.id != EVERY_CALL[1];
            add(&|check| asks(check) || kind == FailureKind::Memory && check.file.expect.contains("memory_short"));
        }
    }
    if !codes.is_empty() {
        add(&|check| EVERY_CALL.contains(&check.id.as_str()));
    }
    found
}

/// Checks that have every word: those in whose name or title they stand first.
fn by_words<'a>(catalogue: &'a Catalogue, words: &[String]) -> Vec<&'a Check> {
    let title = |check: &Check| format!("{} {}", check.id, check.file.title).to_lowercase();
    let mut found: Vec<&Check> = catalogue.checks.iter().filter(|check| has_all(&prose(check), words)).collect();
    found.sort_by_key(|check| !has_all(&title(check), words));
    found
}

/// Everything that a check says in words, in small letters.
fn prose(check: &Check) -> String {
    let file = &check.file;
    let remedies = file.remedy.values().map(String::as_str);
    let texts = [check.id.as_str(), &file.title, &file.message, &file.why, &file.detect];
    texts.into_iter().chain(remedies).collect::<Vec<_>>().join(" ").to_lowercase()
}
