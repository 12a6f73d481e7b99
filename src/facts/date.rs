//! Days and times, as people write them.

/// Days since 1970-01-01 of a date `YYYY-MM-DD`.
pub fn day(date: &str) -> Option<u64> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let (year, month, day): (u64, u64, u64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *months.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if year < 1970 || day == 0 || day > length {
        return None;
    }
    let before = year - 1;
    let years = (year - 1970) * 365 + (before / 4 - 492) - (before / 100 - 19) + (before / 400 - 4);
    let months: u64 = months.iter().take(usize::try_from(month).ok()? - 1).sum();
    Some(years + months + day - 1)
}

/// Seconds since 1970 of a time as RFC 3339 has it, `2026-11-27T10:00:00.5+01:00`; fractions are left out.
pub fn moment(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let days = i64::try_from(day(date)?).ok()?;
    let (time, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let of_day = clock(time.split(':'), &[23, 59, 60])?;
    let zone = rest.strip_prefix('.').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let ahead = match zone.strip_prefix('+').or_else(|| zone.strip_prefix('-')) {
        Some(hours) => clock(hours.split(':').chain(["00"]), &[23, 59, 0])?,
        None if zone.eq_ignore_ascii_case("z") => 0,
        None => return None,
    };
    Some(days * 86_400 + of_day - if zone.starts_with('-') { -ahead } else { ahead })
}

/// Seconds of hours, minutes and seconds of two digits each, none of them beyond its last.
fn clock<'a>(parts: impl Iterator<Item = &'a str>, last: &[i64; 3]) -> Option<i64> {
    let parts: Vec<&str> = parts.collect();
    let number = |(part, last): (&&str, &i64)| {
        let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|number| is_number && number <= last)
    };
    let numbers: Vec<i64> = parts.iter().zip(last).map(number).collect::<Option<_>>()?;
    (parts.len() == 3).then(|| numbers.iter().fold(0, |sum, number| sum * 60 + number))
}

/// Seconds since 1970 as `2026-11-27T10:00:00Z`; none of a time beyond the year 9999.
pub fn timestamp(seconds: u64) -> Option<String> {
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    // The day's place in 400 years that begin with a March, as Howard Hinnant counts (`civil_from_days`).
    let shifted = day.checked_add(719_468)?;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second % 3600 / 60, second % 60);
    (year <= 9999).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970_and_nonsense_is_refused() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-03-01"), Some(11_017));
        assert_eq!(day("2026-11-23"), Some(20_780));
        for wrong in ["2026-02-29", "2015/10/21", "26-1-1", "2026-13-01", "2026-00-10", "2026-01-00", "", "x-y-z"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_are_read_with_their_zone_and_nonsense_is_refused() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-25T18:41:16.999999z", 1_795_632_076),
            ("2026-11-25T19:41:16+01:00", 1_795_632_076),
            ("2026-11-25t13:11:16.5-05:30", 1_795_632_076),
        ] {
            assert_eq!(moment(text), Some(seconds), "{text}");
        }
        for wrong in [
            "",
            "2026-11-25",
            "2026-11-25T18:41:16",
            "2026-11-25T24:00:00Z",
            "2026-11-25T1:1:1Z",
            "2026-11-25T18:41:16+1",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, time) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_632_076, "2026-11-25T18:41:16Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds).as_deref(), Some(time));
        }
        assert_eq!(timestamp(u64::MAX), None);
    }
}
