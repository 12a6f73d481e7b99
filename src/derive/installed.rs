//! What follows from the records of package managers.

use super::{both, was_asked};
use crate::facts::{Fact, Facts};

const DAY: u64 = 24 * 60 * 60;

/// Fills the derived fields.
pub fn derive(facts: &mut Facts) {
    let taken = Fact::Known(facts.run.taken_at_seconds);
    let packages = &mut facts.packages;
    packages.asked = Fact::Known(was_asked(&packages.managers));
    packages.system_age_days =
        both(packages.system_changed_seconds.as_ref(), taken, |changed, taken| taken.saturating_sub(*changed) / DAY);
}
