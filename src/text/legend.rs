//! What the numbers of a report mean: said once at its end as far as they stand in it, and by `--help` in full.

/// What the score is, and what bounds it.
pub const SCORE: &str = "The score is the share of the checks that hold, by weight; what fails caps it: medium at 94, high at \
                         74, three high at 59, critical at 39. The verdict never comes from it.";
/// A score of two numbers.
pub const INTERVAL: &str = "Two numbers: the score if all that could not be told failed, and if it held.";
/// A number behind an arrow.
pub const AFTER: &str = "(→ 59): the score once this is fixed, with all that stands before it.";
/// How much was looked at.
pub const LOOKED_AT: &str = "Looked at: the share of the checks, by weight, that hold or fail, of those that apply here; the rest could not be told.";

/// Full marks that are none.
pub const JUDGED: &str = "6 of 15 judged: no score, for all that holds is fewer than half of the checks; the others do not apply here, or could \
     not be told.";

/// All of them, in their order.
pub const ALL: [&str; 5] = [SCORE, INTERVAL, AFTER, LOOKED_AT, JUDGED];

/// The same as one text, for `--help`.
pub fn whole() -> String {
    ALL.join(" ")
}
