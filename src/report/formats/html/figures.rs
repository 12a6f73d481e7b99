//! What the page shows as a picture: scores and rates as bars, copies of libraries as a tree.

use super::Report;
use crate::check::Dimension;
use crate::facts::{Candidate, Fact, Facts};
use crate::report::rates;
use crate::text::{plain, short_rate};

/// A bar ends at so much more than is expected.
const BEYOND: f64 = 1.25;

/// A dimension's score.
pub struct Score {
    /// The dimension.
    pub name: &'static str,
    /// The score in words.
    pub words: String,
    /// Where the bar ends that is certain.
    pub low: u32,
    /// Where it ends at best.
    pub high: u32,
    /// Its colour as a class.
    pub tone: &'static str,
}

/// A rate beside what is expected.
pub struct Rate {
    /// Of what.
    pub what: String,
    /// How wide the bar is, of 100; none where nothing is expected.
    pub width: Option<f64>,
    /// Its colour as a class.
    pub tone: &'static str,
    /// The rate and the share.
    pub figure: String,
    /// What was proven, and who stands out.
    pub proof: String,
}

/// A library with its copies.
pub struct Library {
    /// Its soname.
    pub soname: String,
    /// The version that it gives for itself.
    pub version: String,
    /// Its copies, the winner first.
    pub copies: Vec<Found>,
}

/// One copy.
pub struct Found {
    /// Where it lies.
    pub path: String,
    /// Whether the workload gets it.
    pub wins: bool,
    /// How it was found, and what it is.
    pub words: String,
}

/// One for each dimension, the same as in the text.
pub fn scores(report: &Report) -> Vec<Score> {
    let score = |dimension: &Dimension| {
        let score = report.score.dimensions.iter().find(|score| score.dimension == *dimension);
        let Some(score) = score else {
            let unseen = report.selection.is_none();
            let (name, words) = (dimension.as_str(), "not judged".to_owned());
            return unseen.then_some(Score { name, words, low: 0, high: 0, tone: "none" });
        };
        let tone = match score.high {
            75.. => "good",
            40.. => "warn",
            _ => "bad",
        };
        let (name, words) = (dimension.as_str(), score.words());
        Some(Score { name, words, low: score.low, high: score.high, tone })
    };
    Dimension::ALL.iter().filter_map(score).collect()
}

/// Every rate that was measured.
pub fn rates(facts: &Facts) -> Vec<Rate> {
    let rate = |row: &rates::Row| {
        let share = row.expected.map(|(_, share)| share);
        let middle = row.median().map_or(String::new(), short_rate);
        let reached = share.map_or(String::new(), |share| format!(" · {:.0} %", share * 100.0));
        let slowest = row.straggler().map(|(who, rate)| format!("slowest: {} {who}", short_rate(*rate)));
        let proof = Some(row.proof.clone()).filter(|proof| !proof.is_empty());
        Rate {
            what: row.what.to_owned(),
            width: share.map(|share| share.clamp(0.0, BEYOND) / BEYOND * 100.0),
            tone: match share {
                Some(share) if share < 0.7 => "bad",
                Some(share) if share < 0.85 => "warn",
                _ => "good",
            },
            figure: format!("{middle} {}{reached}", row.unit),
            proof: proof.into_iter().chain(slowest).collect::<Vec<_>>().join(" · "),
        }
    };
    rates::rows(facts).iter().map(rate).collect()
}

/// Every library with its copies, those that the workload uses first.
pub fn libraries(facts: &Facts) -> Vec<Library> {
    let all = facts.libraries.known().map_or(&[][..], Vec::as_slice);
    let (chosen, others): (Vec<_>, Vec<_>) = all.iter().partition(|library| library.chosen);
    let view = |library: &crate::facts::Library| {
        let copy = |candidate: &Candidate| {
            let wins = library.winner.known() == Some(&candidate.path);
            let why = wins.then(|| format!("wins: {}", plain(&library.reason)));
            let words: Vec<String> = why.into_iter().chain(words(candidate)).collect();
            Found { path: plain(&candidate.path), wins, words: words.join(" · ") }
        };
        let version = library.version.known().map(|version| plain(version));
        let error = library.load_error.known().map(|why| format!("could not be loaded: {}", plain(why)));
        let unused = (!library.chosen).then(|| "not what the workload uses".to_owned());
        Library {
            soname: plain(&library.soname),
            version: version.into_iter().chain(error).chain(unused).collect::<Vec<_>>().join(" · "),
            copies: library.candidates.iter().map(copy).collect(),
        }
    };
    chosen.into_iter().chain(others).map(view).collect()
}

fn words(copy: &Candidate) -> impl Iterator<Item = String> {
    let is = |fact: &Fact<bool>, wanted: bool, words: &str| (fact.known() == Some(&wanted)).then(|| words.to_owned());
    [
        copy.file_version.known().map(|version| plain(version)),
        Some(copy.found_by.as_str().to_owned()),
        is(&copy.is_mounted, true, "mounted"),
        is(&copy.is_stub, true, "a stub"),
        is(&copy.is_compat, true, "for forward compatibility"),
        is(&copy.loadable, false, "damaged, or for another machine"),
    ]
    .into_iter()
    .flatten()
}
