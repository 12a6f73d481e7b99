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
            table.add_row([&mark, &*check, &text]);
        } else {
            table.add_row([&mark, &format!("{check}\n{text}")]);
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
    table.add_row([&*Shown::line(text)]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    shown(&table)
}

/// The lines of a table.
pub fn shown(table: &Table) -> Vec<Shown> {
    table.lines().map(|line| Shown::line(line.trim_end())).collect()
}
