//! Which parts are mended no longer, by the table and at the time of the recording: no clock is asked, so that a recording
//! says tomorrow what it says today.

use crate::facts::reference::drivers;
use crate::facts::reference::end_of_life::{Row, TABLE, os, row};
use crate::facts::version::Version;
use crate::facts::{Fact, Facts, Gap, GapKind, Lifecycle, MaintainedPart, PartKind, day};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Fills the room.
pub fn derive(facts: &mut Facts) {
    let today = today(facts);
    let (branch, driver) = driver(facts);
    facts.image.ngc_age_months = today.as_ref().and_then(|today| age_months(&facts.image.ngc_release, *today));
    facts.lifecycle = Lifecycle {
        table_date: today.as_ref().map(|_| TABLE.table_date.clone()),
        parts: parts(facts, &today),
        driver_branch: branch,
        driver_ends: driver.as_ref().map(|row| row.ends.clone()),
        driver_over: driver.and_then(|row| over(row, &today)),
    };
}

/// The day of the recording since 1970.
fn today(facts: &Facts) -> Fact<u64> {
    match facts.run.taken_at_seconds {
        0 => Fact::unknown(GapKind::NotAsked, "the recording does not say when it was made"),
        seconds => Fact::Known(seconds / DAY),
    }
}

/// Months from a release such as `25.04` to this day.
fn age_months(release: &Fact<String>, today: u64) -> Fact<u64> {
    release.as_ref().and_then(|release| {
        let first = day(&format!("20{}-01", release.replace('.', "-")));
        Fact::present(first.map(|first| today.saturating_sub(first) * 12 / 365))
    })
}

fn over(row: &Row, today: &Fact<u64>) -> Fact<bool> {
    today.as_ref().and_then(|today| Fact::present(day(&row.ends).map(|last| *today > last)))
}

/// The parts that are here and in the table. One that could not be told is there with the reason, unless nothing could be.
fn parts(facts: &Facts, today: &Fact<u64>) -> Fact<Vec<MaintainedPart>> {
    let own = &facts.image.python_of_distribution;
    let python = facts.image.python_version.as_ref().and_then(|version| match own {
        Fact::Known(true) => Fact::Absent,
        Fact::Known(false) | Fact::Absent => Fact::Known(version.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    });
    let minor = |version: Fact<&String>| version.and_then(|version| Fact::present(minor(version)));
    let of_driver = |cuda: &String| {
        let branch = drivers::toolkit(cuda).and_then(|shipped| shipped.driver.split('.').next());
        branch.and_then(|branch| row(&TABLE.driver, branch))
    };
    let torch = minor(facts.framework.torch_version.as_ref());
    let cuda = minor(facts.compatibility.runtime_version.as_ref());
    let found = [
        part(PartKind::Os, "", facts.image.os.as_ref(), |name| os(name), today),
        part(PartKind::Python, "Python ", minor(python.as_ref()).as_ref(), |name| row(&TABLE.python, name), today),
        part(PartKind::Cuda, "CUDA ", cuda.as_ref(), of_driver, today),
        part(PartKind::Pytorch, "PyTorch ", torch.as_ref(), |name| row(&TABLE.torch, name), today),
    ];
    let gaps: Vec<&Gap> = found.iter().filter_map(|part| part.as_ref().err()).map(|(_, gap)| gap).collect();
    if let ([first, ..], true) = (gaps.as_slice(), gaps.len() == found.len()) {
        return Fact::Unknown((*first).clone());
    }
    let told = found.into_iter().filter_map(|part| match part {
        Ok(part) => part,
        Err((kind, gap)) => Some(MaintainedPart {
            name: kind.to_string(),
            kind,
            ends: Fact::Unknown(gap.clone()),
            over: Fact::Unknown(gap),
        }),
    });
    Fact::Known(told.collect())
}

/// One part; none where it is not here or in no row.
fn part(
    kind: PartKind,
    before: &str,
    name: Fact<&String>,
    row: impl FnOnce(&String) -> Option<&'static Row>,
    today: &Fact<u64>,
) -> Result<Option<MaintainedPart>, (PartKind, Gap)> {
    match name {
        Fact::Known(name) => Ok(row(name).map(|row| MaintainedPart {
            name: format!("{before}{name}"),
            kind,
            ends: Fact::Known(row.ends.clone()),
            over: over(row, today),
        })),
        Fact::Absent => Ok(None),
        Fact::Unknown(gap) => Err((kind, gap)),
    }
}

/// `2.7` of `2.7.0+cu126`.
fn minor(version: &str) -> Option<String> {
    let version = Version::parse(version)?;
    Some(format!("{}.{}", version.major(), version.part(1)))
}

fn driver(facts: &Facts) -> (Fact<String>, Fact<&'static Row>) {
    let version = facts.compatibility.driver_version.as_ref();
    let branch = version.and_then(|version| Fact::present(version.split('.').next().map(str::to_owned)));
    let row = branch.as_ref().and_then(|branch| Fact::present(row(&TABLE.driver, branch)));
    (row.as_ref().map(|row| row.name.clone()), row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(day_of_recording: &str, change: impl FnOnce(&mut Facts)) -> Lifecycle {
        let mut facts = Facts::default();
        facts.run.taken_at_seconds = day(day_of_recording).expect("a day") * DAY + 3600;
        (facts.image.os, facts.image.python_version) = (Fact::Absent, Fact::Absent);
        (facts.framework.torch_version, facts.compatibility.runtime_version) = (Fact::Absent, Fact::Absent);
        change(&mut facts);
        derive(&mut facts);
        facts.lifecycle
    }

    fn told(lifecycle: &Lifecycle) -> Vec<(String, Fact<bool>)> {
        let parts = lifecycle.parts.known().map_or(&[][..], Vec::as_slice);
        parts.iter().map(|part| (part.name.clone(), part.over.clone())).collect()
    }

    #[test]
    fn a_part_is_over_on_the_day_after_its_last() {
        let ubuntu = |facts: &mut Facts| facts.image.os = Fact::Known("Ubuntu 20.04.6 LTS".to_owned());
        let expected = |over| vec![("Ubuntu 20.04.6 LTS".to_owned(), Fact::Known(over))];
        assert_eq!(told(&of("2025-05-29", ubuntu)), expected(false));
        assert_eq!(told(&of("2025-05-30", ubuntu)), expected(true));
    }

    #[test]
    fn the_python_of_a_distribution_is_the_distributions() {
        let python = |own: bool| {
            told(&of("2026-11-27", |facts| {
                facts.image.python_version = Fact::Known("3.10".to_owned());
                facts.image.python_of_distribution = Fact::Known(own);
            }))
        };
        assert_eq!(python(false), [("Python 3.10".to_owned(), Fact::Known(true))]);
        assert_eq!(python(true), []);
    }

    #[test]
    fn releases_are_known_by_their_first_two_numbers_and_what_is_in_no_row_is_not_judged() {
        let parts = told(&of("2026-11-27", |facts| {
            facts.framework.torch_version = Fact::Known("2.7.0+cu126".to_owned());
            facts.compatibility.runtime_version = Fact::Known("12.2".to_owned());
            facts.image.os = Fact::Known("Wolfi".to_owned());
        }));
        let over = |name: &str| (name.to_owned(), Fact::Known(true));
        assert_eq!(parts, [over("CUDA 12.2"), over("PyTorch 2.7")]);
    }

    #[test]
    fn a_branch_of_the_driver_is_the_first_number_of_its_version() {
        let driver = |version: &str| {
            let version = Fact::Known(version.to_owned());
            let found = of("2026-11-27", |facts| facts.compatibility.driver_version = version);
            (found.driver_branch, found.driver_over)
        };
        assert_eq!(driver("535.104.05"), (Fact::Known("535".to_owned()), Fact::Known(true)));
        assert_eq!(driver("580.65.06").1, Fact::Known(false));
        assert_eq!(driver("999.1"), (Fact::Absent, Fact::Absent));
    }

    #[test]
    fn the_age_of_a_release_is_told_in_months() {
        let age = |release: &str| {
            let mut facts = Facts::default();
            facts.run.taken_at_seconds = day("2026-11-27").expect("a day") * DAY;
            facts.image.ngc_release = Fact::Known(release.to_owned());
            derive(&mut facts);
            facts.image.ngc_age_months
        };
        assert_eq!((age("25.04"), age("26.11"), age("27.01")), (Fact::Known(19), Fact::Known(0), Fact::Known(0)));
        assert_eq!(age("25.99"), Fact::Absent);
    }

    #[test]
    fn without_a_day_or_a_reading_nothing_is_over() {
        let mut facts = Facts::default();
        derive(&mut facts);
        assert!(facts.lifecycle.parts.is_unknown() && facts.lifecycle.table_date.is_unknown());
        facts.image.os = Fact::Known("Ubuntu 20.04".to_owned());
        derive(&mut facts);
        let parts = told(&facts.lifecycle);
        assert!(parts.len() == 4 && parts.iter().all(|(_, over)| over.is_unknown()), "{parts:?}");
    }
}
