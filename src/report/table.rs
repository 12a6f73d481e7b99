//! Findings in columns that fit the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::text::Shown;

/// One row.
#[derive(Default)]
pub struct Line {
    /// The sign of how it stands.
    pub mark: &'static str,
    /// How much it matters.
    pub severity: &'static str,
    /// The check.
    pub check: String,
    /// What there is to say.
    pub text: String,
    /// What to do about it, on a line of its own.
    pub cure: Option<String>,
}

/// From this width on, ids stand in a column of their own; below, they stand over the text.
const WIDE: u16 = 96;

/// How wide that column is, and may become for a long id: none is ever broken, for it is there to be copied.
const ID_COLUMN: std::ops::RangeInclusive<u16> = 36..=46;

/// The rows, wrapped to `width` columns.
pub fn render(lines: &[Line], width: u16) -> Vec<Shown> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    // With the blanks around it.
    let longest = lines.iter().map(|line| Shown::line(&line.check).chars().count() + 2).max().unwrap_or(0);
    let longest = u16::try_from(longest).unwrap_or(u16::MAX).max(*ID_COLUMN.start());
    let has_column = width >= WIDE && ID_COLUMN.contains(&longest);
    for line in lines {
        let mark = format!(" {} {}", line.mark, line.severity);
        // What is shown as an escape is as wide as the escape, so it is made one before columns are laid out.
        let check = Shown::line(&line.check);
        let text: Vec<Shown> = [&line.text].into_iter().chain(&line.cure).map(|text| Shown::line(text)).collect();
        let text = text.iter().map(|text| &**text).collect::<Vec<_>>().join("\n");
        if has_column {
            table.add_row([&mark, &*check, &kept_together(&text)]);
        } else {
            table.add_row([&mark, &format!("{check}\n{}", kept_together(&text))]);
        }
    }
    let fixed = |columns| ColumnConstraint::Absolute(Width::Fixed(columns));
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(fixed(13));
    }
    if has_column && let Some(column) = table.column_mut(1) {
        column.set_constraint(fixed(longest));
    }
    shown(&table)
}

/// Text in lines of at most `width` columns, broken at spaces.
pub fn wrap(text: &str, width: usize) -> Vec<Shown> {
    let mut table = Table::new();
    let columns = u16::try_from(width).unwrap_or(u16::MAX);
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(columns);
    table.add_row([kept_together(&Shown::line(text))]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    shown(&table)
}

/// The lines of a table.
pub fn shown(table: &Table) -> Vec<Shown> {
    table.lines().map(|line| Shown::line(&line.trim_end().replace(TIE, " "))).collect()
}

/// Stands between words that stay on one line while columns are laid out.
const TIE: char = '\u{a0}';
/// What follows a number as its unit.
const UNITS: [&str; 17] = [
    "%", "GiB", "MiB", "KiB", "TiB", "bytes", "GB/s", "GT/s", "TFLOP/s", "TOP/s", "MHz", "W", "°C", "s", "ms", "GB",
    "cores",
];

/// The text with a tie between a number and its unit, around `×`, and behind an arrow.
fn kept_together(text: &str) -> String {
    let mut tied = String::with_capacity(text.len());
    let mut before = "";
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            tied.push(if belong_together(before, word) { TIE } else { ' ' });
        }
        tied.push_str(word);
        before = word;
    }
    tied
}

fn belong_together(before: &str, word: &str) -> bool {
    let is_number = before.ends_with(|last: char| last.is_ascii_digit());
    let unit = word.trim_end_matches([',', '.', ';', ':', ')']);
    before == "×" && !word.is_empty() || is_number && (word == "×" || UNITS.contains(&unit)) || before == "(→"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_what_it_counts() {
        let text = "docker   8 × NVIDIA H200   99 % looked at   0.2 s · shm 128 GiB, PCIe 5.0 × 16 · fix (→ 91) 7 of 8";
        for width in 12..70 {
            let lines: Vec<String> = wrap(text, width).iter().map(ToString::to_string).collect();
            for whole in ["8 × NVIDIA", "99 %", "0.2 s", "128 GiB,", "5.0 × 16", "(→ 91)"] {
                assert!(lines.iter().any(|line| line.contains(whole)), "{width}: {whole} in {lines:?}");
            }
            assert!(
                lines.iter().all(|line| line.chars().count() <= width && !line.contains(TIE)),
                "{width}: {lines:?}"
            );
        }
        assert_eq!(wrap("7 of 8", 4).len(), 2, "nothing else is tied");
    }
}
