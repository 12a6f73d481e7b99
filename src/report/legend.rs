//! What the numbers of this report mean, said once at its end: of those that stand in it.

use super::Report;
use crate::text::legend;

/// The sentences; none where nothing was judged, or where full marks leave nothing to ask.
pub fn words(report: &Report) -> Option<String> {
    let score = &report.score;
    score.high.filter(|_| score.low != Some(100))?;
    let sentences = [
        (true, legend::SCORE),
        (score.low != score.high, legend::INTERVAL),
        (report.further_fixes().any(|fix| fix.score_after.is_some()), legend::AFTER),
        (score.coverage < 1.0, legend::LOOKED_AT),
        (score.dimensions.iter().any(|dimension| !dimension.has_score()), legend::JUDGED),
    ];
    let said: Vec<&str> = sentences.iter().filter(|(stands, _)| *stands).map(|(_, sentence)| *sentence).collect();
    Some(said.join(" "))
}
