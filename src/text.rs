//! Words on their way to a person: cut, with sizes one can read, and through the one door, [`Shown`].

pub mod legend;
mod shown;

pub use shown::Shown;

/// Characters of one foreign string that are shown.
const SHOWN: usize = 160;
/// Characters of a whole message that are shown.
const MESSAGE_SHOWN: usize = 600;

/// A foreign string within a sentence that cannot fill the screen: what is longer than 160 characters is cut. What acts
/// on a terminal is shown as escapes, as [`Shown`] does with all of it in the end.
pub fn plain(text: &str) -> String {
    escaped(text, SHOWN)
}

/// The same for a whole message, which may hold several foreign strings.
pub fn plain_long(text: &str) -> String {
    escaped(text, MESSAGE_SHOWN)
}

fn escaped(text: &str, limit: usize) -> String {
    let end = if text.len() > limit { text.char_indices().nth(limit) } else { None };
    match end {
        Some((end, _)) => shown::escaped(&text[..end], |_| false) + "…",
        None => shown::escaped(text, |_| false),
    }
}

/// A number of bytes in the largest unit that leaves at least one, with one decimal.
pub fn bytes(count: f64) -> String {
    let mut amount = count;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if amount.abs() < 1024.0 {
            return scaled(amount, unit);
        }
        amount /= 1024.0;
    }
    scaled(amount, "TiB")
}

fn scaled(amount: f64, unit: &str) -> String {
    if unit == "bytes" || (amount.fract() < 0.05 && amount >= 1.0) {
        format!("{amount:.0} {unit}")
    } else {
        format!("{amount:.1} {unit}")
    }
}

/// A rate: without a fraction from 100 on, else with one decimal.
pub fn short_rate(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// A number without a fraction where it has none, else with at most two decimals.
pub fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{rounded}")
}

/// `1 check`, `2 checks`.
pub fn count(number: usize, noun: &str) -> String {
    count_noun(number, noun, &format!("{noun}s"))
}

/// `1 capability`, `2 capabilities`, `no capabilities`.
pub fn count_noun(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_string_stays_on_its_line() {
        assert_eq!(plain("a\u{1b}[31m\nb\u{202e}c"), "a\\u{1b}[31m\\nb\\u{202e}c");
        assert_eq!(plain(&"x".repeat(1 << 20)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(64.0 * 1024.0 * 1024.0), "64 MiB");
        assert_eq!(bytes(540_000_000_000.0), "502.9 GiB");
        assert_eq!(bytes(0.0), "0 bytes");
        assert_eq!(number(1.5), "1.5");
        assert_eq!(number(803.0), "803");
    }
}
